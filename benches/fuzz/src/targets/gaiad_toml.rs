//! The node's `config.toml`, made right for a role: on a copy of the file, as the pilot does.

use std::cell::OnceCell;
use std::fs;

use beam_gaia::config::{Change, NodeRole, Peers, apply, missing, plan};
use tempfile::TempDir;
use toml_edit::DocumentMut;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// The first byte is the role; the rest is the file's text.
pub fn run(bytes: &[u8]) {
    let Some((role, text)) = bytes.split_first() else { return };
    let (role, Ok(text)) = (role_of(*role), std::str::from_utf8(text)) else { return };
    let Ok(document) = text.parse::<DocumentMut>() else { return };
    let Ok(planned) = plan(&document, &role) else { return };
    assert_eq!(plan(&document, &role).as_ref(), Ok(&planned));
    let (done, after) = applied(text, &role);
    let Some(done) = done else {
        assert_eq!(after, text, "it was refused and written");
        return;
    };
    assert_eq!(done, planned, "another thing was done than planned");
    right(&after, &role);
    if planned.is_empty() {
        assert_eq!(after, text);
        return;
    }
    let after: DocumentMut = after.parse().unwrap_or_else(|error| panic!("{after}\nis no TOML: {error}"));
    assert_eq!(plan(&after, &role), Ok(Vec::new()), "made right, it is not right");
    only_that_changed(&document, after, &planned);
}

/// What matters most stands in the file, by the word of another reader.
fn right(text: &str, role: &NodeRole) {
    // What only one of two readers takes for TOML is not for us to judge.
    let Ok(file) = text.parse::<toml::Table>() else { return };
    let p2p = file["p2p"].as_table().expect("a table");
    let (laddr, pex) = match role {
        NodeRole::Validator { priv_validator_laddr, .. } => (priv_validator_laddr.as_str(), false),
        _ => ("", true),
    };
    assert_eq!(file["priv_validator_laddr"].as_str(), Some(laddr));
    assert_eq!(p2p["pex"].as_bool(), Some(pex));
    assert_eq!(file["consensus"]["double_sign_check_height"].as_integer(), Some(0));
    if let Some(peers) = &role.peers().persistent {
        assert_eq!(p2p["persistent_peers"].as_str(), Some(peers.join(",").as_str()));
    }
    if role.peers().dialable {
        assert_eq!(file["rpc"]["unsafe"].as_bool(), Some(true));
    }
}

/// What was changed, if it was, and the file's text then.
fn applied(text: &str, role: &NodeRole) -> (Option<Vec<Change>>, String) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let path = folder.path().join("config.toml");
        fs::write(&path, text).expect("a file");
        let told = missing(&path, role).expect("what was planned");
        let done = apply(&path, role).ok();
        assert!(done.as_ref().is_none_or(|done| *done == told));
        (done, fs::read_to_string(&path).expect("a file"))
    })
}

/// With the changed keys taken out, both say the same.
fn only_that_changed(before: &DocumentMut, after: DocumentMut, changes: &[Change]) {
    let plain = |document: &DocumentMut| -> toml::Table {
        document.to_string().parse().unwrap_or_else(|error| panic!("{document}\n{error}"))
    };
    let without = |mut table: toml::Table| {
        for change in changes {
            match change.key.split_once('.') {
                None => _ = table.remove(&change.key),
                Some((outer, key)) => {
                    let inner = table.get_mut(outer).and_then(toml::Value::as_table_mut);
                    inner.map(|inner| inner.remove(key));
                    // A table that was made for it.
                    table.retain(|name, value| {
                        name != outer || value.as_table().is_none_or(|table| !table.is_empty())
                    });
                }
            }
        }
        table
    };
    let Ok(before) = before.to_string().parse::<toml::Table>() else { return };
    // By their texts: NaN is not itself.
    assert_eq!(without(before).to_string(), without(plain(&after)).to_string());
}

fn role_of(byte: u8) -> NodeRole {
    let some = |text: &str| Some(vec![text.to_owned(), format!("{text}0")]);
    let peers = match byte >> 1 & 3 {
        0 => Peers::default(),
        1 => Peers { dialable: true, persistent: some("id@127.0.0.1:1"), ..Peers::default() },
        2 => Peers { persistent: Some(Vec::new()), private_ids: some("x"), ..Peers::default() },
        _ => Peers {
            unconditional_ids: some("y"),
            external_address: Some("203.0.113.7:1".to_owned()),
            inbound_max: Some(1),
            outbound_max: Some(u32::MAX),
            ..Peers::default()
        },
    };
    if byte & 1 == 0 {
        NodeRole::Validator { priv_validator_laddr: "unix:///run/beam/p.sock".to_owned(), peers }
    } else {
        NodeRole::Sentry { peers }
    }
}
