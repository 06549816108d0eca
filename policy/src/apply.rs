//! What a change does to the tree, as writes of keys: the hub and every mirror call this one
//! function, so that they write the same bytes (Invariant 1).

use alloc::{vec, vec::Vec};

use crate::{
    change::{Change, CollectionRecord},
    keys::{collection_key, definition_key, key_of, SubjectKind},
    limits::{
        DEFINITION_BYTES_MAX, INLINE_AGAIN_SUBJECTS_MAX, INLINE_SUBJECTS_MAX, RECORD_BYTES_MAX,
        RELATIONS_PER_OBJECT_MAX, SETS_PER_RELATION_MAX,
    },
    name::Name,
    pages::{Inserted, List},
    reader::{ReadError, RecordReader, Staged},
    records::{Members, ObjectRecord, RelationRecord},
    relationship::{ObjectRef, Relationship, Subject},
    subjects::SubjectList,
};

/// A key and its new value; `None` removes the key.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// Why a change cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The object has no record yet.
    #[error("{object} is not registered; register it first")]
    NotRegistered {
        /// The object.
        object: ObjectRef,
    },
    /// The object has a record already.
    #[error("{object} is registered already; transfer it instead")]
    AlreadyRegistered {
        /// The object.
        object: ObjectRef,
    },
    /// The object is archived.
    #[error("{object} is archived; unarchive it first")]
    Archived {
        /// The object.
        object: ObjectRef,
    },
    /// One more set than a relation may hold.
    #[error("{object}#{relation} holds {SETS_PER_RELATION_MAX} sets already; put some of them into one group")]
    TooManySets {
        /// The object.
        object: ObjectRef,
        /// The relation.
        relation: Name,
    },
    /// One more relation than an object may hold.
    #[error("{object} holds {RELATIONS_PER_OBJECT_MAX} relations already; delete one first")]
    TooManyRelations {
        /// The object.
        object: ObjectRef,
    },
    /// The object's record would be larger than a record may be.
    #[error("the record of {object} would have more than {RECORD_BYTES_MAX} bytes; put some of its subjects into a group")]
    RecordFull {
        /// The object.
        object: ObjectRef,
    },
    /// A definition, CID or schema is larger than it may be, or a schema version is out of turn.
    #[error("{what}")]
    OutOfBounds {
        /// What is wrong.
        what: &'static str,
    },
    /// A record could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The writes that `change` makes to the tree that `reader` reads; none if it changes nothing.
///
/// A relation of at most 64 subjects costs one write; a paged one two, or a few more when a page
/// splits or merges.
///
/// # Errors
/// [`ApplyError`] says what stands against it; nothing is written then. Whether the policy allows
/// the change (types, authority) is for the caller to ask: [`crate::Policy::admits`],
/// [`crate::may_manage`].
pub fn apply<R: RecordReader + ?Sized>(
    change: &Change,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    match change {
        Change::Defined { definition } => define(definition, reader),
        Change::CollectionDefined {
            resource,
            name,
            record,
        } => define_collection(resource, name, record, reader),
        Change::ObjectRegistered { object, owner } => match load(object, reader)? {
            Some(_) => Err(ApplyError::AlreadyRegistered {
                object: object.clone(),
            }),
            None => Ok(vec![store(object, &ObjectRecord::new(owner.clone()))?]),
        },
        Change::ObjectTransferred { object, owner } => {
            let mut record = load_active(object, reader)?;
            if record.owner == *owner {
                return Ok(vec![]);
            }
            record.owner = owner.clone();
            Ok(vec![store(object, &record)?])
        }
        Change::ObjectArchived { object } => set_archived(object, true, reader),
        Change::ObjectUnarchived { object } => set_archived(object, false, reader),
        Change::RelationshipSet(relationship) => set(relationship, reader),
        Change::RelationshipDeleted(relationship) => delete(relationship, reader),
    }
}

/// Applies `changes` in order, each on top of those before it, and gives all writes by key.
///
/// # Errors
/// The first change's that cannot be applied; all or nothing.
pub fn apply_all<'a, R: RecordReader>(
    changes: impl IntoIterator<Item = &'a Change>,
    reader: R,
) -> Result<Vec<Write>, ApplyError> {
    let mut staged = Staged::new(reader);
    for change in changes {
        let writes = apply(change, &staged)?;
        staged.extend(writes);
    }
    Ok(staged.into_writes().into_iter().collect())
}

fn define<R: RecordReader + ?Sized>(
    definition: &str,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    if definition.len() > DEFINITION_BYTES_MAX {
        return Err(ApplyError::OutOfBounds {
            what: "the definition is longer than 65536 bytes; split the policy",
        });
    }
    let key = definition_key();
    if reader.get(&key)?.as_deref() == Some(definition.as_bytes()) {
        return Ok(vec![]);
    }
    Ok(vec![(key, Some(definition.as_bytes().to_vec()))])
}

fn define_collection<R: RecordReader + ?Sized>(
    resource: &Name,
    name: &Name,
    record: &CollectionRecord,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    if !record.is_within_bounds() {
        return Err(ApplyError::OutOfBounds {
            what: "the schema is longer than 65536 bytes, or its CID than 64",
        });
    }
    let key = collection_key(resource.as_str(), name.as_str());
    let current = match reader.get(&key)? {
        None => 0,
        Some(bytes) => match CollectionRecord::from_bytes(&bytes) {
            Err(reason) => return Err(ReadError::Corrupt { key, reason }.into()),
            Ok(current) if current == *record => return Ok(vec![]),
            Ok(current) if current.scope_relation != record.scope_relation => {
                return Err(ApplyError::OutOfBounds {
                    what: "a collection's scope relation never changes",
                })
            }
            Ok(current) => current.version,
        },
    };
    if record.version != current.saturating_add(1) {
        return Err(ApplyError::OutOfBounds {
            what: "schema versions count from 1 without gaps",
        });
    }
    Ok(vec![(key, Some(record.to_bytes()))])
}

fn set_archived<R: RecordReader + ?Sized>(
    object: &ObjectRef,
    archived: bool,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    let mut record = load(object, reader)?.ok_or_else(|| ApplyError::NotRegistered {
        object: object.clone(),
    })?;
    if record.archived == archived {
        return Ok(vec![]);
    }
    record.archived = archived;
    Ok(vec![store(object, &record)?])
}

/// Reads an object's record.
pub(crate) fn load<R: RecordReader + ?Sized>(
    object: &ObjectRef,
    reader: &R,
) -> Result<Option<ObjectRecord>, ReadError> {
    let key = key_of(object);
    match reader.get(&key)? {
        None => Ok(None),
        Some(bytes) => match ObjectRecord::from_bytes(&bytes) {
            Ok(record) => Ok(Some(record)),
            Err(reason) => Err(ReadError::Corrupt { key, reason }),
        },
    }
}

fn load_active<R: RecordReader + ?Sized>(
    object: &ObjectRef,
    reader: &R,
) -> Result<ObjectRecord, ApplyError> {
    match load(object, reader)? {
        None => Err(ApplyError::NotRegistered {
            object: object.clone(),
        }),
        Some(record) if record.archived => Err(ApplyError::Archived {
            object: object.clone(),
        }),
        Some(record) => Ok(record),
    }
}

/// The write of an object's record. Deletions never fail here: what they do not make smaller they
/// leave as large as it was.
fn store(object: &ObjectRef, record: &ObjectRecord) -> Result<Write, ApplyError> {
    let bytes = record.to_bytes();
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(ApplyError::RecordFull {
            object: object.clone(),
        });
    }
    Ok((key_of(object), Some(bytes)))
}

/// The list that a subject belongs to.
pub(crate) fn kind_of(subject: &Subject) -> SubjectKind {
    match subject {
        Subject::Actor(_) => SubjectKind::Direct,
        Subject::Everyone | Subject::Every(_) | Subject::Object(_) | Subject::Userset { .. } => {
            SubjectKind::Sets
        }
    }
}

fn set<R: RecordReader + ?Sized>(
    relationship: &Relationship,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    let Relationship {
        object,
        relation,
        subject,
        terms,
    } = relationship;
    let mut record = load_active(object, reader)?;
    let kind = kind_of(subject);
    let at = match record
        .relations
        .binary_search_by(|(name, _)| name.cmp(relation))
    {
        Ok(at) => at,
        Err(_) if record.relations.len() >= RELATIONS_PER_OBJECT_MAX => {
            return Err(ApplyError::TooManyRelations {
                object: object.clone(),
            })
        }
        Err(at) => {
            record
                .relations
                .insert(at, (relation.clone(), RelationRecord::default()));
            at
        }
    };
    let list = List {
        object,
        relation: relation.as_str(),
        kind,
        reader,
    };
    let members = record.relations[at].1.members_mut(kind);
    let before = members.len();
    let mut writes = vec![];
    match members {
        Members::Inline(subjects) => {
            if !subjects.insert(subject, terms) {
                return Ok(vec![]);
            }
            if subjects.len() > INLINE_SUBJECTS_MAX {
                let count = subjects.len() as u64;
                list.write_split(&mut writes, &[], subjects.iter().collect(), None);
                *members = Members::Paged(count);
            }
        }
        Members::Paged(count) => {
            match list.insert(subject, terms, &mut writes)? {
                Inserted::Nothing => return Ok(vec![]),
                // The record keeps the count only.
                Inserted::OtherTerms => return Ok(writes),
                Inserted::Subject => *count += 1,
            }
        }
    }
    let one_more = members.len() > before && before >= SETS_PER_RELATION_MAX as u64;
    if kind == SubjectKind::Sets && one_more {
        return Err(ApplyError::TooManySets {
            object: object.clone(),
            relation: relation.clone(),
        });
    }
    writes.push(store(object, &record)?);
    Ok(writes)
}

fn delete<R: RecordReader + ?Sized>(
    relationship: &Relationship,
    reader: &R,
) -> Result<Vec<Write>, ApplyError> {
    let Relationship {
        object,
        relation,
        subject,
        terms: _,
    } = relationship;
    let mut record = load_active(object, reader)?;
    let kind = kind_of(subject);
    let Ok(at) = record
        .relations
        .binary_search_by(|(name, _)| name.cmp(relation))
    else {
        return Ok(vec![]);
    };
    let list = List {
        object,
        relation: relation.as_str(),
        kind,
        reader,
    };
    let mut writes = vec![];
    match record.relations[at].1.members_mut(kind) {
        Members::Inline(subjects) => {
            if !subjects.remove(subject) {
                return Ok(vec![]);
            }
        }
        Members::Paged(count) => {
            let count = *count;
            if !list.remove(subject, &mut writes)? {
                return Ok(vec![]);
            }
            let left = count - 1;
            *record.relations[at].1.members_mut(kind) = Members::Paged(left);
            if left <= INLINE_AGAIN_SUBJECTS_MAX as u64 {
                let mut emptied = vec![];
                let mut holders = list.take_all(&mut emptied)?;
                holders.retain(|(other, _)| other != subject);
                *record.relations[at].1.members_mut(kind) =
                    Members::Inline(SubjectList::of(kind, &holders));
                if record.to_bytes().len() <= RECORD_BYTES_MAX {
                    writes = emptied;
                } else {
                    *record.relations[at].1.members_mut(kind) = Members::Paged(left);
                }
            }
        }
    }
    if record.relations[at].1.direct.is_empty() && record.relations[at].1.sets.is_empty() {
        record.relations.remove(at);
    }
    writes.push(store(object, &record)?);
    Ok(writes)
}
