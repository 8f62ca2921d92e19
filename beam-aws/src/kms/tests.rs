use super::*;

/// The public key of RFC 8410, section 10.1, as it writes it down.
const DER: [u8; 44] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0x19, 0xbf, 0x44, 0x09, 0x69,
    0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6,
    0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1,
];

fn told(der: &[u8]) -> GetPublicKeyOutput {
    GetPublicKeyOutput::builder()
        .key_spec(KeySpec::EccNistEdwards25519)
        .key_usage(KeyUsageType::SignVerify)
        .public_key(Blob::new(der))
        .build()
}

fn refused(told: &GetPublicKeyOutput, pinned: Option<PublicKey>) -> String {
    public_key(told, pinned).unwrap_err().to_string()
}

#[test]
fn a_public_key_is_read_as_rfc_8410_writes_it() {
    assert_eq!(from_der(&DER).unwrap().as_bytes(), &DER[12..]);
    let pinned = PublicKey(DER[12..].try_into().unwrap());
    assert_eq!(public_key(&told(&DER), Some(pinned)).unwrap().as_bytes(), &pinned.0);
}

#[test]
fn what_is_no_such_key_is_refused() {
    for len in 0..DER.len() {
        assert!(from_der(&DER[..len]).is_none(), "{len} bytes of it");
    }
    assert!(from_der(&[&DER[..], &[0]].concat()).is_none(), "something behind it");
    // Ed448, X25519; a weak key; 33 bytes.
    let with = |place: usize, byte: u8| {
        let mut der = DER;
        der[place] = byte;
        from_der(&der)
    };
    assert!(with(8, 0x71).is_none() && with(8, 0x6e).is_none());
    let weak = [&DER[..12], &[1], &[0; 31]].concat();
    assert!(from_der(&weak).is_none());
    assert!(refused(&told(&[]), None).contains("an answer that is none"));
}

#[test]
fn a_key_of_another_kind_or_another_key_is_refused_by_name() {
    let other = GetPublicKeyOutput::builder().key_spec(KeySpec::EccNistP256).public_key(Blob::new(DER));
    let said = refused(&other.key_usage(KeyUsageType::SignVerify).build(), None);
    assert!(said.contains("ECC_NIST_P256 for SIGN_VERIFY; a validator's is"), "{said}");
    let said = refused(&told(&DER), Some(PublicKey([7; 32])));
    let shown = "public key is Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=, not the pinned BwcHBwcH";
    assert!(said.contains(shown), "{said}");
}
