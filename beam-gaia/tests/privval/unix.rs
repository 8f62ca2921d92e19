use std::path::Path;
use std::time::Duration;

use beam_gaia::privval::LinkState;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use crate::node::{GET_KEY, KEY, PING, PONG, ask, body, hear, hex, refusal, vote};
use crate::signer::{AT_ONCE, run};

fn socket() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix://{}/privval.sock", folder.path().display());
    (folder, address)
}

fn listen(folder: &Path) -> UnixListener {
    let path = folder.join("privval.sock");
    // As the pilot does before it starts a node.
    let _ = std::fs::remove_file(&path);
    UnixListener::bind(path).unwrap()
}

async fn accept(listener: &UnixListener) -> UnixStream {
    timeout(Duration::from_secs(3), listener.accept()).await.expect("a signer within 3 s").unwrap().0
}

#[tokio::test]
async fn a_node_gets_what_it_asks_for() {
    let (folder, address) = socket();
    let signer = run(&address);
    let mut link = signer.link.clone();
    let mut node = accept(&listen(folder.path())).await;

    let key = ask(&mut node, &hex(GET_KEY)).await;
    assert_eq!(key, hex(&format!("{KEY}{}", "09".repeat(32))));
    link.wait_for(|link| link.keys_given == 1 && link.state == LinkState::Connected).await.unwrap();
    assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));

    let signed = ask(&mut node, &hex(&vote(1))).await;
    assert!(body(&signed).starts_with(&[0x22]), "{signed:02x?}");
    // signature = 8: our 64 bytes.
    assert!(signed.ends_with(&[&[0x42, 64][..], &[1; 64]].concat()), "{signed:02x?}");
    signer.stop().await;
}

#[tokio::test]
async fn whatever_a_node_sends_it_is_answered_and_the_connection_stays() {
    let (folder, address) = socket();
    let signer = run(&address);
    let mut node = accept(&listen(folder.path())).await;

    let asked = ask(&mut node, &hex(&vote(9))).await;
    assert_eq!(refusal(&asked), "beam: something else is recorded at 12345/9/prevote");

    // Field 11, a string; field 9, 1.x's SignBytesRequest; then a field whose length lies.
    let unknown = ask(&mut node, &hex("035a0178")).await;
    assert!(refusal(&unknown).contains("does not know"));
    let sign_bytes = ask(&mut node, &hex("054a030a0178")).await;
    // Field 10, its field 2.
    assert!(matches!(body(&sign_bytes), [0x52, _, 0x12, ..]), "{sign_bytes:02x?}");
    let undecodable = ask(&mut node, &hex("031a7f01")).await;
    assert!(refusal(&undecodable).contains("cannot be decoded"));

    // 3 MiB of something.
    let len = 3 * 1024 * 1024;
    node.write_all(&[0x80, 0x80, 0xc0, 0x01]).await.unwrap();
    node.write_all(&vec![0xff; len]).await.unwrap();
    assert!(refusal(&hear(&mut node).await).contains(&len.to_string()));

    let garbage = ask(&mut node, &[0xff; 32]).await;
    assert!(refusal(&garbage).contains("length"));

    // A cut request waits for its rest.
    let (head, tail) = (hex(&vote(1))[..20].to_vec(), hex(&vote(1))[20..].to_vec());
    node.write_all(&head).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert!(ask(&mut node, &tail).await.ends_with(&[1; 64]));
    assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));
    assert_eq!(signer.link.borrow().connections, 1);
    signer.stop().await;
}

#[tokio::test]
async fn the_signer_is_there_before_the_node_and_back_at_once() {
    let (folder, address) = socket();
    let signer = run(&address);
    sleep(Duration::from_millis(120)).await;
    let mut waits = Vec::new();
    for times in 1..=3 {
        let listener = listen(folder.path());
        let begun = Instant::now();
        let mut node = accept(&listener).await;
        assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));
        waits.push(begun.elapsed());
        assert_eq!(signer.link.borrow().connections, times);
        // The node is killed: its socket file stays, and nobody listens.
        drop((node, listener));
        sleep(Duration::from_millis(120)).await;
    }
    // The best of them: the others may be this machine's load.
    assert!(waits.iter().min() < Some(&AT_ONCE), "{waits:?}");
    assert_eq!(signer.link.borrow().state, LinkState::Dialing { trouble: None });
    assert_eq!(signer.link.borrow().last_end.as_deref(), Some("the node closed it"));
    signer.stop().await;
}

#[tokio::test]
async fn a_node_that_drops_us_has_us_back_at_once_and_never_twice() {
    let (folder, address) = socket();
    let signer = run(&address);
    let listener = listen(folder.path());
    let mut node = accept(&listener).await;
    assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));
    // Nobody else comes while this one is there.
    assert!(timeout(Duration::from_millis(300), listener.accept()).await.is_err());
    let mut waits = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        drop(node);
        node = accept(&listener).await;
        assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));
        waits.push(begun.elapsed());
    }
    assert!(waits.iter().min() < Some(&AT_ONCE), "{waits:?}");
    signer.stop().await;
}

#[tokio::test]
async fn trouble_is_told_once() {
    // Below a file there is no socket, and never will be.
    let file = tempfile::NamedTempFile::new().unwrap();
    let below_file = run(&format!("unix://{}/privval.sock", file.path().display()));
    let mut link = below_file.link.clone();
    link.wait_for(|link| matches!(&link.state, LinkState::Dialing { trouble: Some(_) })).await.unwrap();
    link.mark_unchanged();
    assert!(timeout(Duration::from_millis(300), link.changed()).await.is_err());
    below_file.stop().await;
}

#[tokio::test]
async fn a_signer_that_is_stopped_leaves() {
    let (folder, address) = socket();
    let signer = run(&address);
    let listener = listen(folder.path());
    let mut node = accept(&listener).await;
    assert_eq!(ask(&mut node, &hex(PING)).await, hex(PONG));
    timeout(Duration::from_millis(500), signer.stop()).await.unwrap();
    assert!(timeout(Duration::from_millis(200), listener.accept()).await.is_err());
}
