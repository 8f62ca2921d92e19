//! Whether a fake works at all.

use tokio::sync::watch;

use crate::register::Cause;

/// How a fake behaves, from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It does what it is asked.
    #[default]
    Working,
    /// It refuses, and changes nothing.
    Failing,
    /// It does not answer until the mood changes, and then does as the new mood says.
    Hanging,
}

/// Where a fake keeps its mood.
#[derive(Debug, Default)]
pub(super) struct Switch(watch::Sender<Mood>);

impl Switch {
    pub(super) fn set(&self, mood: Mood) {
        self.0.send_replace(mood);
    }

    /// Waits while hanging; fails while failing.
    pub(super) async fn pass(&self) -> Result<(), Cause> {
        let mut moods = self.0.subscribe();
        match moods.wait_for(|mood| *mood != Mood::Hanging).await.map(|mood| *mood) {
            Ok(Mood::Failing) => Err("told to fail".into()),
            // The sender is ours, so it is there as long as we are asked.
            Ok(Mood::Working | Mood::Hanging) | Err(_) => Ok(()),
        }
    }
}
