//! The policy for a pilot's role allows what the code asks for, on one table, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use beam_aws::dynamodb::ACTIONS;
use beam_core::register::{Register as _, SwapError, Version};
use beam_examples::tap::Tap;
use serde_json::Value;

use crate::common::{emulator, key, new_table, open};

/// By what name the policy grants an action.
fn granted(action: &str) -> String {
    format!("dynamodb:{action}")
}

fn policy() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/aws/pilot-register-policy.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_policy_allows_the_calls_that_a_pilot_makes_on_one_table_and_no_other() {
    let policy = policy();
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Effect"], "Allow");
    assert_eq!(statements[0]["Action"], serde_json::json!(ACTIONS.map(granted)));
    assert_eq!(statements[0]["Resource"], "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE");
    let text = policy.to_string();
    for never in ["*", "Delete", "PutItem", "CreateTable", "UpdateTable", "Restore", "Batch"] {
        assert!(!text.contains(never), "the policy grants {never}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_that_a_pilot_makes_are_those_of_the_list() {
    let mut place = new_table().await;
    let tap = Tap::start(emulator().await.address()).await.unwrap();
    place.endpoint = Some(format!("http://{}", tap.address()));
    let register = open(&place).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap();
    let lost = register.swap(&key(), Some(Version(1)), vec![3]).await.unwrap_err();
    assert!(matches!(lost, SwapError::Conflict { .. }));
    register.read(&key()).await.unwrap();
    let made: BTreeSet<String> = tap.calls().into_keys().collect();
    assert_eq!(made, ACTIONS.map(str::to_ascii_lowercase).into());
    // They are counted as they are made.
    let counted = register.calls();
    let tapped = |action: &str| tap.calls()[action];
    assert_eq!((counted.reads, counted.writes), (tapped("getitem"), tapped("updateitem")));
    assert_eq!((counted.read_units, counted.write_units), (1, 3));
}
