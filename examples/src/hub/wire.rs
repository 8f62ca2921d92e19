//! The messages of the chain's queries, as far as the lab reads them. Field numbers are those of the SDK's .proto files;
//! fields left out are skipped when read.

use prost::Message;

/// A request without fields, or with none that we set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Nothing {}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `google.protobuf.Timestamp` and `Duration`: both are seconds and nanoseconds.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Seconds {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
}

/// `cosmos.slashing.v1beta1.QuerySigningInfosResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SigningInfos {
    #[prost(message, repeated, tag = "1")]
    pub(super) info: Vec<SigningInfo>,
}

/// `cosmos.slashing.v1beta1.ValidatorSigningInfo`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SigningInfo {
    #[prost(string, tag = "1")]
    pub(super) address: String,
    #[prost(int64, tag = "3")]
    pub(super) index_offset: i64,
    #[prost(message, optional, tag = "4")]
    pub(super) jailed_until: Option<Seconds>,
    #[prost(bool, tag = "5")]
    pub(super) tombstoned: bool,
    #[prost(int64, tag = "6")]
    pub(super) missed_blocks_counter: i64,
}

/// `cosmos.slashing.v1beta1.QueryParamsResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SlashingParamsAnswer {
    #[prost(message, optional, tag = "1")]
    pub(super) params: Option<SlashingParams>,
}

/// `cosmos.slashing.v1beta1.Params`. Decimals travel as whole numbers of 10^-18.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SlashingParams {
    #[prost(int64, tag = "1")]
    pub(super) signed_blocks_window: i64,
    #[prost(string, tag = "2")]
    pub(super) min_signed_per_window: String,
    #[prost(message, optional, tag = "3")]
    pub(super) downtime_jail_duration: Option<Seconds>,
}

/// `cosmos.staking.v1beta1.QueryValidatorsResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Validators {
    #[prost(message, repeated, tag = "1")]
    pub(super) validators: Vec<Validator>,
}

/// `cosmos.staking.v1beta1.Validator`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Validator {
    #[prost(string, tag = "1")]
    pub(super) operator_address: String,
    #[prost(message, optional, tag = "2")]
    pub(super) consensus_pubkey: Option<Any>,
    #[prost(bool, tag = "3")]
    pub(super) jailed: bool,
    /// 1 unbonded, 2 unbonding, 3 bonded.
    #[prost(int32, tag = "4")]
    pub(super) status: i32,
    #[prost(string, tag = "5")]
    pub(super) tokens: String,
}

/// `cosmos.crypto.ed25519.PubKey`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Ed25519 {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
}

/// `cosmos.evidence.v1beta1.QueryAllEvidenceResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AllEvidence {
    #[prost(message, repeated, tag = "1")]
    pub(super) evidence: Vec<Any>,
}

/// `cosmos.evidence.v1beta1.Equivocation`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Equivocation {
    #[prost(int64, tag = "1")]
    pub(super) height: i64,
    #[prost(string, tag = "4")]
    pub(super) consensus_address: String,
}

/// `cosmos.upgrade.v1beta1.QueryCurrentPlanResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CurrentPlan {
    #[prost(message, optional, tag = "1")]
    pub(super) plan: Option<Plan>,
}

/// `cosmos.upgrade.v1beta1.Plan`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Plan {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int64, tag = "3")]
    pub(super) height: i64,
    #[prost(string, tag = "4")]
    pub(super) info: String,
}

/// `cosmos.upgrade.v1beta1.QueryAppliedPlanRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AppliedPlanRequest {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

/// `cosmos.upgrade.v1beta1.QueryAppliedPlanResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AppliedPlan {
    #[prost(int64, tag = "1")]
    pub(super) height: i64,
}
