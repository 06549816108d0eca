//! The record of the supply.

use wire::light;

use crate::{
    record::{Record, RecordError},
    Amount,
};

/// All that accounts hold together. Set at genesis; nothing mints or burns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Never zero: genesis has at least one account that can pay.
    pub total: Amount,
}

impl Record for Supply {
    type Wire = light::Supply;
    const WHAT: &'static str = "the supply's record";
    const BYTES_MAX: usize = 16;

    fn to_wire(&self) -> Self::Wire {
        light::Supply {
            total: self.total.0,
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        match wire.total {
            0 => Err(RecordError::invalid::<Self>(
                "total",
                "genesis has an account that can pay",
            )),
            total => Ok(Self {
                total: Amount(total),
            }),
        }
    }
}
