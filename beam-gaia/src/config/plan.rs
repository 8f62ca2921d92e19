//! What would have to change.

use std::fmt;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::role::{InForce, NodeRole, Setting};

/// One key that changes, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key with its table, such as `p2p.pex`.
    pub key: String,
    /// Its value so far, as TOML; `None` if it was not there.
    pub from: Option<String>,
    /// Its new value, as TOML.
    pub to: String,
    /// What it is good for.
    pub why: &'static str,
    /// When a node that runs takes it in.
    pub in_force: InForce,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("not there");
        write!(f, "{}: {from} -> {} ({})", self.key, self.to, self.why)
    }
}

/// The file has a value where a table belongs, or a table where a value does; nobody's node reads that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is not what a node's config.toml has under this name")]
pub struct NotATable {
    /// The table or key.
    pub key: String,
}

/// What must change in a node's `config.toml` for this role; nothing if it is right already.
///
/// # Errors
/// [`NotATable`] if the document cannot be a node's `config.toml`.
pub fn plan(document: &DocumentMut, role: &NodeRole) -> Result<Vec<Change>, NotATable> {
    // Planned on a copy that is really changed, so that a plan cannot say another thing than what is done.
    carry_out(&mut document.clone(), role)
}

/// Makes the document right for this role.
pub(super) fn carry_out(document: &mut DocumentMut, role: &NodeRole) -> Result<Vec<Change>, NotATable> {
    put_all(document, role.settings())
}

/// Makes right only what a running node takes in by being told to dial.
pub(super) fn carry_out_dialled(
    document: &mut DocumentMut,
    role: &NodeRole,
) -> Result<Vec<Change>, NotATable> {
    let settings = role.settings().into_iter();
    put_all(document, settings.filter(|setting| setting.in_force == InForce::WhenDialled).collect())
}

fn put_all(document: &mut DocumentMut, settings: Vec<Setting>) -> Result<Vec<Change>, NotATable> {
    let mut changes = Vec::new();
    for setting in settings {
        changes.extend(put(document.as_table_mut(), setting)?);
    }
    Ok(changes)
}

fn put(root: &mut Table, setting: Setting) -> Result<Option<Change>, NotATable> {
    let Setting { table, key, mut value, why, in_force, only_if_there } = setting;
    let name = table.map_or_else(|| key.to_owned(), |table| format!("{table}.{key}"));
    let wrong = |key: &str| NotATable { key: key.to_owned() };
    let table: &mut dyn TableLike = match table {
        None => root,
        Some(table) => {
            if only_if_there && !root.contains_key(table) {
                return Ok(None);
            }
            let item = root.entry(table).or_insert_with(|| Item::Table(Table::new()));
            item.as_table_like_mut().ok_or_else(|| wrong(table))?
        }
    };
    let to = value.to_string();
    let from = match table.get_mut(key) {
        None if only_if_there => return Ok(None),
        None => {
            table.insert(key, Item::Value(value));
            None
        }
        Some(item) => {
            let there = item.as_value_mut().ok_or_else(|| wrong(&name))?;
            if same(there, &value) {
                return Ok(None);
            }
            let from = bare(there);
            // The spaces around it and the comment behind it.
            *value.decor_mut() = there.decor().clone();
            *there = value;
            Some(from)
        }
    };
    Ok(Some(Change { key: name, from, to, why, in_force }))
}

/// Whether two values mean the same, however they are written (`'a'` and `"a"`).
fn same(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::String(there), Value::String(wanted)) => there.value() == wanted.value(),
        (Value::Integer(there), Value::Integer(wanted)) => there.value() == wanted.value(),
        (Value::Boolean(there), Value::Boolean(wanted)) => there.value() == wanted.value(),
        _ => false,
    }
}

fn bare(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Peers;
    use super::*;

    const REAL: &str = include_str!("fixtures/cometbft-0.38.toml");

    fn validator(peers: Peers) -> NodeRole {
        NodeRole::Validator { priv_validator_laddr: "unix:///run/beam/p.sock".into(), peers }
    }

    fn sentry(peers: Peers) -> NodeRole {
        NodeRole::Sentry { peers }
    }

    /// The text after the changes, and the changed keys with old and new value.
    fn done(text: &str, role: &NodeRole) -> (String, Vec<String>) {
        let mut document: DocumentMut = text.parse().unwrap();
        let planned = plan(&document, role).unwrap();
        assert_eq!(document.to_string(), text, "planning changed the document");
        assert_eq!(carry_out(&mut document, role).unwrap(), planned);
        let text = document.to_string();
        assert_eq!(plan(&text.parse().unwrap(), role).unwrap(), [], "a second time still changes something");
        let told =
            planned.into_iter().map(|c| format!("{} {:?} {}", c.key, c.from.as_deref(), c.to)).collect();
        (text, told)
    }

    #[test]
    fn a_real_file_becomes_a_validators() {
        let peers = Peers {
            persistent: Some(vec!["a@10.0.0.1:26656".into(), "b@10.0.0.2:26656".into()]),
            ..Peers::default()
        };
        let (text, told) = done(REAL, &validator(peers));
        assert_eq!(
            told,
            [
                r#"priv_validator_laddr Some("\"\"") "unix:///run/beam/p.sock""#,
                r#"p2p.pex Some("true") false"#,
                r#"p2p.addr_book_strict Some("true") false"#,
                r#"p2p.persistent_peers Some("\"\"") "a@10.0.0.1:26656,b@10.0.0.2:26656""#,
            ]
        );
        // Only those four lines differ.
        let differing = REAL.lines().zip(text.lines()).filter(|(before, after)| before != after).count();
        assert_eq!((differing, text.lines().count()), (4, REAL.lines().count()));
    }

    #[test]
    fn a_real_file_is_right_for_a_sentry_but_for_the_address_book_and_redialling() {
        const SENTRY: [&str; 2] = [
            r#"p2p.addr_book_strict Some("true") false"#,
            r#"p2p.persistent_peers_max_dial_period Some("\"0s\"") "30s""#,
        ];
        let (_, told) = done(REAL, &sentry(Peers::default()));
        assert_eq!(told, SENTRY);
        let private = Peers { private_ids: Some(vec!["a".into(), "b".into()]), ..Peers::default() };
        let (_, told) = done(REAL, &sentry(private));
        assert_eq!(told[2], r#"p2p.private_peer_ids Some("\"\"") "a,b""#);
    }

    #[test]
    fn a_validators_file_becomes_a_sentrys() {
        let (text, _) = done(REAL, &validator(Peers::default()));
        let (_, told) = done(&text, &sentry(Peers::default()));
        assert_eq!(
            told,
            [
                r#"priv_validator_laddr Some("\"unix:///run/beam/p.sock\"") """#,
                r#"p2p.pex Some("false") true"#,
                r#"p2p.persistent_peers_max_dial_period Some("\"0s\"") "30s""#,
            ]
        );
    }

    #[test]
    fn what_it_tells_of_itself_and_how_many_it_takes() {
        let peers = Peers {
            external_address: Some("203.0.113.7:26656".into()),
            inbound_max: Some(100),
            outbound_max: Some(40),
            dialable: true,
            ..Peers::default()
        };
        let (_, told) = done(REAL, &sentry(peers));
        assert_eq!(
            told[2..],
            [
                r#"p2p.external_address Some("\"\"") "203.0.113.7:26656""#,
                r#"p2p.max_num_inbound_peers Some("40") 100"#,
                r#"p2p.max_num_outbound_peers Some("10") 40"#,
                r#"rpc.unsafe Some("false") true"#,
            ]
        );
    }

    #[test]
    fn peers_that_share_a_host_are_both_let_in() {
        let told = |hosts: [&str; 2]| {
            let persistent = hosts.iter().map(|host| format!("id@{host}")).collect();
            done(REAL, &validator(Peers { persistent: Some(persistent), ..Peers::default() })).1
        };
        let allowed = r#"p2p.allow_duplicate_ip Some("false") true"#.to_owned();
        assert!(told(["10.0.0.1:26656", "10.0.0.1:26666"]).contains(&allowed));
        assert!(!told(["10.0.0.1:26656", "10.0.0.2:26656"]).contains(&allowed));
    }

    #[test]
    fn only_an_added_peer_can_be_in_force_before_the_next_start() {
        let peers = Peers {
            persistent: Some(vec!["a@h:1".into()]),
            private_ids: Some(vec!["a".into()]),
            ..Peers::default()
        };
        let changes = plan(&REAL.parse().unwrap(), &validator(peers)).unwrap();
        let dialled: Vec<_> = changes.iter().filter(|c| c.in_force == InForce::WhenDialled).collect();
        assert!(matches!(dialled[..], [change] if change.key == "p2p.persistent_peers"), "{dialled:?}");
    }

    #[test]
    fn peers_that_are_not_given_stay_and_an_empty_list_wipes() {
        let text = "[p2p]\npersistent_peers = 'x@h:1' # mine\nprivate_peer_ids = \"y\"\n";
        let (kept, _) = done(text, &validator(Peers::default()));
        assert!(kept.contains("persistent_peers = 'x@h:1' # mine\nprivate_peer_ids = \"y\"\n"), "{kept}");
        let none = Peers { persistent: Some(vec![]), ..Peers::default() };
        assert!(done(text, &validator(none)).0.contains("persistent_peers = \"\" # mine\n"));
        let same = Peers { persistent: Some(vec!["x@h:1".into()]), ..Peers::default() };
        assert!(
            done(text, &validator(same)).0.contains("persistent_peers = 'x@h:1' # mine\n"),
            "quotes were changed"
        );
    }

    #[test]
    fn the_check_that_stops_a_standby_is_turned_off() {
        let (text, told) = done(
            "[consensus]\n# for safety\ndouble_sign_check_height = 10 # blocks\n",
            &validator(Peers::default()),
        );
        assert!(text.contains("# for safety\ndouble_sign_check_height = 0 # blocks\n"), "{text}");
        assert!(told.contains(&r#"consensus.double_sign_check_height Some("10") 0"#.to_owned()));
    }

    #[test]
    fn what_is_missing_is_made_and_stays_readable() {
        let (text, _) = done("moniker = \"m\"\n\n[rpc]\nladdr = \"x\"\n", &validator(Peers::default()));
        let document: DocumentMut = text.parse().unwrap();
        assert_eq!(document["priv_validator_laddr"].as_str(), Some("unix:///run/beam/p.sock"));
        assert_eq!(document["rpc"]["laddr"].as_str(), Some("x"));
        assert_eq!(document["p2p"]["pex"].as_bool(), Some(false));
        assert_eq!(document["consensus"]["double_sign_check_height"].as_integer(), Some(0));
        assert!(document.get("blocksync").is_none(), "a key that not every version knows was added");
    }

    #[test]
    fn a_key_of_newer_versions_is_changed_where_it_is() {
        let (_, told) = done("[blocksync]\nadaptive_sync = true\n", &validator(Peers::default()));
        assert!(told.contains(&r#"blocksync.adaptive_sync Some("true") false"#.to_owned()), "{told:?}");
        assert!(
            !done("[blocksync]\nversion = \"v0\"\n", &validator(Peers::default())).0.contains("adaptive")
        );
    }

    #[test]
    fn a_value_of_another_type_is_replaced_and_a_wrong_shape_refused() {
        let (_, told) = done("[p2p]\npex = \"true\"\n", &validator(Peers::default()));
        assert!(told.contains(&r#"p2p.pex Some("\"true\"") false"#.to_owned()), "{told:?}");
        for (text, key) in [("p2p = 1\n", "p2p"), ("[p2p.pex]\nx = 1\n", "p2p.pex")] {
            let refused = plan(&text.parse().unwrap(), &validator(Peers::default()));
            assert_eq!(refused, Err(NotATable { key: key.into() }));
        }
    }
}
