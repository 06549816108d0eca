//! Names of 32 bytes.

use alloc::string::String;
use core::fmt;

use identity::{ChainId, Did};
use sha2::{Digest, Sha256};

/// Why bytes or text are no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 32 bytes.
    #[error("{what} has 32 bytes, not {found}")]
    Length {
        /// Which kind of id.
        what: &'static str,
        /// The length that was given.
        found: usize,
    },
    /// Not lower-case hexadecimal digits.
    #[error("{what} is written as 64 lower-case hexadecimal digits; names like \"plant\" are local aliases, see `hold hub alias`")]
    Text {
        /// Which kind of id.
        what: &'static str,
    },
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Takes 32 bytes from a record or message.
            ///
            /// # Errors
            /// [`IdError::Length`].
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                bytes
                    .try_into()
                    .map(Self)
                    .map_err(|_| IdError::Length { what: $what, found: bytes.len() })
            }

            /// Reads 64 lower-case hexadecimal digits.
            ///
            /// # Errors
            /// [`IdError::Text`].
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; 32];
                let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if lower => Ok(Self(bytes)),
                    _ => Err(IdError::Text { what: $what }),
                }
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 32 bytes, for a message.
            #[must_use]
            pub fn to_vec(self) -> alloc::vec::Vec<u8> {
                self.0.to_vec()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), hex::encode(self.0))
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

id!(
    /// A policy's id.
    PolicyId,
    "a policy id"
);
id!(
    /// An audit log's id.
    LogId,
    "an audit log's id"
);
id!(
    /// SHA-256 of a transaction's bytes, as CometBFT names it.
    TransactionHash,
    "a transaction hash"
);
id!(
    /// The hash of a block, which is the hash of its header.
    BlockHash,
    "a block hash"
);

impl PolicyId {
    /// The id of the policy that `creator` creates in message `message` of its transaction with
    /// this sequence. Account sequences never repeat, so neither do ids.
    #[must_use]
    pub fn derive(chain: &ChainId, creator: &Did, sequence: u64, message: u32) -> Self {
        Self(derive(
            "holdfast/policy/1",
            chain,
            creator,
            sequence,
            message,
        ))
    }
}

impl LogId {
    /// The id of the audit log that `operator` opens; see [`PolicyId::derive`].
    #[must_use]
    pub fn derive(chain: &ChainId, operator: &Did, sequence: u64, message: u32) -> Self {
        Self(derive("holdfast/log/1", chain, operator, sequence, message))
    }
}

impl TransactionHash {
    /// The hash of a transaction's bytes.
    #[must_use]
    pub fn of(transaction: &[u8]) -> Self {
        Self(Sha256::digest(transaction).into())
    }

    /// As CometBFT and Cosmos write it: upper-case hexadecimal digits.
    #[must_use]
    pub fn to_upper_hex(&self) -> String {
        hex::encode_upper(self.0)
    }
}

/// One transaction may create several things, so the place of the message counts as well.
fn derive(domain: &str, chain: &ChainId, creator: &Did, sequence: u64, message: u32) -> [u8; 32] {
    identity::hash(
        domain,
        &[
            chain.as_str().as_bytes(),
            creator.as_str().as_bytes(),
            &sequence.to_be_bytes(),
            &message.to_be_bytes(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn an_id_has_one_text() {
        let id = PolicyId::new([0xab; 32]);
        assert_eq!(PolicyId::parse(&id.to_string()), Ok(id));
        for bad in [
            "",
            "ab",
            &id.to_string().to_uppercase(),
            &(id.to_string() + "00"),
        ] {
            assert!(PolicyId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_component_names_another_policy() {
        let did = |seed| {
            identity::SecretKey::from_seed(identity::KeyKind::Ed25519, [seed; 32])
                .unwrap()
                .did()
        };
        let chain = |text| ChainId::parse(text).unwrap();
        let ids = [
            PolicyId::derive(&chain("a"), &did(1), 0, 0),
            PolicyId::derive(&chain("b"), &did(1), 0, 0),
            PolicyId::derive(&chain("a"), &did(2), 0, 0),
            PolicyId::derive(&chain("a"), &did(1), 1, 0),
            PolicyId::derive(&chain("a"), &did(1), 0, 1),
            PolicyId::new(*LogId::derive(&chain("a"), &did(1), 0, 0).as_bytes()),
        ];
        let distinct: alloc::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
