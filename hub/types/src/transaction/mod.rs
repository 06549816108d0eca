//! Transactions: what a person signs, checked once at the door.
//!
//! They are Cosmos SDK transactions (TxRaw, SIGN_MODE_DIRECT), so that CosmJS, Keplr and cosmrs
//! sign for Holdfast unchanged, but read more strictly: one signer, canonical encoding all the way
//! down, no extensions. [`Transaction::parse`] needs no state; what needs the signer's account
//! ([`Verified::check`]) comes after it, and the type says which has passed.

mod builder;
mod error;
mod message;
mod parse;
mod verify;

#[cfg(test)]
mod tests;

use alloc::{string::String, vec::Vec};

use identity::{AccountAddress, Did, PublicKey, Signature};

pub use builder::TransactionBuilder;
pub use error::TransactionError;
pub use message::{Message, MessageError};
pub use verify::Verified;

use crate::{Amount, Gas, Height, TransactionHash};

/// The most messages of one transaction: a batch of relationships is one message, and whoever
/// sends more than this gains nothing that a second transaction would not give.
pub const MESSAGES_MAX: usize = 32;

/// The longest memo, as in the Cosmos SDK.
pub const MEMO_BYTES_MAX: usize = 256;

/// No transaction is shorter: it holds a signature of 64 bytes and a key of at least 32.
pub const BYTES_MIN: usize = 96;

/// The largest transaction that is decoded at all, whatever the chain's parameters say.
pub const BYTES_MAX: usize = 1024 * 1024;

/// A well-formed transaction. Its signature was not checked yet, see [`Verified`].
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    pub(crate) hash: TransactionHash,
    pub(crate) bytes_len: usize,
    pub(crate) messages: Vec<Message>,
    pub(crate) signer: Signer,
    pub(crate) sequence: u64,
    pub(crate) fee: Fee,
    pub(crate) memo: String,
    pub(crate) timeout_height: Option<Height>,
    pub(crate) signature: Signature,
    pub(crate) body_bytes: Vec<u8>,
    pub(crate) auth_info_bytes: Vec<u8>,
}

/// The one who signs, pays and acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// Its account.
    pub address: AccountAddress,
    /// The actor: the key's `did:key`.
    pub did: Did,
}

/// What is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The fee.
    pub amount: Amount,
    /// The most gas that execution may use.
    pub gas_limit: Gas,
}

impl Transaction {
    /// SHA-256 of its bytes.
    #[must_use]
    pub const fn hash(&self) -> TransactionHash {
        self.hash
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn bytes_len(&self) -> usize {
        self.bytes_len
    }

    /// What is to be done, in order, all or none; at least one.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Who signs.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The account's sequence.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What is paid.
    #[must_use]
    pub const fn fee(&self) -> Fee {
        self.fee
    }

    /// Free text.
    #[must_use]
    pub fn memo(&self) -> &str {
        &self.memo
    }

    /// The last block that may hold it.
    #[must_use]
    pub const fn timeout_height(&self) -> Option<Height> {
        self.timeout_height
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }
}
