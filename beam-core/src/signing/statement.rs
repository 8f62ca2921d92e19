//! What somebody asks to have signed.

use std::fmt;

use crate::id::to_hex;
use crate::signing::canonical::{Canonical, Unreadable};
use crate::signing::{Mark, Step};

/// A block's canonical id as `CometBFT` encodes it: hash and part set header. Compared, never interpreted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub Vec<u8>);

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({})", to_hex(&self.0))
    }
}

/// Bytes to sign and the position they are for.
///
/// A statement for a chain is made from its sign bytes alone ([`Statement::canonical`]): the position is read out of
/// them. For a service that is not a chain, [`Statement::numbered`] takes any bytes at a position of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    mark: Mark,
    block: Option<BlockId>,
    bytes: Vec<u8>,
}

impl Statement {
    /// A vote or proposal, from its canonical sign bytes.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes are not exactly what `CometBFT` would sign.
    pub fn canonical(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let read = Canonical::read(&bytes)?;
        let (mark, block) = (read.mark, read.block.map(|block| BlockId(block.to_vec())));
        Ok(Self { mark, block, bytes })
    }

    /// Anything else that must be said once only: message `number` of a sequence, whatever its bytes are.
    #[must_use]
    pub fn numbered(number: u64, bytes: Vec<u8>) -> Self {
        Self { mark: Mark::new(number, 0, Step::Proposal), block: None, bytes }
    }

    /// The position.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The block voted for or proposed; `None` for nil.
    #[must_use]
    pub fn block(&self) -> Option<&BlockId> {
        self.block.as_ref()
    }

    /// The bytes to sign.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether signing `recorded` is the same as signing this: identical bytes, or the same vote made at another time.
    #[must_use]
    pub fn repeats(&self, recorded: &[u8]) -> bool {
        if self.bytes == recorded {
            return true;
        }
        match (Canonical::read(&self.bytes), Canonical::read(recorded)) {
            (Ok(asked), Ok(recorded)) => asked.same_vote(&recorded),
            _ => false,
        }
    }
}
