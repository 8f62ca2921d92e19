//! The calls that a pilot makes, as they are on the wire. Who may make them is judged in `tests/policies`.

use std::collections::BTreeSet;

use beam_aws::dynamodb::ACTIONS;
use beam_core::register::{Register as _, SwapError, Version};
use beam_examples::tap::Tap;

use crate::common::{emulator, key, new_table, open};

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
