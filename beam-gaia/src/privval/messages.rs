//! The messages of the protocol.
//!
//! They are `tendermint.privval` as in `CometBFT` 0.34 to 0.40. The envelope is our own, because it also knows the two
//! members that 1.x adds: a request to sign arbitrary bytes must be recognised in order to be refused as that version
//! expects it.

use prost::Message as _;
pub use tendermint_proto::v0_38::privval::{
    PingRequest, PingResponse, PubKeyRequest, PubKeyResponse, RemoteSignerError, SignProposalRequest,
    SignVoteRequest, SignedProposalResponse, SignedVoteResponse,
};
pub use tendermint_proto::v0_38::types::{BlockId, PartSetHeader, Proposal, SignedMsgType, Vote};

/// What is in a frame, in both directions.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
    /// The request or the answer; `None` if it is a member that this version does not know.
    #[prost(oneof = "Sum", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
    pub sum: Option<Sum>,
}

/// One request or one answer.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Sum {
    /// Which key signs?
    #[prost(message, tag = "1")]
    PubKeyRequest(PubKeyRequest),
    /// The key.
    #[prost(message, tag = "2")]
    PubKeyResponse(PubKeyResponse),
    /// Sign a vote.
    #[prost(message, tag = "3")]
    SignVoteRequest(SignVoteRequest),
    /// The vote, or why not.
    #[prost(message, tag = "4")]
    SignedVoteResponse(SignedVoteResponse),
    /// Sign a proposal.
    #[prost(message, tag = "5")]
    SignProposalRequest(SignProposalRequest),
    /// The proposal, or why not.
    #[prost(message, tag = "6")]
    SignedProposalResponse(SignedProposalResponse),
    /// Are you there?
    #[prost(message, tag = "7")]
    PingRequest(PingRequest),
    /// Yes.
    #[prost(message, tag = "8")]
    PingResponse(PingResponse),
    /// Sign any bytes (1.x).
    #[prost(message, tag = "9")]
    SignBytesRequest(SignBytesRequest),
    /// Their signature, or why not (1.x).
    #[prost(message, tag = "10")]
    SignBytesResponse(SignBytesResponse),
}

/// Asks to sign bytes whatever they mean (1.x). They may be a vote, so this is never done.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SignBytesRequest {
    /// The bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub value: Vec<u8>,
}

/// Answers a [`SignBytesRequest`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct SignBytesResponse {
    /// The signature; empty if there is an error.
    #[prost(bytes = "vec", tag = "1")]
    pub signature: Vec<u8>,
    /// Why there is none.
    #[prost(message, optional, tag = "2")]
    pub error: Option<RemoteSignerError>,
}

impl Message {
    /// The message as it goes over the wire: its length, then its bytes.
    #[must_use]
    pub fn to_frame(&self) -> Vec<u8> {
        self.encode_length_delimited_to_vec()
    }
}

impl From<Sum> for Message {
    fn from(sum: Sum) -> Self {
        Self { sum: Some(sum) }
    }
}

#[cfg(test)]
mod tests {
    use beam_core::id::to_hex;

    use super::*;

    #[test]
    fn frames_are_the_golden_ones() {
        let asked = PubKeyRequest { chain_id: "cosmoshub-4".to_owned() };
        let frame = Message::from(Sum::PubKeyRequest(asked)).to_frame();
        assert_eq!(to_hex(&frame), "0f0a0d0a0b636f736d6f736875622d34");
        assert_eq!(Message::from(Sum::PingRequest(PingRequest {})).to_frame(), [2, 0x3a, 0]);
        assert_eq!(Message::from(Sum::PingResponse(PingResponse {})).to_frame(), [2, 0x42, 0]);
    }

    #[test]
    fn an_unknown_member_decodes_to_nothing() {
        // Field 11, a string.
        assert_eq!(Message::decode(&[0x5a, 1, b'x'][..]).unwrap(), Message { sum: None });
    }
}
