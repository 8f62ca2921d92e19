//! Who signs, as the protocol sees it.

use std::sync::Arc;

use async_trait::async_trait;
use beam_core::id::SessionId;
use beam_core::runtime::SignerHandle;
use beam_core::signing::{Refusal, Release, Statement};

/// Makes signatures, or says why not.
///
/// # Contract
/// * It answers within [`limits::ANSWER_WITHIN`](super::limits::ANSWER_WITHIN); who takes longer is not waited for, and its answer is
///   lost.
/// * It signs the statement, or (for a vote) the same vote with another timestamp; the [`Release`] has the very bytes.
/// * An extension that comes along is signed along.
#[async_trait]
pub trait Sign: Send + Sync + 'static {
    /// Asks for a signature under one run of the node.
    ///
    /// # Errors
    /// [`Refusal`]: the node is told its text.
    async fn sign(
        &self,
        session: SessionId,
        statement: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal>;
}

#[async_trait]
impl Sign for SignerHandle {
    async fn sign(
        &self,
        session: SessionId,
        statement: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        Self::sign(self, session, statement, extension).await
    }
}

#[async_trait]
impl<S: Sign + ?Sized> Sign for Arc<S> {
    async fn sign(
        &self,
        session: SessionId,
        statement: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        (**self).sign(session, statement, extension).await
    }
}
