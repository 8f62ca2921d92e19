//! Each weather, as a program at the end of a connection sees it.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::*;
use crate::wait;

/// What happens at once happens within this, on a busy machine too.
const SOON: Duration = Duration::from_secs(5);
/// How long nothing must happen for "nothing happens".
const QUIET: Duration = Duration::from_millis(300);

struct Bench {
    proxy: Proxy,
    heard: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An upstream that says back what it hears, behind a proxy.
async fn bench() -> Bench {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&heard);
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let heard = Arc::clone(&counter);
            connections.spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    heard.fetch_add(read as u64, Ordering::Relaxed);
                    if stream.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    Bench { proxy, heard, server }
}

impl Bench {
    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.proxy.address()).await.unwrap()
    }

    async fn hears(&self, bytes: u64) {
        wait::until("the upstream to hear it", SOON, || {
            std::future::ready(Ok((self.heard.load(Ordering::Relaxed) >= bytes).then_some(())))
        })
        .await
        .unwrap();
    }
}

/// Says a word and hears it back; how long that took.
async fn echo(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    timeout(SOON, stream.read_exact(&mut answer)).await.expect("an answer").unwrap();
    assert_eq!(&answer, b"hello");
    began.elapsed()
}

async fn is_reset(stream: &mut TcpStream) {
    let mut buffer = [0; 16];
    let ended = timeout(SOON, stream.read(&mut buffer)).await.expect("it must end");
    assert!(ended.is_err(), "told that it broke, not that it was closed: {ended:?}");
}

#[tokio::test]
async fn in_fine_weather_everything_passes_both_ways_and_in_order() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut reader, mut writer) = stream.split();
    let mut got = vec![0; sent.len()];
    let (wrote, read) = tokio::join!(writer.write_all(&sent), timeout(SOON, reader.read_exact(&mut got)));
    wrote.unwrap();
    read.unwrap().unwrap();
    assert_eq!(got, sent);
    assert_eq!(bench.proxy.figures().bytes(), 2 * sent.len() as u64);
}

#[tokio::test]
async fn a_close_is_a_close_at_the_other_end() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    echo(&mut stream).await;
    stream.shutdown().await.unwrap();
    assert_eq!(timeout(SOON, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_delay_counts_each_way_and_ends_when_the_weather_does() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    bench.proxy.set(Weather::slower_by(Duration::from_millis(200)));
    assert!(echo(&mut stream).await >= Duration::from_millis(200));
    bench.proxy.set(Weather::FINE);
    assert!(echo(&mut stream).await < Duration::from_millis(200));
}

#[tokio::test]
async fn a_cut_resets_what_stands_and_what_comes_and_heals() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    echo(&mut stream).await;
    bench.proxy.set(Weather::CUT);
    is_reset(&mut stream).await;
    // The reset may come so early that the connection is refused outright.
    if let Ok(mut late) = TcpStream::connect(bench.proxy.address()).await {
        is_reset(&mut late).await;
    }
    bench.proxy.set(Weather::FINE);
    echo(&mut bench.dial().await).await;
}

#[tokio::test]
async fn a_black_hole_keeps_the_connection_and_gives_up_its_bytes_when_it_ends() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    echo(&mut stream).await;
    bench.proxy.set(Weather::BLACK_HOLE);
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    assert!(timeout(QUIET, stream.read_exact(&mut answer)).await.is_err(), "nothing comes, not even an end");
    assert_eq!(bench.heard.load(Ordering::Relaxed), 5, "nor goes");
    bench.proxy.set(Weather::FINE);
    timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"hello");
}

#[tokio::test]
async fn a_question_whose_answer_is_lost_has_been_heard() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    bench.proxy.set(Weather::LOSES_ANSWERS);
    stream.write_all(b"hello").await.unwrap();
    is_reset(&mut stream).await;
    bench.hears(5).await;
    assert_eq!(bench.proxy.figures().answers_lost(), 1);
}

#[tokio::test]
async fn a_lost_packet_costs_a_retransmission_and_everything_arrives_in_order() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    bench.proxy.set(Weather { lost_per_thousand: 1_000, ..Weather::FINE });
    // Lost four times in a row: 200, 400, 800 and 1,600 ms. Now and then the connection is lost as well.
    let began = Instant::now();
    stream.write_all(b"hello").await.unwrap();
    tokio::select! {
        () = bench.hears(5) => assert!(began.elapsed() >= Duration::from_secs(3)),
        () = is_reset(&mut stream) => {}
    }
    assert!(bench.proxy.figures().paused() + bench.proxy.figures().reset() > 0);
}

#[tokio::test]
async fn a_throttled_wire_takes_its_time() {
    let bench = bench().await;
    let mut stream = bench.dial().await;
    bench.proxy.set(Weather { bytes_per_second: Some(10_000), ..Weather::FINE });
    let began = Instant::now();
    stream.write_all(&[7; 5_000]).await.unwrap();
    bench.hears(5_000).await;
    assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());
}

#[tokio::test]
async fn nobody_upstream_is_told_to_the_dialer() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody).unwrap();
    is_reset(&mut TcpStream::connect(proxy.address()).await.unwrap()).await;
}
