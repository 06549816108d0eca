//! What work costs.
//!
//! One unit is about a nanosecond of one core of the machine on which DESIGN §4 was measured, so
//! that the numbers can be checked against benchmarks. The schedule is consensus: gas used is
//! hashed into LastResultsHash, and a change of a number is a new version.

use crate::{Gas, Message};

/// The version of this schedule; stands in the parameters record.
pub const GAS_SCHEDULE_VERSION: u32 = 1;

/// The most gas that the transactions of one block may ask for together: three seconds of one core
/// by this schedule, and half of a send is its signature, which is verified on all cores. Fifteen
/// thousand sends of 200,000 fit, more than the bytes of a block hold; and twelve transactions of
/// the largest limit.
///
/// A proposer leaves out what does not fit, a block beyond it is refused, and where one is decided
/// all the same, the transactions that no gas is left for are refused as they come.
pub const BLOCK_GAS_MAX: Gas = 3_000_000_000;

/// The schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasSchedule {
    /// A byte of a transaction: decoded, hashed, stored and gossiped.
    pub per_transaction_byte: Gas,
    /// One ed25519 signature: 29 µs.
    pub signature_ed25519: Gas,
    /// One secp256k1 signature: 80 µs.
    pub signature_secp256k1: Gas,
    /// A record that is read: a RocksDB get and its decoding, about 3 µs. A deleted key that a search
    /// for the greatest key passes over costs as much.
    pub record_read: Gas,
    /// A byte of a record that is read, or that is made anew in memory: it is fetched, unpacked and
    /// decoded to subjects, some 3 ns.
    pub per_byte_read: Gas,
    /// A key of a tree that is written: 25 µs of JMT.
    pub record_write: Gas,
    /// A byte of a record that is written.
    pub per_record_byte: Gas,
    /// One step of the policy engine's canonical walk: at most one record read, whose bytes count
    /// beside it.
    pub policy_step: Gas,
    /// A byte of a definition that is compiled, or of one that may have to be: whether a node still
    /// holds it compiled is no business of the chain's, so each message that needs it pays.
    pub per_definition_byte: Gas,
    /// One change in a policy's log: a leaf hash and its storage.
    pub policy_change: Gas,
    /// One hash of a consistency proof.
    pub proof_hash: Gas,
}

impl GasSchedule {
    /// Version 1.
    pub const V1: Self = Self {
        per_transaction_byte: 10,
        signature_ed25519: 29_000,
        signature_secp256k1: 80_000,
        record_read: 3_000,
        per_byte_read: 5,
        record_write: 25_000,
        per_record_byte: 30,
        policy_step: 3_000,
        per_definition_byte: 300,
        policy_change: 5_000,
        proof_hash: 1_000,
    };

    /// The schedule with this version.
    #[must_use]
    pub const fn of_version(version: u32) -> Option<Self> {
        match version {
            1 => Some(Self::V1),
            _ => None,
        }
    }

    /// What a transaction costs before its messages: its bytes, its signature, and reading and
    /// writing the signer's account.
    #[must_use]
    pub fn transaction(&self, bytes: usize, kind: identity::KeyKind) -> Gas {
        let signature = match kind {
            identity::KeyKind::Ed25519 => self.signature_ed25519,
            identity::KeyKind::Secp256k1 | identity::KeyKind::P256 => self.signature_secp256k1,
        };
        (bytes as u64)
            .saturating_mul(self.per_transaction_byte)
            .saturating_add(signature)
            .saturating_add(self.record_read)
            .saturating_add(self.record_write)
    }

    /// What a message costs beyond the records, steps and changes that execution counts.
    #[must_use]
    pub fn message(&self, message: &Message) -> Gas {
        match message {
            Message::CreatePolicy(create) => {
                (create.definition.len() as u64).saturating_mul(self.per_definition_byte)
            }
            Message::DefineCollection(define) => {
                (define.schema.len() as u64).saturating_mul(self.per_definition_byte)
            }
            Message::Anchor(anchor) => {
                (anchor.consistency.len() as u64).saturating_mul(self.proof_hash)
            }
            Message::Send(_)
            | Message::SetRelationships(_)
            | Message::RegisterObject(_)
            | Message::OpenLog(_) => 0,
        }
    }
}
