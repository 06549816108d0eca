//! A signature for one purpose, chain, payload and key is none for any other.

use alloc::{format, string::ToString, vec, vec::Vec};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{chain, damaged, keys};
use crate::{hash, ChainId, IdentityError, KeyKind, Purpose, Signature, Statement};

/// All statements that these bytes can be, by purpose.
fn statements<'a>(chain: &ChainId, payload: &'a [u8]) -> Vec<Statement<'a>> {
    let all = vec![
        Statement::commit(chain, payload),
        Statement::command(chain, payload),
        Statement::token(payload).unwrap(),
        Statement::delegation(chain, payload),
        Statement::promise(chain, payload),
        Statement::transaction(payload).unwrap(),
    ];
    let purposes: Vec<_> = all.iter().map(Statement::purpose).collect();
    assert_eq!(purposes, Purpose::ALL);
    all
}

#[test]
fn the_bytes_of_a_statement_are_those_of_the_specification() {
    let chain = ChainId::parse("hold-1").unwrap();
    let commit = Statement::commit(&chain, &[0xaa, 0xbb]);
    assert_eq!(
        commit.as_bytes(),
        b"\x11holdfast/commit/1\x06hold-1\xaa\xbb"
    );
    for statement in statements(&chain, b"\x0apayload") {
        let bytes = statement.as_bytes();
        match statement.purpose() {
            Purpose::Token | Purpose::Transaction => assert_eq!(bytes, b"\x0apayload"),
            purpose => {
                let domain = purpose.domain().unwrap();
                let expected = [
                    &[domain.len() as u8],
                    domain.as_bytes(),
                    b"\x06hold-1\x0apayload",
                ]
                .concat();
                assert_eq!(bytes, expected);
            }
        }
    }
}

#[test]
fn a_signature_holds_for_one_purpose_and_one_chain() {
    let other_chain = ChainId::parse("holdfast-test.2").unwrap();
    for key in keys() {
        let public = key.public_key();
        for signed in statements(&chain(), b"payload") {
            let signature = key.sign(&signed);
            let own = statements(&chain(), b"payload");
            let others = statements(&other_chain, b"payload");
            for statement in own.iter().chain(&others) {
                let same = statement.as_bytes() == signed.as_bytes();
                assert_eq!(public.verify(statement, &signature).is_ok(), same);
            }
            for other in keys().iter().filter(|other| other.kind() != key.kind()) {
                other.public_key().verify(&signed, &signature).unwrap_err();
            }
        }
    }
}

#[test]
fn each_purpose_signs_and_verifies_by_its_own_method() {
    let chain = &chain();
    for key in keys() {
        let public = key.public_key();
        let signatures: [Signature; 6] = [
            key.sign_commit(chain, b"x"),
            key.sign_command(chain, b"x"),
            key.sign_token(b"x").unwrap(),
            key.sign_delegation(chain, b"x"),
            key.sign_promise(chain, b"x"),
            key.sign_transaction(b"y").unwrap(),
        ];
        for (at, signature) in signatures.iter().enumerate() {
            let verdicts = [
                public.verify_commit(chain, b"x", signature),
                public.verify_command(chain, b"x", signature),
                public.verify_token(b"x", signature),
                public.verify_delegation(chain, b"x", signature),
                public.verify_promise(chain, b"x", signature),
                public.verify_transaction(b"y", signature),
            ];
            for (of, verdict) in verdicts.iter().enumerate() {
                assert_eq!(verdict.is_ok(), of == at, "{} {of} {at}", key.kind());
            }
        }
        for wrong in damaged(b"payload") {
            let signature = key.sign_commit(chain, b"payload");
            public.verify_commit(chain, &wrong, &signature).unwrap_err();
        }
    }
}

/// Otherwise a wallet that signs transactions would sign commits.
#[test]
fn bytes_that_begin_like_a_domain_are_no_transaction_and_no_token() {
    let ambiguous = Some(IdentityError::StatementAmbiguous);
    let key = &keys()[0];
    for dressed in statements(&chain(), b"\x0apayload") {
        let bytes = dressed.as_bytes();
        let is_dressed = !matches!(dressed.purpose(), Purpose::Token | Purpose::Transaction);
        assert_eq!(Statement::transaction(bytes).err() == ambiguous, is_dressed);
        assert_eq!(key.sign_token(bytes).err() == ambiguous, is_dressed);
        assert_eq!(
            key.public_key()
                .verify_transaction(bytes, &[0; 64].into())
                .err()
                == ambiguous,
            is_dressed
        );
    }
    // What a SignDoc without a body could look like at worst.
    assert!(Statement::transaction(b"\x12holdfast/command/1").is_err());
}

#[test]
fn chain_ids_are_short_and_plain() {
    for good in ["a", "hold-1", "A.b_c-9", &"x".repeat(50)] {
        assert_eq!(ChainId::parse(good).unwrap().to_string(), good);
    }
    for (bad, found) in [("", 0), (&*"x".repeat(51), 51)] {
        assert_eq!(
            ChainId::parse(bad),
            Err(IdentityError::ChainIdLength { found })
        );
    }
    for bad in [
        "hold 1",
        "hold/1",
        "hold\n1",
        "hold\x001",
        "hold\u{e9}1",
        "hold:1",
    ] {
        assert_eq!(
            ChainId::parse(bad),
            Err(IdentityError::ChainIdByte { position: 4 })
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    for key in keys() {
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains(key.did().as_str()));
        assert!(!shown.contains(&hex::encode(key.seed())));
        assert!(!shown.contains(&format!("{:?}", key.seed())));
    }
}

#[test]
fn names_of_kinds_are_read_back() {
    for kind in KeyKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    assert_eq!("rsa".parse::<KeyKind>(), Err(IdentityError::UnknownKind));
}

#[test]
fn the_hash_is_over_lengths_and_bytes() {
    let expected = Sha256::digest(b"\0\0\0\0\0\0\0\x01d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02ab");
    assert_eq!(hash("d", &[b"", b"ab"])[..], expected[..]);
}

type Spoken = (usize, ChainId, Vec<u8>);

fn spoken() -> impl Strategy<Value = Spoken> {
    let chain = "[a-c]{1,3}".prop_map(|text| ChainId::parse(&text).unwrap());
    (0..6usize, chain, prop::collection::vec(b'a'..b'd', 0..4))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn different_statements_have_different_bytes(a in spoken(), b in spoken()) {
        let (first, second) = (statements(&a.1, &a.2), statements(&b.1, &b.2));
        let (first, second) = (&first[a.0], &second[b.0]);
        let dressed = |purpose| !matches!(purpose, Purpose::Token | Purpose::Transaction);
        if dressed(first.purpose()) || dressed(second.purpose()) {
            prop_assert_eq!(first.as_bytes() == second.as_bytes(), a == b);
        }
    }

    #[test]
    fn different_parts_have_different_hashes(
        a in prop::collection::vec(prop::collection::vec(0..2u8, 0..3), 0..3),
        b in prop::collection::vec(prop::collection::vec(0..2u8, 0..3), 0..3),
    ) {
        let of = |parts: &[Vec<u8>]| hash("test", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }
}
