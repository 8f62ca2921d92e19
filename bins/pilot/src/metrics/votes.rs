//! The chain's view of our votes: the one thing that all the rest is for. Each machine of a validator tells it as its own node
//! sees it.

use super::exposition::Family;
use crate::report::{Report, VotesReport};

fn votes<T>(report: &Report, read: impl FnOnce(&VotesReport) -> T) -> Option<T> {
    report.votes.as_ref().map(read)
}

pub(super) const METRICS: &[Family] = &[
    Family::gauge(
        "beam_votes_height",
        "The last height at which the chain was looked at for this validator's vote.",
        |report, values| values.one(votes(report, |votes| votes.to_height)),
    ),
    Family::counter(
        "beam_votes_heights_total",
        "Heights looked at since the pilot began.",
        |report, values| {
            let looked_at = |votes: &VotesReport| {
                votes
                    .to_height
                    .saturating_sub(votes.from_height)
                    .saturating_add(u64::from(votes.from_height > 0))
            };
            values.one(votes(report, looked_at));
        },
    ),
    Family::counter(
        "beam_votes_missed_total",
        "Heights without this validator's vote since the pilot began: what the chain counts against it. A vote for nil is not among them.",
        |report, values| values.one(votes(report, |votes| votes.missed)),
    ),
    Family::counter(
        "beam_votes_missed_own_total",
        "Of the missed ones: while this machine's node or signer was at fault.",
        |report, values| values.one(votes(report, |votes| votes.missed_own)),
    ),
    Family::counter(
        "beam_votes_missed_network_total",
        "Of the missed ones: while many other validators were absent too.",
        |report, values| values.one(votes(report, |votes| votes.missed_network)),
    ),
    Family::counter(
        "beam_votes_not_included_total",
        "Of the missed ones: the vote was seen on the network, and the next proposer did not take it in.",
        |report, values| values.one(votes(report, |votes| votes.seen_not_included)),
    ),
    Family::counter(
        "beam_votes_nil_total",
        "Heights with this validator's vote for nil since the pilot began. The chain does not count these against it.",
        |report, values| values.one(votes(report, |votes| votes.nil)),
    ),
    Family::gauge(
        "beam_votes_missed_last_100_blocks",
        "Missed among the last 100 heights.",
        |report, values| values.one(votes(report, |votes| votes.missed_last_100)),
    ),
    Family::gauge(
        "beam_votes_missed_in_a_row_blocks",
        "Missed one after the other up to now. 0 while the validator votes.",
        |report, values| values.one(votes(report, |votes| votes.missed_in_a_row)),
    ),
    Family::gauge(
        "beam_votes_window_blocks",
        "The length of the window in which the chain counts missed blocks.",
        |report, values| values.one(votes(report, |votes| votes.window).flatten()),
    ),
    Family::gauge(
        "beam_votes_missed_in_window_blocks",
        "What the chain counts against this validator in its window.",
        |report, values| values.one(votes(report, |votes| votes.missed_in_window).flatten()),
    ),
    Family::gauge(
        "beam_votes_left_to_jail_blocks",
        "How many more blocks this validator may miss in the window before it is jailed.",
        |report, values| values.one(votes(report, |votes| votes.left_to_jail).flatten()),
    ),
    Family::gauge(
        "beam_votes_jailed",
        "1 if the chain has jailed this validator: it signs nothing and earns nothing until it is unjailed.",
        |report, values| values.one(votes(report, |votes| votes.jailed).flatten()),
    ),
    Family::gauge(
        "beam_votes_tombstoned",
        "1 if the chain has tombstoned this validator for a double sign. That is for ever.",
        |report, values| values.one(votes(report, |votes| votes.tombstoned).flatten()),
    ),
];
