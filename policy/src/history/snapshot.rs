//! A history as bytes that are read in one go: the tables as they are, so that a sidecar with a
//! million relationships starts without making them anew.
//!
//! A snapshot is the sidecar's own file. Its checksum finds what a disk did to it; that it is the
//! history of the hub's policy, whoever reads it must know otherwise (the sidecar keeps it beside what
//! it proved).
//!
//! ```text
//! snapshot := "holdfast/history/1" checksum(16) hash-key(16) section*
//! section  := length(8, little endian) bytes
//! ```
//! Numbers within sections are little endian, 32 bits, unless they are written by the canonical
//! codec of the policy's tree.

use alloc::{sync::Arc, vec::Vec};
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::{
    change::CollectionRecord,
    codec::{write_bytes, write_number, Decoder},
    name::Name,
    schema::Policy,
    terms::Terms,
};

use super::{
    edges::{Edge, Edges, EDGE_WORDS},
    index::Index,
    names::{Labels, Texts},
    past::{Past, CLOSED_WORDS},
    subjects::Subjects,
    History, Revision, Stamp,
};

const MAGIC: &[u8] = b"holdfast/history/1";

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no snapshot of a policy's history: {what}; delete it, and it is made anew from the log")]
pub struct SnapshotError {
    what: &'static str,
}

fn damaged(what: &'static str) -> SnapshotError {
    SnapshotError { what }
}

impl History {
    /// The history as bytes. Cost: one copy of everything.
    #[must_use]
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&[0; 16]);
        out.extend_from_slice(&self.key);
        section(&mut out, &self.small_parts());
        let (objects, actors) = (self.objects.parts(), self.actors.parts());
        for (bytes, ends, before, index) in [objects, actors] {
            section(&mut out, bytes);
            words(&mut out, ends.iter().copied());
            words(&mut out, before.iter().map(|label| u32::from(*label)));
            write_index(&mut out, index);
        }
        words(&mut out, self.subjects.rows().iter().flatten().copied());
        let (rows, free, by_key, heads) = self.edges.parts();
        words(&mut out, [free].into_iter());
        words(&mut out, rows.iter().flat_map(Edge::words));
        write_index(&mut out, by_key);
        write_index(&mut out, heads);
        let (closed, terms) = self.past.parts();
        words(&mut out, closed.iter().flatten().copied());
        let terms = terms
            .iter()
            .flat_map(|((a, b, c, d), terms)| [*a, *b, *c, *d, *terms]);
        words(&mut out, terms);
        let from = MAGIC.len();
        let checksum = checksum(&out[from + 16..]);
        out[from..from + 16].copy_from_slice(&checksum);
        out
    }

    /// Reads a snapshot. Cost: one copy of everything, a look at every number in it, and the policies
    /// compiled.
    ///
    /// # Errors
    /// [`SnapshotError`]: the file is damaged, or of another version. Whatever bytes have the right
    /// checksum, what is read holds together.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| damaged("it begins otherwise, or is of another version"))?;
        let (sum, rest) = rest
            .split_at_checked(16)
            .ok_or_else(|| damaged("it ends too early"))?;
        if checksum(rest) != sum {
            return Err(damaged("its checksum is wrong"));
        }
        let (key, rest) = rest
            .split_at_checked(16)
            .ok_or_else(|| damaged("it ends too early"))?;
        let mut sections = Sections { rest };
        let mut history = Self {
            key: key.try_into().map_err(|_| damaged("it has no key"))?,
            ..Self::default()
        };
        let small = sections.next()?;
        history.read_small_parts(small).map_err(damaged)?;
        history.objects = sections.texts()?;
        history.actors = sections.texts()?;
        history.subjects = Subjects::from_rows(
            sections.rows()?,
            history.actors.len(),
            history.objects.len(),
            history.labels.names().len(),
        )
        .ok_or_else(|| damaged("a subject names what is not there"))?;
        let free = sections.words()?.first().copied();
        let rows: Vec<[u32; EDGE_WORDS]> = sections.rows()?;
        let rows = rows.into_iter().map(Edge::of).collect();
        history.edges = Edges::from_parts(
            rows,
            free.unwrap_or(0),
            history.objects.len(),
            sections.index()?,
            sections.index()?,
        )
        .ok_or_else(|| damaged("its relationships contradict each other"))?;
        let closed: Vec<[u32; CLOSED_WORDS]> = sections.rows()?;
        let terms: Vec<[u32; 5]> = sections.rows()?;
        let terms = terms
            .into_iter()
            .map(|[a, b, c, d, terms]| ((a, b, c, d), terms))
            .collect();
        history.past = Past::from_parts(closed, terms)
            .ok_or_else(|| damaged("what no longer stands is not sorted"))?;
        if !sections.rest.is_empty() {
            return Err(damaged("bytes follow its end"));
        }
        history.check_tables().map_err(damaged)?;
        Ok(history)
    }

    /// Revisions, definitions, labels, archived objects, collections, terms.
    fn small_parts(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_number(&mut out, self.oldest);
        write_number(&mut out, self.revisions.len() as u64);
        for about in &self.revisions {
            write_number(&mut out, about.height);
            out.extend_from_slice(&about.time_seconds.to_le_bytes());
            write_number(&mut out, u64::from(about.time_nanos));
        }
        let labels = self.labels.names();
        write_number(&mut out, labels.len() as u64);
        labels
            .iter()
            .for_each(|name| write_bytes(&mut out, name.as_bytes()));
        write_number(&mut out, self.eras.len() as u64);
        for era in &self.eras {
            write_number(&mut out, u64::from(era.from));
            write_bytes(&mut out, era.policy.definition().as_bytes());
        }
        write_number(&mut out, self.archived.len() as u64);
        for (object, states) in &self.archived {
            write_number(&mut out, u64::from(*object));
            write_number(&mut out, states.len() as u64);
            for (at, archived) in states {
                write_number(&mut out, u64::from(*at) * 2 + u64::from(*archived));
            }
        }
        write_number(&mut out, self.collections.len() as u64);
        for ((resource, name), versions) in &self.collections {
            write_bytes(&mut out, resource.as_str().as_bytes());
            write_bytes(&mut out, name.as_str().as_bytes());
            write_number(&mut out, versions.len() as u64);
            for (at, record) in versions {
                write_number(&mut out, u64::from(*at));
                write_bytes(&mut out, &record.to_bytes());
            }
        }
        write_number(&mut out, self.terms.len() as u64);
        self.terms
            .iter()
            .for_each(|terms| write_bytes(&mut out, &terms.to_bytes()));
        out
    }

    fn read_small_parts(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut decoder = Decoder::new(bytes);
        let name = |text: &str| Name::new(text).map_err(|_| "a name is not in its form");
        let stamp = |number: u64| Stamp::try_from(number).map_err(|_| "a revision is too high");
        self.oldest = decoder.number()?;
        for revision in 0..decoder.number()? {
            let height = decoder.number()?;
            let mut seconds = [0; 8];
            for byte in &mut seconds {
                *byte = decoder.byte()?;
            }
            self.revisions.push(Revision {
                revision,
                height,
                time_seconds: i64::from_le_bytes(seconds),
                time_nanos: u32::try_from(decoder.number()?).map_err(|_| "a time is wrong")?,
            });
        }
        let mut labels = Labels::default();
        for _ in 0..decoder.number()? {
            let (before, name) = (labels.left(), decoder.text()?);
            labels.intern(name).ok_or("there are too many labels")?;
            if labels.left() == before {
                return Err("a label stands twice");
            }
        }
        // Definitions find their labels again: they were interned in this order.
        self.labels = labels;
        for _ in 0..decoder.number()? {
            let from = stamp(decoder.number()?)?;
            let policy =
                Policy::parse(decoder.text()?).map_err(|_| "a definition does not compile")?;
            self.define(from, policy)
                .ok_or("there are too many labels")?;
        }
        for _ in 0..decoder.number()? {
            let object = stamp(decoder.number()?)?;
            let states = self.archived.entry(object).or_default();
            for _ in 0..decoder.number()? {
                let word = decoder.number()?;
                states.push((stamp(word / 2)?, word % 2 == 1));
            }
        }
        for _ in 0..decoder.number()? {
            let key = (name(decoder.text()?)?, name(decoder.text()?)?);
            let mut versions = Vec::new();
            for _ in 0..decoder.number()? {
                let at = stamp(decoder.number()?)?;
                versions.push((at, CollectionRecord::from_bytes(decoder.bytes()?)?));
            }
            self.collections.insert(key, versions);
        }
        for at in 0..decoder.number()? {
            let terms = Arc::new(Terms::from_bytes(decoder.bytes()?)?);
            let id = stamp(at + 1)?;
            self.terms.push(terms.clone());
            if terms.is_none() || self.terms_ids.insert(terms, id).is_some() {
                return Err("terms stand twice, or are none");
            }
        }
        decoder.end()
    }
}

fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish128().as_bytes()
}

fn section(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn words(out: &mut Vec<u8>, words: impl Iterator<Item = u32>) {
    let at = out.len();
    out.extend_from_slice(&[0; 8]);
    words.for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    let length = (out.len() - at - 8) as u64;
    out[at..at + 8].copy_from_slice(&length.to_le_bytes());
}

fn write_index(out: &mut Vec<u8>, index: &Index) {
    let (places, tags) = index.parts();
    words(out, places.iter().copied());
    section(out, tags);
}

struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Sections<'a> {
    fn next(&mut self) -> Result<&'a [u8], SnapshotError> {
        let early = || damaged("it ends too early");
        let (length, rest) = self.rest.split_first_chunk::<8>().ok_or_else(early)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| early())?;
        let (bytes, rest) = rest.split_at_checked(length).ok_or_else(early)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn words(&mut self) -> Result<Vec<u32>, SnapshotError> {
        let rows: Vec<[u32; 1]> = self.rows()?;
        Ok(rows.into_iter().map(|[word]| word).collect())
    }

    fn rows<const N: usize>(&mut self) -> Result<Vec<[u32; N]>, SnapshotError> {
        let bytes = self.next()?;
        if bytes.len() % (4 * N) != 0 {
            return Err(damaged("a table has half a row"));
        }
        let row = |bytes: &[u8]| {
            let mut row = [0; N];
            for (word, bytes) in row.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            row
        };
        Ok(bytes.chunks_exact(4 * N).map(row).collect())
    }

    fn index(&mut self) -> Result<(Vec<u32>, Vec<u8>), SnapshotError> {
        Ok((self.words()?, self.next()?.to_vec()))
    }

    fn texts(&mut self) -> Result<Texts, SnapshotError> {
        let bytes = self.next()?.to_vec();
        let ends = self.words()?;
        let before = self.words()?;
        let before: Option<Vec<u16>> = before.into_iter().map(|b| u16::try_from(b).ok()).collect();
        before
            .and_then(|before| Texts::from_parts(bytes, ends, before, self.index().ok()?))
            .ok_or_else(|| damaged("its names contradict each other"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Change;
    use alloc::string::ToString;

    fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
        let from = MAGIC.len();
        if bytes.len() >= from + 16 {
            let sum = checksum(&bytes[from + 16..]);
            bytes[from..from + 16].copy_from_slice(&sum);
        }
        bytes
    }

    /// A history with something in every table.
    fn full() -> History {
        let text = "conditions: [{name: c, parameters: {k: int}, expr: k == 1}]\nresources:\n- name: a\n  relations:\n  - name: r\n    types: [actor, '*', 'a:*', a, a->r, actor with c]\n";
        let change = |text: &str, deleted: bool| {
            let relationship = text.parse().unwrap();
            match deleted {
                false => Change::RelationshipSet(relationship),
                true => Change::RelationshipDeleted(relationship),
            }
        };
        let facts = [
            "a:1#r@did:x:a",
            "a:1#r@did:x:b with c {\"k\":1}",
            "a:1#r@*",
            "a:1#r@a:*",
            "a:1#r@a:2",
            "a:1#r@a:3",
            "a:1#r@a:2#r",
            "a:1#r@a:3#r",
            "a:2#r@did:x:a",
            "a:2#r@a:3#r",
        ];
        let mut first = alloc::vec![Change::Defined {
            definition: text.into()
        }];
        first.extend(
            ["a:1", "a:2", "a:3"].map(|object| Change::ObjectRegistered {
                object: object.parse().unwrap(),
                owner: crate::Actor::new("did:x:o").unwrap(),
            }),
        );
        first.extend(facts.map(|fact| change(fact, false)));
        let second = [
            change("a:1#r@did:x:b", true),
            change("a:1#r@a:3", true),
            change("a:2#r@a:3#r", true),
            Change::ObjectArchived {
                object: "a:3".parse().unwrap(),
            },
            Change::CollectionDefined {
                resource: Name::new("a").unwrap(),
                name: Name::new("n").unwrap(),
                record: CollectionRecord {
                    version: 1,
                    scope_relation: Name::new("r").unwrap(),
                    schema_cid: alloc::vec![1],
                    schema: alloc::vec![2],
                },
            },
        ];
        let mut history = History::keyed([7; 16]);
        for (revision, changes) in [&first[..], &second[..]].into_iter().enumerate() {
            let about = Revision {
                revision: revision as u64,
                height: 10 + revision as u64,
                time_seconds: 5,
                time_nanos: 0,
            };
            history.apply(about, changes).unwrap();
        }
        history
    }

    /// With the checksum put right, so that the tables themselves are looked at: refused, or so sound
    /// that all can be asked of it and it is written and read again.
    #[test]
    fn numbers_that_name_nothing_are_refused() {
        let bytes = full().to_snapshot();
        assert_eq!(with_checksum(bytes.clone()), bytes);
        let (mut refused, mut of) = (0, 0);
        for at in MAGIC.len() + 16..bytes.len() {
            for value in [
                0,
                1,
                4,
                0x7f,
                0xff,
                bytes[at] ^ 1,
                bytes[at].wrapping_add(1),
            ] {
                if value == bytes[at] {
                    continue;
                }
                let mut changed = bytes.clone();
                changed[at] = value;
                of += 1;
                let Ok(history) = History::from_snapshot(&with_checksum(changed)) else {
                    refused += 1;
                    continue;
                };
                let again = history.to_snapshot();
                assert_eq!(History::from_snapshot(&again).unwrap().to_snapshot(), again);
                for revision in history.oldest()..=history.latest().map_or(0, |l| l.revision) {
                    let view = history.at(revision).unwrap();
                    for object in ["a:1", "a:2", "a:3", "a:4"] {
                        let asked: crate::Relationship =
                            alloc::format!("{object}#r@did:x:a").parse().unwrap();
                        let question = crate::Question {
                            object: asked.object,
                            permission: "r".into(),
                            subject: asked.subject,
                        };
                        let _ = crate::check(
                            &view,
                            &question,
                            &crate::Circumstances::default(),
                            crate::Limits::CONSENSUS,
                        );
                    }
                }
            }
        }
        assert!(refused * 10 > of * 7, "{refused} of {of}");
    }

    /// Subjects are tables by number: whoever names the highest one must not get as much room.
    #[test]
    fn a_subject_beyond_the_names_takes_no_memory() {
        let policy = Policy::parse("resources: [{name: a, relations: [{name: r}]}]").unwrap();
        let fact: crate::Relationship = "a:1#r@did:key:z".parse().unwrap();
        let bytes = History::of(policy, [&fact]).unwrap().to_snapshot();
        // The only subject: an actor, the first one, whose first relationship is the first.
        let mut row = alloc::vec![16, 0, 0, 0, 0, 0, 0, 0];
        row.extend([0; 12]);
        row.extend([0xff; 4]);
        let at = bytes.windows(row.len()).position(|bytes| bytes == row);
        let at = at.expect("the row is there") + 12;
        for beyond in [1u32, 0xffff_fffe] {
            let mut changed = bytes.clone();
            changed[at..at + 4].copy_from_slice(&beyond.to_le_bytes());
            let error = History::from_snapshot(&with_checksum(changed)).unwrap_err();
            assert_eq!(error, damaged("a subject names what is not there"));
        }
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let policy = Policy::parse("resources: [{name: a, relations: [{name: r}]}]").unwrap();
        let facts: Vec<crate::Relationship> = (0..50)
            .map(|at| alloc::format!("a:{at}#r@did:key:z{at}").parse().unwrap())
            .collect();
        let history = History::of(policy, &facts).unwrap();
        let bytes = history.to_snapshot();
        let again = History::from_snapshot(&bytes).unwrap();
        assert_eq!(again.to_snapshot(), bytes);
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(History::from_snapshot(&changed).is_err(), "{at}");
            assert!(History::from_snapshot(&bytes[..at]).is_err(), "{at}");
        }
        let error = History::from_snapshot(b"x").unwrap_err().to_string();
        assert!(error.contains("made anew"));
    }
}
