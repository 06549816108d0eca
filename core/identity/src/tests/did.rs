//! DIDs against the vectors of W3C CCG, and every other spelling refused.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine};
use proptest::prelude::*;
use serde_json::Value;
use std::println;

use super::{damaged, keys, suite};
use crate::{Did, IdentityError, KeyKind, PublicKey, SecretKey, DID_BYTES_MAX};

const SUITE: &str = "did-key-w3c-ccg";
const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn spell(multicodec: &[u8], key: &[u8]) -> String {
    let encoded = bs58::encode([multicodec, key].concat()).into_string();
    format!("did:key:z{encoded}")
}

/// The key that a vector states beside its DID, from base58 or from a JWK.
fn stated_key(pair: &Value) -> Vec<u8> {
    if let Some(text) = pair["publicKeyBase58"].as_str() {
        return bs58::decode(text).into_vec().unwrap();
    }
    let field = |name: &str| {
        pair["publicKeyJwk"][name]
            .as_str()
            .map(|text| URL_SAFE_NO_PAD.decode(text).unwrap())
    };
    let x = field("x").unwrap();
    match field("y") {
        Some(y) => [&[2 + (y.last().unwrap() & 1)][..], &x].concat(),
        None => x,
    }
}

fn stated_secret(entry: &Value, pair: &Value) -> Option<Vec<u8>> {
    let private = pair["privateKeyBase58"]
        .as_str()
        .map(|text| bs58::decode(text).into_vec().unwrap());
    let jwk = || {
        pair["privateKeyJwk"]["d"]
            .as_str()
            .map(|text| URL_SAFE_NO_PAD.decode(text).unwrap())
    };
    let seed = || {
        entry["seed"]
            .as_str()
            .map(|text| hex::decode(text).unwrap())
    };
    private.or_else(jwk).or_else(seed)
}

#[test]
fn published_dids_are_read_and_written() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for file in [
        "ed25519-x25519",
        "secp256k1",
        "nist-curves",
        "x25519",
        "rsa",
        "bls12381",
    ] {
        let Some(text) = suite::read(SUITE, &format!("test-vectors/{file}.json")) else {
            return;
        };
        let vectors: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        // One file has a document at its top level, beside the DIDs.
        let vectors = vectors
            .into_iter()
            .filter(|(text, _)| text.starts_with("did:"));
        for (text, entry) in vectors {
            // The kind follows from the multibase prefix alone, as the specification lists it.
            let kind = match &text[..text.len().min(12)] {
                prefix if prefix.starts_with("did:key:z6Mk") => KeyKind::Ed25519,
                prefix if prefix.starts_with("did:key:zQ3s") => KeyKind::Secp256k1,
                prefix if prefix.starts_with("did:key:zDna") => KeyKind::P256,
                _ => {
                    let refused = Did::parse(&text).unwrap_err();
                    assert!(
                        matches!(
                            refused,
                            IdentityError::DidMulticodec | IdentityError::DidLength { .. }
                        ),
                        "{text}: {refused}"
                    );
                    *counts.entry("refused, other kinds").or_default() += 1;
                    continue;
                }
            };
            let did = Did::parse(&text).unwrap();
            let pair = match &entry["verificationKeyPair"] {
                Value::Null => &entry["verificationMethod"],
                pair => pair,
            };
            assert_eq!(did.public_key().kind(), kind);
            assert_eq!(did.public_key().as_bytes(), stated_key(pair), "{text}");
            assert_eq!(did.as_str(), text);
            if let Some(secret) = stated_secret(&entry, pair) {
                // An ed25519 secret is written as the seed, or as seed and public key.
                let seed = secret[..32].try_into().unwrap();
                assert_eq!(SecretKey::from_seed(kind, seed).unwrap().did(), did);
                *counts.entry("with secret").or_default() += 1;
            }
            *counts.entry(kind.name()).or_default() += 1;
        }
    }
    for kind in KeyKind::ALL {
        assert!(
            counts.contains_key(kind.name()),
            "no vector for {kind}: {counts:?}"
        );
    }
    let passed: u32 = counts
        .iter()
        .filter(|(name, _)| **name != "with secret")
        .map(|(_, n)| n)
        .sum();
    println!("suite did-key: {passed} passed {counts:?}");
}

#[test]
fn only_one_spelling_of_a_did_is_read() {
    for key in keys() {
        let did = key.did();
        let text = did.as_str();
        assert_eq!(Did::parse(text), Ok(did.clone()));
        let encoded = &text[9..];
        for (wrong, expected) in [
            (format!("did:key:{encoded}"), IdentityError::DidPrefix),
            (format!("DID:key:z{encoded}"), IdentityError::DidPrefix),
            (format!("did:pkh:z{encoded}"), IdentityError::DidPrefix),
            (format!("did:key:m{encoded}"), IdentityError::DidPrefix),
            (format!(" {text}"), IdentityError::DidPrefix),
            (String::new(), IdentityError::DidPrefix),
            (format!("{text}#z"), IdentityError::DidBase58),
            (format!("{text} "), IdentityError::DidBase58),
            ("did:key:z".to_owned(), IdentityError::DidMulticodec),
            // A leading 1 is a zero byte in front.
            (
                format!("did:key:z1{encoded}")[..text.len()].to_owned(),
                IdentityError::DidMulticodec,
            ),
            (
                format!("{text}#{}", &text[8..]),
                IdentityError::DidLength {
                    found: 2 * text.len() - 7,
                },
            ),
        ] {
            // A suffix may make a DID too long before it makes it wrong.
            let refused = Did::parse(&wrong).unwrap_err();
            let too_long = IdentityError::DidLength { found: wrong.len() };
            let expected = if wrong.len() > DID_BYTES_MAX {
                too_long
            } else {
                expected
            };
            assert_eq!(refused, expected, "{wrong}");
        }
        for at in 0..encoded.len() {
            for letter in ALPHABET.chars().chain("0OIl+/=é\0".chars()) {
                let wrong = format!("did:key:z{}{letter}{}", &encoded[..at], &encoded[at + 1..]);
                // Another letter may well be another key. It is never the same one.
                match Did::parse(&wrong) {
                    Ok(other) => {
                        assert!(other.as_str() == wrong && (other == did) == (wrong == text))
                    }
                    Err(_) => assert_ne!(wrong, text),
                }
            }
        }
    }
}

#[test]
fn keys_in_another_form_are_refused() {
    for key in keys() {
        let (kind, bytes) = (key.kind(), key.public_key().as_bytes());
        assert_eq!(Did::parse(&spell(&kind.multicodec(), bytes)), Ok(key.did()));
        // A varint with a needless byte, and the kinds beside ours (x25519, P-384).
        let [low, high] = kind.multicodec();
        for codec in [
            &[low, high | 0x80, 0][..],
            &[0xec, 1],
            &[0x81, 0x24],
            &[low],
            &[],
        ] {
            let refused = Did::parse(&spell(codec, bytes)).unwrap_err();
            assert!(
                !matches!(refused, IdentityError::DidCanonical),
                "{codec:x?}"
            );
        }
        for wrong in damaged(bytes) {
            let text = spell(&kind.multicodec(), &wrong);
            match PublicKey::from_bytes(kind, &wrong) {
                Ok(other) => {
                    assert!(other != *key.public_key() && Did::parse(&text) == Ok(other.did()))
                }
                Err(refused) => {
                    let too_long = IdentityError::DidLength { found: text.len() };
                    let expected = if text.len() > DID_BYTES_MAX {
                        too_long
                    } else {
                        refused
                    };
                    assert_eq!(Did::parse(&text), Err(expected));
                }
            }
        }
    }
}

#[test]
fn ecdsa_keys_are_compressed_points_of_their_own_curve() {
    let uncompressed = [
        k256::ecdsa::SigningKey::from_slice(&[7; 32])
            .unwrap()
            .verifying_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec(),
        p256::ecdsa::SigningKey::from_slice(&[7; 32])
            .unwrap()
            .verifying_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec(),
    ];
    for (kind, uncompressed) in [KeyKind::Secp256k1, KeyKind::P256]
        .into_iter()
        .zip(uncompressed)
    {
        let found = uncompressed.len();
        let length = IdentityError::KeyLength { kind, found };
        assert_eq!(PublicKey::from_bytes(kind, &uncompressed), Err(length));
        let text = spell(&kind.multicodec(), &uncompressed);
        assert_eq!(
            Did::parse(&text),
            Err(IdentityError::DidLength { found: text.len() })
        );
        let sign = 2 + (uncompressed[64] & 1);
        let mut compressed = uncompressed[..33].to_vec();
        for tag in 0..=255 {
            compressed[0] = tag;
            let parsed = PublicKey::from_bytes(kind, &compressed);
            match tag {
                2 | 3 => assert_eq!(parsed.unwrap().as_bytes()[0] == sign, tag == sign),
                _ => assert_eq!(parsed, Err(IdentityError::KeyPoint { kind }), "{tag}"),
            }
        }
        // x = p, which is 0 written otherwise.
        let p = match kind {
            KeyKind::Secp256k1 => {
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
            }
            _ => "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        };
        let unreduced = [&[2][..], &hex::decode(p).unwrap()].concat();
        assert_eq!(
            PublicKey::from_bytes(kind, &unreduced),
            Err(IdentityError::KeyPoint { kind })
        );
    }
}

/// About half of all coordinates belong to no point; each must be refused, and each that is
/// taken must come back as it was.
#[test]
fn points_off_the_curve_are_refused() {
    for kind in KeyKind::ALL {
        let mut off = 0;
        for n in 0..64u8 {
            let mut bytes = alloc::vec![0x11; kind.key_bytes()];
            (bytes[0], *bytes.last_mut().unwrap()) = (2, n);
            match PublicKey::from_bytes(kind, &bytes) {
                Ok(key) => assert_eq!(key.as_bytes(), bytes),
                Err(refused) => {
                    assert_eq!(refused, IdentityError::KeyPoint { kind });
                    assert_eq!(Did::parse(&spell(&kind.multicodec(), &bytes)), Err(refused));
                    off += 1;
                }
            }
        }
        assert!((16..48).contains(&off), "{kind}: {off} of 64");
    }
}

#[test]
fn a_map_of_dids_is_asked_by_text() {
    let map: BTreeMap<Did, KeyKind> = keys().iter().map(|key| (key.did(), key.kind())).collect();
    for key in keys() {
        assert_eq!(map.get(key.did().as_str()), Some(&key.kind()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_what_is_read_is_written_the_same(
        text in "(did:key:z)?(6Mk|Q3s|Dna)?[1-9A-HJ-NP-Za-km-z]{0,50}|.{0,60}",
        key in prop::collection::vec(any::<u8>(), 30..36),
        kind in prop::sample::select(&KeyKind::ALL[..]),
    ) {
        for text in [text, spell(&kind.multicodec(), &key)] {
            if let Ok(did) = Did::parse(&text) {
                prop_assert_eq!(did.as_str(), text);
            }
        }
    }

    #[test]
    fn every_seed_has_a_did_that_is_read_back(seed in any::<[u8; 32]>(), kind in prop::sample::select(&KeyKind::ALL[..])) {
        if let Ok(key) = SecretKey::from_seed(kind, seed) {
            prop_assert_eq!(Did::parse(key.did().as_str()), Ok(key.did()));
            prop_assert_eq!(key.seed(), &seed);
        }
    }
}
