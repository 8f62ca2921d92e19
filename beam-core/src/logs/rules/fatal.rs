//! Texts of errors that end a node or its consensus, wherever they stand: in a field, in a panic, in the last line of a usage
//! text.

use super::{Cause, contains};

/// The cause that this text names.
pub(in crate::logs) fn fatal(text: &[u8]) -> Option<Cause> {
    const TEXTS: [(&str, Cause); 15] = [
        ("no space left on device", Cause::DiskFull),
        ("NEEDED at height", Cause::UpgradeNeeded),
        ("BINARY UPDATED BEFORE TRIGGER", Cause::EarlyBinary),
        ("halt per configuration", Cause::HaltHeight),
        ("upgrade handler is missing for", Cause::WrongBinary),
        ("can't get pubkey: signerEndpoint returned error", Cause::SignerRefused),
        ("error with private validator socket client", Cause::SignerGone),
        ("address already in use", Cause::PortInUse),
        ("failed to initialize database: resource temporarily unavailable", Cause::HomeInUse),
        ("wrong Block.Header.AppHash", Cause::AppHash),
        ("wrong Block.Header.LastResultsHash", Cause::AppHash),
        ("too many open files", Cause::OpenFiles),
        ("out of memory", Cause::OutOfMemory),
        ("cannot allocate memory", Cause::OutOfMemory),
        ("found signature from the same key", Cause::DoubleSignGuard),
    ];
    let &(_, cause) = TEXTS.iter().find(|(words, _)| contains(text, words))?;
    // Somebody's plan may be called "NEEDED at height"; only the module's own sentence counts.
    (cause != Cause::UpgradeNeeded || contains(text, "UPGRADE ")).then_some(cause)
}

/// The plan's name and height in `UPGRADE "v2" NEEDED at height: 497: …`.
pub(in crate::logs) fn upgrade(text: &str) -> Option<(String, u64)> {
    let (before, after) = text.split_once("NEEDED at height: ")?;
    let name = before.rsplit("UPGRADE ").next()?.trim().trim_matches('"');
    Some((name.to_owned(), number(after)?))
}

/// The height in `halt per configuration height 429 time 0`.
pub(in crate::logs) fn halt_height(text: &str) -> Option<u64> {
    number(text.split_once("halt per configuration height ")?.1)
}

/// The number with which the text begins.
fn number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_named_with_its_height() {
        let text = r#"failed to apply block; error UPGRADE "v2 b" NEEDED at height: 497: {"binaries":{}}"#;
        assert_eq!(upgrade(text), Some(("v2 b".to_owned(), 497)));
        assert_eq!(upgrade("UPGRADE \"v2\" NEEDED at height: soon"), None);
        assert_eq!(fatal(text.as_bytes()), Some(Cause::UpgradeNeeded));
        assert_eq!(halt_height("error halt per configuration height 429 time 0"), Some(429));
        assert_eq!(halt_height("halt per configuration height soon"), None);
        assert_eq!(fatal(b"--halt-height uint   Block height at which to gracefully halt"), None);
    }
}
