//! Names as numbers. Texts lie one behind the other in one text.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::{
    index::Index,
    subjects::{lacking, push},
};

/// The name of a resource, relation or permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Label(pub u16);

/// Labels, few and each found by comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    by_name: BTreeMap<String, Label>,
    names: Vec<String>,
}

impl Labels {
    /// The label of a name; `None` when there are too many. A policy has at most some thousands of
    /// names, so it takes a history of very many unlike definitions.
    pub(super) fn intern(&mut self, name: &str) -> Option<Label> {
        if let Some(label) = self.by_name.get(name) {
            return Some(*label);
        }
        let at = u16::try_from(self.names.len()).ok();
        let label = Label(at.filter(|at| *at < OWNER.0)?);
        self.by_name.insert(name.to_owned(), label);
        self.names.push(name.to_owned());
        Some(label)
    }

    pub(super) fn find(&self, name: &str) -> Option<Label> {
        self.by_name.get(name).copied()
    }

    pub(super) fn name(&self, label: Label) -> &str {
        self.names.get(label.0 as usize).map_or("", String::as_str)
    }

    /// How many more there may be.
    pub(super) fn left(&self) -> usize {
        usize::from(OWNER.0).saturating_sub(self.names.len())
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// Stands for ownership where a relation's label stands.
pub(super) const OWNER: Label = Label(u16::MAX);

/// What texts are hashed with: a secret of the process, because texts are chosen by strangers who
/// would else choose them to collide.
pub type HashKey = [u8; 16];

/// Texts, each with a number that stands before it (an object's resource), found by both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    all: String,
    /// Where each text ends.
    ends: Vec<u32>,
    before: Vec<u16>,
    index: Index,
}

impl Texts {
    fn hash(key: &HashKey, before: u16, text: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_key(key);
        hasher.write_u16(before);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    pub(super) fn get(&self, at: u32) -> Option<&str> {
        let end = *self.ends.get(at as usize)? as usize;
        let start = match at.checked_sub(1) {
            None => 0,
            Some(last) => *self.ends.get(last as usize)? as usize,
        };
        self.all.get(start..end)
    }

    pub(super) fn text(&self, at: u32) -> &str {
        self.get(at).unwrap_or_default()
    }

    pub(super) fn before(&self, at: u32) -> Option<u16> {
        self.before.get(at as usize).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text_bytes(&self) -> usize {
        self.all.len()
    }

    pub(super) fn find(&self, key: &HashKey, before: u16, text: &str) -> Option<u32> {
        let is = |at: u32| self.before(at) == Some(before) && self.get(at) == Some(text);
        self.index.find(Self::hash(key, before, text), is)
    }

    /// The number of a text, new or not; `None` when there is no room for it (four thousand million
    /// bytes).
    pub(super) fn intern(&mut self, key: &HashKey, before: u16, text: &str) -> Option<u32> {
        if let Some(at) = self.find(key, before, text) {
            return Some(at);
        }
        let at = u32::try_from(self.ends.len()).ok()?;
        let end = u32::try_from(self.all.len() + text.len()).ok()?;
        let (room, length) = (self.all.capacity(), self.all.len());
        self.all.reserve_exact(lacking(room, length, text.len()));
        self.all.push_str(text);
        push(&mut self.ends, end);
        push(&mut self.before, before);
        let Self {
            all,
            ends,
            before,
            index,
        } = self;
        index.insert(at, |entry| {
            let start = entry.checked_sub(1).map_or(0, |last| ends[last as usize]);
            let text = &all[start as usize..ends[entry as usize] as usize];
            Self::hash(key, before[entry as usize], text)
        });
        Some(at)
    }

    /// Whether each text is found, by its own number.
    pub(super) fn is_sound(&self, key: &HashKey) -> bool {
        (0..self.len() as u32).all(|at| {
            let text = self.before(at).zip(self.get(at));
            text.and_then(|(before, text)| self.find(key, before, text)) == Some(at)
        })
    }

    /// Bytes of the texts, and of all that finds them.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.ends.capacity() * 4 + self.before.capacity() * 2;
        self.all.capacity() + numbers + self.index.bytes()
    }

    pub(super) fn parts(&self) -> (&[u8], &[u32], &[u16], &Index) {
        (self.all.as_bytes(), &self.ends, &self.before, &self.index)
    }

    pub(super) fn from_parts(
        bytes: Vec<u8>,
        ends: Vec<u32>,
        before: Vec<u16>,
        (index, tags): (Vec<u32>, Vec<u8>),
    ) -> Option<Self> {
        let all = String::from_utf8(bytes).ok()?;
        let rising = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == all.len();
        let index = Index::from_parts(index, tags, ends.len())?;
        let whole = before.len() == ends.len() && index.len() == ends.len();
        (rising && whole).then_some(Self {
            all,
            ends,
            before,
            index,
        })
    }
}
