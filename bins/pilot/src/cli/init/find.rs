//! What can be found out on the machine, and asking a person for the rest.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use beam_core::signing_key::PublicKey;
use beam_core::takeover::TakeoverConfig;
use beam_gaia::state_files::{self, StateFormat};

use super::{Args, KeySaid, Place, peers, register};
use crate::cli::WrongUse;
use crate::config::{Answers, DynamoDb, KeyAnswer, Kms, PinnedKey, RegisterAnswer, Role, S3, SignerAnswers};
use crate::node_home::NodeHome;

pub(super) fn find_out(home: &Path, args: &Args) -> Result<Answers> {
    let node_home = node_home(args)?;
    let node = NodeHome::read(&node_home)?;
    let chain_id = match &args.chain_id {
        Some(id) => id.clone(),
        None => node.chain_id()?,
    };
    let command = match &args.node_command {
        Some(command) => shlex::split(command)
            .ok_or_else(|| WrongUse(format!("--node-command {command:?}: a quote is not closed")))?,
        None => ["gaiad", "start", "--home", &node_home.to_string_lossy()].map(str::to_owned).into(),
    };
    let signer = match role(args, &node)? {
        Role::Validator => Some(signer(home, args)?),
        Role::Sentry => None,
    };
    Ok(Answers {
        name: args.name.clone().map_or_else(host_name, Ok)?,
        chain_id,
        rpc: args.rpc.clone().unwrap_or_else(|| node.rpc()),
        node_home,
        command,
        signer,
        p2p: peers(args),
        agent_listen: args.agent_listen,
    })
}

fn signer(home: &Path, args: &Args) -> Result<SignerAnswers> {
    let register = match &args.register {
        Some(register) => register.clone(),
        None => register::parse(&ask(
            "the register that all machines of this validator share, such as /var/lib/beam/register.db, dynamodb:beam@eu-central-1 or \
             s3:beam-123456789012@eu-central-1",
            "--register FILE, --register dynamodb:TABLE@REGION or --register s3:BUCKET@REGION",
        )?)
        .map_err(WrongUse)?,
    };
    Ok(SignerAnswers {
        key: match &args.key {
            Some(KeySaid::File(key)) => KeyAnswer::File(std::path::absolute(expand(key)?)?),
            Some(KeySaid::Kms { key, region }) => KeyAnswer::Kms(Kms {
                key: key.clone(),
                // Found later, as is the public key: it has to be asked for.
                region: region.clone().unwrap_or_default(),
                public_key: PinnedKey(PublicKey([0; 32])),
                endpoint: args.key_endpoint.clone(),
            }),
            None => KeyAnswer::File("validator_key.json".into()),
        },
        laddr: format!("unix://{}", home.join("run/privval.sock").display()),
        takeover_after: args.takeover_after.unwrap_or(TakeoverConfig::default().takeover_after),
        rank: args.rank,
        register: match register {
            Place::File(file) => RegisterAnswer::Sqlite(std::path::absolute(expand(&file)?)?),
            Place::Table { table, region } => RegisterAnswer::DynamoDb(DynamoDb {
                table,
                // Found later, as is the id: it has to be asked for.
                region: region.unwrap_or_default(),
                table_id: None,
                endpoint: args.register_endpoint.clone(),
            }),
            Place::Bucket { bucket, prefix, region } => RegisterAnswer::S3(S3 {
                bucket,
                prefix,
                // As above; so is the owner.
                region: region.unwrap_or_default(),
                owner: args.bucket_owner.clone().unwrap_or_default(),
                endpoint: args.register_endpoint.clone(),
            }),
        },
    })
}

fn node_home(args: &Args) -> Result<PathBuf> {
    if let Some(said) = args.from.as_ref().or(args.node_home.as_ref()) {
        return Ok(std::path::absolute(expand(said)?)?);
    }
    let home = std::env::home_dir().context("there is no home directory; say --node-home")?;
    let usual = home.join(".gaia");
    if NodeHome::is_one(&usual) {
        return Ok(usual);
    }
    let others: Vec<PathBuf> = fs::read_dir(&home)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| NodeHome::is_one(path))
        .collect();
    match others.as_slice() {
        [only] => Ok(only.clone()),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            let what = if names.is_empty() {
                format!("the node's home (there is none in {})", home.display())
            } else {
                format!("the node's home, one of {}", names.join(", "))
            };
            Ok(std::path::absolute(expand(Path::new(&ask(&what, "--node-home DIR")?))?)?)
        }
    }
}

fn role(args: &Args, node: &NodeHome) -> Result<Role> {
    let signed = state_files::read(&node.state_file(), Some(StateFormat::Gaiad));
    let signs = Signs {
        said: args.role,
        adopted: args.from.is_some(),
        key_or_register: args.key.is_some() || args.register.is_some(),
        laddr: node.laddr().is_some(),
        signed: signed.is_ok_and(|state| state.mark.is_some()),
    };
    if let Some(role) = signs.role() {
        return Ok(role);
    }
    match ask("what this machine is for: validator or sentry", "--role validator or --role sentry")?.as_str()
    {
        "validator" => Ok(Role::Validator),
        "sentry" => Ok(Role::Sentry),
        other => Err(WrongUse(format!("{other:?} is no role; say --role validator or --role sentry")).into()),
    }
}

/// What tells a validator's machine from a sentry's. That a home has a key file tells nothing: every node makes one.
struct Signs {
    said: Option<Role>,
    adopted: bool,
    key_or_register: bool,
    laddr: bool,
    signed: bool,
}

impl Signs {
    fn role(&self) -> Option<Role> {
        let validator = self.adopted || self.key_or_register || self.laddr || self.signed;
        self.said.or(validator.then_some(Role::Validator))
    }
}

/// Asks the person at the terminal; if there is none, says which flag answers.
fn ask(what: &str, flag: &str) -> Result<String> {
    let answer = if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        eprint!("{what}: ");
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        answer.trim().to_owned()
    } else {
        String::new()
    };
    if answer.is_empty() {
        return Err(WrongUse(format!("say {flag}: {what}")).into());
    }
    Ok(answer)
}

fn expand(path: &Path) -> Result<PathBuf> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(std::env::home_dir().context("there is no home directory")?.join(rest)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn host_name() -> Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .context("the host's name could not be read; say --name")?;
    Ok(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_what_was_said_or_what_the_home_tells_and_never_guessed() {
        let none =
            || Signs { said: None, adopted: false, key_or_register: false, laddr: false, signed: false };
        assert_eq!(none().role(), None);
        for signs in [
            Signs { adopted: true, ..none() },
            Signs { key_or_register: true, ..none() },
            Signs { laddr: true, ..none() },
            Signs { signed: true, ..none() },
        ] {
            assert_eq!(signs.role(), Some(Role::Validator));
            assert_eq!(Signs { said: Some(Role::Sentry), ..signs }.role(), Some(Role::Sentry));
        }
    }
}
