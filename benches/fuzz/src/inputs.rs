//! Inputs in a text file, one a line, so that people can read them and see what changes.
//!
//! What is not printable ASCII is written as in a Rust string (`\n`, `\xff`, `\\`, `\"`); a line that begins with `#` is a
//! remark, and an input that begins so is written with `\x23`.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder of inputs made by hand of real ones, a file a target: what should be taken.
pub const SEEDS: &str = "seeds";
/// The folder of inputs that the fuzzer has found to cover much, a file a target. Made by `cargo fuzz-all --minimise`.
pub const CORPUS: &str = "corpus";
/// The folder of inputs that have found something, a file a target that has any.
pub const CASES: &str = "cases";

/// The file with the inputs of a target, in this folder of the package.
#[must_use]
pub fn file(folder: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(format!("{target}.txt"))
}

/// The inputs in a file; none if there is no file.
///
/// # Errors
/// [`io::Error`] if it cannot be read, or has a line that is none of ours.
pub fn read(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let wrong = |line: usize| {
        io::Error::other(format!("{}: line {} is no input", path.display(), line.saturating_add(1)))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines.map(|(place, line)| unescaped(line).ok_or_else(|| wrong(place))).collect()
}

/// The text of a file with these inputs, the shortest first.
#[must_use]
pub fn text(mut inputs: Vec<Vec<u8>>) -> String {
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    inputs.dedup();
    inputs.iter().map(|input| format!("{}\n", escaped(input))).collect()
}

/// An input as a line.
#[must_use]
pub fn escaped(input: &[u8]) -> String {
    let line = input.escape_ascii().to_string();
    match line.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}"),
        None => line,
    }
}

fn unescaped(line: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            quoted @ (b'\\' | b'\'' | b'"') => quoted,
            _ => return None,
        });
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
