//! Keys of a policy's tree, and the only place that spells them.
//!
//! Injective: every component but the last of a page key is preceded by its length, so no two
//! different tuples give the same bytes. The first subject of a page stands last and bare, so that
//! page keys sort as their subjects do and a page is found by one seek.

use alloc::vec::Vec;

use crate::{
    codec::{write_bytes, Decoder},
    relationship::ObjectRef,
};

const DEFINITION: u8 = 1;
const COLLECTION: u8 = 2;
const OBJECT: u8 = 3;
const PAGE: u8 = 4;

/// Which of a relation's two lists of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// Actors.
    Direct,
    /// Usersets, objects and everyone.
    Sets,
}

impl SubjectKind {
    /// The byte that stands for it in keys.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Direct => 0,
            Self::Sets => 1,
        }
    }
}

/// Key of the policy's definition: its text.
#[must_use]
pub fn definition_key() -> Vec<u8> {
    alloc::vec![DEFINITION]
}

/// Key of a collection's record ([`crate::CollectionRecord`]).
#[must_use]
pub fn collection_key(resource: &str, name: &str) -> Vec<u8> {
    let mut key = alloc::vec![COLLECTION];
    write_bytes(&mut key, resource.as_bytes());
    write_bytes(&mut key, name.as_bytes());
    key
}

/// Key of an object's record ([`crate::ObjectRecord`]).
#[must_use]
pub fn object_key(resource: &str, id: &str) -> Vec<u8> {
    let mut key = alloc::vec![OBJECT];
    write_bytes(&mut key, resource.as_bytes());
    write_bytes(&mut key, id.as_bytes());
    key
}

/// The object whose record stands under `key`; `None` for every other key.
#[must_use]
pub fn object_of_key(key: &[u8]) -> Option<ObjectRef> {
    let rest = key.strip_prefix(&[OBJECT])?;
    let mut decoder = Decoder::new(rest);
    let (resource, id) = (decoder.text().ok()?, decoder.text().ok()?);
    let object = ObjectRef::new(resource, id).ok()?;
    (key_of(&object) == key).then_some(object)
}

/// Key of the page ([`crate::Page`]) whose range starts at `first`, a subject's canonical bytes;
/// empty for the first page of a list.
#[must_use]
pub fn page_key(
    resource: &str,
    id: &str,
    relation: &str,
    kind: SubjectKind,
    first: &[u8],
) -> Vec<u8> {
    let mut key = alloc::vec![PAGE];
    write_bytes(&mut key, resource.as_bytes());
    write_bytes(&mut key, id.as_bytes());
    write_bytes(&mut key, relation.as_bytes());
    key.push(kind.byte());
    key.extend_from_slice(first);
    key
}

/// [`object_key`] of an object.
#[must_use]
pub(crate) fn key_of(object: &ObjectRef) -> Vec<u8> {
    object_key(object.resource(), object.id())
}

/// [`page_key`] of an object's relation.
#[must_use]
pub(crate) fn page_key_of(
    object: &ObjectRef,
    relation: &str,
    kind: SubjectKind,
    first: &[u8],
) -> Vec<u8> {
    page_key(object.resource(), object.id(), relation, kind, first)
}
