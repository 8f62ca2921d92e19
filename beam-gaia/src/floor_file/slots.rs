//! Two copies of a floor, written in turn: whatever happens to a write, the other copy is whole.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt;

use beam_core::floor_store::FloorError;
use beam_core::signing::{Floor, Mark};

use super::slot::{BYTES_LEN_MAX, LEN, NotRead, Slot};

/// How long the file is.
pub(super) const FILE_LEN: usize = 2 * LEN;

/// What is asked of a file.
pub(super) trait Disk {
    /// Everything in it, up to [`FILE_LEN`] bytes.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Writes into it at this place.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written survives loss of power.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut file = self;
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(FILE_LEN);
        file.take(FILE_LEN as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    /// The file never grows, so its data is all there is to sync.
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The two copies and what is certain about them.
pub(super) struct Slots<D> {
    disk: D,
    /// Named in errors.
    name: String,
    /// What is on disk for certain. A write or a sync that failed changes nothing here: the copy that it was about
    /// counts as damaged and is written again, whatever reading it may show. (The system forgets a failed sync: what
    /// it then reads back from memory may never have reached the disk.)
    certain: Option<Certain>,
}

#[derive(Clone)]
struct Certain {
    place: Place,
    slot: Slot,
}

#[derive(Clone, Copy)]
enum Place {
    First,
    Second,
}

impl Place {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => LEN as u64,
        }
    }
}

/// A floor that cannot be kept because another is.
#[derive(Debug, thiserror::Error)]
#[error("at {0} it already holds other bytes")]
struct Conflicting(Mark);

impl<D: Disk> Slots<D> {
    pub(super) fn new(disk: D, name: String) -> Self {
        Self { disk, name, certain: None }
    }

    /// The floor kept last.
    pub(super) fn load(&mut self) -> Result<Option<Floor>, FloorError> {
        Ok(self.certain()?.slot.floor)
    }

    /// The floor as it reads now, with nothing written: for looking on while another process is at work.
    pub(super) fn peek(&self) -> Result<Option<Floor>, FloorError> {
        Ok(self.newest()?.slot.floor)
    }

    /// Keeps a floor that is not lower.
    pub(super) fn keep(&mut self, floor: Floor) -> Result<(), FloorError> {
        let certain = self.certain()?;
        if let Some(kept) = &certain.slot.floor {
            if kept.lineage != floor.lineage {
                return Err(FloorError::OtherLineage);
            }
            if kept.mark > floor.mark || *kept == floor {
                return Ok(());
            }
            if kept.mark == floor.mark {
                return Err(FloorError::Io(Box::new(Conflicting(floor.mark))));
            }
        }
        self.write(&certain, floor)
    }

    /// Keeps a floor, whatever was kept before.
    pub(super) fn replace(&mut self, floor: Floor) -> Result<(), FloorError> {
        let certain = self.certain()?;
        self.write(&certain, floor)
    }

    /// Finds out what is on disk, the first time; or remembers.
    fn certain(&mut self) -> Result<Certain, FloorError> {
        if let Some(certain) = &self.certain {
            return Ok(certain.clone());
        }
        let found = self.newest()?;
        match found.slot.floor.clone() {
            // The process before us may have written it and died before it was synced, so it is only certain now. This
            // also mends a copy that was torn.
            Some(floor) => self.write(&found, floor)?,
            None => self.certain = Some(found.clone()),
        }
        Ok(self.certain.clone().unwrap_or(found))
    }

    /// The newer of the copies that are whole, as it reads now.
    fn newest(&self) -> Result<Certain, FloorError> {
        let bytes = self.disk.read().map_err(into_floor)?;
        let at = |start: usize| bytes.get(start..start + LEN).map_or(Err(NotRead::Torn), Slot::decode);
        let (place, slot) = match (at(0), at(LEN)) {
            (Err(NotRead::Strange), _) | (_, Err(NotRead::Strange)) => {
                return Err(FloorError::Damaged(self.written_by_another_version()));
            }
            (Ok(first), Ok(second)) if second.sequence > first.sequence => (Place::Second, second),
            (Ok(first), _) => (Place::First, first),
            (Err(NotRead::Torn), Ok(second)) => (Place::Second, second),
            (Err(NotRead::Torn), Err(NotRead::Torn)) => return Err(FloorError::Damaged(self.what_to_do())),
        };
        Ok(Certain { place, slot })
    }

    /// Writes the copy that is not certain.
    fn write(&mut self, certain: &Certain, floor: Floor) -> Result<(), FloorError> {
        let len = floor.bytes.len();
        let too_long =
            || io::Error::other(format!("{len} sign bytes do not fit, at most {BYTES_LEN_MAX} do"));
        let run_out = || io::Error::other("sequence numbers have run out");
        let sequence = certain.slot.sequence.checked_add(1).ok_or_else(run_out).map_err(into_floor)?;
        let slot = Slot { sequence, floor: Some(floor) };
        let bytes = slot.encode().ok_or_else(too_long).map_err(into_floor)?;
        let place = certain.place.other();
        self.disk.write(place.offset(), &bytes).map_err(into_floor)?;
        // Without it, power may go after the signature has left and before the floor has arrived.
        self.disk.sync().map_err(into_floor)?;
        self.certain = Some(Certain { place, slot });
        Ok(())
    }

    fn written_by_another_version(&self) -> String {
        format!(
            "a copy in {} is whole, but this version does not understand it; run the version that wrote it, or a newer one",
            self.name
        )
    }

    fn what_to_do(&self) -> String {
        format!(
            "neither of the two copies in {} is sound; check the disk, move the file away and start again (this machine then \
             begins as one more standby)",
            self.name
        )
    }
}

fn into_floor(error: io::Error) -> FloorError {
    FloorError::Io(Box::new(error))
}

#[cfg(test)]
mod tests;
