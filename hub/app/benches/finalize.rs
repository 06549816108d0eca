//! What a block costs the application: FinalizeBlock and Commit, without CometBFT.
//!
//! Signatures are either known from CheckTx, as on a validator that saw the transactions in its
//! mempool, or not, as on one that catches up.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::Bencher;
use hub_app::chain::hub::{Block, ChainStart, Hub};
use hub_app::chain::transaction::SignatureCheck;
use hub_app::serve::metrics::Metrics;
use hub_app::store::{Store, StoreOptions};
use hub_types::{
    bank::Send,
    policy::{CreatePolicy, RegisterObject, SetRelationships},
    Amount, BlockHash, Genesis, GenesisAccount, Height, Message, PolicyId, Timestamp,
    TransactionBuilder,
};
use identity::{AccountAddress, ChainId, KeyKind, SecretKey};
use prost::bytes::Bytes;

const POLICY: &str = "
name: bench
resources:
- name: cell
  relations:
  - name: operator
    types: [actor]
";

const SENDERS: usize = 2_000;
const BATCHES: usize = 20;
const BATCH: usize = 100;

fn main() {
    divan::main();
}

fn chain() -> ChainId {
    ChainId::parse("bench-1").expect("a chain id")
}

fn keys(kind: KeyKind) -> Vec<SecretKey> {
    (0..SENDERS as u64)
        .map(|number| {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&(number + 1).to_be_bytes());
            SecretKey::from_seed(kind, seed).expect("a seed in range")
        })
        .collect()
}

fn address(key: &SecretKey) -> AccountAddress {
    AccountAddress::of(key.public_key()).expect("a key with an account")
}

struct World {
    _folder: tempfile::TempDir,
    hub: Arc<Hub>,
    keys: Vec<SecretKey>,
    height: u64,
}

fn open(path: &Path) -> Arc<Hub> {
    let store = Store::open(path, None, StoreOptions::default()).expect("an empty store");
    Arc::new(Hub::new(Arc::new(store), Arc::new(Metrics::new())))
}

impl World {
    fn new(kind: KeyKind) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = open(folder.path());
        let keys = keys(kind);
        let accounts = keys
            .iter()
            .map(|key| GenesisAccount {
                address: address(key),
                balance: Amount(1_000_000_000_000),
            })
            .collect();
        hub.start_chain(ChainStart {
            chain: chain(),
            initial_height: 1,
            genesis: Genesis::new(accounts),
        })
        .expect("genesis");
        let mut world = World {
            _folder: folder,
            hub,
            keys,
            height: 0,
        };
        world.block(&[]);
        world
    }

    fn block(&mut self, transactions: &[Bytes]) -> usize {
        self.height += 1;
        let mut hash = [1; 32];
        hash[..8].copy_from_slice(&self.height.to_be_bytes());
        let (results, _) = self
            .hub
            .finalize(&Block {
                height: Height(self.height),
                time: Timestamp::new(1_700_000_000 + self.height as i64, 0).expect("a time"),
                hash: BlockHash::new(hash),
                transactions,
            })
            .expect("a block");
        self.hub.commit().expect("a commit");
        results
            .iter()
            .filter(|result| result.code.is_none())
            .count()
    }

    fn sign(&self, who: usize, sequence: u64, message: Message) -> Bytes {
        // All of a block's transactions share its gas.
        let gas = match message {
            Message::Send(_) => 1_000_000,
            _ => 50_000_000,
        };
        let bytes = TransactionBuilder::new(chain(), who as u64, sequence)
            .fee(Amount(3_000_000), gas)
            .message(message)
            .sign(&self.keys[who])
            .expect("a signature");
        Bytes::from(bytes)
    }

    /// One transfer of each sender.
    fn transfers(&self, sequence: u64) -> Vec<Bytes> {
        (0..SENDERS)
            .map(|who| {
                let send = Send {
                    from: address(&self.keys[who]),
                    to: address(&self.keys[(who + 1) % SENDERS]),
                    amount: Amount(1),
                };
                self.sign(who, sequence, Message::Send(send))
            })
            .collect()
    }
}

fn transfers(bencher: Bencher<'_, '_>, kind: KeyKind, checked: bool) {
    let world = RefCell::new(World::new(kind));
    let sequence = Cell::new(0);
    bencher
        .counter(ItemsCount::new(SENDERS))
        .with_inputs(|| {
            let world = world.borrow();
            let txs = world.transfers(sequence.replace(sequence.get() + 1));
            if checked {
                for tx in &txs {
                    let result = world
                        .hub
                        .check(tx, SignatureCheck::Verify)
                        .expect("a check");
                    assert_eq!(result.code, None, "{}", result.log);
                }
            }
            txs
        })
        .bench_local_values(|txs| {
            assert_eq!(world.borrow_mut().block(&txs), SENDERS);
        });
}

/// 2,000 transfers whose signatures CheckTx has verified.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn checked_ed25519_transfers(bencher: Bencher<'_, '_>) {
    transfers(bencher, KeyKind::Ed25519, true);
}

/// 2,000 transfers whose signatures nobody has verified yet.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn unseen_ed25519_transfers(bencher: Bencher<'_, '_>) {
    transfers(bencher, KeyKind::Ed25519, false);
}

/// The same with secp256k1 keys.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn unseen_secp256k1_transfers(bencher: Bencher<'_, '_>) {
    transfers(bencher, KeyKind::Secp256k1, false);
}

/// CheckTx alone, one after another as CometBFT asks: 2,000 transfers.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn check_tx_ed25519(bencher: Bencher<'_, '_>) {
    let world = RefCell::new(World::new(KeyKind::Ed25519));
    let sequence = Cell::new(0);
    bencher
        .counter(ItemsCount::new(SENDERS))
        .with_inputs(|| {
            world
                .borrow()
                .transfers(sequence.replace(sequence.get() + 1))
        })
        .bench_local_values(|txs| {
            for tx in &txs {
                let result = world.borrow().hub.check(tx, SignatureCheck::Verify);
                assert!(result.expect("a check").code.is_none());
            }
        });
}

/// Twenty batches of 100 relationships each, by one signer, over 400 objects.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn relationship_batches_of_100(bencher: Bencher<'_, '_>) {
    let world = RefCell::new(World::new(KeyKind::Ed25519));
    let policy = with_policy(&mut world.borrow_mut());
    let round = Cell::new(0_u64);
    let sequence = Cell::new(1 + OBJECTS.div_ceil(OBJECTS_A_TRANSACTION) as u64);
    bencher
        .counter(ItemsCount::new(BATCHES * BATCH))
        .with_inputs(|| {
            let world = world.borrow();
            let round = round.replace(round.get() + 1);
            (0..BATCHES)
                .map(|batch| {
                    let set = (0..BATCH)
                        .map(|one| {
                            let object = (batch * BATCH + one) % OBJECTS;
                            let text =
                                format!("cell:{object}#operator@did:key:z{round}x{batch}x{one}");
                            text.parse().expect("a relationship")
                        })
                        .collect();
                    let message = SetRelationships {
                        creator: address(&world.keys[0]),
                        policy,
                        set,
                        delete: vec![],
                        preconditions: vec![],
                    };
                    let sequence = sequence.replace(sequence.get() + 1);
                    world.sign(0, sequence, Message::SetRelationships(message))
                })
                .collect::<Vec<_>>()
        })
        .bench_local_values(|txs| {
            assert_eq!(world.borrow_mut().block(&txs), BATCHES);
        });
}

const OBJECTS: usize = 400;
const OBJECTS_A_TRANSACTION: usize = 20;

fn with_policy(world: &mut World) -> PolicyId {
    let creator = address(&world.keys[0]);
    let create = CreatePolicy {
        creator,
        definition: POLICY.to_owned(),
        anchor_lag: 1,
        max_staleness_seconds: 60,
    };
    let tx = world.sign(0, 0, Message::CreatePolicy(create));
    assert_eq!(world.block(&[tx]), 1);
    let policy = PolicyId::derive(&chain(), &world.keys[0].did(), 0, 0);
    let objects: Vec<usize> = (0..OBJECTS).collect();
    for (index, chunk) in objects.chunks(OBJECTS_A_TRANSACTION).enumerate() {
        let mut builder = TransactionBuilder::new(chain(), 0, 1 + index as u64)
            .fee(Amount(3_000_000), 200_000_000);
        for object in chunk {
            builder = builder.message(Message::RegisterObject(RegisterObject {
                creator,
                policy,
                object: format!("cell:{object}").parse().expect("an object"),
                document: None,
            }));
        }
        let tx = builder.sign(&world.keys[0]).expect("a signature");
        assert_eq!(world.block(&[Bytes::from(tx)]), 1);
    }
    policy
}
