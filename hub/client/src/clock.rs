//! The time, as an argument: a light client's safety hangs on it, so tests set it.

use std::time::{SystemTime, UNIX_EPOCH};

use hub_types::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970: every header is then from the future and refused.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_secs())
            .ok()
            .and_then(|seconds| Timestamp::new(seconds, since.subsec_nanos()).ok())
            .unwrap_or_default()
    }
}
