//! What examples/monitoring gives away works: with a real pilot's metrics, by Prometheus' own checker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod lone_pilot;
mod offline;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use beam_core::health::Condition;
use beam_examples::install::to_stderr;
use beam_examples::promtool;
use lone_pilot::LonePilot;
use serde_json::Value;

/// What Grafana puts in, and what stands for it here.
const VARIABLES: [(&str, &str); 4] =
    [("$__rate_interval", "5m"), ("$__interval", "1m"), ("$chain", "hub-1"), ("$machine", "a|b")];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("beam-dashboard.json")).unwrap()
}

/// Every text under the key `expr` or `definition`, however deep.
fn expressions(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = ["expr", "definition"].into_iter().filter_map(|key| fields.get(key)?.as_str());
            own.map(str::to_owned).chain(fields.values().flat_map(expressions)).collect()
        }
        Value::Array(values) => values.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// The names of metrics in a text: words that begin with `beam_`.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && !"_:".contains(character));
    words.filter(|word| word.starts_with("beam_")).collect()
}

/// The names that a pilot explains, whether it knows their values or not.
fn explained(metrics: &str) -> BTreeSet<&str> {
    metrics.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect()
}

#[tokio::test]
async fn promtool_finds_no_fault_with_what_a_pilot_answers_and_nobody_asks_for_more() {
    let mut pilot = LonePilot::prepare();
    pilot.start().await;
    let metrics = pilot.get("/metrics").await;
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    promtool::install(to_stderr).await.unwrap().check_metrics(&metrics.body).await.unwrap();

    let there = explained(&metrics.body);
    assert!(there.len() > 40, "{there:?}");
    let shown = expressions(&dashboard()).join("\n");
    for (what, text) in [("beam-dashboard.json", shown), ("beam-alerts.yml", read("beam-alerts.yml"))] {
        let asked_for = metrics_in(&text);
        let missing: Vec<_> = asked_for.difference(&there).collect();
        assert!(
            !asked_for.is_empty() && missing.is_empty(),
            "{what} asks for what no pilot tells: {missing:?}"
        );
    }
}

#[tokio::test]
async fn the_alerts_are_good_rules_and_fire_when_they_should() {
    let promtool = promtool::install(to_stderr).await.unwrap();
    promtool.check_rules(&file("beam-alerts.yml")).await.unwrap();
    promtool.test_rules(&file("beam-alerts.test.yml")).await.unwrap();
}

#[test]
fn every_alert_has_a_test_in_which_it_fires() {
    let (rules, tests) = (read("beam-alerts.yml"), read("beam-alerts.test.yml"));
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let silent: Vec<_> =
        alerts.filter(|alert| !tests.contains(&format!("alertname=\"{alert}\"}}'\n"))).collect();
    assert!(rules.contains("- alert: ") && silent.is_empty(), "{silent:?}");
}

/// The conditions that an alert's expression asks for, alert by alert.
fn conditions_by_alert(rules: &str) -> Vec<(&str, BTreeSet<&str>)> {
    fn asked_for(alert: &str) -> Option<BTreeSet<&str>> {
        let (_, rest) = alert.split_once("beam_node_condition{condition=")?;
        Some(rest.split('"').nth(1)?.split('|').collect())
    }
    let alerts = rules.split("- alert: ").skip(1);
    alerts.filter_map(|alert| Some((alert.lines().next()?, asked_for(alert)?))).collect()
}

#[test]
fn every_condition_has_one_alert_and_a_line_for_people_who_read() {
    let (rules, readme) = (read("beam-alerts.yml"), read("README.md"));
    let alerts = conditions_by_alert(&rules);
    let known = BTreeSet::from(Condition::NAMES);
    for (alert, conditions) in &alerts {
        assert!(conditions.is_subset(&known), "{alert} asks for a condition that is none: {conditions:?}");
    }
    for name in Condition::NAMES {
        let asking: Vec<_> =
            alerts.iter().filter(|(_, asked)| asked.contains(name)).map(|(alert, _)| *alert).collect();
        // The first passes by itself; the others have metrics of their own, which say more.
        let expected = usize::from(!["starting", "not_running", "behind"].contains(&name));
        assert_eq!(asking.len(), expected, "{name}: {asking:?}");
        let line = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let line = line.unwrap_or_else(|| panic!("README.md does not say what {name} is"));
        assert!(asking.iter().all(|alert| line.contains(&format!("`{alert}`"))), "{line}");
    }
}

#[test]
fn every_command_that_an_alert_names_is_there() {
    let rules = read("beam-alerts.yml");
    // Odd parts are between backticks; a command may be broken over two lines.
    let quoted = rules.split('`').skip(1).step_by(2).map(|text| text.split_whitespace().collect::<Vec<_>>());
    let named: BTreeSet<_> = quoted.filter(|words| words.first() == Some(&"beam")).collect();
    let pilot = LonePilot::prepare();
    for command in &named {
        let words: Vec<_> = command.iter().skip(1).copied().chain(["--help"]).collect();
        assert!(pilot.beam(&words).output().unwrap().status.success(), "there is no `{}`", command.join(" "));
    }
    assert!(!named.is_empty());
}

#[tokio::test]
async fn prometheus_understands_every_expression_of_the_dashboard() {
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let queries = expressions(&dashboard()).into_iter().filter(|text| !text.starts_with("label_values("));
    for (number, mut query) in queries.enumerate() {
        for (variable, value) in VARIABLES {
            query = query.replace(variable, value);
        }
        assert!(!query.contains('$'), "an unknown variable: {query}");
        rules += &format!("      - record: panel:number_{number}\n        expr: {}\n", Value::from(query));
    }
    assert!(rules.contains("number_30"), "{rules}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dashboard.yml");
    fs::write(&file, rules).unwrap();
    promtool::install(to_stderr).await.unwrap().check_rules(&file).await.unwrap();
}

#[test]
fn the_panels_of_the_dashboard_are_told_apart_and_do_not_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title} is too wide");
        for (x, y) in (0..place("w")).flat_map(|x| (0..place("h")).map(move |y| (x, y))) {
            assert!(cells.insert((place("x") + x, place("y") + y)), "{title} overlaps another");
        }
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
            let refs: BTreeSet<_> = panel["targets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|target| target["refId"].to_string())
                .collect();
            assert_eq!(refs.len(), panel["targets"].as_array().unwrap().len(), "{title}");
        }
    }
    let rows = panels.iter().filter(|panel| panel["type"] == "row").count();
    assert_eq!(rows, 6, "at a glance, votes, takeovers, register, node, host");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(variables, ["datasource", "chain", "machine"]);
}
