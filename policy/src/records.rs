//! What stands in a policy's tree, and its canonical bytes: object records, pages, collections.
//!
//! One record an object, so that one proof shows its owner, its state and all its relations. A
//! list of subjects that outgrows its record moves to pages, each of which covers a range: one
//! page proves presence or absence. Decoders accept canonical bytes only (Invariant 1).

use alloc::{borrow::ToOwned, vec::Vec};

use crate::{
    change::CollectionRecord,
    codec::{subject_bytes, write_bytes, write_number, Decoder},
    keys::SubjectKind,
    limits::{
        INLINE_SUBJECTS_MAX, PAGE_SUBJECTS_MAX, RELATIONS_PER_OBJECT_MAX, SCHEMA_BYTES_MAX,
        SCHEMA_CID_BYTES_MAX,
    },
    name::{Actor, Name},
    relationship::Subject,
    subjects::{Holder, SubjectList},
};

/// First byte of every value, so that a later format can be told apart.
const FORMAT: u8 = 1;

/// An object: its owner, whether it is archived, its relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Who owns it.
    pub owner: Actor,
    /// Archived objects grant nothing.
    pub archived: bool,
    /// Relations that hold anybody, sorted by name.
    pub relations: Vec<(Name, RelationRecord)>,
}

/// One relation of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationRecord {
    /// Actors.
    pub direct: Members,
    /// All other subjects.
    pub sets: Members,
}

/// A list of subjects: here, or on pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All of them, sorted; at most [`INLINE_SUBJECTS_MAX`].
    Inline(SubjectList),
    /// On pages of their own; how many there are.
    Paged(u64),
}

impl Default for RelationRecord {
    fn default() -> Self {
        let nobody = |kind| Members::Inline(SubjectList::new(kind));
        Self {
            direct: nobody(SubjectKind::Direct),
            sets: nobody(SubjectKind::Sets),
        }
    }
}

impl Members {
    /// How many subjects the list holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(subjects) => subjects.len() as u64,
            Self::Paged(count) => *count,
        }
    }

    /// Whether the list holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl RelationRecord {
    /// The list of one kind.
    #[must_use]
    pub fn members(&self, kind: SubjectKind) -> &Members {
        match kind {
            SubjectKind::Direct => &self.direct,
            SubjectKind::Sets => &self.sets,
        }
    }

    pub(crate) fn members_mut(&mut self, kind: SubjectKind) -> &mut Members {
        match kind {
            SubjectKind::Direct => &mut self.direct,
            SubjectKind::Sets => &mut self.sets,
        }
    }
}

impl ObjectRecord {
    /// A record of an object that holds nobody but its owner.
    #[must_use]
    pub fn new(owner: Actor) -> Self {
        Self {
            owner,
            archived: false,
            relations: Vec::new(),
        }
    }

    /// The record of `relation`, where it holds anybody.
    #[must_use]
    pub fn relation(&self, relation: &str) -> Option<&RelationRecord> {
        let at = self
            .relations
            .binary_search_by(|(name, _)| name.as_str().cmp(relation))
            .ok()?;
        self.relations.get(at).map(|(_, record)| record)
    }

    /// Canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![FORMAT, u8::from(self.archived)];
        write_bytes(&mut bytes, self.owner.as_str().as_bytes());
        write_number(&mut bytes, self.relations.len() as u64);
        for (name, relation) in &self.relations {
            write_bytes(&mut bytes, name.as_str().as_bytes());
            write_members(&mut bytes, &relation.direct);
            write_members(&mut bytes, &relation.sets);
        }
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut decoder = Decoder::new(bytes);
        read_format(&mut decoder)?;
        let archived = match decoder.byte()? {
            0 => false,
            1 => true,
            _ => return Err("it is in an unknown state"),
        };
        let owner = Actor::new(decoder.text()?).map_err(|_| "its owner is not in its form")?;
        let count = decoder.number()?;
        if count > RELATIONS_PER_OBJECT_MAX as u64 {
            return Err("it holds too many relations");
        }
        let mut relations: Vec<(Name, RelationRecord)> = Vec::new();
        for _ in 0..count {
            let name = Name::new(decoder.text()?).map_err(|_| "a relation is not in its form")?;
            if relations.last().is_some_and(|(last, _)| *last >= name) {
                return Err("its relations are not sorted");
            }
            let direct = read_members(&mut decoder, SubjectKind::Direct)?;
            let sets = read_members(&mut decoder, SubjectKind::Sets)?;
            if direct.is_empty() && sets.is_empty() {
                return Err("a relation holds nobody");
            }
            relations.push((name, RelationRecord { direct, sets }));
        }
        decoder.end()?;
        Ok(Self {
            owner,
            archived,
            relations,
        })
    }
}

const INLINE: u8 = 0;
const PAGED: u8 = 1;

fn write_members(into: &mut Vec<u8>, members: &Members) {
    match members {
        Members::Inline(subjects) => {
            into.push(INLINE);
            subjects.write(into);
        }
        Members::Paged(count) => {
            into.push(PAGED);
            write_number(into, *count);
        }
    }
}

fn read_members(decoder: &mut Decoder<'_>, kind: SubjectKind) -> Result<Members, &'static str> {
    match decoder.byte()? {
        INLINE => SubjectList::read(decoder, kind, INLINE_SUBJECTS_MAX).map(Members::Inline),
        PAGED => match decoder.number()? {
            0 => Err("a paged relation holds nobody"),
            count => Ok(Members::Paged(count)),
        },
        _ => Err("a list of subjects has an unknown form"),
    }
}

fn read_format(decoder: &mut Decoder<'_>) -> Result<(), &'static str> {
    match decoder.byte()? {
        FORMAT => Ok(()),
        _ => Err("its format is not known to this version"),
    }
}

/// A page of a list: all subjects from the one that its key names up to, not including, `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Canonical bytes of the next page's first subject; `None` on the last page.
    pub until: Option<Vec<u8>>,
    /// The subjects in that range, sorted; at most [`PAGE_SUBJECTS_MAX`].
    pub holders: Vec<Holder>,
}

impl Page {
    /// Canonical bytes of a page of `kind`.
    #[must_use]
    pub fn to_bytes(&self, kind: SubjectKind) -> Vec<u8> {
        let mut bytes = alloc::vec![FORMAT, u8::from(self.until.is_some())];
        if let Some(until) = &self.until {
            write_bytes(&mut bytes, until);
        }
        SubjectList::of(kind, &self.holders).write(&mut bytes);
        bytes
    }

    /// Reads canonical bytes of the page of `kind` whose range starts at `first`.
    ///
    /// # Errors
    /// A sentence saying what is wrong, also when a subject lies outside the range.
    pub fn from_bytes(bytes: &[u8], kind: SubjectKind, first: &[u8]) -> Result<Self, &'static str> {
        let mut decoder = Decoder::new(bytes);
        read_format(&mut decoder)?;
        let until = match decoder.byte()? {
            0 => None,
            1 => Some(decoder.bytes()?.to_owned()),
            _ => return Err("its range has an unknown form"),
        };
        if until.as_deref().is_some_and(|until| until <= first) {
            return Err("its range is empty");
        }
        let subjects = SubjectList::read(&mut decoder, kind, PAGE_SUBJECTS_MAX)?;
        decoder.end()?;
        let page = Self {
            until,
            holders: subjects.iter().collect(),
        };
        let outside = |(subject, _): &Holder| !page.covers(first, &subject_bytes(subject));
        if page.holders.first().is_some_and(outside) || page.holders.last().is_some_and(outside) {
            return Err("a subject lies outside its range");
        }
        Ok(page)
    }

    /// Where a subject is, or where it belongs.
    pub(crate) fn place(&self, subject: &Subject) -> Result<usize, usize> {
        self.holders
            .binary_search_by(|(other, _)| other.cmp(subject))
    }

    /// Whether the range from `first` holds `subject` (canonical bytes).
    #[must_use]
    pub fn covers(&self, first: &[u8], subject: &[u8]) -> bool {
        first <= subject && self.until.as_deref().is_none_or(|until| subject < until)
    }
}

impl CollectionRecord {
    /// Canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![FORMAT];
        write_number(&mut bytes, u64::from(self.version));
        write_bytes(&mut bytes, self.scope_relation.as_str().as_bytes());
        write_bytes(&mut bytes, &self.schema_cid);
        write_bytes(&mut bytes, &self.schema);
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut decoder = Decoder::new(bytes);
        read_format(&mut decoder)?;
        let version = u32::try_from(decoder.number()?).map_err(|_| "its version is too large")?;
        let scope_relation =
            Name::new(decoder.text()?).map_err(|_| "its scope relation is not in its form")?;
        let schema_cid = decoder.bytes()?.to_owned();
        let schema = decoder.bytes()?.to_owned();
        decoder.end()?;
        let record = Self {
            version,
            scope_relation,
            schema_cid,
            schema,
        };
        record
            .is_within_bounds()
            .then_some(record)
            .ok_or("a part of it is too large")
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        self.schema_cid.len() <= SCHEMA_CID_BYTES_MAX
            && self.schema.len() <= SCHEMA_BYTES_MAX
            && self.version > 0
    }
}
