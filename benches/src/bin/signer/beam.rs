//! The signer's end: the parts of `beam start`, put together the same way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use beam_benches::node::{CHAIN, Node};
use beam_core::floor_store::FloorStore;
use beam_core::id::{ChainId, Lineage, SessionId, SignerId};
use beam_core::register::{MemoryRegister, Register, RegisterKey};
use beam_core::runtime::{SignerParts, start_signer};
use beam_core::signing::{Height, Mark, Record, SignerConfig};
use beam_core::signing_key::SigningKey as _;
use beam_core::sqlite::SqliteRegister;
use beam_core::takeover::TakeoverConfig;
use beam_core::testing::FakeFloor;
use beam_gaia::audit_file::AuditFile;
use beam_gaia::floor_file::FloorFile;
use beam_gaia::keys::KeyFile;
use beam_gaia::privval::{Dialer, Service};
use tokio::sync::watch;

use crate::filepv;

/// Where register and floor are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stores {
    /// As in production.
    Disk,
    /// In this process.
    Memory,
}

/// Starts a signer with a thread of its own, and the node that it serves.
pub(crate) fn start(stores: Stores, dir: &Path, socket: &Path) -> Result<Node> {
    let (dir, address) = (dir.to_owned(), format!("unix://{}", socket.display()));
    Node::listen(socket, || {
        let name = format!("signer-{stores:?}").to_lowercase();
        // It ends with the process: its node is the last to ask anything.
        thread::Builder::new().name(name.clone()).spawn(move || {
            if let Err(error) = serve(stores, &dir.join(&name), &filepv::key_file(&dir), &address) {
                eprintln!("signer: {error:#}");
            }
        })?;
        Ok(())
    })
}

fn serve(stores: Stores, dir: &Path, key: &Path, address: &str) -> Result<()> {
    std::fs::create_dir(dir)?;
    // One thread, as the pilot has.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let chain: ChainId = CHAIN.parse()?;
        let key = Arc::new(KeyFile::load(key).context("the key file")?);
        let cell = RegisterKey::signing(&chain, &key.address())?;
        let (register, floor) = open(stores, dir).await?;
        let record = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
        register.swap(&cell, None, record.encode()).await?;
        let parts = SignerParts {
            register,
            key: cell,
            signing_key: key.clone(),
            floor,
            audit: Arc::new(AuditFile::open(dir.join("audit.jsonl"), "bench", chain.clone())?),
        };
        let config = SignerConfig { me: SignerId::from_random(2), takeover: TakeoverConfig::default() };
        let (handle, _signer) = start_signer(config, parts).await?;
        let (_session, sessions) = watch::channel(SessionId::from_random(3));
        let service = Service::new(chain, key.public_key(), handle, sessions);
        Dialer::new(address.parse()?, service).run(std::future::pending()).await;
        anyhow::Ok(())
    })
}

async fn open(stores: Stores, dir: &Path) -> Result<(Arc<dyn Register>, Arc<dyn FloorStore>)> {
    let file = |name: &str| -> PathBuf { dir.join(name) };
    Ok(match stores {
        Stores::Disk => (
            Arc::new(SqliteRegister::create(&file("register.db")).await?),
            Arc::new(FloorFile::open(file("floor"))?),
        ),
        Stores::Memory => (Arc::new(MemoryRegister::new()), Arc::new(FakeFloor::new())),
    })
}
