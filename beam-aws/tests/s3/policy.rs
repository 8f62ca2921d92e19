//! The policy for a pilot's role allows what the code asks for and nothing else, and the code asks for what it says.

use std::collections::BTreeSet;
use std::path::Path;

use beam_aws::s3::ACTIONS;
use beam_core::register::{Register as _, SwapError, Version};
use beam_examples::tap::Tap;
use serde_json::Value;

use crate::common::{emulator, key, new_store, open};

/// What it allows on which things, and what it denies, is judged in `tests/policies`.
#[test]
fn the_policy_allows_the_calls_that_a_pilot_makes_and_no_others() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/aws/pilot-register-s3-policy.json");
    let policy: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let named = |action: &Value| action.as_str().unwrap().strip_prefix("s3:").unwrap().to_owned();
    let of = |statement: &Value| match &statement["Action"] {
        Value::Array(actions) => actions.iter().map(named).collect::<Vec<_>>(),
        action => vec![named(action)],
    };
    let actions: BTreeSet<String> = policy["Statement"].as_array().unwrap().iter().flat_map(of).collect();
    assert_eq!(actions, ACTIONS.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_that_a_pilot_makes_are_those_of_the_list() {
    let mut bucket = new_store().await;
    let tap = Tap::start(emulator().await.address()).await.unwrap();
    bucket.endpoint = Some(format!("http://{}", tap.address()));
    let register = open(&bucket).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap();
    let lost = register.swap(&key(), Some(Version(1)), vec![3]).await.unwrap_err();
    assert!(matches!(lost, SwapError::Conflict { .. }));
    register.read(&key()).await.unwrap();
    let made: BTreeSet<String> = tap.calls().into_keys().collect();
    assert_eq!(made, ["getobject", "putobject"].map(str::to_owned).into());
    // They are counted as they are made; three more for an endpoint that is not AWS's own.
    let counted = register.calls();
    assert_eq!((counted.reads, counted.writes), (tap.calls()["getobject"], tap.calls()["putobject"]));
    assert_eq!((counted.reads, counted.writes), (2, 3 + 2));
}
