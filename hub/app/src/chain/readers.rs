//! A policy's tree as the policy engine reads it: through a block's overlay, or at a version.

use hub_types::Gas;
use policy::{ReadError, RecordReader};

use super::context::{GasMeter, OutOfGas};
use crate::store::{State, StoreError, TreeId, View};

fn failed(error: StoreError) -> ReadError {
    ReadError::Store {
        reason: error.to_string(),
    }
}

/// Reads a policy's tree as a transaction sees it.
pub struct OverlayReader<'s, 'b> {
    state: &'s State<'b>,
    tree: TreeId,
}

impl<'s, 'b> OverlayReader<'s, 'b> {
    /// A reader of `tree`.
    pub fn new(state: &'s State<'b>, tree: TreeId) -> Self {
        OverlayReader { state, tree }
    }
}

impl RecordReader for OverlayReader<'_, '_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.state.tree(self.tree, key).map_err(failed)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        self.state.floor(self.tree, from, to).map_err(failed)
    }
}

/// Reads through another reader, for gas: each byte that comes out is charged as it is read, so no
/// walk reads more than its transaction pays for. What a read costs beside its bytes is the caller's
/// to charge.
pub struct MeteredReader<'g, R> {
    below: R,
    gas: &'g GasMeter,
    per_byte: Gas,
}

impl<'g, R> MeteredReader<'g, R> {
    /// Charges `per_byte` to `gas`.
    pub fn new(below: R, gas: &'g GasMeter, per_byte: Gas) -> Self {
        MeteredReader {
            below,
            gas,
            per_byte,
        }
    }

    fn charge(&self, bytes: usize) -> Result<(), ReadError> {
        let gas = (bytes as u64).saturating_mul(self.per_byte);
        self.gas
            .take(gas)
            .map_err(|OutOfGas { used, limit }| ReadError::Exhausted { used, limit })
    }
}

impl<R: RecordReader> RecordReader for MeteredReader<'_, R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let value = self.below.get(key)?;
        self.charge(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        let entry = self.below.floor(from, to)?;
        self.charge(entry.as_ref().map_or(0, |(_, value)| value.len()))?;
        Ok(entry)
    }
}

/// Reads a policy's tree at a revision.
pub struct RevisionReader<'v, 's> {
    view: &'v View<'s>,
    tree: TreeId,
    revision: u64,
}

impl<'v, 's> RevisionReader<'v, 's> {
    /// A reader of `tree` as of `revision`, which the caller knows to be kept.
    pub fn new(view: &'v View<'s>, tree: TreeId, revision: u64) -> Self {
        RevisionReader {
            view,
            tree,
            revision,
        }
    }
}

impl RecordReader for RevisionReader<'_, '_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.view
            .at_version(&self.tree, key, self.revision)
            .map_err(failed)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        self.view
            .floor_at_version(&self.tree, from, to, self.revision)
            .map_err(failed)
    }
}
