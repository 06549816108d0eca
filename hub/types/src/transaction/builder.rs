//! Building and signing transactions, for clients and tests.

use alloc::{string::String, vec, vec::Vec};

use identity::{AccountAddress, ChainId, IdentityError, SecretKey};
use wire::{
    cosmos::tx::{
        signing::v1beta1::SignMode,
        v1beta1::{
            mode_info::{Single, Sum},
            AuthInfo, Fee as WireFee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw,
        },
    },
    Message as _,
};

use super::Message;
use crate::{auth::records::public_key_to_any, Amount, Gas, Height};

/// A transaction to be signed. Start with [`TransactionBuilder::new`], add what differs.
#[derive(Clone, Debug)]
pub struct TransactionBuilder {
    chain: ChainId,
    account_number: u64,
    sequence: u64,
    messages: Vec<Message>,
    fee: Amount,
    gas_limit: Gas,
    memo: String,
    timeout_height: Option<Height>,
}

impl TransactionBuilder {
    /// A transaction for one chain and one account, as it stands there now.
    #[must_use]
    pub const fn new(chain: ChainId, account_number: u64, sequence: u64) -> Self {
        Self {
            chain,
            account_number,
            sequence,
            messages: Vec::new(),
            fee: Amount(0),
            gas_limit: 200_000,
            memo: String::new(),
            timeout_height: None,
        }
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Sets what is paid and the most gas that execution may use.
    #[must_use]
    pub const fn fee(mut self, fee: Amount, gas_limit: Gas) -> Self {
        self.fee = fee;
        self.gas_limit = gas_limit;
        self
    }

    /// Sets the memo.
    #[must_use]
    pub fn memo(mut self, memo: &str) -> Self {
        self.memo = memo.into();
        self
    }

    /// Sets the last block that may hold it.
    #[must_use]
    pub const fn timeout_height(mut self, height: Height) -> Self {
        self.timeout_height = Some(height);
        self
    }

    /// Signs, and gives the bytes to send.
    ///
    /// # Errors
    /// [`IdentityError::NoAccount`] for a P-256 key.
    pub fn sign(&self, key: &SecretKey) -> Result<Vec<u8>, IdentityError> {
        AccountAddress::of(key.public_key())?;
        let body_bytes = TxBody {
            messages: self.messages.iter().map(Message::to_any).collect(),
            memo: self.memo.clone(),
            timeout_height: self.timeout_height.map_or(0, |height| height.0),
            extension_options: Vec::new(),
            non_critical_extension_options: Vec::new(),
        }
        .encode_to_vec();
        let auth_info_bytes = self.auth_info(key).encode_to_vec();
        let sign_doc = SignDoc {
            body_bytes: body_bytes.clone(),
            auth_info_bytes: auth_info_bytes.clone(),
            chain_id: self.chain.as_str().into(),
            account_number: self.account_number,
        };
        let signature = key.sign_transaction(&sign_doc.encode_to_vec())?;
        let signatures = vec![signature.as_bytes().to_vec()];
        Ok(TxRaw {
            body_bytes,
            auth_info_bytes,
            signatures,
        }
        .encode_to_vec())
    }

    fn auth_info(&self, key: &SecretKey) -> AuthInfo {
        let mode = Single {
            mode: SignMode::Direct as i32,
        };
        let amount = match self.fee {
            Amount(0) => Vec::new(),
            fee => vec![fee.to_coin()],
        };
        AuthInfo {
            signer_infos: vec![SignerInfo {
                public_key: Some(public_key_to_any(&key.public_key().encoded())),
                mode_info: Some(ModeInfo {
                    sum: Some(Sum::Single(mode)),
                }),
                sequence: self.sequence,
            }],
            fee: Some(WireFee {
                amount,
                gas_limit: self.gas_limit,
                payer: String::new(),
                granter: String::new(),
            }),
        }
    }
}
