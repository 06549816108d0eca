//! Byte strings in DAG-CBOR.
//!
//! `serde` writes a `Vec<u8>` as a list of integers unless told otherwise; these types tell it.

use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A byte string of any length; whoever owns the field bounds it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

/// Exactly 32 bytes: a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash32(pub [u8; 32]);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Vec<u8>, A::Error> {
        Err(A::Error::custom(
            "a list stands where a byte string must stand",
        ))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(Bytes)
    }
}

impl Serialize for Hash32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hash32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash32, D::Error> {
        let bytes = deserializer.deserialize_byte_buf(BytesVisitor)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map(Hash32)
            .map_err(|_| D::Error::invalid_length(length, &"32 bytes"))
    }
}

/// A CID as a DAG-CBOR link (tag 42), and only of the blocks that this house names.
pub(crate) mod link {
    use alloc::string::ToString;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(cid: &crdt::Cid, serializer: S) -> Result<S::Ok, S::Error> {
        cid::Cid::from(*cid).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<crdt::Cid, D::Error> {
        let any = cid::Cid::deserialize(deserializer)?;
        crdt::Cid::from_bytes(&any.to_bytes()).map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// A link or null.
pub(crate) mod link_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "super::link")] crdt::Cid);

    pub fn serialize<S: Serializer>(
        cid: &Option<crdt::Cid>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        cid.map(Wrapped).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<crdt::Cid>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}

/// A list of links.
pub(crate) mod links {
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "super::link")] crdt::Cid);

    pub fn serialize<S: Serializer>(cids: &[crdt::Cid], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(cids.iter().map(|cid| Wrapped(*cid)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<crdt::Cid>, D::Error> {
        let wrapped = Vec::<Wrapped>::deserialize(deserializer)?;
        Ok(wrapped.into_iter().map(|wrapped| wrapped.0).collect())
    }
}
