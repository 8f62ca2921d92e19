//! The policy for a pilot's role allows what the code asks for, on the register's part of one bucket, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use beam_aws::s3::ACTIONS;
use beam_core::register::{Register as _, SwapError, Version};
use beam_examples::tap::Tap;
use serde_json::Value;

use crate::common::{emulator, key, new_store, open};

#[test]
fn the_policy_allows_the_calls_that_a_pilot_makes_on_one_bucket_and_no_other() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/aws/pilot-register-s3-policy.json");
    let policy: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions: Vec<&str> = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().strip_prefix("s3:").unwrap())
        .collect();
    assert_eq!(BTreeSet::from_iter(actions), BTreeSet::from(ACTIONS));
    assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"));
    let resources: Vec<_> =
        statements.iter().map(|statement| statement["Resource"].as_str().unwrap()).collect();
    assert_eq!(resources, ["arn:aws:s3:::BUCKET/beam/register/*", "arn:aws:s3:::BUCKET"]);
    let text = policy.to_string();
    for never in ["s3:*", "Delete", "PutBucket", "CreateBucket", "Lifecycle", "Replic", "Version\""] {
        assert!(
            !text.replace("GetBucketVersioning", "").replace("\"Version\":", "").contains(never),
            "{never}"
        );
    }
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
