//! The numbers, and whether they are good enough.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use beam_benches::stats::Sorted;
use serde_json::{Value, json};

/// The most that half of all votes may take, as a multiple of the file signer's time.
const P50_RATIO_MAX: f64 = 1.5;
/// The most that 99 of 100 votes may take, likewise.
const P99_RATIO_MAX: f64 = 2.0;
/// Half of all votes take less than this if nothing waits for a disk.
const MEMORY_P50_MAX: Duration = Duration::from_micros(100);

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// Beam, as in production.
    Beam,
    /// Beam, with register and floor in memory.
    Memory,
    /// CometBFT's file signer.
    FilePv,
}

/// All latencies.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<Contender, Vec<Duration>>);

impl Report {
    /// Adds a batch.
    pub(crate) fn add(&mut self, contender: Contender, latencies: Vec<Duration>) {
        self.0.entry(contender).or_default().extend(latencies);
    }

    /// As good as promised.
    pub(crate) fn is_good(&self) -> bool {
        self.ratio(50) <= P50_RATIO_MAX
            && self.ratio(99) <= P99_RATIO_MAX
            && self.percentile(Contender::Memory, 50) < MEMORY_P50_MAX
    }

    fn sorted(&self, contender: Contender) -> Sorted<Duration> {
        Sorted::new(self.0.get(&contender).into_iter().flatten().copied())
    }

    fn percentile(&self, contender: Contender, percent: usize) -> Duration {
        self.sorted(contender).percentile(percent).unwrap_or(Duration::MAX)
    }

    /// Beam's time as a multiple of the file signer's.
    fn ratio(&self, percent: usize) -> f64 {
        let [beam, filepv] = [Contender::Beam, Contender::FilePv].map(|who| self.percentile(who, percent));
        beam.as_secs_f64() / filepv.as_secs_f64()
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let micros = |contender, percent| self.percentile(contender, percent).as_secs_f64() * 1e6;
        let of = |contender| {
            json!({
                "votes": self.sorted(contender).len(),
                "p50_us": micros(contender, 50),
                "p90_us": micros(contender, 90),
                "p99_us": micros(contender, 99),
                "max_us": micros(contender, 100),
            })
        };
        json!({
            "schema": "beam.signer-latency/1",
            "beam": of(Contender::Beam),
            "beam_in_memory": of(Contender::Memory),
            "cometbft_file_signer": of(Contender::FilePv),
            "p50_ratio": self.ratio(50),
            "p99_ratio": self.ratio(99),
            "good": self.is_good(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<28} {:>6} {:>9} {:>9} {:>9} {:>9}",
            "MICROSECONDS", "VOTES", "P50", "P90", "P99", "MAX"
        )?;
        for (contender, name) in [
            (Contender::Beam, "beam"),
            (Contender::Memory, "beam, all in memory"),
            (Contender::FilePv, "CometBFT's file signer"),
        ] {
            let [p50, p90, p99, max] =
                [50, 90, 99, 100].map(|percent| self.percentile(contender, percent).as_secs_f64() * 1e6);
            let votes = self.sorted(contender).len();
            writeln!(f, "{name:<28} {votes:>6} {p50:>9.0} {p90:>9.0} {p99:>9.0} {max:>9.0}")?;
        }
        writeln!(f)?;
        let row = |f: &mut fmt::Formatter<'_>, what: &str, is: String, most: String, good: bool| {
            writeln!(f, "{what:<34} {is:>8}  at most {most:>6}  {}", if good { "good" } else { "TOO SLOW" })
        };
        for (percent, most) in [(50, P50_RATIO_MAX), (99, P99_RATIO_MAX)] {
            let ratio = self.ratio(percent);
            let what = format!("p{percent}, beam / file signer");
            row(f, &what, format!("{ratio:.2}"), format!("{most:.1}"), ratio <= most)?;
        }
        let memory = self.percentile(Contender::Memory, 50);
        let (is, most) = (format!("{} us", memory.as_micros()), format!("{} us", MEMORY_P50_MAX.as_micros()));
        row(f, "p50, all in memory", is, most, memory < MEMORY_P50_MAX)
    }
}
