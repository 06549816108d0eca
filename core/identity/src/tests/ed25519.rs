//! ed25519 by ZIP-215, against both published collections of edge cases.
//!
//! What ZIP-215 expects of each vector is derived so:
//!
//! * `ed25519-cctv`: its README says that ZIP-215 accepts all vectors, which holds but for one
//!   flag. `reencoded_k` marks signatures made with a challenge over *another* encoding of A or R
//!   than the one that is sent, and ZIP-215 takes the challenge over the bytes as sent. So such
//!   a vector is refused, unless A is of low order: then [8][k]A vanishes whatever k is.
//! * `ed25519-speccheck`: the row `Zebra` of its `results.md`. Zebra is the implementation for
//!   which ZIP-215 was written. Independently, the two vectors with S above the group order must
//!   be among those refused, because ZIP-215 says so in a rule of its own.

use alloc::vec::Vec;
use serde_json::Value;
use std::println;

use super::{damaged, suite};
use crate::{Batch, IdentityError, KeyKind, PublicKey, SecretKey, Signature, Statement};

struct Vector {
    key: PublicKey,
    message: Vec<u8>,
    signature: Signature,
    valid: bool,
    low_order_key: Option<bool>,
}

impl Vector {
    /// The vectors' messages are no statements of ours: the bytes are covered as they are, by
    /// the path that tokens take.
    fn statement(&self) -> Statement<'_> {
        Statement::token(&self.message).unwrap()
    }

    fn check(&self) {
        let expected = match self.valid {
            true => Ok(()),
            false => Err(IdentityError::SignatureWrong {
                kind: KeyKind::Ed25519,
            }),
        };
        assert_eq!(
            self.key.verify_token(&self.message, &self.signature),
            expected
        );
        let mut batch = Batch::new();
        // Often enough that the batch equation is used.
        for _ in 0..4 {
            batch.push(&self.key, self.statement(), &self.signature);
        }
        assert_eq!(batch.verify(), [expected; 4]);
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn cctv() -> Option<Vec<Vector>> {
    let text = suite::read("ed25519-cctv", "ed25519/ed25519vectors.json")?;
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let read = |vector: &Value| {
        let flags = vector["flags"].as_array();
        let has = |flag: &str| flags.into_iter().flatten().any(|found| found == flag);
        Vector {
            key: PublicKey::from_bytes(KeyKind::Ed25519, &bytes(&vector["key"])).unwrap(),
            message: vector["msg"].as_str().unwrap().as_bytes().to_vec(),
            signature: Signature::from_slice(&bytes(&vector["sig"])).unwrap(),
            valid: !has("reencoded_k") || has("low_order_A"),
            low_order_key: Some(has("low_order_A")),
        }
    };
    Some(vectors.iter().map(read).collect())
}

fn speccheck() -> Option<Vec<Vector>> {
    let cases = suite::read("ed25519-speccheck", "cases.json")?;
    let results = suite::read("ed25519-speccheck", "results.md")?;
    let row = results
        .lines()
        .find(|line| line.starts_with("|Zebra"))
        .unwrap();
    let verdicts: Vec<bool> = row
        .split('|')
        .skip(2)
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell == "V")
        .collect();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    assert_eq!((cases.len(), verdicts.len()), (12, 12));
    assert!(
        !verdicts[6] && !verdicts[7],
        "ZIP-215 refuses S above the group order"
    );
    let read = |(case, valid): (&Value, bool)| Vector {
        key: PublicKey::from_bytes(KeyKind::Ed25519, &bytes(&case["pub_key"])).unwrap(),
        message: bytes(&case["message"]),
        signature: Signature::from_slice(&bytes(&case["signature"])).unwrap(),
        valid,
        low_order_key: None,
    };
    Some(cases.iter().zip(verdicts).map(read).collect())
}

#[test]
fn cctv_vectors_verify_as_zip_215_says() {
    let Some(vectors) = cctv() else { return };
    for vector in &vectors {
        vector.check();
        assert_eq!(Some(vector.key.is_small_order()), vector.low_order_key);
    }
    let refused = vectors.iter().filter(|vector| !vector.valid).count();
    assert!(vectors.len() > 900);
    println!(
        "suite ed25519-cctv: {} passed, {refused} of them to be refused",
        vectors.len()
    );
}

#[test]
fn speccheck_vectors_verify_as_zip_215_says() {
    let Some(vectors) = speccheck() else { return };
    vectors.iter().for_each(Vector::check);
    println!("suite ed25519-speccheck: {} passed", vectors.len());
}

/// The property for which ZIP-215 was chosen: in whatever company, a signature gets the verdict
/// that it gets alone.
#[test]
fn edge_cases_get_the_same_verdict_in_a_batch() {
    let (Some(cctv), Some(speccheck)) = (cctv(), speccheck()) else {
        return;
    };
    let verdicts = |vectors: &[&Vector]| {
        let mut batch = Batch::new();
        vectors
            .iter()
            .for_each(|vector| batch.push(&vector.key, vector.statement(), &vector.signature));
        batch.verify().iter().map(Result::is_ok).collect::<Vec<_>>()
    };
    let valid: Vec<_> = cctv
        .iter()
        .chain(&speccheck)
        .filter(|vector| vector.valid)
        .collect();
    assert!(verdicts(&valid).iter().all(|ok| *ok));
    let invalid = speccheck.iter().chain(&cctv).filter(|vector| !vector.valid);
    for invalid in invalid.step_by(5) {
        let mixed: Vec<_> = valid[..20]
            .iter()
            .copied()
            .chain([invalid])
            .chain(valid[20..40].iter().copied())
            .collect();
        let expected: Vec<_> = mixed.iter().map(|vector| vector.valid).collect();
        assert_eq!(verdicts(&mixed), expected);
    }
}

/// RFC 8032 §7.1, test 2: a key, what it signs, and nothing near it.
#[test]
fn the_example_of_rfc_8032_is_signed_the_same() {
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                    085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let seed = hex::decode(seed).unwrap().try_into().unwrap();
    let key = SecretKey::from_seed(KeyKind::Ed25519, seed).unwrap();
    assert_eq!(hex::encode(key.public_key().as_bytes()), public);
    let signature = key.sign_token(&[0x72]).unwrap();
    assert_eq!(hex::encode(signature.as_bytes()), expected);
    key.public_key().verify_token(&[0x72], &signature).unwrap();
    for wrong in damaged(signature.as_bytes()) {
        match Signature::from_slice(&wrong) {
            Ok(wrong) => {
                key.public_key().verify_token(&[0x72], &wrong).unwrap_err();
            }
            Err(refused) => {
                assert_eq!(
                    refused,
                    IdentityError::SignatureLength { found: wrong.len() }
                );
            }
        }
    }
}

/// What the crate's page says of small-order keys: everybody signs for them, and nobody else's
/// key is touched.
#[test]
fn a_small_order_key_is_valid_known_and_worthless() {
    let identity = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        PublicKey::from_bytes(KeyKind::Ed25519, &bytes).unwrap()
    };
    assert!(identity.is_small_order());
    let honest = SecretKey::from_seed(KeyKind::Ed25519, [9; 32]).unwrap();
    assert!(!honest.public_key().is_small_order());
    // R the identity and s zero: no secret went in.
    let mut forged = [0; 64];
    forged[0] = 1;
    identity.verify_token(b"anything", &forged.into()).unwrap();
    honest
        .public_key()
        .verify_token(b"anything", &forged.into())
        .unwrap_err();
}
