//! Operations: what one commit changes.

use alloc::{string::String, vec::Vec};

use crate::{
    codec::{excerpt, list_of, CodecError, Reader, Writer},
    limits::{REMOVED_ADDS_MAX, TARGET_HEADS_MAX},
    name::{check_field, check_max, check_sorted},
    Cid, Error, Value,
};

/// The name of an operation: its commit and its place in the commit's body. Whatever refers to an
/// operation uses its name, so a block that arrives twice, or along two paths, changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName {
    /// The commit.
    pub commit: Cid,
    /// The place in the body, from 0.
    pub index: u32,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets a register. Of several, the one with the greatest (DAG height, author, CID, index)
    /// wins.
    Set {
        /// The register.
        field: String,
        /// Its new value.
        value: Value,
    },
    /// Adds to a counter.
    Increment {
        /// The counter.
        field: String,
        /// How much; may be negative.
        by: i64,
    },
    /// Adds an element to a set. Adds win: only a remove that names this very add undoes it.
    Add {
        /// The set.
        field: String,
        /// The element.
        value: Value,
    },
    /// Removes elements from a set, by the names of the adds that the author had seen. Names of
    /// operations that are no adds to this field among the commit's ancestors do nothing.
    Remove {
        /// The set.
        field: String,
        /// The adds, sorted.
        adds: Vec<OperationName>,
    },
    /// Deletes the document. It stays deleted, whatever is written beside or after, until a
    /// rollback to a point before.
    Delete,
    /// Rolls the document back: operations among the commit's ancestors that are not in the
    /// closure of the target do not count.
    Rollback {
        /// The heads of the state to return to, sorted; each an ancestor of the commit, or the
        /// operation does nothing.
        target: Vec<Cid>,
    },
}

impl Operation {
    /// The kind, as it is written.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Increment { .. } => "increment",
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Delete => "delete",
            Self::Rollback { .. } => "rollback",
        }
    }

    /// The field that is changed, if it is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Set { field, .. }
            | Self::Increment { field, .. }
            | Self::Add { field, .. }
            | Self::Remove { field, .. } => Some(field),
            Self::Delete | Self::Rollback { .. } => None,
        }
    }

    /// Checks names and bounds; readers check the same while they read.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(field) = self.field() {
            check_field(field)?;
        }
        match self {
            Self::Set { value, .. } | Self::Add { value, .. } => value.check(),
            Self::Increment { .. } | Self::Delete => Ok(()),
            Self::Remove { adds, .. } => {
                check_list("adds that a remove names", adds, REMOVED_ADDS_MAX)
            }
            Self::Rollback { target } => {
                check_list("heads that a rollback names", target, TARGET_HEADS_MAX)
            }
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(1);
        writer.text(self.kind());
        match self {
            Self::Set { field, value } | Self::Add { field, value } => {
                writer.map(2);
                writer.text("field");
                writer.text(field);
                writer.text("value");
                value.write(writer);
            }
            Self::Increment { field, by } => {
                writer.map(2);
                writer.text("by");
                writer.signed(*by);
                writer.text("field");
                writer.text(field);
            }
            Self::Remove { field, adds } => {
                writer.map(2);
                writer.text("adds");
                writer.list(adds.len());
                adds.iter().for_each(|add| add.write(writer));
                writer.text("field");
                writer.text(field);
            }
            Self::Delete => writer.map(0),
            Self::Rollback { target } => {
                writer.map(1);
                writer.text("target");
                writer.list(target.len());
                target.iter().for_each(|head| writer.link(head));
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.map_of(1)?;
        let operation = match reader.text()? {
            "set" => {
                let (field, value) = Self::read_field_and_value(reader)?;
                Self::Set { field, value }
            }
            "add" => {
                let (field, value) = Self::read_field_and_value(reader)?;
                Self::Add { field, value }
            }
            "increment" => {
                reader.map_of(2)?;
                reader.key("by")?;
                let by = reader.signed()?;
                reader.key("field")?;
                Self::Increment {
                    field: reader.text()?.into(),
                    by,
                }
            }
            "remove" => {
                reader.map_of(2)?;
                reader.key("adds")?;
                let adds = list_of(reader, REMOVED_ADDS_MAX, OperationName::read)?;
                reader.key("field")?;
                Self::Remove {
                    field: reader.text()?.into(),
                    adds,
                }
            }
            "delete" => {
                reader.map_of(0)?;
                Self::Delete
            }
            "rollback" => {
                reader.map_of(1)?;
                reader.key("target")?;
                Self::Rollback {
                    target: list_of(reader, TARGET_HEADS_MAX, Reader::link)?,
                }
            }
            kind => {
                return Err(Error::UnknownOperation {
                    kind: excerpt(kind),
                }
                .into())
            }
        };
        operation.check()?;
        Ok(operation)
    }

    fn read_field_and_value(reader: &mut Reader<'_>) -> Result<(String, Value), CodecError> {
        reader.map_of(2)?;
        reader.key("field")?;
        let field = reader.text()?.into();
        reader.key("value")?;
        Ok((field, Value::read(reader)?))
    }
}

impl OperationName {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.list(2);
        writer.link(&self.commit);
        writer.unsigned(u64::from(self.index));
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.list()? {
            2 => {
                let commit = reader.link()?;
                // The bound is that of u32.
                let index = reader.unsigned(u64::from(u32::MAX))? as u32;
                Ok(Self { commit, index })
            }
            found => Err(CodecError::Length {
                at,
                expected: 2,
                found: found as u64,
            }),
        }
    }
}

/// Either the bytes or what they say is wrong.
#[derive(Debug)]
pub(crate) enum ReadError {
    Codec(CodecError),
    Content(Error),
}

impl From<CodecError> for ReadError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Content(error)
    }
}

impl ReadError {
    pub(crate) fn within(self, block: &'static str) -> Error {
        match self {
            Self::Codec(source) => Error::Block { block, source },
            Self::Content(error) => error,
        }
    }
}

fn check_list<T: Ord>(what: &'static str, items: &[T], max: usize) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::Empty { what });
    }
    check_max(what, items.len(), max)?;
    check_sorted(what, items)
}
