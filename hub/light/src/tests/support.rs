//! A hub small enough for tests: trees by `jmt`, blocks by `forge`.

use std::{collections::BTreeMap, string::String, vec, vec::Vec};

use hub_types::{Height, Timestamp};
use ics23::CommitmentProof;
use jmt::{mock::MockTreeStore, KeyHash, Sha256Jmt};
use sha2::Sha256;
use tendermint::{block::signed_header::SignedHeader, Hash};

use crate::{
    forge::{self, HeaderParts, Validator},
    to_tendermint_time, LightBlock, StateProof, TreeProof, TrustPoint, Trusted, VerifiedBlock,
    Verifier,
};

pub(super) const CHAIN: &str = "plant-1";

/// A tree with a version for each write, as the hub keeps them.
pub(super) struct Tree {
    store: MockTreeStore,
    version: u64,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Tree {
    pub(super) fn new(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut tree = Self {
            store: MockTreeStore::new(true),
            version: 0,
            entries: BTreeMap::new(),
        };
        tree.write(entries.into_iter().map(|(key, value)| (key, Some(value))));
        tree
    }

    pub(super) fn write(&mut self, writes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>) {
        self.version += 1;
        let mut set = vec![];
        for (key, value) in writes {
            let hash = KeyHash::with::<Sha256>(&key);
            self.store.put_key_preimage(hash, &key);
            set.push((hash, value.clone()));
            match value {
                Some(value) => drop(self.entries.insert(key, value)),
                None => drop(self.entries.remove(&key)),
            }
        }
        let (_, batch) = Sha256Jmt::new(&self.store)
            .put_value_set(set, self.version)
            .unwrap();
        self.store.write_tree_update_batch(batch).unwrap();
    }

    pub(super) fn root(&self) -> [u8; 32] {
        Sha256Jmt::new(&self.store)
            .get_root_hash(self.version)
            .unwrap()
            .0
    }

    pub(super) fn entries(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.entries
    }

    pub(super) fn prove(&self, key: &[u8]) -> (Option<Vec<u8>>, CommitmentProof) {
        Sha256Jmt::new(&self.store)
            .get_with_ics23_proof(key.to_vec(), self.version)
            .unwrap()
    }

    pub(super) fn state_proof(&self, state: u64, key: &[u8]) -> StateProof {
        let (value, proof) = self.prove(key);
        StateProof::new(Height(state), key.to_vec(), value, proof)
    }

    pub(super) fn tree_proof(&self, key: &[u8]) -> TreeProof {
        let (value, proof) = self.prove(key);
        TreeProof::new(key.to_vec(), value, proof)
    }
}

/// `count` entries with keys that differ in length.
pub(super) fn some_entries(count: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..count)
        .map(|index| {
            let key = std::format!("key {index}").into_bytes();
            (key, std::format!("value {index}").into_bytes())
        })
        .collect()
}

pub(super) fn validators(seeds: impl IntoIterator<Item = u8>) -> Vec<Validator> {
    seeds
        .into_iter()
        .map(|seed| Validator::new([seed; 32], 10))
        .collect()
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_700_000_000 + seconds, 0).unwrap()
}

/// A block to be forged; the defaults are honest.
#[derive(Clone)]
pub(super) struct Block {
    pub chain: String,
    pub height: u64,
    pub time: Timestamp,
    pub app_hash: Vec<u8>,
    pub validators: Vec<Validator>,
    pub next: Vec<Validator>,
    pub signers: Vec<Validator>,
}

impl Block {
    pub(super) fn new(height: u64, validators: &[Validator]) -> Self {
        Self {
            chain: CHAIN.into(),
            height,
            time: at(height as i64),
            app_hash: vec![height as u8; 32],
            validators: validators.to_vec(),
            next: validators.to_vec(),
            signers: validators.to_vec(),
        }
    }

    pub(super) fn signed_header(&self) -> SignedHeader {
        let none = Hash::Sha256(merkle::EMPTY_ROOT);
        let time = to_tendermint_time(self.time).unwrap();
        let set = forge::validator_set(&self.validators);
        let header = forge::header(HeaderParts {
            chain_id: self.chain.parse().unwrap(),
            app_version: 1,
            height: self.height.try_into().unwrap(),
            time,
            last_block_id: None,
            last_commit_hash: none,
            data_hash: none,
            validators_hash: set.hash(),
            next_validators_hash: forge::validator_set(&self.next).hash(),
            consensus_hash: forge::consensus_hash(1, 1),
            app_hash: self.app_hash.clone(),
            last_results_hash: none,
            proposer_address: set.validators()[0].address,
        });
        let id = forge::block_id(&header, b"block");
        let commit = forge::commit(
            &header.chain_id,
            header.height,
            id,
            &set,
            &self.signers,
            time,
        );
        forge::signed_header(header, commit)
    }

    pub(super) fn light(&self) -> LightBlock {
        let infos = |set: &[Validator]| set.iter().map(Validator::info).collect::<Vec<_>>();
        LightBlock::new(
            self.signed_header(),
            &infos(&self.validators),
            Some(&infos(&self.next)),
        )
        .unwrap()
    }

    /// Trusts it by its own hash.
    pub(super) fn trusted(&self) -> VerifiedBlock {
        let block = self.light();
        Verifier::start(
            TrustPoint {
                height: block.height(),
                hash: block.hash(),
            },
            block,
        )
        .unwrap()
    }
}

/// What the header after block `state` says, when the main tree has this root then.
pub(super) fn header_over(root: [u8; 32], state: u64) -> Trusted {
    let validators = validators(1..=4);
    let block = Block {
        app_hash: root.to_vec(),
        ..Block::new(state + 1, &validators)
    };
    block.trusted().trusted().clone()
}
