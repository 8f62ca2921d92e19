//! `beam watermark init` and `import`: the record is made, once, above everything that was ever signed.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use beam_core::id::Lineage;
use beam_core::register::SwapError;
use beam_core::signing::{Height, Known, Mark, Record, Unsure, Wish};
use beam_gaia::rpc::ValidatorAddress;
use beam_gaia::state_files::StateFormat;
use serde::Serialize;

use super::evidence;
use super::proof::Proof;
use super::{Chain, Ending, Output, output};
use crate::assemble;
use crate::cli::WrongUse;
use crate::cli::output::push_line;
use crate::config::Config;

/// What is to be made.
pub(super) struct Making {
    verb: &'static str,
    from: Vec<PathBuf>,
    format: Option<StateFormat>,
    height: Option<u64>,
    chain: Chain,
}

impl Making {
    pub(super) fn init(height: Option<u64>, chain: Chain) -> Self {
        Self { verb: "init", from: Vec::new(), format: None, height, chain }
    }

    pub(super) fn import(
        from: Vec<PathBuf>,
        format: Option<StateFormat>,
        height: Option<u64>,
        chain: Chain,
    ) -> Self {
        Self { verb: "import", from, format, height, chain }
    }
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    verb: &'static str,
    done: bool,
    /// Why not, if it was refused.
    refused: Option<String>,
    record: String,
    register: String,
    /// Everything up to and including it counts as signed.
    mark: Option<Mark>,
    proof: Proof,
}

pub(super) async fn run(config: &Config, making: Making) -> Result<Ending> {
    if making.chain.offline && making.height.is_none() {
        bail!(WrongUse(
            "--offline needs --height, above everything that this key may have signed".to_owned()
        ));
    }
    let keys = assemble::cells(config)?;
    if let Some(there) = there_already(config).await? {
        bail!(there);
    }
    let proof = gather(config, &making).await?;
    if making.verb == "import" && proof.files.is_empty() {
        bail!(WrongUse(
            "there is no state file to import from; give --from FILE for every old signer, or use `beam watermark init`"
                .to_owned()
        ));
    }
    let decided = decide(&making, &proof);
    let report = Report {
        schema: "beam.watermark.make/1",
        verb: making.verb,
        done: decided.is_ok() && !making.chain.dry_run,
        refused: decided.as_ref().err().cloned(),
        record: keys.signing.to_string(),
        register: config.register()?.to_string(),
        mark: decided.as_ref().ok().copied(),
        proof,
    };
    if let (Ok(mark), false) = (&decided, making.chain.dry_run) {
        make(config, Record::begin(Lineage::from_random(assemble::random()?), *mark)).await?;
    }
    match making.chain.output {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&text(&report))?,
    }
    match decided {
        Ok(_) => Ok(Ending::Fine),
        Err(refused) => bail!("{refused}. Nothing was changed"),
    }
}

async fn gather(config: &Config, making: &Making) -> Result<Proof> {
    let files = evidence::files(config, &making.from, making.format)?;
    let floor = assemble::peek_floor(config)?.map(|floor| floor.mark);
    let mut proof = Proof { files, floor, ..Proof::default() };
    if making.chain.offline {
        proof.chain_unknown = Some("--offline".to_owned());
        return Ok(proof);
    }
    let validator: ValidatorAddress = assemble::validator(config)?.parse()?;
    match evidence::chain(config, making.chain.rpc.as_deref(), &validator).await {
        Ok(chain) => proof.chain = Some(chain),
        // A height that a person gives to `init` is that person's word already.
        Err(error) if making.verb == "init" && making.height.is_some() && making.chain.rpc.is_none() => {
            proof.chain_unknown = Some(format!("{error:#}"));
        }
        Err(error) => {
            return Err(error.context(
                "the chain must be asked: give --rpc URL of a node that follows it, or --offline and a --height above everything signed; \
                 nothing was changed",
            ));
        }
    }
    Ok(proof)
}

fn decide(making: &Making, proof: &Proof) -> Result<Mark, String> {
    if proof.chain.as_ref().is_some_and(|chain| chain.signs_now) {
        return Err("somebody signs with this key right now, and not through this register: stop every old signer first, and \
                    look for a second register"
            .to_owned());
    }
    let remembered = proof.remembered();
    let known = Known { remembered: &remembered, tip: proof.tip() };
    let wish = making.height.map_or(Wish::Lowest, |height| Wish::Exactly(Height(height)));
    known.begin_at(wish, making.chain.accept_ahead).map_err(|unsure| match unsure {
        Unsure::ChainUnknown => {
            format!("{unsure}; give --height, above everything that this key may have signed")
        }
        Unsure::FarAhead { .. } => format!("{unsure}; --accept-ahead if it is meant"),
        Unsure::TooLow { .. } if proof.chain.is_some() => {
            format!("{unsure}; without --height it is worked out")
        }
        _ => unsure.to_string(),
    })
}

/// That there is a record, found before anybody waits for blocks.
async fn there_already(config: &Config) -> Result<Option<String>> {
    let Some(register) = assemble::register::if_there(config).await? else { return Ok(None) };
    let cell = register.read(&assemble::cells(config)?.signing).await?;
    Ok(cell.map(|cell| already(&cell.value)))
}

fn already(value: &[u8]) -> String {
    let at = Record::decode(value)
        .map_or_else(|_| "unreadable".to_owned(), |record| format!("at {}", record.mark.in_words()));
    format!("there is a record already ({at}); it is not replaced. Nothing was changed")
}

async fn make(config: &Config, record: Record) -> Result<()> {
    let keys = assemble::cells(config)?;
    let at = config.register()?;
    let register = assemble::register::make(config)
        .await
        .with_context(|| format!("the register {at} could not be made"))?;
    match register.swap(&keys.signing, None, record.encode()).await {
        Ok(_) => Ok(()),
        Err(SwapError::Conflict { current }) => {
            bail!(already(&current.map(|cell| cell.value).unwrap_or_default()))
        }
        Err(error) => Err(error).context("the record may not have been made; `beam watermark show` tells"),
    }
}

fn text(report: &Report) -> String {
    let mut out = format!("what may have been signed:\n{}", report.proof.table());
    if let Some(mark) = report.mark {
        let (made, counts) = if report.done { ("made", "counts") } else { ("would make", "would count") };
        push_line!(out, "{made} the record {} in {}", report.record, report.register);
        push_line!(out, "everything up to and including height {} {counts} as signed", mark.height);
    }
    out
}
