//! How much memory a long object takes on its way: a program of its own, since it looks at the most that the whole program ever had.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::time::Duration;

use async_trait::async_trait;
use beam_aws::s3::{Access, Bucket, Credentials, S3Objects, S3Register};
use beam_core::object_store::{Chunks, ObjectStore as _};
use beam_core::register::Cause;
use beam_examples::install::to_stderr;
use beam_examples::moto::Moto;

/// The object's length, and that of each of its chunks.
const MIB: usize = 1024 * 1024;
const CHUNKS: usize = 128;
/// Two parts of 8 MiB, and what the SDK and the connection hold of them.
const GROWTH_MAX_MIB: usize = 48;

struct Zeros(usize);

#[async_trait]
impl Chunks for Zeros {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        let Some(left) = self.0.checked_sub(1) else { return Ok(None) };
        self.0 = left;
        Ok(Some(vec![0; MIB]))
    }
}

/// The most that this program ever had in memory.
fn peak_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_object_is_never_whole_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let moto = Moto::start(dir.path(), to_stderr).await.unwrap();
    let within = Duration::from_secs(20);
    let access =
        Access { credentials: Credentials::key("beam", "beam"), call_within: within, connect_within: within };
    let bucket = Bucket {
        name: "beam".to_owned(),
        prefix: Bucket::PREFIX.to_owned(),
        region: "eu-central-1".to_owned(),
        owner: Moto::ACCOUNT.to_owned(),
        endpoint: Some(moto.endpoint()),
    };
    S3Register::create(bucket.clone(), &access).await.unwrap();
    let objects = S3Objects::open(bucket, &access).await.unwrap();
    let name = "logs/a/long.gz".parse().unwrap();
    let before = peak_mib();
    objects.put_stream(&name, &mut Zeros(CHUNKS)).await.unwrap();
    let put = peak_mib() - before;
    let mut stream = objects.get_stream(&name).await.unwrap();
    let mut len = 0;
    while let Some(chunk) = stream.next().await.unwrap() {
        len += chunk.len();
    }
    assert_eq!(len, CHUNKS * MIB);
    let both = peak_mib() - before;
    println!("{CHUNKS} MiB took {put} MiB more on the way in, {both} MiB in all");
    assert!(both < GROWTH_MAX_MIB, "{both} MiB more for an object of {CHUNKS} MiB");
}
