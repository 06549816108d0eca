//! The few encodings that all canonical bytes are made of: minimal LEB128 numbers and
//! length-prefixed byte strings. Every decoder is strict: what it accepts, its encoder gives back
//! byte for byte.

use alloc::vec::Vec;

use crate::{
    keys::SubjectKind,
    name::{is_object_id, Actor, Name},
    relationship::{ObjectRef, Subject},
    terms::Terms,
};

/// Appends `value` as LEB128 without superfluous bytes.
pub(crate) fn write_number(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Appends the length of `bytes` and `bytes`.
pub(crate) fn write_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    write_number(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

/// Reads canonical bytes from the front; every failure is a sentence for
/// [`crate::ReadError::Corrupt`].
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, &'static str> {
        let (first, rest) = self.rest.split_first().ok_or("it ends too early")?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, &'static str> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err("a number does not fit 64 bits");
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 {
                    Err("a number is not in its shortest form")
                } else {
                    Ok(value)
                };
            }
        }
        Err("a number does not fit 64 bits")
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], &'static str> {
        let length = self.number()?;
        if length > self.rest.len() as u64 {
            return Err("it ends too early");
        }
        let (bytes, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, &'static str> {
        core::str::from_utf8(self.bytes()?).map_err(|_| "a text is not UTF-8")
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn end(self) -> Result<(), &'static str> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err("bytes follow its end")
        }
    }
}

/// Everyone; with a resource's name behind it, every object of that resource.
const EVERYONE: u8 = 1;
const OBJECT: u8 = 2;
const USERSET: u8 = 3;
/// Objects begin here, and usersets: what sorts before them leads nowhere.
pub(crate) const FIRST_OBJECT: &[u8] = &[OBJECT];
pub(crate) const FIRST_USERSET: &[u8] = &[USERSET];

/// Parts names, and subjects from terms: less than any byte of a name, so that sorting sees names.
const END: u8 = 0;

/// Canonical bytes of a subject within its kind: an actor is its text; other subjects start with a
/// tag, and zero bytes, which no name contains, part their names. So bytes sort as [`Subject`] does.
pub(crate) fn subject_bytes(subject: &Subject) -> Vec<u8> {
    let mut bytes = Vec::new();
    match subject {
        Subject::Actor(actor) => bytes.extend_from_slice(actor.as_str().as_bytes()),
        Subject::Everyone => bytes.push(EVERYONE),
        Subject::Every(resource) => {
            bytes.push(EVERYONE);
            bytes.extend_from_slice(resource.as_str().as_bytes());
        }
        Subject::Object(object) => {
            bytes.push(OBJECT);
            write_object(&mut bytes, object);
        }
        Subject::Userset { object, relation } => {
            bytes.push(USERSET);
            write_object(&mut bytes, object);
            bytes.push(END);
            bytes.extend_from_slice(relation.as_str().as_bytes());
        }
    }
    bytes
}

fn write_object(into: &mut Vec<u8>, object: &ObjectRef) {
    into.extend_from_slice(object.resource().as_bytes());
    into.push(END);
    into.extend_from_slice(object.id().as_bytes());
}

/// Canonical bytes of a subject in a list: the subject's own, and where it stands on terms, a zero
/// byte and theirs. Lists sort by subject, and so do these bytes.
pub(crate) fn entry_bytes(subject: &Subject, terms: &Terms) -> Vec<u8> {
    let mut bytes = subject_bytes(subject);
    if !terms.is_none() {
        bytes.push(END);
        bytes.extend_from_slice(&terms.to_bytes());
    }
    bytes
}

/// Parts the bytes of a list's entry into those of the subject and those of its terms.
pub(crate) fn part_entry(kind: SubjectKind, entry: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Actors hold no zero byte, objects one, usersets two.
    let within = match (kind, entry.first()) {
        (SubjectKind::Sets, Some(&OBJECT)) => 1,
        (SubjectKind::Sets, Some(&USERSET)) => 2,
        _ => 0,
    };
    let ends = entry.iter().enumerate().filter(|(_, byte)| **byte == END);
    match ends.map(|(at, _)| at).nth(within) {
        None => (entry, None),
        Some(at) => (&entry[..at], entry.get(at + 1..)),
    }
}

/// Reads an entry of a list; canonical bytes only.
pub(crate) fn entry_from(
    kind: SubjectKind,
    entry: &[u8],
) -> Result<(Subject, Terms), &'static str> {
    let (subject, terms) = part_entry(kind, entry);
    let subject = match kind {
        SubjectKind::Direct => actor_from(subject)?,
        SubjectKind::Sets => set_from(subject)?,
    };
    let terms = match terms {
        None => Terms::NONE,
        Some([]) => return Err("terms are empty"),
        Some(terms) => Terms::from_bytes(terms)?,
    };
    Ok((subject, terms))
}

/// Reads an actor from its canonical bytes.
pub(crate) fn actor_from(bytes: &[u8]) -> Result<Subject, &'static str> {
    let text = core::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8")?;
    Actor::new(text)
        .map(Subject::Actor)
        .map_err(|_| "an actor is not in its form")
}

/// Reads any other subject from its canonical bytes.
pub(crate) fn set_from(bytes: &[u8]) -> Result<Subject, &'static str> {
    let (tag, rest) = bytes.split_first().ok_or("a subject is empty")?;
    let text = core::str::from_utf8(rest).map_err(|_| "a text is not UTF-8")?;
    let mut parts = text.split('\0');
    let mut part = || parts.next().ok_or("a subject ends too early");
    let subject = match *tag {
        EVERYONE if text.is_empty() => return Ok(Subject::Everyone),
        EVERYONE => {
            Subject::Every(Name::new(part()?).map_err(|_| "a resource is not in its form")?)
        }
        OBJECT => Subject::Object(object_from(part()?, part()?)?),
        USERSET => Subject::Userset {
            object: object_from(part()?, part()?)?,
            relation: Name::new(part()?).map_err(|_| "a relation is not in its form")?,
        },
        _ => return Err("a subject has an unknown tag"),
    };
    match parts.next() {
        None => Ok(subject),
        Some(_) => Err("a subject has too many parts"),
    }
}

fn object_from(resource: &str, id: &str) -> Result<ObjectRef, &'static str> {
    if !is_object_id(id) {
        return Err("an object id is not in its form");
    }
    ObjectRef::new(resource, id).map_err(|_| "an object is not in its form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn numbers_have_one_form() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut bytes = vec![];
            write_number(&mut bytes, value);
            let mut decoder = Decoder::new(&bytes);
            assert_eq!(decoder.number(), Ok(value));
            assert_eq!(decoder.end(), Ok(()));
        }
        for bad in [
            &[0x80, 0x00][..],
            &[0xff; 10],
            &[0x80],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
        ] {
            assert!(Decoder::new(bad).number().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn subjects_sort_as_their_bytes_do() {
        let texts = [
            "*", "a:*", "ab:*", "a:1", "a:10", "a:2", "ab:1", "b:1", "a:1#x", "a:1#xy", "a:10#x",
            "ab:1#x", "b:0#a",
        ];
        let subjects: Vec<Subject> = texts.iter().map(|text| text.parse().unwrap()).collect();
        for one in &subjects {
            assert_eq!(set_from(&subject_bytes(one)).as_ref(), Ok(one));
            for other in &subjects {
                assert_eq!(
                    one.cmp(other),
                    subject_bytes(one).cmp(&subject_bytes(other)),
                    "{one} {other}"
                );
            }
        }
    }
}
