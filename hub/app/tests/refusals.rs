//! Bad transactions: each refused with its code and a sentence, and the state is unchanged.

use hub_app::chain::transaction::SignatureCheck;
use hub_types::{Amount, Code, TransactionBuilder};
use identity::ChainId;
use prost::bytes::Bytes;
use wire::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};
use wire::{Any, Message as _};

use crate::support::{chain, send, Chain};

/// Changes a decoded transaction; it is not signed again.
fn mutate(tx: &[u8], change: impl FnOnce(&mut TxRaw, &mut TxBody, &mut AuthInfo)) -> Vec<u8> {
    let mut raw = TxRaw::decode(tx).unwrap();
    let mut body = TxBody::decode(&raw.body_bytes[..]).unwrap();
    let mut auth = AuthInfo::decode(&raw.auth_info_bytes[..]).unwrap();
    change(&mut raw, &mut body, &mut auth);
    raw.body_bytes = body.encode_to_vec();
    raw.auth_info_bytes = auth.encode_to_vec();
    raw.encode_to_vec()
}

#[test]
fn bad_transactions_are_refused_and_leave_no_trace() {
    let mut world = Chain::new(3);
    world.block(vec![]);
    let (from, to) = (0, 1);
    let message = || send(&world.people[from], &world.people[to], 5);
    let signed = |builder: TransactionBuilder| {
        builder
            .message(message())
            .sign(&world.people[from].key)
            .unwrap()
    };
    let good = signed(world.builder(from));
    let stranger = crate::support::person(identity::KeyKind::Ed25519, 99);
    let other_chain = ChainId::parse("plant-test-2").unwrap();
    let fee = (Amount(1_000_000), 50_000_000);

    let cases: Vec<(&str, Vec<u8>, Code)> = vec![
        ("garbage", b"garbage".to_vec(), Code::Malformed),
        ("empty", vec![], Code::Signers),
        ("trailing byte", [&good[..], &[0]].concat(), Code::Malformed),
        (
            "trailing field",
            [&good[..], &[0x78, 0x01]].concat(),
            Code::NotCanonical,
        ),
        (
            "oversize",
            signed(world.builder(from).memo(&"x".repeat(200)))
                .into_iter()
                .chain(std::iter::repeat_n(0, 300_000))
                .collect(),
            Code::TooLarge,
        ),
        (
            "long memo",
            signed(world.builder(from).memo(&"x".repeat(300))),
            Code::Memo,
        ),
        (
            "signature flipped",
            mutate(&good, |raw, _, _| raw.signatures[0][7] ^= 1),
            Code::Signature,
        ),
        (
            "signature cut",
            mutate(&good, |raw, _, _| raw.signatures[0].truncate(63)),
            Code::SignatureMalformed,
        ),
        (
            "two signatures",
            mutate(&good, |raw, _, _| {
                let signature = raw.signatures[0].clone();
                raw.signatures.push(signature);
            }),
            Code::Signers,
        ),
        (
            "changed after signing",
            mutate(&good, |_, body, _| body.memo = "more".to_owned()),
            Code::Signature,
        ),
        (
            "sequence too high",
            signed(TransactionBuilder::new(chain(), 0, 1).fee(fee.0, fee.1)),
            Code::Sequence,
        ),
        (
            "another chain",
            signed(TransactionBuilder::new(other_chain, 0, 0).fee(fee.0, fee.1)),
            Code::Signature,
        ),
        (
            "another account number",
            signed(TransactionBuilder::new(chain(), 1, 0).fee(fee.0, fee.1)),
            Code::Signature,
        ),
        (
            "no fee",
            signed(world.builder(from).fee(Amount(0), 100_000)),
            Code::FeeTooLow,
        ),
        (
            "fee too low",
            signed(world.builder(from).fee(Amount(999), 100_000)),
            Code::FeeTooLow,
        ),
        (
            "fee above the balance",
            signed(world.builder(from).fee(Amount(u64::MAX), 100_000)),
            Code::FeeFunds,
        ),
        (
            "no gas",
            signed(world.builder(from).fee(Amount(1_000_000), 0)),
            Code::GasLimit,
        ),
        (
            "gas for the signature alone is missing",
            signed(world.builder(from).fee(Amount(1_000_000), 10)),
            Code::OutOfGas,
        ),
        (
            "timed out",
            signed(world.builder(from).timeout_height(hub_types::Height(1))),
            Code::TimedOut,
        ),
        (
            "unknown message",
            mutate(&good, |_, body, _| {
                body.messages.push(Any {
                    type_url: "/cosmos.gov.v1.MsgVote".to_owned(),
                    value: vec![],
                });
            }),
            Code::UnknownMessage,
        ),
        (
            "no message",
            mutate(&good, |_, body, _| body.messages.clear()),
            Code::Messages,
        ),
        (
            "another payer",
            mutate(&good, |_, _, auth| {
                auth.fee.as_mut().unwrap().payer = "hold1".to_owned();
            }),
            Code::FeePayer,
        ),
        (
            "another denomination",
            mutate(&good, |_, _, auth| {
                auth.fee.as_mut().unwrap().amount[0].denom = "uatom".to_owned();
            }),
            Code::Fee,
        ),
        (
            "acts for somebody else",
            world
                .builder(from)
                .message(send(&world.people[to], &world.people[from], 5))
                .sign(&world.people[from].key)
                .unwrap(),
            Code::Creator,
        ),
        (
            "no account",
            TransactionBuilder::new(chain(), 99, 0)
                .fee(fee.0, fee.1)
                .message(send(&stranger, &world.people[0], 1))
                .sign(&stranger.key)
                .unwrap(),
            Code::UnknownAccount,
        ),
    ];

    let before = balances(&world);
    for (name, tx, code) in &cases {
        let checked = world.hub.check(tx, SignatureCheck::Verify).unwrap();
        assert_eq!(
            checked.code,
            Some(*code),
            "CheckTx, {name}: {}",
            checked.log
        );
        assert!(checked.log.len() > 10, "{name}: a sentence");
        assert_eq!(checked.codespace(), "holdfast");
    }
    // A proposer may put them into a block all the same.
    let txs: Vec<Bytes> = cases
        .iter()
        .map(|(_, tx, _)| Bytes::from(tx.clone()))
        .collect();
    let hub = &world.hub;
    let height = hub_types::Height(world.height() + 1);
    let (results, _) = hub
        .finalize(&hub_app::chain::hub::Block {
            height,
            time: hub_types::Timestamp::new(crate::support::GENESIS_SECONDS + 9, 0).unwrap(),
            hash: crate::support::block_hash(height.0),
            transactions: &txs,
        })
        .unwrap();
    for ((name, _, code), result) in cases.iter().zip(&results) {
        assert_eq!(result.code, Some(*code), "block, {name}: {}", result.log);
        assert_eq!(result.gas_used, 0, "{name}: nothing was charged");
        assert!(result.data.is_empty(), "{name}");
    }
    hub.commit().unwrap();
    assert_eq!(balances(&world), before);
}

fn balances(world: &Chain) -> Vec<(u64, u64)> {
    world
        .people
        .iter()
        .map(|person| {
            let view = world.hub.store().view().unwrap();
            let key = hub_types::auth::keys::account(&person.address);
            let bytes = view
                .latest(&hub_app::store::TreeId::Main, &key)
                .unwrap()
                .unwrap();
            let account: hub_types::auth::Account = hub_types::Record::from_bytes(&bytes).unwrap();
            (account.balance.0, account.sequence)
        })
        .collect()
}

#[test]
fn a_failed_execution_keeps_fee_and_sequence_and_nothing_else() {
    let mut world = Chain::new(2);
    let before = balances(world_after_first_block(&mut world));
    let greedy = send(&world.people[0], &world.people[1], u64::MAX);
    let small = send(&world.people[0], &world.people[1], 7);
    // All or nothing: the first message would succeed.
    let tx = world.sign(0, vec![small, greedy]);
    let result = world.block(vec![tx]).remove(0);
    assert_eq!(result.code, Code::InsufficientFunds.number());
    assert!(result.log.starts_with("message 1: "), "{}", result.log);
    assert!(result.data.is_empty());
    let after = balances(&world);
    assert_eq!(after[1], before[1], "the first message was undone");
    assert_eq!(after[0], (before[0].0 - 1_000_000, before[0].1 + 1));
    // The next sequence works.
    let message = send(&world.people[0], &world.people[1], 7);
    world.done(0, message);
}

fn world_after_first_block(world: &mut Chain) -> &Chain {
    world.block(vec![]);
    world
}

#[test]
fn running_out_of_gas_is_a_refusal_that_costs_the_fee() {
    let mut world = Chain::new(2);
    let message = send(&world.people[0], &world.people[1], 7);
    let tx = world
        .builder(0)
        .fee(Amount(1_000_000), 100_000)
        .message(message)
        .sign(&world.people[0].key)
        .unwrap();
    let result = world.block(vec![tx.into()]).remove(0);
    assert_eq!(result.code, Code::OutOfGas.number(), "{}", result.log);
    assert_eq!(result.gas_used, 100_000);
}

#[test]
fn the_mempool_takes_successive_sequences_and_forgets_at_commit() {
    let mut world = Chain::new(2);
    world.block(vec![]);
    let mut txs = Vec::new();
    for _ in 0..3 {
        let message = send(&world.people[0], &world.people[1], 1);
        txs.push(world.sign(0, vec![message]));
    }
    for tx in &txs {
        let checked = world.hub.check(tx, SignatureCheck::Verify).unwrap();
        assert_eq!(checked.code, None, "{}", checked.log);
    }
    let again = world.hub.check(&txs[0], SignatureCheck::Verify).unwrap();
    assert_eq!(again.code, Some(Code::Sequence));
    // Only the first gets into a block; the others are rechecked against the new state.
    let results = world.block(vec![txs[0].clone()]);
    assert_eq!(results[0].code, 0);
    for (tx, expected) in txs.iter().zip([Some(Code::Sequence), None, None]) {
        let checked = world.hub.check(tx, SignatureCheck::Skip).unwrap();
        assert_eq!(checked.code, expected, "{}", checked.log);
    }
}

#[test]
fn proposals_hold_what_parses_and_fits() {
    use tendermint_abci::Application;
    use tendermint_proto::v0_38::abci::{RequestPrepareProposal, RequestProcessProposal};
    let mut world = Chain::new(2);
    world.block(vec![]);
    let message = send(&world.people[0], &world.people[1], 1);
    let good = world.sign(0, vec![message]);
    let bad = Bytes::from_static(b"garbage");
    let application = world.engine.application();
    let prepare = |max_tx_bytes: i64| {
        application
            .prepare_proposal(RequestPrepareProposal {
                max_tx_bytes,
                txs: vec![bad.clone(), good.clone(), good.clone()],
                height: 2,
                ..Default::default()
            })
            .txs
    };
    assert_eq!(prepare(1_000_000).len(), 2);
    assert_eq!(prepare(good.len() as i64 + 3).len(), 1);
    assert_eq!(prepare(good.len() as i64).len(), 0);
    let process = |txs: Vec<Bytes>| {
        application
            .process_proposal(RequestProcessProposal {
                txs,
                height: 2,
                ..Default::default()
            })
            .status
    };
    assert_eq!(process(vec![good.clone()]), 1, "accepted");
    assert_eq!(process(vec![good, bad]), 2, "refused");
}

#[test]
fn a_block_has_so_much_gas_and_no_more() {
    use tendermint_abci::Application;
    use tendermint_proto::v0_38::abci::{RequestPrepareProposal, RequestProcessProposal};
    let mut world = Chain::new(2);
    world.block(vec![]);
    let signed = |world: &mut Chain, who: usize, gas| {
        let message = send(&world.people[who], &world.people[1 - who], 1);
        let builder = world.builder(who).fee(Amount(5_000_000), gas);
        let tx = builder.message(message).sign(&world.people[who].key);
        let _ = world.sign(who, vec![]);
        Bytes::from(tx.unwrap())
    };
    // Eleven of the largest and one of 200 million leave 50 of 3,000 million.
    let mut txs: Vec<Bytes> = (0..11)
        .map(|_| signed(&mut world, 0, 250_000_000))
        .collect();
    txs.push(signed(&mut world, 0, 200_000_000));
    txs.push(signed(&mut world, 0, 50_000_001));
    txs.push(signed(&mut world, 1, 50_000_000));

    let application = world.engine.application();
    let prepared = application.prepare_proposal(RequestPrepareProposal {
        max_tx_bytes: 1_000_000,
        txs: txs.clone(),
        height: 2,
        ..Default::default()
    });
    let fitting = [&txs[..12], &txs[13..]].concat();
    assert_eq!(prepared.txs, fitting);
    let process = |txs: &[Bytes]| {
        let request = RequestProcessProposal {
            txs: txs.to_vec(),
            height: 2,
            ..Default::default()
        };
        application.process_proposal(request).status
    };
    assert_eq!(process(&fitting), 1, "accepted");
    assert_eq!(process(&txs), 2, "refused");

    // Decided all the same, it makes no more work than the block has gas for.
    let before = balances(&world);
    let height = hub_types::Height(world.height() + 1);
    let (results, _) = world
        .hub
        .finalize(&hub_app::chain::hub::Block {
            height,
            time: hub_types::Timestamp::new(crate::support::GENESIS_SECONDS + 9, 0).unwrap(),
            hash: crate::support::block_hash(height.0),
            transactions: &txs,
        })
        .unwrap();
    for (index, result) in results.iter().enumerate() {
        let expected = (index == 12).then_some(Code::BlockGas);
        assert_eq!(result.code, expected, "{index}: {}", result.log);
    }
    assert_eq!(results[12].gas_used, 0);
    world.hub.commit().unwrap();
    let after = balances(&world);
    assert_eq!(after[0].1, before[0].1 + 12, "the thirteenth left no trace");
}

#[test]
fn sending_to_nobody_yet_makes_an_account_that_can_send() {
    let mut world = Chain::new(2);
    let newcomer = crate::support::person(identity::KeyKind::Secp256k1, 50);
    let message = send(&world.people[0], &newcomer, 5_000_000);
    world.done(0, message);
    // Two in genesis, then the fee collector: the newcomer is number 3.
    let back = TransactionBuilder::new(chain(), 3, 0)
        .fee(Amount(2_000_000), 200_000)
        .message(send(&newcomer, &world.people[0], 1_000_000))
        .sign(&newcomer.key)
        .unwrap();
    let result = world.block(vec![back.into()]).remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
}
