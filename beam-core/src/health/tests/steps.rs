use std::time::Duration;

use super::story::Story;
use crate::health::{Action, Condition, Event, HealthConfig, Hold, Remedy, Unknown};
use crate::machine::Machine;
use crate::signing::Attempt;
use crate::time::Instant;

/// A node that stands while others advance, just when it is asked to be restarted; and the second it was.
fn asked_to_restart() -> Story {
    let mut story = Story::well();
    story.obeyed = false;
    story.stands().run(70);
    assert!(story.line().ends_with("restarts: +70"), "{}", story.line());
    story
}

#[test]
fn one_restart_at_a_time() {
    let mut story = asked_to_restart();
    story.run(300);
    assert_eq!(story.health.finding().hold, Some(Hold::UnderWay));
    story.step(Event::Restarted { attempt: Attempt(77), done: true });
    story.run(5);
    assert_eq!(story.health.finding().hold, Some(Hold::UnderWay), "that was no attempt of ours");
    story.step(Event::Restarted { attempt: Attempt(1), done: false });
    story.run(5);
    assert!(story.line().ends_with("restarts: +70 +380"), "one that failed is tried again: {}", story.line());
}

#[test]
fn a_restart_that_nobody_answers_is_given_up() {
    let mut story = asked_to_restart();
    story.run(600);
    assert!(story.line().ends_with("restarts: +70 +670"), "{}", story.line());
}

#[test]
fn old_readings_tell_nothing() {
    let mut health = Story::well().health;
    let wake = health.wake_at().unwrap();
    assert!(health.step(Instant::at(wake.since_start() - Duration::from_secs(1)), Event::Woken).is_empty());
    let told = health.step(wake, Event::Woken);
    let [Action::Tell(finding)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(finding.condition, Some(Condition::Unknown(Unknown::NotAsked)));
    assert_eq!(finding.remedy, Remedy::Wait);
    assert_eq!(health.wake_at(), None);
}

#[test]
fn the_restarts_of_a_window_are_counted() {
    let story = asked_to_restart();
    let now = |second| Instant::at(Duration::from_secs(second));
    assert_eq!(story.health.restarts(now(400)), 1);
    assert_eq!(story.health.restarts(now(4_000)), 0);
}

fn default_config() -> HealthConfig {
    HealthConfig::new("hub".parse().unwrap())
}

#[test]
fn another_configuration_counts_at_once_and_for_what_was_seen_before() {
    let mut story = Story::well();
    story.stands().run(20);
    assert_eq!(story.health.finding().condition, None, "it stands, and not for long enough");
    let still_after = Duration::from_secs(10);
    story.step(Event::Configured(HealthConfig { still_after, ..default_config() }));
    story.run(5);
    assert!(
        matches!(story.health.finding().condition, Some(Condition::Stuck { .. })),
        "the 20 s from before count: {:?}",
        story.health.finding()
    );
    story.run(15);
    assert!(story.line().ends_with("restarts: +40"), "{}", story.line());
}

#[test]
fn a_configuration_forgets_no_restart() {
    let mut story = asked_to_restart();
    story.step(Event::Configured(HealthConfig { restarts_max: 1, ..default_config() }));
    story.step(Event::Restarted { attempt: Attempt(1), done: false });
    story.run(300);
    assert_eq!(story.health.finding().hold, Some(Hold::UsedUp));
    story.step(Event::Configured(HealthConfig { restarts_max: 0, ..default_config() }));
    story.step(Event::Configured(HealthConfig { restarts_max: 2, ..default_config() }));
    story.run(5);
    assert!(story.line().contains("restarts: +70 +375"), "who allows more is obeyed: {}", story.line());
}

#[test]
fn every_condition_that_needs_a_person_says_what_to_do() {
    for condition in [
        Condition::Stands { height: crate::signing::Height(7) },
        Condition::SignerBypassed,
        Condition::WrongBinary,
        Condition::NotVoting { missed: 3 },
        Condition::CatchingUp { lag: Some(3), stalled: true },
        Condition::ConsensusFailure,
        Condition::Unreachable,
    ] {
        assert!(!condition.advice().is_empty(), "{condition}");
        assert!(!condition.health().is_fine());
    }
}
