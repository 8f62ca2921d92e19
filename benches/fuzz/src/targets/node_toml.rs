//! `node.toml`: read as people may have written it, and as `beam init` writes what people answer.

use std::path::PathBuf;
use std::time::Duration;

use beam_core::signing_key::PublicKey;

use crate::config::{
    Answers, DynamoDb, KeyAnswer, Kms, P2p, PinnedKey, RegisterAnswer, S3, SignerAnswers, read, render,
};

/// A file's text. It serves as the answers too.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match read(text) {
        Ok(config) => {
            assert!(!config.name.is_empty() && !config.node.command.is_empty());
            assert_eq!(config.signer().is_ok(), config.register().is_ok());
            assert!(config.rpc().is_ok() && config.socket().is_ok());
        }
        Err(mistakes) => {
            let lines = text.matches('\n').count() + 1;
            assert!(!mistakes.is_empty(), "it is wrong and nobody says why");
            for mistake in mistakes {
                assert!(mistake.line.is_none_or(|line| (1..=lines).contains(&line)), "{mistake} of {lines}");
                assert!(!mistake.to_string().is_empty());
            }
        }
    }
    written(text);
}

/// Whatever is answered, the file that is written of it is one, and says what was answered.
fn written(answer: &str) {
    let mut words = answer.split('\n').map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    let (name, rpc, laddr, home) = (next(), next(), next(), next());
    let answers = Answers {
        name: name.clone(),
        chain_id: "test-1".parse().expect("a chain's id"),
        node_home: PathBuf::from(&home),
        command: vec![next(), next()],
        rpc: rpc.clone(),
        signer: answer.len().is_multiple_of(2).then(|| SignerAnswers {
            key: if answer.len().is_multiple_of(3) {
                KeyAnswer::Kms(Kms {
                    key: next(),
                    region: next(),
                    public_key: PinnedKey(PublicKey([7; 32])),
                    endpoint: None,
                })
            } else {
                KeyAnswer::File(PathBuf::from(&home))
            },
            laddr: laddr.clone(),
            takeover_after: Duration::from_millis(answer.len() as u64),
            rank: 1,
            register: if answer.is_empty() {
                RegisterAnswer::Sqlite(PathBuf::from(&home))
            } else if answer.len().is_multiple_of(5) {
                RegisterAnswer::S3(S3 {
                    bucket: next(),
                    region: next(),
                    prefix: Some(next()),
                    owner: next(),
                    endpoint: None,
                })
            } else {
                RegisterAnswer::DynamoDb(DynamoDb {
                    table: next(),
                    region: next(),
                    table_id: Some(next()),
                    endpoint: None,
                })
            },
        }),
        p2p: P2p { persistent_peers: Some(vec![next()]), external_address: Some(next()), ..P2p::default() },
        agent_listen: None,
    };
    let text = render(&answers);
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{text}\n{error}"));
    let said = |table: &toml::Table, key: &str| table[key].as_str().map(str::to_owned);
    let node = table["node"].as_table().expect("a table");
    assert_eq!(
        (said(&table, "name"), said(node, "rpc"), said(node, "home")),
        (Some(name), Some(rpc), Some(home))
    );
    if answers.signer.is_some() {
        assert_eq!(said(table["signer"].as_table().expect("a table"), "laddr"), Some(laddr));
    }
    // The values may be wrong; the keys are not.
    if let Err(mistakes) = read(&text) {
        assert!(
            mistakes.iter().all(|mistake| mistake.nearest.is_none() && mistake.line.is_some()),
            "{mistakes:?}"
        );
    }
}
