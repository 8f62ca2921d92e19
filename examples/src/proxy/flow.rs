//! One way of a connection: what is read waits for its time, and is written in the order in which it came.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::chance::Chance;
use super::{Figures, Weather};

/// What is carried at a time: about a packet, since packets are what is lost.
const PACKET: usize = 1_448;
/// Packets on their way. With a delay of 100 ms that is more than any node here sends.
const ON_THEIR_WAY_MAX: usize = 4_096;
/// A retransmission timeout is no shorter than this on Linux, on top of the round trip.
const RETRANSMITTED_AFTER: Duration = Duration::from_millis(200);
/// How often in a row a packet is lost at most; the timeout doubles each time.
const LOST_IN_A_ROW_MAX: u32 = 4;
/// Of a thousand losses, how many end the connection: what loses packets between regions also forgets connections.
const RESETS_PER_THOUSAND_LOSSES: u32 = 10;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What the dialer asks.
    There,
    /// What it is answered.
    Back,
}

/// How a way, or a connection, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its sender closed it.
    Closed,
    /// It broke, or was broken.
    Reset,
}

/// One way of a connection.
pub(super) struct Flow<'a> {
    pub(super) way: Way,
    pub(super) weather: watch::Receiver<Weather>,
    pub(super) figures: &'a Figures,
}

/// Bytes and when they arrive.
struct Packet {
    due: Instant,
    bytes: Vec<u8>,
}

impl Flow<'_> {
    /// Carries until the sender closes.
    ///
    /// # Errors
    /// [`End::Reset`] when the connection broke or the weather breaks it.
    pub(super) async fn carry(self, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<End, End> {
        let (sender, packets) = mpsc::channel(ON_THEIR_WAY_MAX);
        let delivery = deliver(packets, to, self.weather.clone(), self.figures);
        // What breaks the connection breaks it now: what is still on its way is lost.
        tokio::try_join!(self.read(from, sender), delivery).map(|_| End::Closed)
    }

    /// Ends by dropping `packets`, which ends the delivery when it has delivered.
    async fn read(mut self, mut from: ReadHalf<'_>, packets: mpsc::Sender<Packet>) -> Result<End, End> {
        let (mut chance, mut last) = (Chance::new(), Instant::now());
        let mut buffer = vec![0; PACKET];
        loop {
            clear(&mut self.weather).await;
            let read = from.read(&mut buffer).await.map_err(|_| End::Reset)?;
            let bytes = match buffer.get(..read) {
                Some(bytes) if !bytes.is_empty() => bytes.to_vec(),
                _ => return Ok(End::Closed),
            };
            let weather = *self.weather.borrow();
            if weather.loses_answers && self.way == Way::Back {
                Figures::count(&self.figures.answers_lost, 1);
                return Err(End::Reset);
            }
            let pause = self.pause(&weather, &mut chance)?;
            let sent = Instant::now().max(last);
            // What was sent first arrives first, so a pause is one for all that comes behind.
            let due = (Instant::now() + chance.near(weather.delay, weather.jitter)).max(last) + pause;
            last = due.max(sent + transmission(&weather, bytes.len()));
            if packets.send(Packet { due: last, bytes }).await.is_err() {
                return Err(End::Reset);
            }
        }
    }

    /// The retransmission timeouts that a packet takes.
    fn pause(&self, weather: &Weather, chance: &mut Chance) -> Result<Duration, End> {
        let (mut pause, mut timeout) = (Duration::ZERO, RETRANSMITTED_AFTER + weather.delay * 2);
        for _ in 0..LOST_IN_A_ROW_MAX {
            if !chance.happens(weather.lost_per_thousand) {
                break;
            }
            if chance.happens(RESETS_PER_THOUSAND_LOSSES) {
                return Err(End::Reset);
            }
            Figures::count(&self.figures.paused, 1);
            pause += timeout;
            timeout *= 2;
        }
        Ok(pause)
    }
}

async fn deliver(
    mut packets: mpsc::Receiver<Packet>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    figures: &Figures,
) -> Result<End, End> {
    while let Some(Packet { due, bytes }) = packets.recv().await {
        sleep_until(due).await;
        clear(&mut weather).await;
        to.write_all(&bytes).await.map_err(|_| End::Reset)?;
        Figures::count(&figures.bytes, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    // The other end may have gone already; then there is nobody to tell.
    let _ = to.shutdown().await;
    Ok(End::Closed)
}

/// Waits for the end of a black hole. If the proxy is gone, so is the connection.
async fn clear(weather: &mut watch::Receiver<Weather>) {
    let _ = weather.wait_for(|weather| !weather.black_hole).await;
}

/// How long the wire is busy with so many bytes.
fn transmission(weather: &Weather, bytes: usize) -> Duration {
    let Some(rate) = weather.bytes_per_second else { return Duration::ZERO };
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    Duration::from_secs_f64(f64::from(bytes) / f64::from(rate.max(1)))
}
