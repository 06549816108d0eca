//! The records of accounts and of the chain's parameters.

use alloc::string::ToString;

use identity::{AccountAddress, EncodedKey, KeyKind};
use wire::{
    cosmos::{auth::v1beta1::BaseAccount, crypto},
    light, Any, Message, Name,
};

use crate::{
    record::{Record, RecordError},
    Amount, Gas, FEE_DENOM, GAS_SCHEDULE_VERSION, STATE_FORMAT_VERSION,
};

/// An account. Number, key, sequence and balance stand under one key of the tree, so that a
/// transaction that only pays its fee writes one key and not two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where it is.
    pub address: AccountAddress,
    /// Its key; `None` until its first transaction, for whoever receives coins before sending any.
    pub public_key: Option<EncodedKey>,
    /// Which a SignDoc names, so that a signature is void for an account of another genesis.
    pub number: u64,
    /// How many transactions it has sent.
    pub sequence: u64,
    /// What it holds.
    pub balance: Amount,
}

impl Account {
    /// An account that nobody has used yet.
    #[must_use]
    pub const fn new(address: AccountAddress, number: u64) -> Self {
        Self {
            address,
            public_key: None,
            number,
            sequence: 0,
            balance: Amount(0),
        }
    }

    /// As Cosmos clients read it.
    #[must_use]
    pub fn to_base_account(&self) -> BaseAccount {
        BaseAccount {
            address: self.address.to_string(),
            pub_key: self.public_key.as_ref().map(public_key_to_any),
            account_number: self.number,
            sequence: self.sequence,
        }
    }
}

impl Record for Account {
    type Wire = light::Account;
    const WHAT: &'static str = "an account's record";
    const BYTES_MAX: usize = 256;

    fn to_wire(&self) -> Self::Wire {
        light::Account {
            address: self.address.as_bytes().to_vec(),
            public_key: self.public_key.as_ref().map(public_key_to_any),
            number: self.number,
            sequence: self.sequence,
            balance: self.balance.0,
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        let address = AccountAddress::from_slice(&wire.address)
            .map_err(|error| RecordError::invalid::<Self>("address", error))?;
        let public_key = wire
            .public_key
            .as_ref()
            .map(public_key_from_any)
            .transpose()
            .map_err(|error| RecordError::invalid::<Self>("public_key", error))?;
        Ok(Self {
            address,
            public_key,
            number: wire.number,
            sequence: wire.sequence,
            balance: Amount(wire.balance),
        })
    }
}

/// The number that the next account gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountCounter {
    /// At least 1, because genesis has an account.
    pub next: u64,
}

impl Record for AccountCounter {
    type Wire = light::AccountCounter;
    const WHAT: &'static str = "the account counter's record";
    const BYTES_MAX: usize = 16;

    fn to_wire(&self) -> Self::Wire {
        light::AccountCounter { next: self.next }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        match wire.next {
            0 => Err(RecordError::invalid::<Self>(
                "next",
                "genesis has at least one account",
            )),
            next => Ok(Self { next }),
        }
    }
}

/// What the chain holds its users to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// The least price of a million units of gas.
    pub price_per_million_gas: Amount,
    /// The largest transaction, in bytes.
    pub tx_bytes_max: u64,
    /// The most gas that one transaction may ask for.
    pub tx_gas_max: Gas,
    /// The version of [`crate::GasSchedule`].
    pub gas_schedule_version: u32,
    /// The version of the policy engine.
    pub engine_version: u32,
    /// The version of keys, records and leaves.
    pub state_format_version: u32,
}

impl Params {
    /// The least fee of a transaction that asks for `gas`; rounded up, so that no gas is free.
    #[must_use]
    pub fn fee_min(&self, gas: Gas) -> Amount {
        let product = u128::from(self.price_per_million_gas.0) * u128::from(gas);
        Amount(u64::try_from(product.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            // A transaction of 100,000 gas costs 1,000 uhold, a thousandth of a hold.
            price_per_million_gas: Amount(10_000),
            // A policy of 64 kB and its signature; a batch of a thousand relationships.
            tx_bytes_max: 256 * 1024,
            // A quarter of a second of one core, by the schedule.
            tx_gas_max: 250_000_000,
            gas_schedule_version: GAS_SCHEDULE_VERSION,
            engine_version: ::policy::ENGINE_VERSION,
            state_format_version: STATE_FORMAT_VERSION,
        }
    }
}

impl Record for Params {
    type Wire = light::Params;
    const WHAT: &'static str = "the parameters' record";
    const BYTES_MAX: usize = 128;

    fn to_wire(&self) -> Self::Wire {
        light::Params {
            fee_denom: FEE_DENOM.into(),
            price_per_million_gas: self.price_per_million_gas.0,
            tx_bytes_max: self.tx_bytes_max,
            tx_gas_max: self.tx_gas_max,
            gas_schedule_version: self.gas_schedule_version,
            engine_version: self.engine_version,
            state_format_version: self.state_format_version,
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        if wire.fee_denom != FEE_DENOM {
            return Err(RecordError::invalid::<Self>("fee_denom", FEE_DENOM));
        }
        if wire.tx_bytes_max == 0 || wire.tx_gas_max == 0 {
            return Err(RecordError::invalid::<Self>(
                "tx_bytes_max, tx_gas_max",
                "zero",
            ));
        }
        Ok(Self {
            price_per_million_gas: Amount(wire.price_per_million_gas),
            tx_bytes_max: wire.tx_bytes_max,
            tx_gas_max: wire.tx_gas_max,
            gas_schedule_version: wire.gas_schedule_version,
            engine_version: wire.engine_version,
            state_format_version: wire.state_format_version,
        })
    }
}

/// A key as Cosmos messages carry it. A P-256 key cannot come here: it has no account.
#[must_use]
pub fn public_key_to_any(key: &EncodedKey) -> Any {
    let bytes = key.as_bytes().to_vec();
    let (type_url, value) = match key.kind() {
        KeyKind::Ed25519 => {
            let message = crypto::ed25519::PubKey { key: bytes };
            (crypto::ed25519::PubKey::type_url(), message.encode_to_vec())
        }
        KeyKind::Secp256k1 | KeyKind::P256 => {
            let message = crypto::secp256k1::PubKey { key: bytes };
            (
                crypto::secp256k1::PubKey::type_url(),
                message.encode_to_vec(),
            )
        }
    };
    Any { type_url, value }
}

/// Reads a key as Cosmos messages carry it. Whether it is a point shows when it is decoded.
///
/// # Errors
/// What is wrong with it, in words.
pub fn public_key_from_any(any: &Any) -> Result<EncodedKey, PublicKeyError> {
    let kind = if any.type_url == crypto::ed25519::PubKey::type_url() {
        KeyKind::Ed25519
    } else if any.type_url == crypto::secp256k1::PubKey::type_url() {
        KeyKind::Secp256k1
    } else {
        return Err(PublicKeyError::Kind {
            found: crate::quantities::excerpt(&any.type_url),
        });
    };
    // Both messages have the one field `key = 1`.
    let message: crypto::ed25519::PubKey = wire::canonical::decode(&any.value, 64)?;
    Ok(EncodedKey::new(kind, &message.key)?)
}

/// Why an `Any` is no public key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PublicKeyError {
    /// Neither of the two kinds of key that have accounts.
    #[error("a key is /cosmos.crypto.secp256k1.PubKey or /cosmos.crypto.ed25519.PubKey, not {found:?}; multisig and P-256 keys have no account")]
    Kind {
        /// What was given, cut to a printable length.
        found: alloc::string::String,
    },
    /// The message is not canonical.
    #[error("the key's message is not canonical")]
    Encoding(#[from] wire::canonical::CanonicalError),
    /// The bytes are no key of this kind.
    #[error("the key's bytes are wrong")]
    Key(#[from] identity::IdentityError),
}
