//! Values of fields.

use alloc::{string::String, vec::Vec};

use crate::{
    codec::{is_canonical, CodecError, Kind, Reader, Writer},
    limits::VALUE_BYTES_MAX,
    name::check_max,
    Error,
};

/// The value of a register, or an element of a set. Null is a value like any other.
///
/// Values are compared by kind and content; equal values have equal bytes, so the integer 1 and
/// the float 1.0 differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value, on purpose.
    Null,
    /// True or false.
    Boolean(bool),
    /// An integer of 64 bits.
    Integer(i64),
    /// A finite 64-bit float.
    Float(Float),
    /// Bytes, at most [`VALUE_BYTES_MAX`].
    Bytes(Vec<u8>),
    /// Text, at most [`VALUE_BYTES_MAX`] bytes.
    Text(String),
}

/// A finite 64-bit float, stored as its IEEE 754 bits and never computed with: processors and
/// languages disagree about floats, bits are the same everywhere (Invariant 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Float(u64);

impl Float {
    /// Takes the bits of a finite float.
    ///
    /// # Errors
    /// [`Error::NotANumber`] for NaN, of which there are many, for the infinities, and for negative
    /// zero, which is zero by another name: DAG-CBOR has no canonical form for them.
    pub fn from_bits(bits: u64) -> Result<Self, Error> {
        if is_canonical(bits) {
            Ok(Self(bits))
        } else {
            Err(Error::NotANumber)
        }
    }

    /// The bits.
    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

impl Value {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
            _ => 0,
        };
        check_max("bytes of a value", bytes, VALUE_BYTES_MAX)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Null => writer.null(),
            Self::Boolean(value) => writer.boolean(*value),
            Self::Integer(value) => writer.signed(*value),
            Self::Float(value) => writer.float(value.to_bits()),
            Self::Bytes(value) => writer.bytes(value),
            Self::Text(value) => writer.text(value),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        let bounded = |len: usize| {
            let (found, max) = (len as u64, VALUE_BYTES_MAX as u64);
            if found <= max {
                Ok(())
            } else {
                Err(CodecError::Range { at, found, max })
            }
        };
        Ok(match reader.peek()? {
            Kind::Null => {
                reader.null()?;
                Self::Null
            }
            Kind::Boolean => Self::Boolean(reader.boolean()?),
            Kind::Unsigned | Kind::Negative => Self::Integer(reader.signed()?),
            Kind::Float => Self::Float(Float(reader.float()?)),
            Kind::Bytes => {
                let bytes = reader.bytes()?;
                bounded(bytes.len())?;
                Self::Bytes(bytes.into())
            }
            Kind::Text => {
                let text = reader.text()?;
                bounded(text.len())?;
                Self::Text(text.into())
            }
            Kind::List | Kind::Map | Kind::Link => {
                return Err(CodecError::Unexpected {
                    at,
                    expected: "null, a boolean, a number, bytes or text",
                    found: "a list, a map or a link",
                })
            }
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}
