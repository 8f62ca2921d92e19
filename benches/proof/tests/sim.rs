//! The simulator in the ordinary tests: some hundred seeds, a seed twice, and that it can fail.

use beam_core::sim::{Fault, Faults, Mistake, Run, Settings, Strike, Summary, When, simulate};

/// One run in so many has its story told, so that telling it is tried as well.
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
    assert!(summary.heights > 2000 && summary.takeovers > 100 && summary.struck.len() > 30, "{summary:?}");
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
