//! Who signs, and what a signature means: keys, DIDs, signing domains, and the one rule by
//! which every node, client and auditor verifies.
//!
//! # One rule
//! Two implementations that disagree about one signature split the hub, or let an auditor
//! refuse what a sidecar counted. So the rule is fixed here and nowhere else:
//!
//! * **ed25519** follows [ZIP-215]: the cofactored equation, non-canonical and small-order
//!   points allowed, `s` below the group order. Single and batch verification then agree on
//!   every input, which RFC 8032 alone does not promise.
//! * **ECDSA** (secp256k1 and P-256) is over SHA-256, the signature is `r || s` in 64 bytes,
//!   and `s` must lie in the lower half, so that nobody but the signer can make a second valid
//!   form of a signature.
//!
//! # Small-order ed25519 keys
//! ZIP-215 accepts them, and so do we. Everybody can sign for such a key, as for a key whose
//! secret was published: whoever takes it as an identity gives that identity away and nobody
//! else's. Refusing them would be a second rule that each implementation must copy exactly.
//! [`PublicKey::is_small_order`] lets a tool warn before somebody grants a right to one.
//!
//! # Signing domains
//! There is one method for each purpose ([`SecretKey::sign_commit`], …) and no method that
//! signs plain bytes. What is signed is a [`Statement`]; statements of different purposes or
//! chains never share bytes.
//!
//! This crate knows no transactions, commits, tokens or policies: to it they are bytes.
//!
//! [ZIP-215]: https://zips.z.cash/zip-0215
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
mod batch;
mod chain_id;
mod did;
mod encoded_key;
mod error;
mod hash;
mod key;
mod kind;
mod secret;
mod signature;
mod statement;

#[cfg(test)]
mod tests;

pub use address::{AccountAddress, ADDRESS_PREFIX};
pub use batch::Batch;
pub use chain_id::{ChainId, CHAIN_ID_BYTES_MAX};
pub use did::{Did, DID_BYTES_MAX};
pub use encoded_key::EncodedKey;
pub use error::IdentityError;
pub use hash::hash;
pub use key::PublicKey;
pub use kind::KeyKind;
pub use secret::SecretKey;
pub use signature::{Signature, SIGNATURE_BYTES};
pub use statement::{Purpose, Statement};
