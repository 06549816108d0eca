//! Moving coins.

use hub_types::{
    auth::{self, Account, AccountCounter, AuthError},
    bank::{self, BankError, Send},
};
use identity::AccountAddress;
use wire::cosmos::bank::v1beta1::MsgSendResponse;

use crate::chain::context::Context;
use crate::chain::failure::{Failure, NodeFailure};

/// Moves coins from the signer; the receiver's account comes to be if there is none.
///
/// # Errors
/// [`BankError::InsufficientFunds`].
pub fn send(context: &mut Context<'_, '_>, send: &Send) -> Result<MsgSendResponse, Failure> {
    let key = auth::keys::account(&send.from);
    let mut from: Account = context
        .read(&key)?
        .ok_or(AuthError::UnknownAccount { address: send.from })?;
    from.balance = from
        .balance
        .checked_sub(send.amount)
        .ok_or(BankError::InsufficientFunds {
            address: send.from,
            balance: from.balance,
            amount: send.amount,
        })?;
    context.write(key, &from)?;
    // Read after the sender was written: they may be the same.
    let mut to = account_or_new(context, &send.to)?;
    to.balance = to
        .balance
        .checked_add(send.amount)
        .ok_or_else(|| NodeFailure::State {
            what: "balances above the supply".to_owned(),
        })?;
    context.write(auth::keys::account(&send.to), &to)?;
    context.events.push(bank::events::transfer(send));
    Ok(MsgSendResponse {})
}

fn account_or_new(
    context: &mut Context<'_, '_>,
    address: &AccountAddress,
) -> Result<Account, Failure> {
    if let Some(account) = context.read(&auth::keys::account(address))? {
        return Ok(account);
    }
    let key = auth::keys::counter();
    let mut counter: AccountCounter = context.read(&key)?.ok_or_else(|| NodeFailure::State {
        what: "no account counter".to_owned(),
    })?;
    let account = Account::new(*address, counter.next);
    counter.next += 1;
    context.write(key, &counter)?;
    Ok(account)
}
