//! The socket file on which the node waits for its signer.
//!
//! `CometBFT` never removes the file, not even on a clean stop, and the next start then fails with "address already in use".
//! Whoever starts the node must remove it; whoever removes it must be sure that nobody listens. The rights of its folder
//! are the only thing that keeps strangers from being the signer.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Why the node's socket cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The node would look for it from another working directory.
    #[error("the socket's path must be absolute: {}", .0.display())]
    Relative(PathBuf),
    /// The kernel has no room for it.
    #[error("the socket's path is {len} bytes long, at most {SOCKET_PATH_LEN_MAX} are possible: {}", .path.display())]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        len: usize,
    },
    /// Something that is no socket stands there. It is left alone: it is not ours.
    #[error("{} is in the way: it is not a socket, move it away", .0.display())]
    NotASocket(PathBuf),
    /// Somebody listens there: a node that we do not know of.
    #[error("another process listens on {}: end it first", .0.display())]
    InUse(PathBuf),
    /// Others may enter the folder, and closing it might hurt them: it holds more than this node's files.
    #[error("the socket's folder {} is open to others (mode {mode:o}): use one of its own, or chmod 700 it", .folder.display())]
    FolderOpen {
        /// The folder.
        folder: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// The file system did not do it.
    #[error("the socket {} could not be prepared", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What fits into a socket address besides the closing zero.
pub const SOCKET_PATH_LEN_MAX: usize = 107;

/// Makes the folder private and removes a socket that nobody listens on. `own` are this node's other files, which may share
/// the folder. To be called only when our own node is known not to run.
pub(super) fn make_way(socket: &Path, own: &[&Path]) -> Result<(), SocketError> {
    let io_error = |source| SocketError::Io { path: socket.to_owned(), source };
    let folder = match socket.parent() {
        Some(folder) if socket.is_absolute() => folder,
        _ => return Err(SocketError::Relative(socket.to_owned())),
    };
    let len = socket.as_os_str().as_bytes().len();
    if len > SOCKET_PATH_LEN_MAX {
        return Err(SocketError::TooLong { path: socket.to_owned(), len });
    }
    make_private(folder, socket, own)?;
    let found = match fs::symlink_metadata(socket) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(error)),
    };
    if !found.file_type().is_socket() {
        return Err(SocketError::NotASocket(socket.to_owned()));
    }
    if !is_abandoned(socket).map_err(|error| io_error(error.into()))? {
        return Err(SocketError::InUse(socket.to_owned()));
    }
    fs::remove_file(socket).map_err(io_error)
}

fn make_private(folder: &Path, socket: &Path, own: &[&Path]) -> Result<(), SocketError> {
    let io_error = |source| SocketError::Io { path: socket.to_owned(), source };
    DirBuilder::new().recursive(true).mode(PRIVATE).create(folder).map_err(io_error)?;
    let mode = fs::metadata(folder).map_err(io_error)?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    // `/run` or `/tmp` must not be closed because somebody put a socket there.
    for entry in fs::read_dir(folder).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if path != socket && !own.contains(&path.as_path()) {
            return Err(SocketError::FolderOpen { folder: folder.to_owned(), mode });
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(PRIVATE)).map_err(io_error)
}

const PRIVATE: u32 = 0o700;

/// Whether nobody listens. Asked of the kernel, as a file alone does not tell; without waiting, as a listener whose queue is
/// full would not answer.
fn is_abandoned(socket: &Path) -> rustix::io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    Ok(matches!(connect(&probe, &SocketAddrUnix::new(socket)?), Err(Errno::CONNREFUSED | Errno::NOENT)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn mode(folder: &Path) -> u32 {
        fs::metadata(folder).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_is_made_private_with_the_socket_in_it_removed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        let (socket, log) = (folder.join("privval.sock"), folder.join("node.log"));
        make_way(&socket, &[]).unwrap();
        assert_eq!(mode(&folder), 0o700);

        drop(UnixListener::bind(&socket).unwrap());
        fs::write(&log, "").unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        make_way(&socket, &[&log]).unwrap();
        assert!(!socket.exists());
        assert!(log.exists());
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_folder_that_others_use_is_not_closed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("somebody's"), "").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let refused = make_way(&folder.path().join("privval.sock"), &[]);
        assert!(matches!(refused, Err(SocketError::FolderOpen { mode: 0o755, .. })), "{refused:?}");
        assert_eq!(mode(folder.path()), 0o755);
    }

    #[test]
    fn a_socket_that_somebody_listens_on_stays() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("privval.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(matches!(make_way(&socket, &[]), Err(SocketError::InUse(_))));
        assert!(socket.exists());
        drop(listener);
        make_way(&socket, &[]).unwrap();
        assert!(!socket.exists());
    }

    #[test]
    fn what_is_no_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(PRIVATE)).unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            assert!(matches!(make_way(path, &[]), Err(SocketError::NotASocket(_))));
        }
        assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
    }

    #[test]
    fn a_path_that_the_node_could_not_bind_is_refused() {
        assert!(matches!(make_way(Path::new("run/a.sock"), &[]), Err(SocketError::Relative(_))));
        let long = format!("/tmp/{}", "x".repeat(103));
        assert!(matches!(make_way(Path::new(&long), &[]), Err(SocketError::TooLong { len: 108, .. })));
    }
}
