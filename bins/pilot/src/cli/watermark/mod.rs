//! `beam watermark`: making the register's record, showing it, and going on after the register was put back.
//!
//! A record begins, or begins again, above everything that was ever signed. What is known of that is gathered in [`evidence`],
//! printed whole, and decided upon by `beam_core::signing::Known`.

mod adopt;
mod evidence;
mod make;
mod proof;
mod show;

use std::path::{Path, PathBuf};

use anyhow::Result;
use beam_gaia::state_files::StateFormat;

use super::{Ending, Output, output};
use crate::config::Config;

/// Where the chain's view comes from, and how sure a person is. The same for all that change the record.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Chain {
    /// A node to ask for the chain's newest block and our last vote; the one in node.toml if it is not given. Any
    /// node of yours that follows the chain will do, such as a sentry.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Ask no node. Your word stands for the chain's: give a height above everything that this key may have signed.
    #[arg(long)]
    offline: bool,
    /// A height far above the chain's newest is no mistake. It can never be lowered again.
    #[arg(long)]
    accept_ahead: bool,
    /// Say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Shows the record and this machine's floor.
    #[command(
        after_help = "Example: beam watermark show --output json\nExit code 0: shown; 2: the register cannot be read, or has no record."
    )]
    Show {
        /// How to write it.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Makes the record, once for a validator. Everything up to and including the height counts as signed.
    ///
    /// Give the highest height at which this key may ever have signed anything: 0 if it never did. Without one it is worked
    /// out from the node's own state file and the chain, as `import` does.
    #[command(
        after_help = "Example: beam watermark init --height 0      for a key that never signed anything\nExit code 0: the record is made, or would be; 2: it was not, and nothing was changed; 64: wrong use."
    )]
    Init {
        /// The highest height that may have been signed.
        #[arg(long)]
        height: Option<u64>,
        #[command(flatten)]
        chain: Chain,
    },
    /// Makes the record from what the old signers remember, and prints every number that was compared.
    ///
    /// Stop every old signer first, for good. Then give the state files of all of them: gaiad's
    /// data/priv_validator_state.json, TMKMS' state_file, Horcrux' CHAIN_priv_validator_state.json and
    /// CHAIN_share_sign_state.json of every cosigner.
    #[command(
        after_help = "Example: beam watermark import --from /old/cosmoshub-4-state.json --rpc http://10.0.0.5:26657\nExit code 0: the record is made, or would be; 2: it was not, and nothing was changed; 64: wrong use."
    )]
    Import {
        /// A state file; may be given several times. What `init --from` brought along is looked at anyway.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        from: Vec<PathBuf>,
        /// Who wrote the files: auto, gaiad, tmkms or horcrux.
        #[arg(long, default_value = "auto", value_parser = format)]
        format: Form,
        /// Begin above this height, if that is higher than needed.
        #[arg(long)]
        height: Option<u64>,
        #[command(flatten)]
        chain: Chain,
    },
    /// Lets this machine accept a register that was put back, or whose record was made anew.
    ///
    /// Stop every pilot of this validator first, and find out why the register went back: two registers in use at once are
    /// two signers. Then run this on each machine. It raises the register's mark above everything that is known to be signed,
    /// gives it to nobody, and lets this machine's floor follow.
    #[command(
        after_help = "Example: beam watermark adopt --dry-run\nIn a script: beam watermark adopt --yes --at-least 12345678\nExit code 0: this machine accepts the register, or would; 2: it does not, and nothing was changed; 64: wrong use."
    )]
    Adopt {
        /// The mark shall be at least at the end of this height.
        #[arg(long, value_name = "HEIGHT")]
        at_least: Option<u64>,
        /// Ask nothing; needs --at-least.
        #[arg(long, requires = "at_least")]
        yes: bool,
        #[command(flatten)]
        chain: Chain,
    },
}

/// A form of state file that was named, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form(Option<StateFormat>);

fn format(text: &str) -> Result<Form, String> {
    if text == "auto" {
        return Ok(Form(None));
    }
    text.parse().map(|format| Form(Some(format))).map_err(|error| format!("{error}, or auto"))
}

pub(super) async fn run(home: &Path, verb: Verb) -> Result<Ending> {
    let config = Config::load(home)?;
    match verb {
        Verb::Show { output } => show::run(&config, output).await,
        Verb::Init { height, chain } => make::run(&config, make::Making::init(height, chain)).await,
        Verb::Import { from, format, height, chain } => {
            make::run(&config, make::Making::import(from, format.0, height, chain)).await
        }
        Verb::Adopt { at_least, yes, chain } => adopt::run(&config, at_least, yes, chain).await,
    }
}
