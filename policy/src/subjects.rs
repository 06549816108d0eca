//! The subjects of a record, kept as the canonical bytes that they are stored in.
//!
//! A change adds or takes one subject of up to 64, and a check looks for one: neither has use for
//! the others as values, and making those was most of what a change cost.

use alloc::vec::Vec;

use crate::{
    codec::{actor_from, set_from, subject_bytes, write_bytes, write_number, Decoder},
    keys::SubjectKind,
    name::is_actor,
    relationship::Subject,
};

/// Subjects of one kind, sorted. Looking for one is linear in the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectList {
    count: usize,
    /// Each behind its length.
    bytes: Vec<u8>,
}

impl SubjectList {
    /// A list of subjects in any order; of equal ones it holds one.
    #[must_use]
    pub fn of(subjects: &[Subject]) -> Self {
        let mut all: Vec<Vec<u8>> = subjects.iter().map(subject_bytes).collect();
        all.sort_unstable();
        all.dedup();
        let mut bytes = Vec::new();
        for subject in &all {
            write_bytes(&mut bytes, subject);
        }
        Self {
            count: all.len(),
            bytes,
        }
    }

    /// How many subjects it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The subjects, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Subject> + '_ {
        // Sets begin with a tag, which no actor's text does.
        let read = |bytes: &[u8]| match is_actor(bytes) {
            true => actor_from(bytes).ok(),
            false => set_from(bytes).ok(),
        };
        self.slices().filter_map(move |(_, bytes)| read(bytes))
    }

    /// Whether it holds the subject with these canonical bytes.
    pub(crate) fn contains(&self, subject: &[u8]) -> bool {
        self.place(subject).is_ok()
    }

    /// Adds a subject; whether it was not there.
    pub(crate) fn insert(&mut self, subject: &Subject) -> bool {
        let subject = subject_bytes(subject);
        let Err(at) = self.place(&subject) else {
            return false;
        };
        let mut entry = Vec::with_capacity(subject.len() + 2);
        write_bytes(&mut entry, &subject);
        self.bytes.splice(at..at, entry);
        self.count += 1;
        true
    }

    /// Takes a subject away; whether it was there.
    pub(crate) fn remove(&mut self, subject: &Subject) -> bool {
        let Ok((from, to)) = self.place(&subject_bytes(subject)) else {
            return false;
        };
        self.bytes.drain(from..to);
        self.count -= 1;
        true
    }

    /// Appends count and subjects.
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        write_number(into, self.count as u64);
        into.extend_from_slice(&self.bytes);
    }

    /// Reads at most `max` subjects of `kind`; canonical bytes only.
    pub(crate) fn read(
        decoder: &mut Decoder<'_>,
        kind: SubjectKind,
        max: usize,
    ) -> Result<Self, &'static str> {
        let count = decoder.number()?;
        if count > max as u64 {
            return Err("a list holds too many subjects");
        }
        let list = decoder.rest();
        let mut last: Option<&[u8]> = None;
        for _ in 0..count {
            let subject = decoder.bytes()?;
            match kind {
                SubjectKind::Direct if is_actor(subject) => (),
                SubjectKind::Direct => return Err("an actor is not in its form"),
                SubjectKind::Sets => set_from(subject).map(|_| ())?,
            }
            if last.is_some_and(|last| last >= subject) {
                return Err("its subjects are not sorted");
            }
            last = Some(subject);
        }
        let length = list.len() - decoder.rest().len();
        Ok(Self {
            count: count as usize,
            bytes: list[..length].to_vec(),
        })
    }

    /// Where the subject is, or where it belongs.
    fn place(&self, subject: &[u8]) -> Result<(usize, usize), usize> {
        let mut from = 0;
        for (to, bytes) in self.slices() {
            match bytes.cmp(subject) {
                core::cmp::Ordering::Less => from = to,
                core::cmp::Ordering::Equal => return Ok((from, to)),
                core::cmp::Ordering::Greater => return Err(from),
            }
        }
        Err(from)
    }

    /// Each subject's bytes, and where it ends.
    fn slices(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut decoder = Decoder::new(&self.bytes);
        core::iter::from_fn(move || {
            let bytes = decoder.bytes().ok()?;
            Some((self.bytes.len() - decoder.rest().len(), bytes))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    fn subject(kind: SubjectKind, number: u64) -> Subject {
        match kind {
            SubjectKind::Direct => alloc::format!("did:key:z{number}"),
            SubjectKind::Sets if number.is_multiple_of(3) => alloc::format!("a:{number}"),
            SubjectKind::Sets => alloc::format!("ab:{number}#x"),
        }
        .parse()
        .unwrap()
    }

    /// A sorted set of subjects is the oracle: same answers, same members, and the same bytes as a
    /// list made at once.
    #[test]
    fn it_holds_what_a_sorted_set_holds() {
        // SplitMix64 (Steele, Lea, Flood 2014): seeded, so that a failure comes again.
        let mut state = 7u64;
        let mut draw = |below: u64| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % below
        };
        for round in 0..200 {
            let kind = [SubjectKind::Direct, SubjectKind::Sets][round % 2];
            let mut oracle = BTreeSet::new();
            let mut list = SubjectList::default();
            for _ in 0..draw(120) {
                let subject = subject(kind, draw(40));
                let known = oracle.contains(&subject);
                assert_eq!(list.contains(&subject_bytes(&subject)), known);
                if draw(2) == 0 {
                    assert_eq!(list.insert(&subject), oracle.insert(subject));
                } else {
                    assert_eq!(list.remove(&subject), oracle.remove(&subject));
                }
                assert_eq!(list.len(), oracle.len());
            }
            let members: Vec<Subject> = oracle.into_iter().collect();
            assert_eq!(list.iter().collect::<Vec<_>>(), members);
            assert_eq!(list, SubjectList::of(&members));
            let mut bytes = Vec::new();
            list.write(&mut bytes);
            let mut decoder = Decoder::new(&bytes);
            assert_eq!(SubjectList::read(&mut decoder, kind, 64), Ok(list));
            assert!(decoder.end().is_ok());
        }
    }
}
