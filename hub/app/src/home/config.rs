//! `hubd.toml`: what an operator may choose, each with its reason.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{write_whole, HomeError};

/// What an operator chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The chain that this home is for; a store of another chain is refused.
    pub chain_id: String,
    /// Where CometBFT connects to (`proxy_app`).
    pub abci: String,
    /// Where gRPC is served; empty for not at all.
    pub grpc: String,
    /// Where `/metrics` and `/healthz` are served; empty for not at all.
    pub metrics: String,
    /// How many heights of state are kept for queries and proofs; 0 keeps all.
    pub retain_heights: u64,
    /// Memory for the store's cache, in megabytes.
    pub cache_megabytes: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            chain_id: String::new(),
            abci: "127.0.0.1:26658".to_owned(),
            grpc: "127.0.0.1:9090".to_owned(),
            metrics: "127.0.0.1:26661".to_owned(),
            retain_heights: 100_000,
            cache_megabytes: 128,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file does not say what it should.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with its line.
        reason: String,
    },
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`]; unknown entries are errors, because a misspelt one would be ignored.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => HomeError::Missing {
                path: path.to_owned(),
            },
            _ => HomeError::Io {
                doing: "reading",
                path: path.to_owned(),
                reason: error.to_string(),
            },
        })?;
        toml::from_str(&text).map_err(|error| ConfigError::Content {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Writes the file, with a comment for each entry.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), HomeError> {
        write_whole(path, self.to_text().as_bytes())
    }

    fn to_text(&self) -> String {
        let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
        format!(
            "# The chain that this home is for; a store of another chain is refused.\n\
             chain_id = {}\n\n\
             # Where CometBFT connects to: its `proxy_app`.\n\
             abci = {}\n\n\
             # Where gRPC is served; empty for not at all.\n\
             grpc = {}\n\n\
             # Where /metrics and /healthz are served; empty for not at all.\n\
             metrics = {}\n\n\
             # How many heights of state are kept for queries and proofs; 0 keeps all.\n\
             retain_heights = {}\n\n\
             # Memory for the store's cache, in megabytes.\n\
             cache_megabytes = {}\n",
            quote(&self.chain_id),
            quote(&self.abci),
            quote(&self.grpc),
            quote(&self.metrics),
            self.retain_heights,
            self.cache_megabytes,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hubd.toml");
        let config = Config {
            chain_id: "plant-1".to_owned(),
            retain_heights: 7,
            ..Config::default()
        };
        config.save(&path).unwrap();
        assert_eq!(Config::load(&path).unwrap(), config);
    }

    #[test]
    fn a_misspelt_entry_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hubd.toml");
        std::fs::write(&path, "retain_hieghts = 7\n").unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("retain_hieghts"), "{error}");
        let missing = Config::load(&folder.path().join("no.toml")).unwrap_err();
        assert!(missing.to_string().contains("hubd init"));
    }
}
