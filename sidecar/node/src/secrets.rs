//! Keys at rest: one key a file, mode 0600, either sealed by a passphrase or, where a person said
//! so (`--plain-keys`, for networks on one machine), in the clear.
//!
//! ```text
//! holdfast-key/1 ed25519 plain <hex seed>
//! holdfast-key/1 ed25519 sealed <hex salt> <hex nonce> <hex ciphertext>
//! ```
//!
//! Sealed is Argon2id (RFC 9106 §4, second recommendation: 64 MiB, three passes) and
//! XChaCha20-Poly1305, with kind and DID as associated data so that a file cannot be relabelled.
//! No error, log or debug output here carries a seed or a passphrase (Invariant 9).

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use identity::{KeyKind, SecretKey};
use zeroize::Zeroizing;

const TAG: &str = "holdfast-key/1";
/// The environment variable that names a file with the passphrase.
pub const PASSPHRASE_FILE_VARIABLE: &str = "SIDECAR_PASSPHRASE_FILE";
/// The environment variable that holds the passphrase itself.
pub const PASSPHRASE_VARIABLE: &str = "SIDECAR_PASSPHRASE";
/// A key file is one line; anything larger is something else.
const FILE_BYTES_MAX: u64 = 1024;

/// A passphrase, kept out of every output and wiped after use.
pub struct Passphrase(Zeroizing<String>);

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why a key cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the key file {path} cannot be read: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("the key file {path} cannot be written: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the key file {0} can be read by others; run `chmod 600` on it")]
    Mode(PathBuf),
    /// It is no key file.
    #[error("the file {0} is no key file; `sidecar init` writes one")]
    Format(PathBuf),
    /// It is sealed and no passphrase was given.
    #[error("the key file {0} is sealed; set {PASSPHRASE_FILE_VARIABLE} to a file that holds its passphrase")]
    NoPassphrase(PathBuf),
    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open the key file {0}")]
    WrongPassphrase(PathBuf),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Entropy(String),
    /// The key derivation failed.
    #[error(
        "the passphrase cannot be turned into a key on this machine; 64 MiB of memory are needed"
    )]
    Derivation,
}

impl Passphrase {
    /// A passphrase in memory.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Reads it from the file that the environment names, or from the environment itself; never
    /// from an argument, where every process of the machine could see it.
    ///
    /// # Errors
    /// When the named file cannot be read.
    pub fn from_environment() -> Result<Option<Self>, SecretError> {
        if let Some(path) = std::env::var_os(PASSPHRASE_FILE_VARIABLE) {
            let path = PathBuf::from(path);
            let text = fs::read_to_string(&path).map_err(|source| SecretError::Read {
                path: path.clone(),
                source,
            })?;
            return Ok(Some(Self::new(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            )));
        }
        Ok(std::env::var(PASSPHRASE_VARIABLE).ok().map(Self::new))
    }

    fn derive(&self, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        let params = Params::new(64 * 1024, 3, 4, Some(32)).map_err(|_| SecretError::Derivation)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.0.as_bytes(), salt, key.as_mut())
            .map_err(|_| SecretError::Derivation)?;
        Ok(key)
    }
}

/// Fresh random bytes.
///
/// # Errors
/// [`SecretError::Entropy`] when the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| SecretError::Entropy(error.to_string()))?;
    Ok(bytes)
}

fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Ed25519 => "ed25519",
        KeyKind::Secp256k1 => "secp256k1",
        KeyKind::P256 => "p256",
    }
}

/// The kind of that name.
#[must_use]
pub fn kind_named(name: &str) -> Option<KeyKind> {
    [KeyKind::Ed25519, KeyKind::Secp256k1, KeyKind::P256]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

/// Makes a key of `kind`.
///
/// # Errors
/// [`SecretError::Entropy`]. A seed that is no valid scalar (less than one in 2^127) is drawn anew.
pub fn generate(kind: KeyKind) -> Result<SecretKey, SecretError> {
    for _ in 0..8 {
        if let Ok(key) = SecretKey::from_seed(kind, random()?) {
            return Ok(key);
        }
    }
    Err(SecretError::Entropy(
        "eight draws in a row were no valid keys".into(),
    ))
}

/// Writes `key` to a new file at `path`; sealed when a passphrase is given.
///
/// # Errors
/// [`SecretError::Write`] also when the file exists: a key is never overwritten.
pub fn write(path: &Path, key: &SecretKey, seal: Option<&Passphrase>) -> Result<(), SecretError> {
    let kind = kind_name(key.kind());
    let line = match seal {
        None => Zeroizing::new(format!("{TAG} {kind} plain {}\n", hex::encode(key.seed()))),
        Some(passphrase) => {
            let salt: [u8; 16] = random()?;
            let nonce: [u8; 24] = random()?;
            let cipher = XChaCha20Poly1305::new_from_slice(passphrase.derive(&salt)?.as_ref())
                .map_err(|_| SecretError::Derivation)?;
            let payload = Payload {
                msg: key.seed(),
                aad: kind.as_bytes(),
            };
            let sealed = cipher
                .encrypt(XNonce::from_slice(&nonce), payload)
                .map_err(|_| SecretError::Derivation)?;
            let (salt, nonce) = (hex::encode(salt), hex::encode(nonce));
            Zeroizing::new(format!(
                "{TAG} {kind} sealed {salt} {nonce} {}\n",
                hex::encode(sealed)
            ))
        }
    };
    let failed = |source| SecretError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(line.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Reads the key at `path`.
///
/// # Errors
/// [`SecretError`] naming the file and what to do.
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<SecretKey, SecretError> {
    let failed = |source| SecretError::Read {
        path: path.to_owned(),
        source,
    };
    let format = || SecretError::Format(path.to_owned());
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(SecretError::Mode(path.to_owned()));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(format());
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    let words: Vec<&str> = text.split_whitespace().collect();
    let (kind, seed) = match words.as_slice() {
        [TAG, kind, "plain", seed] => (
            *kind,
            Zeroizing::new(hex::decode(seed).map_err(|_| format())?),
        ),
        [TAG, kind, "sealed", salt, nonce, sealed] => {
            let passphrase =
                passphrase.ok_or_else(|| SecretError::NoPassphrase(path.to_owned()))?;
            let [salt, nonce, sealed] = [salt, nonce, sealed].map(hex::decode);
            let salt = salt.map_err(|_| format())?;
            let nonce = nonce
                .ok()
                .filter(|nonce| nonce.len() == 24)
                .ok_or_else(format)?;
            let cipher = XChaCha20Poly1305::new_from_slice(passphrase.derive(&salt)?.as_ref())
                .map_err(|_| SecretError::Derivation)?;
            let payload = Payload {
                msg: &sealed.map_err(|_| format())?,
                aad: kind.as_bytes(),
            };
            let seed = cipher
                .decrypt(XNonce::from_slice(&nonce), payload)
                .map_err(|_| SecretError::WrongPassphrase(path.to_owned()))?;
            (*kind, Zeroizing::new(seed))
        }
        _ => return Err(format()),
    };
    let kind = kind_named(kind).ok_or_else(format)?;
    let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| format())?;
    SecretKey::from_seed(kind, seed).map_err(|_| format())
}

/// Keys of actors for whom this sidecar signs.
#[derive(Default)]
pub struct Keyring(std::collections::BTreeMap<String, SecretKey>);

impl Keyring {
    /// Reads every `*.key` in `folder`; an absent folder is an empty keyring.
    ///
    /// # Errors
    /// [`SecretError`] of the first key that cannot be read.
    pub fn load(folder: &Path, passphrase: Option<&Passphrase>) -> Result<Self, SecretError> {
        let mut keys = Self::default();
        let Ok(entries) = fs::read_dir(folder) else {
            return Ok(keys);
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "key") {
                keys.insert(read(&path, passphrase)?);
            }
        }
        Ok(keys)
    }

    /// Adds a key.
    pub fn insert(&mut self, key: SecretKey) {
        self.0.insert(key.did().to_string(), key);
    }

    /// The key of an actor, if the sidecar holds it.
    #[must_use]
    pub fn get(&self, actor: &identity::Did) -> Option<&SecretKey> {
        self.0.get(actor.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("operator.key");
        let key = generate(KeyKind::Secp256k1).unwrap();
        let right = Passphrase::new("four words of sense".into());
        write(&path, &key, Some(&right)).unwrap();
        assert_eq!(read(&path, Some(&right)).unwrap().did(), key.did());
        let wrong = Passphrase::new("four words of sand".into());
        assert!(matches!(
            read(&path, Some(&wrong)),
            Err(SecretError::WrongPassphrase(_))
        ));
        assert!(matches!(
            read(&path, None),
            Err(SecretError::NoPassphrase(_))
        ));
        assert!(matches!(
            write(&path, &key, None),
            Err(SecretError::Write { .. })
        ));
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode(key.seed())));
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("network.key");
        write(&path, &generate(KeyKind::Ed25519).unwrap(), None).unwrap();
        assert!(read(&path, None).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read(&path, None), Err(SecretError::Mode(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "holdfast-key/1 ed25519 plain 00").unwrap();
        assert!(matches!(read(&path, None), Err(SecretError::Format(_))));
    }
}
