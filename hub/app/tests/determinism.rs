//! The same blocks give the same hashes, whatever the machine does beside.

use hub_app::chain::hub::{Block, ChainStart, Hub};
use hub_types::{Genesis, Height, Timestamp};
use prost::bytes::Bytes;

use crate::support::{
    block_hash, chain, genesis_of, hub_in, register, relate, send, Chain, GENESIS_SECONDS,
};

/// Thirty blocks with something of everything, refused transactions included.
fn busy_blocks() -> (Chain, Vec<Vec<Bytes>>) {
    let mut chain = Chain::new(8);
    let policy = chain.plant(0);
    let other = chain.plant(1);
    let mut blocks = vec![block_of(&chain, 1), block_of(&chain, 2)];
    let setup = vec![
        register(&chain.people[0], policy, "cell:1"),
        register(&chain.people[0], policy, "cell:2"),
    ];
    let first = chain.sign(0, setup);
    let second = register(&chain.people[1], other, "cell:1");
    let second = chain.sign(1, vec![second]);
    let txs = vec![first, second];
    chain.block(txs.clone());
    blocks.push(txs);
    for round in 0..27_u64 {
        let mut txs = Vec::new();
        for who in 2..8 {
            let to = (who + 1) % 8;
            let message = send(&chain.people[who], &chain.people[to], 10 + round);
            txs.push(chain.sign(who, vec![message]));
        }
        let did = chain.people[(round % 8) as usize].did.clone();
        let set = [format!("cell:{}#operator@{did}", 1 + round % 2)];
        let message = relate(&chain.people[0], policy, &set, &[]);
        txs.push(chain.sign(0, vec![message]));
        let delete = [format!("cell:1#operator@{did}")];
        let message = relate(&chain.people[1], other, &[], &delete);
        txs.push(chain.sign(1, vec![message]));
        // Person 2 owns nothing: refused in execution, the fee is kept.
        let message = relate(&chain.people[2], policy, &set, &[]);
        txs.push(chain.sign(2, vec![message]));
        chain.block(txs.clone());
        blocks.push(txs);
    }
    (chain, blocks)
}

fn block_of(chain: &Chain, height: u64) -> Vec<Bytes> {
    let stored = chain.engine.blocks().block(height).unwrap().unwrap();
    let data = stored.block.unwrap().data.unwrap();
    data.txs.into_iter().map(Bytes::from).collect()
}

/// Runs blocks on a fresh application, and gives all app hashes and result hashes.
fn replay(chain_of: &Chain, blocks: &[Vec<Bytes>], threads: usize) -> Vec<(Vec<u8>, String)> {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_in(folder.path(), 5);
    start(&hub, chain_of);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let mut out = Vec::new();
        for (index, transactions) in blocks.iter().enumerate() {
            let height = index as u64 + 1;
            let (results, app_hash) = hub
                .finalize(&Block {
                    height: Height(height),
                    time: Timestamp::new(GENESIS_SECONDS + height as i64, 0).unwrap(),
                    hash: block_hash(height),
                    transactions,
                })
                .unwrap();
            hub.commit().unwrap();
            let results: Vec<_> = results
                .iter()
                .map(|result| (result.code_number(), &result.data, result.gas_used))
                .collect();
            out.push((app_hash.to_vec(), format!("{results:?}")));
        }
        out
    })
}

pub fn start(hub: &Hub, chain_of: &Chain) -> [u8; 32] {
    let file = genesis_of(&chain_of.people);
    hub.start_chain(ChainStart {
        chain: chain(),
        initial_height: 1,
        genesis: Genesis::from_json(&file.app_state()).unwrap(),
    })
    .unwrap()
}

#[test]
fn replay_gives_the_same_hashes_with_any_number_of_threads() {
    let (chain, blocks) = busy_blocks();
    let one = replay(&chain, &blocks, 1);
    let four = replay(&chain, &blocks, 4);
    assert_eq!(one.len(), 30);
    assert_eq!(one, four);
    let refused = one
        .iter()
        .filter(|(_, results)| results.contains("(52, "))
        .count();
    assert!(
        refused > 20,
        "refused transactions are part of it: {refused}"
    );
}

#[test]
fn a_transaction_in_another_block_gives_another_hash() {
    let (chain, mut blocks) = busy_blocks();
    let before = replay(&chain, &blocks, 2);
    // A transaction one block earlier: the same changes, under another revision's height.
    let early = blocks[2][0].clone();
    blocks[1].push(early);
    let after = replay(&chain, &blocks, 2);
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1].0, after[1].0);
}
