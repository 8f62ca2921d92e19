//! Items that somebody edited: never taken for a cell, nor for none, and nothing is written over them.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use beam_aws::dynamodb::Place;
use beam_core::register::{Cell, Register as _, RegisterError, SwapError, Version};

use crate::common::{REGION, key, line, new_table, open};

/// A client of somebody else.
pub(crate) fn client(place: &Place) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(Credentials::new("beam", "beam", None, None, "test"))
        .region(Region::new(REGION))
        .http_client(http);
    let mut config = config;
    config.set_endpoint_url(place.endpoint.clone());
    Client::from_conf(config.build())
}

/// What stands in the table instead of a cell.
async fn put(place: &Place, attributes: &[(&str, AttributeValue)]) {
    let mut item: HashMap<String, AttributeValue> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    item.insert("cell".to_owned(), AttributeValue::S(key().to_string()));
    client(place).put_item().table_name(&place.table).set_item(Some(item)).send().await.unwrap();
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn bytes(len: usize) -> AttributeValue {
    AttributeValue::B(Blob::new(vec![7; len]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_item_is_damage_and_is_never_written_over() {
    let place = new_table().await;
    let register = open(&place).await.unwrap();
    let text = || AttributeValue::S("edited".to_owned());
    for (item, said) in [
        (vec![("value", bytes(1))], "no attribute \"version\""),
        (vec![("version", number("7"))], "no attribute \"value\""),
        (vec![("version", text()), ("value", bytes(1))], "attribute \"version\" is not a number"),
        (vec![("version", number("7")), ("value", text())], "attribute \"value\" is not a binary"),
        (vec![("version", number("0")), ("value", bytes(1))], "version is \"0\""),
        (vec![("version", number("-7")), ("value", bytes(1))], "version is \"-7\""),
        (vec![("version", number("7.5")), ("value", bytes(1))], "version is \"7.5\""),
        (vec![("version", number("7")), ("value", bytes(Cell::LEN_MAX + 1))], "value has 65537 bytes"),
    ] {
        put(&place, &item).await;
        let error = register.read(&key()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Damaged(_)), "{said}: {error:?}");
        let told = line(error);
        assert!(told.contains(said) && told.contains("find out who") && !told.contains('\n'), "{told}");
        for expected in [None, Some(Version(3))] {
            let error = register.swap(&key(), expected, vec![1]).await.unwrap_err();
            assert!(matches!(error, SwapError::Failed(_)), "{said}, expecting {expected:?}: {error:?}");
        }
        register.read(&key()).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_jumped_is_a_conflict_and_one_can_go_on_from_it() {
    let place = new_table().await;
    let register = open(&place).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    put(&place, &[("version", number("1000")), ("value", bytes(1))]).await;
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    let Err(SwapError::Conflict { current: Some(current) }) = Err::<(), _>(error) else { panic!() };
    assert_eq!(current, Cell { version: Version(1000), value: vec![7] });
    assert_eq!(register.swap(&key(), Some(Version(1000)), vec![2]).await.unwrap(), Version(1001));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_version_of_all_is_the_end() {
    let place = new_table().await;
    let register = open(&place).await.unwrap();
    put(&place, &[("version", number(&u64::MAX.to_string())), ("value", bytes(1))]).await;
    let error = register.swap(&key(), Some(Version(u64::MAX)), vec![2]).await.unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
    let error = register.swap(&key(), Some(Version(3)), vec![2]).await.unwrap_err();
    assert!(
        matches!(&error, SwapError::Conflict { current: Some(cell) } if cell.version == Version(u64::MAX)),
        "{error:?}"
    );
}
