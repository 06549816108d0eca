//! What a transaction can run into before its messages are looked at: the phase that reads state.

use identity::AccountAddress;

use crate::{Amount, Code, Gas, Height};

/// Why a well-formed transaction does not fit the state. Nothing is charged for these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The signer has no account.
    #[error(
        "account {address} does not exist; somebody must send it {} first",
        crate::FEE_DENOM
    )]
    UnknownAccount {
        /// The signer.
        address: AccountAddress,
    },
    /// The sequence is not the account's. The words are those of the Cosmos SDK, because clients
    /// look for them.
    #[error("account sequence mismatch, expected {expected}, got {found}; ask for the account again and sign anew")]
    Sequence {
        /// The account's.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The block is above the transaction's timeout height.
    #[error("the transaction was to be in a block up to height {timeout_height}, and this is {height}; sign anew with a later one")]
    TimedOut {
        /// The last height that it allows.
        timeout_height: Height,
        /// The block.
        height: Height,
    },
    /// The fee is too low for the gas.
    #[error("{gas_limit} gas cost at least {expected}, and the fee is {found}")]
    FeeTooLow {
        /// The gas that it asks for.
        gas_limit: Gas,
        /// The least fee for it.
        expected: Amount,
        /// The transaction's fee.
        found: Amount,
    },
    /// The account cannot pay the fee.
    #[error("account {address} holds {balance}, less than the fee of {fee}")]
    FeeFunds {
        /// The signer.
        address: AccountAddress,
        /// What it holds.
        balance: Amount,
        /// The fee.
        fee: Amount,
    },
    /// The execution needed more gas than the limit. The fee is kept, nothing else is.
    #[error("out of gas: {used} needed so far, {limit} allowed; raise the gas limit")]
    OutOfGas {
        /// Gas used when it stopped.
        used: Gas,
        /// The transaction's limit.
        limit: Gas,
    },
    /// The block has too little gas left. Nothing is charged.
    #[error("the transaction asks for {gas_limit} gas and the block has {left} left; send again for the next block")]
    BlockGas {
        /// The gas that it asks for.
        gas_limit: Gas,
        /// What the transactions before it leave.
        left: Gas,
    },
}

impl AuthError {
    /// The number that consensus sees.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownAccount { .. } => Code::UnknownAccount,
            Self::Sequence { .. } => Code::Sequence,
            Self::TimedOut { .. } => Code::TimedOut,
            Self::FeeTooLow { .. } => Code::FeeTooLow,
            Self::FeeFunds { .. } => Code::FeeFunds,
            Self::OutOfGas { .. } => Code::OutOfGas,
            Self::BlockGas { .. } => Code::BlockGas,
        }
    }
}
