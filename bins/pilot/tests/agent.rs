//! The agent of a real pilot: its answers, its file, and what becomes of the pilot when the port is taken.
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

use std::fs;
use std::net::TcpListener;

use beam_examples::wait;
use lone_pilot::{LonePilot, WITHIN};
use serde_json::Value;

#[tokio::test]
async fn a_pilot_answers_about_itself() {
    let mut pilot = LonePilot::prepare();
    pilot.start().await;
    let live = pilot.get("/livez").await;
    assert_eq!(live.status, 200, "{live:?}");
    assert!(
        live.head.contains("cache-control: no-store") && live.head.contains("application/json"),
        "{live:?}"
    );
    let ready = pilot.get("/readyz").await;
    let told: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!((ready.status, &told["ready"]), (503, &false.into()), "its node tells nothing: {ready:?}");
    let status: Value = serde_json::from_str(&pilot.get("/status").await.body).unwrap();
    assert_eq!((&status["schema"], &status["name"]), (&"beam.report/1".into(), &"a".into()));
    assert!(pilot.get("/metrics").await.body.contains("beam_pilot_info{"));
    assert_eq!(pilot.get("/").await.status, 404);
}

#[tokio::test]
async fn a_reload_of_what_counts_as_well_is_in_force_at_once() {
    let mut lone = LonePilot::prepare();
    lone.start().await;
    lone.get("/livez").await;
    let reference = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = lone.path("beam/node.toml");
    let mut config: toml_edit::DocumentMut = fs::read_to_string(&file).unwrap().parse().unwrap();
    let health = config["health"].or_insert(toml_edit::table());
    health["lag_blocks_max"] = toml_edit::value(77);
    let url = format!("http://{}", reference.local_addr().unwrap());
    health["references"] = toml_edit::value(toml_edit::Array::from_iter([url]));
    fs::write(&file, config.to_string()).unwrap();
    let pilot = rustix::process::Pid::from_raw(lone.process().pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pilot, rustix::process::Signal::HUP).unwrap();
    wait::until("the new limit", WITHIN, || async {
        let told: Value = serde_json::from_str(&lone.get("/readyz").await.body)?;
        Ok((told["lag_blocks_max"] == 77).then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{error}\n{}", lone.log()));
    reference.set_nonblocking(true).unwrap();
    wait::until("the new reference to be asked", WITHIN, || async { Ok(reference.accept().ok()) })
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", lone.log()));
}

#[tokio::test]
async fn the_metrics_are_a_file_as_well_even_without_a_port() {
    let mut pilot = LonePilot::prepare();
    pilot.configure("enabled", false.into());
    pilot.start().await;
    let file = pilot.path("beam/metrics.prom");
    let stamp = || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.lines().find(|line| line.starts_with("beam_pilot_report_timestamp")).map(str::to_owned)
    };
    let first = wait::until("the file", WITHIN, || std::future::ready(Ok(stamp()))).await.unwrap();
    let newer = || std::future::ready(Ok((stamp().is_some_and(|stamp| stamp != first)).then_some(())));
    wait::until("a newer one", WITHIN, newer).await.unwrap();
    assert!(TcpListener::bind(pilot.agent).is_ok(), "the port is not used");
}

#[tokio::test]
async fn a_port_that_is_taken_keeps_nothing_from_working_and_is_had_once_it_is_free() {
    let mut pilot = LonePilot::prepare();
    // Held on, past the pilot's start.
    let holder = pilot.port.take();
    pilot.start().await;
    let told = || std::future::ready(Ok(pilot.log().contains("the agent cannot listen").then_some(())));
    wait::until("the pilot to say so", WITHIN, told).await.unwrap();
    drop(holder);
    assert_eq!(pilot.get("/livez").await.status, 200);
    assert_eq!(pilot.log().matches("the agent cannot listen").count(), 1, "{}", pilot.log());
}

#[tokio::test]
async fn the_agent_ends_with_its_pilot() {
    let mut pilot = LonePilot::prepare();
    pilot.start().await;
    pilot.get("/livez").await;
    assert!(pilot.process().terminate(WITHIN).await, "{}", pilot.log());
    assert!(!pilot.log().contains("did not end"), "{}", pilot.log());
    assert!(TcpListener::bind(pilot.agent).is_ok());
}

#[tokio::test]
async fn a_public_address_is_a_mistake_in_the_configuration() {
    let pilot = LonePilot::prepare();
    pilot.configure("listen", "0.0.0.0:9393".into());
    let output = pilot.beam(&["start"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64));
    assert!(said.contains("agent.listen") && said.contains("allow_public"), "{said}");
}
