//! What every transaction tells.

use identity::AccountAddress;

use crate::{Amount, Event};

/// A fee was paid; the sequence has risen, whatever becomes of the messages.
#[must_use]
pub fn fee_paid(payer: &AccountAddress, fee: Amount, sequence: u64) -> Event {
    Event::new("holdfast.auth.fee_paid")
        .with("payer", payer)
        .with("fee", fee)
        .with("sequence", sequence)
}
