//! A leaf of an audit log: what stands in the Merkle tree, and what opens it.
//!
//! Three things are kept apart, so that a log can be published, handed to an auditor in part,
//! or have a content erased, while every index and every root stays what it was (Invariant 6):
//!
//! * the **leaf**: 32 bytes that say nothing to whoever does not hold the rest;
//! * the **link**: the commitment to the content and the document's previous leaf. It lets an
//!   auditor walk a document's leaves and count them without reading what they say;
//! * the **opening**: salt and content. Whoever holds it can prove what the leaf says.
//!
//! `docs/spec/log.md` is the written form of this module.

use alloc::vec::Vec;

use merkle::Hash;

use crate::content::{Content, ContentError};

/// Domain of the commitment to a content.
const CONTENT_DOMAIN: &str = "holdfast/leaf-content/1";
/// Domain of a leaf.
const LEAF_DOMAIN: &str = "holdfast/leaf/1";

/// Bytes of a salt: 128 random bits, so that a content that can be guessed (a known actor, a
/// known document) cannot be confirmed by hashing guesses.
pub const SALT_BYTES: usize = 16;

/// The salt of one leaf. Drawn anew for every leaf by the node; pure code only carries it.
pub type Salt = [u8; SALT_BYTES];

/// A pointer to the previous leaf that this log holds about the same document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Previous {
    /// Index of that leaf in the log; always lower than the index of the leaf that points.
    pub index: u64,
    /// RFC 6962 leaf hash of that leaf.
    pub leaf_hash: Hash,
}

impl Previous {
    fn encode(previous: Option<&Previous>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40);
        if let Some(previous) = previous {
            bytes.extend_from_slice(&previous.index.to_be_bytes());
            bytes.extend_from_slice(&previous.leaf_hash);
        }
        bytes
    }
}

/// A leaf as the Merkle tree holds it: 32 bytes, a salted commitment.
///
/// The RFC 6962 leaf hash is taken over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub [u8; 32]);

impl Leaf {
    /// The RFC 6962 §2.1 leaf hash, `SHA-256(0x00 ++ leaf)`.
    pub fn hash(&self) -> Hash {
        merkle::hash_leaf(&self.0)
    }

    /// The bytes that are served as the entry of a tile.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What an auditor gets of a leaf whose content is withheld or erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The salted commitment to the content, see [`Opening::content_commitment`].
    pub content_commitment: Hash,
    /// The document's previous leaf; none for its first leaf and for leaves about no document.
    pub previous: Option<Previous>,
}

impl Link {
    /// The leaf that stands at `index` with this link.
    ///
    /// The index is hashed in, so a leaf proves its place by itself.
    pub fn leaf(&self, index: u64) -> Leaf {
        Leaf(identity::hash(
            LEAF_DOMAIN,
            &[
                &index.to_be_bytes(),
                &self.content_commitment,
                &Previous::encode(self.previous.as_ref()),
            ],
        ))
    }
}

/// Everything about one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The salt that hides the content in the leaf.
    pub salt: Salt,
    /// What the leaf says, as canonical DAG-CBOR.
    content_bytes: Vec<u8>,
    /// The same, decoded.
    content: Content,
    /// The document's previous leaf in this log.
    pub previous: Option<Previous>,
}

impl Opening {
    /// Makes a new leaf's opening.
    ///
    /// `salt` must be fresh random bytes; `previous` the last leaf of the same document, which
    /// [`crate::heads::DocumentHeads`] keeps.
    ///
    /// # Errors
    /// [`ContentError`] when the content breaks one of its bounds.
    pub fn new(
        salt: Salt,
        content: Content,
        previous: Option<Previous>,
    ) -> Result<Opening, ContentError> {
        let content_bytes = content.encode()?;
        Ok(Opening {
            salt,
            content_bytes,
            content,
            previous,
        })
    }

    /// Reads an opening from its parts, as they come from disk or from a bundle.
    ///
    /// # Errors
    /// [`ContentError`] when the content is not the canonical encoding of a known kind.
    pub fn from_parts(
        salt: Salt,
        content_bytes: Vec<u8>,
        previous: Option<Previous>,
    ) -> Result<Opening, ContentError> {
        let content = Content::decode(&content_bytes)?;
        Ok(Opening {
            salt,
            content_bytes,
            content,
            previous,
        })
    }

    /// What the leaf says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What the leaf says, as the canonical DAG-CBOR that is hashed.
    pub fn content_bytes(&self) -> &[u8] {
        &self.content_bytes
    }

    /// The salted commitment to the content.
    pub fn content_commitment(&self) -> Hash {
        identity::hash(CONTENT_DOMAIN, &[&self.salt, &self.content_bytes])
    }

    /// What remains to be shown when the content is withheld or erased.
    pub fn link(&self) -> Link {
        Link {
            content_commitment: self.content_commitment(),
            previous: self.previous,
        }
    }

    /// The leaf that stands at `index`.
    pub fn leaf(&self, index: u64) -> Leaf {
        self.link().leaf(index)
    }
}

/// How much of one leaf a bundle or a reader is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disclosure {
    /// The 32 bytes only.
    Closed(Leaf),
    /// The commitment to the content and the document's previous leaf.
    Linked(Link),
    /// Everything. Boxed, since it is far larger than the others.
    Opened(alloc::boxed::Box<Opening>),
}

impl Disclosure {
    /// The leaf that this discloses at `index`.
    pub fn leaf(&self, index: u64) -> Leaf {
        match self {
            Disclosure::Closed(leaf) => *leaf,
            Disclosure::Linked(link) => link.leaf(index),
            Disclosure::Opened(opening) => opening.leaf(index),
        }
    }

    /// The opening, when the leaf is shown whole.
    pub fn opening(&self) -> Option<&Opening> {
        match self {
            Disclosure::Opened(opening) => Some(opening),
            Disclosure::Closed(_) | Disclosure::Linked(_) => None,
        }
    }

    /// The document's previous leaf: outer none when it is not shown.
    pub fn previous(&self) -> Option<Option<Previous>> {
        match self {
            Disclosure::Closed(_) => None,
            Disclosure::Linked(link) => Some(link.previous),
            Disclosure::Opened(opening) => Some(opening.previous),
        }
    }
}
