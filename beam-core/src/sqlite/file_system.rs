//! Which file systems may hold a register.
//!
//! SQLite's write-ahead log needs byte-range locks and shared memory that all processes see alike. Over a network, or
//! through a program in user space, they are missing, advisory or forgotten, and two processes win the same swap.

use std::path::Path;

use crate::register::RegisterError;

/// What a file system is to a register, told by the magic number that `statfs` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// On this machine: fit.
    Local,
    /// In this machine's memory (tmpfs, ramfs). Fit for tests and demonstrations: a reboot takes the register with it,
    /// and a register that is missing is an error, never a fresh start.
    Memory,
    /// Shared with other machines, or served by a program that may do so: refused.
    Network(&'static str),
}

impl FileSystem {
    /// Classifies a magic number.
    ///
    /// ```
    /// use beam_core::sqlite::FileSystem;
    /// assert_eq!(FileSystem::from_magic(0x6969), FileSystem::Network("NFS"));
    /// assert_eq!(FileSystem::from_magic(0xEF53), FileSystem::Local); // ext4
    /// ```
    #[must_use]
    pub fn from_magic(magic: u32) -> Self {
        if MEMORY.contains(&magic) {
            return Self::Memory;
        }
        NETWORK.iter().find(|(known, _)| *known == magic).map_or(Self::Local, |(_, name)| Self::Network(name))
    }
}

const MEMORY: [u32; 2] = [
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
];

/// From the kernel's `magic.h` and, for those that live outside it, from what coreutils' `stat` calls remote.
const NETWORK: [(u32, &str); 25] = [
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x6573_5546, "FUSE (sshfs, s3fs, gcsfuse, GlusterFS, virtiofs and others)"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS (kAFS)"),
    (0x7375_7245, "Coda"),
    (0x0000_564C, "NCP"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x2003_0528, "OrangeFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0x0131_11A8, "IBRIX"),
    (0x6163_6673, "ACFS"),
    (0xBEEF_DEAD, "StorNext"),
    (0x786F_4256, "VirtualBox shared folder"),
    (0xBACB_ACBC, "VMware shared folder"),
    (0x7C7C_6673, "Parallels shared folder"),
    (0xA501_FCF5, "VxFS"),
];

/// Refuses a folder (or file) that lies on a network file system. Symbolic links are followed.
#[cfg(target_os = "linux")]
pub(super) fn refuse_network(path: &Path) -> Result<(), RegisterError> {
    let found = rustix::fs::statfs(path).map_err(|error| RegisterError::Unavailable(Box::new(error)))?;
    // The field's type differs between architectures; the magic is its low 32 bits (a signed field extends the sign).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits are meant")]
    match FileSystem::from_magic(found.f_type as u32) {
        FileSystem::Local | FileSystem::Memory => Ok(()),
        FileSystem::Network(name) => Err(refusal(path, name)),
    }
}

/// Elsewhere nothing tells us what a file lies on, so nothing is taken.
#[cfg(not(target_os = "linux"))]
pub(super) fn refuse_network(_path: &Path) -> Result<(), RegisterError> {
    Err(RegisterError::Unfit("the SQLite register runs on Linux only".to_owned()))
}

#[cfg(any(target_os = "linux", test))]
fn refusal(path: &Path, name: &str) -> RegisterError {
    RegisterError::Unfit(format!(
        "{} lies on a network file system ({name}), where locks do not hold; use a disk of this machine, or DynamoDB \
         for machines apart",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_file_system_is_refused_by_name() {
        for (magic, name) in NETWORK {
            assert_eq!(FileSystem::from_magic(magic), FileSystem::Network(name));
            let text = refusal(Path::new("/mnt/register.db"), name).to_string();
            assert!(text.contains(name) && text.contains("/mnt/register.db"), "{text}");
        }
    }

    #[test]
    fn no_magic_is_listed_twice() {
        for (index, (magic, _)) in NETWORK.iter().enumerate() {
            assert!(NETWORK[index + 1..].iter().all(|(other, _)| other != magic), "{magic:#x}");
            assert!(!MEMORY.contains(magic));
        }
    }

    #[test]
    fn disks_of_this_machine_are_taken() {
        let (ext4, xfs, btrfs, zfs, f2fs, overlay) =
            (0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0xF2F5_2010, 0x794C_7630);
        for magic in [ext4, xfs, btrfs, zfs, f2fs, overlay] {
            assert_eq!(FileSystem::from_magic(magic), FileSystem::Local, "{magic:#x}");
        }
    }

    #[test]
    fn memory_is_told_apart() {
        assert_eq!(FileSystem::from_magic(0x0102_1994), FileSystem::Memory);
    }
}
