//! A validator's address, in the two ways in which logs write it.

/// The twenty bytes that name a consensus key.
pub type Address = [u8; 20];

/// Reads 40 hexadecimal digits.
#[must_use]
pub fn of_hex(text: &str) -> Option<Address> {
    let mut address = Address::default();
    let digits = text.as_bytes();
    if digits.len() != 2 * address.len() {
        return None;
    }
    for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(address)
}

/// Reads a bech32 address such as `cosmosvalcons1…`, of any chain. The checksum is passed over: it is only compared with an
/// address that is known.
#[must_use]
pub fn of_bech32(text: &str) -> Option<Address> {
    const LETTERS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const CHECKSUM_LEN: usize = 6;
    let (_, data) = text.rsplit_once('1')?;
    let data = data.as_bytes().get(..data.len().checked_sub(CHECKSUM_LEN)?)?;
    let mut address = Address::default();
    let mut bytes = address.iter_mut();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in data {
        let five = u32::try_from(LETTERS.iter().position(|other| other == letter)?).ok()?;
        (bits, held) = ((bits << 5 | five) & 0xfff, held + 5);
        if held >= 8 {
            held -= 8;
            *bytes.next()? = u8::try_from(bits >> held & 0xff).ok()?;
        }
    }
    bytes.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_name_the_same_validator() {
        // One validator of a test chain, as consensus and as x/slashing wrote it.
        let hex = of_hex("EAFFBDEA57A9AF44B21F28F77D8A91DC7EBC92C7").unwrap();
        assert_eq!(of_bech32("cosmosvalcons1atlmm6jh4xh5fvsl9rmhmz53m3lteyk8v94wmp"), Some(hex));
        for no in
            ["", "1", "cosmosvalcons1atlmm", "cosmosvalcons1btlmm6jh4xh5fvsl9rmhmz53m3lteyk8v94wmp", "é1é"]
        {
            assert_eq!(of_bech32(no), None, "{no}");
        }
        assert_eq!(of_hex("EAFF"), None);
        assert_eq!(of_hex(&"é".repeat(20)), None);
    }
}
