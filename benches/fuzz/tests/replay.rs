//! Every input that is kept, through its target, as an ordinary test.

#![allow(clippy::unwrap_used)]

use std::fs;

use beam_fuzz::{TARGETS, inputs};
use proptest::prelude::*;

fn replay(folder: &str) -> usize {
    let mut replayed = 0;
    for target in TARGETS {
        for input in inputs::read(&inputs::file(folder, target.name)).unwrap() {
            // Shown if the test fails, as the line to be looked for.
            println!("{}: {}", target.name, inputs::escaped(&input));
            (target.run)(&input);
            replayed += 1;
        }
    }
    replayed
}

#[test]
fn what_once_found_something_finds_nothing_any_more() {
    assert!(replay(inputs::CASES) > 0);
}

#[test]
fn what_covers_much_finds_nothing() {
    for folder in [inputs::SEEDS, inputs::CORPUS] {
        assert!(replay(folder) > 0);
        for target in TARGETS {
            assert!(inputs::file(folder, target.name).exists(), "{} has none in {folder}", target.name);
        }
    }
}

#[test]
fn no_file_is_of_a_target_that_is_not_there() {
    for folder in [inputs::CASES, inputs::CORPUS, inputs::SEEDS] {
        for entry in fs::read_dir(inputs::file(folder, "x").parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(TARGETS.iter().any(|target| target.name == name), "{}", path.display());
        }
    }
}

proptest! {
    #[test]
    fn inputs_always_read_back_as_written(all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..9)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), inputs::text(all.clone())).unwrap();
        let mut expected = all;
        expected.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        expected.dedup();
        prop_assert_eq!(inputs::read(file.path()).unwrap(), expected);
    }
}
