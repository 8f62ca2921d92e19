//! A flood of the agent does not delay a vote.
//!
//! A real pilot signs for a node that this test plays, over the real socket, while hundreds of connections of many sources do
//! what they can against its agent: requests as fast as they go, headers without end, garbage, answers that nobody reads. All
//! of it on the loopback, for a few seconds.
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

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use beam_benches::node::Node;
use beam_benches::stats::Sorted;
use lone_pilot::{LonePilot, WITHIN};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// No vote may take longer: the shortest `takeover_after` that is advised, for blocks of 1 s. A later one is the standby's.
const LATE: Duration = Duration::from_millis(300);
/// Half of the votes under the flood may take so much longer than half of those without: this many times, and a little that is
/// nothing to a chain. With an agent in the signer's own runtime, and without limits, it was 20 to 100 times as long.
const MEDIAN_TIMES_MAX: u32 = 4;
/// See [`MEDIAN_TIMES_MAX`].
const MEDIAN_MORE_MAX: Duration = Duration::from_millis(5);
/// How long votes are asked for without a flood, and with one.
const CALM: Duration = Duration::from_secs(3);
const FLOOD: Duration = Duration::from_secs(8);
/// How often a vote is asked for: far more often than any chain does.
const VOTE_EVERY: Duration = Duration::from_millis(10);
/// Connections at once that the flood tries to hold.
const FLOODERS: u8 = 250;
/// How long one of them waits before it comes back.
const COMES_BACK_AFTER: Duration = Duration::from_millis(20);
/// Files that the pilot may have open: its own, and 64 connections.
const FILES_MAX: usize = 64 + 40;

/// What one of the flood does with its connection.
async fn attack(kind: u8, mut stream: TcpStream) -> std::io::Result<bool> {
    let mut buffer = [0; 4096];
    match kind % 5 {
        0 | 1 => {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await?;
            let mut answered = false;
            while stream.read(&mut buffer).await? > 0 {
                answered = true;
            }
            return Ok(answered);
        }
        2 => loop {
            stream.write_all(b"x").await?;
            sleep(Duration::from_millis(100)).await;
        },
        3 => {
            stream.write_all(b"GET /status HTTP/1.1\r\n").await?;
            loop {
                stream
                    .write_all(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
                    .await?;
            }
        }
        _ => {
            stream.write_all(&[0xfe; 3000]).await?;
            stream.write_all(b"\r\n\r\n").await?;
            sleep(Duration::from_secs(1)).await;
        }
    }
    Ok(false)
}

/// Comes back again and again, each time as somebody else.
async fn flooder(
    number: u8,
    agent: SocketAddr,
    ends: Instant,
    tries: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
) {
    let source = Ipv4Addr::new(127, 0, 2, number.max(1));
    while Instant::now() < ends {
        tries.fetch_add(1, Ordering::Relaxed);
        let attempt = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((source, 0).into())?;
            attack(number, socket.connect(agent).await?).await
        };
        if let Ok(Ok(true)) = timeout(Duration::from_secs(2), attempt).await {
            answers.fetch_add(1, Ordering::Relaxed);
        }
        sleep(COMES_BACK_AFTER).await;
    }
}

/// Asks for votes all the time, and tells how long each took.
fn votes(node: &mut Node, during: Duration) -> Sorted<Duration> {
    let ends = Instant::now() + during;
    let mut took = Vec::new();
    while Instant::now() < ends {
        took.push(node.sign_one().unwrap());
        std::thread::sleep(VOTE_EVERY);
    }
    Sorted::new(took)
}

fn show(what: &str, votes: &Sorted<Duration>) {
    let [p50, p99, max] = [50, 99, 100].map(|percent| votes.percentile(percent).unwrap());
    println!("{what}: {} votes, p50 {p50:?}, p99 {p99:?}, longest {max:?}", votes.len());
}

fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Somebody who has nothing to do with it, and asks each half second. How often he was answered, of how many times.
async fn bystander(pilot: &LonePilot, ends: Instant) -> (usize, usize) {
    let mut answered = (0, 0);
    while Instant::now() < ends {
        let reply = pilot.ask_from(IpAddr::from([127, 0, 1, 1]), "/livez").await;
        answered = (answered.0 + usize::from(reply.is_some_and(|reply| reply.status == 200)), answered.1 + 1);
        sleep(Duration::from_millis(500)).await;
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_the_agent_delays_no_vote() {
    let mut pilot = LonePilot::prepare();
    pilot.start().await;
    pilot.get("/livez").await;
    let socket = pilot.socket();
    let mut node =
        tokio::task::spawn_blocking(move || Node::listen(&socket, || Ok(())).unwrap()).await.unwrap();
    let calm;
    (node, calm) = tokio::task::spawn_blocking(move || {
        let calm = votes(&mut node, CALM);
        (node, calm)
    })
    .await
    .unwrap();
    let (pid, said) = (pilot.process().pid(), pilot.log().len());

    let ends = Instant::now() + FLOOD;
    let (tries, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let flood: Vec<_> = (0..FLOODERS)
        .map(|number| tokio::spawn(flooder(number, pilot.agent, ends, tries.clone(), answers.clone())))
        .collect();
    let voting = tokio::task::spawn_blocking(move || votes(&mut node, FLOOD));
    let files = tokio::task::spawn_blocking(move || {
        let mut most = 0;
        while Instant::now() < ends {
            most = most.max(open_files(pid));
            std::thread::sleep(Duration::from_millis(50));
        }
        most
    });
    let (answered, asked) = bystander(&pilot, ends).await;
    let (flooded, files) = (voting.await.unwrap(), files.await.unwrap());
    for flooder in flood {
        flooder.await.unwrap();
    }
    show("calm", &calm);
    show("under the flood", &flooded);
    let (tries, answers) = (tries.load(Ordering::Relaxed), answers.load(Ordering::Relaxed));
    println!(
        "{tries} connections, {answers} answered; {files} open files at most; a bystander was answered {answered} of {asked} times"
    );

    assert!(tries > usize::from(FLOODERS) * 4, "that was no flood: {tries}");
    assert!(calm.max().unwrap() <= LATE, "late without a flood: this machine is too busy for this test");
    assert!(flooded.max().unwrap() <= LATE, "a vote was late");
    let median_max = calm.median().unwrap() * MEDIAN_TIMES_MAX + MEDIAN_MORE_MAX;
    assert!(flooded.median().unwrap() <= median_max, "the signer was kept busy");
    assert!(files <= FILES_MAX, "{files} open files");
    let log = pilot.log().split_off(said);
    assert!(!log.contains("agent"), "a flood must not fill the log:\n{log}");
    let after = Instant::now();
    assert_eq!(pilot.get("/livez").await.status, 200);
    assert!(after.elapsed() < WITHIN / 3, "it took the agent {:?} to recover", after.elapsed());
}
