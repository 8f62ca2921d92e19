//! The model check within its smallest bounds, as a test.

use beam_proof::model::preset::Preset;
use beam_proof::model::run::run;

#[test]
fn everything_holds_within_the_smallest_bounds() {
    for named in Preset::Tiny.configurations().unwrap() {
        let outcome = run(&named.bounds, 1, |_, _| {});
        assert!(outcome.broken.is_none(), "{}: {:#?}", named.name, outcome.broken);
        assert!(outcome.whole && outcome.states > 5_000, "{}: {} states", named.name, outcome.states);
        let signed = outcome.happened.iter().find(|(what, _)| *what == "signatures released");
        assert!(
            signed.is_some_and(|(_, count)| *count > 0),
            "a check that never sees a signature proves nothing"
        );
    }
}

#[test]
fn every_preset_can_be_read() {
    for preset in [Preset::Tiny, Preset::Quick, Preset::Full] {
        let configurations = preset.configurations().unwrap();
        assert!(!configurations.is_empty());
        configurations.iter().for_each(|named| named.bounds.check().unwrap());
    }
}
