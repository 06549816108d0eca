//! The headers that receipts are verified under: those at hand, and what may be asked for.
//!
//! Whoever sends receipts says which headers the hub is asked for, so asking has bounds: of each
//! peer so many in one pass and so many in vain in a minute, and none again that failed since the
//! hub was last heard of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use hub_light::Trusted;

use crate::limits::{HEADERS_IN_VAIN_MAX, HEADERS_KEPT_MAX, HEADERS_PER_PASS_MAX, QUOTA_WINDOW};

/// Time after which a header that failed may be asked for again although nothing was heard of the
/// hub since: as long as one attempt at a node that does not answer may take.
const FAILED_FOR: Duration = Duration::from_secs(10);

/// As of which look at the hub something is known: its height, and whether it was in reach.
pub(super) type Look = (u64, bool);

/// Verified headers, and what became of asking for others.
#[derive(Default)]
pub(super) struct Headers {
    known: BTreeMap<u64, Trusted>,
    /// Their heights, the oldest first.
    order: VecDeque<u64>,
    failed: BTreeSet<u64>,
    /// No node could be reached, so no header at all is asked for.
    unreachable: bool,
    /// When the two were learned.
    as_of: Option<(Look, Instant)>,
    in_vain: BTreeMap<String, u32>,
    in_vain_since: Option<Instant>,
}

/// Whether a header may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// It may.
    Yes,
    /// In another pass.
    HeldBack,
    /// When the hub is heard of again, or the peer's minute is over.
    No,
}

/// What each peer had in one pass.
#[derive(Default)]
pub(super) struct Pass {
    asked: BTreeMap<String, usize>,
    /// Peers whose last header no node gave.
    stopped: BTreeSet<String>,
}

impl Headers {
    /// A header that was verified before.
    pub fn known(&self, height: u64) -> Option<Trusted> {
        self.known.get(&height).cloned()
    }

    /// Remembers a verified header.
    pub fn learn(&mut self, trusted: &Trusted) {
        let height = trusted.height.0;
        if self.known.insert(height, trusted.clone()).is_none() {
            self.order.push_back(height);
        }
        while self.order.len() > HEADERS_KEPT_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// Whether the hub may be asked for a header that `peer` named; counts it if so.
    pub fn may_ask(&mut self, pass: &mut Pass, peer: &str, height: u64, look: Look) -> Ask {
        let now = Instant::now();
        let still = |(then, since): &(Look, Instant)| {
            *then == look && now.duration_since(*since) < FAILED_FOR
        };
        if !self.as_of.as_ref().is_some_and(still) {
            self.failed.clear();
            self.unreachable = false;
            self.as_of = None;
        }
        let over = |since: &Instant| now.duration_since(*since) >= QUOTA_WINDOW;
        if self.in_vain_since.as_ref().is_none_or(over) {
            self.in_vain.clear();
            self.in_vain_since = Some(now);
        }
        let in_vain = self.in_vain.get(peer).copied().unwrap_or(0);
        if self.unreachable
            || self.failed.contains(&height)
            || in_vain >= HEADERS_IN_VAIN_MAX
            || pass.stopped.contains(peer)
        {
            return Ask::No;
        }
        let asked = pass.asked.entry(peer.to_owned()).or_default();
        if *asked == HEADERS_PER_PASS_MAX {
            return Ask::HeldBack;
        }
        *asked += 1;
        Ask::Yes
    }

    /// A header was not to be had. Where no node could be reached the rest of the peer's is not
    /// asked for one by one, nor, where the hub is known to be out of reach, anybody's.
    pub fn failed(
        &mut self,
        pass: &mut Pass,
        peer: &str,
        height: u64,
        look: Look,
        unreachable: bool,
    ) {
        self.failed.insert(height);
        // From the first failure on, or steady ones would never be forgotten.
        if self.as_of.is_none_or(|(then, _)| then != look) {
            self.as_of = Some((look, Instant::now()));
        }
        if unreachable {
            pass.stopped.insert(peer.to_owned());
            let (_, in_reach) = look;
            self.unreachable = !in_reach;
        } else {
            self.in_vain(peer);
        }
    }

    /// A header was asked for that `peer` named, and there is none, or what it sent does not verify
    /// under it.
    pub fn in_vain(&mut self, peer: &str) {
        *self.in_vain.entry(peer.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Look = (9, true);
    const DOWN: Look = (9, false);

    #[test]
    fn a_peer_has_so_many_headers_a_pass_and_so_many_in_vain() {
        let mut headers = Headers::default();
        let mut pass = Pass::default();
        let asked = |headers: &mut Headers, pass: &mut Pass, peer: &str| {
            let heights = 1..=20;
            heights
                .filter(|height| headers.may_ask(pass, peer, *height, UP) == Ask::Yes)
                .count()
        };
        assert_eq!(asked(&mut headers, &mut pass, "a"), HEADERS_PER_PASS_MAX);
        assert_eq!(asked(&mut headers, &mut pass, "b"), HEADERS_PER_PASS_MAX);
        let mut pass = Pass::default();
        assert_eq!(asked(&mut headers, &mut pass, "a"), HEADERS_PER_PASS_MAX);
        for _ in 0..HEADERS_IN_VAIN_MAX {
            headers.in_vain("a");
        }
        let mut pass = Pass::default();
        assert_eq!(asked(&mut headers, &mut pass, "a"), 0);
        assert_eq!(asked(&mut headers, &mut pass, "b"), HEADERS_PER_PASS_MAX);
    }

    #[test]
    fn what_failed_is_asked_for_again_when_the_hub_was_heard_of() {
        let mut headers = Headers::default();
        let mut pass = Pass::default();
        headers.failed(&mut pass, "a", 3, UP, false);
        assert_eq!(
            headers.may_ask(&mut pass, "b", 3, UP),
            Ask::No,
            "whoever asks"
        );
        assert_eq!(
            headers.may_ask(&mut pass, "a", 4, UP),
            Ask::Yes,
            "another one"
        );
        assert_eq!(
            headers.may_ask(&mut pass, "a", 3, (10, true)),
            Ask::Yes,
            "a block on"
        );
    }

    #[test]
    fn the_first_that_is_out_of_reach_ends_the_pass() {
        let mut headers = Headers::default();
        let mut pass = Pass::default();
        headers.failed(&mut pass, "a", 3, UP, true);
        assert_eq!(
            headers.may_ask(&mut pass, "a", 4, UP),
            Ask::No,
            "its other ones"
        );
        assert_eq!(
            headers.may_ask(&mut pass, "b", 5, UP),
            Ask::Yes,
            "it may be its own"
        );
        headers.failed(&mut pass, "b", 5, DOWN, true);
        let mut pass = Pass::default();
        assert_eq!(
            headers.may_ask(&mut pass, "c", 6, DOWN),
            Ask::No,
            "nobody's"
        );
        assert_eq!(headers.may_ask(&mut pass, "c", 6, UP), Ask::Yes);
    }
}
