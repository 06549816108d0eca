//! A policy's tree as the policy engine reads it: through a block's overlay, or at a version.

use hub_types::{Gas, GasSchedule};
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

    fn passed(&self) -> u64 {
        self.state.passed()
    }
}

/// Reads through another reader, for gas: each byte that comes out, and each deleted key that is
/// passed over on the way, is charged as it is read, so no walk reads more than its transaction pays
/// for. What a read costs beside those is the caller's to charge.
pub struct MeteredReader<'g, R> {
    below: R,
    gas: &'g GasMeter,
    per_byte: Gas,
    per_passed: Gas,
}

impl<'g, R> MeteredReader<'g, R> {
    /// Charges to `gas` by `schedule`.
    pub fn new(below: R, gas: &'g GasMeter, schedule: &GasSchedule) -> Self {
        MeteredReader {
            below,
            gas,
            per_byte: schedule.per_byte_read,
            per_passed: schedule.record_read,
        }
    }

    fn charge(&self, bytes: usize, passed: u64) -> Result<(), ReadError> {
        let gas = (bytes as u64)
            .saturating_mul(self.per_byte)
            .saturating_add(passed.saturating_mul(self.per_passed));
        self.gas
            .take(gas)
            .map_err(|OutOfGas { used, limit }| ReadError::Exhausted { used, limit })
    }
}

impl<R: RecordReader> RecordReader for MeteredReader<'_, R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let value = self.below.get(key)?;
        self.charge(value.as_ref().map_or(0, Vec::len), 0)?;
        Ok(value)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        let before = self.below.passed();
        let entry = self.below.floor(from, to)?;
        let bytes = entry.as_ref().map_or(0, |(_, value)| value.len());
        self.charge(bytes, self.below.passed() - before)?;
        Ok(entry)
    }

    fn passed(&self) -> u64 {
        self.below.passed()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Empty, Layer, Space};

    /// Whoever deletes a thousand pages of his own in a block could else have each later question
    /// walk over all of them for the price of one read.
    #[test]
    fn deleted_keys_that_are_passed_over_are_paid_for() {
        let tree = TreeId::Policy([1; 32]);
        let mut block = Layer::default();
        block.write(Space::Tree(tree), vec![0], Some(vec![7; 10]));
        for key in 1..=100 {
            block.write(Space::Tree(tree), vec![key], None);
        }
        let state = State::new(&Empty, None, &mut block);
        let schedule = GasSchedule::V1;
        let one = 10 * schedule.per_byte_read + 100 * schedule.record_read;
        let gas = GasMeter::new(2 * one);
        let reader = MeteredReader::new(OverlayReader::new(&state, tree), &gas, &schedule);
        for round in 1..=2 {
            let (key, _) = reader.floor(&[0], &[200]).unwrap().unwrap();
            assert_eq!(key, vec![0]);
            assert_eq!(gas.used(), round * one);
        }
        let error = reader.floor(&[0], &[200]).unwrap_err();
        assert!(matches!(error, ReadError::Exhausted { .. }), "{error}");
    }
}
