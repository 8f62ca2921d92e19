//! Tables that a register may stand on, and those that it may not.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use beam_aws::dynamodb::{DynamoDbRegister, Place};
use beam_core::register::{Register as _, RegisterError};

use crate::common::{REGION, key, line, new_place, new_table, open, patient};
use crate::edited::client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_made_protected_and_billed_by_the_request_and_made_once() {
    let place = new_place().await;
    let made = DynamoDbRegister::create(place.clone(), &patient()).await.unwrap();
    let facts = made.table().clone();
    assert!(facts.protected && facts.on_demand && !facts.global, "{facts:?}");
    made.swap(&key(), None, vec![1]).await.unwrap();
    let again = DynamoDbRegister::create(place.clone(), &patient()).await.unwrap();
    assert_eq!(again.table(), &facts);
    assert!(again.read(&key()).await.unwrap().is_some(), "what was in it is in it");
    let deleted = client(&place).delete_table().table_name(&place.table).send().await;
    assert!(deleted.is_err(), "one call deleted it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_table_is_told_with_what_to_check() {
    let missing = new_place().await;
    let elsewhere = Place { region: "local-2".to_owned(), ..new_table().await };
    for place in [missing, elsewhere] {
        let error = open(&place).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable(_)), "{error:?}");
        let said = line(error);
        assert!(said.contains("there is no such table here: check its name and its region"), "{said}");
        assert!(
            said.contains(&place.table) && said.contains(&place.region) && !said.contains('\n'),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_with_another_key_is_refused() {
    let place = new_place().await;
    let attribute = |name: &str| {
        let of = AttributeDefinition::builder().attribute_name(name);
        of.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let part = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let make = client(&place).create_table().table_name(&place.table);
    make.attribute_definitions(attribute("cell"))
        .attribute_definitions(attribute("day"))
        .key_schema(part("cell", KeyType::Hash))
        .key_schema(part("day", KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    for opened in [open(&place).await, DynamoDbRegister::create(place.clone(), &patient()).await] {
        let error = opened.unwrap_err();
        assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
        let said = line(error);
        assert!(said.contains("its key is (cell S HASH, day S RANGE), not (cell S HASH)"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_cannot_be_are_refused_before_anything_is_asked() {
    let place = Place {
        table: "beam".to_owned(),
        region: REGION.to_owned(),
        endpoint: Some("http://10.0.0.1:1".to_owned()),
    };
    let error = DynamoDbRegister::open(place, None, &patient()).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unfit(_)) && line(error).contains("https://"));
}
