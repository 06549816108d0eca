//! Writes canonical DAG-CBOR, item after item.

use alloc::vec::Vec;

use crate::Cid;

/// Appends DAG-CBOR items to a buffer.
///
/// Heads are shortest by construction. The order of map keys is the caller's: length first, then
/// bytes (the readers of this crate refuse any other).
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes were written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, value: u64) {
        self.head(0, value);
    }

    /// A signed integer.
    pub fn signed(&mut self, value: i64) {
        // RFC 8949 §3.1: the negative integer -1 - n is written as n, which is !value in two's
        // complement.
        if value < 0 {
            self.head(1, !value as u64);
        } else {
            self.head(0, value as u64);
        }
    }

    /// The negative integer `-1 - n`.
    pub fn negative(&mut self, n: u64) {
        self.head(1, n);
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(2, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// A byte string of `len` zeros.
    pub fn zeros(&mut self, len: usize) {
        self.head(2, len as u64);
        self.bytes.resize(self.bytes.len() + len, 0);
    }

    /// A text string; also a map key.
    pub fn text(&mut self, value: &str) {
        self.head(3, value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// The head of a list of `len` items, which the caller writes next.
    pub fn list(&mut self, len: usize) {
        self.head(4, len as u64);
    }

    /// The head of a map of `len` entries, which the caller writes next, in order of their keys.
    pub fn map(&mut self, len: usize) {
        self.head(5, len as u64);
    }

    /// A link to one of our blocks.
    pub fn link(&mut self, cid: &Cid) {
        self.foreign_link(&cid.to_bytes());
    }

    /// A link given by the binary form of its CID: tag 42 over a byte string that starts with the
    /// multibase identity prefix 0x00.
    pub fn foreign_link(&mut self, cid: &[u8]) {
        self.bytes.extend_from_slice(&[0xd8, 42]);
        self.head(2, cid.len() as u64 + 1);
        self.bytes.push(0);
        self.bytes.extend_from_slice(cid);
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.bytes.push(if value { 0xf5 } else { 0xf4 });
    }

    /// Null.
    pub fn null(&mut self) {
        self.bytes.push(0xf6);
    }

    /// A 64-bit float by its IEEE 754 bits.
    pub fn float(&mut self, bits: u64) {
        self.bytes.push(0xfb);
        self.bytes.extend_from_slice(&bits.to_be_bytes());
    }

    /// Bytes that are canonical DAG-CBOR already.
    pub fn raw(&mut self, encoded: &[u8]) {
        self.bytes.extend_from_slice(encoded);
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        match value {
            0..=23 => self.bytes.push(major | value as u8),
            24..=0xff => self.bytes.extend_from_slice(&[major | 24, value as u8]),
            0x100..=0xffff => {
                self.bytes.push(major | 25);
                self.bytes.extend_from_slice(&(value as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.bytes.push(major | 26);
                self.bytes.extend_from_slice(&(value as u32).to_be_bytes());
            }
            _ => {
                self.bytes.push(major | 27);
                self.bytes.extend_from_slice(&value.to_be_bytes());
            }
        }
    }
}

/// How many bytes the head of a byte string of `len` bytes takes.
pub(crate) fn head_bytes(len: usize) -> usize {
    match len as u64 {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
