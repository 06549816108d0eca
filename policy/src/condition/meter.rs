//! Counts what an evaluation costs. Work is charged before it is done, so no input can drive more of
//! it than [`CONDITION_COST_MAX`] allows (Invariant 7).

use crate::limits::{CONDITION_BYTES_PER_COST, CONDITION_COST_MAX};

/// The whole evaluation ends: its cost is spent.
#[derive(Debug)]
pub(super) struct Exhausted;

#[derive(Debug, Default)]
pub(super) struct Meter {
    cost: u64,
}

impl Meter {
    pub(super) fn charge(&mut self, units: usize) -> Result<(), Exhausted> {
        self.cost = self.cost.saturating_add(units as u64);
        if self.cost > CONDITION_COST_MAX {
            self.cost = CONDITION_COST_MAX;
            return Err(Exhausted);
        }
        Ok(())
    }

    /// Charges for `bytes` of text that are copied, compared or searched.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.charge(bytes / CONDITION_BYTES_PER_COST)
    }

    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }
}
