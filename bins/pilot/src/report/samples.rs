//! Full reports, for tests.

use beam_core::signing::Step;

use super::*;

/// 2026-01-01.
const NOW_MS: u64 = 1_767_225_600_000;

/// An owner's machine that does well, with everything known.
pub(crate) fn validator() -> Report {
    Report {
        state: State::Fine,
        reasons: Vec::new(),
        node: node(),
        signer: Some(signer()),
        votes: Some(votes()),
        pause: Some(PauseReport {
            by: "anna".to_owned(),
            reason: "moving".to_owned(),
            since_ms: NOW_MS,
            until_ms: NOW_MS + 7_200_000,
        }),
        disk: Some(DiskReport { free_bytes: 400_000_000_000, total_bytes: 1_000_000_000_000 }),
        updated_ms: NOW_MS + 5_250,
        ..Report::begin("a", Role::Validator, "cosmoshub-4", NOW_MS)
    }
}

/// A sentry that does well.
pub(crate) fn sentry() -> Report {
    Report {
        state: State::Fine,
        reasons: Vec::new(),
        node: node(),
        ..Report::begin("s1", Role::Sentry, "cosmoshub-4", NOW_MS)
    }
}

fn node() -> NodeReport {
    NodeReport {
        pid: Some(4242),
        trouble: None,
        pending_restart: Vec::new(),
        starts: 2,
        version: Some("v28.0.0".to_owned()),
        height: Some(1000),
        network_height: Some(1001),
        lag_blocks: Some(1),
        catching_up: Some(false),
        latest_block_ms: Some(NOW_MS + 1),
        peers_inbound: Some(3),
        peers_outbound: Some(4),
        condition: None,
        condition_text: None,
        heals: 1,
        upgrade: Some(UpgradeReport { name: "v29".to_owned(), height: 5000 }),
    }
}

fn signer() -> SignerReport {
    SignerReport {
        validator: "139E3940E64B5491722088D9A0D741628FC826E0".to_owned(),
        id: "0123".to_owned(),
        owns: true,
        epoch: Some(3),
        mark: Some(Mark::new(1001, 0, Step::Precommit)),
        signed: Some(Mark::new(1001, 0, Step::Prevote)),
        halted: None,
        connected: true,
        released: 200,
        refused: 2,
        handovers: 1,
        last_handover: Some(Handover::Takeover),
        register: RegisterReport {
            answered: 400,
            failed: 1,
            p50_ms: Some(1.25),
            p99_ms: Some(8.5),
            last_ok_ms: Some(NOW_MS + 5_000),
            last_failed_ms: Some(NOW_MS),
        },
        takeover_after_ms: Some(300),
    }
}

fn votes() -> VotesReport {
    VotesReport {
        from_height: 900,
        to_height: 999,
        missed: 6,
        nil: 1,
        unknown: 0,
        missed_own: 2,
        missed_network: 3,
        seen_not_included: 1,
        missed_last_100: 6,
        missed_in_a_row: 0,
        window: Some(10_000),
        missed_in_window: Some(6),
        left_to_jail: Some(9_494),
        jailed: Some(false),
        tombstoned: Some(false),
    }
}
