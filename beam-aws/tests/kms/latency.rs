//! How long a signature takes over a wire. Figures of the loopback interface, an emulator and whoever else is on the machine: what they
//! show is what Beam adds to the wire, and that it is one round trip.

use std::time::{Duration, Instant};

use beam_aws::kms::{KeyPlace, KmsKey};
use beam_core::signing_key::SigningKey as _;
use beam_examples::proxy::{Proxy, Weather};

use crate::common::{emulator, new_key, patient};

const SIGNATURES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_one_round_trip() {
    let wire = Proxy::start(emulator().await.address()).unwrap();
    let place = KeyPlace { endpoint: Some(format!("http://{}", wire.address())), ..new_key().await };
    let key = KmsKey::open(place, None, &patient()).await.unwrap();
    for each_way in [0, 5, 20] {
        let delay = Duration::from_millis(each_way);
        wire.set(Weather { delay, ..Weather::FINE });
        let mut took = Vec::new();
        for number in 0..SIGNATURES {
            let since = Instant::now();
            key.sign(&[[0x22; 110].as_slice(), &number.to_be_bytes()].concat()).await.unwrap();
            took.push(since.elapsed());
        }
        took.sort_unstable();
        let (p50, p99) = (took[SIGNATURES / 2], took[SIGNATURES * 99 / 100]);
        println!("loopback, {each_way} ms each way: sign p50 {p50:.1?}, p99 {p99:.1?}");
        assert!(took[0] >= delay * 2, "{:?}", took[0]);
        // A second round trip would be seen, however busy the machine: of the quickest.
        assert!(took[0] < delay * 2 + delay.max(Duration::from_millis(100)), "{:?}", took[0]);
    }
    assert_eq!(key.calls().attempts, 3 * u64::try_from(SIGNATURES).unwrap());
}
