//! The report for Prometheus. Every metric is one entry of a table: its name, what it means, and how it is read from a
//! [`Report`]. So there is no state beside the report, no registry, and nothing that could be counted in one place and
//! forgotten in another.
//!
//! Written by hand, and in the text format: libraries for this keep state of their own that a report would have to be copied
//! into, and write OpenMetrics, whose counters `node_exporter`'s textfile collector does not take for counters.
//!
//! What must always hold: names are `beam_<part>_<what>_<unit>` and never change their meaning; what is not known is absent,
//! never 0; every metric stands with its `HELP` even while it has no value; and `examples/monitoring/README.md` lists them all
//! (the test `the_readme_lists_every_metric` would break).

mod exposition;
mod file;
mod host;
mod node;
mod pilot;
mod register;
mod signer;
mod votes;

pub(crate) use file::{MetricsFile, keep_file};

use exposition::{Family, Text};

use crate::report::Report;

/// All metrics, part by part, in the order they are written.
const PARTS: [&[Family]; 6] =
    [pilot::METRICS, votes::METRICS, signer::METRICS, register::METRICS, node::METRICS, host::METRICS];

/// All metrics of a report, in Prometheus' text format.
pub(crate) fn render(report: &Report) -> String {
    let mut text = Text::new(report);
    for family in PARTS.into_iter().flatten() {
        text.write(family, report);
    }
    text.into_string()
}

#[cfg(test)]
mod tests;
