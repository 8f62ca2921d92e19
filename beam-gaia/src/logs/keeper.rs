//! Compresses closed logs and removes the oldest, apart from the capture: a gigabyte takes a while.
//!
//! A compressed file has its name only when it is whole and on the disk, so a crash leaves nothing worse than a half one, which
//! the next keeper removes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use beam_core::logs::{Closed, Limits};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::folder::LogFolder;

/// The work that may be under way.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    stop: Arc<AtomicBool>,
    at_work: Option<JoinHandle<io::Result<()>>>,
    /// Something was closed while it was at work, or is to be judged anew.
    again: bool,
}

impl Keeper {
    /// Tidies up, now or when what is under way is done. `open_bytes` is what the open files take.
    pub(super) fn tidy(&mut self, folder: &LogFolder, limits: Limits, open_bytes: u64) -> io::Result<()> {
        if self.at_work.as_ref().is_some_and(|work| !work.is_finished()) {
            self.again = true;
            return Ok(());
        }
        let done = self.join();
        let (folder, stop) = (folder.clone(), Arc::clone(&self.stop));
        self.again = false;
        let work = std::thread::Builder::new().name("beam-log-keeper".to_owned());
        self.at_work = Some(work.spawn(move || tidy(&folder, &limits, open_bytes, &stop))?);
        done
    }

    /// Has it done with the next pass, as something is to be judged anew.
    pub(super) fn ask(&mut self) {
        self.again = true;
    }

    /// Whether something was asked for while it was at work, which now is done.
    pub(super) fn is_due(&self) -> bool {
        self.again && self.at_work.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn join(&mut self) -> io::Result<()> {
        let panicked = |_| io::Error::other("the thread that compresses logs has panicked");
        self.at_work.take().map_or(Ok(()), |work| work.join().map_err(panicked).flatten())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // What is half done is done again by the next pilot.
        let _ = self.join();
    }
}

fn tidy(folder: &LogFolder, limits: &Limits, open_bytes: u64, stop: &AtomicBool) -> io::Result<()> {
    for left in folder.leftovers()? {
        fs::remove_file(left)?;
    }
    // First room, which compressing needs.
    remove_oldest(folder, limits, open_bytes)?;
    for file in folder.closed()? {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !file.compressed && compress(&file.path, &file.compressed_path(), stop)? {
            fs::remove_file(&file.path)?;
        }
    }
    remove_oldest(folder, limits, open_bytes)
}

fn remove_oldest(folder: &LogFolder, limits: &Limits, open_bytes: u64) -> io::Result<()> {
    let files = folder.closed()?;
    let sizes: Vec<Closed> = files
        .iter()
        .map(|file| Closed {
            number: file.number,
            bytes: fs::metadata(&file.path).map_or(0, |data| data.len()),
        })
        .collect();
    for number in limits.removed(&sizes, open_bytes) {
        for file in files.iter().filter(|file| file.number == number) {
            fs::remove_file(&file.path)?;
        }
    }
    Ok(())
}

/// Whether it was finished: it is given up when it is told to stop.
fn compress(from: &Path, to: &Path, stop: &AtomicBool) -> io::Result<bool> {
    let half = to.with_extension("gz.part");
    let done = compress_into(from, &half, stop);
    if !matches!(done, Ok(true)) {
        let _ = fs::remove_file(&half);
        return done;
    }
    fs::rename(&half, to)?;
    Ok(true)
}

fn compress_into(from: &Path, half: &Path, stop: &AtomicBool) -> io::Result<bool> {
    let mut from = File::open(from)?;
    let mut gz = GzEncoder::new(File::create(half)?, Compression::default());
    let mut block = vec![0; 128 * 1024];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let len = from.read(&mut block)?;
        if len == 0 {
            break;
        }
        gz.write_all(block.get(..len).unwrap_or_default())?;
    }
    let whole = gz.finish()?;
    whole.set_permissions(from.metadata()?.permissions())?;
    whole.sync_all()?;
    Ok(true)
}
