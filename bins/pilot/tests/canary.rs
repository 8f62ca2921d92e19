//! A canary: a key that was never used before is looked for in everything that a pilot writes, prints and answers, well or ill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod lone_pilot;
mod offline;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Base64Url, Encoding as _};
use beam_benches::node::Node;
use beam_examples::install::{cometbft, to_stderr};
use lone_pilot::{LonePilot, WITHIN};
use memchr::memmem;
use serde_json::Value;

/// So many of the key's secret bytes in a row are no accident.
const IN_A_ROW: usize = 8;
/// Votes that are signed meanwhile.
const VOTES: usize = 20;

/// The secret half of a key, in every form in which it might slip out.
struct Secret {
    needles: Vec<Vec<u8>>,
}

impl Secret {
    fn of(key: &str) -> Self {
        let key: Value = serde_json::from_str(key).unwrap();
        let pair = Base64::decode_vec(key["priv_key"]["value"].as_str().unwrap()).unwrap();
        // The second half is the public key, which may be known.
        let seed = &pair[..32];
        let mut needles = Vec::new();
        for part in seed.windows(IN_A_ROW) {
            let hex = part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let separated = |by: &str| part.iter().map(u8::to_string).collect::<Vec<_>>().join(by);
            needles.extend([part.to_vec(), hex.to_uppercase().into(), hex.into()]);
            needles.extend([separated(", ").into(), separated(",").into(), separated("\n").into()]);
        }
        // Three bytes are four characters, so what stands before decides between three forms.
        for start in 0..3 {
            let whole = (seed.len() - start) / 3 * 3;
            let part = &seed[start..start + whole];
            for text in [Base64::encode_string(part), Base64Url::encode_string(part)] {
                needles.extend(text.as_bytes().windows(2 * IN_A_ROW).map(<[u8]>::to_vec));
            }
        }
        Self { needles }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        self.needles.iter().any(|needle| memmem::find(text, needle).is_some())
    }
}

/// Every file below, whatever it is for.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_nowhere_but_in_its_own_file() {
    let program = cometbft(to_stderr).await.unwrap();
    let made = Command::new(program).arg("gen-validator").output().unwrap().stdout;
    let made: Value = serde_json::from_slice(&made).unwrap();
    let key = made["Key"].to_string();
    let secret = Secret::of(&key);

    let mut pilot = LonePilot::prepare_with(&key);
    let mut found = BTreeMap::new();
    let mut say = |pilot: &LonePilot, verb: &[&str]| {
        let output = pilot.beam(verb).env("BEAM_LOG", "trace").output().unwrap();
        let words = verb.join(" ");
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "beam {words} said nothing");
        found.insert(format!("beam {words}"), [output.stdout, output.stderr].concat());
    };
    pilot.start_with(&[("BEAM_LOG", "trace"), ("RUST_BACKTRACE", "full")]).await;
    let socket = pilot.socket();
    let node = tokio::task::spawn_blocking(move || {
        let mut node = Node::listen(&socket, || Ok(())).unwrap();
        node.sign(VOTES).unwrap();
        node
    });
    let node = node.await.unwrap();
    for verb in [
        &["status"][..],
        &["status", "--output", "json"],
        &["explain"],
        &["history"],
        &["doctor"],
        &["doctor", "--output", "json"],
        &["check-config"],
        &["watermark", "show"],
        &["version"],
        &["logs", "show"],
        &["switchover"],
        &["start"],
    ] {
        say(&pilot, verb);
    }
    let mut answers = BTreeMap::new();
    for path in ["/livez", "/readyz", "/status", "/metrics", "/key.json"] {
        answers.insert(path.to_owned(), pilot.get(path).await.body.into_bytes());
    }
    let pid = pilot.process().pid();
    for name in ["environ", "cmdline"] {
        answers.insert(name.to_owned(), fs::read(format!("/proc/{pid}/{name}")).unwrap());
    }
    drop(node);
    assert!(pilot.process().terminate(WITHIN).await, "{}", pilot.log());

    // What is said of a key that cannot be used.
    let file = pilot.path("key.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    say(&pilot, &["start"]);
    say(&pilot, &["doctor", "--no-node"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    for (place, damaged) in
        [key.replace("PrivKeyEd25519", "PrivKeyX"), key.replace("\"}}", "")].iter().enumerate()
    {
        fs::write(&file, damaged).unwrap();
        let output = pilot.beam(&["start"]).output().unwrap();
        assert!(!output.status.success());
        answers.insert(format!("start on damaged key {place}"), [output.stdout, output.stderr].concat());
    }
    fs::write(&file, &key).unwrap();

    assert!(pilot.log().contains("DEBUG"), "the pilot told less than it could");
    found.append(&mut answers);
    files(pilot.path("").as_path(), &mut found);
    assert!(
        found.keys().any(|name| name.ends_with("/audit.jsonl")) && found.len() > 25,
        "{:?}",
        found.keys()
    );
    let holds: Vec<&String> =
        found.iter().filter(|(_, text)| secret.is_in(text)).map(|(name, _)| name).collect();
    assert_eq!(holds, [&file.display().to_string()], "the key is to be in its file and nowhere else");
}
