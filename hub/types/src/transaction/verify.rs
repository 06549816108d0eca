//! Signatures of transactions. They cover the chain's id and the account's number, which only the
//! state knows, so this comes after parsing.

use alloc::vec::Vec;

use identity::{ChainId, Statement};
use sha2::{Digest, Sha256};
use wire::{cosmos::tx::v1beta1::SignDoc, Message as _};

use super::{Transaction, TransactionError};

/// A transaction whose signature was checked for one chain and one account number.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Transaction);

impl Verified {
    /// Takes a transaction whose signature the caller has checked: in a batch over
    /// [`Transaction::sign_bytes`], or earlier under the same [`Transaction::cache_key`].
    #[must_use]
    pub const fn assume(transaction: Transaction) -> Self {
        Self(transaction)
    }

    /// The transaction.
    #[must_use]
    pub const fn get(&self) -> &Transaction {
        &self.0
    }

    /// Gives the transaction back.
    #[must_use]
    pub fn into_inner(self) -> Transaction {
        self.0
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

    /// Names what a check of the signature has shown: the hash of sign bytes, key and signature
    /// (DESIGN §4). A node that verified in CheckTx need not verify the same again.
    #[must_use]
    pub fn cache_key(&self, sign_bytes: &[u8]) -> [u8; 32] {
        let key = &self.signer.key;
        let mut hasher = Sha256::new();
        for part in [sign_bytes, &key.kind().multicodec(), key.as_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.update(self.signature.as_bytes());
        hasher.finalize().into()
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`TransactionError::Signature`]; a transaction signed for another chain id, account number
    /// or sequence cannot be told from a forged one, so the error names all three.
    pub fn verify(
        self,
        chain: &ChainId,
        account_number: u64,
    ) -> Result<Verified, TransactionError> {
        let bytes = self.sign_bytes(chain, account_number);
        self.verify_bytes(&bytes, chain, account_number)?;
        Ok(Verified(self))
    }

    /// As [`Transaction::verify`], for whoever has made the sign bytes already.
    ///
    /// # Errors
    /// [`TransactionError::Signature`].
    pub fn verify_bytes(
        &self,
        sign_bytes: &[u8],
        chain: &ChainId,
        account_number: u64,
    ) -> Result<(), TransactionError> {
        Statement::transaction(sign_bytes)
            .and_then(|statement| self.signer.key.verify(&statement, &self.signature))
            .map_err(|source| TransactionError::Signature {
                chain: chain.clone(),
                account_number,
                sequence: self.sequence,
                source,
            })
    }
}
