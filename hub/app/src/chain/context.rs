//! What a message sees while it is executed, and what it leaves behind.

use hub_types::{
    auth::{self, Params},
    policy::Change,
    Event, Gas, GasSchedule, Height, PolicyId, Record, Timestamp, TransactionHash,
};
use identity::{AccountAddress, ChainId};

use super::failure::{Failure, NodeFailure};
use super::policies::CompiledPolicies;
use crate::store::{State, TreeId};

/// What all transactions of a block share.
#[derive(Clone, Debug)]
pub struct BlockContext {
    /// The chain.
    pub chain: ChainId,
    /// The block's height.
    pub height: Height,
    /// The block's time: the only clock that execution has (Invariant 1).
    pub time: Timestamp,
    /// The chain's parameters.
    pub params: Params,
    /// What work costs.
    pub schedule: GasSchedule,
}

impl BlockContext {
    /// The context of a block over the state in which `params` stand.
    ///
    /// # Errors
    /// [`NodeFailure::State`] when this binary does not know the gas schedule or engine in force.
    pub fn new(
        chain: ChainId,
        height: Height,
        time: Timestamp,
        params: Params,
    ) -> Result<BlockContext, NodeFailure> {
        let schedule = GasSchedule::of_version(params.gas_schedule_version).ok_or_else(|| {
            NodeFailure::State {
                what: format!("gas schedule version {}", params.gas_schedule_version),
            }
        })?;
        if params.engine_version != policy::ENGINE_VERSION {
            return Err(NodeFailure::State {
                what: format!("policy engine version {}", params.engine_version),
            });
        }
        Ok(BlockContext {
            chain,
            height,
            time,
            params,
            schedule,
        })
    }
}

/// Gas that was used against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasMeter {
    limit: Gas,
    used: Gas,
}

impl GasMeter {
    /// A meter with this limit.
    pub fn new(limit: Gas) -> GasMeter {
        GasMeter { limit, used: 0 }
    }

    /// Uses some.
    ///
    /// # Errors
    /// [`auth::AuthError::OutOfGas`]; what is used then is the limit, so that the result does not
    /// tell how far beyond it the work would have gone.
    pub fn charge(&mut self, gas: Gas) -> Result<(), Failure> {
        let used = self.used.saturating_add(gas);
        self.used = used.min(self.limit);
        if used > self.limit {
            return Err(auth::AuthError::OutOfGas {
                used,
                limit: self.limit,
            }
            .into());
        }
        Ok(())
    }

    /// What was used.
    pub fn used(&self) -> Gas {
        self.used
    }
}

/// What a message sees and leaves.
pub struct Context<'a, 'b> {
    /// What the block gives.
    pub block: &'a BlockContext,
    /// The state.
    pub state: &'a mut State<'b>,
    /// Compiled policies.
    pub compiled: &'a CompiledPolicies,
    /// Who signed.
    pub signer: &'a hub_types::transaction::Signer,
    /// The transaction's sequence.
    pub sequence: u64,
    /// The transaction's hash.
    pub transaction: TransactionHash,
    /// The message's place in the transaction, from 0.
    pub message: u32,
    /// Gas so far.
    pub gas: GasMeter,
    /// What it told.
    pub events: Vec<Event>,
    /// What it changed in policies, in order.
    pub changes: Vec<(PolicyId, Change)>,
}

impl Context<'_, '_> {
    /// Reads a record of the main tree; counts one read.
    ///
    /// # Errors
    /// Out of gas, or the node's failure.
    pub fn read<R: Record>(&mut self, key: &[u8]) -> Result<Option<R>, Failure> {
        self.gas.charge(self.block.schedule.record_read)?;
        read_record(self.state, key)
    }

    /// Writes a record of the main tree; counts one write and its bytes.
    ///
    /// # Errors
    /// Out of gas.
    pub fn write<R: Record>(&mut self, key: Vec<u8>, record: &R) -> Result<(), Failure> {
        self.write_bytes(TreeId::Main, key, Some(record.to_bytes()))
    }

    /// Writes a key of a tree; counts one write and its bytes.
    ///
    /// # Errors
    /// Out of gas.
    pub fn write_bytes(
        &mut self,
        tree: TreeId,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        let bytes = value.as_ref().map_or(0, Vec::len) as u64;
        let schedule = &self.block.schedule;
        let gas = schedule.record_write + bytes.saturating_mul(schedule.per_record_byte);
        self.gas.charge(gas)?;
        self.state.put_tree(tree, key, value);
        Ok(())
    }

    /// Records a change of a policy; counts it.
    ///
    /// # Errors
    /// Out of gas.
    pub fn change(
        &mut self,
        policy: PolicyId,
        revision: u64,
        kind: hub_types::policy::ChangeKind,
    ) -> Result<(), Failure> {
        self.gas.charge(self.block.schedule.policy_change)?;
        let change = Change {
            transaction: Some(self.transaction),
            actor: self.signer.did.clone(),
            kind,
        };
        self.events.push(hub_types::policy::events::changed(
            &policy, revision, &change,
        ));
        self.changes.push((policy, change));
        Ok(())
    }
}

/// Reads a record of the main tree.
///
/// # Errors
/// The node's failure.
pub fn read_record<R: Record>(state: &State<'_>, key: &[u8]) -> Result<Option<R>, Failure> {
    match state.tree(TreeId::Main, key)? {
        Some(bytes) => Ok(Some(R::from_bytes(&bytes)?)),
        None => Ok(None),
    }
}

/// The account at an address.
///
/// # Errors
/// The node's failure.
pub fn account(
    state: &State<'_>,
    address: &AccountAddress,
) -> Result<Option<auth::Account>, Failure> {
    read_record(state, &auth::keys::account(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::Code;

    #[test]
    fn gas_stops_at_its_limit_and_says_so() {
        let mut gas = GasMeter::new(100);
        gas.charge(60).unwrap();
        assert_eq!(gas.used(), 60);
        let (code, text) = gas.charge(60).unwrap_err().code().unwrap();
        assert_eq!(code, Code::OutOfGas);
        assert!(text.contains("120 needed"), "{text}");
        assert_eq!(gas.used(), 100);
    }
}
