//! How much a decision may cost (Invariant 7).

/// What is left of the steps that a decision may take.
#[derive(Debug)]
pub(crate) struct Effort {
    taken: u64,
    max: u64,
}

/// No steps are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Effort {
    pub fn new(max: u64) -> Self {
        Self { taken: 0, max }
    }

    pub fn taken(&self) -> u64 {
        self.taken
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    /// Counts `steps`.
    pub fn take(&mut self, steps: usize) -> Result<(), Exhausted> {
        let taken = self.taken.saturating_add(steps as u64);
        if taken > self.max {
            return Err(Exhausted);
        }
        self.taken = taken;
        Ok(())
    }
}
