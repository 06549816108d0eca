//! Relationships with the revisions between which they stood: from one, until before another.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::relationships::TermsId;

use super::{
    names::{Label, Member},
    ByHandle, Stamp,
};

/// Until no revision yet.
const STANDS: Stamp = Stamp::MAX;

/// Between which revisions a relationship stood, and on what terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    from: Stamp,
    until: Stamp,
    terms: TermsId,
}

impl Interval {
    fn holds(self, at: Stamp) -> bool {
        self.from <= at && at < self.until
    }

    fn begun(from: Stamp, terms: TermsId) -> Self {
        Self {
            from,
            until: STANDS,
            terms,
        }
    }
}

/// (object, relation, actor).
pub(super) type DirectKey = (u32, Label, u32);

/// Actors in relations. One look-up answers for the present; a second one only where a
/// relationship was set again after the revision asked about.
#[derive(Clone, Debug, Default)]
pub(super) struct Direct {
    latest: ByHandle<DirectKey, Interval>,
    /// Closed intervals before the latest one, in order.
    earlier: ByHandle<DirectKey, Vec<Interval>>,
}

impl Direct {
    pub(super) fn set(&mut self, key: DirectKey, stamp: Stamp, terms: TermsId) {
        let now = Interval::begun(stamp, terms);
        let Some(interval) = self.latest.get_mut(&key) else {
            self.latest.insert(key, now);
            return;
        };
        if interval.terms == terms && interval.until == STANDS {
            return;
        }
        // Deleted and set again in one block: it never ceased to stand.
        if interval.terms == terms && interval.until == stamp {
            interval.until = STANDS;
            return;
        }
        let mut before = core::mem::replace(interval, now);
        before.until = before.until.min(stamp);
        if before.from < before.until {
            self.earlier.entry(key).or_default().push(before);
        }
    }

    pub(super) fn delete(&mut self, key: DirectKey, stamp: Stamp) {
        if let Some(interval) = self
            .latest
            .get_mut(&key)
            .filter(|interval| interval.until == STANDS)
        {
            interval.until = stamp;
        }
    }

    pub(super) fn holds(&self, key: DirectKey, at: Stamp) -> Option<TermsId> {
        let latest = self.latest.get(&key)?;
        let interval = if latest.from <= at {
            latest
        } else {
            let earlier = self.earlier.get(&key)?;
            let after = earlier.partition_point(|interval| interval.from <= at);
            earlier.get(after.checked_sub(1)?)?
        };
        interval.holds(at).then_some(interval.terms)
    }
}

/// The sets of one relation of one object, in canonical order.
#[derive(Clone, Debug, Default)]
pub(super) struct SetLists {
    /// Those that stand.
    live: Vec<(Member, Interval)>,
    /// Those that stood; one member may occur several times, in order of time.
    closed: Vec<(Member, Interval)>,
    /// The last revision that changed anything here.
    changed: Stamp,
}

impl SetLists {
    pub(super) fn set(
        &mut self,
        member: Member,
        stamp: Stamp,
        terms: TermsId,
        order: impl Fn(&Member, &Member) -> Ordering,
    ) {
        let place = self
            .live
            .binary_search_by(|(other, _)| order(other, &member));
        if let Ok(at) = place {
            if self.live[at].1.terms == terms {
                return;
            }
            self.delete(member, stamp, &order);
        }
        let place = place.unwrap_or_else(|place| place);
        // Deleted and set again in one block: it never ceased to stand.
        let again = self.closed.iter().position(|(other, interval)| {
            *other == member && interval.until == stamp && interval.terms == terms
        });
        let from = again.map_or(stamp, |at| self.closed.remove(at).1.from);
        self.live
            .insert(place, (member, Interval::begun(from, terms)));
        self.changed = stamp;
    }

    pub(super) fn delete(
        &mut self,
        member: Member,
        stamp: Stamp,
        order: impl Fn(&Member, &Member) -> Ordering,
    ) {
        let Ok(place) = self
            .live
            .binary_search_by(|(other, _)| order(other, &member))
        else {
            return;
        };
        let (_, mut interval) = self.live.remove(place);
        self.changed = stamp;
        if interval.from == stamp {
            return;
        }
        interval.until = stamp;
        let place = self
            .closed
            .partition_point(|(other, _)| order(other, &member) != Ordering::Greater);
        self.closed.insert(place, (member, interval));
    }

    /// Visits the members that stood at `at`, in canonical order.
    pub(super) fn for_each(
        &self,
        at: Stamp,
        order: impl Fn(&Member, &Member) -> Ordering,
        mut visit: impl FnMut(Member, TermsId),
    ) {
        if at >= self.changed {
            let live = self.live.iter();
            live.for_each(|(member, interval)| visit(*member, interval.terms));
            return;
        }
        let mut live = self
            .live
            .iter()
            .filter(|(_, interval)| interval.from <= at)
            .peekable();
        let mut closed = self
            .closed
            .iter()
            .filter(|(_, interval)| interval.holds(at))
            .peekable();
        loop {
            let first = match (live.peek(), closed.peek()) {
                (Some((a, _)), Some((b, _))) if order(a, b) == Ordering::Greater => closed.next(),
                (Some(_), _) => live.next(),
                (None, _) => closed.next(),
            };
            match first {
                Some((member, interval)) => visit(*member, interval.terms),
                None => return,
            }
        }
    }
}
