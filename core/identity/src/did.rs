//! Actors. A DID here is always a `did:key` in its one canonical spelling, with its key parsed.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use crate::{IdentityError, KeyKind, PublicKey};

/// The longest DID that is read: base58 takes quadratic time, and 35 bytes (multicodec and a
/// compressed point) never need more than 48 letters after `did:key:z`.
pub const DID_BYTES_MAX: usize = PREFIX.len() + 48;

const PREFIX: &str = "did:key:z";

/// A `did:key`: method `key`, base58btc, multicodec and public key (W3C CCG did:key).
///
/// Cheap to clone. Equality, order and hash are those of the text, so a map with `Did` keys
/// can be asked by `&str`.
#[derive(Clone)]
pub struct Did(Arc<Parsed>);

struct Parsed {
    text: String,
    key: PublicKey,
}

impl Did {
    /// Parses a DID in its canonical form. Fragments, queries, other spellings of the base58,
    /// other kinds of keys, uncompressed keys and points off the curve are refused.
    ///
    /// # Errors
    /// The `Did…` and `Key…` variants of [`IdentityError`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        if text.len() > DID_BYTES_MAX {
            return Err(IdentityError::DidLength { found: text.len() });
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(IdentityError::DidPrefix)?;
        let bytes = bs58::decode(encoded)
            .into_vec()
            .map_err(|_| IdentityError::DidBase58)?;
        let (kind, key) = KeyKind::ALL
            .into_iter()
            .find_map(|kind| Some((kind, bytes.strip_prefix(&kind.multicodec())?)))
            .ok_or(IdentityError::DidMulticodec)?;
        let did = PublicKey::from_bytes(kind, key)?.did();
        // Holds by construction today (base58 and both key formats are bijective); kept because
        // a second spelling of an actor would be a second actor to every map in the house.
        if did.as_str() != text {
            return Err(IdentityError::DidCanonical);
        }
        Ok(did)
    }

    pub(crate) fn of(key: PublicKey) -> Self {
        let mut bytes = Vec::with_capacity(35);
        bytes.extend_from_slice(&key.kind().multicodec());
        bytes.extend_from_slice(key.as_bytes());
        let mut text = String::with_capacity(DID_BYTES_MAX);
        text.push_str(PREFIX);
        text.push_str(&bs58::encode(bytes).into_string());
        Self(Arc::new(Parsed { text, key }))
    }

    /// The DID as text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The key that this DID is.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }
}

impl FromStr for Did {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<&PublicKey> for Did {
    fn from(key: &PublicKey) -> Self {
        key.did()
    }
}

impl AsRef<str> for Did {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Did {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Did {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Did {}

impl PartialOrd for Did {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Did {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Did {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Did({})", self.as_str())
    }
}
