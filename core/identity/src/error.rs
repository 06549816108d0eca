//! Everything that this crate can refuse, each variant one failed operation.

use crate::KeyKind;

/// Why a key, DID, signature, chain id or address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The name is none of the three key kinds.
    #[error("unknown key kind; use ed25519, secp256k1 or p256")]
    UnknownKind,
    /// A public key of the wrong length; ECDSA keys are compressed.
    #[error("a {kind} public key has {} bytes{}, not {found}", .kind.key_bytes(), if matches!(.kind, KeyKind::Ed25519) { "" } else { " (compressed)" })]
    KeyLength {
        /// The kind that the key was said to have.
        kind: KeyKind,
        /// The length that was given.
        found: usize,
    },
    /// The bytes do not name a point of the curve.
    #[error("these bytes are no {kind} public key: no such point on the curve; check that the key and its kind belong together")]
    KeyPoint {
        /// The kind that the key was said to have.
        kind: KeyKind,
    },
    /// A secret that is zero or not below the group order.
    #[error("this seed is no {kind} secret key: it must lie between 1 and the group order; draw another")]
    SecretRange {
        /// The kind of the key that was asked for.
        kind: KeyKind,
    },
    /// A signature of the wrong length.
    #[error("a signature has 64 bytes, not {found}; ECDSA signatures are r and s of 32 bytes each, not DER")]
    SignatureLength {
        /// The length that was given.
        found: usize,
    },
    /// An ECDSA signature whose `s` lies in the upper half.
    #[error("the {kind} signature has a high s; replace s by the group order minus s")]
    SignatureHigh {
        /// The kind of the key that verified.
        kind: KeyKind,
    },
    /// The signature is not by this key over these bytes.
    #[error("the {kind} signature does not match: other key, other purpose, other chain id, or changed bytes")]
    SignatureWrong {
        /// The kind of the key that verified.
        kind: KeyKind,
    },
    /// Bytes that are signed undressed (transaction, token) but look like another purpose.
    #[error("these bytes begin like a holdfast signing domain; a transaction or token never does")]
    StatementAmbiguous,
    /// The text is longer than any DID that this crate knows.
    #[error(
        "a did:key of a supported kind has at most {} bytes, not {found}",
        crate::DID_BYTES_MAX
    )]
    DidLength {
        /// The length that was given.
        found: usize,
    },
    /// The text does not start with `did:key:z`.
    #[error("an actor is a DID that starts with \"did:key:z\"")]
    DidPrefix,
    /// The rest is not base58btc.
    #[error("the part after \"did:key:z\" is not base58btc; copy the DID whole, without fragment or query")]
    DidBase58,
    /// The multicodec is none of the three.
    #[error("this did:key holds another kind of key; supported are ed25519, secp256k1 and P-256")]
    DidMulticodec,
    /// The text is another spelling of a DID.
    #[error("this did:key is not written in its canonical form")]
    DidCanonical,
    /// A chain id that is empty or too long.
    #[error("a chain id has 1 to {} bytes, not {found}", crate::CHAIN_ID_BYTES_MAX)]
    ChainIdLength {
        /// The length that was given.
        found: usize,
    },
    /// A chain id with a byte outside of the alphabet.
    #[error(
        "a chain id is made of A-Z, a-z, 0-9, '.', '_' and '-'; byte {position} is none of them"
    )]
    ChainIdByte {
        /// Offset of the first wrong byte.
        position: usize,
    },
    /// Keys of this kind sign no transactions, so they have no account.
    #[error("a {kind} key has no account; transactions are signed by secp256k1 or ed25519 keys")]
    NoAccount {
        /// The kind of the key.
        kind: KeyKind,
    },
    /// The text is no bech32 or its checksum is wrong.
    #[error("this is no bech32 address; check for a missing or changed letter")]
    AddressBech32,
    /// The address belongs to another kind of chain.
    #[error("an account address starts with \"{}1\"", crate::ADDRESS_PREFIX)]
    AddressPrefix,
    /// The address does not hold 20 bytes.
    #[error("an account address holds 20 bytes, not {found}")]
    AddressLength {
        /// The length that was found.
        found: usize,
    },
    /// The text is another spelling of an address, in upper case for example.
    #[error("the address is not written in its canonical form; use lower case")]
    AddressCanonical,
}
