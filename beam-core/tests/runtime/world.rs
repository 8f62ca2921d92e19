//! One validator and its machines, over fakes.

use std::sync::Arc;
use std::time::Duration;

use beam_core::id::{Lineage, SessionId, SignerId};
use beam_core::register::{MemoryRegister, Register, RegisterKey};
use beam_core::roster::Member;
use beam_core::runtime::{RosterCell, SignerHandle, SignerParts, Switchover, start_signer};
use beam_core::signing::{Height, Mark, Record, Refusal, SignerConfig, Statement};
use beam_core::takeover::TakeoverConfig;
use beam_core::testing::{FakeAuditLog, FakeFloor, FakeKey, FaultyRegister};
use tokio::time::Instant;

pub(crate) const TAKEOVER_AFTER: Duration = Duration::from_millis(300);
/// The node drops a signer that says nothing for so long.
pub(crate) const NODE_WAITS: Duration = Duration::from_secs(3);

/// One validator: a register, a key, and the cells.
pub(crate) struct World {
    pub(crate) register: Arc<FaultyRegister<MemoryRegister>>,
    pub(crate) key: Arc<FakeKey>,
    pub(crate) signing: RegisterKey,
    pub(crate) roster: RegisterKey,
}

/// One machine of it.
pub(crate) struct Host {
    pub(crate) handle: SignerHandle,
    pub(crate) session: SessionId,
    pub(crate) me: SignerId,
    pub(crate) floor: Arc<FakeFloor>,
    pub(crate) audit: Arc<FakeAuditLog>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let chain = "test-1".parse().unwrap();
        let address = "0123456789ABCDEF0123456789ABCDEF01234567";
        let world = Self {
            register: Arc::new(FaultyRegister::new(Arc::new(MemoryRegister::new()))),
            key: Arc::new(FakeKey::new(1)),
            signing: RegisterKey::signing(&chain, address).unwrap(),
            roster: RegisterKey::roster(&chain, address).unwrap(),
        };
        let record = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
        world.register.swap(&world.signing, None, record.encode()).await.unwrap();
        world
    }

    pub(crate) async fn host(&self, id: u128) -> Host {
        let (floor, audit) = (Arc::new(FakeFloor::new()), Arc::new(FakeAuditLog::new()));
        let parts = SignerParts {
            register: self.register.clone(),
            key: self.signing.clone(),
            signing_key: self.key.clone(),
            floor: floor.clone(),
            audit: audit.clone(),
        };
        let me = SignerId::from_random(id);
        let takeover = TakeoverConfig { takeover_after: TAKEOVER_AFTER, ..TakeoverConfig::default() };
        let (handle, _) = start_signer(SignerConfig { me, takeover }, parts).await.unwrap();
        Host { handle, session: SessionId::from_random(id), me, floor, audit }
    }

    pub(crate) async fn record(&self) -> Record {
        Record::decode(&self.register.read(&self.signing).await.unwrap().unwrap().value).unwrap()
    }

    /// Somebody signs up to there.
    pub(crate) async fn raise_to(&self, mark: Mark) {
        let cell = self.register.read(&self.signing).await.unwrap().unwrap();
        let record = Record { mark, ..Record::decode(&cell.value).unwrap() };
        self.register.swap(&self.signing, Some(cell.version), record.encode()).await.unwrap();
    }

    pub(crate) fn switchover(&self) -> Switchover {
        let (signing, roster) = (self.signing.clone(), self.roster());
        Switchover { register: self.register.clone(), signing, roster }
    }

    pub(crate) fn roster(&self) -> RosterCell {
        RosterCell::new(self.register.clone(), self.roster.clone())
    }
}

impl Host {
    /// Asks for message `number`, and says how long the answer took.
    pub(crate) async fn sign(&self, number: u64) -> (Result<Vec<u8>, Refusal>, Duration) {
        let began = Instant::now();
        let statement = Statement::numbered(number, format!("message {number}").into_bytes());
        let answer = self.handle.sign(self.session, statement, None).await;
        (answer.map(|release| release.signatures.statement), began.elapsed())
    }

    pub(crate) fn member(&self, height: u64, seen_ms: u64) -> Member {
        Member { signer: self.me, height: Height(height), seen_ms, agent: None }
    }
}
