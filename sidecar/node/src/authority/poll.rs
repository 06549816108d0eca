//! The loop that keeps the replicas at the hub's height.

use std::sync::Arc;

use audit::times::Block;
use hub_types::PolicyId;
use prost::Message as _;
use tokio::sync::watch;

use super::hub::{Hub, HubError, Tip};
use super::{healed, Authority};
use crate::clock::Clock;
use crate::limits::{HUB_POLL_INTERVAL, HUB_RETRY_INTERVAL};
use crate::metrics::Metrics;
use crate::store::keys::meta;
use crate::store::records::ClockRecord;
use crate::store::{Column, Put, Store, StoreError, Write};

/// What the loop works with.
pub struct Follow {
    /// The replicas.
    pub authority: Arc<Authority>,
    /// The hub.
    pub hub: Arc<dyn Hub>,
    /// Where they are kept.
    pub store: Arc<Store>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// Time between two writes of the clock alone. A restart may forget that much staleness.
const CLOCK_WRITE_INTERVAL_MS: u64 = 5_000;

/// Follows the hub until `stop` changes.
///
/// # Errors
/// [`StoreError`] when what was proven cannot be kept; the sidecar must stop then.
pub async fn run(follow: Follow, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut clock_written_ms = 0;
    loop {
        let step = follow.step(&mut clock_written_ms).await?;
        // What was applied is on disk now, whether or not the step came to its end.
        follow.keep_snapshots(false).await;
        let pause = match step {
            Ok(()) => HUB_POLL_INTERVAL,
            Err(error) => {
                if matches!(error, HubError::Unverified(_)) {
                    follow.metrics.hub_lies.inc();
                }
                let sentence = error.to_string();
                if follow.authority.status().borrow().trouble.as_ref() != Some(&sentence) {
                    tracing::warn!(%error, "going on at the last proven revision");
                }
                follow
                    .authority
                    .tell(|status| status.trouble = Some(sentence));
                HUB_RETRY_INTERVAL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // A block's time that is asked for is looked for at once, where the hub is in reach.
            () = follow.authority.times.wanted(), if pause == HUB_POLL_INTERVAL => {}
            _ = stop.changed() => {
                follow.keep_snapshots(true).await;
                return Ok(());
            }
        }
    }
}

impl Follow {
    /// Writes the snapshots that are due, on a thread of their own: they write everything.
    async fn keep_snapshots(&self, at_end: bool) {
        let authority = self.authority.clone();
        let kept = tokio::task::spawn_blocking(move || authority.keep_snapshots(at_end)).await;
        if let Err(error) = kept {
            tracing::error!(%error, "writing snapshots failed");
        }
    }

    /// One look at the hub. The outer error ends the sidecar, the inner one is tried again.
    async fn step(&self, clock_written_ms: &mut u64) -> Result<Result<(), HubError>, StoreError> {
        let tip = match self.hub.tip().await {
            Ok(tip) => tip,
            Err(error) => return Ok(Err(error)),
        };
        self.authority.times.see(Block {
            height: tip.height,
            time: tip.time.to_policy(),
        });
        let seen = self.authority.status().borrow().height;
        let was_offline = self.authority.status().borrow().trouble.is_some();
        let mut puts: Vec<Put> = Vec::new();
        let mut changed = false;
        let mut failed = None;
        for policy in self.authority.policies().into_values() {
            match self.advance(policy, tip.height).await {
                Ok(None) => {}
                Ok(Some((new, revisions))) => {
                    puts.extend(new);
                    changed |= revisions;
                }
                Err(HubError::Absent(_)) => {
                    tracing::debug!(%policy, "the hub does not know this policy yet");
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            // What other policies proved stands, and must not be lost with this error.
            if changed {
                self.authority.tell(|status| status.epoch += 1);
                self.store
                    .submit(Write {
                        puts,
                        ..Write::default()
                    })
                    .await?;
            }
            return Ok(Err(error));
        }
        changed |= self.authority.has_begun(tip.time);
        if tip.height > seen || was_offline {
            if tip.height > seen {
                self.authority.verified(tip.time_ms());
            }
            self.authority.tell(|status| {
                status.height = tip.height;
                status.trouble = None;
                status.epoch += u64::from(changed);
            });
        } else if changed {
            self.authority.tell(|status| status.epoch += 1);
        }
        let now_ms = self.clock.wall_ms();
        let clock_is_due = now_ms.saturating_sub(*clock_written_ms) >= CLOCK_WRITE_INTERVAL_MS;
        if !changed && !clock_is_due {
            // Heights alone are not worth a sync each: a restart proves them again.
            return self.prove_times(tip).await;
        }
        *clock_written_ms = now_ms;
        let age_ms = u64::try_from(self.authority.age().as_millis()).unwrap_or(u64::MAX);
        let record = ClockRecord {
            verified_ms: now_ms.saturating_sub(age_ms),
            highest_ms: now_ms,
        };
        puts.push((
            Column::Meta,
            meta::CLOCK.to_vec(),
            Some(record.encode_to_vec()),
        ));
        self.store
            .submit(Write {
                puts,
                ..Write::default()
            })
            .await?;
        // Only now: what was proven of policies must not be lost with a header that cannot be had.
        self.prove_times(tip).await
    }

    /// Proves the times of blocks that verdicts hang on. They are known once they are on disk; who
    /// waits for them is told then.
    async fn prove_times(&self, tip: Tip) -> Result<Result<(), HubError>, StoreError> {
        let newest = Block {
            height: tip.height,
            time: tip.time.to_policy(),
        };
        let times = &self.authority.times;
        let near = |moment| self.authority.revisions_near(moment);
        let (proved, trouble) = times.prove(self.hub.as_ref(), newest, near).await;
        if proved.is_empty() {
            return Ok(trouble);
        }
        let write = Write {
            puts: proved.puts().collect(),
            ..Write::default()
        };
        self.store.submit(write).await?;
        times.learn(&proved);
        self.authority.tell(|status| {
            status.times = times.count();
            // What was late or waited may count now, and was held back from peers meanwhile.
            status.epoch += 1;
        });
        Ok(trouble)
    }

    /// Brings one policy to the newest header, unless it is there. Returns what must be written
    /// and whether there were new revisions.
    async fn advance(
        &self,
        policy: PolicyId,
        tip_height: u64,
    ) -> Result<Option<(Vec<Put>, bool)>, HubError> {
        let Some(replica) = self.authority.replica(&policy) else {
            return Ok(None);
        };
        let (from, proven) = {
            let replica = healed(replica.read());
            (replica.next_revision(), replica.proven_height())
        };
        if proven + 1 >= tip_height {
            return Ok(None);
        }
        let update = self.hub.policy(policy, from).await?;
        let revisions = !update.revisions.is_empty();
        // A long question may still read the history. It is copied before anybody is made to wait.
        let shared = healed(replica.read()).shared_history();
        if let Some(history) = shared.filter(|_| revisions) {
            let copied = tokio::task::spawn_blocking(move || (*history).clone()).await;
            if let Ok(copy) = copied {
                healed(replica.write()).take_copy(copy);
            }
        }
        let puts = healed(replica.write())
            .apply(&update)
            .map_err(|error| HubError::Unverified(error.to_string()))?;
        for revision in &update.revisions {
            self.authority.times.see(Block {
                height: revision.leaf.height.0,
                time: revision.leaf.time.to_policy(),
            });
        }
        if revisions {
            tracing::info!(%policy, revision = update.record.log.size() - 1, height = update.height, "proved a new revision");
        }
        Ok(Some((puts, revisions)))
    }
}
