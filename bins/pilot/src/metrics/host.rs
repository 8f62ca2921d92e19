//! The machine under it all.

use super::exposition::Family;

pub(super) const METRICS: &[Family] = &[
    Family::gauge(
        "beam_disk_free_bytes",
        "Free space of the file system that holds the node's home, as far as the node may use it.",
        |report, values| values.one(report.disk.as_ref().map(|disk| disk.free_bytes)),
    ),
    Family::gauge(
        "beam_disk_size_bytes",
        "Size of the file system that holds the node's home.",
        |report, values| values.one(report.disk.as_ref().map(|disk| disk.total_bytes)),
    ),
];
