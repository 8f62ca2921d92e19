//! A validator moves in, and goes on after its register was put back: on a real chain, with the judge looking on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use std::path::Path;

use beam_examples::machine::{Machine, MachinePlan};
use common::{Trial, WITHIN, beam};
use serde_json::Value;

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn json(said: &str) -> Value {
    serde_json::from_str(said).unwrap()
}

/// A node that signed with its own key, its real state file, the key moved out of its home, the record made above what was signed:
/// then a failover. Nobody ever signed two things at one position.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_signed_alone_moves_in_and_fails_over_without_a_contradiction() {
    let mut bare = Trial::bare().await;
    bare.network.start_unfenced("a").await.unwrap();
    bare.watcher.wait_for_signature_after(2, WITHIN).await.unwrap();
    let a = Machine::new(&mut bare.network, "a", &beam(), MachinePlan::default()).unwrap();
    let (home, register) = (text(&a.node().home), text(&bare.dir.path().join("register.db")));
    let command = a.node().command_line();
    let rpc = bare.network.node("v1").unwrap().rpc_url();
    let init: Vec<&str> = [
        ("--from", home.as_str()),
        ("--register", &register),
        ("--name", "a"),
        ("--node-command", &command),
        ("--takeover-after", "300ms"),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag, value])
    .collect();

    let running = a.beam(&["init"], &init).await.unwrap_err().to_string();
    assert!(running.contains("the node runs") && running.contains("is locked"), "{running}");
    assert!(!a.home().join("node.toml").exists());
    // Nor may a record be made while the old signer goes on.
    let b = Machine::new(&mut bare.network, "b", &beam(), MachinePlan::default()).unwrap();
    b.init().await.unwrap();
    let state = text(&a.node().home.join("data/priv_validator_state.json"));
    let signing =
        b.beam(&["watermark", "import"], &["--from", &state, "--rpc", &rpc]).await.unwrap_err().to_string();
    assert!(signing.contains("somebody signs with this key right now"), "{signing}");
    assert!(!bare.dir.path().join("register.db").exists());
    bare.network.stop_node("a").await.unwrap();

    let plan = a.beam(&["init"], &[&init[..], &["--dry-run"]].concat()).await.unwrap();
    assert!(plan.contains("would: remove the key from the node's home"), "{plan}");
    assert!(a.node().home.join("config/priv_validator_key.json").exists() && !a.home().exists());
    let done = a.beam(&["init"], &init).await.unwrap();
    println!("{done}");
    assert!(!a.node().home.join("config/priv_validator_key.json").exists());
    assert!(a.home().join("validator_key.json").exists());

    // Its own node is down, and another chain's or a silent one is not believed.
    let nobody = a.beam(&["watermark", "import"], &[]).await.unwrap_err().to_string();
    assert!(nobody.contains("--rpc") && nobody.contains("nothing was changed"), "{nobody}");
    let made = a.beam(&["watermark", "import"], &["--rpc", &rpc, "--output", "json"]).await.unwrap();
    println!("{made}");
    let made = json(&made);
    let height = |value: &Value| value["height"].as_u64().unwrap();
    let (file, vote) = (&made["proof"]["files"][0]["mark"], &made["proof"]["chain"]["our_last_vote"]);
    assert!(height(file) >= height(vote), "the state file is of the node that signed");
    assert!(
        height(&made["mark"]) >= height(file).max(made["proof"]["chain"]["height"].as_u64().unwrap() + 1)
    );

    let mut trial = bare.with(vec![a, b]);
    for machine in &mut trial.lab.machines {
        machine.start().unwrap();
    }
    trial.both_in_step().await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    assert_ne!(trial.owner().await, owner);
    // The node that was adopted made itself another key, and none that signs.
    let left =
        std::fs::read_to_string(Path::new(&home).join("config/priv_validator_key.json")).unwrap_or_default();
    assert!(!left.contains(&trial.lab.network.validator().address), "{left}");
    trial.from = killed_at + 1;
    trial.ends_well(1).await;
}

/// What `beam doctor` calls each check, by its name.
async fn doctor(machine: &Machine) -> std::collections::BTreeMap<String, (String, String)> {
    let output = std::process::Command::new(beam())
        .args(["doctor", "--output", "json", "--home"])
        .arg(machine.home())
        .output();
    let report = json(&String::from_utf8(output.unwrap().stdout).unwrap());
    let said = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|f| (said(f, "id"), (said(f, "severity"), said(f, "found")))).collect()
}

/// Whether both pilots have said so often that they stopped since the register was put back.
fn both_halted(trial: &Trial, times: usize) -> bool {
    trial.lab.machines.iter().all(|machine| {
        let log = std::fs::read_to_string(machine.log()).unwrap_or_default();
        log.matches("the signer has stopped: the register was put back").count() >= times
    })
}

fn stop_both(trial: &mut Trial) {
    for machine in &mut trial.lab.machines {
        machine.kill_machine();
    }
}

/// An old copy of the register's content comes back while everything runs: both machines stop by themselves, and go on, when a
/// person has adopted it, above everything that was signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_register_that_was_put_back_stops_both_machines_until_it_is_adopted() {
    let mut trial = Trial::prepare(false).await;
    let other = trial.lab.network.node("v1").unwrap().rpc_url();
    trial.configure("a", &[("references", &format!("[{other:?}]"))]);
    trial.starts().await;
    let path = trial.dir.path().join("register.db");
    let register = rusqlite::Connection::open(&path).unwrap();
    register.busy_timeout(WITHIN).unwrap();
    let old: Vec<(String, i64, Vec<u8>)> = register
        .prepare("SELECT key, version, value FROM cells")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let well = doctor(trial.lab.machine("a").unwrap()).await;
    println!("{well:#?}");
    for id in [
        "key-file",
        "key-in-node-home",
        "signer-socket",
        "register",
        "record",
        "floor",
        "roster",
        "names",
        "chain-id",
        "peers",
        "references",
    ] {
        assert_eq!(well[id].0, "fine", "{id}: {}", well[id].1);
    }
    assert_eq!(well["pilot"].1, "the pilot runs");
    assert!(well["node-program"].1.contains("0.38"), "{}", well["node-program"].1);
    assert!(well.values().all(|(severity, _)| severity != "fail"), "{well:#?}");
    let lonely = doctor(trial.lab.machine("b").unwrap()).await;
    assert_eq!(lonely["references"], ("warn".to_owned(), "none is named".to_owned()));
    let backup = trial.dir.path().join("backup.db");
    register.execute("VACUUM INTO ?1", [text(&backup)]).unwrap();
    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    for (key, version, value) in old.iter().filter(|(key, ..)| key.ends_with("/signing")) {
        register
            .execute("UPDATE cells SET version = ?2, value = ?3 WHERE key = ?1", (key, version, value))
            .unwrap();
    }
    drop(register);
    trial.wait_for("both to stop", |trial| both_halted(trial, 1)).await;
    assert_eq!(doctor(trial.lab.machine("a").unwrap()).await["floor"].0, "fail");
    // Nothing may be signed until a person says so: not now, and not by pilots that start anew on the file of an old backup.
    let rpc = trial.lab.network.node("v1").unwrap().rpc_url();
    let adopt = ["watermark", "adopt"];
    let running =
        trial.lab.machine("a").unwrap().beam(&adopt, &["--yes", "--at-least", "1", "--rpc", &rpc]).await;
    assert!(format!("{:#}", running.unwrap_err()).contains("must be stopped first"));
    stop_both(&mut trial);
    let silent_from = trial.lab.chain.height().await.unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(trial.dir.path().join(format!("register.db{ending}")));
    }
    std::fs::rename(&backup, &path).unwrap();
    for machine in &mut trial.lab.machines {
        machine.start().unwrap();
    }
    trial.wait_for("both to stop again", |trial| both_halted(trial, 2)).await;
    stop_both(&mut trial);

    let a = trial.lab.machine("a").unwrap();
    let unconfirmed = a.beam(&adopt, &["--rpc", &rpc]).await.unwrap_err().to_string();
    assert!(unconfirmed.contains("nobody is there to confirm"), "{unconfirmed}");
    let would = json(&a.beam(&adopt, &["--rpc", &rpc, "--dry-run", "--output", "json"]).await.unwrap());
    assert_eq!((&would["action"], &would["done"]), (&"raised".into(), &false.into()), "{would}");
    let done =
        a.beam(&adopt, &["--yes", "--at-least", "1", "--rpc", &rpc, "--output", "json"]).await.unwrap();
    println!("{done}");
    let done = json(&done);
    assert_eq!((&done["action"], &done["done"]), (&"raised".into(), &true.into()));
    assert!(done["mark"]["height"].as_u64().unwrap() > silent_from);
    let second = trial.lab.machine("b").unwrap();
    let second = second.beam(&adopt, &["--yes", "--at-least", "1", "--rpc", &rpc]).await.unwrap();
    assert!(second.contains("nothing to adopt"), "{second}");

    let signed = trial.lab.chain.missed(silent_from + 1..=trial.lab.chain.height().await.unwrap() - 1).await;
    assert!(signed.unwrap().signed.is_empty(), "something was signed before it was adopted");
    for machine in &mut trial.lab.machines {
        machine.start().unwrap();
    }
    trial.both_in_step().await;
    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    trial.from = height + 1;
    trial.ends_well(0).await;
}
