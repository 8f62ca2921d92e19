//! Released signatures, a JSON line each.
//!
//! ```text
//! {"at_ms":1763812345678,"machine":"val-a","chain_id":"cosmoshub-4","height":12345,"round":0,"step":"precommit",
//!  "sign_bytes":"7808…","signature":"a1b2…","epoch":12,"how":"swapped"}
//! ```
//!
//! (On one line.) `how` is `swapped` if this machine put the bytes into the register, and `repeated` if it signed what was
//! there. The file is only ever appended to, a line with one write, so several processes may share it and it may be renamed
//! away and compressed once its process has ended.
//!
//! **For readers:** nothing is synced, and a crash or a full disk may cut a line. The rest of the file stays readable: a
//! line after a cut one begins on a line of its own. So skip a line that is not a whole JSON object, and count it as a
//! signature that may have been released.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use beam_core::audit_log::AuditLog;
use beam_core::id::{ChainId, to_hex};
use beam_core::register::Cause;
use beam_core::signing::{Release, Step};
use serde::Serialize;

/// An [`AuditLog`] in a file.
pub struct AuditFile {
    machine: String,
    chain: ChainId,
    end: Mutex<End>,
}

struct End {
    file: File,
    /// Whether the file may end in the middle of a line.
    cut: bool,
}

/// An audit file that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be opened to append to")]
pub struct AuditFileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    at_ms: u64,
    machine: &'a str,
    chain_id: &'a str,
    height: u64,
    round: u32,
    step: Step,
    sign_bytes: String,
    signature: String,
    epoch: u64,
    how: How,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Swapped,
    Repeated,
}

impl AuditFile {
    /// Opens the file to append to it, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// [`AuditFileError`] if that cannot be done.
    pub fn open(
        path: impl AsRef<Path>,
        machine: impl Into<String>,
        chain: ChainId,
    ) -> Result<Self, AuditFileError> {
        let path = path.as_ref();
        let open = || {
            let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            let cut = ends_in_a_line(&file)?;
            Ok(End { file, cut })
        };
        let end = open().map_err(|source| AuditFileError { path: path.to_owned(), source })?;
        Ok(Self { machine: machine.into(), chain, end: Mutex::new(end) })
    }

    fn line(&self, at: SystemTime, release: &Release) -> serde_json::Result<Vec<u8>> {
        let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        serde_json::to_vec(&Line {
            at_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            machine: &self.machine,
            chain_id: self.chain.as_str(),
            height: release.mark.height.0,
            round: release.mark.round.0,
            step: release.mark.step,
            sign_bytes: to_hex(&release.bytes),
            signature: to_hex(&release.signatures.statement),
            epoch: release.epoch.0,
            how: if release.repeated { How::Repeated } else { How::Swapped },
        })
    }
}

impl AuditLog for AuditFile {
    fn released(&self, release: &Release) -> Result<(), Cause> {
        let mut line = self.line(SystemTime::now(), release)?;
        line.push(b'\n');
        self.end.lock().unwrap_or_else(PoisonError::into_inner).append(line).map_err(Into::into)
    }
}

impl End {
    /// With one write, so that nobody else's line comes between.
    fn append(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        if self.cut {
            line.insert(0, b'\n');
        }
        let written = loop {
            match self.file.write(&line) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        // The rest is not sent after it: it would be a line of its own to anybody who reads.
        self.cut = written < line.len() && (self.cut || written > 0);
        if written < line.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }
}

/// Whether the file ends in the middle of a line.
fn ends_in_a_line(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != [b'\n'])
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use beam_core::signing::{Epoch, Mark, Signatures};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn release(height: u64, repeated: bool) -> Release {
        let signatures = Signatures { statement: vec![0xab; 64], extension: None };
        Release {
            mark: Mark::new(height, 2, Step::Precommit),
            bytes: vec![1, 2],
            signatures,
            epoch: Epoch(7),
            repeated,
        }
    }

    fn open(path: &Path) -> AuditFile {
        AuditFile::open(path, "val \"a\"\n", "cosmoshub-4".parse().unwrap()).unwrap()
    }

    /// The heights of the lines that can be read.
    fn heights(path: &Path) -> Vec<u64> {
        let text = std::fs::read(path).unwrap();
        text.split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .filter_map(|line| line.get("height")?.as_u64())
            .collect()
    }

    #[test]
    fn a_line_says_what_was_released_when_and_how() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(&folder.path().join("audit.jsonl"));
        let at = UNIX_EPOCH + Duration::from_millis(1_763_812_345_678);
        let line = String::from_utf8(file.line(at, &release(12345, false)).unwrap()).unwrap();
        let signature = "ab".repeat(64);
        let expected = format!(
            "{{\"at_ms\":1763812345678,\"machine\":\"val \\\"a\\\"\\n\",\"chain_id\":\"cosmoshub-4\",\"height\":12345,\
             \"round\":2,\"step\":\"precommit\",\"sign_bytes\":\"0102\",\"signature\":\"{signature}\",\"epoch\":7,\
             \"how\":\"swapped\"}}"
        );
        assert_eq!(line, expected);
        let repeated = file.line(at, &release(1, true)).unwrap();
        assert!(String::from_utf8(repeated).unwrap().ends_with("\"how\":\"repeated\"}"));
    }

    #[test]
    fn lines_are_appended_and_only_the_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for height in 1..4 {
            open(&path).released(&release(height, false)).unwrap();
        }
        assert_eq!(heights(&path), [1, 2, 3]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("}\n") && text.lines().count() == 3);
    }

    #[test]
    fn a_line_cut_anywhere_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        open(&path).released(&release(1, false)).unwrap();
        let first = std::fs::read(&path).unwrap();
        for len in 0..=first.len() {
            std::fs::write(&path, [&first[..], &first[..len]].concat()).unwrap();
            let file = open(&path);
            file.released(&release(2, false)).unwrap();
            file.released(&release(3, false)).unwrap();
            let whole = if len + 1 >= first.len() { vec![1, 1, 2, 3] } else { vec![1, 2, 3] };
            assert_eq!(heights(&path), whole, "{len}");
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let file = open(Path::new("/dev/full"));
        let cause = file.released(&release(1, false)).unwrap_err();
        assert_eq!(cause.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_folder_is_no_audit_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(AuditFile::open(folder.path(), "a", "cosmoshub-4".parse().unwrap()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_a_machine_is_called_a_line_stays_a_line(machine in ".*") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("audit.jsonl");
            let file = AuditFile::open(&path, machine.clone(), "cosmoshub-4".parse().unwrap()).unwrap();
            file.released(&release(1, false)).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            prop_assert_eq!(text.matches('\n').count(), 1);
            let line: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(line["machine"].as_str().unwrap(), machine);
        }
    }
}
