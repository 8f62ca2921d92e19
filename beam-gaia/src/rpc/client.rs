//! The questions that Beam asks.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use beam_core::id::ChainId;
use beam_core::register::Cause;
use beam_core::signing::Height;
use hyper::StatusCode;
use tendermint_rpc::client::Client;
use tendermint_rpc::dialect::v0_38::Dialect;
use tendermint_rpc::endpoint::{commit, net_info, status};
use tendermint_rpc::error::ErrorDetail;
use tendermint_rpc::{Error, Response as _, SimpleRequest};

use super::transport::post;
use super::{Committed, RpcError, ValidatorAddress};

/// The RPC of the node on this machine. Cheap to copy; each question opens a connection of its own, so that one that hangs
/// holds up no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRpc {
    address: SocketAddr,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its latest block; 0 if it has none.
    pub height: Height,
    /// Whether it fetches old blocks. That it does not is no sign of health: a frozen node does not either.
    pub catching_up: bool,
    /// The latest block's time; 1970 if there is none.
    pub latest_block_time: SystemTime,
    /// Its p2p id, 40 hexadecimal digits in lower case.
    pub node_id: String,
    /// Its chain.
    pub network: ChainId,
    /// The validator that it believes to be: what its signer said when it started.
    pub validator: ValidatorAddress,
}

impl NodeRpc {
    /// Asks the node that listens there. Nothing is connected yet.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// [`RpcError`] if it did not answer.
    pub async fn status(&self) -> Result<NodeStatus, RpcError> {
        let answer = self.ask(status::Request).await?;
        let since_1970 = answer.sync_info.latest_block_time.duration_since(tendermint::Time::unix_epoch());
        let latest_block_time = SystemTime::UNIX_EPOCH.checked_add(since_1970.unwrap_or(Duration::ZERO));
        Ok(NodeStatus {
            height: Height(answer.sync_info.latest_block_height.value()),
            catching_up: answer.sync_info.catching_up,
            latest_block_time: latest_block_time.unwrap_or(SystemTime::UNIX_EPOCH),
            node_id: answer.node_info.id.to_string(),
            network: answer.node_info.network.as_str().parse().map_err(unreadable)?,
            validator: answer.validator_info.address.try_into().map_err(unreadable)?,
        })
    }

    /// Who signed the block of this height.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer; [`RpcError::Rpc`] if it does not have that height, yet or any more.
    pub async fn commit(&self, height: Height) -> Result<Committed, RpcError> {
        let height = tendermint::block::Height::try_from(height.0)
            .map_err(|error| unreadable(error.detail().to_string()))?;
        self.ask(commit::Request::new(height)).await?.try_into()
    }

    /// Who signed the latest block so far.
    ///
    /// # Errors
    /// [`RpcError`] if the node did not answer.
    pub async fn latest_commit(&self) -> Result<Committed, RpcError> {
        self.ask(commit::Request::default()).await?.try_into()
    }

    /// How many peers the node is connected to.
    ///
    /// # Errors
    /// [`RpcError`] if it did not answer.
    pub async fn peers(&self) -> Result<u64, RpcError> {
        Ok(self.ask(net_info::Request).await?.n_peers)
    }

    /// Asks anything, in the dialect of `CometBFT` 0.38. Newer versions answer these questions alike, and the crate knows none of
    /// them by name. That the dialect stands here makes a crate whose default is another one fail to compile.
    async fn ask<R: SimpleRequest<Dialect>>(&self, request: R) -> Result<R::Output, RpcError> {
        let (status, body) = post(self.address, request.into_json()).await?;
        match R::Response::from_string(&body) {
            Ok(answer) if status == StatusCode::OK => Ok(answer.into()),
            // An error comes with any status, depending on the version: what it says counts.
            Err(Error(ErrorDetail::Response(said), _)) => Err(RpcError::Rpc {
                code: said.source.code().value(),
                message: said.source.data().unwrap_or_else(|| said.source.message()).to_owned(),
            }),
            _ if status != StatusCode::OK => Err(RpcError::Refused(status.as_u16())),
            Ok(answer) => Ok(answer.into()),
            // The crate's errors are no `std` errors without its default features; their text is all that is kept.
            Err(error) => Err(unreadable(error.detail().to_string())),
        }
    }
}

#[async_trait]
impl Client for NodeRpc {
    async fn perform<R: SimpleRequest>(&self, request: R) -> Result<R::Output, Error> {
        self.ask(request).await.map_err(Into::into)
    }
}

pub(super) fn unreadable(error: impl Into<Cause>) -> RpcError {
    RpcError::Unreadable(error.into())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::test_server::{Answer, Server, address};
    use super::super::{ANSWER_LEN_MAX, ANSWER_WITHIN, Vote};
    use super::*;

    const STATUS: &str = include_str!("fixtures/status.json");
    const CATCHING_UP: &str = include_str!("fixtures/status_catching_up.json");
    const COMMIT: &str = include_str!("fixtures/commit.json");
    const NET_INFO: &str = include_str!("fixtures/net_info.json");
    const HEIGHT_AHEAD: &str = include_str!("fixtures/height_ahead.json");

    async fn asked(answer: Answer) -> (NodeRpc, Server) {
        let server = Server::start(answer).await;
        (NodeRpc::new(server.address), server)
    }

    #[tokio::test]
    async fn a_real_status_is_read() {
        let (rpc, server) = asked(Answer::ok(STATUS)).await;
        let status = rpc.status().await.unwrap();
        assert_eq!(status.height, Height(21));
        assert!(!status.catching_up);
        assert_eq!(status.network.as_str(), "chain-yr1KSg");
        assert_eq!(status.node_id, "5d5fe607f5c2c15f4c21b7fe233b1c973c7aff7a");
        assert_eq!(status.validator, address("BE7DFEA685428550DAAE6B71630C665E28437CA9"));
        let since_1970 = status.latest_block_time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since_1970.as_secs() / 86_400, 20_779, "2026-11-22");
        assert!(server.asked().contains("\"method\": \"status\""), "{}", server.asked());
    }

    #[tokio::test]
    async fn a_node_without_a_block_is_read() {
        let (rpc, _server) = asked(Answer::ok(CATCHING_UP)).await;
        let status = rpc.status().await.unwrap();
        assert_eq!((status.height, status.catching_up), (Height(0), true));
        assert_eq!(status.latest_block_time, SystemTime::UNIX_EPOCH);
    }

    #[tokio::test]
    async fn a_real_commit_and_the_peers_are_read() {
        let (rpc, server) = asked(Answer::ok(COMMIT)).await;
        let commit = rpc.commit(Height(5)).await.unwrap();
        assert_eq!(commit.vote(&address("E1A863E17F383A0CA39884E360E47D72768A3756")), Vote::Nil);
        assert!(server.asked().contains("\"height\": \"5\""), "{}", server.asked());
        let (rpc, _server) = asked(Answer::ok(NET_INFO)).await;
        assert_eq!(rpc.peers().await.unwrap(), 5);
    }

    #[tokio::test]
    async fn every_question_of_the_crate_can_be_asked() {
        let (rpc, _server) = asked(Answer::ok(STATUS)).await;
        let answer = Client::status(&rpc).await.unwrap();
        assert_eq!(answer.node_info.moniker.to_string(), "a");
        let (rpc, _server) = asked(Answer::ok(HEIGHT_AHEAD)).await;
        let error = Client::commit(&rpc, 9_u32).await.unwrap_err();
        assert!(error.to_string().contains("height 900000 must be less"), "{error}");
    }

    #[tokio::test]
    async fn the_nodes_no_is_told_apart_whatever_the_status() {
        for status in [200, 500] {
            let (rpc, _server) = asked(Answer::with(status, HEIGHT_AHEAD)).await;
            let error = rpc.commit(Height(900_000)).await.unwrap_err();
            let RpcError::Rpc { code: -32603, message } = &error else { panic!("{error:?}") };
            assert!(message.starts_with("height 900000 must be less"), "{message}");
        }
    }

    #[tokio::test]
    async fn a_status_that_is_no_answer_is_refused() {
        for (status, body) in [(500, "oh no"), (404, ""), (502, STATUS)] {
            let (rpc, _server) = asked(Answer::with(status, body)).await;
            let error = rpc.status().await.unwrap_err();
            assert!(matches!(error, RpcError::Refused(refused) if refused == status), "{status}: {error:?}");
        }
    }

    #[tokio::test]
    async fn garbage_is_unreadable() {
        for body in ["", "{}", "null", "<html>", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NET_INFO] {
            let (rpc, _server) = asked(Answer::ok(body)).await;
            assert!(matches!(rpc.status().await, Err(RpcError::Unreadable(_))), "{body}");
        }
        let (rpc, _server) = asked(Answer::raw("220 mail.example ready\r\n")).await;
        assert!(matches!(rpc.status().await, Err(RpcError::Unreadable(_))));
    }

    #[tokio::test]
    async fn an_answer_may_be_long_and_not_longer() {
        let padded = |len: usize| format!("{}{STATUS}", " ".repeat(len - STATUS.len()));
        let (rpc, _server) = asked(Answer::ok(padded(ANSWER_LEN_MAX))).await;
        rpc.status().await.unwrap();
        let (rpc, _server) = asked(Answer::ok(padded(ANSWER_LEN_MAX + 1))).await;
        assert!(matches!(rpc.status().await, Err(RpcError::Unreadable(_))));
    }

    #[tokio::test]
    async fn a_slow_answer_is_none() {
        for answer in [Answer::silent(), Answer::drip(STATUS)] {
            let (rpc, _server) = asked(answer).await;
            let began = Instant::now();
            let error = rpc.status().await.unwrap_err();
            assert!(matches!(error, RpcError::Unreachable(_)), "{error:?}");
            assert!((ANSWER_WITHIN..ANSWER_WITHIN * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn nobody_and_a_broken_connection_are_unreachable() {
        let (rpc, server) = asked(Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")).await;
        assert!(matches!(rpc.status().await, Err(RpcError::Unreachable(_))), "cut short");
        server.stop().await;
        assert!(matches!(rpc.status().await, Err(RpcError::Unreachable(_))), "nobody");
        let (rpc, _server) = asked(Answer::raw("")).await;
        assert!(matches!(rpc.status().await, Err(RpcError::Unreachable(_))), "closed at once");
    }

    #[tokio::test]
    async fn an_answer_that_ends_with_the_connection_is_read() {
        let (rpc, _server) =
            asked(Answer::raw(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{STATUS}"))).await;
        assert_eq!(rpc.status().await.unwrap().height, Height(21));
    }
}
