//! The subjects of a record with their terms, kept as the canonical bytes that they are stored in.
//!
//! A change adds or takes one subject of up to 64, and a check looks for one: neither has use for
//! the others as values, and making those was most of what a change cost.

use alloc::vec::Vec;

use crate::{
    codec::{
        entry_bytes, entry_from, part_entry, subject_bytes, write_bytes, write_number, Decoder,
    },
    keys::SubjectKind,
    name::is_actor,
    relationship::Subject,
    terms::Terms,
};

/// A subject of a list, and the terms on which it stands there.
pub type Holder = (Subject, Terms);

/// Subjects of one kind, sorted. Looking for one is linear in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectList {
    kind: SubjectKind,
    count: usize,
    /// Each behind its length.
    bytes: Vec<u8>,
}

impl SubjectList {
    /// A list of nobody.
    #[must_use]
    pub fn new(kind: SubjectKind) -> Self {
        Self {
            kind,
            count: 0,
            bytes: Vec::new(),
        }
    }

    /// A list of subjects of one kind in any order, each at most once.
    #[must_use]
    pub fn of(kind: SubjectKind, holders: &[Holder]) -> Self {
        let mut all: Vec<Vec<u8>> = holders
            .iter()
            .map(|(subject, terms)| entry_bytes(subject, terms))
            .collect();
        all.sort_unstable();
        let mut bytes = Vec::new();
        for entry in &all {
            write_bytes(&mut bytes, entry);
        }
        Self {
            kind,
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

    /// The subjects with their terms, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Holder> + '_ {
        self.slices()
            .filter_map(|(_, entry)| entry_from(self.kind, entry).ok())
    }

    /// The bytes of the terms on which the subject with these canonical bytes stands here; empty for
    /// none. `None` where it does not.
    pub(crate) fn terms(&self, subject: &[u8]) -> Option<&[u8]> {
        let (from, to) = self.place(subject).ok()?;
        let mut decoder = Decoder::new(self.bytes.get(from..to)?);
        let (_, terms) = part_entry(self.kind, decoder.bytes().ok()?);
        Some(terms.unwrap_or_default())
    }

    /// Sets a subject with its terms; whether that changed anything.
    pub(crate) fn insert(&mut self, subject: &Subject, terms: &Terms) -> bool {
        let bytes = entry_bytes(subject, terms);
        let mut entry = Vec::with_capacity(bytes.len() + 2);
        write_bytes(&mut entry, &bytes);
        let (at, to) = match self.place(&subject_bytes(subject)) {
            Err(at) => {
                self.count += 1;
                (at, at)
            }
            Ok((at, to)) if self.bytes.get(at..to) == Some(&entry) => return false,
            Ok(range) => range,
        };
        self.bytes.splice(at..to, entry);
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
            let entry = decoder.bytes()?;
            // Most are actors without terms; those are not made into values.
            if kind != SubjectKind::Direct || !is_actor(entry) {
                entry_from(kind, entry)?;
            }
            let (subject, _) = part_entry(kind, entry);
            if last.is_some_and(|last| last >= subject) {
                return Err("its subjects are not sorted");
            }
            last = Some(subject);
        }
        let length = list.len() - decoder.rest().len();
        Ok(Self {
            kind,
            count: count as usize,
            bytes: list[..length].to_vec(),
        })
    }

    /// Where the subject is, or where it belongs.
    fn place(&self, subject: &[u8]) -> Result<(usize, usize), usize> {
        let mut from = 0;
        for (to, entry) in self.slices() {
            match part_entry(self.kind, entry).0.cmp(subject) {
                core::cmp::Ordering::Less => from = to,
                core::cmp::Ordering::Equal => return Ok((from, to)),
                core::cmp::Ordering::Greater => return Err(from),
            }
        }
        Err(from)
    }

    /// Each entry's bytes, and where it ends.
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
    use crate::time::Time;
    use alloc::collections::BTreeMap;

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
            let mut oracle = BTreeMap::new();
            let mut list = SubjectList::new(kind);
            for _ in 0..draw(120) {
                let subject = subject(kind, draw(40));
                let terms = Terms {
                    condition: None,
                    expires: Time::new(draw(3) as i64, 0).ok().filter(|_| draw(3) == 0),
                };
                let known = oracle.get(&subject).map(Terms::to_bytes);
                let bytes = subject_bytes(&subject);
                assert_eq!(list.terms(&bytes).map(<[u8]>::to_vec), known);
                if draw(2) == 0 {
                    let before = oracle.insert(subject.clone(), terms.clone());
                    assert_eq!(list.insert(&subject, &terms), before != Some(terms));
                } else {
                    assert_eq!(list.remove(&subject), oracle.remove(&subject).is_some());
                }
                assert_eq!(list.len(), oracle.len());
            }
            let members: Vec<Holder> = oracle.into_iter().collect();
            assert_eq!(list.iter().collect::<Vec<_>>(), members);
            assert_eq!(list, SubjectList::of(kind, &members));
            let mut bytes = Vec::new();
            list.write(&mut bytes);
            let mut decoder = Decoder::new(&bytes);
            assert_eq!(SubjectList::read(&mut decoder, kind, 64), Ok(list));
            assert!(decoder.end().is_ok());
        }
    }
}
