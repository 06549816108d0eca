//! What moving coins can run into.

use identity::AccountAddress;

use crate::{Amount, Code};

/// Why coins did not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// The sender does not hold that much.
    #[error("account {address} holds {balance}, less than the {amount} that it sends")]
    InsufficientFunds {
        /// The sender.
        address: AccountAddress,
        /// What it holds after the fee.
        balance: Amount,
        /// What it sends.
        amount: Amount,
    },
}

impl BankError {
    /// The number that consensus sees.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::InsufficientFunds { .. } => Code::InsufficientFunds,
        }
    }
}
