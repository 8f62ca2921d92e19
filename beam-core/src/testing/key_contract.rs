//! The contract of [`SigningKey`], as a suite for any key: in a file, in a device, in a cloud.

use std::sync::Arc;
use std::task::{Context, Waker};

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::Breach;
use crate::signing_key::{KeyError, PublicKey, SigningKey};

/// Gives the suite a key, and an eye that is not the key's own.
#[async_trait]
pub trait KeyHarness: Send + Sync {
    /// Another handle of the same key, as another machine has it.
    ///
    /// # Errors
    /// [`KeyError`] if there is none.
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError>;

    /// Whether that is the key's signature over those very bytes, as whoever receives it finds out: with code that the key
    /// has no part in.
    fn verifies(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool;

    /// How many bytes it can sign at most; `None` if that has no limit.
    fn len_max(&self) -> Option<usize> {
        None
    }

    /// For a key that is asked over a wire: whether the other side shall lie from now on, with what is a signature but not of
    /// this key, or not of these bytes. `false` if this key has no other side that could.
    async fn lies(&self, _lies: bool) -> bool {
        false
    }
}

/// Lengths at which a key may err. 32 and 64 bytes look like a hash; 1 is the least that all keys sign.
const LENGTHS: [usize; 9] = [1, 31, 32, 33, 63, 64, 65, 122, 1024];
/// How many signatures are asked for at once: more than the two machines of a validator ever do.
const AT_ONCE: u8 = 16;

/// Checks every statement.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(harness: &dyn KeyHarness) -> Result<(), Breach> {
    state_all!(harness;
        every_handle_has_the_same_public_key,
        it_signs_the_very_bytes_it_is_given,
        the_same_bytes_give_the_same_signature_on_every_handle,
        another_byte_is_another_signature,
        many_at_once_get_each_their_own,
        one_that_is_dropped_midway_harms_nothing,
        more_than_it_can_sign_is_refused_and_the_next_is_signed,
        a_wrong_signature_is_not_given_out,
    )
}

fn message(len: usize, first: u8) -> Vec<u8> {
    (first..=u8::MAX).chain(0..first).cycle().take(len).collect()
}

async fn signs(
    harness: &dyn KeyHarness,
    key: &dyn SigningKey,
    bytes: &[u8],
    what: &str,
) -> Result<Vec<u8>, Breach> {
    let signature = key.sign(bytes).await?;
    ensure!(signature.len() == 64, "{what}: a signature of {} bytes", signature.len());
    ensure!(
        harness.verifies(&key.public_key(), bytes, &signature),
        "{what}: not a signature over these {} bytes",
        bytes.len()
    );
    Ok(signature)
}

/// Both machines of a validator must seem the same to their nodes.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn every_handle_has_the_same_public_key(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let (one, other) = (harness.open().await?, harness.open().await?);
    let (is, wanted) = (other.public_key(), one.public_key());
    ensure!(is == wanted, "{is} on one handle, {wanted} on the other");
    ensure!(one.public_key() == wanted, "it changes from one look to the next");
    Ok(())
}

/// No hash of them, no part of them, whatever their length.
///
/// # Errors
/// The [`Breach`].
pub async fn it_signs_the_very_bytes_it_is_given(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let key = harness.open().await?;
    for len in LENGTHS.into_iter().chain(harness.len_max()) {
        signs(harness, &*key, &message(len, 7), &format!("{len} bytes")).await?;
    }
    Ok(())
}

/// A vote that is signed on both machines must be one vote.
///
/// # Errors
/// The [`Breach`].
pub async fn the_same_bytes_give_the_same_signature_on_every_handle(
    harness: &dyn KeyHarness,
) -> Result<(), Breach> {
    let (one, other) = (harness.open().await?, harness.open().await?);
    let bytes = message(122, 1);
    let first = signs(harness, &*one, &bytes, "the first time").await?;
    for key in [&one, &other, &one] {
        let again = key.sign(&bytes).await?;
        ensure!(again == first, "the same bytes gave two signatures");
    }
    Ok(())
}

/// The last byte counts as the first does.
///
/// # Errors
/// The [`Breach`].
pub async fn another_byte_is_another_signature(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let key = harness.open().await?;
    let bytes = message(122, 2);
    let first = signs(harness, &*key, &bytes, "as it was").await?;
    for place in [0, 60, 121] {
        let mut changed = bytes.clone();
        changed.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1);
        let signature = signs(harness, &*key, &changed, "one bit changed").await?;
        ensure!(signature != first, "the byte at {place} does not count");
    }
    Ok(())
}

/// Answers are not mixed up.
///
/// # Errors
/// The [`Breach`].
pub async fn many_at_once_get_each_their_own(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let key = harness.open().await?;
    let mut asked = JoinSet::new();
    for first in 0..AT_ONCE {
        let key = Arc::clone(&key);
        asked.spawn(async move {
            let bytes = message(122, first);
            let signature = key.sign(&bytes).await;
            (bytes, signature)
        });
    }
    while let Some(answered) = asked.join_next().await {
        let (bytes, signature) =
            answered.map_err(|error| Breach::new(format!("signing panicked: {error}")))?;
        ensure!(harness.verifies(&key.public_key(), &bytes, &signature?), "another message's signature");
    }
    Ok(())
}

/// The signer gives up what takes too long, and asks for the next.
///
/// # Errors
/// The [`Breach`].
pub async fn one_that_is_dropped_midway_harms_nothing(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let key = harness.open().await?;
    for first in 0..4 {
        let bytes = message(122, first);
        let mut asked = key.sign(&bytes);
        let _ = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    signs(harness, &*key, &message(122, 9), "after some that were dropped").await?;
    Ok(())
}

/// By a sentence, and by [`KeyError::TooLong`].
///
/// # Errors
/// The [`Breach`].
pub async fn more_than_it_can_sign_is_refused_and_the_next_is_signed(
    harness: &dyn KeyHarness,
) -> Result<(), Breach> {
    let Some(limit) = harness.len_max() else { return Ok(()) };
    let key = harness.open().await?;
    for len in [limit.saturating_add(1), limit.saturating_mul(16)] {
        let refused = key.sign(&message(len, 3)).await;
        ensure_matches!(refused, Err(KeyError::TooLong { len: is, max }) if is == len && max == limit => {});
    }
    signs(harness, &*key, &message(122, 3), "after one too long").await?;
    Ok(())
}

/// Whatever stands between, or has become of the other side.
///
/// # Errors
/// The [`Breach`].
pub async fn a_wrong_signature_is_not_given_out(harness: &dyn KeyHarness) -> Result<(), Breach> {
    let key = harness.open().await?;
    if !harness.lies(true).await {
        return Ok(());
    }
    let bytes = message(122, 4);
    let answer = key.sign(&bytes).await;
    harness.lies(false).await;
    ensure_matches!(answer, Err(KeyError::Wrong(_)) => {});
    signs(harness, &*key, &bytes, "when it tells the truth again").await?;
    Ok(())
}
