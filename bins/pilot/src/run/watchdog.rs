//! Feeds the service manager's watchdog, but only while every loop turns, the signer's first.

use std::time::{Duration, Instant};

use beam_core::runtime::SignerHandle;
use tokio::time::{sleep, timeout};

use super::notify;
use super::pulse::Pulses;

/// How long the signer's loop may take to turn. It never waits for anything, so this is a pilot that hangs.
const SIGNER_TURNS_WITHIN: Duration = Duration::from_secs(2);
/// How often it is fed within the time it allows.
const TIMES: u32 = 3;

/// Feeds it for as long as there is one.
pub(super) async fn feed(pulses: Pulses, signer: Option<SignerHandle>) {
    let Some(within) = notify::watched() else {
        return std::future::pending().await;
    };
    let mut told = None;
    loop {
        let late = match &signer {
            Some(signer) if !signer_turns(signer).await => Some("signer"),
            _ => pulses.late(Instant::now()),
        };
        match late {
            None => notify::watchdog(),
            // Once, and not with every meal that it does not get.
            Some(part) if told != late => {
                tracing::error!(part, ?within, "a part of the pilot hangs; the watchdog will start it anew");
            }
            Some(_) => {}
        }
        told = late;
        sleep(within / TIMES).await;
    }
}

async fn signer_turns(signer: &SignerHandle) -> bool {
    timeout(SIGNER_TURNS_WITHIN, signer.turns()).await.unwrap_or(false)
}
