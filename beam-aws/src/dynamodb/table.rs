//! The table: how it is made, and what it must be.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, MultiRegionConsistency, ScalarAttributeType,
    TableDescription, TableStatus, Tag,
};
use beam_core::register::RegisterError;

use super::item::CELL;
use super::{Place, SERVICE};
use crate::timeouts::PATIENT_CALL_WITHIN;
use crate::trouble::{CallError, Trouble};

/// A table that was created becomes usable. Seconds are usual.
const TABLE_READY_WITHIN: Duration = Duration::from_secs(90);
/// How often it is asked whether it is.
const TABLE_POLL_EVERY: Duration = Duration::from_millis(500);

/// What a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Its id: a table that is made again under the same name has another.
    pub id: Option<String>,
    /// `ACTIVE`, or what keeps it from being used.
    pub status: String,
    /// Its key, as `name type kind` for each part.
    pub key: Vec<String>,
    /// Whether it cannot be deleted by one call.
    pub protected: bool,
    /// Whether it is billed by the request, with no limit set before.
    pub on_demand: bool,
    /// Regions that hold a copy too.
    pub replicas: Vec<String>,
    /// Whether the regions agree before a write is acknowledged.
    pub strong: bool,
    /// Whether it is a global table, of any kind.
    pub global: bool,
}

impl TableFacts {
    pub(super) fn of(table: &TableDescription) -> Self {
        let part = |part: &KeySchemaElement| {
            let is_it = |known: &&AttributeDefinition| known.attribute_name() == part.attribute_name();
            let kind = table.attribute_definitions().iter().find(is_it);
            let kind = kind.map_or("?", |known| known.attribute_type().as_str());
            format!("{} {kind} {}", part.attribute_name(), part.key_type().as_str())
        };
        let replicas = table.replicas().iter().filter_map(|replica| replica.region_name());
        let replicas: Vec<String> = replicas.map(str::to_owned).collect();
        Self {
            id: table.table_id().map(str::to_owned),
            status: table.table_status().map_or("?", TableStatus::as_str).to_owned(),
            key: table.key_schema().iter().map(part).collect(),
            protected: table.deletion_protection_enabled().unwrap_or_default(),
            on_demand: table
                .billing_mode_summary()
                .is_some_and(|billing| billing.billing_mode() == Some(&BillingMode::PayPerRequest)),
            strong: table.multi_region_consistency() == Some(&MultiRegionConsistency::Strong),
            global: table.global_table_version().is_some() || !replicas.is_empty(),
            replicas,
        }
    }

    /// Whether a register may stand on it.
    pub(super) fn fit(&self, place: &Place, table_id: Option<&str>) -> Result<(), RegisterError> {
        let unfit = |why: String| Err(RegisterError::Unfit(format!("{place}: {why}")));
        if self.key != Self::key() {
            let (is, wanted) = (self.key.join(", "), Self::key().join(", "));
            return unfit(format!(
                "its key is ({is}), not ({wanted}); it is not a register of Beam's, name another table"
            ));
        }
        if self.global && !self.strong {
            let regions = self.replicas.join(", ");
            return unfit(format!(
                "it is a global table with eventual consistency (copies in {regions}), in which two machines could both win; \
                 use a table of one region, or a global table with multi-Region strong consistency"
            ));
        }
        if let Some(wanted) = table_id
            && self.id.as_deref() != Some(wanted)
        {
            let is = self.id.as_deref().unwrap_or("unknown");
            return unfit(format!(
                "its id is {is}, not the pinned {wanted}: it was deleted and made again, or restored, or it is another account's; \
                 find out which before `table_id` in node.toml is changed"
            ));
        }
        if !Self::READY.contains(&self.status.as_str()) {
            let error = format!(
                "{place}: the table is {}, not ACTIVE; wait, or see what AWS says of it",
                self.status
            );
            return Err(RegisterError::Unavailable(error.into()));
        }
        Ok(())
    }

    /// In which its items can be read and written.
    const READY: [&str; 2] = ["ACTIVE", "UPDATING"];

    fn key() -> [String; 1] {
        [format!("{CELL} S HASH")]
    }
}

pub(super) fn error(call: &'static str, place: &Place, trouble: Trouble) -> RegisterError {
    CallError { call, place: place.to_string().into(), trouble }.of_read()
}

/// What the table is.
pub(super) async fn describe(client: &Client, place: &Place) -> Result<TableFacts, RegisterError> {
    const CALL: &str = "DescribeTable";
    let answer = client.describe_table().table_name(&place.table).send().await;
    let answer =
        answer.map_err(|cause| error(CALL, place, Trouble::of(&cause, PATIENT_CALL_WITHIN, &SERVICE)))?;
    let nothing = || error(CALL, place, Trouble::Strange("no description".to_owned()));
    Ok(TableFacts::of(answer.table().ok_or_else(nothing)?))
}

/// Makes the table unless it is there, and waits until it can be used.
pub(super) async fn create(client: &Client, place: &Place) -> Result<TableFacts, RegisterError> {
    const CALL: &str = "CreateTable";
    let incomplete = |cause| error(CALL, place, Trouble::Strange(format!("{cause}")));
    let attribute = AttributeDefinition::builder().attribute_name(CELL);
    let key = KeySchemaElement::builder().attribute_name(CELL).key_type(KeyType::Hash);
    let tag = Tag::builder().key("beam").value("register");
    let asked = client
        .create_table()
        .table_name(&place.table)
        .attribute_definitions(attribute.attribute_type(ScalarAttributeType::S).build().map_err(incomplete)?)
        .key_schema(key.build().map_err(incomplete)?)
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(true)
        .tags(tag.build().map_err(incomplete)?);
    match asked.send().await {
        Ok(_) => {}
        Err(SdkError::ServiceError(refused))
            if matches!(refused.err(), CreateTableError::ResourceInUseException(_)) => {}
        Err(cause) => return Err(error(CALL, place, Trouble::of(&cause, PATIENT_CALL_WITHIN, &SERVICE))),
    }
    let began = Instant::now();
    loop {
        // A table that was just made may be unknown to the next who asks.
        match describe(client, place).await {
            Ok(facts) if TableFacts::READY.contains(&facts.status.as_str()) => return Ok(facts),
            Ok(_) => {}
            Err(cause) if began.elapsed() >= TABLE_READY_WITHIN => return Err(cause),
            Err(_) => {}
        }
        if began.elapsed() >= TABLE_READY_WITHIN {
            return Err(error(CALL, place, Trouble::NoAnswer(TABLE_READY_WITHIN)));
        }
        tokio::time::sleep(TABLE_POLL_EVERY).await;
    }
}
