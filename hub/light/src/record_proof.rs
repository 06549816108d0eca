//! Keys of a policy's tree under a header: from the header to the policy's record, from there to
//! the root of its tree at some revision, and from that root to the entry.

use alloc::vec::Vec;

use hub_types::{
    policy::{self as hub, PolicyLeaf, PolicyRecord},
    Height, PolicyId, Record,
};
use ics23::CommitmentProof;
use merkle::Hash;
use wire::{canonical, light};

use crate::{
    proof::{self, jmt_spec, verify_absence, verify_presence, PROOF_BYTES_MAX},
    LightError, StateProof, Trusted,
};

/// The most hashes of an inclusion path: logs have at most 2^48 leaves.
pub(crate) const PATH_HASHES_MAX: usize = 48;

/// Reads the hashes of a path.
pub(crate) fn hashes_from_wire(
    what: &'static str,
    hashes: &[Vec<u8>],
    max: usize,
) -> Result<Vec<Hash>, LightError> {
    if hashes.len() > max {
        return Err(LightError::TooMany {
            what,
            found: hashes.len(),
            max,
        });
    }
    let read = |hash: &Vec<u8>| {
        hub_types::hash_from(hash).map_err(|found| LightError::Malformed {
            what,
            reason: alloc::format!("a hash has 32 bytes, not {found}"),
        })
    };
    hashes.iter().map(read).collect()
}

/// Writes the hashes of a path.
pub(crate) fn hashes_to_wire(hashes: &[Hash]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.to_vec()).collect()
}

/// A part of a message that must be there.
pub(crate) fn required<'a, T>(
    part: Option<&'a T>,
    what: &'static str,
) -> Result<&'a T, LightError> {
    part.ok_or_else(|| LightError::Malformed {
        what,
        reason: "it is missing".into(),
    })
}

/// An earlier revision's leaf in a policy's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionInclusion {
    /// The leaf; its revision is its index.
    pub leaf: PolicyLeaf,
    /// The RFC 6962 inclusion path under the log's root.
    pub path: Vec<Hash>,
}

/// From a header to the root of a policy's tree.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRootProof {
    record: StateProof,
    earlier: Option<RevisionInclusion>,
}

/// The root of a policy's tree at a revision, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRoot {
    /// The policy's record in the state that was proven.
    pub record: PolicyRecord,
    /// The block after which that is the state.
    pub state_height: Height,
    /// The revision of this root.
    pub revision: u64,
    /// The block of that revision.
    pub height: Height,
    /// The root.
    pub tree_root: Hash,
    /// The revision's leaf, where it is not the newest one.
    pub leaf: Option<PolicyLeaf>,
}

impl PolicyRootProof {
    /// The root at the newest revision.
    #[must_use]
    pub const fn newest(record: StateProof) -> Self {
        Self {
            record,
            earlier: None,
        }
    }

    /// The root at an earlier revision.
    #[must_use]
    pub const fn earlier(record: StateProof, inclusion: RevisionInclusion) -> Self {
        Self {
            record,
            earlier: Some(inclusion),
        }
    }

    /// The proof of the record.
    #[must_use]
    pub const fn record(&self) -> &StateProof {
        &self.record
    }

    /// Verifies it.
    ///
    /// # Errors
    /// What does not verify: as [`StateProof::verify`], [`LightError::Absent`] without such a
    /// policy, [`LightError::Policy`], [`LightError::Path`], [`LightError::Leaf`].
    pub fn verify(&self, trusted: &Trusted, policy: &PolicyId) -> Result<PolicyRoot, LightError> {
        let record: PolicyRecord = self
            .record
            .verify_record(trusted, &hub::keys::policy(policy))?
            .ok_or(LightError::Absent { what: "the policy" })?;
        if record.id != *policy {
            return Err(LightError::Policy {
                expected: *policy,
                found: record.id,
            });
        }
        let newest = record.latest_revision().ok_or(LightError::Malformed {
            what: "policy's record",
            reason: "it has no revision".into(),
        })?;
        let state_height = self.record.state_height();
        let Some(RevisionInclusion { leaf, path }) = &self.earlier else {
            return Ok(PolicyRoot {
                state_height,
                revision: newest,
                height: record.last_height,
                tree_root: record.tree_root,
                leaf: None,
                record,
            });
        };
        const WHAT: &str = "a revision";
        if leaf.policy != *policy {
            return Err(LightError::Leaf {
                what: WHAT,
                reason: "it is another policy's",
            });
        }
        merkle::verify_inclusion(
            &leaf.leaf_hash(),
            leaf.revision,
            record.log.size(),
            path,
            &record.log.root(),
        )
        .map_err(|source| LightError::Path { what: WHAT, source })?;
        Ok(PolicyRoot {
            state_height,
            revision: leaf.revision,
            height: leaf.height,
            tree_root: leaf.tree_root,
            leaf: Some(leaf.clone()),
            record,
        })
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::PolicyRootProof {
        light::PolicyRootProof {
            record: Some(self.record.to_wire()),
            earlier: self
                .earlier
                .as_ref()
                .map(|earlier| light::RevisionInclusion {
                    leaf: Some(earlier.leaf.to_wire()),
                    path: hashes_to_wire(&earlier.path),
                }),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`LightError::Malformed`], [`LightError::Record`], [`LightError::TooMany`], and as
    /// [`StateProof::from_wire`].
    pub fn from_wire(wire: &light::PolicyRootProof) -> Result<Self, LightError> {
        let earlier = |inclusion: &light::RevisionInclusion| {
            let leaf = required(inclusion.leaf.as_ref(), "a revision's leaf")?;
            Ok::<_, LightError>(RevisionInclusion {
                leaf: PolicyLeaf::from_wire(leaf.clone())?,
                path: hashes_from_wire("hashes of a path", &inclusion.path, PATH_HASHES_MAX)?,
            })
        };
        Ok(Self {
            record: StateProof::from_wire(required(wire.record.as_ref(), "policy's record")?)?,
            earlier: wire.earlier.as_ref().map(earlier).transpose()?,
        })
    }
}

/// One key of a policy's tree under the root of that tree.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeProof {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    proof: CommitmentProof,
}

impl TreeProof {
    const WHAT: &'static str = "a key of the policy's tree";

    /// Puts a proof together, for whoever has the tree.
    #[must_use]
    pub const fn new(key: Vec<u8>, value: Option<Vec<u8>>, proof: CommitmentProof) -> Self {
        Self { key, value, proof }
    }

    /// Verifies that this is what the tree with this root says of `key`.
    ///
    /// # Errors
    /// As [`verify_presence`].
    pub fn verify(&self, root: &Hash, key: &[u8]) -> Result<Option<&[u8]>, LightError> {
        if self.key != key {
            return Err(LightError::Key { what: Self::WHAT });
        }
        let spec = jmt_spec();
        match &self.value {
            Some(value) => verify_presence(&spec, root, &self.proof, key, value, Self::WHAT)?,
            None => verify_absence(&spec, root, &self.proof, key, Self::WHAT)?,
        }
        Ok(self.value.as_deref())
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::TreeProof {
        light::TreeProof {
            key: self.key.clone(),
            value: self.value.clone(),
            ics23: canonical::encode(&self.proof),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`LightError::Encoding`].
    pub fn from_wire(wire: &light::TreeProof) -> Result<Self, LightError> {
        Ok(Self {
            key: wire.key.clone(),
            value: wire.value.clone(),
            proof: proof::decode(&wire.ics23, Self::WHAT)?,
        })
    }
}

/// One key of a policy's tree under a header: two steps, as in a Cosmos multistore.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyProof {
    root: PolicyRootProof,
    entry: TreeProof,
}

impl PolicyProof {
    /// Puts a proof together.
    #[must_use]
    pub const fn new(root: PolicyRootProof, entry: TreeProof) -> Self {
        Self { root, entry }
    }

    /// The first step: which header it needs.
    #[must_use]
    pub const fn root(&self) -> &PolicyRootProof {
        &self.root
    }

    /// Verifies both steps, and gives the value, or `None` where the key is proven absent.
    ///
    /// # Errors
    /// As [`PolicyRootProof::verify`] and [`TreeProof::verify`].
    pub fn verify(
        &self,
        trusted: &Trusted,
        policy: &PolicyId,
        key: &[u8],
    ) -> Result<(PolicyRoot, Option<&[u8]>), LightError> {
        let root = self.root.verify(trusted, policy)?;
        let value = self.entry.verify(&root.tree_root, key)?;
        Ok((root, value))
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::PolicyProof {
        light::PolicyProof {
            root: Some(self.root.to_wire()),
            entry: Some(self.entry.to_wire()),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// As those of the parts.
    pub fn from_wire(wire: &light::PolicyProof) -> Result<Self, LightError> {
        Ok(Self {
            root: PolicyRootProof::from_wire(required(wire.root.as_ref(), "policy's root")?)?,
            entry: TreeProof::from_wire(required(wire.entry.as_ref(), "policy's entry")?)?,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`PolicyProof::to_bytes`].
    ///
    /// # Errors
    /// As [`PolicyProof::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&proof::decode_message(
            bytes,
            4 * PROOF_BYTES_MAX,
            "policy proof",
        )?)
    }
}
