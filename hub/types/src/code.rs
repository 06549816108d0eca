//! The one table of error codes.
//!
//! CometBFT hashes the code of every transaction into LastResultsHash, so a number that changes
//! its meaning splits the chain. Numbers are never reused; the snapshot test holds the table.

use core::fmt;

/// The namespace in which [`Code`] counts.
pub const CODESPACE: &str = "holdfast";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// Why a transaction failed, as consensus sees it. 0 is success and stands in no variant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Code {
            $($(#[$doc])* $name = $number,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in this table.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    // 1 to 29: the transaction itself, before any state is read.

    /// Not a protobuf of a transaction.
    Malformed = 1,
    /// Another spelling of a transaction: unknown fields, trailing bytes.
    NotCanonical = 2,
    /// Too many bytes.
    TooLarge = 3,
    /// No signer, or several.
    Signers = 4,
    /// Not SIGN_MODE_DIRECT.
    SignMode = 5,
    /// No public key, or none that has an account.
    PublicKey = 6,
    /// The signature is not 64 bytes.
    SignatureMalformed = 7,
    /// The signature does not match: another key, chain id, account number, or changed bytes.
    Signature = 8,
    /// The fee is no single coin of the chain's denomination.
    Fee = 9,
    /// Another payer or a fee grant is named.
    FeePayer = 10,
    /// The gas limit is zero or above the chain's bound.
    GasLimit = 11,
    /// The transaction has extension options.
    Extensions = 12,
    /// The memo is too long.
    Memo = 13,
    /// No message, or too many.
    Messages = 14,
    /// A message of a type that the chain does not know.
    UnknownMessage = 15,
    /// A message that is malformed or has a wrong field.
    Message = 16,
    /// A message whose creator is not the signer.
    Creator = 17,

    // 30 to 39: the transaction and the signer's account.

    /// The signer has no account.
    UnknownAccount = 30,
    /// The sequence is not the account's.
    Sequence = 31,
    /// The block is above the timeout height.
    TimedOut = 32,
    /// The fee is too low for the gas.
    FeeTooLow = 33,
    /// The account cannot pay the fee.
    FeeFunds = 34,
    /// The execution needed more gas than the limit.
    OutOfGas = 35,
    /// The transactions before it in the block leave less gas than it asks for.
    BlockGas = 36,

    // 40 to 49: bank.

    /// The sender does not hold that much.
    InsufficientFunds = 40,

    // 50 to 79: policy.

    /// No such policy.
    UnknownPolicy = 50,
    /// The definition does not compile.
    Definition = 51,
    /// The actor lacks the permission for this change.
    NotPermitted = 52,
    /// A relationship that the policy does not allow.
    Relationship = 53,
    /// A precondition does not hold.
    Precondition = 54,
    /// The policy has no such resource.
    UnknownResource = 55,
    /// The object is registered already.
    AlreadyRegistered = 56,
    /// The document's id is not derived from what the message says.
    DocumentId = 57,
    /// Somebody other than a document's author registers it.
    NotAuthor = 58,
    /// A document of a collection that does not exist.
    UnknownCollection = 59,
    /// A collection that cannot be defined so.
    Collection = 60,
    /// A permission could not be decided within the engine's bounds.
    Undecided = 61,
    /// A relation of one object is full, or the object's record.
    RelationFull = 62,
    /// The object is a derived document and has no record yet.
    NotRegistered = 63,
    /// The policy has changed as often in this block as it may.
    TooManyChanges = 64,

    // 80 to 99: audit.

    /// No such audit log.
    UnknownLog = 80,
    /// The operator has a log open for the policy.
    LogAlreadyOpen = 81,
    /// Somebody other than the anchoring DID anchors.
    NotAnchoringKey = 82,
    /// The log has ended.
    LogSealed = 83,
    /// The anchor starts from another size than the last one.
    AnchorOldSize = 84,
    /// The log has not grown.
    AnchorNotGrown = 85,
    /// The log was rewritten.
    AnchorInconsistent = 86,
}

impl Code {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CODESPACE}/{} {}", self.number(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    #[test]
    fn the_table_is_as_it_was_published() {
        let table: String = Code::ALL
            .iter()
            .map(|code| format!("{} {}\n", code.number(), code.name()))
            .collect();
        let published = include_str!("../tests/codes.txt");
        assert_eq!(
            table, published,
            "codes are consensus: add new numbers to tests/codes.txt, never change old ones"
        );
    }

    #[test]
    fn numbers_come_back_as_their_codes() {
        for code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(*code));
        }
        assert_eq!(Code::from_number(0), None);
    }
}
