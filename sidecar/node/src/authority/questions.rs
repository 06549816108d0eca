//! Replicas as a source of permission questions over gRPC (`hub-ask`).

use std::sync::{Arc, TryLockError};

use hub_ask::{Source, Unanswered};
use hub_types::PolicyId;
use policy::History;

use super::{healed, Authority, CouldNotTell, Reading};

impl From<&Reading> for hub_ask::Reading {
    fn from(reading: &Reading) -> Self {
        Self {
            revision: reading.revision,
            height: reading.height,
            time: reading.time.to_policy(),
            offline: reading.offline,
            age_seconds: reading.age_seconds,
        }
    }
}

impl From<CouldNotTell> for Unanswered {
    fn from(reason: CouldNotTell) -> Self {
        match reason {
            CouldNotTell::NotFollowed(policy) => Self::NoPolicy(policy),
            CouldNotTell::Check(error) => Self::Check(error),
            reason => Self::TooOld(reason.to_string()),
        }
    }
}

impl Source for Authority {
    fn ask<T>(
        &self,
        policy: &PolicyId,
        ask: impl FnOnce(&History, &hub_ask::Reading) -> T,
    ) -> Result<T, Unanswered> {
        self.metrics.checks.inc();
        let replica = self.followed_replica(policy)?;
        let replica = match replica.try_read() {
            Ok(replica) => replica,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Unanswered::Later),
        };
        let reading = self.fresh_reading(&replica)?;
        Ok(ask(replica.history(), &(&reading).into()))
    }

    fn take(&self, policy: &PolicyId) -> Result<(Arc<History>, hub_ask::Reading), Unanswered> {
        let replica = self.followed_replica(policy)?;
        let replica = healed(replica.read());
        let reading = self.fresh_reading(&replica)?;
        Ok((replica.history().clone(), (&reading).into()))
    }
}
