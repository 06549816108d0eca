//! Why a transaction is refused before any state is read.

use alloc::string::String;

use identity::{AccountAddress, ChainId, IdentityError};
use wire::canonical::CanonicalError;

use super::MessageError;
use crate::{auth::records::PublicKeyError, Code, Gas, QuantityError};

/// What is wrong with a transaction.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransactionError {
    /// Too many bytes.
    #[error("the transaction has {found} bytes, at most {max} are taken; split it")]
    TooLarge {
        /// How many it has.
        found: usize,
        /// How many are taken.
        max: usize,
    },
    /// A part is not the canonical encoding of what it should be.
    #[error("the {part} is not canonical protobuf")]
    Encoding {
        /// Which part: transaction, body, auth info.
        part: &'static str,
        /// What is wrong with the bytes.
        #[source]
        source: CanonicalError,
    },
    /// Not exactly one signer with one signature.
    #[error("a transaction has one signer and one signature, not {signers} and {signatures}")]
    Signers {
        /// How many signers it names.
        signers: usize,
        /// How many signatures it has.
        signatures: usize,
    },
    /// Another way of signing.
    #[error("sign with SIGN_MODE_DIRECT; {found} is not taken")]
    SignMode {
        /// What was given.
        found: String,
    },
    /// No key.
    #[error("the signer's public key is missing; name it in every transaction")]
    NoPublicKey,
    /// A key that has no account.
    #[error("the signer's public key is not taken")]
    PublicKey(#[source] PublicKeyError),
    /// The signature is no signature.
    #[error("the signature is malformed")]
    SignatureMalformed(#[source] IdentityError),
    /// The signature does not match.
    #[error("the signature does not match; it was checked for chain id {chain}, account number {account_number} and sequence {sequence}: compare these three first")]
    Signature {
        /// The chain it was checked for.
        chain: ChainId,
        /// The account number it was checked for.
        account_number: u64,
        /// The sequence that the transaction names.
        sequence: u64,
        /// What the key says.
        #[source]
        source: IdentityError,
    },
    /// The fee is missing or has several coins.
    #[error("a fee is at most one coin, not {found}")]
    FeeCoins {
        /// How many it has.
        found: usize,
    },
    /// The fee's coin is wrong.
    #[error("the fee is wrong")]
    Fee(#[source] QuantityError),
    /// Another payer, or a fee grant.
    #[error("the signer pays the fee; leave payer and granter empty")]
    FeePayer,
    /// No gas, or too much.
    #[error("the gas limit is {found}; give 1 to {max}")]
    GasLimit {
        /// What was given.
        found: Gas,
        /// The chain's bound.
        max: Gas,
    },
    /// Extension options.
    #[error("extension options are not taken")]
    Extensions,
    /// A memo that is too long.
    #[error(
        "the memo has {found} bytes, at most {} are taken",
        super::MEMO_BYTES_MAX
    )]
    Memo {
        /// How many it has.
        found: usize,
    },
    /// No message, or too many.
    #[error("a transaction has 1 to {} messages, not {found}", super::MESSAGES_MAX)]
    Messages {
        /// How many it has.
        found: usize,
    },
    /// A message is wrong.
    #[error("message {index} is wrong")]
    Message {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: MessageError,
    },
    /// A message acts for somebody else.
    #[error("message {index} acts for {creator}, but {signer} signed")]
    Creator {
        /// Its place, from 0.
        index: usize,
        /// For whom it acts.
        creator: AccountAddress,
        /// Who signed.
        signer: AccountAddress,
    },
}

impl TransactionError {
    /// The number that consensus sees.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Encoding {
                source: CanonicalError::Malformed(_),
                ..
            } => Code::Malformed,
            Self::Encoding {
                source: CanonicalError::TooLong { .. },
                ..
            } => Code::TooLarge,
            Self::Encoding {
                source: CanonicalError::NotCanonical { .. },
                ..
            } => Code::NotCanonical,
            Self::Signers { .. } => Code::Signers,
            Self::SignMode { .. } => Code::SignMode,
            Self::NoPublicKey | Self::PublicKey(_) => Code::PublicKey,
            Self::SignatureMalformed(_) => Code::SignatureMalformed,
            Self::Signature { .. } => Code::Signature,
            Self::FeeCoins { .. } | Self::Fee(_) => Code::Fee,
            Self::FeePayer => Code::FeePayer,
            Self::GasLimit { .. } => Code::GasLimit,
            Self::Extensions => Code::Extensions,
            Self::Memo { .. } => Code::Memo,
            Self::Messages { .. } => Code::Messages,
            Self::Message {
                source: MessageError::UnknownType { .. },
                ..
            } => Code::UnknownMessage,
            Self::Message { .. } => Code::Message,
            Self::Creator { .. } => Code::Creator,
        }
    }
}
