//! The sidecar's clocks: one for claimed times, one that never goes back for staleness.
//!
//! Staleness ends what an offline sidecar may answer (DESIGN §7), so a person who sets the wall
//! clock back must not gain time. Within one run the age of the last verified block is measured by
//! the monotone clock; across a restart it is the wall clock, but never less than the highest wall
//! clock reading that the store remembers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source of time, an argument wherever time matters, so that tests can move it.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 by the wall clock.
    fn wall_ms(&self) -> u64;
    /// Milliseconds since some fixed point in this run; never goes back.
    fn monotone_ms(&self) -> u64;
}

/// The computer's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotone_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicU64,
    monotone: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `wall_ms`.
    #[must_use]
    pub fn at(wall_ms: u64) -> Self {
        Self {
            wall: AtomicU64::new(wall_ms),
            monotone: AtomicU64::new(0),
        }
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.wall.fetch_add(by, Ordering::SeqCst);
        self.monotone.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets the wall clock, also backwards, as a person may.
    pub fn set_wall(&self, wall_ms: u64) {
        self.wall.store(wall_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> u64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn monotone_ms(&self) -> u64 {
        self.monotone.load(Ordering::SeqCst)
    }
}

/// How long ago the last block was verified, on a clock that never goes back.
#[derive(Debug)]
pub struct Freshness {
    /// Age at the moment `since_ms` of the monotone clock.
    age_then_ms: u64,
    since_ms: u64,
}

impl Freshness {
    /// A block was verified just now.
    #[must_use]
    pub fn now(clock: &dyn Clock) -> Self {
        Self {
            age_then_ms: 0,
            since_ms: clock.monotone_ms(),
        }
    }

    /// After a restart: the last verification was at `verified_wall_ms`, and `highest_wall_ms` is
    /// the highest reading of the wall clock that was ever persisted.
    #[must_use]
    pub fn restored(clock: &dyn Clock, verified_wall_ms: u64, highest_wall_ms: u64) -> Self {
        let now = clock.wall_ms().max(highest_wall_ms);
        Self {
            age_then_ms: now.saturating_sub(verified_wall_ms),
            since_ms: clock.monotone_ms(),
        }
    }

    /// The age now.
    #[must_use]
    pub fn age(&self, clock: &dyn Clock) -> Duration {
        let run = clock.monotone_ms().saturating_sub(self.since_ms);
        Duration::from_millis(self.age_then_ms.saturating_add(run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_wall_clock_back_gains_no_time() {
        let clock = ManualClock::at(1_000_000);
        let fresh = Freshness::now(&clock);
        clock.advance(Duration::from_secs(10));
        clock.set_wall(0);
        assert_eq!(fresh.age(&clock), Duration::from_secs(10));
        clock.advance(Duration::from_secs(5));
        assert_eq!(fresh.age(&clock), Duration::from_secs(15));
    }

    #[test]
    fn a_restart_with_the_clock_set_back_counts_from_the_highest_reading() {
        let clock = ManualClock::at(500_000);
        let restored = Freshness::restored(&clock, 900_000, 960_000);
        assert_eq!(restored.age(&clock), Duration::from_secs(60));
        clock.advance(Duration::from_secs(1));
        assert_eq!(restored.age(&clock), Duration::from_secs(61));
    }
}
