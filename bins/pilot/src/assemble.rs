//! Putting the parts together: the only place that names concrete types of several crates.

pub(crate) mod key;
pub(crate) mod register;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use beam_core::floor_store::FloorStore as _;
use beam_core::id::SignerId;
use beam_core::register::{Register, RegisterKey};
use beam_core::runtime::{
    HistoryCell, MeasuredRegister, PauseCell, RosterCell, SignerHandle, SignerParts, start_signer,
};
use beam_core::signing::{Floor, Record, Signer, SignerConfig};
use beam_core::takeover::TakeoverConfig;
use beam_gaia::audit_file::AuditFile;
use beam_gaia::floor_file::FloorFile;
use beam_gaia::logs::LogFolder;
use beam_gaia::process::{GaiaProcess, ProcessConfig};
use tokio::task::JoinHandle;

use crate::clock::now_ms;
use crate::config::Config;
use crate::monitor::Tally;
use key::ValidatorKey;

/// The cells of one validator.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) signing: RegisterKey,
    roster: RegisterKey,
    pause: RegisterKey,
    history: RegisterKey,
}

/// The register and its cells.
pub(crate) struct Shared {
    pub(crate) register: Arc<dyn Register>,
    pub(crate) cells: Cells,
}

impl Shared {
    pub(crate) fn roster(&self) -> RosterCell {
        RosterCell::new(self.register.clone(), self.cells.roster.clone())
    }

    pub(crate) fn pause(&self) -> PauseCell {
        PauseCell::new(self.register.clone(), self.cells.pause.clone())
    }

    pub(crate) fn history(&self) -> HistoryCell {
        HistoryCell::new(self.register.clone(), self.cells.history.clone())
    }

    /// The record, which must be there.
    pub(crate) async fn record(&self) -> Result<Record> {
        let cell = self.register.read(&self.cells.signing).await?;
        let cell = cell.context("the register has no record; make one with `beam watermark init`")?;
        Record::decode(&cell.value).context("the register's record is damaged")
    }
}

/// 128 bits from the operating system.
pub(crate) fn random() -> Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the operating system gives no randomness")?;
    Ok(u128::from_le_bytes(bytes))
}

/// The validator's consensus address.
pub(crate) fn validator(config: &Config) -> Result<String> {
    key::address(config)
}

/// The validator's cells.
pub(crate) fn cells(config: &Config) -> Result<Cells> {
    let address = validator(config)?;
    let chain = &config.chain.id;
    Ok(Cells {
        signing: RegisterKey::signing(chain, &address)?,
        roster: RegisterKey::roster(chain, &address)?,
        pause: RegisterKey::pause(chain, &address)?,
        history: RegisterKey::history(chain, &address)?,
    })
}

/// Opens the register, which must be there. See [`register`] for its kinds.
pub(crate) async fn shared(config: &Config) -> Result<Shared> {
    Ok(Shared { register: register::open(config).await?, cells: cells(config)? })
}

/// This machine's floor, looked at without holding it.
pub(crate) fn peek_floor(config: &Config) -> Result<Option<Floor>> {
    Ok(FloorFile::peek(&config.own("floor"))?)
}

/// A validator's signer, running.
pub(crate) struct RunningSigner {
    pub(crate) handle: SignerHandle,
    pub(crate) task: JoinHandle<Signer>,
    pub(crate) me: SignerId,
    pub(crate) key: ValidatorKey,
    pub(crate) shared: Shared,
    /// What the register did, for people.
    pub(crate) measured: MeasuredRegister,
    /// What it released and refused, for people.
    pub(crate) tally: Tally,
}

/// Starts the signer, after everything that it stands on was looked at.
pub(crate) async fn signer(config: &Config) -> Result<RunningSigner> {
    let key = key::open(config).await?;
    let (register, cells) = (register::open_to_sign(config).await?, cells(config)?);
    let measured = MeasuredRegister::new(register);
    let shared = Shared { register: Arc::new(measured.clone()), cells };
    let cell = shared.register.read(&shared.cells.signing).await?;
    let cell = cell.context(
        "the register has no record for this validator, and none is made silently: `beam watermark init` makes it, once",
    )?;
    Record::decode(&cell.value).context("the register's record is damaged; nothing will be signed")?;
    let floor = FloorFile::open(config.own("floor")).context("this machine's floor file cannot be used")?;
    floor.load().await.context("this machine's floor file cannot be used")?;
    let audit = AuditFile::open(config.own("audit.jsonl"), &config.name, config.chain.id.clone())
        .context("the audit file cannot be written")?;
    let (me, tally) = (SignerId::from_random(random()?), Tally::new(Arc::new(audit)));
    let takeover = TakeoverConfig {
        takeover_after: config.signer()?.takeover_after,
        rank: config.signer()?.rank,
        ..TakeoverConfig::default()
    };
    let parts = SignerParts {
        register: shared.register.clone(),
        key: shared.cells.signing.clone(),
        signing_key: key.signing(),
        floor: Arc::new(floor),
        audit: Arc::new(tally.clone()),
    };
    let (handle, task) = start_signer(SignerConfig { me, takeover }, parts).await?;
    // Before the first vote is asked for, so that a pilot that starts in the middle of a pause keeps it.
    let paused = shared.pause().read().await.unwrap_or_default();
    handle.pause_takeovers(paused.at(now_ms()).is_some()).await;
    Ok(RunningSigner { handle, task, me, key, shared, measured, tally })
}

/// The node, not yet started.
pub(crate) fn node(config: &Config) -> Result<GaiaProcess> {
    let (program, args) = config.node.command.split_first().context("node.command is empty")?;
    Ok(GaiaProcess::new(ProcessConfig {
        program: PathBuf::from(program),
        args: args.to_vec(),
        working_dir: None,
        env_removed: not_for_the_node(),
        socket: config.socket()?,
        pid_file: config.own("node.pid"),
        log_file: LogFolder::new(config.own("logs")).raw(),
    }))
}

/// What the node must not find in its environment: what a service manager tells the pilot alone, and settings that would
/// override the `config.toml` that we made right (nodes read `GAIAD_PRIV_VALIDATOR_LADDR` and the like).
fn not_for_the_node() -> Vec<String> {
    let overrides = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let overrides = overrides.filter(|name| {
        let name = name.to_ascii_uppercase();
        name.contains("PRIV_VALIDATOR") || name.contains("DOUBLE_SIGN_CHECK")
    });
    ProcessConfig::SERVICE_MANAGER_ENV.map(str::to_owned).into_iter().chain(overrides).collect()
}
