//! Every check against a machine that is well, and against one that has just that illness.

use std::collections::BTreeSet;
use std::time::Duration;

use beam_aws::s3::Versioning;
use beam_core::signing::{Above, Height, Mark};

use super::super::facts::*;
use super::super::{Finding, Severity};
use super::{checks, node};
use crate::assemble::register::Ground;
use crate::config::Role;

fn well(role: Role) -> Facts {
    let validator = role == Role::Validator;
    Facts {
        role,
        key: validator.then(|| KeyFacts {
            usable: Ok("139E".to_owned()),
            kept: KeptFacts::File { memory_locked: Ok(true) },
            node_could_sign: None,
            exposures: Vec::new(),
            swap: Ok(true),
        }),
        files: NodeFiles {
            config: Ok(ConfigToml {
                laddr: validator.then(|| "unix:///run/p.sock".to_owned()),
                double_sign_check_height: 0,
                pex: !validator,
                addr_book_strict: false,
                persistent_peers: vec!["aa@10.0.0.5:26656".to_owned()],
                private_peer_ids: vec!["bb".to_owned()],
                rpc_laddr: "tcp://127.0.0.1:26657".to_owned(),
                rpc_unsafe: false,
                pprof_laddr: "localhost:6060".to_owned(),
                prometheus: Some("10.0.0.5:26660".to_owned()),
            }),
            app: Ok(Some(AppToml {
                halt_height: 0,
                halt_time: 0,
                minimum_gas_prices: "0.005uatom".to_owned(),
                snapshot_interval: if validator { 0 } else { 1000 },
                served: vec!["tcp://localhost:1317".to_owned()],
            })),
            unknown_keys: Vec::new(),
            node_id: Ok("cc".to_owned()),
            same_node_key: Vec::new(),
            wanted_laddr: validator.then(|| "unix:///run/p.sock".to_owned()),
        },
        running: Running {
            pilot: true,
            node: Some(7),
            program: Ok("/usr/bin/gaiad".into()),
            version: Ok("v28.0.0".to_owned()),
            files_here: Ok(65536),
            files_of_node: Ok(65536),
            ports_taken: Vec::new(),
            socket: SocketFacts::Listening,
            unit: Ok(UnitFacts {
                file: "/etc/systemd/system/beam.service".into(),
                limit_nofile: Some(65536),
            }),
        },
        host: HostFacts {
            disks: vec![DiskFacts { what: "the node's home", free_bytes: 50, total_bytes: 100 }],
            flush: Ok(Duration::from_millis(2)),
            clock_synchronized: Ok(true),
            folders: vec![("/home/beam/.beam".into(), 0o700)],
        },
        register: validator.then(|| RegisterFacts {
            read: Ok(Latency { p50: Duration::from_millis(1), p99: Duration::from_millis(2) }),
            ground: Ok(Ground::File { in_memory: Ok(false) }),
            mark: Ok(Some(Mark::end_of(Height(5)))),
            above: Ok(Some(Above::Higher)),
            doubled: Vec::new(),
            contended: Ok(Vec::new()),
        }),
        chain: ChainFacts {
            network: Ok("cosmoshub-4".to_owned()),
            wanted: "cosmoshub-4".to_owned(),
            peers: Ok(5),
            references: ReferenceFacts { asked: 2, answered: 2 },
            clock_behind: Ok(Duration::ZERO),
        },
    }
}

fn config(facts: &mut Facts) -> &mut ConfigToml {
    facts.files.config.as_mut().unwrap()
}

fn app(facts: &mut Facts) -> &mut AppToml {
    facts.files.app.as_mut().unwrap().as_mut().unwrap()
}

fn key(facts: &mut Facts) -> &mut KeyFacts {
    facts.key.as_mut().unwrap()
}

fn locked(memory_locked: Fact<bool>) -> KeptFacts {
    KeptFacts::File { memory_locked }
}

fn in_kms(ms: u64) -> KeptFacts {
    let took = Duration::from_millis(ms);
    KeptFacts::Kms { sign: Ok(Latency { p50: took, p99: took }) }
}

fn register(facts: &mut Facts) -> &mut RegisterFacts {
    facts.register.as_mut().unwrap()
}

fn bucket(versioning: Versioning) -> Fact<Ground> {
    Ok(Ground::Bucket { versioning: Ok(versioning) })
}

fn table(protected: bool, pinned: bool) -> Fact<Ground> {
    Ok(Ground::Table { protected, pinned, id: Some("1".to_owned()) })
}

const NO: fn() -> String = || "not known".to_owned();

type Illness = (&'static str, Severity, Role, fn(&mut Facts));

/// One illness a line: the check that must find it, how bad, on which role, and what it is.
const ILLNESSES: &[Illness] = {
    use Role::{Sentry as S, Validator as V};
    use Severity::{Fail, Unknown, Warn};
    &[
        ("key-file", Fail, V, |f| {
            key(f).usable = Err("/k is open to others (mode 644); run `chmod 600 /k`".into())
        }),
        ("key-kms", Fail, V, |f| (key(f).kept, key(f).usable) = (in_kms(8), Err("denied".into()))),
        ("key-sign", Warn, V, |f| key(f).kept = in_kms(100)),
        ("key-sign", Fail, V, |f| key(f).kept = KeptFacts::Kms { sign: Err(NO()) }),
        ("key-in-node-home", Fail, V, |f| key(f).node_could_sign = Some("it holds the key".into())),
        ("key-memory", Fail, V, |f| key(f).kept = locked(Ok(false))),
        ("key-memory", Warn, V, |f| (key(f).kept, key(f).swap) = (locked(Ok(false)), Ok(false))),
        ("key-memory", Unknown, V, |f| key(f).kept = locked(Err(NO()))),
        ("core-dumps", Warn, V, |f| key(f).exposures = vec!["core dumps could not be switched off".into()]),
        ("node-config", Fail, V, |f| f.files.config = Err("not TOML".into())),
        ("node-app", Fail, S, |f| f.files.app = Err("not TOML".into())),
        ("priv-validator-laddr", Fail, V, |f| config(f).laddr = None),
        ("priv-validator-laddr", Warn, V, |f| config(f).laddr = Some("tcp://127.0.0.1:1".into())),
        ("priv-validator-laddr", Fail, S, |f| config(f).laddr = Some("unix:///x".into())),
        ("double-sign-check-height", Fail, V, |f| config(f).double_sign_check_height = 10),
        ("double-sign-check-height", Warn, S, |f| config(f).double_sign_check_height = 10),
        ("pex", Warn, V, |f| config(f).pex = true),
        ("pex", Warn, S, |f| config(f).pex = false),
        ("persistent-peers", Fail, V, |f| config(f).persistent_peers.clear()),
        ("persistent-peers", Warn, S, |f| config(f).persistent_peers.clear()),
        ("private-peer-ids", Warn, S, |f| config(f).private_peer_ids.clear()),
        ("addr-book-strict", Warn, V, |f| config(f).addr_book_strict = true),
        ("own-id-among-peers", Fail, V, |f| config(f).persistent_peers.push("cc@10.0.0.9:26656".into())),
        ("own-id-among-peers", Fail, S, |f| config(f).private_peer_ids.push("cc".into())),
        ("rpc-open", Fail, V, |f| config(f).rpc_laddr = "tcp://0.0.0.0:26657".into()),
        ("rpc-open", Warn, S, |f| config(f).rpc_laddr = "tcp://0.0.0.0:26657".into()),
        ("rpc-unsafe", Fail, S, |f| config(f).rpc_unsafe = true),
        ("pprof-open", Fail, S, |f| config(f).pprof_laddr = "0.0.0.0:6060".into()),
        ("prometheus-open", Warn, V, |f| config(f).prometheus = Some(":26660".into())),
        ("halt-height", Warn, V, |f| app(f).halt_height = 5),
        ("halt-height", Warn, S, |f| app(f).halt_time = 5),
        ("min-gas-prices", Warn, V, |f| app(f).minimum_gas_prices.clear()),
        ("api-open", Warn, V, |f| app(f).served.push("0.0.0.0:9090".into())),
        ("state-sync-snapshots", Warn, V, |f| app(f).snapshot_interval = 1000),
        ("unknown-keys", Warn, V, |f| f.files.unknown_keys.push("p2p.pexx in config.toml".into())),
        ("node-key", Fail, V, |f| f.files.same_node_key.push("/home/beam/.gaia2".into())),
        ("node-key", Unknown, V, |f| f.files.node_id = Err(NO())),
        ("node-program", Fail, V, |f| f.running.program = Err("gaiad is nowhere in PATH".into())),
        ("open-files", Warn, V, |f| f.running.files_of_node = Ok(1024)),
        ("open-files", Unknown, V, |f| f.running.files_of_node = Err(NO())),
        ("open-files", Warn, V, |f| (f.running.node, f.running.files_here) = (None, Ok(1024))),
        ("ports-taken", Fail, V, |f| f.running.ports_taken.push("rpc 127.0.0.1:26657".into())),
        ("signer-socket", Fail, V, |f| f.running.socket = SocketFacts::Stale),
        ("signer-socket", Fail, V, |f| f.running.socket = SocketFacts::InTheWay),
        ("signer-socket", Fail, V, |f| f.running.socket = SocketFacts::TooLong(150)),
        ("systemd-unit", Warn, V, |f| f.running.unit.as_mut().unwrap().limit_nofile = None),
        ("systemd-unit", Unknown, V, |f| f.running.unit = Err(NO())),
        ("chain-id", Fail, V, |f| f.chain.network = Ok("theta".into())),
        ("peers", Warn, V, |f| f.chain.peers = Ok(0)),
        ("references", Warn, V, |f| f.chain.references = ReferenceFacts { asked: 0, answered: 0 }),
        ("references", Warn, V, |f| f.chain.references.answered = 0),
        ("disk-free", Warn, V, |f| f.host.disks[0].free_bytes = 14),
        ("disk-free", Fail, V, |f| f.host.disks[0].free_bytes = 4),
        ("disk-flush", Warn, V, |f| f.host.flush = Ok(Duration::from_millis(50))),
        ("disk-flush", Fail, V, |f| f.host.flush = Ok(Duration::from_millis(500))),
        ("disk-flush", Unknown, V, |f| f.host.flush = Err(NO())),
        ("clock-synchronized", Warn, V, |f| f.host.clock_synchronized = Ok(false)),
        ("clock-synchronized", Unknown, V, |f| f.host.clock_synchronized = Err(NO())),
        ("clock-behind", Fail, V, |f| f.chain.clock_behind = Ok(Duration::from_secs(2))),
        ("clock-behind", Unknown, V, |f| f.chain.clock_behind = Err(NO())),
        ("folders", Fail, V, |f| f.host.folders[0].1 = 0o750),
        ("register", Fail, V, |f| register(f).read = Err("there is no register".into())),
        ("register", Warn, V, |f| {
            register(f).read = Ok(Latency { p50: Duration::from_millis(5), p99: Duration::from_millis(100) })
        }),
        ("register-store", Fail, V, |f| register(f).ground = Ok(Ground::File { in_memory: Ok(true) })),
        ("register-store", Unknown, V, |f| register(f).ground = Ok(Ground::File { in_memory: Err(NO()) })),
        ("register-store", Warn, V, |f| register(f).ground = bucket(Versioning::Suspended)),
        ("register-store", Warn, V, |f| register(f).ground = bucket(Versioning::Never)),
        ("register-store", Unknown, V, |f| register(f).ground = Ok(Ground::Bucket { versioning: Err(NO()) })),
        ("register-store", Warn, V, |f| register(f).ground = table(false, true)),
        ("register-store", Warn, V, |f| register(f).ground = table(true, false)),
        ("register-store", Unknown, V, |f| register(f).ground = Err(NO())),
        ("record", Fail, V, |f| register(f).mark = Ok(None)),
        ("record", Unknown, V, |f| register(f).mark = Err(NO())),
        ("floor", Fail, V, |f| register(f).above = Ok(Some(Above::PutBack))),
        ("floor", Fail, V, |f| register(f).above = Ok(Some(Above::OtherLineage))),
        ("names", Warn, V, |f| register(f).contended = Ok(vec!["a".into()])),
        ("names", Unknown, V, |f| register(f).contended = Err(NO())),
        ("roster", Warn, V, |f| register(f).doubled.push("a = b".into())),
    ]
};

fn ill(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    let ill = findings.iter().filter(|finding| finding.severity != Severity::Fine);
    ill.map(|finding| (finding.id, finding.severity)).collect()
}

#[test]
fn a_machine_that_is_well_is_found_well() {
    for role in [Role::Validator, Role::Sentry] {
        assert_eq!(ill(&checks(&well(role))), [], "{role}");
    }
}

#[test]
fn a_table_that_is_protected_and_pinned_is_well() {
    let mut facts = well(Role::Validator);
    register(&mut facts).ground = table(true, true);
    assert_eq!(ill(&checks(&facts)), []);
}

#[test]
fn every_illness_is_found_by_its_check_and_by_no_other() {
    for (id, severity, role, make_ill) in ILLNESSES {
        let mut facts = well(*role);
        make_ill(&mut facts);
        let findings = checks(&facts);
        let found: Vec<_> = ill(&findings).into_iter().filter(|(other, _)| *other == *id).collect();
        assert_eq!(found, [(*id, *severity)], "{id}");
        assert_eq!(ill(&findings).len(), 1, "{id}: {:?}", ill(&findings));
        let told = findings.iter().find(|finding| finding.severity > Severity::Unknown);
        assert!(told.is_none_or(|finding| !finding.todo.is_empty()), "{id} does not say what to do");
    }
}

#[test]
fn every_check_can_find_something() {
    let mut ids = BTreeSet::new();
    for role in [Role::Validator, Role::Sentry] {
        ids.extend(checks(&well(role)).iter().map(|finding| finding.id));
    }
    let tested: BTreeSet<_> = ILLNESSES.iter().map(|(id, ..)| *id).chain(["pilot"]).collect();
    let untested: Vec<_> = ids.difference(&tested).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn an_address_is_open_if_strangers_could_reach_it() {
    for open in
        ["tcp://0.0.0.0:26657", ":26660", "[::]:9090", "203.0.113.7:1", "tcp://example.org:1", "8.8.8.8:53"]
    {
        assert!(node::is_open(open), "{open}");
    }
    for closed in [
        "",
        "tcp://127.0.0.1:26657",
        "localhost:6060",
        "10.1.2.3:1",
        "192.168.1.1:1",
        "unix:///run/x",
        "[::1]:1",
        "[fd00::1]:1",
    ] {
        assert!(!node::is_open(closed), "{closed}");
    }
}
