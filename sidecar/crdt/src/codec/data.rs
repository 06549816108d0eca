//! DAG-CBOR data of any shape, for what has no type of its own: fixtures, tools, tests.

use alloc::{string::String, vec::Vec};

use super::{CodecError, Kind, Reader, Writer};
use crate::limits::DEPTH_MAX;

/// A piece of the IPLD data model. Floats stay bits: nothing here computes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A non-negative integer.
    Unsigned(u64),
    /// The negative integer `-1 - n`, given by `n`.
    Negative(u64),
    /// The bits of a finite 64-bit float.
    Float(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Data>),
    /// A map, in canonical order of its keys.
    Map(Vec<(String, Data)>),
    /// A link: the binary form of a CID of any kind.
    Link(Vec<u8>),
}

impl Data {
    /// Decodes one block.
    ///
    /// # Errors
    /// Any [`CodecError`]; nesting beyond [`DEPTH_MAX`] is refused.
    pub fn decode(block: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(block);
        let data = Self::read(&mut reader, DEPTH_MAX)?;
        reader.end()?;
        Ok(data)
    }

    /// The canonical block, if the keys of each map are in order.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// The entry of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find_map(|(found, value)| (found == key).then_some(value)),
            _ => None,
        }
    }

    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, CodecError> {
        let at = reader.position();
        let deeper = || {
            depth
                .checked_sub(1)
                .ok_or(CodecError::Depth { at, max: DEPTH_MAX })
        };
        Ok(match reader.peek()? {
            Kind::Null => {
                reader.null()?;
                Self::Null
            }
            Kind::Boolean => Self::Boolean(reader.boolean()?),
            Kind::Unsigned => Self::Unsigned(reader.unsigned(u64::MAX)?),
            Kind::Negative => Self::Negative(reader.negative()?),
            Kind::Float => Self::Float(reader.float()?),
            Kind::Bytes => Self::Bytes(reader.bytes()?.into()),
            Kind::Text => Self::Text(reader.text()?.into()),
            Kind::Link => {
                let link = reader.foreign_link()?;
                cid::Cid::try_from(link)
                    .ok()
                    .filter(|cid| cid.to_bytes() == link)
                    .ok_or(CodecError::NotALink { at })?;
                Self::Link(link.into())
            }
            Kind::List => {
                let depth = deeper()?;
                let len = reader.list()?;
                Self::List(
                    (0..len)
                        .map(|_| Self::read(reader, depth))
                        .collect::<Result<_, _>>()?,
                )
            }
            Kind::Map => {
                let depth = deeper()?;
                let len = reader.map()?;
                let mut entries: Vec<(String, Self)> = Vec::new();
                for _ in 0..len {
                    let key = reader.key_after(entries.last().map(|(key, _)| key.as_str()))?;
                    let value = Self::read(reader, depth)?;
                    entries.push((key.into(), value));
                }
                Self::Map(entries)
            }
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Null => writer.null(),
            Self::Boolean(value) => writer.boolean(*value),
            Self::Unsigned(value) => writer.unsigned(*value),
            Self::Negative(n) => writer.negative(*n),
            Self::Float(bits) => writer.float(*bits),
            Self::Bytes(value) => writer.bytes(value),
            Self::Text(value) => writer.text(value),
            Self::Link(cid) => writer.foreign_link(cid),
            Self::List(items) => {
                writer.list(items.len());
                items.iter().for_each(|item| item.write(writer));
            }
            Self::Map(entries) => {
                writer.map(entries.len());
                for (key, value) in entries {
                    writer.text(key);
                    value.write(writer);
                }
            }
        }
    }
}
