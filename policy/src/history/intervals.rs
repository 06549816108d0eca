//! Relationships with the revisions between which they stood: from one, until before another.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{
    names::{Label, Member},
    ByHandle, Stamp,
};

/// Until no revision yet.
const STANDS: Stamp = Stamp::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    from: Stamp,
    until: Stamp,
}

impl Interval {
    fn holds(self, at: Stamp) -> bool {
        self.from <= at && at < self.until
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
    pub(super) fn set(&mut self, key: DirectKey, stamp: Stamp) {
        match self.latest.get_mut(&key) {
            Some(interval) if interval.until == STANDS => {}
            // Deleted and set again in one block: it never ceased to stand.
            Some(interval) if interval.until == stamp => interval.until = STANDS,
            Some(interval) => {
                let before = core::mem::replace(
                    interval,
                    Interval {
                        from: stamp,
                        until: STANDS,
                    },
                );
                self.earlier.entry(key).or_default().push(before);
            }
            None => {
                self.latest.insert(
                    key,
                    Interval {
                        from: stamp,
                        until: STANDS,
                    },
                );
            }
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

    pub(super) fn holds(&self, key: DirectKey, at: Stamp) -> bool {
        match self.latest.get(&key) {
            None => false,
            Some(interval) if interval.from <= at => interval.holds(at),
            Some(_) => self.earlier.get(&key).is_some_and(|earlier| {
                let after = earlier.partition_point(|interval| interval.from <= at);
                after
                    .checked_sub(1)
                    .and_then(|place| earlier.get(place))
                    .is_some_and(|interval| interval.holds(at))
            }),
        }
    }
}

/// The sets of one relation of one object, in canonical order.
#[derive(Clone, Debug, Default)]
pub(super) struct SetLists {
    /// Those that stand, and since when.
    live: Vec<(Member, Stamp)>,
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
        order: impl Fn(&Member, &Member) -> Ordering,
    ) {
        let Err(place) = self
            .live
            .binary_search_by(|(other, _)| order(other, &member))
        else {
            return;
        };
        // Deleted and set again in one block: it never ceased to stand.
        let again = self
            .closed
            .iter()
            .position(|(other, interval)| *other == member && interval.until == stamp);
        let from = again.map_or(stamp, |at| self.closed.remove(at).1.from);
        self.live.insert(place, (member, from));
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
        let (_, from) = self.live.remove(place);
        self.changed = stamp;
        if from == stamp {
            return;
        }
        let place = self
            .closed
            .partition_point(|(other, _)| order(other, &member) != Ordering::Greater);
        self.closed
            .insert(place, (member, Interval { from, until: stamp }));
    }

    /// Visits the members that stood at `at`, in canonical order.
    pub(super) fn for_each(
        &self,
        at: Stamp,
        order: impl Fn(&Member, &Member) -> Ordering,
        mut visit: impl FnMut(Member),
    ) {
        if at >= self.changed {
            self.live.iter().for_each(|(member, _)| visit(*member));
            return;
        }
        let mut live = self
            .live
            .iter()
            .filter(|(_, from)| *from <= at)
            .map(|(member, _)| *member)
            .peekable();
        let mut closed = self
            .closed
            .iter()
            .filter(|(_, interval)| interval.holds(at))
            .map(|(member, _)| *member)
            .peekable();
        loop {
            let first = match (live.peek(), closed.peek()) {
                (Some(a), Some(b)) if order(a, b) == Ordering::Greater => closed.next(),
                (Some(_), _) => live.next(),
                (None, _) => closed.next(),
            };
            match first {
                Some(member) => visit(member),
                None => return,
            }
        }
    }
}
