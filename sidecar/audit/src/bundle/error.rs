//! The first thing that is wrong with a bundle: where it is, and what it is.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::container::Section;
use crate::times::Wanted;

/// The first thing that is wrong, in the order in which a bundle is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyError {
    /// The section that it is in.
    pub section: Section,
    /// Which item of the section, where it has several: a leaf's or anchor's index in its log, a
    /// revision, or the place of a commit or document in the section.
    pub item: Option<u64>,
    /// What is wrong.
    pub wrong: Wrong,
}

impl VerifyError {
    /// An error of a whole section.
    pub fn of(section: Section, wrong: Wrong) -> VerifyError {
        VerifyError {
            section,
            item: None,
            wrong,
        }
    }

    /// An error of one item of a section.
    pub fn at(section: Section, item: u64, wrong: Wrong) -> VerifyError {
        VerifyError {
            section,
            item: Some(item),
            wrong,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "section `{}`", self.section)?;
        if let Some(item) = self.item {
            write!(f, ", item {item}")?;
        }
        write!(f, ": {}", self.wrong)
    }
}

impl core::error::Error for VerifyError {}

/// What can be wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// Another kind of file.
    #[error("this is no bundle; a bundle begins with \"holdfast trail\"")]
    NotABundle,
    /// A version that this program does not know.
    #[error("the bundle is of another version of the format; use the program of that version")]
    Version,
    /// More than this program reads at once.
    #[error("{bytes} bytes are more than the {bytes_max} that are read at once; ask for a bundle of fewer leaves")]
    TooLong {
        /// As found.
        bytes: u64,
        /// As allowed.
        bytes_max: u64,
    },
    /// It ends too early.
    #[error("the file ends before it is complete; fetch it again")]
    Cut,
    /// The bytes are not those that were written.
    #[error("the checksum at the end does not fit; the file was damaged or changed")]
    Checksum,
    /// A section is missing or out of place.
    #[error("the section `{0}` is missing or out of its place")]
    SectionMissing(Section),
    /// Bytes after the last section.
    #[error("{bytes} bytes stand after the last section")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// Protobuf that is malformed or spelled otherwise.
    #[error("not the canonical encoding: {0}")]
    Encoding(String),
    /// A field that cannot be.
    #[error("the field `{field}` is wrong: {why}")]
    Field {
        /// Its name.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// Items are not in their one order.
    #[error("the items are not in their order, each once")]
    Order,
    /// The bundle is not about the header that the auditor trusts.
    #[error("the bundle speaks of height {found}, the trusted header is that of {trusted}; ask for a bundle under the header that you trust, or name the one it was made under")]
    OtherHeight {
        /// In the bundle.
        found: u64,
        /// By the auditor.
        trusted: u64,
    },
    /// The header, its validators or their signatures.
    #[error("the header does not verify: {0}")]
    Header(String),
    /// A state proof.
    #[error("the proof of {what} does not verify: {why}")]
    Proof {
        /// Of what.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The key that is proven is not the one that should be.
    #[error("the proof is about another record than {0}")]
    OtherRecord(&'static str),
    /// The policy's history.
    #[error("the policy's history does not verify: {0}")]
    History(String),
    /// Roots that differ.
    #[error("the root of {what} is not the one that {under} commits to")]
    Root {
        /// Of what.
        what: &'static str,
        /// Where the other stands.
        under: &'static str,
    },
    /// An inclusion or consistency proof, or a compact range.
    #[error("{what} is not proven: {why}")]
    Merkle {
        /// Of what.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The number of leaves does not fit.
    #[error("{found} leaves stand between anchors that are {expected} leaves apart")]
    LeafCount {
        /// In the bundle.
        found: u64,
        /// By the anchors.
        expected: u64,
    },
    /// A leaf's content.
    #[error("the leaf's content does not read: {0}")]
    Content(String),
    /// A leaf says something that hub state contradicts.
    #[error("the leaf says {said}, but by the hub it is {is}")]
    Untrue {
        /// As said.
        said: String,
        /// As proven.
        is: String,
    },
    /// A decision that does not replay.
    #[error("the decision was {logged}; replayed at revision {revision} it is {replayed}")]
    Decision {
        /// In the leaf.
        logged: String,
        /// By the replay.
        replayed: String,
        /// At which revision.
        revision: u64,
    },
    /// An engine that is not this program's.
    #[error("decided by version {found} of the policy engine; this program has version {known}; use the program of that version")]
    Engine {
        /// In the leaf or record.
        found: u64,
        /// Here.
        known: u64,
    },
    /// A commit block.
    #[error("the commit does not verify: {0}")]
    Commit(String),
    /// A leaf speaks of a commit that is not there.
    #[error("the leaf is about commit {0}, which the bundle does not hold")]
    CommitMissing(String),
    /// A commit that no leaf speaks of.
    #[error("no leaf of the log says that it held commit {0}")]
    CommitNotHeld(String),
    /// A commit of a document that the bundle is not about.
    #[error("the bundle is not about the document {0}")]
    OtherDocument(String),
    /// A parent that is not there.
    #[error("the parent {0} is missing, so the document's history is not whole")]
    ParentMissing(String),
    /// A commit that must be rejected, though the operator says that it held it.
    #[error("the log holds a commit that must be rejected: {0}")]
    Rejected(String),
    /// Verdicts hang on times of blocks that the bundle does not prove.
    #[error("a permission begins or ends by time, and the bundle does not prove {}; ask its issuer for one that does", list(.0))]
    BlockTimes(Vec<Wanted>),
    /// The signature is another than the leaf's.
    #[error("the commit's signature is not the one that the log's leaf commits to")]
    OtherSignature,
    /// The tips of the DAG are not the heads.
    #[error("the tips of the document's commits are not the heads that the anchor commits to")]
    Heads,
    /// A document's chain of leaves.
    #[error("the chain of the document's leaves is broken: {0}")]
    Chain(String),
    /// The seal does not fit.
    #[error("the seal does not verify: {0}; somebody changed or left out something after the bundle was issued")]
    Seal(String),
    /// Something that serves nothing, and so could hide anything.
    #[error("it proves nothing that the bundle speaks of")]
    Unused,
}

/// The first of what is wanted, and how many more.
fn list(wanted: &[Wanted]) -> String {
    match wanted {
        [] => String::new(),
        [one] => one.to_string(),
        [first, others @ ..] => alloc::format!("{first}, and {} others", others.len()),
    }
}

impl Wrong {
    /// A field that cannot be.
    pub(crate) fn field(field: &'static str, why: impl fmt::Display) -> Wrong {
        Wrong::Field {
            field,
            why: why.to_string(),
        }
    }

    /// A proof that does not verify.
    pub(crate) fn proof(what: &'static str, why: impl fmt::Display) -> Wrong {
        Wrong::Proof {
            what,
            why: why.to_string(),
        }
    }

    /// A Merkle proof that does not verify.
    pub(crate) fn merkle(what: &'static str, why: impl fmt::Display) -> Wrong {
        Wrong::Merkle {
            what,
            why: why.to_string(),
        }
    }
}
