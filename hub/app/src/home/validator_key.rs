//! The key of the solo engine's one validator.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use identity::{KeyKind, SecretKey};

use super::HomeError;

/// Reads the key, or makes one and writes it with mode 0600.
///
/// # Errors
/// [`HomeError::Io`], also when others may read the file.
pub fn load_or_make_validator_key(path: &Path) -> Result<SecretKey, HomeError> {
    let failed = |doing: &'static str, reason: String| HomeError::Io {
        doing,
        path: path.to_owned(),
        reason,
    };
    if !path.exists() {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| failed("making a key for", error.to_string()))?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed("writing", error.to_string()))?;
        file.write_all(hex::encode(seed).as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| failed("writing", error.to_string()))?;
    }
    let mode = std::fs::metadata(path)
        .map_err(|error| failed("reading", error.to_string()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(failed(
            "reading",
            "others may read it; run `chmod 600` on it".to_owned(),
        ));
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| failed("reading", error.to_string()))?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed)
        .map_err(|_| failed("reading", "expected 64 hexadecimal digits".to_owned()))?;
    SecretKey::from_seed(KeyKind::Ed25519, seed)
        .map_err(|error| failed("reading", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validator_key.hex");
        let first = load_or_make_validator_key(&path).unwrap();
        let second = load_or_make_validator_key(&path).unwrap();
        assert_eq!(first.public_key(), second.public_key());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = load_or_make_validator_key(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
