//! The state before the first block, as `app_state` of CometBFT's genesis file.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};

use identity::{AccountAddress, IdentityError};
use serde::{Deserialize, Serialize};

use crate::{auth::Params, Amount, QuantityError};

/// The state before the first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Accounts, in the order of their numbers; at least one that holds something.
    pub accounts: Vec<GenesisAccount>,
    /// What the chain holds its users to.
    pub params: Params,
}

/// An account that exists from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Where it is.
    pub address: AccountAddress,
    /// What it holds.
    pub balance: Amount,
}

/// Why a genesis is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Not JSON of the expected shape.
    #[error("the genesis state is not what `hubd init` writes")]
    Json(#[from] serde_json::Error),
    /// Nobody could pay a fee.
    #[error("no account of the genesis state holds anything; add one with `hubd init --account`")]
    NobodyPays,
    /// An address that is none.
    #[error("account {index} of the genesis state has a wrong address")]
    Address {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: IdentityError,
    },
    /// An account twice.
    #[error("account {address} stands in the genesis state twice")]
    Duplicate {
        /// Its address.
        address: AccountAddress,
    },
    /// An amount that is none.
    #[error("a number of the genesis state is wrong")]
    Quantity(#[from] QuantityError),
    /// More coins than 64 bits count.
    #[error("the accounts of the genesis state hold more than 2^64 - 1 together")]
    Supply,
    /// Parameters that no chain can run with.
    #[error("the genesis parameters are wrong: {reason}")]
    Params {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A version that this binary does not know.
    #[error("the genesis state asks for {what} version {found}; this binary has {known}")]
    Version {
        /// Of what.
        what: &'static str,
        /// What it asks for.
        found: u32,
        /// What this binary has.
        known: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    accounts: Vec<DocumentAccount>,
    params: DocumentParams,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentAccount {
    address: String,
    /// Decimal, as Cosmos writes amounts: JSON numbers lose digits in JavaScript.
    balance: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentParams {
    price_per_million_gas: String,
    tx_bytes_max: u64,
    tx_gas_max: u64,
    gas_schedule_version: u32,
    engine_version: u32,
    state_format_version: u32,
}

impl Genesis {
    /// A chain with default parameters.
    #[must_use]
    pub fn new(accounts: Vec<GenesisAccount>) -> Self {
        Self {
            accounts,
            params: Params::default(),
        }
    }

    /// Reads the `app_state` of a genesis file.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn from_json(json: &[u8]) -> Result<Self, GenesisError> {
        let document: Document = serde_json::from_slice(json)?;
        let read = |(index, account): (usize, DocumentAccount)| {
            Ok(GenesisAccount {
                address: AccountAddress::parse(&account.address)
                    .map_err(|source| GenesisError::Address { index, source })?,
                balance: Amount::parse(&account.balance)?,
            })
        };
        let accounts = document
            .accounts
            .into_iter()
            .enumerate()
            .map(read)
            .collect::<Result<Vec<_>, GenesisError>>()?;
        let params = Params {
            price_per_million_gas: Amount::parse(&document.params.price_per_million_gas)?,
            tx_bytes_max: document.params.tx_bytes_max,
            tx_gas_max: document.params.tx_gas_max,
            gas_schedule_version: document.params.gas_schedule_version,
            engine_version: document.params.engine_version,
            state_format_version: document.params.state_format_version,
        };
        let genesis = Self { accounts, params };
        genesis.validate()?;
        Ok(genesis)
    }

    /// Writes the `app_state` of a genesis file.
    ///
    /// # Errors
    /// [`GenesisError`] for a state that [`Genesis::from_json`] would not read back.
    pub fn to_json(&self) -> Result<String, GenesisError> {
        self.validate()?;
        let write = |account: &GenesisAccount| DocumentAccount {
            address: account.address.to_string(),
            balance: account.balance.0.to_string(),
        };
        let document = Document {
            accounts: self.accounts.iter().map(write).collect(),
            params: DocumentParams {
                price_per_million_gas: self.params.price_per_million_gas.0.to_string(),
                tx_bytes_max: self.params.tx_bytes_max,
                tx_gas_max: self.params.tx_gas_max,
                gas_schedule_version: self.params.gas_schedule_version,
                engine_version: self.params.engine_version,
                state_format_version: self.params.state_format_version,
            },
        };
        Ok(serde_json::to_string_pretty(&document)?)
    }

    /// All that accounts hold together.
    ///
    /// # Errors
    /// [`GenesisError::Supply`].
    pub fn supply(&self) -> Result<Amount, GenesisError> {
        self.accounts
            .iter()
            .try_fold(Amount(0), |sum, account| sum.checked_add(account.balance))
            .ok_or(GenesisError::Supply)
    }

    fn validate(&self) -> Result<(), GenesisError> {
        if self.supply()? == Amount(0) {
            return Err(GenesisError::NobodyPays);
        }
        let mut seen = BTreeSet::new();
        for account in &self.accounts {
            if !seen.insert(account.address) {
                return Err(GenesisError::Duplicate {
                    address: account.address,
                });
            }
        }
        let params = &self.params;
        for (what, found, known) in [
            (
                "gas schedule",
                params.gas_schedule_version,
                crate::GAS_SCHEDULE_VERSION,
            ),
            (
                "policy engine",
                params.engine_version,
                ::policy::ENGINE_VERSION,
            ),
            (
                "state format",
                params.state_format_version,
                crate::STATE_FORMAT_VERSION,
            ),
        ] {
            if found != known {
                return Err(GenesisError::Version { what, found, known });
            }
        }
        if params.tx_bytes_max == 0 || params.tx_bytes_max > crate::transaction::BYTES_MAX as u64 {
            return Err(GenesisError::Params {
                reason: "tx_bytes_max is 1 to 1,048,576",
            });
        }
        if params.tx_gas_max == 0 || params.tx_gas_max > crate::BLOCK_GAS_MAX {
            return Err(GenesisError::Params {
                reason: "tx_gas_max is 1 to 3,000,000,000, what a block has",
            });
        }
        Ok(())
    }
}
