//! Reads canonical DAG-CBOR, item after item, and nothing else.

use alloc::{string::String, vec::Vec};

use crate::Cid;

/// Why bytes are not the canonical DAG-CBOR that was expected. `at` is the byte offset of the
/// item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end inside an item.
    #[error("byte {at}: the data ends inside an item")]
    Truncated {
        /// Offset of the item.
        at: usize,
    },
    /// Something follows the one item of a block.
    #[error("byte {at}: something follows the end of the data")]
    Trailing {
        /// Offset of the first byte too many.
        at: usize,
    },
    /// An item of another kind was expected here.
    #[error("byte {at}: expected {expected}, found {found}")]
    Unexpected {
        /// Offset of the item.
        at: usize,
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A head that could be shorter.
    #[error("byte {at}: a length or number is not in its shortest form")]
    NotShortest {
        /// Offset of the item.
        at: usize,
    },
    /// An indefinite length, a reserved head, a simple value or float that DAG-CBOR lacks.
    #[error("byte {at}: 0x{head:02x} starts no DAG-CBOR item")]
    Head {
        /// Offset of the item.
        at: usize,
        /// The byte.
        head: u8,
    },
    /// A float that has no canonical form.
    #[error("byte {at}: NaN, infinities and negative zero are not allowed")]
    NotANumber {
        /// Offset of the item.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("byte {at}: the text is not UTF-8")]
    NotUtf8 {
        /// Offset of the item.
        at: usize,
    },
    /// A tag other than 42, or one that holds no CID.
    #[error("byte {at}: not a link to a CID")]
    NotALink {
        /// Offset of the item.
        at: usize,
    },
    /// A link to a block that is not CIDv1, dag-cbor, sha2-256.
    #[error("byte {at}: the link is not a CIDv1 of a dag-cbor block by sha2-256")]
    ForeignLink {
        /// Offset of the item.
        at: usize,
    },
    /// A map key that stands before its predecessor in the order of keys.
    #[error("byte {at}: map key {key:?} is out of order")]
    KeyOrder {
        /// Offset of the key.
        at: usize,
        /// The key, cut to a printable length.
        key: String,
    },
    /// A map key that occurs twice.
    #[error("byte {at}: map key {key:?} occurs twice")]
    KeyTwice {
        /// Offset of the key.
        at: usize,
        /// The key, cut to a printable length.
        key: String,
    },
    /// A map has another key where a known one belongs.
    #[error("byte {at}: expected the key {expected:?}, found {found:?}")]
    Key {
        /// Offset of the key.
        at: usize,
        /// The key that belongs here.
        expected: &'static str,
        /// The key that stands here, cut to a printable length.
        found: String,
    },
    /// A list or map has another length than the format says.
    #[error("byte {at}: expected {expected} entries, found {found}")]
    Length {
        /// Offset of the item.
        at: usize,
        /// How many belong here.
        expected: u64,
        /// How many stand here.
        found: u64,
    },
    /// An integer or string that does not fit where it stands.
    #[error("byte {at}: the number or length {found} is beyond {max}")]
    Range {
        /// Offset of the item.
        at: usize,
        /// What stands there.
        found: u64,
        /// The largest that is allowed.
        max: u64,
    },
    /// Lists and maps nest too deeply.
    #[error("byte {at}: nested more than {max} levels deep")]
    Depth {
        /// Offset of the item.
        at: usize,
        /// The bound.
        max: usize,
    },
    /// The bytes decode, but would be written differently.
    #[error("the data is not in its canonical form")]
    NotCanonical,
}

/// What kind of item comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A non-negative integer.
    Unsigned,
    /// A negative integer.
    Negative,
    /// A byte string.
    Bytes,
    /// A text string.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A link (or another tag, refused when read).
    Link,
    /// true or false.
    Boolean,
    /// Null.
    Null,
    /// A 64-bit float.
    Float,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "an unsigned integer",
            Self::Negative => "a negative integer",
            Self::Bytes => "bytes",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Link => "a link",
            Self::Boolean => "a boolean",
            Self::Null => "null",
            Self::Float => "a float",
        }
    }
}

/// Reads items from a block. Nothing is allocated by announced lengths: a length is first held
/// against the bytes that are left.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The offset of the next item.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The kind of the next item.
    ///
    /// # Errors
    /// [`CodecError::Truncated`] at the end, [`CodecError::Head`] for what DAG-CBOR lacks.
    pub fn peek(&self) -> Result<Kind, CodecError> {
        let head = *self
            .bytes
            .get(self.at)
            .ok_or(CodecError::Truncated { at: self.at })?;
        Ok(match (head >> 5, head) {
            (0, _) => Kind::Unsigned,
            (1, _) => Kind::Negative,
            (2, _) => Kind::Bytes,
            (3, _) => Kind::Text,
            (4, _) => Kind::List,
            (5, _) => Kind::Map,
            (6, _) => Kind::Link,
            (_, 0xf4 | 0xf5) => Kind::Boolean,
            (_, 0xf6) => Kind::Null,
            (_, 0xfb) => Kind::Float,
            _ => return Err(CodecError::Head { at: self.at, head }),
        })
    }

    /// Ends a block: nothing may follow.
    ///
    /// # Errors
    /// [`CodecError::Trailing`].
    pub fn end(&self) -> Result<(), CodecError> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(CodecError::Trailing { at: self.at })
        }
    }

    /// An unsigned integer of at most `max`.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn unsigned(&mut self, max: u64) -> Result<u64, CodecError> {
        let at = self.at;
        let found = self.head(Kind::Unsigned)?;
        if found > max {
            return Err(CodecError::Range { at, found, max });
        }
        Ok(found)
    }

    /// A signed integer of 64 bits.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn signed(&mut self) -> Result<i64, CodecError> {
        let at = self.at;
        let negative = self.peek()? == Kind::Negative;
        let found = self.head(if negative {
            Kind::Negative
        } else {
            Kind::Unsigned
        })?;
        let max = i64::MAX as u64;
        let magnitude = i64::try_from(found).map_err(|_| CodecError::Range { at, found, max })?;
        Ok(if negative { !magnitude } else { magnitude })
    }

    /// The `n` of a negative integer `-1 - n`.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn negative(&mut self) -> Result<u64, CodecError> {
        self.head(Kind::Negative)
    }

    /// A byte string.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let at = self.at;
        let len = self.head(Kind::Bytes)?;
        self.take(at, len)
    }

    /// A byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let at = self.at;
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| CodecError::Length {
            at,
            expected: N as u64,
            found: bytes.len() as u64,
        })
    }

    /// A text string.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn text(&mut self) -> Result<&'a str, CodecError> {
        let at = self.at;
        let len = self.head(Kind::Text)?;
        core::str::from_utf8(self.take(at, len)?).map_err(|_| CodecError::NotUtf8 { at })
    }

    /// The head of a list, whose items the caller reads next.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::Truncated`] if more items are announced
    /// than bytes are left.
    pub fn list(&mut self) -> Result<usize, CodecError> {
        let at = self.at;
        let len = self.head(Kind::List)?;
        self.announced(at, len, 1)
    }

    /// The head of a map, whose entries the caller reads next.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::Truncated`] if more entries are
    /// announced than bytes are left.
    pub fn map(&mut self) -> Result<usize, CodecError> {
        let at = self.at;
        let len = self.head(Kind::Map)?;
        self.announced(at, len, 2)
    }

    /// The head of a map of exactly `expected` entries.
    ///
    /// # Errors
    /// As [`Reader::map`]; [`CodecError::Length`].
    pub fn map_of(&mut self, expected: usize) -> Result<(), CodecError> {
        let at = self.at;
        match self.map()? {
            found if found == expected => Ok(()),
            found => Err(CodecError::Length {
                at,
                expected: expected as u64,
                found: found as u64,
            }),
        }
    }

    /// The map key `expected`.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::Key`] for another key.
    pub fn key(&mut self, expected: &'static str) -> Result<(), CodecError> {
        let at = self.at;
        let found = self.text()?;
        if found == expected {
            return Ok(());
        }
        Err(CodecError::Key {
            at,
            expected,
            found: excerpt(found),
        })
    }

    /// A map key that must come after `previous`, by length, then by bytes.
    ///
    /// # Errors
    /// [`CodecError::KeyOrder`], [`CodecError::KeyTwice`], or any error of a text item.
    pub fn key_after(&mut self, previous: Option<&str>) -> Result<&'a str, CodecError> {
        let at = self.at;
        let key = self.text()?;
        if let Some(previous) = previous {
            match (previous.len(), previous.as_bytes()).cmp(&(key.len(), key.as_bytes())) {
                core::cmp::Ordering::Less => {}
                core::cmp::Ordering::Equal => {
                    return Err(CodecError::KeyTwice {
                        at,
                        key: excerpt(key),
                    })
                }
                core::cmp::Ordering::Greater => {
                    return Err(CodecError::KeyOrder {
                        at,
                        key: excerpt(key),
                    })
                }
            }
        }
        Ok(key)
    }

    /// A link to one of our blocks.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::ForeignLink`] for another kind of CID.
    pub fn link(&mut self) -> Result<Cid, CodecError> {
        let at = self.at;
        let bytes = self.foreign_link()?;
        Cid::from_bytes(bytes).map_err(|_| CodecError::ForeignLink { at })
    }

    /// The binary form of the CID of a link of any kind. Whether it is a CID is the caller's to
    /// check.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::NotALink`] for another tag.
    pub fn foreign_link(&mut self) -> Result<&'a [u8], CodecError> {
        let at = self.at;
        if self.head(Kind::Link)? != 42 || self.peek()? != Kind::Bytes {
            return Err(CodecError::NotALink { at });
        }
        match self.bytes()?.split_first() {
            Some((0, cid)) => Ok(cid),
            _ => Err(CodecError::NotALink { at }),
        }
    }

    /// A boolean.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn boolean(&mut self) -> Result<bool, CodecError> {
        self.expect(Kind::Boolean)?;
        let value = self.bytes[self.at] == 0xf5;
        self.at += 1;
        Ok(value)
    }

    /// Null.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item.
    pub fn null(&mut self) -> Result<(), CodecError> {
        self.expect(Kind::Null)?;
        self.at += 1;
        Ok(())
    }

    /// The IEEE 754 bits of a 64-bit float, which is a finite number and not negative zero.
    ///
    /// # Errors
    /// Any [`CodecError`] of a single item; [`CodecError::NotANumber`].
    pub fn float(&mut self) -> Result<u64, CodecError> {
        let at = self.at;
        self.expect(Kind::Float)?;
        self.at += 1;
        let bytes = self.take(at, 8)?;
        let bits = bytes
            .iter()
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        if is_canonical(bits) {
            Ok(bits)
        } else {
            Err(CodecError::NotANumber { at })
        }
    }

    fn expect(&self, expected: Kind) -> Result<(), CodecError> {
        let found = self.peek()?;
        if found == expected {
            return Ok(());
        }
        Err(CodecError::Unexpected {
            at: self.at,
            expected: expected.name(),
            found: found.name(),
        })
    }

    /// Reads a head of the given kind and returns its argument, which must be in shortest form.
    fn head(&mut self, kind: Kind) -> Result<u64, CodecError> {
        self.expect(kind)?;
        let at = self.at;
        let head = self.bytes[at];
        self.at += 1;
        let (width, smallest) = match head & 0x1f {
            short @ 0..=23 => return Ok(u64::from(short)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(CodecError::Head { at, head }),
        };
        let bytes = self.take(at, width)?;
        let value = bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < smallest {
            return Err(CodecError::NotShortest { at });
        }
        Ok(value)
    }

    fn take(&mut self, at: usize, len: u64) -> Result<&'a [u8], CodecError> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(len) {
            Ok(len) if len <= rest.len() => {
                self.at += len;
                Ok(&rest[..len])
            }
            _ => Err(CodecError::Truncated { at }),
        }
    }

    fn announced(&self, at: usize, len: u64, bytes_each: u64) -> Result<usize, CodecError> {
        let left = (self.bytes.len() - self.at) as u64;
        match len.checked_mul(bytes_each) {
            // `len <= left`, and `left` came from a usize.
            Some(needed) if needed <= left => Ok(len as usize),
            _ => Err(CodecError::Truncated { at }),
        }
    }
}

/// Whether the bits of a 64-bit float stand for something that DAG-CBOR can hold.
///
/// IEEE 754 gives the exponent of all ones to infinities and NaNs, which the specification
/// excludes. Negative zero equals zero, and codecs that compare floats as numbers
/// (`serde_ipld_dagcbor`) refuse it, since they would write it as zero; so do we.
pub(crate) fn is_canonical(bits: u64) -> bool {
    bits >> 52 & 0x7ff != 0x7ff && bits != 1 << 63
}

/// Cuts what a stranger sent, so that it cannot fill a log (Invariant 7).
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Reads a list of items, refusing more than `max` of them.
pub(crate) fn list_of<'a, T, E: From<CodecError>>(
    reader: &mut Reader<'a>,
    max: usize,
    item: impl Fn(&mut Reader<'a>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let at = reader.position();
    let len = reader.list()?;
    if len > max {
        return Err(CodecError::Range {
            at,
            found: len as u64,
            max: max as u64,
        }
        .into());
    }
    (0..len).map(|_| item(reader)).collect()
}
