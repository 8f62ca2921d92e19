use std::path::Path;

use beam_examples::install::to_stderr;
use beam_examples::promtool;

use super::*;
use crate::report::samples::{sentry, validator};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring/README.md");
    std::fs::read_to_string(path).unwrap()
}

fn families() -> impl Iterator<Item = &'static Family> {
    PARTS.into_iter().flatten()
}

/// The metrics that have a value.
fn known(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split('{').next()).collect()
}

#[test]
fn the_readme_lists_every_metric() {
    let mut table = "| metric | kind | meaning |\n|---|---|---|\n".to_owned();
    for Family { name, kind, help, .. } in families() {
        table += &format!("| `{name}` | {kind} | {help} |\n");
    }
    assert!(readme().contains(&table), "the table in examples/monitoring/README.md must be:\n\n{table}");
}

#[test]
fn names_are_beams_and_each_is_there_once() {
    let mut seen = std::collections::BTreeSet::new();
    for family in families() {
        assert!(family.name.starts_with("beam_") && seen.insert(family.name), "{}", family.name);
        assert_eq!(
            family.name.ends_with("_total"),
            family.kind == exposition::Kind::Counter,
            "{}",
            family.name
        );
        assert!(family.help.ends_with('.') && !family.help.contains(['\n', '\\', '|']), "{}", family.name);
    }
}

#[test]
fn a_full_report_gives_every_metric_a_value() {
    let text = render(&validator());
    for family in families() {
        assert!(known(&text).contains(&family.name), "{} has no value in\n{text}", family.name);
    }
}

#[test]
fn what_is_not_known_is_absent_and_still_explained() {
    let text = render(&sentry());
    assert!(!text.contains("validator="));
    for unknown in
        ["beam_signer_owner", "beam_votes_missed_total", "beam_takeover_paused", "beam_disk_free_bytes"]
    {
        assert!(!known(&text).contains(&unknown), "{unknown}");
        assert!(text.contains(&format!("# HELP {unknown} ")), "{unknown}");
    }
}

#[test]
fn every_value_says_whose_it_is() {
    let common = r#"{chain="cosmoshub-4",machine="a",validator="139E3940E64B5491722088D9A0D741628FC826E0""#;
    for line in render(&validator()).lines().filter(|line| !line.starts_with('#')) {
        assert!(line.contains(common), "{line}");
    }
}

#[tokio::test]
async fn promtool_finds_no_fault_with_any_of_them() {
    let promtool = promtool::install(to_stderr).await.unwrap();
    for report in [validator(), sentry()] {
        promtool.check_metrics(&render(&report)).await.unwrap();
    }
}
