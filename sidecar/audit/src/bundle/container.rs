//! The outside of a bundle: magic, nine sections in order, checksum.
//!
//! Nothing is optional and nothing can be moved, so two different files never have one meaning.

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use super::error::{VerifyError, Wrong};

/// How every bundle begins; the number is the version of this format.
pub const MAGIC: &[u8; 17] = b"holdfast trail 1\n";

/// Bytes of a bundle. A gigabyte of log would be read by machines in parts; this much is still
/// verified in memory on a laptop and in a browser.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 32;

/// Bytes at the end of a file that belong to the seal without being its payload: tag and length
/// before it, the checksum after it.
pub(crate) const AFTER_SEAL_BYTES: usize = 5 + CHECKSUM_BYTES;

/// The parts of a bundle, in their order in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Magic, lengths, checksum: all that is around the sections.
    Container,
    /// What the bundle is about.
    Subject,
    /// The trusted header with its validators and their signatures.
    Header,
    /// The policy's record and its whole history.
    Policy,
    /// The log's record and its anchors.
    Log,
    /// The leaves between the two anchors.
    Leaves,
    /// The commits.
    Commits,
    /// The documents' entries in the heads tree.
    Heads,
    /// Receipts: attestations of other operators, and this log's leaves from before.
    Witnesses,
    /// The issuer's signature over all sections before.
    Seal,
}

impl Section {
    /// The sections that have a place in the file, in order.
    pub const ALL: [Section; 9] = [
        Section::Subject,
        Section::Header,
        Section::Policy,
        Section::Log,
        Section::Leaves,
        Section::Commits,
        Section::Heads,
        Section::Witnesses,
        Section::Seal,
    ];

    /// The byte before the section's length; 0 for the container, which has none.
    pub fn tag(self) -> u8 {
        match self {
            Section::Container => 0,
            Section::Subject => 1,
            Section::Header => 2,
            Section::Policy => 3,
            Section::Log => 4,
            Section::Leaves => 5,
            Section::Commits => 6,
            Section::Heads => 7,
            Section::Witnesses => 8,
            Section::Seal => 9,
        }
    }

    /// The name that errors and the report use.
    pub fn name(self) -> &'static str {
        match self {
            Section::Container => "container",
            Section::Subject => "subject",
            Section::Header => "header",
            Section::Policy => "policy",
            Section::Log => "log",
            Section::Leaves => "leaves",
            Section::Commits => "commits",
            Section::Heads => "heads",
            Section::Witnesses => "witnesses",
            Section::Seal => "seal",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Begins a file: magic and the payloads of the sections before the seal.
pub fn begin(payloads: &[Vec<u8>; 8]) -> Vec<u8> {
    let length: usize = payloads.iter().map(|payload| payload.len() + 5).sum();
    let mut file = Vec::with_capacity(MAGIC.len() + length + 128);
    file.extend_from_slice(MAGIC);
    for (section, payload) in Section::ALL.iter().zip(payloads) {
        put(&mut file, *section, payload);
    }
    file
}

/// Ends a file with its seal, which may be empty, and its checksum.
pub fn end(mut file: Vec<u8>, seal: &[u8]) -> Vec<u8> {
    put(&mut file, Section::Seal, seal);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}

fn put(file: &mut Vec<u8>, section: Section, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    file.push(section.tag());
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(payload);
}

/// Takes a file apart into its payloads.
///
/// # Errors
/// [`VerifyError`] in [`Section::Container`]: not a bundle, of another version, cut, padded, or
/// damaged.
pub fn split(file: &[u8]) -> Result<[&[u8]; 9], VerifyError> {
    let wrong = |wrong| VerifyError::of(Section::Container, wrong);
    if file.len() > BUNDLE_BYTES_MAX {
        return Err(wrong(Wrong::TooLong {
            bytes: file.len() as u64,
            bytes_max: BUNDLE_BYTES_MAX as u64,
        }));
    }
    let Some(rest) = file.strip_prefix(MAGIC) else {
        let newer = file.starts_with(&MAGIC[..15]);
        return Err(wrong(if newer {
            Wrong::Version
        } else {
            Wrong::NotABundle
        }));
    };
    let Some((mut rest, checksum)) = rest.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(wrong(Wrong::Cut));
    };
    let covered = &file[..file.len() - CHECKSUM_BYTES];
    if Sha256::digest(covered).as_slice() != checksum {
        return Err(wrong(Wrong::Checksum));
    }
    let mut payloads: [&[u8]; 9] = [&[]; 9];
    for (section, payload) in Section::ALL.iter().zip(&mut payloads) {
        let Some(([tag, length @ ..], after)) = rest.split_first_chunk::<5>() else {
            return Err(wrong(Wrong::SectionMissing(*section)));
        };
        if *tag != section.tag() {
            return Err(wrong(Wrong::SectionMissing(*section)));
        }
        let length = u32::from_be_bytes(*length) as usize;
        let Some((body, after)) = after.split_at_checked(length) else {
            return Err(VerifyError::of(*section, Wrong::Cut));
        };
        (*payload, rest) = (body, after);
    }
    match rest.is_empty() {
        true => Ok(payloads),
        false => Err(wrong(Wrong::Trailing {
            bytes: rest.len() as u64,
        })),
    }
}
