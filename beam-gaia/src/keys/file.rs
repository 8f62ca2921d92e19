//! `CometBFT`'s `priv_validator_key.json` as a signing key.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use async_trait::async_trait;
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use ed25519_dalek::{Signer, SigningKey as Secret};
use rustix::fs::{FileType, Mode, OFlags};
use zeroize::Zeroizing;

use super::KeyFileError;
use super::json::{Bad, address, read_parts};

/// A validator's Ed25519 key, read from the file that `CometBFT` writes.
///
/// In memory it is in one place, locked there where the system allows it, and wiped when dropped. There is no way to get
/// it out, to copy it or to print it. (While it is read it passes over the stack, of which nothing can be wiped for
/// certain; the buffers for the file and for what is decoded from it are.)
pub struct KeyFile {
    // Dropped, and wiped, before the lock is.
    secret: Box<Secret>,
    lock: Option<region::LockGuard>,
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// Refused is one that others on this machine could read, that is of another kind, or whose parts do not belong
    /// together. A symbolic link is followed; the checks are of the file at its end, and of the very file that is read.
    ///
    /// # Errors
    /// [`KeyFileError`] says what to do about it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let text = read(path)?;
        let damaged = |why| KeyFileError::Damaged { path: path.to_owned(), why };
        let parts = read_parts(&text).map_err(|bad| match bad {
            Bad::Damaged(why) => damaged(why),
            Bad::OtherKind(kind) => KeyFileError::OtherKind { path: path.to_owned(), kind },
        })?;
        let mismatch = |what| KeyFileError::Mismatch { path: path.to_owned(), what };
        let pair = parts.pair.first_chunk().ok_or_else(|| damaged("the private key is cut short"))?;
        let secret = Box::new(Secret::from_keypair_bytes(pair).map_err(|_| mismatch("second half"))?);
        let public = secret.verifying_key();
        if parts.public != public.as_bytes() {
            return Err(mismatch("public key"));
        }
        if parts.address != address(public.as_bytes()) {
            return Err(mismatch("address"));
        }
        let lock = region::lock(std::ptr::from_ref::<Secret>(&secret), size_of::<Secret>()).ok();
        Ok(Self { secret, lock })
    }

    /// The validator's address: 40 upper-case hexadecimal digits.
    #[must_use]
    pub fn address(&self) -> String {
        address(self.secret.verifying_key().as_bytes())
    }

    /// Whether the key is kept out of swap. If not, the limit on locked memory is too low (`ulimit -l`).
    #[must_use]
    pub fn memory_locked(&self) -> bool {
        self.lock.is_some()
    }
}

#[async_trait]
impl SigningKey for KeyFile {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.secret.verifying_key().to_bytes())
    }

    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        // Some 30 µs: not worth another thread.
        Ok(self.secret.sign(bytes).to_bytes().to_vec())
    }
}

/// The file's text, wiped when dropped.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    // Without NONBLOCK, opening a pipe would wait for somebody to write.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    check(path, &rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?)?;
    fill(File::from(file)).map_err(failed)?.ok_or_else(|| KeyFileError::Damaged {
        path: path.to_owned(),
        why: "it is far larger than a key file",
    })
}

fn check(path: &Path, stat: &rustix::fs::Stat) -> Result<(), KeyFileError> {
    let path = || path.to_owned();
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(KeyFileError::NotAFile { path: path() });
    }
    let uid = stat.st_uid;
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        return Err(KeyFileError::OtherOwner { path: path(), uid });
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::RWXG | Mode::RWXO) {
        return Err(KeyFileError::OpenToOthers { path: path(), mode: mode.bits() });
    }
    Ok(())
}

/// Reads into a buffer that never moves: growing would leave copies behind. `None` if it does not fit.
fn fill(mut file: File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    const LEN_MAX: usize = 16 * 1024;
    let mut text = Zeroizing::new(vec![0; LEN_MAX]);
    let mut len = 0;
    loop {
        let Some(free @ [_, ..]) = text.get_mut(len..) else {
            return Ok(None);
        };
        match file.read(free) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(len);
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
