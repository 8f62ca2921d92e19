//! The pilot's HTTP agent without the thread that it runs on, over whatever stream it is given.
//!
//! (Its files are formatted where they belong: from here the formatter would look for their tests in another folder.)

#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/address.rs"]
mod address;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/limits.rs"]
mod limits;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/listen.rs"]
mod listen;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/pace.rs"]
mod pace;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/page.rs"]
mod page;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/probe.rs"]
mod probe;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/route.rs"]
mod route;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/seats.rs"]
mod seats;
#[rustfmt::skip]
#[path = "../../../bins/pilot/src/http/serve.rs"]
mod serve;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::DuplexStream;
use tokio::sync::watch;

pub(crate) use address::is_private;

use crate::report::Report;

/// What a request may have.
pub(crate) const HEADER_BYTES_MAX: usize = limits::HEADER_BYTES_MAX;
/// See above.
pub(crate) const HEADERS_MAX: usize = limits::HEADERS_MAX;
/// How long a connection may last.
pub(crate) const CONNECTION_WITHIN: Duration = limits::CONNECTION_WITHIN;
/// What there is.
pub(crate) const PATHS: [&str; 4] = route::PATHS;

/// Answers from one report.
pub(crate) struct Agent {
    pages: watch::Receiver<Arc<page::Page>>,
}

impl Agent {
    pub(crate) fn of(report: Report) -> Self {
        let page = page::Page::new(report, Instant::now());
        Self { pages: watch::channel(Arc::new(page)).1 }
    }

    /// One connection, from its first byte to its end.
    pub(crate) async fn talk(&self, stream: DuplexStream) {
        let lag_blocks_max = watch::channel(2).1;
        serve::talk(stream, serve::Answers { pages: self.pages.clone(), lag_blocks_max }).await;
    }
}
