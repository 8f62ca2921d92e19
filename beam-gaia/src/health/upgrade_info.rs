//! `data/upgrade-info.json`: what a node leaves behind when it stops for an upgrade that its program does not know.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use beam_core::health::Upgrade;
use beam_core::signing::Height;
use serde::Deserialize;

/// The most that is read. The file may hold links and checksums of programs.
pub const UPGRADE_INFO_LEN_MAX: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Info {
    name: String,
    height: Number,
}

/// A number in the file, a text in the SDK's other JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

/// The upgrade that the node with this home wrote down last; `None` if it never did. It stays when the upgrade is done.
///
/// # Errors
/// [`io::Error`] if the file is there and cannot be read, or is something else.
pub fn upgrade_info(home: &Path) -> io::Result<Option<Upgrade>> {
    let file = match File::open(home.join("data/upgrade-info.json")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(UPGRADE_INFO_LEN_MAX).read_to_string(&mut text)?;
    let Info { name, height } = serde_json::from_str(&text)?;
    let height = match height {
        Number::Number(height) => height,
        Number::Text(text) => {
            text.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
        }
    };
    Ok(Some(Upgrade { name, height: Height(height) }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> io::Result<Option<Upgrade>> {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("data")).unwrap();
        fs::write(home.path().join("data/upgrade-info.json"), text).unwrap();
        upgrade_info(home.path())
    }

    #[test]
    fn a_real_file_is_read_and_none_is_no_error() {
        // As such a chain wrote it.
        let real = r#"{"name":"v2","time":"0001-01-01T00:00:00Z","height":497,"info":"{\"binaries\":{}}"}"#;
        let upgrade = Upgrade { name: "v2".to_owned(), height: Height(497) };
        assert_eq!(read(real).unwrap(), Some(upgrade.clone()));
        assert_eq!(read(r#"{"name":"v2","height":"497"}"#).unwrap(), Some(upgrade));
        assert_eq!(upgrade_info(Path::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["", "{}", "[]", r#"{"name":"v2","height":"soon"}"#, r#"{"name":"v2","height":-1}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
