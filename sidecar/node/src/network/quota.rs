//! What one peer may cost: requests at once, and rejected commits in a window (Invariant 7).

use std::collections::BTreeMap;
use std::sync::Mutex;

use libp2p::PeerId;

use crate::limits::{PEER_REJECTED_MAX, PEER_REQUESTS_AT_ONCE_MAX, QUOTA_WINDOW};

#[derive(Default)]
struct Usage {
    requests: u32,
    rejected: u32,
    window_start_ms: u64,
}

/// Usage by peer. Forgets a peer when its last connection closes, except while it is cut off.
#[derive(Default)]
pub struct Quotas {
    peers: Mutex<BTreeMap<PeerId, Usage>>,
}

impl Quotas {
    fn with<R>(&self, peer: PeerId, work: impl FnOnce(&mut Usage) -> R) -> R {
        let mut peers = self
            .peers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(peers.entry(peer).or_default())
    }

    /// Lets a request in, or not.
    pub fn request_starts(&self, peer: PeerId, now_ms: u64) -> bool {
        self.with(peer, |usage| {
            let window_ms = QUOTA_WINDOW.as_millis() as u64;
            if now_ms.saturating_sub(usage.window_start_ms) >= window_ms {
                usage.window_start_ms = now_ms;
                usage.rejected = 0;
            }
            if usage.requests >= PEER_REQUESTS_AT_ONCE_MAX || usage.rejected >= PEER_REJECTED_MAX {
                return false;
            }
            usage.requests += 1;
            true
        })
    }

    /// A request was answered.
    pub fn request_ends(&self, peer: PeerId) {
        self.with(peer, |usage| {
            usage.requests = usage.requests.saturating_sub(1)
        });
    }

    /// A commit of the peer's was rejected.
    pub fn rejected(&self, peer: PeerId, count: u32) {
        self.with(peer, |usage| {
            usage.rejected = usage.rejected.saturating_add(count)
        });
    }

    /// Forgets a peer that is gone, unless it is cut off.
    pub fn gone(&self, peer: &PeerId) {
        let mut peers = self
            .peers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if peers.get(peer).is_some_and(|usage| usage.rejected == 0) {
            peers.remove(peer);
        }
        // Whoever makes thousands of keys to be remembered for finds the oldest forgotten.
        while peers.len() > 4096 {
            peers.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_pushes_rejected_commits_is_cut_off_until_the_window_ends() {
        let quotas = Quotas::default();
        let peer = PeerId::random();
        assert!(quotas.request_starts(peer, 0));
        quotas.rejected(peer, PEER_REJECTED_MAX);
        quotas.request_ends(peer);
        quotas.gone(&peer);
        assert!(
            !quotas.request_starts(peer, 1),
            "a new connection gains nothing"
        );
        assert!(quotas.request_starts(peer, QUOTA_WINDOW.as_millis() as u64 + 1));
    }

    #[test]
    fn a_peer_has_so_many_requests_at_once() {
        let quotas = Quotas::default();
        let peer = PeerId::random();
        for _ in 0..PEER_REQUESTS_AT_ONCE_MAX {
            assert!(quotas.request_starts(peer, 0));
        }
        assert!(!quotas.request_starts(peer, 0));
        quotas.request_ends(peer);
        assert!(quotas.request_starts(peer, 0));
    }
}
