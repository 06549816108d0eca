//! What a message sees while it is executed, and what it leaves behind.

use std::cell::Cell;
use std::collections::BTreeMap;

use hub_types::{
    auth::{self, Params},
    policy::{messages::BLOCK_CHANGES_MAX, Change, PolicyModuleError},
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

/// Gas that was used against its limit. Readers charge it while others hold it, hence the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasMeter {
    limit: Gas,
    used: Cell<Gas>,
}

impl GasMeter {
    /// A meter with this limit.
    pub fn new(limit: Gas) -> GasMeter {
        GasMeter {
            limit,
            used: Cell::new(0),
        }
    }

    /// Uses some.
    ///
    /// # Errors
    /// [`auth::AuthError::OutOfGas`]; what is used then is the limit, so that the result does not
    /// tell how far beyond it the work would have gone.
    pub fn charge(&self, gas: Gas) -> Result<(), Failure> {
        Ok(self.take(gas)?)
    }

    /// [`GasMeter::charge`], for those who know no failure but this one.
    ///
    /// # Errors
    /// The used gas and the limit.
    pub fn take(&self, gas: Gas) -> Result<(), OutOfGas> {
        let used = self.used.get().saturating_add(gas);
        self.used.set(used.min(self.limit));
        if used > self.limit {
            return Err(OutOfGas {
                used,
                limit: self.limit,
            });
        }
        Ok(())
    }

    /// What is left.
    pub fn remaining(&self) -> Gas {
        self.limit - self.used.get()
    }

    /// What was used.
    pub fn used(&self) -> Gas {
        self.used.get()
    }
}

/// Work would have gone beyond its gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfGas {
    /// What it would have come to.
    pub used: Gas,
    /// What was allowed.
    pub limit: Gas,
}

impl From<OutOfGas> for Failure {
    fn from(OutOfGas { used, limit }: OutOfGas) -> Failure {
        auth::AuthError::OutOfGas { used, limit }.into()
    }
}

/// Changes of policies, in order for each.
pub type PolicyChanges = BTreeMap<PolicyId, Vec<Change>>;

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
    /// What the block's transactions before this one changed in policies.
    pub changes_before: &'a PolicyChanges,
    /// What it changed in policies.
    pub changes: PolicyChanges,
}

impl Context<'_, '_> {
    /// Reads a record of the main tree; counts one read and its bytes.
    ///
    /// # Errors
    /// Out of gas, or the node's failure.
    pub fn read<R: Record>(&mut self, key: &[u8]) -> Result<Option<R>, Failure> {
        match self.read_bytes(TreeId::Main, key)? {
            Some(bytes) => Ok(Some(R::from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    /// Reads a key of a tree; counts one read and its bytes.
    ///
    /// # Errors
    /// Out of gas, or the node's failure.
    pub fn read_bytes(&mut self, tree: TreeId, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.gas.charge(self.block.schedule.record_read)?;
        let value = self.state.tree(tree, key)?;
        let bytes = value.as_ref().map_or(0, Vec::len) as u64;
        let per_byte = self.block.schedule.per_byte_read;
        self.gas.charge(bytes.saturating_mul(per_byte))?;
        Ok(value)
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
    /// Out of gas; [`PolicyModuleError::TooManyChanges`] where the block has made as many of this
    /// policy as it may.
    pub fn change(
        &mut self,
        policy: PolicyId,
        revision: u64,
        kind: hub_types::policy::ChangeKind,
    ) -> Result<(), Failure> {
        self.gas.charge(self.block.schedule.policy_change)?;
        let before = self.changes_before.get(&policy).map_or(0, Vec::len);
        let mine = self.changes.entry(policy).or_default();
        if before + mine.len() >= BLOCK_CHANGES_MAX {
            return Err(PolicyModuleError::TooManyChanges { policy }.into());
        }
        let change = Change {
            transaction: Some(self.transaction),
            actor: self.signer.did.clone(),
            kind,
        };
        self.events.extend(hub_types::policy::events::changed(
            &policy, revision, &change,
        ));
        mine.push(change);
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
    use crate::store::{Empty, Layer};
    use hub_types::{policy::ChangeKind, Code};
    use identity::{KeyKind, SecretKey};

    #[test]
    fn gas_stops_at_its_limit_and_says_so() {
        let gas = GasMeter::new(100);
        gas.charge(60).unwrap();
        assert_eq!((gas.used(), gas.remaining()), (60, 40));
        let (code, text) = gas.charge(60).unwrap_err().code().unwrap();
        assert_eq!(code, Code::OutOfGas);
        assert!(text.contains("120 needed"), "{text}");
        assert_eq!((gas.used(), gas.remaining()), (100, 0));
    }

    #[test]
    fn a_policy_changes_so_often_in_a_block_and_no_more() {
        let key = SecretKey::from_seed(KeyKind::Ed25519, [1; 32]).unwrap();
        let signer = hub_types::transaction::Signer {
            key: *key.public_key(),
            address: AccountAddress::of(key.public_key()).unwrap(),
            did: key.did(),
        };
        let (full, other) = (PolicyId::new([1; 32]), PolicyId::new([2; 32]));
        let kind = || ChangeKind::ObjectRegistered {
            object: "cell:1".parse().unwrap(),
            document: None,
        };
        let change = Change {
            transaction: None,
            actor: key.did(),
            kind: kind(),
        };
        let before = [(full, vec![change; BLOCK_CHANGES_MAX - 2])].into();
        let chain = ChainId::parse("plant-1").unwrap();
        let block =
            BlockContext::new(chain, Height(9), Timestamp::default(), Params::default()).unwrap();
        let mut layer = Layer::default();
        let mut context = Context {
            block: &block,
            state: &mut State::new(&Empty, None, &mut layer),
            compiled: &CompiledPolicies::default(),
            signer: &signer,
            sequence: 0,
            transaction: TransactionHash::new([3; 32]),
            message: 0,
            gas: GasMeter::new(1_000_000),
            events: Vec::new(),
            changes_before: &before,
            changes: PolicyChanges::new(),
        };
        context.change(full, 1, kind()).unwrap();
        context.change(other, 1, kind()).unwrap();
        context.change(full, 1, kind()).unwrap();
        let refused = context.change(full, 1, kind()).unwrap_err();
        assert_eq!(refused.code().unwrap().0, Code::TooManyChanges);
        context.change(other, 1, kind()).unwrap();
        assert_eq!(context.changes[&full].len(), 2);
        assert_eq!(context.events.len(), 4);
    }
}
