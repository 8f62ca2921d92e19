//! An address as people and SDK chains write it: BIP-173, the writing side.

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// `prefix1...`: the bytes with this prefix, which must be lower-case ASCII.
pub(super) fn encode(prefix: &str, bytes: &[u8]) -> String {
    let data = five_bits(bytes);
    let expanded = prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
    let checked = expanded.chain(data.iter().copied()).chain([0; 6]);
    let sum = polymod(checked) ^ 1;
    let checksum = (0..6).rev().map(|place| u8::try_from((sum >> (5 * place)) & 31).unwrap_or_default());
    let text = data.iter().copied().chain(checksum).filter_map(|five| CHARSET.get(usize::from(five)));
    format!("{prefix}1{}", text.map(|c| char::from(*c)).collect::<String>())
}

/// The bits in groups of five, the last filled up with zeroes.
fn five_bits(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1)).collect();
    let group = |five: &[u8]| five.iter().chain(&[0; 4]).take(5).fold(0, |sum, bit| sum << 1 | bit);
    bits.chunks(5).map(group).collect()
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x1ff_ffff) << 5) ^ u32::from(value);
        GENERATOR
            .iter()
            .zip(0..)
            .filter(|(_, place)| (top >> place) & 1 == 1)
            .fold(shifted, |sum, (g, _)| sum ^ g)
    })
}

#[cfg(test)]
mod tests {
    use beam_core::id::from_hex;

    use super::*;

    #[test]
    fn addresses_are_written_as_the_sdk_does() {
        // BIP-173's own vectors that are whole bytes, and the Hub's gov module account (the first 20 bytes of SHA-256("gov")).
        for (prefix, hex, text) in [
            ("a", "", "a12uel5l"),
            (
                "abcdef",
                "00443214c74254b635cf84653a56d7c675be77df",
                "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            ),
            (
                "cosmos",
                "7b5fe22b5446f7c62ea27b8bd71cef94e03f3df2",
                "cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn",
            ),
        ] {
            assert_eq!(encode(prefix, &from_hex(hex).unwrap()), text);
        }
    }
}
