//! `beam completions` and `beam man`: what a shell and a reader of manuals want, made from the command line itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::{Cli, Ending, output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: beam completions bash > /etc/bash_completion.d/beam")]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: beam man /usr/local/share/man/man1")]
pub(super) struct ManArgs {
    /// The folder, which is made if it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Ending> {
    // Into memory first: the generator panics when it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "beam", &mut script);
    output::text(&String::from_utf8(script)?)?;
    Ok(Ending::Fine)
}

pub(super) fn man(args: &ManArgs) -> Result<Ending> {
    let folder = &args.folder;
    fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("{} could not be written to", folder.display()))?;
    output::text(&format!("wrote the manual to {}\n", folder.display()))?;
    Ok(Ending::Fine)
}
