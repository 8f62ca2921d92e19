//! How much room there is for the node.

use std::io;
use std::path::Path;

/// The file system that holds a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// What the node can still write, in bytes.
    pub free_bytes: u64,
    /// How large it is, in bytes.
    pub total_bytes: u64,
}

/// The room on the file system that holds this folder.
///
/// # Errors
/// [`io::Error`] if it cannot be asked, such as for a folder that is not there.
pub fn disk_space(folder: &Path) -> io::Result<DiskSpace> {
    let of = rustix::fs::statvfs(folder)?;
    Ok(DiskSpace {
        // What only root may write does not help the node.
        free_bytes: of.f_bavail.saturating_mul(of.f_frsize),
        total_bytes: of.f_blocks.saturating_mul(of.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_and_none_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let space = disk_space(folder.path()).unwrap();
        assert!(space.free_bytes > 0 && space.free_bytes <= space.total_bytes, "{space:?}");
        assert_eq!(disk_space(Path::new("/nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
