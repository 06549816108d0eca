//! Sending transactions: sequence, gas, fee, signature, and then proof of what became of it.
//!
//! A broadcast is only a hope. What counts is that the transaction stands under a verified
//! header's `data_hash` and its result under the next header's `last_results_hash`
//! ([`crate::inclusion`]); so an answer from here is as certain as the light client. Sending the
//! same bytes again is harmless: an account's sequence admits them once.

use std::time::Duration;

use hub_types::auth::{Account, Params};
use hub_types::{Amount, Gas, GasSchedule, Height, Message, TransactionBuilder, TransactionHash};
use identity::{AccountAddress, SecretKey};
use prost::Message as _;
use tokio::time::Instant;
use wire::cosmos::base::abci::v1beta1::TxMsgData;
use wire::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use wire::Any;

use crate::client::HubClient;
use crate::error::{ClientError, Fault};
use crate::inclusion::{verify_result, verify_transaction};
use crate::rpc::{Rpc, RpcError, TxResult};
use crate::transport::BoxFuture;

/// How many blocks a transaction may take to be included. Then it never will be, and a sender
/// that lost sight of it knows.
pub const TIMEOUT_BLOCKS: u64 = 600;

/// How long a sender waits for inclusion.
pub const INCLUSION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the block after a transaction's may take: its header vouches for the result.
const NEXT_BLOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// After how long without inclusion every node is given the transaction again.
const REBROADCAST_INTERVAL: Duration = Duration::from_secs(3);

/// How often a sender looks. Blocks come every 100 ms or slower.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How often a transaction is signed anew because the sequence moved on under it.
const SEQUENCE_ATTEMPTS: u32 = 8;

/// A transaction in a block, with its result; all of it verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Included {
    /// The transaction.
    pub hash: TransactionHash,
    /// Its block.
    pub height: Height,
    /// Its place there.
    pub index: u64,
    /// Zero, or why it failed.
    pub code: u32,
    /// The gas that it used.
    pub gas_used: Gas,
    /// What each message answered, in order; empty when it failed.
    pub responses: Vec<Any>,
    /// A node's words about the result. Nothing vouches for them.
    pub log: String,
}

impl Included {
    /// The answer to message `index`.
    ///
    /// # Errors
    /// [`ClientError::Question`] when there is none or it is of another type.
    pub fn response<M: prost::Message + prost::Name + Default>(
        &self,
        index: usize,
    ) -> Result<M, ClientError> {
        let any = self.responses.get(index).ok_or_else(|| {
            ClientError::Question(format!("transaction {} has no answer {index}", self.hash))
        })?;
        let wrong = || {
            ClientError::Question(format!(
                "transaction {} answered with {} where {} was expected",
                self.hash,
                any.type_url,
                M::full_name()
            ))
        };
        if any.type_url != M::type_url() {
            return Err(wrong());
        }
        M::decode(any.value.as_slice()).map_err(|_| wrong())
    }
}

/// What a sender may say about a transaction beyond its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The most gas; estimated when left out.
    pub gas_limit: Option<Gas>,
    /// What is paid; the chain's price for the gas when left out.
    pub fee: Option<Amount>,
    /// Free text.
    pub memo: String,
    /// How long to wait for inclusion; [`INCLUSION_TIMEOUT`] when left out.
    pub wait: Option<Duration>,
}

/// Where a transaction stands among those of its account.
struct Place<'a> {
    account: &'a Account,
    sequence: u64,
    timeout_height: Height,
}

impl HubClient {
    /// Signs `messages` with `key`, sends them as one transaction and waits until its result is
    /// proven. The messages' creator must be the key's account.
    ///
    /// # Errors
    /// [`ClientError::Failed`] (in a block, and failed), [`ClientError::Refused`] (not in a
    /// block), [`ClientError::Pending`] (could not tell).
    pub async fn submit(
        &self,
        key: &SecretKey,
        messages: Vec<Message>,
    ) -> Result<Included, ClientError> {
        self.submit_with(key, messages, &Terms::default()).await
    }

    /// The same with [`Terms`].
    ///
    /// # Errors
    /// As [`HubClient::submit`].
    pub async fn submit_with(
        &self,
        key: &SecretKey,
        messages: Vec<Message>,
        terms: &Terms,
    ) -> Result<Included, ClientError> {
        let address = AccountAddress::of(key.public_key())
            .map_err(|error| ClientError::Build(error.to_string()))?;
        let params = self.params().await?.value;
        let (tx, timeout_height) = self
            .sign_and_broadcast(key, &messages, terms, &params, &address)
            .await?;
        let wait = terms.wait.unwrap_or(INCLUSION_TIMEOUT);
        let outcome = self.wait_for(&tx, timeout_height, wait).await;
        if outcome.is_err() {
            // Nobody knows what became of it: the next one asks the proven account alone.
            self.sequences().lock().await.remove(&address);
        }
        outcome?.success()
    }

    /// Signs with the account's next sequence until a node takes it. One at a time in this
    /// process, or two signers of one account would take one sequence.
    async fn sign_and_broadcast(
        &self,
        key: &SecretKey,
        messages: &[Message],
        terms: &Terms,
        params: &Params,
        address: &AccountAddress,
    ) -> Result<(Vec<u8>, Height), ClientError> {
        let mut ahead = self.sequences().lock().await;
        let mut refused = None;
        for _ in 0..SEQUENCE_ATTEMPTS {
            let account = self.existing_account(address).await?;
            // The proven account is a block old; what this process sent since counts as well.
            let sequence = ahead
                .get(address)
                .map_or(account.sequence, |next| account.sequence.max(*next));
            let timeout_height = Height(self.newest_height().saturating_add(TIMEOUT_BLOCKS));
            let place = Place {
                account: &account,
                sequence,
                timeout_height,
            };
            let tx = self.sign(key, messages, terms, params, &place).await?;
            match self.broadcast(&tx).await {
                Ok(()) => {
                    ahead.insert(*address, sequence + 1);
                    return Ok((tx, timeout_height));
                }
                Err(error) if error.code() == Some(hub_types::Code::Sequence.number()) => {
                    ahead.remove(address);
                    refused = Some(error);
                    tokio::time::sleep(POLL_INTERVAL * 3).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or(ClientError::NoNodes))
    }

    /// Sends a signed transaction and waits until its result is proven. Sending what was sent
    /// before goes on waiting for it.
    ///
    /// # Errors
    /// As [`HubClient::submit`].
    pub async fn submit_raw(
        &self,
        tx: &[u8],
        timeout_height: Height,
    ) -> Result<Included, ClientError> {
        if let Some(found) = self.find(TransactionHash::of(tx)).await? {
            return found.success();
        }
        self.broadcast(tx).await?;
        self.wait_for(tx, timeout_height, INCLUSION_TIMEOUT)
            .await?
            .success()
    }

    /// The transaction with `hash` and its result, verified; `None` while no node shows it in a
    /// block, which proves nothing.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn find(&self, hash: TransactionHash) -> Result<Option<Included>, ClientError> {
        let found = self
            .each(move |rpc| -> BoxFuture<'_, _> { Box::pin(self.find_at(rpc, hash)) })
            .await;
        match found {
            Ok(included) => Ok(Some(included)),
            // One node that hides it does not hide it from the others; only where all that answer
            // do not show it is it not shown.
            Err(ClientError::Nodes(attempts))
                if attempts
                    .iter()
                    .any(|it| matches!(it.fault, Fault::NotShown))
                    && !attempts.iter().any(|it| it.fault.is_lie()) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn find_at(&self, rpc: Rpc<'_>, hash: TransactionHash) -> Result<Included, Fault> {
        const WHAT: &str = "a transaction";
        let answer = rpc
            .tx(*hash.as_bytes(), true)
            .await?
            .ok_or(Fault::NotShown)?;
        let height = Height(answer.height);
        let block = self.header_from(rpc, height).await?;
        verify_transaction(&answer, hash.as_bytes(), block.data_hash.as_ref())
            .map_err(|reason| Fault::unverified(WHAT, reason))?;
        let next = self
            .chain()
            .reach(rpc, height.next().0, NEXT_BLOCK_TIMEOUT)
            .await?;
        let results = rpc.block_results(height.0).await?;
        let result: TxResult =
            verify_result(&results, answer.index, next.last_results_hash.as_ref())
                .map_err(|reason| Fault::unverified("a transaction's result", reason))?;
        let responses = match result.code {
            0 => {
                TxMsgData::decode(result.data.as_slice())
                    .map_err(|error| Fault::unverified("a transaction's answer", error))?
                    .msg_responses
            }
            _ => Vec::new(),
        };
        Ok(Included {
            hash,
            height,
            index: answer.index,
            code: result.code,
            gas_used: result.gas_used,
            responses,
            log: result.log,
        })
    }

    async fn existing_account(&self, address: &AccountAddress) -> Result<Account, ClientError> {
        let proven = self.account(address).await?;
        proven.value.ok_or_else(|| ClientError::NoAccount {
            address: address.to_string(),
            height: proven.state_height,
        })
    }

    async fn sign(
        &self,
        key: &SecretKey,
        messages: &[Message],
        terms: &Terms,
        params: &Params,
        place: &Place<'_>,
    ) -> Result<Vec<u8>, ClientError> {
        let build = |fee: Amount, gas: Gas| {
            let mut builder = TransactionBuilder::new(
                self.chain_id().clone(),
                place.account.number,
                place.sequence,
            )
            .fee(fee, gas)
            .memo(&terms.memo)
            .timeout_height(place.timeout_height);
            for message in messages {
                builder = builder.message(message.clone());
            }
            builder
                .sign(key)
                .map_err(|error| ClientError::Build(error.to_string()))
        };
        let gas = match terms.gas_limit {
            Some(gas) => gas,
            None => {
                let draft = build(params.fee_min(params.tx_gas_max), params.tx_gas_max)?;
                let floor = floor(key, messages, draft.len());
                let simulated = self.simulate(&draft).await;
                estimate(simulated, floor).min(params.tx_gas_max)
            }
        };
        let fee = terms.fee.unwrap_or_else(|| params.fee_min(gas));
        build(fee, gas)
    }

    /// The gas that a node says the transaction takes. A hint: it bounds nothing but the fee,
    /// which the chain's maximum bounds as well.
    async fn simulate(&self, tx: &[u8]) -> Option<Gas> {
        let request = SimulateRequest {
            tx: None,
            tx_bytes: tx.to_vec(),
        };
        let request = request.encode_to_vec();
        for transport in self.transports() {
            let rpc = Rpc::new(&**transport);
            let answer = rpc
                .abci_query("/cosmos.tx.v1beta1.Service/Simulate", &request, 0, false)
                .await;
            if let Ok(answer) = answer {
                let response = SimulateResponse::decode(answer.value.as_slice()).ok();
                let gas = response.and_then(|it| it.gas_info).map(|it| it.gas_used);
                if answer.code == 0 && gas.is_some_and(|gas| gas > 0) {
                    return gas;
                }
            }
        }
        None
    }

    /// Hands the transaction to the first node that takes it. Nodes that refuse it do not stop
    /// the next one: a refusal before inclusion is only a node's word.
    async fn broadcast(&self, tx: &[u8]) -> Result<(), ClientError> {
        let mut refusal = None;
        let mut attempts = Vec::new();
        for transport in self.transports() {
            let rpc = Rpc::new(&**transport);
            match rpc.broadcast_tx_sync(tx).await {
                Ok(answer) if answer.code == 0 => return Ok(()),
                Ok(answer) => {
                    refusal.get_or_insert(ClientError::Refused {
                        code: answer.code,
                        log: answer.log,
                        node: rpc.name().to_owned(),
                    });
                }
                // CometBFT: "tx already exists in cache". It has it, so it was taken.
                Err(RpcError::Refused { message, .. }) if message.contains("already") => {
                    return Ok(())
                }
                Err(error) => attempts.push(crate::error::Attempt {
                    node: rpc.name().to_owned(),
                    fault: Fault::Rpc(error),
                }),
            }
        }
        Err(match refusal {
            Some(refusal) => refusal,
            None if attempts.is_empty() => ClientError::NoNodes,
            None => ClientError::Nodes(attempts),
        })
    }

    async fn wait_for(
        &self,
        tx: &[u8],
        timeout_height: Height,
        wait: Duration,
    ) -> Result<Included, ClientError> {
        let hash = TransactionHash::of(tx);
        let deadline = Instant::now() + wait;
        let mut again = Instant::now() + REBROADCAST_INTERVAL;
        loop {
            // A node that fails now may answer in a moment; the deadline bounds the patience.
            match self.find(hash).await {
                Ok(Some(included)) => return Ok(included),
                Ok(None) => {}
                Err(error) if Instant::now() >= deadline && !error.is_unreachable() => {
                    return Err(error)
                }
                Err(_) => {}
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Pending {
                    hash,
                    timeout_height,
                });
            }
            if Instant::now() >= again {
                // The node that took it may have lost or dropped it; the others get it as well.
                for transport in self.transports() {
                    let _ = Rpc::new(&**transport).broadcast_tx_sync(tx).await;
                }
                again = Instant::now() + REBROADCAST_INTERVAL;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Included {
    fn success(self) -> Result<Self, ClientError> {
        match self.code {
            0 => Ok(self),
            code => Err(ClientError::Failed {
                hash: self.hash,
                height: self.height,
                code,
                log: self.log,
            }),
        }
    }
}

/// What the transaction takes at least, by the published schedule.
fn floor(key: &SecretKey, messages: &[Message], bytes: usize) -> Gas {
    let schedule = GasSchedule::V1;
    messages
        .iter()
        .map(|message| schedule.message(message))
        .fold(schedule.transaction(bytes, key.kind()), Gas::saturating_add)
}

/// The limit: what was simulated and a third, because state moves on; without a simulation
/// generously more than the floor.
fn estimate(simulated: Option<Gas>, floor: Gas) -> Gas {
    match simulated {
        Some(gas) => gas.max(floor).saturating_add(gas / 3),
        None => floor.saturating_mul(4).saturating_add(2_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_simulates_nonsense_cannot_lower_the_limit_below_the_schedule() {
        assert!(estimate(Some(1), 100_000) >= 100_000);
        assert_eq!(estimate(Some(u64::MAX), 1), u64::MAX);
        assert!(estimate(None, 100_000) > 400_000);
    }
}
