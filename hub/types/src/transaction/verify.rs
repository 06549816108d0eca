//! Signatures of transactions. They cover the chain's id and the account's number, which only the
//! state knows, so this comes after parsing.

use alloc::{sync::Arc, vec::Vec};

use identity::{ChainId, Statement};
use wire::{cosmos::tx::v1beta1::SignDoc, Message as _};

use super::{Transaction, TransactionError};

/// A transaction whose signature was checked for one chain and one account number.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Arc<Transaction>);

impl Verified {
    /// Checks the signature.
    ///
    /// # Errors
    /// [`TransactionError::Signature`]; a transaction signed for another chain id, account number
    /// or sequence cannot be told from a forged one, so the error names all three.
    pub fn check(
        transaction: impl Into<Arc<Transaction>>,
        chain: &ChainId,
        account_number: u64,
    ) -> Result<Self, TransactionError> {
        let transaction = transaction.into();
        let bytes = transaction.sign_bytes(chain, account_number);
        Statement::transaction(&bytes)
            .and_then(|statement| {
                let signer = &transaction.signer;
                signer.key.verify(&statement, &transaction.signature)
            })
            .map_err(|source| TransactionError::Signature {
                chain: chain.clone(),
                account_number,
                sequence: transaction.sequence,
                source,
            })?;
        Ok(Self(transaction))
    }

    /// Takes a transaction whose signature the caller has checked: in a batch over
    /// [`Transaction::sign_bytes`], or earlier over the same bytes.
    #[must_use]
    pub const fn assume(transaction: Arc<Transaction>) -> Self {
        Self(transaction)
    }
}

impl core::ops::Deref for Verified {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.0
    }
}

impl Transaction {
    /// What the signer signed: the encoded SignDoc.
    #[must_use]
    pub fn sign_bytes(&self, chain: &ChainId, account_number: u64) -> Vec<u8> {
        SignDoc {
            body_bytes: self.body_bytes.clone(),
            auth_info_bytes: self.auth_info_bytes.clone(),
            chain_id: chain.as_str().into(),
            account_number,
        }
        .encode_to_vec()
    }
}
