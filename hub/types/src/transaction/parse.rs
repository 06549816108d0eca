//! From bytes to a [`Transaction`], without any state.

use alloc::{format, string::ToString, vec::Vec};

use identity::{AccountAddress, Signature};
use wire::{
    canonical,
    cosmos::tx::{
        signing::v1beta1::SignMode,
        v1beta1::{mode_info::Sum, AuthInfo, Fee as WireFee, SignerInfo, TxBody, TxRaw},
    },
    Message as _,
};

use super::{
    Fee, Message, Signer, Transaction, TransactionError, BYTES_MAX, MEMO_BYTES_MAX, MESSAGES_MAX,
};
use crate::{
    auth::{records::public_key_from_any, Params},
    Amount, Height, TransactionHash,
};

impl Transaction {
    /// Reads a transaction and checks all that can be checked without state.
    ///
    /// # Errors
    /// [`TransactionError`], every variant but `Signature`.
    pub fn parse(bytes: &[u8], params: &Params) -> Result<Self, TransactionError> {
        let max = usize::try_from(params.tx_bytes_max)
            .unwrap_or(BYTES_MAX)
            .min(BYTES_MAX);
        if bytes.len() > max {
            return Err(TransactionError::TooLarge {
                found: bytes.len(),
                max,
            });
        }
        let raw: TxRaw = decode("transaction", bytes)?;
        let body: TxBody = decode("body", &raw.body_bytes)?;
        let auth: AuthInfo = decode("auth info", &raw.auth_info_bytes)?;

        let (signer, sequence) = read_signer(&auth, &raw)?;
        let signature = Signature::from_slice(&raw.signatures[0])
            .map_err(TransactionError::SignatureMalformed)?;
        let fee = read_fee(auth.fee.as_ref(), params)?;
        let messages = read_messages(&body, &signer.address)?;
        Ok(Self {
            hash: TransactionHash::of(bytes),
            bytes_len: bytes.len(),
            messages,
            signer,
            sequence,
            fee,
            memo: body.memo,
            timeout_height: (body.timeout_height != 0).then_some(Height(body.timeout_height)),
            signature,
            body_bytes: raw.body_bytes,
            auth_info_bytes: raw.auth_info_bytes,
        })
    }

    /// The bytes as they are sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        TxRaw {
            body_bytes: self.body_bytes.clone(),
            auth_info_bytes: self.auth_info_bytes.clone(),
            signatures: alloc::vec![self.signature.as_bytes().to_vec()],
        }
        .encode_to_vec()
    }
}

fn decode<M: wire::Message + Default>(
    part: &'static str,
    bytes: &[u8],
) -> Result<M, TransactionError> {
    canonical::decode(bytes, BYTES_MAX)
        .map_err(|source| TransactionError::Encoding { part, source })
}

fn read_signer(auth: &AuthInfo, raw: &TxRaw) -> Result<(Signer, u64), TransactionError> {
    let ([info], [_]) = (auth.signer_infos.as_slice(), raw.signatures.as_slice()) else {
        return Err(TransactionError::Signers {
            signers: auth.signer_infos.len(),
            signatures: raw.signatures.len(),
        });
    };
    check_mode(info)?;
    let any = info
        .public_key
        .as_ref()
        .ok_or(TransactionError::NoPublicKey)?;
    let key = public_key_from_any(any)
        .and_then(|key| Ok(key.decode()?))
        .map_err(TransactionError::PublicKey)?;
    let address =
        AccountAddress::of(&key).map_err(|error| TransactionError::PublicKey(error.into()))?;
    let did = key.did();
    Ok((Signer { key, address, did }, info.sequence))
}

fn check_mode(info: &SignerInfo) -> Result<(), TransactionError> {
    let found = match info.mode_info.as_ref().and_then(|mode| mode.sum.as_ref()) {
        Some(Sum::Single(single)) if single.mode == SignMode::Direct as i32 => return Ok(()),
        Some(Sum::Single(single)) => match SignMode::try_from(single.mode) {
            Ok(mode) => mode.as_str_name().to_string(),
            Err(_) => format!("mode {}", single.mode),
        },
        Some(Sum::Multi(_)) => "a multisignature".to_string(),
        None => "no mode".to_string(),
    };
    Err(TransactionError::SignMode { found })
}

fn read_fee(fee: Option<&WireFee>, params: &Params) -> Result<Fee, TransactionError> {
    let missing = WireFee::default();
    let fee = fee.unwrap_or(&missing);
    if !fee.payer.is_empty() || !fee.granter.is_empty() {
        return Err(TransactionError::FeePayer);
    }
    let amount = match fee.amount.as_slice() {
        [] => Amount(0),
        [coin] => Amount::from_coin(coin).map_err(TransactionError::Fee)?,
        coins => return Err(TransactionError::FeeCoins { found: coins.len() }),
    };
    if fee.gas_limit == 0 || fee.gas_limit > params.tx_gas_max {
        return Err(TransactionError::GasLimit {
            found: fee.gas_limit,
            max: params.tx_gas_max,
        });
    }
    Ok(Fee {
        amount,
        gas_limit: fee.gas_limit,
    })
}

fn read_messages(body: &TxBody, signer: &AccountAddress) -> Result<Vec<Message>, TransactionError> {
    if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
        return Err(TransactionError::Extensions);
    }
    if body.memo.len() > MEMO_BYTES_MAX {
        return Err(TransactionError::Memo {
            found: body.memo.len(),
        });
    }
    if body.messages.is_empty() || body.messages.len() > MESSAGES_MAX {
        return Err(TransactionError::Messages {
            found: body.messages.len(),
        });
    }
    let read = |(index, any)| {
        let message =
            Message::from_any(any).map_err(|source| TransactionError::Message { index, source })?;
        match message.creator() == signer {
            true => Ok(message),
            false => Err(TransactionError::Creator {
                index,
                creator: *message.creator(),
                signer: *signer,
            }),
        }
    };
    body.messages.iter().enumerate().map(read).collect()
}
