//! What is taken, what is refused with which code, and that other people's encoders agree.

use std::{string::String, vec, vec::Vec};

use identity::{AccountAddress, ChainId, KeyKind, SecretKey};
use wire::{
    cosmos::{
        base::v1beta1::Coin,
        tx::v1beta1::{mode_info::Sum, AuthInfo, TxBody, TxRaw},
    },
    Any, Message as _,
};

use super::{Message, Transaction, TransactionBuilder, TransactionError, Verified};
use crate::{
    audit, auth::Params, bank, document::Document, policy, Amount, Code, Height, LogId, PolicyId,
};

const KINDS: [KeyKind; 2] = [KeyKind::Ed25519, KeyKind::Secp256k1];

fn chain() -> ChainId {
    ChainId::parse("plant-1").unwrap()
}

fn key(kind: KeyKind) -> SecretKey {
    SecretKey::from_seed(kind, [7; 32]).unwrap()
}

fn address(key: &SecretKey) -> AccountAddress {
    AccountAddress::of(key.public_key()).unwrap()
}

fn send(key: &SecretKey) -> Message {
    let to = address(&SecretKey::from_seed(KeyKind::Ed25519, [8; 32]).unwrap());
    Message::Send(bank::Send {
        from: address(key),
        to,
        amount: Amount(5),
    })
}

fn builder(key: &SecretKey) -> TransactionBuilder {
    TransactionBuilder::new(chain(), 3, 9)
        .message(send(key))
        .fee(Amount(2_000), 150_000)
        .memo("a memo")
        .timeout_height(Height(70))
}

fn every_message(creator: AccountAddress, key: &SecretKey) -> Vec<Message> {
    let relationship = |text: &str| text.parse().unwrap();
    let name = |text| ::policy::Name::new(text).unwrap();
    let schema = b"\xa0".to_vec();
    let document = Document {
        resource: name("batch"),
        collection: name("batches"),
        scope: "cell:1".parse().unwrap(),
        author: key.did(),
        nonce: [4; 16],
    };
    let policy = PolicyId::new([1; 32]);
    vec![
        send(key),
        Message::CreatePolicy(policy::CreatePolicy {
            creator,
            definition: "name: x".into(),
            anchor_lag: 10,
            max_staleness_seconds: 60,
        }),
        Message::DefineCollection(policy::DefineCollection {
            creator,
            policy,
            resource: name("batch"),
            name: name("batches"),
            scope_relation: name("parent"),
            // CIDv1, dag-cbor, sha2-256 of the empty map.
            schema_cid: [&[1, 0x71, 0x12, 0x20][..], &sha256(&schema)].concat(),
            schema,
        }),
        Message::SetRelationships(policy::SetRelationships {
            creator,
            policy,
            set: vec![
                relationship("cell:1#operator@did:key:z6Mk"),
                relationship("cell:1#operator@*"),
            ],
            delete: vec![relationship("cell:1#operator@group:eng#member")],
            preconditions: vec![
                policy::Precondition::Present(relationship("cell:1#operator@cell:2")),
                policy::Precondition::Absent(relationship("cell:1#operator@*")),
                policy::Precondition::Revision(4),
            ],
        }),
        Message::RegisterObject(policy::RegisterObject {
            creator,
            policy,
            object: document.object(&chain(), &policy).unwrap(),
            document: Some(document),
        }),
        Message::OpenLog(audit::OpenLog {
            creator,
            policy,
            anchoring: Some(key.did()),
        }),
        Message::Anchor(audit::Anchor {
            creator,
            log: LogId::new([2; 32]),
            old_size: 4,
            size: 9,
            root: [3; 32],
            heads_root: [4; 32],
            consistency: vec![[5; 32], [6; 32]],
        }),
    ]
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

fn parse(bytes: &[u8]) -> Result<Transaction, TransactionError> {
    Transaction::parse(bytes, &Params::default())
}

#[test]
fn what_is_built_is_read_and_verifies() {
    for kind in KINDS {
        let key = key(kind);
        let mut builder = builder(&key);
        let messages = every_message(address(&key), &key);
        for message in &messages[1..] {
            builder = builder.message(message.clone());
        }
        let bytes = builder.sign(&key).unwrap();
        let transaction = parse(&bytes).unwrap();
        assert_eq!(transaction.messages(), messages);
        assert_eq!(transaction.signer().did, key.did());
        assert_eq!((transaction.sequence(), transaction.memo()), (9, "a memo"));
        assert_eq!(transaction.timeout_height(), Some(Height(70)));
        assert_eq!(
            transaction.fee(),
            super::Fee {
                amount: Amount(2_000),
                gas_limit: 150_000
            }
        );
        assert_eq!(transaction.to_bytes(), bytes);
        Verified::check(transaction, &chain(), 3).unwrap();
    }
}

#[test]
fn a_signature_is_for_one_chain_and_one_account() {
    for kind in KINDS {
        let key = key(kind);
        let transaction = parse(&builder(&key).sign(&key).unwrap()).unwrap();
        let other = ChainId::parse("plant-2").unwrap();
        for (chain, number) in [(other, 3), (chain(), 4)] {
            let error = Verified::check(transaction.clone(), &chain, number).unwrap_err();
            assert_eq!(error.code(), Code::Signature);
            let text = std::string::ToString::to_string(&error);
            assert!(
                text.contains(chain.as_str()) && text.contains("sequence 9"),
                "{text}"
            );
        }
    }
}

#[test]
fn no_changed_byte_verifies() {
    for kind in KINDS {
        let key = key(kind);
        let good = builder(&key).sign(&key).unwrap();
        for at in 0..good.len() {
            for bit in [0x01, 0x80] {
                let mut bytes = good.clone();
                bytes[at] ^= bit;
                let taken = parse(&bytes).and_then(|one| Verified::check(one, &chain(), 3));
                assert!(taken.is_err(), "{kind} byte {at} bit {bit}");
            }
        }
        for end in 0..good.len() {
            assert!(parse(&good[..end]).is_err(), "{kind} cut at {end}");
        }
    }
}

#[test]
fn p256_has_no_account() {
    let key = key(KeyKind::P256);
    let other = self::key(KeyKind::Ed25519);
    assert!(TransactionBuilder::new(chain(), 0, 0)
        .message(send(&other))
        .sign(&key)
        .is_err());
}

/// Parts of a good transaction, to be changed.
struct Parts {
    raw: TxRaw,
    body: TxBody,
    auth: AuthInfo,
}

impl Parts {
    fn new() -> Self {
        let key = key(KeyKind::Ed25519);
        let raw = TxRaw::decode(&builder(&key).sign(&key).unwrap()[..]).unwrap();
        let body = TxBody::decode(&raw.body_bytes[..]).unwrap();
        let auth = AuthInfo::decode(&raw.auth_info_bytes[..]).unwrap();
        Self { raw, body, auth }
    }

    fn encode(&self) -> Vec<u8> {
        TxRaw {
            body_bytes: self.body.encode_to_vec(),
            auth_info_bytes: self.auth.encode_to_vec(),
            signatures: self.raw.signatures.clone(),
        }
        .encode_to_vec()
    }
}

fn check_refused(what: &str, code: Code, change: impl FnOnce(&mut Parts)) {
    let mut parts = Parts::new();
    change(&mut parts);
    let error = parse(&parts.encode()).expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error}");
}

#[test]
fn each_broken_rule_has_its_code() {
    assert!(parse(&Parts::new().encode()).is_ok());
    check_refused("no signer", Code::Signers, |p| p.auth.signer_infos.clear());
    check_refused("two signers", Code::Signers, |p| {
        let one = p.auth.signer_infos[0].clone();
        p.auth.signer_infos.push(one);
    });
    check_refused("no signature", Code::Signers, |p| p.raw.signatures.clear());
    check_refused("two signatures", Code::Signers, |p| {
        let one = p.raw.signatures[0].clone();
        p.raw.signatures.push(one);
    });
    check_refused("short signature", Code::SignatureMalformed, |p| {
        p.raw.signatures[0].pop();
    });
    for mode in [0, 2, 127, 99] {
        check_refused("another mode", Code::SignMode, |p| {
            let info = p.auth.signer_infos[0].mode_info.as_mut().unwrap();
            let Some(Sum::Single(single)) = &mut info.sum else {
                panic!("single")
            };
            single.mode = mode;
        });
    }
    check_refused("no mode", Code::SignMode, |p| {
        p.auth.signer_infos[0].mode_info = None
    });
    check_refused("no key", Code::PublicKey, |p| {
        p.auth.signer_infos[0].public_key = None
    });
    check_refused("unknown key", Code::PublicKey, |p| {
        let any = p.auth.signer_infos[0].public_key.as_mut().unwrap();
        any.type_url = "/cosmos.crypto.multisig.LegacyAminoPubKey".into();
    });
    check_refused("no such point", Code::PublicKey, |p| {
        let any = p.auth.signer_infos[0].public_key.as_mut().unwrap();
        any.value.truncate(10);
    });
    check_refused("another denomination", Code::Fee, |p| {
        p.auth.fee.as_mut().unwrap().amount[0].denom = "uatom".into();
    });
    check_refused("two coins", Code::Fee, |p| {
        p.auth.fee.as_mut().unwrap().amount.push(Coin {
            denom: "uhold".into(),
            amount: "1".into(),
        });
    });
    check_refused("negative fee", Code::Fee, |p| {
        p.auth.fee.as_mut().unwrap().amount[0].amount = "-1".into();
    });
    check_refused("another payer", Code::FeePayer, |p| {
        p.auth.fee.as_mut().unwrap().payer = "hold1".into();
    });
    check_refused("a grant", Code::FeePayer, |p| {
        p.auth.fee.as_mut().unwrap().granter = "hold1".into();
    });
    check_refused("no gas", Code::GasLimit, |p| {
        p.auth.fee.as_mut().unwrap().gas_limit = 0
    });
    check_refused("no fee", Code::GasLimit, |p| p.auth.fee = None);
    check_refused("too much gas", Code::GasLimit, |p| {
        p.auth.fee.as_mut().unwrap().gas_limit = u64::MAX;
    });
    check_refused("an extension", Code::Extensions, |p| {
        p.body.extension_options.push(Any::default());
    });
    check_refused("a soft extension", Code::Extensions, |p| {
        p.body.non_critical_extension_options.push(Any::default());
    });
    check_refused("a long memo", Code::Memo, |p| p.body.memo = "m".repeat(257));
    check_refused("no message", Code::Messages, |p| p.body.messages.clear());
    check_refused("many messages", Code::Messages, |p| {
        let one = p.body.messages[0].clone();
        p.body.messages.resize(33, one);
    });
    check_refused("an unknown message", Code::UnknownMessage, |p| {
        p.body.messages[0].type_url = "/cosmos.gov.v1.MsgVote".into();
    });
    check_refused("a cut message", Code::Message, |p| {
        p.body.messages[0].value.pop();
    });
    check_refused("a trailing field in a message", Code::Message, |p| {
        p.body.messages[0].value.extend([0x78, 1]);
    });
    check_refused("another creator", Code::Creator, |p| {
        let other = SecretKey::from_seed(KeyKind::Ed25519, [9; 32]).unwrap();
        p.body.messages[0] = send(&other).to_any();
    });
}

#[test]
fn each_broken_message_field_is_named() {
    let key = key(KeyKind::Ed25519);
    let refused =
        |any: Any| std::string::ToString::to_string(&Message::from_any(&any).unwrap_err());
    let check = |message: &dyn Fn() -> Any, field: &str| {
        let text = refused(message());
        assert!(text.contains(field), "{field}: {text}");
    };
    let wire = |message: &Message| match message {
        Message::Send(send) => send.to_wire(),
        _ => panic!("a send"),
    };
    use wire::Name as _;
    let any = |send: wire::cosmos::bank::v1beta1::MsgSend| Any {
        type_url: wire::cosmos::bank::v1beta1::MsgSend::type_url(),
        value: send.encode_to_vec(),
    };
    let good = wire(&send(&key));
    check(
        &|| {
            any(wire::cosmos::bank::v1beta1::MsgSend {
                from_address: "x".into(),
                ..good.clone()
            })
        },
        "from_address",
    );
    check(
        &|| {
            any(wire::cosmos::bank::v1beta1::MsgSend {
                to_address: "hold1".into(),
                ..good.clone()
            })
        },
        "to_address",
    );
    check(
        &|| {
            any(wire::cosmos::bank::v1beta1::MsgSend {
                amount: vec![],
                ..good.clone()
            })
        },
        "amount",
    );
    check(
        &|| {
            any(wire::cosmos::bank::v1beta1::MsgSend {
                amount: vec![Amount(0).to_coin()],
                ..good.clone()
            })
        },
        "amount",
    );

    let creator = address(&key);
    let register = policy::RegisterObject {
        creator,
        policy: PolicyId::new([1; 32]),
        object: "batch:bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
            .parse()
            .unwrap(),
        document: None,
    };
    check(
        &|| Message::RegisterObject(register.clone()).to_any(),
        "document",
    );
    let mut anchor = match &every_message(creator, &key)[6] {
        Message::Anchor(anchor) => anchor.clone(),
        _ => panic!("an anchor"),
    };
    anchor.size = 3;
    check(&|| Message::Anchor(anchor.clone()).to_any(), "size");
    let mut termed: ::policy::Relationship = "cell:1#operator@did:key:z6Mk".parse().unwrap();
    termed.terms.expires = Some(crate::Timestamp::default().to_policy());
    let relate = policy::SetRelationships {
        creator,
        policy: PolicyId::new([1; 32]),
        set: vec![termed.clone()],
        delete: vec![],
        preconditions: vec![policy::Precondition::Absent(termed.clone())],
    };
    let any = Message::SetRelationships(relate.clone()).to_any();
    let read = Message::from_any(&any).unwrap();
    assert_eq!(read, Message::SetRelationships(relate.clone()));
    let relate = policy::SetRelationships {
        delete: vec![termed],
        ..relate
    };
    check(
        &|| Message::SetRelationships(relate.clone()).to_any(),
        "delete",
    );
    let mut define = match &every_message(creator, &key)[2] {
        Message::DefineCollection(define) => define.clone(),
        _ => panic!("a definition"),
    };
    define.schema.push(0);
    check(
        &|| Message::DefineCollection(define.clone()).to_any(),
        "schema_cid",
    );
}

#[test]
fn other_spellings_of_a_part_are_not_canonical() {
    let good = Parts::new();
    // Field 4 of the transaction, an empty memo spelled out, a field after the last of auth info.
    let outer = [good.encode(), vec![0x22, 0]].concat();
    let body = TxRaw {
        body_bytes: [&good.body.encode_to_vec()[..], &[0x12, 0]].concat(),
        ..good.raw.clone()
    };
    let auth = TxRaw {
        auth_info_bytes: [&good.auth.encode_to_vec()[..], &[0x1a, 0]].concat(),
        ..good.raw.clone()
    };
    for bytes in [outer, body.encode_to_vec(), auth.encode_to_vec()] {
        assert_eq!(parse(&bytes).unwrap_err().code(), Code::NotCanonical);
    }
    assert_eq!(parse(b"\xff\xff").unwrap_err().code(), Code::Malformed);
    let params = Params {
        tx_bytes_max: 100,
        ..Params::default()
    };
    assert_eq!(
        Transaction::parse(&[0; 101], &params).unwrap_err().code(),
        Code::TooLarge
    );
}

/// cosmrs encodes the same transaction, and we read and verify it as if it were ours.
#[test]
fn cosmrs_signs_the_same_bytes() {
    use cosmrs::{
        crypto::{secp256k1::SigningKey, PublicKey},
        tx::{BodyBuilder, Fee, SignDoc, SignerInfo},
        Coin as CosmosCoin,
    };
    let key = key(KeyKind::Secp256k1);
    let signer = SigningKey::from_slice(key.seed()).unwrap();
    let ours = builder(&key).sign(&key).unwrap();

    let any = send(&key).to_any();
    let mut body = BodyBuilder::new();
    body.msg(cosmrs::Any {
        type_url: any.type_url.clone(),
        value: any.value.clone(),
    });
    body.memo("a memo").timeout_height(70u32);
    let body = body.finish();
    let coin = CosmosCoin {
        denom: "uhold".parse().unwrap(),
        amount: 2_000,
    };
    let fee = Fee::from_amount_and_gas(coin, 150_000u64);
    let auth = SignerInfo::single_direct(Some(signer.public_key()), 9).auth_info(fee);
    let doc = SignDoc::new(&body, &auth, &"plant-1".parse().unwrap(), 3).unwrap();
    let theirs_signed = doc.clone().into_bytes().unwrap();
    let theirs = doc.sign(&signer).unwrap().to_bytes().unwrap();

    let read = parse(&theirs).unwrap();
    assert_eq!(read.sign_bytes(&chain(), 3), theirs_signed);
    assert_eq!(theirs, ours, "RFC 6979 makes even the signature the same");
    Verified::check(read, &chain(), 3).unwrap();

    // cosmrs signs with secp256k1 only; its SignDoc for an ed25519 key is ours as well.
    let key = self::key(KeyKind::Ed25519);
    let ours = parse(&builder(&key).sign(&key).unwrap()).unwrap();
    let any = send(&key).to_any();
    let mut body = BodyBuilder::new();
    body.msg(cosmrs::Any {
        type_url: any.type_url,
        value: any.value,
    });
    body.memo("a memo").timeout_height(70u32);
    let verifying =
        cosmrs::tendermint::PublicKey::from_raw_ed25519(key.public_key().as_bytes()).unwrap();
    let coin = CosmosCoin {
        denom: "uhold".parse().unwrap(),
        amount: 2_000,
    };
    let auth = SignerInfo::single_direct(Some(PublicKey::from(verifying)), 9)
        .auth_info(Fee::from_amount_and_gas(coin, 150_000u64));
    let doc = SignDoc::new(&body.finish(), &auth, &"plant-1".parse().unwrap(), 3).unwrap();
    assert_eq!(ours.sign_bytes(&chain(), 3), doc.into_bytes().unwrap());
}

#[test]
fn errors_say_what_to_do() {
    let texts: Vec<String> = [
        TransactionError::FeePayer,
        TransactionError::NoPublicKey,
        TransactionError::GasLimit { found: 0, max: 9 },
    ]
    .iter()
    .map(std::string::ToString::to_string)
    .collect();
    assert_eq!(
        texts,
        [
            "the signer pays the fee; leave payer and granter empty",
            "the signer's public key is missing; name it in every transaction",
            "the gas limit is 0; give 1 to 9",
        ]
    );
}
