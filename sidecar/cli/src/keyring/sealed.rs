//! One key at rest: a seed under a passphrase, as one JSON file.
//!
//! The passphrase becomes a key by Argon2id (RFC 9106; its second recommended choice, 64 MiB and
//! three passes), the seed is sealed by XChaCha20-Poly1305. Everything that stands beside the
//! ciphertext is bound to it as associated data, so a file whose DID or kind was edited does not
//! open.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use identity::{KeyKind, SecretKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::KeyringError;

/// The format's name; another one is refused by name.
pub(crate) const FORMAT: &str = "holdfast-keyring/1";

/// 64 MiB: RFC 9106 §4, the second recommended option.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// A file may ask for at most so much, or opening one would be a way to exhaust the machine.
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;

/// A key file. Everything but the ciphertext is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// `holdfast-keyring/1`.
    pub format: String,
    /// `ed25519`, `secp256k1` or `p256`.
    pub kind: String,
    /// The key's `did:key`.
    pub did: String,
    /// How the passphrase becomes a key.
    pub kdf: Kdf,
    /// What that key opens.
    pub seal: Seal,
}

/// The parameters of Argon2id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kdf {
    /// `argon2id`.
    pub algorithm: String,
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// 16 bytes, base64.
    pub salt: String,
}

/// The sealed seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// `xchacha20-poly1305`.
    pub algorithm: String,
    /// 24 bytes, base64.
    pub nonce: String,
    /// The seed and its tag, base64.
    pub ciphertext: String,
}

impl Sealed {
    /// Seals `secret` under `passphrase`.
    ///
    /// # Errors
    /// [`KeyringError::Entropy`] when the system gives no randomness.
    pub fn seal(secret: &SecretKey, passphrase: &str) -> Result<Self, KeyringError> {
        let mut salt = [0_u8; SALT_BYTES];
        let mut nonce = [0_u8; NONCE_BYTES];
        getrandom::fill(&mut salt).map_err(|_| KeyringError::Entropy)?;
        getrandom::fill(&mut nonce).map_err(|_| KeyringError::Entropy)?;
        let mut sealed = Self {
            format: FORMAT.to_owned(),
            kind: secret.kind().name().to_owned(),
            did: secret.did().as_str().to_owned(),
            kdf: Kdf {
                algorithm: "argon2id".to_owned(),
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
                salt: STANDARD.encode(salt),
            },
            seal: Seal {
                algorithm: "xchacha20-poly1305".to_owned(),
                nonce: STANDARD.encode(nonce),
                ciphertext: String::new(),
            },
        };
        let key = sealed.derive(passphrase, "the new key")?;
        let ciphertext = XChaCha20Poly1305::new((&*key).into())
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: secret.seed(),
                    aad: &sealed.associated(),
                },
            )
            .map_err(|_| KeyringError::Entropy)?;
        sealed.seal.ciphertext = STANDARD.encode(ciphertext);
        Ok(sealed)
    }

    /// Opens the key, called `name` in errors.
    ///
    /// # Errors
    /// [`KeyringError::Passphrase`] when it does not open, [`KeyringError::Damaged`] when the file
    /// cannot be a key.
    pub fn open(&self, passphrase: &str, name: &str) -> Result<SecretKey, KeyringError> {
        let damaged = |reason: &str| KeyringError::Damaged {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        self.check(name)?;
        let kind: KeyKind = self
            .kind
            .parse()
            .map_err(|_| damaged("the kind of key is unknown"))?;
        let nonce = decode::<NONCE_BYTES>(&self.seal.nonce)
            .ok_or_else(|| damaged("the nonce is not 24 bytes of base64"))?;
        let ciphertext = STANDARD
            .decode(&self.seal.ciphertext)
            .map_err(|_| damaged("the ciphertext is not base64"))?;
        let key = self.derive(passphrase, name)?;
        let opened = XChaCha20Poly1305::new((&*key).into())
            .decrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: &ciphertext,
                    aad: &self.associated(),
                },
            )
            .map_err(|_| KeyringError::Passphrase {
                name: name.to_owned(),
            })?;
        let opened = Zeroizing::new(opened);
        let mut seed: [u8; 32] = opened
            .as_slice()
            .try_into()
            .map_err(|_| damaged("the seed is not 32 bytes"))?;
        let secret = SecretKey::from_seed(kind, seed).map_err(|_| damaged("the seed is no key"));
        seed.zeroize();
        let secret = secret?;
        if secret.did().as_str() != self.did {
            return Err(damaged("the DID is not this key's"));
        }
        Ok(secret)
    }

    /// Checks what can be checked without the passphrase.
    ///
    /// # Errors
    /// [`KeyringError::Damaged`].
    pub fn check(&self, name: &str) -> Result<(), KeyringError> {
        let damaged = |reason: &str| {
            Err(KeyringError::Damaged {
                name: name.to_owned(),
                reason: reason.to_owned(),
            })
        };
        if self.format != FORMAT {
            return damaged("its format is not `holdfast-keyring/1`; is it from a newer version?");
        }
        if self.kdf.algorithm != "argon2id" || self.seal.algorithm != "xchacha20-poly1305" {
            return damaged("it is sealed by an algorithm that this version does not know");
        }
        if self.kdf.memory_kib > MEMORY_KIB_MAX
            || self.kdf.passes > PASSES_MAX
            || self.kdf.lanes > LANES_MAX
        {
            return damaged("it asks for more memory or work than a key may");
        }
        if decode::<SALT_BYTES>(&self.kdf.salt).is_none() {
            return damaged("the salt is not 16 bytes of base64");
        }
        Ok(())
    }

    fn derive(&self, passphrase: &str, name: &str) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
        let damaged = |_| KeyringError::Damaged {
            name: name.to_owned(),
            reason: "its Argon2id parameters are not valid".to_owned(),
        };
        let params = Params::new(
            self.kdf.memory_kib,
            self.kdf.passes,
            self.kdf.lanes,
            Some(32),
        )
        .map_err(damaged)?;
        let salt = decode::<SALT_BYTES>(&self.kdf.salt).unwrap_or_default();
        let mut key = Zeroizing::new([0_u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut())
            .map_err(damaged)?;
        Ok(key)
    }

    /// What the seal binds beside the seed: every public field, each preceded by its length.
    fn associated(&self) -> Vec<u8> {
        let numbers = [self.kdf.memory_kib, self.kdf.passes, self.kdf.lanes];
        let mut bytes = Vec::new();
        for text in [
            &self.format,
            &self.kind,
            &self.did,
            &self.kdf.algorithm,
            &self.kdf.salt,
            &self.seal.algorithm,
            &self.seal.nonce,
        ] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        for number in numbers {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
