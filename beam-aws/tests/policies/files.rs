//! The files as such.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{PLACEHOLDERS, Who, filled, folder, text};

/// A role's policy may be so long, by IAM's count, which leaves blanks out.
const CHARS_MAX: usize = 6144;

fn statements(file: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(&text(file)).unwrap();
    assert_eq!(policy["Version"], "2012-10-17", "{file}");
    policy["Statement"].as_array().unwrap().clone()
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
    }
}

/// The actions that some statement allows to a role, as they are written.
pub(crate) fn granted(who: Who) -> BTreeSet<String> {
    let statements = who.files().iter().flat_map(|file| statements(file));
    let allow = statements.filter(|statement| statement["Effect"] == "Allow");
    allow.flat_map(|statement| list(&statement["Action"])).collect()
}

fn files() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_file_is_somebodys() {
    let given: BTreeSet<_> =
        Who::PROGRAMS.iter().flat_map(|who| who.files()).map(|file| (*file).to_owned()).collect();
    assert_eq!(given.into_iter().collect::<Vec<_>>(), files());
}

#[test]
fn each_is_short_enough_for_a_role_and_its_statements_have_names_of_their_own() {
    for file in files() {
        let filled = filled(&text(&file));
        let chars = filled.chars().filter(|char| !char.is_whitespace()).count();
        assert!(chars <= CHARS_MAX, "{file}: {chars} characters, of which IAM takes {CHARS_MAX}");
        let names: Vec<_> =
            statements(&file).iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{file}: {names:?}");
        assert!(
            names.iter().flat_map(|name| name.chars()).all(|char| char.is_ascii_alphanumeric()),
            "{names:?}"
        );
    }
}

#[test]
fn nothing_is_allowed_by_a_wildcard_or_by_leaving_something_out() {
    for file in files() {
        for statement in statements(&file) {
            for key in ["NotAction", "NotResource", "NotPrincipal", "Principal"] {
                assert!(statement.get(key).is_none(), "{file}: {key}");
            }
            if statement["Effect"] == "Deny" {
                continue;
            }
            let actions = list(&statement["Action"]);
            assert!(actions.iter().all(|action| !action.contains('*')), "{file}: {actions:?}");
            let looks = actions.iter().all(|action| action.starts_with("ec2:Describe"));
            assert!(looks || !list(&statement["Resource"]).contains(&"*".to_owned()), "{file}: {statement}");
            // What EC2 has of everybody is never meant as a whole.
            let ec2 = actions.iter().any(|action| action.starts_with("ec2:"));
            assert!(!ec2 || statement.get("Condition").is_some(), "{file}: {statement}");
        }
    }
}

#[test]
fn every_placeholder_is_one_that_is_filled() {
    let known: BTreeSet<_> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
    for file in files() {
        let text = filled(&text(&file));
        for (name, _) in PLACEHOLDERS {
            assert!(
                !text.contains(&format!(":{name}:")) && !text.contains(&format!("/{name}/")),
                "{file}: {name}"
            );
        }
        // Others would be in capitals too. Values that AWS has in capitals are none.
        let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '-');
        let capital =
            |word: &&str| word.len() > 2 && word.chars().all(|char| char.is_ascii_uppercase() || char == '_');
        let left: Vec<_> = words.filter(capital).filter(|word| *word != "RAW").collect();
        assert!(left.is_empty(), "{file}: {left:?}, of {known:?}");
    }
}
