//! The keyring: one sealed file a key, in a directory that only its owner can enter.
//!
//! Files are mode 0600 and written whole or not at all: a temporary file beside it, synced, then
//! linked into place, which never replaces a key that is there. Secrets are in memory only while
//! a command signs, and are in no error and no output (Invariant 9).

mod sealed;

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use identity::SecretKey;

pub use sealed::Sealed;

/// A key file is about 700 bytes; what is longer is none.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// A name is a file name on every file system.
const NAME_CHARS_MAX: usize = 64;

/// What can go wrong with keys at rest.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The key does not open.
    #[error("wrong passphrase for key \"{name}\" (or its file was changed)")]
    Passphrase {
        /// The key's name.
        name: String,
    },
    /// The file is no key.
    #[error("the file of key \"{name}\" is damaged: {reason}")]
    Damaged {
        /// The key's name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Others could read the file.
    #[error(
        "the file of key \"{name}\" can be read by others (mode {mode:03o}); run: chmod 600 {path}"
    )]
    Exposed {
        /// The key's name.
        name: String,
        /// The permission bits found.
        mode: u32,
        /// The file.
        path: String,
    },
    /// No such key.
    #[error("there is no key \"{name}\"; `hold key list` shows those there are, `hold key new {name}` makes it")]
    Missing {
        /// The key's name.
        name: String,
    },
    /// The name is taken.
    #[error("there is a key \"{name}\" already; choose another name (a key is never overwritten)")]
    Taken {
        /// The key's name.
        name: String,
    },
    /// The name cannot be used.
    #[error("\"{name}\" cannot name a key: use 1 to 64 of a-z, 0-9, `-`, `_`, `.`, beginning with a letter or digit")]
    Name {
        /// The name as given.
        name: String,
    },
    /// The file system refused.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: String,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// No randomness.
    #[error("the system gives no randomness; nothing was written")]
    Entropy,
}

/// A directory of sealed keys.
#[derive(Debug, Clone)]
pub struct Keyring {
    directory: PathBuf,
}

impl Keyring {
    /// The keyring in `directory`, which need not exist yet.
    #[must_use]
    pub fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Seals `secret` under `passphrase` and stores it as `name`.
    ///
    /// # Errors
    /// [`KeyringError::Taken`] when there is one, and those of the file system. After an error
    /// nothing is left behind.
    pub fn add(
        &self,
        name: &str,
        secret: &SecretKey,
        passphrase: &str,
    ) -> Result<Sealed, KeyringError> {
        self.vacant(name)?;
        let sealed = Sealed::seal(secret, passphrase)?;
        self.store(name, &sealed)?;
        Ok(sealed)
    }

    /// Stores a key that is sealed already.
    ///
    /// # Errors
    /// As [`Keyring::add`].
    pub fn store(&self, name: &str, sealed: &Sealed) -> Result<(), KeyringError> {
        self.vacant(name)?;
        self.create_directory()?;
        let text = serde_json::to_string_pretty(sealed).map_err(|_| KeyringError::Damaged {
            name: name.to_owned(),
            reason: "it cannot be written as JSON".to_owned(),
        })?;
        match write_new(&self.path(name), text.as_bytes(), 0o600) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(KeyringError::Taken {
                    name: name.to_owned(),
                })
            }
            other => other.map_err(|source| file("write", &self.path(name), source)),
        }
    }

    /// Fails when `name` cannot be used or is taken: asked before a passphrase is.
    ///
    /// # Errors
    /// [`KeyringError::Name`], [`KeyringError::Taken`].
    pub fn vacant(&self, name: &str) -> Result<(), KeyringError> {
        check_name(name)?;
        if self.path(name).exists() {
            return Err(KeyringError::Taken {
                name: name.to_owned(),
            });
        }
        Ok(())
    }

    /// The sealed key `name`.
    ///
    /// # Errors
    /// [`KeyringError::Missing`], [`KeyringError::Exposed`], [`KeyringError::Damaged`].
    pub fn get(&self, name: &str) -> Result<Sealed, KeyringError> {
        check_name(name)?;
        let path = self.path(name);
        let opened = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyringError::Missing {
                    name: name.to_owned(),
                })
            }
            other => other.map_err(|source| file("open", &path, source))?,
        };
        let metadata = opened
            .metadata()
            .map_err(|source| file("read", &path, source))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::Exposed {
                name: name.to_owned(),
                mode,
                path: path.display().to_string(),
            });
        }
        let mut text = String::new();
        opened
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|source| file("read", &path, source))?;
        parse(name, &text)
    }

    /// The names of all keys, sorted.
    ///
    /// # Errors
    /// Those of the file system; an absent directory is an empty keyring.
    pub fn names(&self) -> Result<Vec<String>, KeyringError> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|source| file("read", &self.directory, source))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| file("read", &self.directory, source))?;
            let file_name = entry.file_name();
            if let Some(name) = file_name
                .to_str()
                .and_then(|text| text.strip_suffix(".json"))
            {
                if check_name(name).is_ok() {
                    names.push(name.to_owned());
                }
            }
        }
        names.sort();
        Ok(names)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    fn create_directory(&self) -> Result<(), KeyringError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|source| file("create", &self.directory, source))
    }
}

/// Parses a key file's text.
///
/// # Errors
/// [`KeyringError::Damaged`]; the text itself is never repeated in it.
pub fn parse(name: &str, text: &str) -> Result<Sealed, KeyringError> {
    let sealed: Sealed = serde_json::from_str(text).map_err(|error| KeyringError::Damaged {
        name: name.to_owned(),
        reason: format!(
            "not a key file (line {}, column {})",
            error.line(),
            error.column()
        ),
    })?;
    sealed.check(name)?;
    Ok(sealed)
}

/// Writes `bytes` to `path`, whole or not at all, and never over a file that is there.
///
/// # Errors
/// Those of the file system; `AlreadyExists` when `path` is taken.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let temporary = write_temporary(path, bytes, mode)?;
    // A hard link, unlike a rename, fails when the name is taken.
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    linked?;
    removed?;
    sync_parent(path)
}

/// Writes `bytes` to `path`, whole or not at all, in place of what is there.
///
/// # Errors
/// Those of the file system; what was there is then untouched.
pub fn write_over(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let temporary = write_temporary(path, bytes, mode)?;
    if let Err(error) = fs::rename(&temporary, path) {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_parent(path)
}

fn write_temporary(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<PathBuf> {
    let mut tag = [0_u8; 8];
    getrandom::fill(&mut tag).map_err(|_| std::io::Error::other("no randomness"))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", hex::encode(tag)));
    let temporary = path.with_file_name(name);
    let written = (|| {
        let mut opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        opened.write_all(bytes)?;
        opened.sync_all()
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(temporary)
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn check_name(name: &str) -> Result<(), KeyringError> {
    let characters = name.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    });
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if characters && first && name.len() <= NAME_CHARS_MAX {
        return Ok(());
    }
    Err(KeyringError::Name {
        name: name.chars().take(NAME_CHARS_MAX).collect(),
    })
}

fn file(action: &'static str, path: &Path, source: std::io::Error) -> KeyringError {
    KeyringError::File {
        action,
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
