//! Names of blocks.

use core::{fmt, str::FromStr};

use alloc::vec::Vec;
use sha2::{Digest, Sha256};

use crate::Error;

/// CIDv1, codec dag-cbor (0x71), multihash sha2-256 (0x12) of 32 bytes.
const PREFIX: [u8; 4] = [0x01, 0x71, 0x12, 0x20];

/// The name of one of our blocks: a CIDv1 of a dag-cbor block by sha2-256
/// (<https://github.com/multiformats/cid>), and of nothing else, so that a block has one name.
///
/// The order is that of the digest, which is also that of the binary form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid([u8; 32]);

impl Cid {
    /// Length of the binary form.
    pub const BYTES: usize = 36;

    /// The name of a block.
    pub fn of(block: &[u8]) -> Self {
        Self(Sha256::digest(block).into())
    }

    /// The name of the block with this SHA-256 digest.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The SHA-256 digest of the block.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// The binary form.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&PREFIX);
        bytes[4..].copy_from_slice(&self.0);
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`Error::Cid`] for anything but a CIDv1 of a dag-cbor block by sha2-256.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        bytes
            .strip_prefix(&PREFIX)
            .and_then(|digest| digest.try_into().ok())
            .map(Self)
            .ok_or(Error::Cid)
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        cid::Cid::from(*self).fmt(f)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = Error;

    /// Parses the canonical text form, base32 in lower case (`bafyrei…`); other multibases are
    /// refused, so that a name in a log or a URL has one spelling.
    fn from_str(text: &str) -> Result<Self, Error> {
        // `b` and 58 letters: five bits each for 36 bytes.
        if text.len() != 59 || !text.starts_with('b') {
            return Err(Error::Cid);
        }
        let parsed = cid::Cid::try_from(text).map_err(|_| Error::Cid)?;
        let bytes: Vec<u8> = parsed.to_bytes();
        let cid = Self::from_bytes(&bytes)?;
        // The last letter has spare bits, and upper case would decode as well.
        if parsed
            .to_string_of_base(multibase_of_text())
            .ok()
            .as_deref()
            == Some(text)
        {
            Ok(cid)
        } else {
            Err(Error::Cid)
        }
    }
}

fn multibase_of_text() -> cid::multibase::Base {
    cid::multibase::Base::Base32Lower
}

impl From<Cid> for cid::Cid {
    fn from(cid: Cid) -> Self {
        let hash = multihash::Multihash::wrap(0x12, &cid.0).expect("32 bytes fit into 64");
        Self::new_v1(0x71, hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    #[test]
    fn text_and_binary_forms_round_trip_and_have_one_spelling() {
        let cid = Cid::of(b"\xa0");
        let text = cid.to_string();
        assert_eq!(text.parse(), Ok(cid));
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
        assert!(text.starts_with("bafyrei"), "{text}");

        let upper = text.to_uppercase();
        let mut spare_bits = String::from(&text[..58]);
        let last = text.as_bytes()[58];
        // The letters a to z and 2 to 7 count up; the neighbour differs in the last, spare bit.
        spare_bits.push(char::from(if last == b'z' { b'2' } else { last + 1 }));
        let foreign = cid::Cid::from(cid);
        let base58 = foreign
            .to_string_of_base(cid::multibase::Base::Base58Btc)
            .unwrap();
        for wrong in [upper, spare_bits, base58, String::new(), text.repeat(2)] {
            assert_eq!(wrong.parse::<Cid>(), Err(Error::Cid), "{wrong}");
        }
    }
}
