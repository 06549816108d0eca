//! Crashes, restarts, InitChain sent again, pruning, and a store of somebody else.

use hub_app::chain::hub::Block;
use hub_app::store::{Store, StoreOptions, TreeId};
use hub_types::{auth, Height, Record, Timestamp};
use prost::bytes::Bytes;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{RequestInfo, RequestInitChain};

use crate::determinism::start;
use crate::support::{
    block_hash, chain, genesis_of, hub_in, send, Chain, CHAIN, GENESIS_SECONDS, RICH,
};

fn finalize(hub: &hub_app::chain::hub::Hub, height: u64, transactions: &[Bytes]) -> [u8; 32] {
    hub.finalize(&Block {
        height: Height(height),
        time: Timestamp::new(GENESIS_SECONDS + height as i64, 0).unwrap(),
        hash: block_hash(height),
        transactions,
    })
    .unwrap()
    .1
}

#[test]
fn a_crash_between_finalize_and_commit_leaves_the_state_of_the_block_before() {
    let mut signer = Chain::new(2);
    let message = send(&signer.people[0], &signer.people[1], 5);
    let tx = signer.sign(0, vec![message]);
    let folder = tempfile::tempdir().unwrap();

    let hub = hub_in(folder.path(), 0);
    start(&hub, &signer);
    let first = finalize(&hub, 1, &[]);
    hub.commit().unwrap();
    let second = finalize(&hub, 2, std::slice::from_ref(&tx));
    drop(hub);

    let hub = hub_in(folder.path(), 0);
    let committed = hub.store().committed().unwrap();
    assert_eq!((committed.height, committed.app_hash), (1, first));
    let again = finalize(&hub, 2, &[tx]);
    assert_eq!(again, second);
    hub.commit().unwrap();
    drop(hub);

    let hub = hub_in(folder.path(), 0);
    let committed = hub.store().committed().unwrap();
    assert_eq!((committed.height, committed.app_hash), (2, second));
}

#[test]
fn a_crash_before_the_first_commit_leaves_nothing_and_init_chain_may_come_again() {
    let people = Chain::new(2);
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_in(folder.path(), 0);
    let root = start(&hub, &people);
    let first = finalize(&hub, 1, &[]);
    drop(hub);

    let hub = hub_in(folder.path(), 0);
    assert!(hub.store().committed().is_none(), "genesis was only staged");
    assert!(
        hub.finalize(&Block {
            height: Height(1),
            time: Timestamp::new(GENESIS_SECONDS, 0).unwrap(),
            hash: block_hash(1),
            transactions: &[],
        })
        .is_err(),
        "no block before InitChain"
    );
    assert_eq!(start(&hub, &people), root);
    assert_eq!(start(&hub, &people), root, "sent twice to one process");
    assert_eq!(finalize(&hub, 1, &[]), first);
    hub.commit().unwrap();
    let file = genesis_of(&people.people);
    let late = hub.start_chain(hub_app::chain::hub::ChainStart {
        chain: chain(),
        initial_height: 1,
        genesis: hub_types::Genesis::from_json(&file.app_state()).unwrap(),
    });
    assert!(late.is_err(), "a chain starts once");
}

#[test]
fn info_is_empty_until_the_first_commit() {
    let people = Chain::new(1);
    let folder = tempfile::tempdir().unwrap();
    let application = hub_app::abci::HubApplication::new(hub_in(folder.path(), 0));
    let init = RequestInitChain {
        chain_id: CHAIN.to_owned(),
        app_state_bytes: genesis_of(&people.people).app_state().into(),
        initial_height: 1,
        ..RequestInitChain::default()
    };
    let first = application.init_chain(init.clone());
    let info = application.info(RequestInfo::default());
    assert_eq!(info.last_block_height, 0);
    assert!(info.last_block_app_hash.is_empty());
    assert_eq!(application.init_chain(init).app_hash, first.app_hash);
}

#[test]
fn blocks_must_follow_each_other() {
    let people = Chain::new(1);
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_in(folder.path(), 0);
    start(&hub, &people);
    finalize(&hub, 1, &[]);
    hub.commit().unwrap();
    assert!(hub.commit().is_err(), "nothing is staged");
    let skipped = hub.finalize(&Block {
        height: Height(3),
        time: Timestamp::new(GENESIS_SECONDS, 0).unwrap(),
        hash: block_hash(3),
        transactions: &[],
    });
    assert!(skipped.unwrap_err().to_string().contains("after block 1"));
}

#[test]
fn the_chain_goes_on_after_a_restart() {
    let mut chain = Chain::new(2);
    for _ in 0..3 {
        let message = send(&chain.people[0], &chain.people[1], 1);
        chain.done(0, message);
    }
    let (height, app_hash) = (chain.height(), chain.app_hash());
    let mut chain = chain.restarted();
    assert_eq!((chain.height(), chain.app_hash()), (height, app_hash));
    let message = send(&chain.people[0], &chain.people[1], 1);
    chain.done(0, message);
    assert_eq!(chain.height(), height + 1);
    // The header after the restart still follows the one before it.
    let newer = chain.engine.blocks().block(height + 1).unwrap().unwrap();
    let older = chain.engine.blocks().block(height).unwrap().unwrap();
    let header = newer.block.unwrap().header.unwrap();
    assert_eq!(header.last_block_id, older.id);
    assert_eq!(header.app_hash, app_hash);
}

#[test]
fn the_solo_engine_hands_a_block_over_again_that_the_application_lacks() {
    let mut chain = Chain::new(2);
    let message = send(&chain.people[0], &chain.people[1], 1);
    chain.done(0, message);
    let lost_state = tempfile::tempdir().unwrap();
    copy(&chain.folder.path().join("state"), lost_state.path());
    let message = send(&chain.people[0], &chain.people[1], 1);
    chain.done(0, message);
    let (height, app_hash) = (chain.height(), chain.app_hash());
    let Chain {
        folder,
        people,
        hub,
        engine,
        ..
    } = chain;
    drop((hub, engine));
    // As after a crash between the block's write and Commit: state is one block behind.
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    copy(lost_state.path(), &folder.path().join("state"));
    let hub = hub_in(folder.path(), 0);
    let engine = crate::support::open_engine(folder.path(), &people, hub.clone());
    assert_eq!(engine.height(), height);
    assert_eq!(hub.store().committed().unwrap().app_hash, app_hash);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn pruning_keeps_recent_heights_provable_and_refuses_old_ones() {
    let mut chain = Chain::retaining(3, 10);
    let policy = chain.plant(0);
    let mut balances = vec![RICH; 2];
    for round in 0..40_u64 {
        let message = send(&chain.people[1], &chain.people[2], 1_000 + round);
        chain.done(1, message);
        let account: auth::Account = account_at(&chain, 1, 0).unwrap();
        balances.push(account.balance.0);
    }
    let newest = chain.height();
    let key = auth::keys::account(&chain.people[1].address);
    for height in newest - 9..newest {
        let trusted = chain.trusted(height + 1);
        let response: wire::light::QueryStateResponse = chain
            .query(
                "/holdfast.light.v1.Query/State",
                &wire::light::QueryStateRequest {
                    key: key.clone(),
                    prove: true,
                    ..Default::default()
                },
                height,
            )
            .unwrap();
        let proof = hub_light::StateProof::from_wire(&response.state_proof.unwrap()).unwrap();
        let account: auth::Account = proof.verify_record(&trusted, &key).unwrap().unwrap();
        assert_eq!(account.balance.0, balances[height as usize], "at {height}");
    }
    for height in [1, 2, newest - 10, newest + 1] {
        let error = account_at(&chain, 1, height).unwrap_err();
        assert!(error.contains("is not kept"), "{height}: {error}");
    }
    // What no retained height needs is gone: the main tree's old roots.
    let view = chain.hub.store().view().unwrap();
    assert!(view.root(&TreeId::Main, newest - 20).unwrap().is_none());
    assert!(view.root(&TreeId::Main, newest - 9).unwrap().is_some());
    // A policy that nobody touched since is whole.
    let request = wire::policy::QueryPolicyRequest {
        policy: policy.to_vec(),
        prove: true,
    };
    let answer: wire::policy::QueryPolicyResponse = chain
        .query("/holdfast.policy.v1.Query/Policy", &request, newest - 1)
        .unwrap();
    let proof = hub_light::PolicyProof::from_wire(&answer.proof.unwrap()).unwrap();
    let definition = policy::keys::definition_key();
    let proven = proof
        .verify(&chain.trusted(newest), &policy, &definition)
        .unwrap();
    assert!(format!("{proven:?}").len() > 10);
}

fn account_at(chain: &Chain, who: usize, height: u64) -> Result<auth::Account, String> {
    let key = auth::keys::account(&chain.people[who].address);
    let request = wire::light::QueryStateRequest {
        key,
        ..Default::default()
    };
    let response: wire::light::QueryStateResponse =
        chain.query("/holdfast.light.v1.Query/State", &request, height)?;
    Ok(auth::Account::from_bytes(&response.value.unwrap()).unwrap())
}

#[test]
fn a_store_of_another_chain_is_refused() {
    let mut chain = Chain::new(1);
    chain.block(vec![]);
    let Chain {
        folder,
        hub,
        engine,
        ..
    } = chain;
    drop((hub, engine));
    let path = folder.path().join("state");
    let refused = Store::open(&path, Some("other-1"), StoreOptions::default());
    let text = refused.err().unwrap().to_string();
    assert!(text.contains("belongs to chain \"plant-test-1\""), "{text}");
}
