//! The relationships that stand: rows of numbers, each in two chains, one of its relation and one of
//! its subject, so that both directions are read without a search and a change touches its
//! neighbours only. 36 bytes a relationship, and 7 to 15 for the indexes.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{
    index::{mix, Index},
    names::Label,
    near::Nearby,
    subjects::push,
    Stamp,
};

/// No row.
pub(super) const NONE: u32 = u32::MAX;

/// One relationship that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub object: u32,
    /// The relation's label; above it, whether the subject is no actor.
    pub list: u32,
    pub subject: u32,
    /// Since when.
    pub from: Stamp,
    pub terms: u32,
    /// The next and the last one of the same object, relation and kind; then of the same subject.
    pub next: u32,
    pub last: u32,
    pub next_of_subject: u32,
    pub last_of_subject: u32,
}

/// Words of a row.
pub(super) const EDGE_WORDS: usize = 9;

impl Edge {
    pub(super) fn words(&self) -> [u32; EDGE_WORDS] {
        [
            self.object,
            self.list,
            self.subject,
            self.from,
            self.terms,
            self.next,
            self.last,
            self.next_of_subject,
            self.last_of_subject,
        ]
    }

    pub(super) fn of(words: [u32; EDGE_WORDS]) -> Self {
        let [object, list, subject, from, terms, next, last, next_of_subject, last_of_subject] =
            words;
        Self {
            object,
            list,
            subject,
            from,
            terms,
            next,
            last,
            next_of_subject,
            last_of_subject,
        }
    }
}

/// A relation's list of one kind: actors, or all other subjects.
#[inline]
pub(super) fn list_of(label: Label, sets: bool) -> u32 {
    u32::from(label.0) | (u32::from(sets) << 16)
}

/// All relationships that stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    rows: Vec<Edge>,
    /// The first of the rows that are free, chained by `next`; one more than its number.
    free: u32,
    /// Rows by object, list and subject.
    by_key: Index,
    /// The first row of each list.
    heads: Index,
    /// What is asked first of each object.
    near: Nearby,
    /// The row that went into a list in order last: where one that sorts behind it need not begin
    /// at the list's head. Relied upon only where the row itself is of the list.
    lately: u32,
}

#[inline]
fn key_hash(object: u32, list: u32, subject: u32) -> u64 {
    mix(&[object, list, subject])
}

#[inline]
fn list_hash(object: u32, list: u32) -> u64 {
    mix(&[object, list])
}

impl Edges {
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&Edge> {
        self.rows.get(at as usize)
    }

    #[inline]
    pub(super) fn find(&self, object: u32, list: u32, subject: u32) -> Option<u32> {
        if !self.near.may_have(object, list) {
            return None;
        }
        self.by_key.find(key_hash(object, list, subject), |at| {
            self.rows.get(at as usize).is_some_and(|edge| {
                edge.object == object && edge.list == list && edge.subject == subject
            })
        })
    }

    /// The subject that owns an object.
    #[inline]
    pub(super) fn owner(&self, object: u32) -> Option<u32> {
        self.near.owner(object)
    }

    /// The first row of a list.
    #[inline]
    fn head(&self, object: u32, list: u32) -> Option<u32> {
        if !self.near.may_have(object, list) {
            return None;
        }
        let mut near = self.near.heads(object).into_iter();
        near.find(|at| self.is_first(*at, object, list))
            .or_else(|| self.first(object, list))
    }

    /// The first row of a list as the index finds it, whatever lies near.
    pub(super) fn first(&self, object: u32, list: u32) -> Option<u32> {
        self.heads.find(list_hash(object, list), |at| {
            self.is_first(at, object, list)
        })
    }

    /// Whether a row is the first one of a list.
    #[inline]
    fn is_first(&self, at: u32, object: u32, list: u32) -> bool {
        let row = self.rows.get(at as usize);
        row.is_some_and(|edge| edge.object == object && edge.list == list && edge.last == NONE)
    }

    /// The rows of one list, in order.
    #[inline]
    pub(super) fn list(&self, object: u32, list: u32) -> impl Iterator<Item = (u32, &Edge)> {
        let head = self.head(object, list);
        self.chain(head.unwrap_or(NONE), |edge| edge.next)
    }

    /// The rows of one subject, whose first is `head`.
    pub(super) fn of_subject(&self, head: u32) -> impl Iterator<Item = (u32, &Edge)> {
        self.chain(head, |edge| edge.next_of_subject)
    }

    #[inline]
    fn chain(&self, head: u32, next: impl Fn(&Edge) -> u32) -> impl Iterator<Item = (u32, &Edge)> {
        let mut at = head;
        core::iter::from_fn(move || {
            let edge = self.rows.get(at as usize)?;
            let here = core::mem::replace(&mut at, next(edge));
            Some((here, edge))
        })
        // No chain is longer than there are rows.
        .take(self.rows.len())
    }

    /// Adds a row that is not there. `subject_head` is the first row of its subject, which it
    /// becomes; `order` sorts it into its list, and `None` puts it first.
    pub(super) fn insert(
        &mut self,
        mut edge: Edge,
        subject_head: &mut u32,
        order: Option<&dyn Fn(u32, u32) -> Ordering>,
    ) -> Option<u32> {
        let at = match self.free {
            0 => u32::try_from(self.rows.len())
                .ok()
                .filter(|at| *at < NONE - 1)?,
            free => free - 1,
        };
        let list_hash = list_hash(edge.object, edge.list);
        // Where it goes: behind `before`, in front of `behind`.
        let mut before = NONE;
        let mut behind = self
            .list(edge.object, edge.list)
            .next()
            .map_or(NONE, |row| row.0);
        let first = behind;
        if let Some(order) = order {
            let lately = self.rows.get(self.lately as usize).filter(|row| {
                (row.object, row.list) == (edge.object, edge.list)
                    && order(row.subject, edge.subject) == Ordering::Less
            });
            if let Some(row) = lately {
                before = self.lately;
                behind = row.next;
            }
            self.lately = at;
            while let Some(row) = self.rows.get(behind as usize) {
                if order(row.subject, edge.subject) != Ordering::Less {
                    break;
                }
                before = behind;
                behind = row.next;
            }
        }
        edge.last = before;
        edge.next = behind;
        edge.last_of_subject = NONE;
        edge.next_of_subject = *subject_head;
        if let Some(row) = self.rows.get_mut(*subject_head as usize) {
            row.last_of_subject = at;
        }
        *subject_head = at;
        match self.rows.get_mut(at as usize) {
            None => push(&mut self.rows, edge),
            Some(row) => {
                self.free = row.next;
                *row = edge;
            }
        }
        if let Some(row) = self.rows.get_mut(behind as usize) {
            row.last = at;
        }
        let rows = &self.rows;
        if before == NONE {
            let place = (edge.object, edge.list, edge.subject);
            self.near.begins(place, at, behind, |head| {
                let row = rows.get(head as usize);
                row.is_some_and(|row| row.object == edge.object && row.last == NONE)
            });
        }
        match self.rows.get(before as usize) {
            Some(_) => self.rows[before as usize].next = at,
            None if first == NONE => self.heads.insert(at, |at| {
                let edge = &rows[at as usize];
                mix(&[edge.object, edge.list])
            }),
            None => self.heads.replace(list_hash, first, at),
        }
        let rows = &self.rows;
        self.by_key.insert(at, |at| {
            let edge = &rows[at as usize];
            key_hash(edge.object, edge.list, edge.subject)
        });
        Some(at)
    }

    /// Removes a row and gives it back.
    pub(super) fn remove(&mut self, at: u32, subject_head: &mut u32) -> Option<Edge> {
        let edge = *self.rows.get(at as usize)?;
        let rows = &self.rows;
        let hash = key_hash(edge.object, edge.list, edge.subject);
        self.by_key.remove(hash, at, |at| {
            let edge = &rows[at as usize];
            key_hash(edge.object, edge.list, edge.subject)
        });
        if edge.last == NONE {
            let place = (edge.object, edge.list, edge.subject);
            self.near.ends(place, at, edge.next);
            let hash = list_hash(edge.object, edge.list);
            if edge.next == NONE {
                self.heads.remove(hash, at, |at| {
                    let edge = &rows[at as usize];
                    list_hash(edge.object, edge.list)
                });
            } else {
                self.heads.replace(hash, at, edge.next);
            }
        }
        if let Some(row) = self.rows.get_mut(edge.last as usize) {
            row.next = edge.next;
        }
        if let Some(row) = self.rows.get_mut(edge.next as usize) {
            row.last = edge.last;
        }
        match self.rows.get_mut(edge.last_of_subject as usize) {
            Some(row) => row.next_of_subject = edge.next_of_subject,
            None => *subject_head = edge.next_of_subject,
        }
        if let Some(row) = self.rows.get_mut(edge.next_of_subject as usize) {
            row.last_of_subject = edge.last_of_subject;
        }
        if let Some(row) = self.rows.get_mut(at as usize) {
            *row = Edge::of([NONE; EDGE_WORDS]);
            row.next = core::mem::replace(&mut self.free, at + 1);
        }
        Some(edge)
    }

    /// Sets terms and beginning of a row.
    pub(super) fn change(&mut self, at: u32, from: Stamp, terms: u32) {
        if let Some(row) = self.rows.get_mut(at as usize) {
            row.from = from;
            row.terms = terms;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<Edge>();
        rows + self.by_key.bytes() + self.heads.bytes() + self.near.bytes()
    }

    pub(super) fn parts(&self) -> (&[Edge], u32, &Index, &Index) {
        (&self.rows, self.free, &self.by_key, &self.heads)
    }

    pub(super) fn from_parts(
        rows: Vec<Edge>,
        free: u32,
        objects: usize,
        (by_key, by_key_tags): (Vec<u32>, Vec<u8>),
        (heads, heads_tags): (Vec<u32>, Vec<u8>),
    ) -> Option<Self> {
        let by_key = Index::from_parts(by_key, by_key_tags, rows.len())?;
        let heads = Index::from_parts(heads, heads_tags, rows.len())?;
        let mut edges = Self {
            rows,
            free,
            by_key,
            heads,
            near: Nearby::default(),
            lately: NONE,
        };
        for at in 0..edges.rows.len() {
            let edge = edges.rows[at];
            // Free rows name none.
            if edge.last != NONE || edge.object as usize >= objects {
                continue;
            }
            let place = (edge.object, edge.list, edge.subject);
            edges
                .near
                .begins(place, at as u32, NONE, |head| head != NONE);
        }
        (free as usize <= edges.rows.len()).then_some(edges)
    }
}
