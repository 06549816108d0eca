//! A node's home folder.
//!
//! ```text
//! HOME/config/hubd.toml            what the operator chooses
//! HOME/config/genesis.json         the chain's first state, as CometBFT reads it
//! HOME/config/validator_key.hex    `hubd dev` only: the key of its one validator, mode 0600
//! HOME/data/state                  the store
//! HOME/data/blocks                 `hubd dev` only: blocks
//! ```

mod config;
mod genesis_file;
mod validator_key;

use std::path::{Path, PathBuf};

pub use config::{Config, ConfigError};
pub use genesis_file::{
    parse_account, GenesisFile, GenesisFileError, GenesisValidator, BLOCK_BYTES_MAX,
};
pub use validator_key::load_or_make_validator_key;

/// The paths of a home folder.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

/// Why a home folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is a chain already.
    #[error("{path} exists already; a home folder is made once: choose another one, or remove it if you mean to start anew")]
    Exists {
        /// The file that was found.
        path: PathBuf,
    },
    /// There is none.
    #[error("{path} is missing; make the home folder first with `hubd init`")]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{doing} {path} failed: {reason}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own words.
        reason: String,
    },
}

impl Home {
    /// A home at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Home {
        Home { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The operator's choices.
    pub fn config(&self) -> PathBuf {
        self.root.join("config/hubd.toml")
    }

    /// The chain's genesis.
    pub fn genesis(&self) -> PathBuf {
        self.root.join("config/genesis.json")
    }

    /// The key of the solo engine's validator.
    pub fn validator_key(&self) -> PathBuf {
        self.root.join("config/validator_key.hex")
    }

    /// The store.
    pub fn state(&self) -> PathBuf {
        self.root.join("data/state")
    }

    /// The solo engine's blocks.
    pub fn blocks(&self) -> PathBuf {
        self.root.join("data/blocks")
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn make_folders(&self) -> Result<(), HomeError> {
        for folder in ["config", "data"] {
            let path = self.root.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| HomeError::Io {
                doing: "making the folder",
                path,
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }
}

/// Writes a file whole or not at all: a crash leaves no half-written configuration.
///
/// # Errors
/// [`HomeError::Io`].
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), HomeError> {
    let failed = |error: std::io::Error| HomeError::Io {
        doing: "writing",
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, content).map_err(failed)?;
    std::fs::File::open(&beside)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
