//! The register in a DynamoDB table: for machines in several zones.
//!
//! # Why it keeps the contract of [`Register`]
//! * **One winner, linearizable.** A cell is one item. A swap is one conditional `UpdateItem` on the item's version, which
//!   DynamoDB judges and applies as one step; a read is strongly consistent.
//! * **The loser learns the winner.** DynamoDB returns the item with the refusal, so a conflict costs no second round trip.
//! * **Durable.** DynamoDB acknowledges when two of three zones have it.
//! * **Honest about doubt.** Only what DynamoDB itself refused, or what never left, has `Failed`; the rest is
//!   [`SwapError::OutcomeUnknown`].
//! * **Nothing is repeated** behind the caller's back: the SDK's retries are off. (It could otherwise find its own first attempt and
//!   report a lost race.)
//! * **Bounded.** Own timeouts, in [`timeouts`](crate::timeouts).
//!
//! # What it refuses by name, when it is opened
//! A table with another key than Beam's; one whose id is not the pinned one (it was deleted and made again, or restored);
//! a global table without strong consistency: there each region judges a condition by its own copy, so two machines could both win.
//!
//! # What it cannot see
//! A table that is put back by hand into its old name while nothing runs has a new id, and the pin notices. Items that are put back
//! within the table are what the signer's floor and the record's lineage are for.
//!
//! ```no_run
//! # async fn f() -> Result<(), beam_core::register::RegisterError> {
//! use beam_aws::dynamodb::{Access, DynamoDbRegister, Place};
//!
//! let place = Place { table: "beam".into(), region: "eu-central-1".into(), endpoint: None };
//! let register = DynamoDbRegister::open(place, None, &Access::default()).await?;
//! println!("pin this: {:?}", register.table().id);
//! # Ok(()) }
//! ```

mod calls;
pub mod cost;
mod item;
mod table;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use beam_core::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};

pub use crate::access::{Access, Credentials, region_of_environment};
pub use crate::place::{Place, PlaceError};
pub use calls::{Calls, Counted};
pub use table::TableFacts;

use crate::access;
use crate::trouble::{CallError, Service, Trouble};
use item::{CELL, Item, VALUE, VERSION};

/// The calls that a running pilot makes, by the names that IAM has for them. `CreateTable` and `TagResource` are only for who
/// makes the table.
pub const ACTIONS: [&str; 3] = ["DescribeTable", "GetItem", "UpdateItem"];

const SERVICE: Service = Service {
    name: "DynamoDB",
    policy: "examples/aws/pilot-register-policy.json",
    limits: "the table's and the account's limits",
    refusal,
};

/// What DynamoDB says no to in words of its own.
fn refusal(_status: u16, code: &str) -> Option<&'static str> {
    match code {
        "ResourceNotFoundException" => Some(
            "there is no such table here: check its name and its region, and whose account the credentials are of",
        ),
        "ValidationException" | "SerializationException" | "ItemCollectionSizeLimitExceededException" => {
            Some("DynamoDB refuses the request: the table was not made by Beam, or its item was edited")
        }
        "ReplicatedWriteConflictException" | "TransactionConflictException" => {
            Some("somebody else is writing the item at this moment")
        }
        _ => None,
    }
}

/// One to sign with, one to ask about the table with.
struct Clients {
    brisk: Client,
    patient: Client,
}

impl Clients {
    async fn new(place: &Place, access: &Access) -> Result<Self, RegisterError> {
        place.check().map_err(|error| RegisterError::Unfit(error.to_string()))?;
        let configs = access::configs(&place.region, place.endpoint.as_deref(), access).await;
        let configs = configs.map_err(|trouble| table::error("DescribeTable", place, trouble))?;
        Ok(Self { brisk: Client::new(&configs.brisk), patient: Client::new(&configs.patient) })
    }
}

/// A register in a DynamoDB table. See the [module](self).
#[derive(Clone, Debug)]
pub struct DynamoDbRegister {
    client: Client,
    place: Place,
    /// The place, in words.
    at: Arc<str>,
    table: TableFacts,
    within: Duration,
    calls: Arc<Calls>,
}

impl DynamoDbRegister {
    /// Opens a register that is there, after a look at its table. `table_id` is the id that the table must have.
    ///
    /// # Errors
    /// [`RegisterError`]: `Unfit` if the table must not be used (the text says why), `Unavailable` if it cannot be asked, or
    /// is not there.
    pub async fn open(place: Place, table_id: Option<&str>, access: &Access) -> Result<Self, RegisterError> {
        let clients = Clients::new(&place, access).await?;
        let table = table::describe(&clients.patient, &place).await?;
        Self::on(place, table, table_id, clients.brisk, access)
    }

    /// Makes the table, and opens it when it is ready: on-demand billing, protected from deletion, tagged `beam = register`.
    /// One that is there is opened as it is.
    ///
    /// # Errors
    /// As for [`DynamoDbRegister::open`].
    pub async fn create(place: Place, access: &Access) -> Result<Self, RegisterError> {
        let clients = Clients::new(&place, access).await?;
        let table = table::create(&clients.patient, &place).await?;
        Self::on(place, table, None, clients.brisk, access)
    }

    /// On a table that is looked over first.
    fn on(
        place: Place,
        table: TableFacts,
        table_id: Option<&str>,
        client: Client,
        access: &Access,
    ) -> Result<Self, RegisterError> {
        table.fit(&place, table_id)?;
        let at = place.to_string().into();
        Ok(Self { client, place, at, table, within: access.call_within, calls: Arc::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the table was when it was opened.
    #[must_use]
    pub fn table(&self) -> &TableFacts {
        &self.table
    }

    /// What was asked of DynamoDB since it was opened, through this handle and its clones.
    #[must_use]
    pub fn calls(&self) -> Counted {
        self.calls.counted()
    }

    fn error(&self, call: &'static str, trouble: Trouble) -> CallError {
        CallError { call, place: self.at.clone(), trouble }
    }

    fn decode(&self, call: &'static str, key: &RegisterKey, item: &Item) -> Result<Cell, CallError> {
        item::decode(key, item).map_err(|error| {
            let edited = format!(
                "somebody edited the item of cell {key}: {error}; find out who, then see the handbook of `beam watermark`"
            );
            self.error(call, Trouble::Damaged(edited))
        })
    }

    async fn get(&self, key: &RegisterKey) -> Result<Option<Cell>, CallError> {
        const CALL: &str = "GetItem";
        let request = self.client.get_item().table_name(&self.place.table).key(CELL, item::key(key));
        let answer = request.consistent_read(true).send().await;
        let cell = match answer {
            Ok(answer) => answer.item.map(|item| self.decode(CALL, key, &item)).transpose(),
            Err(error) => Err(self.error(CALL, Trouble::of(&error, self.within, &SERVICE))),
        };
        let len = cell.as_ref().ok().and_then(Option::as_ref).map_or(0, |cell| cell.value.len());
        self.calls.read(item::size(key, None, len));
        cell
    }

    async fn update(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        next: Version,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        const CALL: &str = "UpdateItem";
        self.calls.write(item::size(key, Some(next), value.len()));
        let request = self
            .client
            .update_item()
            .table_name(&self.place.table)
            .key(CELL, item::key(key))
            .update_expression("SET #version = :next, #value = :value")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#value", VALUE)
            .expression_attribute_values(":next", item::version(next))
            .expression_attribute_values(":value", item::value(value))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match expected {
            // The item's own key: an item that lacks the version is there all the same.
            None => request
                .condition_expression("attribute_not_exists(#cell)")
                .expression_attribute_names("#cell", CELL),
            Some(expected) => request
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", item::version(expected)),
        };
        let error = match request.send().await {
            Ok(_) => return Ok(next),
            Err(error) => error,
        };
        if let SdkError::ServiceError(refused) = &error
            && let UpdateItemError::ConditionalCheckFailedException(refused) = refused.err()
        {
            let current = refused.item().map(|item| self.decode(CALL, key, item)).transpose();
            return Err(SwapError::Conflict { current: current.map_err(CallError::of_swap)? });
        }
        Err(self.error(CALL, Trouble::of(&error, self.within, &SERVICE)).of_swap())
    }
}

#[async_trait]
impl Register for DynamoDbRegister {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        self.get(key).await.map_err(CallError::of_read)
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        let refused = |why: String| self.error("UpdateItem", Trouble::Refused(why)).of_swap();
        if value.len() > Cell::LEN_MAX {
            return Err(refused(format!("a value of {} bytes is too large", value.len())));
        }
        if let Some(next) = expected.map_or(Some(Version::FIRST), Version::next) {
            return self.update(key, expected, next, value).await;
        }
        // There is nothing to write after the last version, but still something to be told.
        match self.get(key).await.map_err(|error| SwapError::Failed(error.into()))? {
            Some(cell) if Some(cell.version) == expected => {
                Err(refused("no version is left above this one".to_owned()))
            }
            current => Err(SwapError::Conflict { current }),
        }
    }
}
