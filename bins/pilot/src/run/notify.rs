//! What the service manager is told, over `NOTIFY_SOCKET`. Without one nothing is sent.
//!
//! The variables stay in our own environment, as the program that replaces us (SIGUSR2) needs them. The node never sees them
//! ([`ProcessConfig::SERVICE_MANAGER_ENV`](beam_gaia::process::ProcessConfig::SERVICE_MANAGER_ENV)).

use std::time::Duration;

use sd_notify::NotifyState;

/// On top of what the node may take to end: the signer, and a kernel that is stuck on a disk.
const END_ON_TOP: Duration = Duration::from_secs(20);

/// The node runs, and on a validator it has a signer.
pub(crate) fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// One line for `systemctl status`.
pub(crate) fn status(line: &str) {
    send(&[NotifyState::Status(line)]);
}

/// The configuration is read again, or the program replaced; [`ready`] ends it.
pub(crate) fn reloading(status: &str) {
    // systemd from 253 on takes no RELOADING without the time, which tells it from an older one.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now, NotifyState::Status(status)]),
        Err(error) => tracing::warn!(%error, "the clock cannot be read; the service manager is not told"),
    }
}

/// We end. `grace`: how long the node may take, which the service manager must wait for whatever its own limit is.
pub(crate) fn stopping(grace: Duration, status: &str) {
    let within = grace.saturating_add(END_ON_TOP).as_micros().try_into().unwrap_or(u32::MAX);
    send(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within), NotifyState::Status(status)]);
}

/// All loops turn.
pub(crate) fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

/// After how long without [`watchdog`] we are killed; `None` if nobody watches.
pub(crate) fn watched() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn send(state: &[NotifyState<'_>]) {
    // The service manager kills what it does not hear from; saying it again in our log is all that is left.
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
