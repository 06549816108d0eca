//! Attestations that came along with commits, before any of those is kept.

use std::collections::{BTreeMap, BTreeSet};

use audit::verdict::{may_attest, Attestation};
use crdt::{Commit, Header};
use hub_types::PolicyId;

use crate::store::keys::Digest;

/// Attestations whose receipts were verified, by commit, each with the policy of its log.
pub type Attested = BTreeMap<Digest, Vec<(PolicyId, Attestation)>>;

/// Attestations that came along with a batch of commits.
#[derive(Default)]
pub(super) struct Heard {
    /// Those of each commit itself: they are kept as soon as it is.
    pub own: Attested,
    /// Those of each commit and of all in the batch that follow it. Whether these are kept is not
    /// known before their own commits are.
    pub inherited: Attested,
}

impl Heard {
    /// Gives each attestation to its commit, and to those of `commits` that its commit follows:
    /// whoever held a commit held them.
    pub fn of<'a>(attested: Attested, commits: impl Iterator<Item = &'a Commit>) -> Self {
        let mut heard = Self::default();
        if attested.is_empty() {
            return heard;
        }
        let headers: BTreeMap<Digest, &Header> = commits
            .map(|commit| (*commit.cid().digest(), commit.header()))
            .collect();
        for (commit, mut attestations) in attested {
            let Some(header) = headers.get(&commit) else {
                continue;
            };
            let (cited, author) = (header.authority.height, header.author.as_str());
            attestations.retain(|(_, attestation)| may_attest(cited, author, attestation));
            let mut seen = BTreeSet::from([commit]);
            let mut open = vec![commit];
            while let Some(commit) = open.pop() {
                let of_commit = heard.inherited.entry(commit).or_default();
                of_commit.extend(attestations.iter().cloned());
                let parents = headers.get(&commit).map(|header| &header.parents);
                for parent in parents.into_iter().flatten() {
                    if headers.contains_key(parent.digest()) && seen.insert(*parent.digest()) {
                        open.push(*parent.digest());
                    }
                }
            }
            heard.own.insert(commit, attestations);
        }
        heard
    }
}
