//! ECDSA on both curves: published signatures, low s, and every damaged one refused.

use super::{damaged, keys};
use crate::{IdentityError, KeyKind, SecretKey, Signature};

fn key(kind: KeyKind, seed: &str) -> SecretKey {
    SecretKey::from_seed(kind, hex::decode(seed).unwrap().try_into().unwrap()).unwrap()
}

/// The other form of a signature: the same r, and the group order minus s.
fn other_form(kind: KeyKind, signature: &Signature) -> Signature {
    match kind {
        KeyKind::Secp256k1 => {
            let parsed = k256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap();
            let other = k256::ecdsa::Signature::from_scalars(parsed.r(), -*parsed.s()).unwrap();
            Signature::from_slice(&other.to_bytes()).unwrap()
        }
        _ => {
            let parsed = p256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap();
            let other = p256::ecdsa::Signature::from_scalars(parsed.r(), -*parsed.s()).unwrap();
            Signature::from_slice(&other.to_bytes()).unwrap()
        }
    }
}

/// RFC 6979 §A.2.5, SHA-256, message "sample". The s printed there is a high one: we sign the
/// same r with the low s, and refuse the signature as it is printed.
#[test]
fn the_example_of_rfc_6979_is_signed_with_its_low_s() {
    let key = key(
        KeyKind::P256,
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    );
    let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let printed = Signature::from_slice(&hex::decode([r, s].concat()).unwrap()).unwrap();
    let ours = key.sign_token(b"sample").unwrap();
    assert_eq!(ours, other_form(KeyKind::P256, &printed));
    let high = IdentityError::SignatureHigh {
        kind: KeyKind::P256,
    };
    assert_eq!(
        key.public_key().verify_token(b"sample", &printed),
        Err(high)
    );
    assert_eq!(key.public_key().verify_token(b"sample", &ours), Ok(()));
}

/// The deterministic secp256k1 signature that wallets test against: key 1, "Satoshi Nakamoto".
#[test]
fn the_signature_that_wallets_know_is_made() {
    let one = "0000000000000000000000000000000000000000000000000000000000000001";
    let key = key(KeyKind::Secp256k1, one);
    let expected = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8\
                    2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5";
    let signature = key.sign_token(b"Satoshi Nakamoto").unwrap();
    assert_eq!(hex::encode(signature.as_bytes()), expected);
    key.public_key()
        .verify_token(b"Satoshi Nakamoto", &signature)
        .unwrap();
}

#[test]
fn the_high_form_is_refused_by_its_name_on_both_curves() {
    for key in keys().iter().filter(|key| key.kind() != KeyKind::Ed25519) {
        for n in 0..32u8 {
            let signature = key.sign_token(&[n]).unwrap();
            key.public_key().verify_token(&[n], &signature).unwrap();
            let high = other_form(key.kind(), &signature);
            let refused = IdentityError::SignatureHigh { kind: key.kind() };
            assert_eq!(key.public_key().verify_token(&[n], &high), Err(refused));
        }
    }
}

#[test]
fn damaged_signatures_and_scalars_out_of_range_are_refused() {
    for key in keys().iter().filter(|key| key.kind() != KeyKind::Ed25519) {
        let kind = key.kind();
        let public = key.public_key();
        let good = key.sign_token(b"payload").unwrap();
        for wrong in damaged(good.as_bytes()) {
            match Signature::from_slice(&wrong) {
                Ok(wrong) => {
                    public.verify_token(b"payload", &wrong).unwrap_err();
                }
                Err(refused) => {
                    assert_eq!(
                        refused,
                        IdentityError::SignatureLength { found: wrong.len() }
                    );
                }
            }
        }
        for (from, to) in [(0, 32), (32, 64)] {
            for fill in [0x00, 0xff] {
                let mut wrong = good.to_bytes();
                wrong[from..to].fill(fill);
                let refused = public.verify_token(b"payload", &wrong.into());
                assert_eq!(refused, Err(IdentityError::SignatureWrong { kind }));
            }
        }
        for wrong in damaged(b"payload") {
            let refused = public.verify_token(&wrong, &good);
            assert_eq!(refused, Err(IdentityError::SignatureWrong { kind }));
        }
    }
}

#[test]
fn secrets_out_of_range_are_refused() {
    let orders = [
        (
            KeyKind::Secp256k1,
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ),
        (
            KeyKind::P256,
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ),
    ];
    for (kind, order) in orders {
        let order: [u8; 32] = hex::decode(order).unwrap().try_into().unwrap();
        let mut below = order;
        below[31] -= 1;
        for seed in [[0; 32], order, [0xff; 32]] {
            let refused = SecretKey::from_seed(kind, seed).unwrap_err();
            assert_eq!(refused, IdentityError::SecretRange { kind });
        }
        SecretKey::from_seed(kind, below).unwrap();
    }
    for seed in [[0; 32], [0xff; 32]] {
        SecretKey::from_seed(KeyKind::Ed25519, seed).unwrap();
    }
}
