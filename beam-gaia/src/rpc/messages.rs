//! The few messages of the SDK's modules that are read here, field for field as in its `.proto` files (v0.53). Fields that nobody needs
//! are left out; readers skip what they do not know.

/// A request without fields.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Empty {}

/// `cosmos.slashing.v1beta1.QueryParamsResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ParamsResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) params: Option<Params>,
}

/// `cosmos.slashing.v1beta1.Params`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Params {
    #[prost(int64, tag = "1")]
    pub(super) signed_blocks_window: i64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) min_signed_per_window: Vec<u8>,
}

/// `cosmos.slashing.v1beta1.QuerySigningInfoRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SigningInfoRequest {
    #[prost(string, tag = "1")]
    pub(super) cons_address: String,
}

/// `cosmos.slashing.v1beta1.QuerySigningInfoResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SigningInfoResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) val_signing_info: Option<ValidatorSigningInfo>,
}

/// `cosmos.slashing.v1beta1.ValidatorSigningInfo`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValidatorSigningInfo {
    #[prost(int64, tag = "2")]
    pub(super) start_height: i64,
    #[prost(int64, tag = "3")]
    pub(super) index_offset: i64,
    #[prost(message, optional, tag = "4")]
    pub(super) jailed_until: Option<Timestamp>,
    #[prost(bool, tag = "5")]
    pub(super) tombstoned: bool,
    #[prost(int64, tag = "6")]
    pub(super) missed_blocks_counter: i64,
}

/// `google.protobuf.Timestamp`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

/// `cosmos.upgrade.v1beta1.QueryCurrentPlanResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CurrentPlanResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) plan: Option<Plan>,
}

/// `cosmos.upgrade.v1beta1.Plan`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Plan {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int64, tag = "3")]
    pub(super) height: i64,
}

/// `cosmos.base.node.v1beta1.ConfigResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ConfigResponse {
    #[prost(uint64, tag = "4")]
    pub(super) halt_height: u64,
}

/// `cosmos.auth.v1beta1.Bech32PrefixResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Bech32Prefix {
    #[prost(string, tag = "1")]
    pub(super) prefix: String,
}

/// `cosmos.staking.v1beta1.QueryValidatorsRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValidatorsRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) pagination: Option<PageRequest>,
}

/// `cosmos.base.query.v1beta1.PageRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PageRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) limit: u64,
}

/// `cosmos.staking.v1beta1.QueryValidatorsResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValidatorsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) validators: Vec<Validator>,
    #[prost(message, optional, tag = "2")]
    pub(super) pagination: Option<PageResponse>,
}

/// `cosmos.base.query.v1beta1.PageResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PageResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) next_key: Vec<u8>,
}

/// `cosmos.staking.v1beta1.Validator`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Validator {
    #[prost(string, tag = "1")]
    pub(super) operator_address: String,
    #[prost(message, optional, tag = "2")]
    pub(super) consensus_pubkey: Option<Any>,
    #[prost(bool, tag = "3")]
    pub(super) jailed: bool,
    /// 3 is bonded.
    #[prost(int32, tag = "4")]
    pub(super) status: i32,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Any {
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `cosmos.crypto.ed25519.PubKey`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PubKey {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
}
