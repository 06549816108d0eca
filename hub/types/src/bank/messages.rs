//! Messages about coins.

use alloc::{string::ToString, vec};

use identity::AccountAddress;
use wire::cosmos::bank::v1beta1::MsgSend;

use crate::{Amount, MessageError};

/// Moves coins from the signer to another account, which comes to be if it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Who gives; the signer.
    pub from: AccountAddress,
    /// Who receives.
    pub to: AccountAddress,
    /// How much, more than nothing.
    pub amount: Amount,
}

impl Send {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> MsgSend {
        MsgSend {
            from_address: self.from.to_string(),
            to_address: self.to.to_string(),
            amount: vec![self.amount.to_coin()],
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &MsgSend) -> Result<Self, MessageError> {
        let from =
            AccountAddress::parse(&wire.from_address).map_err(MessageError::at("from_address"))?;
        let to = AccountAddress::parse(&wire.to_address).map_err(MessageError::at("to_address"))?;
        let [coin] = wire.amount.as_slice() else {
            return Err(MessageError::field("amount", "give exactly one coin"));
        };
        match Amount::from_coin(coin).map_err(MessageError::at("amount"))? {
            Amount(0) => Err(MessageError::field("amount", "nothing to send")),
            amount => Ok(Self { from, to, amount }),
        }
    }
}
