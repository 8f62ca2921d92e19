//! One connection through the proxy: two ways, and what ends both at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::flow::{End, Flow, Way};
use super::{Figures, Weather};

/// From a dialer's connection to the one upstream: both on this machine.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// What a connection needs to know of its proxy.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) upstream: SocketAddr,
    pub(super) weather: watch::Receiver<Weather>,
    pub(super) figures: Arc<Figures>,
}

impl Link {
    /// Carries one connection to its end.
    pub(super) async fn carry(self, mut client: TcpStream) {
        let connected = timeout(CONNECTS_WITHIN, TcpStream::connect(self.upstream)).await;
        let Ok(Ok(mut upstream)) = connected else {
            // Nobody there: what the dialer would have been told without us.
            return reset(client);
        };
        for stream in [&client, &upstream] {
            // Small packets must not wait for one another here: they wait where the weather says so.
            let _ = stream.set_nodelay(true);
        }
        if self.until_the_end(&mut client, &mut upstream).await == End::Reset {
            Figures::count(&self.figures.reset, 1);
            reset(client);
            reset(upstream);
        }
    }

    async fn until_the_end(&self, client: &mut TcpStream, upstream: &mut TcpStream) -> End {
        let (from_client, to_client) = client.split();
        let (from_upstream, to_upstream) = upstream.split();
        let flow = |way| Flow { way, weather: self.weather.clone(), figures: &self.figures };
        let mut weather = self.weather.clone();
        let asked = flow(Way::There).carry(from_client, to_upstream);
        let answered = flow(Way::Back).carry(from_upstream, to_client);
        tokio::select! {
            // One way may end long before the other; a reset of one ends both.
            ended = async { tokio::try_join!(asked, answered) } => match ended {
                Ok(_) => End::Closed,
                Err(end) => end,
            },
            _ = weather.wait_for(|weather| weather.cut) => End::Reset,
        }
    }
}

/// Ends a connection so that its other end is told it broke.
pub(super) fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}
