//! Public keys: parsed once, so that verification starts from a point and cannot fail to have
//! one.

use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_zebra::VerificationKey;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256};

use crate::{ChainId, Did, EncodedKey, IdentityError, KeyKind, Signature, Statement};

/// A public key of one of the three kinds, known to be a point of its curve.
///
/// Equality, order and hash are those of (kind, bytes). About 250 bytes, because the
/// decompressed point is kept: finding it again would be a fifth of each verification.
#[derive(Clone, Copy)]
pub struct PublicKey {
    encoded: EncodedKey,
    point: Point,
}

#[derive(Clone, Copy)]
pub(crate) enum Point {
    Ed25519(VerificationKey),
    Secp256k1(k256::ecdsa::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Parses a key: 32 bytes for ed25519 (any encoding that ZIP-215 accepts), 33 for the
    /// ECDSA curves (SEC 1 compressed, first byte 2 or 3, nothing else).
    ///
    /// # Errors
    /// [`IdentityError::KeyLength`], [`IdentityError::KeyPoint`].
    pub fn from_bytes(kind: KeyKind, bytes: &[u8]) -> Result<Self, IdentityError> {
        Self::from_encoded(EncodedKey::new(kind, bytes)?)
    }

    pub(crate) fn from_encoded(encoded: EncodedKey) -> Result<Self, IdentityError> {
        let (kind, bytes) = (encoded.kind(), encoded.as_bytes());
        let point = match kind {
            KeyKind::Ed25519 => VerificationKey::try_from(bytes).map(Point::Ed25519).ok(),
            KeyKind::Secp256k1 => k256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Point::Secp256k1)
                .ok(),
            KeyKind::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Point::P256)
                .ok(),
        }
        .ok_or(IdentityError::KeyPoint { kind })?;
        Ok(Self { encoded, point })
    }

    /// The key without its point.
    pub fn encoded(&self) -> EncodedKey {
        self.encoded
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.encoded.kind()
    }

    /// The bytes, as [`PublicKey::from_bytes`] took them.
    pub fn as_bytes(&self) -> &[u8] {
        self.encoded.as_bytes()
    }

    /// The `did:key` of this key.
    pub fn did(&self) -> Did {
        Did::of(*self)
    }

    /// Whether this is an ed25519 key of small order, for which everybody can sign. Such a key
    /// is valid (see the crate's page); a tool should warn before it is given a right.
    pub fn is_small_order(&self) -> bool {
        matches!(self.point, Point::Ed25519(_))
            && self
                .as_bytes()
                .try_into()
                .ok()
                .and_then(|bytes| CompressedEdwardsY(bytes).decompress())
                .is_some_and(|point| point.is_small_order())
    }

    /// Verifies a commit's signature over its header.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_commit(
        &self,
        chain: &ChainId,
        header: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::commit(chain, header), signature)
    }

    /// Verifies a command's signature over its canonical payload.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_command(
        &self,
        chain: &ChainId,
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::command(chain, payload), signature)
    }

    /// Verifies a delegation.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_delegation(
        &self,
        chain: &ChainId,
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::delegation(chain, payload), signature)
    }

    /// Verifies a promise.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_promise(
        &self,
        chain: &ChainId,
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::promise(chain, payload), signature)
    }

    /// Verifies a token's signature over its JWS signing input. Whoever calls this checks the
    /// token's domain and chain id claims.
    ///
    /// # Errors
    /// As [`PublicKey::verify`]; [`IdentityError::StatementAmbiguous`].
    pub fn verify_token(
        &self,
        signing_input: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::token(signing_input)?, signature)
    }

    /// Verifies a transaction's signature over its `SignDoc`.
    ///
    /// # Errors
    /// As [`PublicKey::verify`]; [`IdentityError::StatementAmbiguous`].
    pub fn verify_transaction(
        &self,
        sign_doc: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify(&Statement::transaction(sign_doc)?, signature)
    }

    /// Verifies a signature over a statement of any purpose, by the rule of this crate.
    ///
    /// # Errors
    /// [`IdentityError::SignatureHigh`] for an ECDSA signature in its other form,
    /// [`IdentityError::SignatureWrong`] for all else.
    pub fn verify(
        &self,
        statement: &Statement<'_>,
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        self.verify_bytes(statement.as_bytes(), signature)
    }

    /// The one verification rule. Not public: bytes without a purpose are never verified.
    pub(crate) fn verify_bytes(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), IdentityError> {
        let kind = self.kind();
        let wrong = IdentityError::SignatureWrong { kind };
        let high = IdentityError::SignatureHigh { kind };
        match &self.point {
            Point::Ed25519(key) => {
                let signature = ed25519_zebra::Signature::from_bytes(signature.as_bytes());
                key.verify(&signature, message).map_err(|_| wrong)
            }
            Point::Secp256k1(key) => {
                let signature =
                    k256::ecdsa::Signature::from_slice(signature.as_bytes()).map_err(|_| wrong)?;
                if signature.normalize_s() != signature {
                    return Err(high);
                }
                key.verify_prehash(&Sha256::digest(message), &signature)
                    .map_err(|_| wrong)
            }
            Point::P256(key) => {
                let signature =
                    p256::ecdsa::Signature::from_slice(signature.as_bytes()).map_err(|_| wrong)?;
                if signature.normalize_s() != signature {
                    return Err(high);
                }
                key.verify_prehash(&Sha256::digest(message), &signature)
                    .map_err(|_| wrong)
            }
        }
    }

    pub(crate) fn point(&self) -> &Point {
        &self.point
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.encoded.cmp(&other.encoded)
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.encoded.hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} ", self.kind())?;
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
