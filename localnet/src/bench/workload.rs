//! Transactions made before the clock starts.

use anyhow::{anyhow, Result};
use hub_types::bank::Send;
use hub_types::policy::{CreatePolicy, RegisterObject, SetRelationships};
use hub_types::{Amount, Message, PolicyId, TransactionBuilder};
use identity::{AccountAddress, ChainId, KeyKind, SecretKey};
use rayon::prelude::*;

/// What each loading account has at genesis.
const FUNDS_UHOLD: u64 = 1_000_000_000_000;
/// Gas that one `uhold` buys, at the price of the default parameters.
const GAS_A_UHOLD: u64 = 100;
/// Changes in one batch.
const BATCH: usize = 100;
/// Objects of each policy: enough that each ends with ten readers or so, as most objects have.
const OBJECTS: usize = 1_000;
/// Objects registered by one transaction.
const REGISTERED_AT_ONCE: usize = 25;
/// A policy with one relation, so that a change costs what changes cost.
const POLICY: &str = "name: load\nresources:\n- name: item\n  relations:\n  - name: reader\n    types:\n    - actor\n  permissions:\n  - name: read\n    expr: reader\n";

/// One account for each client, so that their sequences do not meet.
pub struct Accounts {
    keys: Vec<SecretKey>,
}

impl Accounts {
    /// Keys from fixed seeds: loads are the same in every run.
    pub fn generate(kind: KeyKind, count: usize) -> Result<Self> {
        let key = |index: usize| {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&(index as u64).to_be_bytes());
            SecretKey::from_seed(kind, seed).map_err(|error| anyhow!("{error}"))
        };
        Ok(Self {
            keys: (0..count).map(key).collect::<Result<_>>()?,
        })
    }

    /// Addresses and what they hold; account numbers follow this order.
    pub fn funded(&self) -> Result<Vec<(String, u64)>> {
        let account = |key| Ok((address(key)?.to_string(), FUNDS_UHOLD));
        self.keys.iter().map(account).collect()
    }

    /// For each account, `count` signed sends of one coin to the next account.
    pub fn sends(&self, chain: &str, count: usize) -> Result<Vec<Vec<Vec<u8>>>> {
        let chain = ChainId::parse(chain).map_err(|error| anyhow!("{error}"))?;
        let client = |(number, key): (usize, &SecretKey)| {
            let to = address(&self.keys[(number + 1) % self.keys.len()])?;
            let message = Message::Send(Send {
                from: address(key)?,
                to,
                amount: Amount(1),
            });
            (0..count)
                .map(|sequence| {
                    sign(
                        &chain,
                        number,
                        sequence,
                        vec![message.clone()],
                        200_000,
                        key,
                    )
                })
                .collect()
        };
        self.keys.par_iter().enumerate().map(client).collect()
    }

    /// For each account, transactions that create a policy of its own with a thousand objects, and
    /// `count` batches that each give one more actor a hundred of them.
    #[allow(clippy::type_complexity, reason = "transactions of clients, twice")]
    pub fn relationship_batches(
        &self,
        chain: &str,
        count: usize,
    ) -> Result<(Vec<Vec<Vec<u8>>>, Vec<Vec<Vec<u8>>>)> {
        let chain = ChainId::parse(chain).map_err(|error| anyhow!("{error}"))?;
        let object = |item: usize| format!("item:{item}");
        let client = |(number, key): (usize, &SecretKey)| -> Result<_> {
            let creator = address(key)?;
            let policy = PolicyId::derive(&chain, &key.did(), 0, 0);
            let create = Message::CreatePolicy(CreatePolicy {
                creator,
                definition: POLICY.into(),
                anchor_lag: 100,
                max_staleness_seconds: 3600,
            });
            let mut prepare = vec![sign(&chain, number, 0, vec![create], 5_000_000, key)?];
            for first in (0..OBJECTS).step_by(REGISTERED_AT_ONCE) {
                let register = |item| {
                    let object = object(item).parse().map_err(|error| anyhow!("{error}"))?;
                    Ok(Message::RegisterObject(RegisterObject {
                        creator,
                        policy,
                        object,
                        document: None,
                    }))
                };
                let messages = (first..first + REGISTERED_AT_ONCE)
                    .map(register)
                    .collect::<Result<Vec<_>>>()?;
                prepare.push(sign(
                    &chain,
                    number,
                    prepare.len(),
                    messages,
                    20_000_000,
                    key,
                )?);
            }
            let batch = |index: usize| {
                let mut seed = [9; 32];
                seed[..16].copy_from_slice(&((number as u128) << 64 | index as u128).to_be_bytes());
                let reader = SecretKey::from_seed(KeyKind::Ed25519, seed)
                    .map_err(|error| anyhow!("{error}"))?
                    .did();
                let relationship = |item| {
                    format!("{}#reader@{reader}", object(item))
                        .parse()
                        .map_err(|error| anyhow!("{error}"))
                };
                let first = index * BATCH % OBJECTS;
                let set = (first..first + BATCH)
                    .map(relationship)
                    .collect::<Result<Vec<_>>>()?;
                let message = SetRelationships {
                    creator,
                    policy,
                    set,
                    delete: Vec::new(),
                    preconditions: Vec::new(),
                };
                sign(
                    &chain,
                    number,
                    prepare.len() + index,
                    vec![Message::SetRelationships(message)],
                    15_000_000,
                    key,
                )
            };
            let batches = (0..count).map(batch).collect::<Result<Vec<_>>>()?;
            Ok((prepare, batches))
        };
        Ok(self
            .keys
            .par_iter()
            .enumerate()
            .map(client)
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip())
    }
}

/// Unsigned transactions of `bytes` bytes for CometBFT's kvstore (`key=value`), no two the same.
pub fn kvstore(clients: usize, count: usize, bytes: usize) -> Vec<Vec<Vec<u8>>> {
    let transaction = |client: usize, index: usize| {
        let mut transaction = format!("{client}-{index}=").into_bytes();
        transaction.resize(bytes.max(transaction.len() + 1), b'x');
        transaction
    };
    (0..clients)
        .map(|client| (0..count).map(|index| transaction(client, index)).collect())
        .collect()
}

fn address(key: &SecretKey) -> Result<AccountAddress> {
    AccountAddress::of(key.public_key()).map_err(|error| anyhow!("{error}"))
}

fn sign(
    chain: &ChainId,
    number: usize,
    sequence: usize,
    messages: Vec<Message>,
    gas: u64,
    key: &SecretKey,
) -> Result<Vec<u8>> {
    let builder = TransactionBuilder::new(chain.clone(), number as u64, sequence as u64)
        .fee(Amount(gas.div_ceil(GAS_A_UHOLD)), gas);
    messages
        .into_iter()
        .fold(builder, TransactionBuilder::message)
        .sign(key)
        .map_err(|error| anyhow!("{error}"))
}
