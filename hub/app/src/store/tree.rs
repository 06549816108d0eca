//! One tree's reader over a snapshot, and the pure computation of its next version.

use jmt::storage::{HasPreimage, LeafNode, Node, NodeBatch, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use sha2::Sha256;

use super::{StoreError, TreeId, TreeWrites, View};

/// Reads the nodes and values of one tree, staged ones first.
pub(super) struct TreeView<'a> {
    pub view: &'a View<'a>,
    pub tree: TreeId,
    /// Nodes of a version that is not committed yet (genesis under the first block).
    pub staged: Option<&'a NodeBatch>,
}

impl TreeReader for TreeView<'_> {
    fn get_node_option(&self, node_key: &NodeKey) -> anyhow::Result<Option<Node>> {
        if let Some(node) = self.staged.and_then(|staged| staged.get_node(node_key)) {
            return Ok(Some(node.clone()));
        }
        match self.view.raw_node(&self.tree, node_key)? {
            Some(bytes) => Ok(Some(borsh::from_slice(&bytes)?)),
            None => Ok(None),
        }
    }

    fn get_value_option(
        &self,
        max_version: Version,
        key_hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        match self.view.preimage(&key_hash)? {
            Some(key) => Ok(self.view.at_version(&self.tree, &key, max_version)?),
            None => Ok(None),
        }
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("the rightmost leaf is needed for restoring only")
    }
}

impl HasPreimage for TreeView<'_> {
    fn preimage(&self, key_hash: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.view.preimage(&key_hash)?)
    }
}

/// The next version of one tree, computed and not yet written.
pub struct TreeUpdate {
    /// Which tree.
    pub tree: TreeId,
    /// The version that it becomes.
    pub version: u64,
    /// The root at that version.
    pub root: [u8; 32],
    pub(super) nodes: TreeUpdateBatch,
    pub(super) writes: TreeWrites,
}

impl TreeUpdate {
    /// Computes `version` of `tree` from the committed `version - 1` and `writes`.
    ///
    /// Writes nothing, so several trees are computed side by side. Each version needs its
    /// predecessor: an empty set of writes copies the root. `before` is the update of the
    /// predecessor where that is not committed yet.
    ///
    /// # Errors
    /// [`StoreError::Tree`] when the predecessor's nodes cannot be read.
    pub fn compute(
        view: &View<'_>,
        tree: TreeId,
        version: u64,
        writes: TreeWrites,
        before: Option<&TreeUpdate>,
    ) -> Result<TreeUpdate, StoreError> {
        let reader = TreeView {
            view,
            tree,
            staged: before.map(|update| &update.nodes.node_batch),
        };
        let jmt = JellyfishMerkleTree::<_, Sha256>::new(&reader);
        let hashed = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
            (KeyHash::with::<Sha256>(key), value.clone())
        };
        // The batched insertion hashes each inner node once, not once a key, but cannot delete
        // and needs a predecessor.
        let has_root = version > 0
            && jmt
                .get_root_hash_option(version - 1)
                .map_err(tree_error("reading a root"))?
                .is_some();
        let batched = has_root && !writes.is_empty() && writes.values().all(Option::is_some);
        let (root, nodes) = if batched {
            let set = writes
                .iter()
                .filter_map(|(key, value)| Some((KeyHash::with::<Sha256>(key), value.clone()?)))
                .collect();
            let (roots, nodes) = jmt
                .batch_put_value_sets(vec![set], None, version)
                .map_err(tree_error("inserting"))?;
            (roots[0], nodes)
        } else {
            jmt.put_value_set(writes.iter().map(hashed), version)
                .map_err(tree_error("updating"))?
        };
        Ok(TreeUpdate {
            tree,
            version,
            root: root.0,
            nodes,
            writes,
        })
    }
}

pub(super) fn tree_error(doing: &'static str) -> impl FnOnce(anyhow::Error) -> StoreError {
    move |error| StoreError::Tree {
        doing,
        reason: format!("{error:#}"),
    }
}
