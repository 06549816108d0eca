//! Where histories come from.

use std::sync::Arc;

use hub_types::PolicyId;
use policy::{History, Time};

use crate::failure::Unanswered;

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The newest revision that may be asked about.
    pub revision: u64,
    /// The block after which that is the state, as far as it is known here.
    pub height: u64,
    /// The time at which conditions and expiries of the newest revision are asked.
    pub time: Time,
    /// Whether the hub is out of reach; never for the hub itself.
    pub offline: bool,
    /// Seconds since the last verified block; 0 for the hub itself.
    pub age_seconds: u64,
}

/// Replicas of policies.
pub trait Source: Send + Sync + 'static {
    /// Asks a short question on the calling thread, under whatever lock keeps the history.
    ///
    /// # Errors
    /// [`Unanswered`]; [`Unanswered::Later`] where that would have to wait: then [`Source::take`] is
    /// asked, on a thread that may.
    fn ask<T>(
        &self,
        policy: &PolicyId,
        ask: impl FnOnce(&History, &Reading) -> T,
    ) -> Result<T, Unanswered>;

    /// The history as it is now, for a long question: later changes do not wait for it. May block.
    ///
    /// # Errors
    /// [`Unanswered`].
    fn take(&self, policy: &PolicyId) -> Result<(Arc<History>, Reading), Unanswered>;
}
