//! The simulator in the ordinary tests: some hundred seeds, a seed twice, and that it can fail.

use beam_core::sim::{Fault, Faults, Mistake, Run, Settings, Strike, Summary, When, simulate};

/// Where, in worlds broken in one way, the judge says so; found by `cargo simulate --mistake`. Most worlds end well all the same.
const LIES: std::ops::Range<u64> = 280..300;
const FORKS: std::ops::Range<u64> = 300..330;

/// What these tests do most: one world.
fn run(seed: u64, settings: &Settings) -> Run {
    simulate(seed, settings)
}

#[test]
fn some_hundred_worlds_go_well() {
    let mut summary = Summary::default();
    for seed in 0..300 {
        summary.add(&run(seed, &Settings::default()));
    }
    assert_eq!(summary.failed, [], "repeat with: cargo simulate --seed SEED --trace");
    assert!(
        summary.counts.heights > 2000 && summary.counts.takeovers > 100 && summary.struck.len() > 30,
        "{summary:?}"
    );
}

#[test]
fn a_seed_repeats_everything_byte_for_byte() {
    for seed in [3, 41, 1_000_003] {
        let told = Settings { story: true, ..Settings::default() };
        let (first, second) = (run(seed, &told), run(seed, &told));
        assert!(first.story.lines().count() > 20);
        assert_eq!(first, second);
        // Whether it is told changes nothing.
        assert_eq!(run(seed, &Settings::default()).digest, first.digest);
    }
}

#[test]
fn a_fault_at_every_fiftieth_point_does_no_harm() {
    let calm = run(7, &Settings { faults: Faults::Given(Vec::new()), ..Settings::default() });
    assert!(calm.points > 100 && calm.missed() == 0, "{calm:?}");
    for (turn, fault) in Fault::SWEPT.iter().enumerate() {
        for point in (1 + turn as u64..calm.points).step_by(50) {
            let faults = Faults::Given(vec![Strike { when: When::Point(point), fault: *fault }]);
            let run = run(7, &Settings { faults, ..Settings::default() });
            assert_eq!(
                run.violation,
                None,
                "cargo simulate --seed 7 --strike {}@{point} --trace",
                fault.name()
            );
        }
    }
}

/// The first of these worlds in which the judge says something, and what it says.
fn caught(mistake: Mistake, strikes: &[(Fault, u64)], seeds: std::ops::Range<u64>) -> String {
    let at = |(fault, millis): &(Fault, u64)| Strike { when: When::At(millis * 1000), fault: *fault };
    let faults =
        if strikes.is_empty() { Faults::Drawn } else { Faults::Given(strikes.iter().map(at).collect()) };
    let settings = Settings { mistake: Some(mistake), faults, ..Settings::default() };
    let wrong = seeds.clone().find_map(|seed| run(seed, &settings).violation);
    assert!(wrong.is_some(), "{} is not noticed in {seeds:?}", mistake.name());
    wrong.map(|violation| violation.what).unwrap_or_default()
}

#[test]
fn a_register_that_breaks_its_contract_is_noticed() {
    let forgot = caught(Mistake::RegisterForgets, &[], 0..50);
    assert!(forgot.contains("the register never held it"), "{forgot}");
    let blind = caught(Mistake::RegisterIgnoresVersions, &[], 0..50);
    assert!(blind.contains("the register went from"), "{blind}");
}

#[test]
fn a_driver_that_breaks_its_contract_is_noticed() {
    let done = caught(Mistake::TimeoutIsDone, &[], 0..50);
    assert!(done.contains("the register never held it"), "{done}");
    let floor = caught(Mistake::FloorTooLate, &[], 0..50);
    assert!(floor.contains("left before the floor was on the disk"), "{floor}");
    let silent = caught(Mistake::AnswersLost, &[], 0..50);
    assert!(silent.contains("without an answer for 3 s"), "{silent}");
}

#[test]
fn a_double_sign_is_noticed() {
    let twice = caught(Mistake::NoFence, &[], 0..50);
    assert!(twice.contains("TWO VALUES WERE SIGNED"), "{twice}");
}

#[test]
fn a_disk_that_lies_is_noticed_when_the_register_is_put_back() {
    let two = caught(Mistake::DiskLies, &[], LIES);
    assert!(two.contains("the register held two values"), "{two}");
}

#[test]
fn a_lock_that_is_forgotten_is_noticed() {
    let strikes = [(Fault::VotesWithheld, 500), (Fault::HostKilled, 3_500), (Fault::VotesWithheld, 7_100)];
    let amnesia = caught(Mistake::LockForgotten, &strikes, 0..60);
    assert!(amnesia.contains("AMNESIA"), "{amnesia}");
}

#[test]
fn a_fork_is_noticed_when_validators_ignore_their_locks() {
    let strikes = [(Fault::VotesWithheld, 500), (Fault::VotesWithheld, 7_100)];
    let fork = caught(Mistake::LocksIgnored, &strikes, FORKS);
    assert!(fork.contains("THE CHAIN FORKED"), "{fork}");
}
