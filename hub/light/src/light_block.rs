//! A header with its commit and validators, in the one form that is verified, kept and sent.

use alloc::{string::ToString, vec::Vec};

use hub_types::{BlockHash, Height};
use tendermint::{
    block::{signed_header::SignedHeader, CommitSig},
    validator,
};
use tendermint_proto::v0_38::types::{
    SignedHeader as RawSignedHeader, Validator as RawValidator, ValidatorSet as RawValidatorSet,
};
use wire::{light, Message};

use crate::{block_hash, height_of, proof::decode_message, LightError};

/// The most validators of one block. CometBFT takes 10,000; a chain of this size would need
/// another way of collecting votes long before, and checking them is quadratic in places.
pub const VALIDATORS_MAX: usize = 1_000;

/// The largest encoded light block: 300 bytes a validator, and the header.
pub const LIGHT_BLOCK_BYTES_MAX: usize = VALIDATORS_MAX * 300 + 4_096;

/// A header with the commit and the validators of its height, and those of the next where they
/// differ.
///
/// Only what a verifier looks at is in it: votes for nil, proposers and priorities are dropped
/// when it is made, and refused when it is read. So every byte of its encoding is covered by the
/// header's hash or by a signature that is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct LightBlock {
    pub(crate) signed_header: SignedHeader,
    pub(crate) validators: validator::Set,
    pub(crate) next_validators: Option<validator::Set>,
}

impl LightBlock {
    /// Puts a light block together from what a node answered. Addresses are derived from keys
    /// again, because what is parsed from JSON may say anything.
    ///
    /// # Errors
    /// [`LightError::TooMany`] validators, [`LightError::Malformed`] validators or commit.
    pub fn new(
        mut signed_header: SignedHeader,
        validators: &[validator::Info],
        next_validators: Option<&[validator::Info]>,
    ) -> Result<Self, LightError> {
        if signed_header.commit.signatures.len() > VALIDATORS_MAX {
            let found = signed_header.commit.signatures.len();
            return Err(LightError::TooMany {
                what: "signatures",
                found,
                max: VALIDATORS_MAX,
            });
        }
        for signature in &mut signed_header.commit.signatures {
            if matches!(signature, CommitSig::BlockIdFlagNil { .. }) {
                *signature = CommitSig::BlockIdFlagAbsent;
            }
        }
        let header = &signed_header.header;
        let same = header.validators_hash == header.next_validators_hash;
        let next_validators = match next_validators {
            Some(next) if !same => Some(set(next)?),
            _ => None,
        };
        Ok(Self {
            validators: set(validators)?,
            next_validators,
            signed_header,
        })
    }

    /// The header's height.
    #[must_use]
    pub fn height(&self) -> Height {
        height_of(self.signed_header.header.height)
    }

    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        block_hash(&self.signed_header.header)
    }

    /// The header and its commit.
    #[must_use]
    pub const fn signed_header(&self) -> &SignedHeader {
        &self.signed_header
    }

    /// The validators of this height.
    #[must_use]
    pub const fn validators(&self) -> &validator::Set {
        &self.validators
    }

    /// The validators of the next height: these where the header says that they do not change,
    /// `None` where they change and were not given.
    #[must_use]
    pub fn next_validators(&self) -> Option<&validator::Set> {
        let header = &self.signed_header.header;
        match header.validators_hash == header.next_validators_hash {
            true => Some(&self.validators),
            false => self.next_validators.as_ref(),
        }
    }

    /// Without the validators of the next height: what a bundle carries, which leads nowhere.
    #[must_use]
    pub fn without_next_validators(mut self) -> Self {
        self.next_validators = None;
        self
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::LightBlock {
        light::LightBlock {
            signed_header: RawSignedHeader::from(self.signed_header.clone()).encode_to_vec(),
            validators: raw_set(&self.validators).encode_to_vec(),
            next_validators: self
                .next_validators
                .as_ref()
                .map(|set| raw_set(set).encode_to_vec())
                .unwrap_or_default(),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`LightError::Encoding`], [`LightError::Malformed`], [`LightError::TooMany`].
    pub fn from_wire(wire: &light::LightBlock) -> Result<Self, LightError> {
        let signed_header: RawSignedHeader = decode("signed header", &wire.signed_header)?;
        let signed_header: SignedHeader = signed_header
            .try_into()
            .map_err(|error: tendermint::Error| malformed("signed header", &error))?;
        let infos = |what, bytes: &[u8]| -> Result<Vec<validator::Info>, LightError> {
            let raw: RawValidatorSet = decode(what, bytes)?;
            check_count(raw.validators.len())?;
            raw.validators
                .into_iter()
                .map(|one| {
                    one.try_into()
                        .map_err(|error: tendermint::Error| malformed(what, &error))
                })
                .collect()
        };
        let validators = infos("validators", &wire.validators)?;
        let next = match wire.next_validators.as_slice() {
            [] => None,
            bytes => Some(infos("next validators", bytes)?),
        };
        let block = Self::new(signed_header, &validators, next.as_deref())?;
        // Whatever was dropped or put in order above was not in its one form.
        match block.to_wire() == *wire {
            true => Ok(block),
            false => Err(LightError::Malformed {
                what: "light block",
                reason: "it holds votes for nil, proposers, priorities or another order".into(),
            }),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// Reads [`LightBlock::to_bytes`].
    ///
    /// # Errors
    /// As [`LightBlock::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&decode("light block", bytes)?)
    }
}

fn decode<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, LightError> {
    decode_message(bytes, LIGHT_BLOCK_BYTES_MAX, what)
}

fn malformed(what: &'static str, error: &tendermint::Error) -> LightError {
    LightError::Malformed {
        what,
        reason: error.to_string(),
    }
}

fn check_count(found: usize) -> Result<(), LightError> {
    match found <= VALIDATORS_MAX {
        true => Ok(()),
        false => Err(LightError::TooMany {
            what: "validators",
            found,
            max: VALIDATORS_MAX,
        }),
    }
}

/// A set of these validators, with nothing but keys and power. Goes through the raw form, whose
/// conversion checks the sum of powers; the plain constructor panics on it.
fn set(infos: &[validator::Info]) -> Result<validator::Set, LightError> {
    check_count(infos.len())?;
    let validators = infos
        .iter()
        .map(|info| RawValidator::from(validator::Info::new(info.pub_key, info.power)))
        .collect();
    RawValidatorSet {
        validators,
        proposer: None,
        total_voting_power: 0,
    }
    .try_into()
    .map_err(|error: tendermint::Error| malformed("validators", &error))
}

fn raw_set(set: &validator::Set) -> RawValidatorSet {
    let validators = set
        .validators()
        .iter()
        .cloned()
        .map(RawValidator::from)
        .collect();
    RawValidatorSet {
        validators,
        proposer: None,
        total_voting_power: 0,
    }
}
