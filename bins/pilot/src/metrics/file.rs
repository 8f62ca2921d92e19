//! The metrics as a file, for `node_exporter`'s textfile collector and for whoever looks after the pilot is gone.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

/// Where the metrics are written, and whether the last time went well.
#[derive(Clone, Debug)]
pub(crate) struct MetricsFile {
    path: PathBuf,
    failed: bool,
}

impl MetricsFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, failed: false }
    }

    /// Writes `text` beside the file and moves it there, so that a reader finds the old one or the new one, whole. It is not
    /// synced: after a power cut an old file, or none, does no harm.
    fn write(&self, text: &[u8]) -> io::Result<()> {
        let beside = self.path.with_extension("prom.new");
        File::create(&beside)?.write_all(text)?;
        fs::rename(&beside, &self.path)
    }

    /// Writes, and logs when that begins to fail and when it works again: not each time.
    fn keep(mut self, text: &[u8]) -> Self {
        match (self.write(text), self.failed) {
            (Err(error), false) => {
                tracing::error!(file = %self.path.display(), error = &error as &dyn Error, "the metrics file cannot be written");
                self.failed = true;
            }
            (Ok(()), true) => {
                tracing::info!(file = %self.path.display(), "the metrics file is written again");
                self.failed = false;
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
        self
    }
}

/// Writes what `text` gives, now and `every` so often, for ever. The disk is waited for on a thread of its own.
pub(crate) async fn keep_file<T>(mut file: MetricsFile, every: Duration, text: impl Fn() -> T)
where
    T: AsRef<[u8]> + Send + 'static,
{
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let text = text();
        file = match spawn_blocking(move || file.keep(text.as_ref())).await {
            Ok(file) => file,
            // Only when the runtime ends: nothing in there panics.
            Err(_) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_finds_the_new_text_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = MetricsFile::new(dir.path().join("metrics.prom"));
        file.clone().keep(b"one\n").keep(b"two\n");
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "two\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_is_remembered_until_it_works_again() {
        let dir = tempfile::tempdir().unwrap();
        let away = dir.path().join("away");
        let file = MetricsFile::new(away.join("metrics.prom")).keep(b"");
        assert!(file.failed);
        fs::create_dir(&away).unwrap();
        assert!(!file.keep(b"").failed);
    }

    #[tokio::test]
    async fn it_is_written_at_once_and_then_each_interval() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.prom");
        let count = std::cell::Cell::new(0);
        let text = || {
            count.set(count.get() + 1);
            count.get().to_string()
        };
        let keeping = keep_file(MetricsFile::new(path.clone()), Duration::from_millis(20), text);
        let third = async {
            while fs::read_to_string(&path).unwrap_or_default() != "3" {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), async {
            tokio::select! { () = keeping => {}, () = third => {} }
        })
        .await
        .unwrap();
    }
}
