//! Builds headers and commits from validator keys, byte for byte as CometBFT 0.38 does.
//!
//! The embedded engine (`hubd dev`) makes its chain with it, and tests make chains that lie: a
//! header that is forged well has the right hash and enough signatures by the wrong keys. It
//! forges nothing by itself: what it signs, it signs with keys that the caller has.
//!
//! Hashes follow CometBFT's data structures specification (spec/core/data_structures.md): all
//! lists are RFC 6962 trees, as in our own `merkle`.

use alloc::vec::Vec;

use ed25519_dalek::{Signer as _, SigningKey};
use merkle::root_of;
use sha2::{Digest as _, Sha256};
use tendermint::{
    account,
    block::{
        self,
        header::{Header, Version},
        parts, Commit, CommitSig, Height, Id as BlockId, Round,
    },
    chain, validator, vote, AppHash, Hash, PublicKey, Signature, Time,
};
use tendermint_proto::{
    v0_38::{
        abci::ExecTxResult,
        types::{HashedParams, SimpleValidator},
    },
    Protobuf,
};

/// CometBFT's block protocol (`version.BlockProtocol` in v0.38).
pub const BLOCK_PROTOCOL: u64 = 11;

/// Bytes of one block part (`types.BlockPartSizeBytes`).
const PART_BYTES: usize = 65_536;

/// A validator whose key is at hand.
#[derive(Clone)]
pub struct Validator {
    key: SigningKey,
    power: u32,
}

impl core::fmt::Debug for Validator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Validator")
            .field("address", &self.address())
            .field("power", &self.power)
            .finish()
    }
}

impl Validator {
    /// A validator with the ed25519 key of that seed.
    #[must_use]
    pub fn new(seed: [u8; 32], power: u32) -> Self {
        Self {
            key: SigningKey::from_bytes(&seed),
            power,
        }
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_raw_ed25519(self.key.verifying_key().as_bytes())
            .expect("a verifying key is a public key")
    }

    /// Its address: the first 20 bytes of the key's SHA-256.
    #[must_use]
    pub fn address(&self) -> account::Id {
        account::Id::from(self.public_key())
    }

    /// What the validator set says of it.
    #[must_use]
    pub fn info(&self) -> validator::Info {
        validator::Info::new(self.public_key(), vote::Power::from(self.power))
    }
}

/// The set of these validators, in CometBFT's order: by power, then by address.
#[must_use]
pub fn validator_set(validators: &[Validator]) -> validator::Set {
    validator::Set::without_proposer(validators.iter().map(Validator::info).collect())
}

/// What a header says, besides what follows from the validator sets.
#[derive(Clone, Debug)]
pub struct HeaderParts {
    /// The chain.
    pub chain_id: chain::Id,
    /// The application's protocol version.
    pub app_version: u64,
    /// The block's height.
    pub height: Height,
    /// The block's time.
    pub time: Time,
    /// The block before; `None` for the first.
    pub last_block_id: Option<BlockId>,
    /// [`last_commit_hash`] of the commit for the block before.
    pub last_commit_hash: Hash,
    /// [`data_hash`] of the block's transactions.
    pub data_hash: Hash,
    /// Hash of the block's validators.
    pub validators_hash: Hash,
    /// Hash of the next block's validators.
    pub next_validators_hash: Hash,
    /// [`consensus_hash`] of the parameters in force.
    pub consensus_hash: Hash,
    /// The application's state after the block before.
    pub app_hash: Vec<u8>,
    /// [`results_hash`] of the block before.
    pub last_results_hash: Hash,
    /// Who proposed the block.
    pub proposer_address: account::Id,
}

/// Makes the header.
///
/// # Panics
/// When `app_hash` is longer than CometBFT takes; an application's never is.
#[must_use]
pub fn header(parts: HeaderParts) -> Header {
    Header {
        version: Version {
            block: BLOCK_PROTOCOL,
            app: parts.app_version,
        },
        chain_id: parts.chain_id,
        height: parts.height,
        time: parts.time,
        last_block_id: parts.last_block_id,
        last_commit_hash: Some(parts.last_commit_hash),
        data_hash: Some(parts.data_hash),
        validators_hash: parts.validators_hash,
        next_validators_hash: parts.next_validators_hash,
        consensus_hash: parts.consensus_hash,
        app_hash: AppHash::try_from(parts.app_hash).expect("any bytes are an app hash"),
        last_results_hash: Some(parts.last_results_hash),
        evidence_hash: Some(Hash::Sha256(merkle::EMPTY_ROOT)),
        proposer_address: parts.proposer_address,
    }
}

/// The id of a block: its header's hash and the root of its parts. `block` is the protobuf form of
/// the whole block; a light client never sees it, so tests may give anything.
///
/// # Panics
/// When the block has more than 2^32 parts.
#[must_use]
pub fn block_id(header: &Header, block: &[u8]) -> BlockId {
    let parts: Vec<&[u8]> = block.chunks(PART_BYTES).collect();
    let total = u32::try_from(parts.len().max(1)).expect("a block has fewer than 2^32 parts");
    let root = if parts.is_empty() {
        root_of([[].as_slice()])
    } else {
        root_of(parts)
    };
    let part_set_header =
        parts::Header::new(total, Hash::Sha256(root)).expect("a total that is not zero is valid");
    BlockId {
        hash: header.hash(),
        part_set_header,
    }
}

/// The commit by which `signers` agree to a block in round 0. A validator of `set` that is not
/// among the signers is absent. `time` is the time of every vote.
#[must_use]
pub fn commit(
    chain_id: &chain::Id,
    height: Height,
    block_id: BlockId,
    set: &validator::Set,
    signers: &[Validator],
    time: Time,
) -> Commit {
    let round = Round::default();
    let bytes = vote::CanonicalVote {
        vote_type: vote::Type::Precommit,
        height,
        round,
        block_id: Some(block_id),
        timestamp: Some(time),
        chain_id: chain_id.clone(),
    };
    let mut sign_bytes = Vec::new();
    Protobuf::<tendermint_proto::v0_38::types::CanonicalVote>::encode_length_delimited(
        bytes,
        &mut sign_bytes,
    )
    .expect("a vector takes all bytes");
    let signature = |info: &validator::Info| {
        let Some(signer) = signers
            .iter()
            .find(|signer| signer.address() == info.address)
        else {
            return CommitSig::BlockIdFlagAbsent;
        };
        let signature = signer.key.sign(&sign_bytes).to_bytes();
        CommitSig::BlockIdFlagCommit {
            validator_address: info.address,
            timestamp: time,
            signature: Signature::new(signature).expect("64 bytes are a signature"),
        }
    };
    Commit {
        height,
        round,
        block_id,
        signatures: set.validators().iter().map(signature).collect(),
    }
}

/// A header together with its commit.
///
/// # Panics
/// When both are not of one height, which is the caller's error.
#[must_use]
pub fn signed_header(header: Header, commit: Commit) -> block::signed_header::SignedHeader {
    block::signed_header::SignedHeader::new(header, commit)
        .expect("header and commit are of one height")
}

/// `Commit.Hash`: the root over the protobuf forms of the signatures. The empty commit before the
/// first block has [`merkle::EMPTY_ROOT`].
#[must_use]
pub fn last_commit_hash(commit: &Commit) -> Hash {
    let encode = |signature: &CommitSig| {
        let wire = tendermint_proto::v0_38::types::CommitSig::from(signature.clone());
        wire::Message::encode_to_vec(&wire)
    };
    Hash::Sha256(root_of(commit.signatures.iter().map(encode)))
}

/// `Txs.Hash`: the root over the SHA-256 of each transaction.
#[must_use]
pub fn data_hash<'a>(transactions: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let hash = |transaction: &[u8]| <[u8; 32]>::from(Sha256::digest(transaction));
    Hash::Sha256(root_of(transactions.into_iter().map(hash)))
}

/// `LastResultsHash`: the root over code, data, gas wanted and gas used of each result; nothing
/// else of a result is consensus.
#[must_use]
pub fn results_hash<'a>(results: impl IntoIterator<Item = &'a ExecTxResult>) -> Hash {
    let encode = |result: &ExecTxResult| {
        let deterministic = ExecTxResult {
            code: result.code,
            data: result.data.clone(),
            gas_wanted: result.gas_wanted,
            gas_used: result.gas_used,
            ..ExecTxResult::default()
        };
        wire::Message::encode_to_vec(&deterministic)
    };
    Hash::Sha256(root_of(results.into_iter().map(encode)))
}

/// `ConsensusParams.Hash`: SHA-256 of the two block limits.
#[must_use]
pub fn consensus_hash(block_max_bytes: i64, block_max_gas: i64) -> Hash {
    let params = HashedParams {
        block_max_bytes,
        block_max_gas,
    };
    Hash::Sha256(Sha256::digest(wire::Message::encode_to_vec(&params)).into())
}

/// The hash of a validator set, computed here to be compared with `tendermint`'s own in tests.
#[must_use]
pub fn validators_hash(set: &validator::Set) -> Hash {
    let encode = |info: &validator::Info| {
        let simple = SimpleValidator {
            pub_key: Some(info.pub_key.into()),
            voting_power: info.power.into(),
        };
        wire::Message::encode_to_vec(&simple)
    };
    Hash::Sha256(root_of(set.validators().iter().map(encode)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_trees_are_cometbfts() {
        let validators: Vec<Validator> = (1..=5)
            .map(|seed| Validator::new([seed; 32], u32::from(seed)))
            .collect();
        let set = validator_set(&validators);
        assert_eq!(validators_hash(&set), set.hash());
    }
}
