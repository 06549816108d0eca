//! Secret keys. They are wiped when dropped and never shown (Invariant 9).

use core::fmt;

use ed25519_dalek::Signer;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{ChainId, Did, IdentityError, KeyKind, PublicKey, Signature, Statement};

/// A secret key and the public key that belongs to it. Signing is deterministic (RFC 8032,
/// RFC 6979), so it takes no randomness.
#[derive(Clone)]
pub struct SecretKey {
    seed: Zeroizing<[u8; 32]>,
    signer: Signing,
    public: PublicKey,
}

// Each of the three wipes itself when dropped.
#[derive(Clone)]
enum Signing {
    Ed25519(ed25519_dalek::SigningKey),
    Secp256k1(k256::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl SecretKey {
    /// Makes a key from 32 secret bytes: the seed of RFC 8032 for ed25519, the scalar
    /// (big-endian) for the ECDSA curves.
    ///
    /// # Errors
    /// [`IdentityError::SecretRange`] for an ECDSA scalar that is zero or too large: a chance
    /// of 2^-32 for random bytes on P-256, 2^-128 on secp256k1, never for ed25519.
    pub fn from_seed(kind: KeyKind, seed: [u8; 32]) -> Result<Self, IdentityError> {
        let seed = Zeroizing::new(seed);
        let range = IdentityError::SecretRange { kind };
        let signer = match kind {
            KeyKind::Ed25519 => Signing::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)),
            KeyKind::Secp256k1 => {
                Signing::Secp256k1(k256::ecdsa::SigningKey::from_slice(&*seed).map_err(|_| range)?)
            }
            KeyKind::P256 => {
                Signing::P256(p256::ecdsa::SigningKey::from_slice(&*seed).map_err(|_| range)?)
            }
        };
        let public = match &signer {
            Signing::Ed25519(key) => PublicKey::from_bytes(kind, key.verifying_key().as_bytes()),
            Signing::Secp256k1(key) => {
                PublicKey::from_bytes(kind, key.verifying_key().to_sec1_point(true).as_bytes())
            }
            Signing::P256(key) => {
                PublicKey::from_bytes(kind, key.verifying_key().to_sec1_point(true).as_bytes())
            }
        }?;
        Ok(Self {
            seed,
            signer,
            public,
        })
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The `did:key` of the public key.
    pub fn did(&self) -> Did {
        self.public.did()
    }

    /// The secret bytes, for an encrypted key file and nothing else.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Signs a commit's header.
    pub fn sign_commit(&self, chain: &ChainId, header: &[u8]) -> Signature {
        self.sign(&Statement::commit(chain, header))
    }

    /// Signs a command's canonical payload.
    pub fn sign_command(&self, chain: &ChainId, payload: &[u8]) -> Signature {
        self.sign(&Statement::command(chain, payload))
    }

    /// Signs a delegation.
    pub fn sign_delegation(&self, chain: &ChainId, payload: &[u8]) -> Signature {
        self.sign(&Statement::delegation(chain, payload))
    }

    /// Signs a promise.
    pub fn sign_promise(&self, chain: &ChainId, payload: &[u8]) -> Signature {
        self.sign(&Statement::promise(chain, payload))
    }

    /// Signs a JWS signing input.
    ///
    /// # Errors
    /// [`IdentityError::StatementAmbiguous`], never for a JWS signing input.
    pub fn sign_token(&self, signing_input: &[u8]) -> Result<Signature, IdentityError> {
        Ok(self.sign(&Statement::token(signing_input)?))
    }

    /// Signs the bytes of a `SignDoc`.
    ///
    /// # Errors
    /// [`IdentityError::StatementAmbiguous`], never for a `SignDoc` with a body.
    pub fn sign_transaction(&self, sign_doc: &[u8]) -> Result<Signature, IdentityError> {
        Ok(self.sign(&Statement::transaction(sign_doc)?))
    }

    /// Signs a statement of any purpose.
    pub fn sign(&self, statement: &Statement<'_>) -> Signature {
        self.sign_bytes(statement.as_bytes())
    }

    fn sign_bytes(&self, message: &[u8]) -> Signature {
        const CANNOT_FAIL: &str = "a 32-byte digest is long enough for both curves";
        match &self.signer {
            Signing::Ed25519(key) => key.sign(message).to_bytes().into(),
            Signing::Secp256k1(key) => {
                let signature: k256::ecdsa::Signature = key
                    .sign_prehash(&Sha256::digest(message))
                    .expect(CANNOT_FAIL);
                <[u8; 64]>::from(signature.normalize_s().to_bytes()).into()
            }
            Signing::P256(key) => {
                let signature: p256::ecdsa::Signature = key
                    .sign_prehash(&Sha256::digest(message))
                    .expect(CANNOT_FAIL);
                <[u8; 64]>::from(signature.normalize_s().to_bytes()).into()
            }
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({} of {})", self.kind(), self.did())
    }
}
