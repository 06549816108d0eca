//! The relationships that no longer stand, with the revisions between which they did.
//!
//! Sorted rows of 20 bytes and an order by subject of 4; what was closed lately lies in sorted maps
//! until it is a share of the whole, and is then merged. So a look-up is a binary search, and adding
//! costs a constant number of copies on the average.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::ops::Bound::{Excluded, Unbounded};

use super::Stamp;

/// Object, list, subject, and the revision that ended it: in this order.
pub(super) type Key = (u32, u32, u32, Stamp);

/// A relationship that stood from `from` until before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub object: u32,
    pub list: u32,
    pub subject: u32,
    pub until: Stamp,
    pub from: Stamp,
}

impl Closed {
    fn key(&self) -> Key {
        (self.object, self.list, self.subject, self.until)
    }

    fn stood(&self, at: Stamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// Words of a row.
pub(super) const CLOSED_WORDS: usize = 5;

/// All that no longer stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Sorted.
    rows: Vec<Closed>,
    /// Places of rows, sorted by subject and then as the rows are.
    by_subject: Vec<u32>,
    recent: BTreeMap<Key, Stamp>,
    recent_by_subject: BTreeSet<(u32, Key)>,
    /// Terms, where a relationship stood on some.
    terms: BTreeMap<Key, u32>,
    /// The last revision that ended anything.
    last: Stamp,
}

/// Up to here nothing is merged.
const RECENT_MIN: usize = 1024;

impl Past {
    pub(super) fn close(&mut self, closed: Closed, terms: u32) {
        let key = closed.key();
        self.recent.insert(key, closed.from);
        self.recent_by_subject.insert((closed.subject, key));
        if terms != 0 {
            self.terms.insert(key, terms);
        }
        self.last = self.last.max(closed.until);
        if self.recent.len() > RECENT_MIN.max(self.rows.len() / 8) {
            self.merge();
        }
    }

    fn merge(&mut self) {
        let recent = core::mem::take(&mut self.recent);
        self.recent_by_subject.clear();
        let before = core::mem::take(&mut self.rows);
        self.rows.reserve_exact(before.len() + recent.len());
        let mut recent = recent.into_iter().map(row).peekable();
        for old in before {
            while let Some(new) = recent.next_if(|new| new.key() < old.key()) {
                self.rows.push(new);
            }
            self.rows.push(old);
        }
        self.rows.extend(recent);
        self.index();
    }

    fn index(&mut self) {
        let rows = &self.rows;
        self.by_subject = (0..rows.len() as u32).collect();
        // Stable, so rows of one subject stay as they are.
        self.by_subject
            .sort_by_key(|at| rows.get(*at as usize).map_or(0, |row| row.subject));
    }

    /// Whether everything that stands at `at` stands still, and nothing else did.
    pub(super) fn is_before(&self, at: Stamp) -> bool {
        self.last <= at
    }

    /// The terms on which this relationship stood at `at`, if it did and no longer does.
    pub(super) fn find(&self, object: u32, list: u32, subject: u32, at: Stamp) -> Option<u32> {
        // Intervals of one relationship do not overlap, so the first that ends later is the one.
        let after = (object, list, subject, at);
        let place = self.rows.partition_point(|row| row.key() <= after);
        let old = self.rows.get(place).copied();
        let new = self
            .recent
            .range((Excluded(after), Unbounded))
            .next()
            .map(|(key, from)| row((*key, *from)));
        let is = |row: &Closed| (row.object, row.list, row.subject) == (object, list, subject);
        let found = [old, new].into_iter().flatten();
        let row = found.filter(is).find(|row| row.stood(at))?;
        Some(self.terms_of(&row))
    }

    fn terms_of(&self, row: &Closed) -> u32 {
        self.terms.get(&row.key()).copied().unwrap_or(0)
    }

    /// Subjects and terms of a list that stood at `at` and no longer do; in no order.
    pub(super) fn list(
        &self,
        object: u32,
        list: u32,
        at: Stamp,
    ) -> impl Iterator<Item = (u32, u32)> + '_ {
        let is = move |row: &Closed| (row.object, row.list) == (object, list);
        let place = self
            .rows
            .partition_point(|row| (row.object, row.list) < (object, list));
        let old = self.rows.iter().skip(place).take_while(move |row| is(row));
        let new = self
            .recent
            .range((object, list, 0, 0)..)
            .map(|(key, from)| row((*key, *from)))
            .take_while(is);
        old.copied()
            .chain(new)
            .filter(move |row| row.stood(at))
            .map(|row| (row.subject, self.terms_of(&row)))
    }

    /// What stood of a subject at `at` and no longer does: object, list, terms.
    pub(super) fn of_subject(
        &self,
        subject: u32,
        at: Stamp,
    ) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        let row_at = |at: &u32| self.rows.get(*at as usize).copied();
        let place = self
            .by_subject
            .partition_point(|at| row_at(at).is_some_and(|row| row.subject < subject));
        let old = self
            .by_subject
            .iter()
            .skip(place)
            .map_while(row_at)
            .take_while(move |row| row.subject == subject);
        let new = self
            .recent_by_subject
            .range((subject, (0, 0, 0, 0))..)
            .take_while(move |(other, _)| *other == subject)
            .filter_map(|(_, key)| Some(row((*key, *self.recent.get(key)?))));
        old.chain(new)
            .filter(move |row| row.stood(at))
            .map(|row| (row.object, row.list, self.terms_of(&row)))
    }

    /// The first revision after `at` that ended or began this relationship, as far as it no longer
    /// stands.
    pub(super) fn next_change(
        &self,
        object: u32,
        list: u32,
        subject: Option<u32>,
        at: Stamp,
    ) -> Option<Stamp> {
        let is = move |row: &Closed| {
            (row.object, row.list) == (object, list) && subject.is_none_or(|s| s == row.subject)
        };
        let first = (object, list, subject.unwrap_or(0), 0);
        let place = self.rows.partition_point(|row| row.key() < first);
        let old = self.rows.iter().skip(place).take_while(|row| is(row));
        let new = self.recent.range(first..);
        let new = new.map(|(key, from)| row((*key, *from))).take_while(is);
        old.copied()
            .chain(new)
            .flat_map(|row| [row.from, row.until])
            .filter(|stamp| *stamp > at)
            .min()
    }

    /// Forgets what ended at or before `until`.
    pub(super) fn cut(&mut self, until: Stamp) {
        self.merge();
        self.rows.retain(|row| row.until > until);
        self.rows.shrink_to_fit();
        self.terms.retain(|key, _| key.3 > until);
        self.index();
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.recent.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Closed>() + self.by_subject.capacity() * 4
    }

    /// All rows, merged, and terms.
    pub(super) fn parts(&self) -> (Vec<[u32; CLOSED_WORDS]>, &BTreeMap<Key, u32>) {
        let mut all = self.clone();
        all.merge();
        let words = |row: &Closed| [row.object, row.list, row.subject, row.until, row.from];
        (all.rows.iter().map(words).collect(), &self.terms)
    }

    /// The rows that are merged, as words.
    pub(super) fn rows(&self) -> impl Iterator<Item = [u32; CLOSED_WORDS]> + '_ {
        let words = |row: &Closed| [row.object, row.list, row.subject, row.until, row.from];
        self.rows.iter().map(words)
    }

    /// Whether terms are those of rows, and within `count` that are known.
    pub(super) fn terms_are_of_rows(&self, count: usize) -> bool {
        self.terms.iter().all(|(key, terms)| {
            let row = self.rows.binary_search_by_key(key, Closed::key);
            row.is_ok() && *terms > 0 && *terms as usize <= count
        })
    }

    pub(super) fn from_parts(
        rows: Vec<[u32; CLOSED_WORDS]>,
        terms: BTreeMap<Key, u32>,
    ) -> Option<Self> {
        let of = |[object, list, subject, until, from]: [u32; CLOSED_WORDS]| Closed {
            object,
            list,
            subject,
            until,
            from,
        };
        let rows: Vec<Closed> = rows.into_iter().map(of).collect();
        if !rows.is_sorted_by(|a, b| a.key() < b.key()) {
            return None;
        }
        let last = rows.iter().map(|row| row.until).max().unwrap_or(0);
        let mut past = Self {
            rows,
            terms,
            last,
            ..Self::default()
        };
        past.index();
        Some(past)
    }
}

fn row(((object, list, subject, until), from): (Key, Stamp)) -> Closed {
    Closed {
        object,
        list,
        subject,
        until,
        from,
    }
}
