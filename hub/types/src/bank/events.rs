//! What moving coins tells.

use super::Send;
use crate::Event;

/// Coins were moved; the name and attributes are those of the Cosmos SDK, which wallets look for.
#[must_use]
pub fn transfer(send: &Send) -> Event {
    Event::new("transfer")
        .with("recipient", send.to)
        .with("sender", send.from)
        .with("amount", send.amount)
}
