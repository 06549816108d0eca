//! One transaction through its phases: stateless, historical, execute.
//!
//! The type says how far it came: bytes become a [`Transaction`] (hub-types), a transaction whose
//! sequence, fee, chain and signature fit the state becomes a [`Paid`], and only that is executed.
//! From `Paid` on the fee is gone and the sequence has risen, whatever the messages come to.

use std::sync::Arc;

use hub_types::{
    auth::{self, AuthError},
    transaction::Verified,
    Amount, Code, Event, Gas, Transaction, TransactionError, TransactionHash, CODESPACE,
};
use wire::cosmos::base::abci::v1beta1::TxMsgData;
use wire::{Any, Message as _};

use super::block::Prepared;
use super::context::{account, BlockContext, Context, GasMeter, PolicyChanges};
use super::failure::{Failure, NodeFailure};
use super::known::{Known, KnownTransactions};
use super::policies::CompiledPolicies;
use crate::store::State;

/// What became of a transaction: ABCI's ExecTxResult and CheckTx, before protobuf. Code, data and
/// gas are hashed into LastResultsHash; log and events are for people and indexers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionResult {
    /// `None` for success.
    pub code: Option<Code>,
    /// Encoded TxMsgData: one response for each message. Empty on failure.
    pub data: Vec<u8>,
    /// A sentence on failure.
    pub log: String,
    /// The gas limit.
    pub gas_wanted: Gas,
    /// Gas that was used.
    pub gas_used: Gas,
    /// What it told.
    pub events: Vec<Event>,
}

impl TransactionResult {
    /// The number that consensus sees; 0 for success.
    pub fn code_number(&self) -> u32 {
        self.code.map_or(0, Code::number)
    }

    /// The namespace of the code; empty for success.
    pub fn codespace(&self) -> &'static str {
        if self.code.is_some() {
            CODESPACE
        } else {
            ""
        }
    }

    fn refused(failure: Failure, wanted: Gas, used: Gas) -> Result<Self, NodeFailure> {
        let (code, log) = failure.code()?;
        Ok(TransactionResult {
            code: Some(code),
            log,
            gas_wanted: wanted,
            gas_used: used,
            ..TransactionResult::default()
        })
    }
}

/// A transaction whose fee is paid and whose sequence has risen.
pub struct Paid {
    transaction: Verified,
    account_number: u64,
    gas: GasMeter,
    fee: Amount,
}

/// Whether a signature is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Verify.
    Verify,
    /// It was found right for this account number; for another it is looked at.
    RightFor(u64),
    /// It was verified when the transaction entered the mempool (recheck), or there is none
    /// (simulation).
    Skip,
}

/// What a block's worth of transactions is executed with.
pub struct Executor<'a> {
    /// The block.
    pub block: &'a BlockContext,
    /// Compiled policies.
    pub compiled: &'a CompiledPolicies,
    /// Transactions that were parsed and verified.
    pub known: &'a KnownTransactions,
}

/// What a transaction that was executed leaves beside its result.
#[derive(Default)]
pub struct Effects {
    /// The fee, to be credited at the end of the block.
    pub fee: Amount,
    /// Changes of policies.
    pub changes: PolicyChanges,
}

impl Executor<'_> {
    /// Parses: everything that needs no state.
    ///
    /// # Errors
    /// [`TransactionError`], with its own code.
    pub fn parse(&self, bytes: &[u8]) -> Result<Arc<Transaction>, TransactionError> {
        Transaction::parse(bytes, &self.block.params).map(Arc::new)
    }

    /// Checks a transaction against the state, takes the fee and raises the sequence.
    ///
    /// Nothing is written when it is refused.
    ///
    /// # Errors
    /// A refusal, or the node's failure.
    pub fn admit(
        &self,
        state: &mut State<'_>,
        transaction: Arc<Transaction>,
        check: SignatureCheck,
    ) -> Result<Paid, Failure> {
        let signer = transaction.signer();
        let mut account = account(state, &signer.address)?.ok_or(AuthError::UnknownAccount {
            address: signer.address,
        })?;
        self.check_account(&transaction, &account)?;
        let skip = match check {
            SignatureCheck::Skip => true,
            SignatureCheck::RightFor(number) => number == account.number,
            SignatureCheck::Verify => false,
        };
        let verified = if skip {
            Verified::assume(transaction)
        } else {
            Verified::check(transaction, &self.block.chain, account.number)?
        };
        let gas = GasMeter::new(verified.fee().gas_limit);
        let kind = verified.signer().key.kind();
        gas.charge(self.block.schedule.transaction(verified.bytes_len(), kind))?;

        let fee = verified.fee().amount;
        account.balance = account
            .balance
            .checked_sub(fee)
            .ok_or(AuthError::FeeFunds {
                address: account.address,
                balance: account.balance,
                fee,
            })?;
        account.sequence += 1;
        account.public_key = Some(verified.signer().key.encoded());
        let key = auth::keys::account(&account.address);
        let bytes = hub_types::Record::to_bytes(&account);
        state.put_tree(crate::store::TreeId::Main, key, Some(bytes));
        state.keep();
        Ok(Paid {
            transaction: verified,
            account_number: account.number,
            gas,
            fee,
        })
    }

    /// What needs the account but no signature: cheap, so it comes first.
    fn check_account(
        &self,
        transaction: &Transaction,
        account: &auth::Account,
    ) -> Result<(), Failure> {
        let block = self.block;
        if let Some(timeout_height) = transaction.timeout_height() {
            if block.height > timeout_height {
                return Err(AuthError::TimedOut {
                    timeout_height,
                    height: block.height,
                }
                .into());
            }
        }
        if transaction.sequence() != account.sequence {
            return Err(AuthError::Sequence {
                expected: account.sequence,
                found: transaction.sequence(),
            }
            .into());
        }
        let fee = transaction.fee();
        let expected = block.params.fee_min(fee.gas_limit);
        if fee.amount < expected {
            return Err(AuthError::FeeTooLow {
                gas_limit: fee.gas_limit,
                expected,
                found: fee.amount,
            }
            .into());
        }
        if account.balance < fee.amount {
            return Err(AuthError::FeeFunds {
                address: account.address,
                balance: account.balance,
                fee: fee.amount,
            }
            .into());
        }
        Ok(())
    }

    /// Executes the messages, all or none, after what the block changed before.
    ///
    /// # Errors
    /// The node's failure; a refused message is a result.
    pub fn execute(
        &self,
        state: &mut State<'_>,
        paid: Paid,
        changes_before: &PolicyChanges,
    ) -> Result<(TransactionResult, Effects), NodeFailure> {
        let Paid {
            transaction,
            gas,
            fee,
            ..
        } = paid;
        let signer = transaction.signer();
        let wanted = transaction.fee().gas_limit;
        let fee_event = auth::events::fee_paid(&signer.address, fee, transaction.sequence());
        let mut context = Context {
            block: self.block,
            state,
            compiled: self.compiled,
            signer,
            sequence: transaction.sequence(),
            transaction: transaction.hash(),
            message: 0,
            gas,
            events: vec![fee_event.clone()],
            changes_before,
            changes: PolicyChanges::new(),
        };
        let mut responses = Vec::with_capacity(transaction.messages().len());
        for (index, message) in transaction.messages().iter().enumerate() {
            context.message = index as u32;
            let executed = context
                .gas
                .charge(self.block.schedule.message(message))
                .and_then(|()| super::dispatch::execute(&mut context, message));
            match executed {
                Ok(response) => responses.push(response),
                Err(failure) => {
                    let used = context.gas.used();
                    context.state.forget();
                    let mut result = TransactionResult::refused(failure, wanted, used)?;
                    result.log = format!("message {index}: {}", result.log);
                    result.events = vec![fee_event];
                    let effects = Effects {
                        fee,
                        changes: PolicyChanges::new(),
                    };
                    return Ok((result, effects));
                }
            }
        }
        context.state.keep();
        let result = TransactionResult {
            code: None,
            data: message_data(responses),
            log: String::new(),
            gas_wanted: wanted,
            gas_used: context.gas.used(),
            events: context.events,
        };
        let effects = Effects {
            fee,
            changes: context.changes,
        };
        Ok((result, effects))
    }

    /// All phases, for a block that has `gas_left` for it and all after it, and has changed
    /// `changes_before` so far.
    ///
    /// # Errors
    /// The node's failure.
    pub fn deliver(
        &self,
        state: &mut State<'_>,
        prepared: Prepared,
        gas_left: Gas,
        changes_before: &PolicyChanges,
    ) -> Result<(TransactionResult, Effects), NodeFailure> {
        let gas_limit = prepared.gas_limit();
        if gas_limit > gas_left {
            let refused = AuthError::BlockGas {
                gas_limit,
                left: gas_left,
            };
            let result = TransactionResult::refused(refused.into(), gas_limit, 0)?;
            return Ok((result, Effects::default()));
        }
        let check = prepared
            .verified_for
            .map_or(SignatureCheck::Verify, SignatureCheck::RightFor);
        self.deliver_as(state, prepared.parsed, check, changes_before)
    }

    /// All phases, with a say over the signature.
    ///
    /// # Errors
    /// The node's failure.
    pub fn deliver_as(
        &self,
        state: &mut State<'_>,
        parsed: Result<Arc<Transaction>, TransactionError>,
        check: SignatureCheck,
        changes_before: &PolicyChanges,
    ) -> Result<(TransactionResult, Effects), NodeFailure> {
        let transaction = match parsed {
            Ok(transaction) => transaction,
            Err(error) => {
                let result = TransactionResult::refused(error.into(), 0, 0)?;
                return Ok((result, Effects::default()));
            }
        };
        let wanted = transaction.fee().gas_limit;
        match self.admit(state, transaction, check) {
            Ok(paid) => self.execute(state, paid, changes_before),
            Err(failure) => {
                state.forget();
                let result = TransactionResult::refused(failure, wanted, 0)?;
                Ok((result, Effects::default()))
            }
        }
    }

    /// The phases before execution, for the mempool; remembers what it found right.
    ///
    /// # Errors
    /// The node's failure.
    pub fn check(
        &self,
        state: &mut State<'_>,
        bytes: &[u8],
        check: SignatureCheck,
    ) -> Result<TransactionResult, NodeFailure> {
        let params = &self.block.params;
        let known = self.known.get(params, &TransactionHash::of(bytes));
        let was_known = known.is_some();
        let (transaction, check) = match known {
            Some(known) => (
                known.transaction,
                SignatureCheck::RightFor(known.account_number),
            ),
            None => match self.parse(bytes) {
                Ok(transaction) => (transaction, check),
                Err(error) => return TransactionResult::refused(error.into(), 0, 0),
            },
        };
        let wanted = transaction.fee().gas_limit;
        match self.admit(state, transaction.clone(), check) {
            Ok(paid) => {
                if !was_known && check == SignatureCheck::Verify {
                    let account_number = paid.account_number;
                    let known = Known {
                        transaction,
                        account_number,
                    };
                    self.known.remember(params, [known]);
                }
                Ok(TransactionResult {
                    gas_wanted: wanted,
                    gas_used: paid.gas.used(),
                    ..TransactionResult::default()
                })
            }
            Err(failure) => {
                state.forget();
                TransactionResult::refused(failure, wanted, 0)
            }
        }
    }
}

/// The `data` of a result, as Cosmos clients read it.
fn message_data(responses: Vec<Any>) -> Vec<u8> {
    TxMsgData {
        msg_responses: responses,
    }
    .encode_to_vec()
}
