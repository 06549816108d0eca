//! `genesis.json` as CometBFT reads it, with our `app_state` in it.

use std::path::{Path, PathBuf};

use hub_types::{Amount, Genesis, GenesisAccount, GenesisError, Timestamp, BLOCK_GAS_MAX};
use identity::{AccountAddress, ChainId};
use serde_json::{json, Value};

use super::{write_whole, HomeError};

/// The largest block, in bytes: 4 MB, CometBFT v1's default. Ten thousand transactions of 400
/// bytes fit, which is more than a second's worth.
pub const BLOCK_BYTES_MAX: i64 = 4_194_304;

/// A genesis file.
#[derive(Clone, Debug)]
pub struct GenesisFile {
    document: Value,
}

/// Why a genesis file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GenesisFileError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// It is not a genesis file.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Its `app_state` is wrong.
    #[error(transparent)]
    State(#[from] GenesisError),
}

/// A validator of genesis.
pub struct GenesisValidator {
    /// Its ed25519 key.
    pub public_key: [u8; 32],
    /// Its power.
    pub power: u64,
}

impl GenesisFile {
    /// A genesis for a new chain.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn new(
        chain: &ChainId,
        time: Timestamp,
        genesis: &Genesis,
        validators: &[GenesisValidator],
    ) -> Result<GenesisFile, GenesisError> {
        let app_state: Value = serde_json::from_str(&genesis.to_json()?)?;
        let validators: Vec<Value> = validators.iter().map(validator_json).collect();
        Ok(GenesisFile {
            document: json!({
                "genesis_time": time.to_string(),
                "chain_id": chain.as_str(),
                "initial_height": "1",
                "consensus_params": {
                    "block": {
                        "max_bytes": BLOCK_BYTES_MAX.to_string(),
                        // CometBFT's mempool fills a proposal up to this; the application holds
                        // every block to it, whatever this file says.
                        "max_gas": BLOCK_GAS_MAX.to_string(),
                    },
                    "evidence": {
                        "max_age_num_blocks": "100000",
                        "max_age_duration": "172800000000000",
                        "max_bytes": "1048576",
                    },
                    "validator": {"pub_key_types": ["ed25519"]},
                    "version": {"app": "0"},
                    "abci": {"vote_extensions_enable_height": "0"},
                },
                "validators": validators,
                "app_hash": "",
                "app_state": app_state,
            }),
        })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`GenesisFileError`].
    pub fn load(path: &Path) -> Result<GenesisFile, GenesisFileError> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => HomeError::Missing {
                path: path.to_owned(),
            },
            _ => HomeError::Io {
                doing: "reading",
                path: path.to_owned(),
                reason: error.to_string(),
            },
        })?;
        let document: Value =
            serde_json::from_slice(&bytes).map_err(|error| GenesisFileError::Content {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        let file = GenesisFile { document };
        for field in ["chain_id", "genesis_time"] {
            if file.text(field).is_none() {
                return Err(GenesisFileError::Content {
                    path: path.to_owned(),
                    reason: format!("{field} is missing"),
                });
            }
        }
        Genesis::from_json(&file.app_state())?;
        Ok(file)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), HomeError> {
        let text = format!("{:#}\n", self.document);
        write_whole(path, text.as_bytes())
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The chain's id.
    pub fn chain_id(&self) -> &str {
        self.text("chain_id").unwrap_or_default()
    }

    /// The genesis time, RFC 3339.
    pub fn time(&self) -> &str {
        self.text("genesis_time").unwrap_or_default()
    }

    /// The `app_state`, as InitChain carries it.
    pub fn app_state(&self) -> Vec<u8> {
        self.document
            .get("app_state")
            .map(|state| state.to_string().into_bytes())
            .unwrap_or_default()
    }

    /// A limit of the consensus parameters.
    pub fn block_limit(&self, name: &str) -> i64 {
        self.document
            .pointer(&format!("/consensus_params/block/{name}"))
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok())
            .unwrap_or(-1)
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.document.get(field).and_then(Value::as_str)
    }
}

fn validator_json(validator: &GenesisValidator) -> Value {
    use base64::engine::general_purpose::STANDARD as BASE64;
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let address = &Sha256::digest(validator.public_key)[..20];
    json!({
        "address": hex::encode_upper(address),
        "pub_key": {
            "type": "tendermint/PubKeyEd25519",
            "value": BASE64.encode(validator.public_key),
        },
        "power": validator.power.to_string(),
        "name": "",
    })
}

/// Reads `hold1…=AMOUNT`, AMOUNT in `uhold`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse_account(text: &str) -> Result<GenesisAccount, String> {
    let (address, balance) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?}: expected ADDRESS=AMOUNT, such as hold1…=1000000000"))?;
    let balance = balance
        .strip_suffix(hub_types::FEE_DENOM)
        .unwrap_or(balance);
    Ok(GenesisAccount {
        address: AccountAddress::parse(address).map_err(|error| format!("{address:?}: {error}"))?,
        balance: Amount::parse(balance).map_err(|error| format!("{balance:?}: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back_with_its_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("genesis.json");
        let address = AccountAddress::from([3; 20]);
        let account = parse_account(&format!("{address}=77uhold")).unwrap();
        let genesis = Genesis::new(vec![account]);
        let chain = ChainId::parse("plant-1").unwrap();
        let time = Timestamp::new(1_700_000_000, 0).unwrap();
        let file = GenesisFile::new(&chain, time, &genesis, &[]).unwrap();
        file.save(&path).unwrap();
        let read = GenesisFile::load(&path).unwrap();
        assert_eq!(read.chain_id(), "plant-1");
        assert_eq!(read.time(), "2023-11-14T22:13:20Z");
        assert_eq!(read.block_limit("max_bytes"), BLOCK_BYTES_MAX);
        assert_eq!(read.block_limit("max_gas"), 3_000_000_000);
        assert_eq!(Genesis::from_json(&read.app_state()).unwrap(), genesis);
    }

    #[test]
    fn a_wrong_account_is_named() {
        assert!(parse_account("hold1xyz")
            .unwrap_err()
            .contains("ADDRESS=AMOUNT"));
        assert!(parse_account("hold1xyz=5")
            .unwrap_err()
            .contains("hold1xyz"));
    }
}
