//! What runs on this machine, and with which limits.

use super::super::facts::{ChainFacts, ReferenceFacts, Running, SocketFacts};
use super::super::{Finding, Severity};
use super::{if_fine, known};
use crate::config::Role;

/// How many files a node should be allowed to have open: its databases and its peers take thousands.
const FILES_MIN: u64 = 8192;

pub(super) fn checks(role: Role, running: &Running, chain: &ChainFacts) -> Vec<Finding> {
    let mut findings = vec![program(running), files(running), ports(running), unit(running)];
    if role == Role::Validator {
        findings.push(socket(running));
        // A sentry's pilot holds nothing that would show it.
        let pilot = if running.pilot { "the pilot runs" } else { "the pilot does not run" };
        findings.push(Finding::new("pilot", Severity::Fine, pilot, "told, not judged"));
        findings.push(references(chain.references));
    }
    findings.extend(network(chain));
    findings
}

fn program(running: &Running) -> Finding {
    let limit = "node.command can be run";
    match &running.program {
        Ok(path) => {
            let version =
                running.version.as_ref().map_or_else(|why| format!("version unknown: {why}"), Clone::clone);
            Finding::new("node-program", Severity::Fine, format!("{} ({version})", path.display()), limit)
        }
        Err(why) => Finding::new("node-program", Severity::Fail, why.clone(), limit)
            .todo("see node.command in node.toml"),
    }
}

fn files(running: &Running) -> Finding {
    let limit = "8192 open files";
    // The node inherits what the pilot has; one that runs shows what it got.
    let (whose, fact) = match running.node {
        Some(_) => ("the running node", &running.files_of_node),
        None => ("this shell, and what is started from it", &running.files_here),
    };
    known("open-files", limit, fact, |files| {
        Finding::new(
            "open-files",
            if_fine(*files >= FILES_MIN, Severity::Warn),
            format!("{files} ({whose})"),
            limit,
        )
        .todo("LimitNOFILE=65536 in beam's unit (`ulimit -n`)")
    })
}

fn ports(running: &Running) -> Finding {
    let taken = &running.ports_taken;
    let found = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
    Finding::new(
        "ports-taken",
        if_fine(taken.is_empty(), Severity::Fail),
        found,
        "nobody else has the ports that this machine needs",
    )
    .todo("end what listens there (`ss -ltnp`): an older node that still runs would be the worst")
}

fn unit(running: &Running) -> Finding {
    let limit = "a systemd unit with LimitNOFILE=8192 or more";
    known("systemd-unit", limit, &running.unit, |unit| {
        let limited = unit
            .limit_nofile
            .map_or_else(|| "no LimitNOFILE".to_owned(), |files| format!("LimitNOFILE={files}"));
        let enough = unit.limit_nofile.is_some_and(|files| files >= FILES_MIN);
        Finding::new(
            "systemd-unit",
            if_fine(enough, Severity::Warn),
            format!("{}, {limited}", unit.file.display()),
            limit,
        )
        .todo("LimitNOFILE=65536 under [Service]")
    })
}

fn socket(running: &Running) -> Finding {
    let limit = "the node listens there while it runs";
    let (severity, found) = match (&running.socket, running.node) {
        (SocketFacts::None, _) => (Severity::Fine, "tcp".to_owned()),
        (SocketFacts::Listening, _) => (Severity::Fine, "the node listens".to_owned()),
        (SocketFacts::Absent, None) => (Severity::Fine, "not there, and no node runs".to_owned()),
        (SocketFacts::Stale, None) => (Severity::Fine, "left behind; `beam start` removes it".to_owned()),
        (SocketFacts::Absent | SocketFacts::Stale, Some(_)) => {
            (Severity::Fail, "a node runs, and nobody listens there".to_owned())
        }
        (SocketFacts::InTheWay, _) => (Severity::Fail, "something that is no socket stands there".to_owned()),
        (SocketFacts::TooLong(len), _) => {
            (Severity::Fail, format!("its path is {len} bytes long, at most 107 are possible"))
        }
    };
    Finding::new("signer-socket", severity, found, limit)
        .todo("see signer.laddr in node.toml; restart the node by `beam start`")
}

/// A frozen node cannot say how far its peers are, and one that nobody is compared with is never restarted: it may be the chain.
fn references(references: ReferenceFacts) -> Finding {
    let ReferenceFacts { asked, answered } = references;
    let found = if asked == 0 { "none is named".to_owned() } else { format!("{answered} of {asked} answer") };
    let todo = if asked == 0 {
        "a node that hangs would be told and not healed: name its sentries' RPC under health.references in node.toml (SIGHUP is enough)"
    } else {
        "see that they run, are of this chain, and can be reached from here"
    };
    Finding::new(
        "references",
        if_fine(answered > 0, Severity::Warn),
        found,
        "another node of the chain under health.references answers",
    )
    .todo(todo)
}

fn network(chain: &ChainFacts) -> [Finding; 2] {
    let limit = "the node at node.rpc is of chain.id";
    let network = known("chain-id", limit, &chain.network, |network| {
        Finding::new("chain-id", if_fine(*network == chain.wanted, Severity::Fail), network.clone(), limit)
            .todo(format!("node.toml says {}: see chain.id and node.rpc", chain.wanted))
    });
    let limit = "at least one peer";
    let peers = known("peers", limit, &chain.peers, |peers| {
        Finding::new("peers", if_fine(*peers > 0, Severity::Warn), peers.to_string(), limit)
            .todo("see p2p.persistent_peers")
    });
    [network, peers]
}
