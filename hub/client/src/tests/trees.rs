//! A Jellyfish Merkle tree in memory, every version kept.

use std::collections::BTreeMap;

use jmt::storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use sha2::Sha256;

type Values = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

#[derive(Default)]
struct Store {
    nodes: BTreeMap<NodeKey, Node>,
    preimages: BTreeMap<[u8; 32], Vec<u8>>,
    values: BTreeMap<Vec<u8>, BTreeMap<u64, Option<Vec<u8>>>>,
}

impl TreeReader for Store {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }

    fn get_value_option(
        &self,
        version: Version,
        hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let key = self.preimages.get(&hash.0);
        Ok(key.and_then(|key| self.at(key, version)))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl HasPreimage for Store {
    fn preimage(&self, hash: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.preimages.get(&hash.0).cloned())
    }
}

impl Store {
    fn at(&self, key: &[u8], version: u64) -> Option<Vec<u8>> {
        let versions = self.values.get(key)?;
        versions.range(..=version).next_back()?.1.clone()
    }
}

/// A tree whose versions count from 0.
#[derive(Default)]
pub(crate) struct Tree {
    store: Store,
    roots: Vec<[u8; 32]>,
}

impl Tree {
    /// Writes the next version and gives its root.
    pub(crate) fn commit(&mut self, writes: Values) -> [u8; 32] {
        let version = self.roots.len() as u64;
        for (key, value) in &writes {
            let hash = KeyHash::with::<Sha256>(key);
            self.store.preimages.insert(hash.0, key.clone());
            let versions = self.store.values.entry(key.clone()).or_default();
            versions.insert(version, value.clone());
        }
        let tree = JellyfishMerkleTree::<_, Sha256>::new(&self.store);
        let set = writes
            .into_iter()
            .map(|(key, value)| (KeyHash::with::<Sha256>(&key), value));
        let (root, batch) = tree.put_value_set(set, version).unwrap();
        for (key, node) in batch.node_batch.nodes() {
            self.store.nodes.insert(key.clone(), node.clone());
        }
        self.roots.push(root.0);
        root.0
    }

    pub(crate) fn root(&self, version: u64) -> [u8; 32] {
        self.roots[usize::try_from(version).unwrap()]
    }

    pub(crate) fn get(&self, key: &[u8], version: u64) -> Option<Vec<u8>> {
        self.store.at(key, version)
    }

    /// All entries of a version.
    pub(crate) fn entries(&self, version: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let keys = self.store.values.keys();
        keys.filter_map(|key| Some((key.clone(), self.get(key, version)?)))
            .collect()
    }

    pub(crate) fn prove(
        &self,
        key: &[u8],
        version: u64,
    ) -> (Option<Vec<u8>>, ics23::CommitmentProof) {
        JellyfishMerkleTree::<_, Sha256>::new(&self.store)
            .get_with_ics23_proof(key.to_vec(), version)
            .unwrap()
    }
}
