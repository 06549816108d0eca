//! Account addresses, as wallets know them.

use alloc::{format, string::ToString};
use proptest::prelude::*;

use super::keys;
use crate::{AccountAddress, IdentityError, KeyKind, SecretKey};

/// From CometBFT's own test of secp256k1 keys: the 20 bytes of a Cosmos address are those of
/// the Bitcoin address of the same key.
#[test]
fn a_secp256k1_address_is_that_of_other_wallets() {
    let seed = "a96e62ed3955e65be32703f12d87b6b5cf26039ecfa948dc5107a495418e5330";
    let seed = hex::decode(seed).unwrap().try_into().unwrap();
    let key = SecretKey::from_seed(KeyKind::Secp256k1, seed).unwrap();
    let public = "02950e1cdfcb133d6024109fd489f734eeb4502418e538c28481f22bce276f248c";
    assert_eq!(hex::encode(key.public_key().as_bytes()), public);
    let bitcoin = bs58::decode("1CKZ9Nx4zgds8tU7nJHotKSDr4a9bYJCa3")
        .into_vec()
        .unwrap();
    let address = AccountAddress::of(key.public_key()).unwrap();
    assert_eq!(address.as_bytes()[..], bitcoin[1..21]);
}

#[test]
fn each_kind_of_key_has_the_address_of_its_kind() {
    for key in keys() {
        let kind = key.kind();
        match AccountAddress::of(key.public_key()) {
            Ok(address) => {
                assert!(address.to_string().starts_with("hold1"));
                assert_eq!(AccountAddress::parse(&address.to_string()), Ok(address));
            }
            Err(refused) => {
                assert_eq!(kind, KeyKind::P256);
                assert_eq!(refused, IdentityError::NoAccount { kind });
            }
        }
    }
}

#[test]
fn other_spellings_and_other_chains_are_refused() {
    let address = AccountAddress::from([7; 20]);
    let text = address.to_string();
    let encode = |prefix, bytes: &[u8]| {
        bech32::encode::<bech32::Bech32>(bech32::Hrp::parse(prefix).unwrap(), bytes).unwrap()
    };
    let modified =
        bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("hold").unwrap(), &[7; 20]).unwrap();
    for (wrong, expected) in [
        (text.to_uppercase(), IdentityError::AddressCanonical),
        (encode("cosmos", &[7; 20]), IdentityError::AddressPrefix),
        (
            encode("hold", &[7; 19]),
            IdentityError::AddressLength { found: 19 },
        ),
        (
            encode("hold", &[7; 32]),
            IdentityError::AddressLength { found: 32 },
        ),
        (
            encode("hold", &[]),
            IdentityError::AddressLength { found: 0 },
        ),
        (modified, IdentityError::AddressBech32),
        (format!("{text} "), IdentityError::AddressBech32),
        ("".into(), IdentityError::AddressBech32),
    ] {
        assert_eq!(AccountAddress::parse(&wrong), Err(expected), "{wrong}");
    }
    for at in 0..text.len() {
        for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1b".chars() {
            let mut wrong = text.clone();
            wrong.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
            assert_eq!(
                AccountAddress::parse(&wrong).is_ok(),
                wrong == text,
                "{wrong}"
            );
        }
    }
    for found in [0, 19, 21] {
        let refused = AccountAddress::from_slice(&[1; 21][..found]);
        assert_eq!(refused, Err(IdentityError::AddressLength { found }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn addresses_are_read_back_and_no_text_panics(bytes in any::<[u8; 20]>(), text in ".{0,60}") {
        let address = AccountAddress::from(bytes);
        prop_assert_eq!(address.to_string().parse(), Ok(address));
        let _ = AccountAddress::parse(&text);
    }
}
