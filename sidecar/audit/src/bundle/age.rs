//! How old the state was that a decision rests on.
//!
//! A sidecar may answer from its last proven state for as long as the policy's `max_staleness`; then
//! it can tell nothing. Nobody proves when a decision was made, but the log bounds it from below: an
//! operator makes an anchor only when the one before is confirmed, so a leaf that anchor i − 1 does
//! not cover was written after anchor i − 2 stood on the hub. By then the decision's state must not
//! have been older than allowed. What is found is reported and makes nothing else wrong: a clock
//! that runs slow does the same as a lie.

use alloc::collections::BTreeMap;
use core::fmt;

use hub_types::policy::PolicyRecord;

use super::log::Anchors;
use crate::authority::PolicyAuthority;
use crate::content::{Content, Decision, Outcome};
use crate::leaf::Disclosure;

const NANOS: i128 = 1_000_000_000;

/// Why a decision's state was older than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooOld {
    /// The operator says so itself.
    Said { seconds: u64, most: u64 },
    /// An anchor shows it.
    Shown {
        height: u64,
        anchor: u64,
        seconds: u64,
        most: u64,
    },
}

impl fmt::Display for TooOld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooOld::Said { seconds, most } => write!(
                f,
                "by the leaf itself the last verified block was {seconds} s old, and the policy allows {most} s"
            ),
            TooOld::Shown {
                height,
                anchor,
                seconds,
                most,
            } => write!(
                f,
                "it was made after anchor {anchor}, when height {height} was at least {seconds} s old, and the policy allows {most} s"
            ),
        }
    }
}

/// The times that a bundle proves, by height, in nanoseconds since 1970.
struct Times(BTreeMap<u64, i128>);

impl Times {
    fn of(anchors: &Anchors, authority: &PolicyAuthority<'_>) -> Times {
        let mut times = BTreeMap::new();
        for anchor in &anchors.anchors {
            let nanos = i128::from(anchor.time.seconds()) * NANOS + i128::from(anchor.time.nanos());
            times.insert(anchor.height.0, nanos);
        }
        let history = authority.history();
        for revision in 0..=history.latest().map_or(0, |latest| latest.revision) {
            if let Some(revision) = history.revision(revision) {
                let seconds = i128::from(revision.time_seconds) * NANOS;
                times.insert(revision.height, seconds + i128::from(revision.time_nanos));
            }
        }
        Times(times)
    }

    /// A time that the block after `height`, which proves the state at `height`, is not later than.
    fn no_later(&self, height: u64) -> Option<i128> {
        let mut later = self.0.range(height.saturating_add(1)..);
        later.next().map(|(_, nanos)| *nanos)
    }
}

/// The opened decisions whose state was too old, by leaf.
pub(crate) fn too_old(
    leaves: &[Disclosure],
    anchors: &Anchors,
    record: &PolicyRecord,
    authority: &PolicyAuthority<'_>,
) -> BTreeMap<u64, TooOld> {
    let times = Times::of(anchors, authority);
    let most = record.max_staleness_seconds;
    (anchors.start..)
        .zip(leaves)
        .filter_map(|(index, leaf)| {
            let Content::Decision(decision) = leaf.opening()?.content() else {
                return None;
            };
            let too_old = said(decision, most)
                .or_else(|| shown(decision, index, anchors, &times, most))
                .filter(|_| decision.outcome != Outcome::CouldNotTell)?;
            Some((index, too_old))
        })
        .collect()
}

fn said(decision: &Decision, most: u64) -> Option<TooOld> {
    let seconds = decision.stale_seconds;
    (seconds > most).then_some(TooOld::Said { seconds, most })
}

fn shown(
    decision: &Decision,
    index: u64,
    anchors: &Anchors,
    times: &Times,
    most: u64,
) -> Option<TooOld> {
    let (anchor, before) = anchors.confirmed_before(index)?;
    let nanos = i128::from(before.time.seconds()) * NANOS + i128::from(before.time.nanos());
    let age = nanos - times.no_later(decision.height)?;
    (age > i128::from(most) * NANOS).then(|| TooOld::Shown {
        height: decision.height,
        anchor,
        seconds: u64::try_from(age / NANOS).unwrap_or(u64::MAX),
        most,
    })
}
