//! The terms on which a relationship stands: a condition, an expiry, both, or none.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use crate::{
    codec::{write_bytes, write_number, Decoder},
    condition::Context,
    name::Name,
    time::Time,
};

/// On what terms a relationship stands. Most stand on none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Terms {
    /// Stands only while this holds.
    pub condition: Option<Box<ConditionUse>>,
    /// Stands only before this time.
    pub expires: Option<Time>,
}

/// A condition, and what the relationship itself gives to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionUse {
    /// The condition's name.
    pub name: Name,
    /// Values of some of its parameters. They win over those of a question.
    pub context: Context,
}

impl Terms {
    /// No terms.
    pub const NONE: Self = Self {
        condition: None,
        expires: None,
    };

    /// Whether there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.condition.is_none() && self.expires.is_none()
    }

    /// Whether the expiry, if there is one, has come at `time`: a relationship ends with the first
    /// block whose time has reached it.
    #[must_use]
    pub fn has_expired(&self, time: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= time)
    }

    /// Canonical bytes; empty where there are no terms.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.is_none() {
            return bytes;
        }
        let condition = u8::from(self.condition.is_some()) * CONDITION;
        let expires = u8::from(self.expires.is_some()) * EXPIRES;
        bytes.push(condition | expires);
        if let Some(used) = &self.condition {
            write_bytes(&mut bytes, used.name.as_str().as_bytes());
            write_bytes(&mut bytes, &used.context.encode());
        }
        if let Some(expires) = self.expires {
            bytes.extend_from_slice(&expires.seconds().to_be_bytes());
            write_number(&mut bytes, u64::from(expires.nanos()));
        }
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.is_empty() {
            return Ok(Self::NONE);
        }
        let mut decoder = Decoder::new(bytes);
        let flags = decoder.byte()?;
        if flags == 0 || flags & !(CONDITION | EXPIRES) != 0 {
            return Err("terms have an unknown form");
        }
        let mut terms = Self::NONE;
        if flags & CONDITION != 0 {
            let name = Name::new(decoder.text()?).map_err(|_| "a condition is not in its form")?;
            let context =
                Context::decode(decoder.bytes()?).map_err(|_| "a context is not in its form")?;
            terms.condition = Some(Box::new(ConditionUse { name, context }));
        }
        if flags & EXPIRES != 0 {
            let mut seconds = [0; 8];
            for byte in &mut seconds {
                *byte = decoder.byte()?;
            }
            let nanos = u32::try_from(decoder.number()?).map_err(|_| "an expiry is no time")?;
            let time = Time::new(i64::from_be_bytes(seconds), nanos);
            terms.expires = Some(time.map_err(|_| "an expiry is no time")?);
        }
        decoder.end()?;
        Ok(terms)
    }
}

const CONDITION: u8 = 1;
const EXPIRES: u8 = 2;

impl fmt::Display for Terms {
    /// ` with office_hours {"zone":"ward"} and expiration 2027-01-01T00:00:00Z`; nothing where there
    /// are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut word = " with";
        if let Some(used) = &self.condition {
            write!(f, "{word} {}", used.name)?;
            if !used.context.is_empty() {
                write!(f, " {}", used.context.to_json())?;
            }
            word = " and";
        }
        if let Some(expires) = self.expires {
            write!(f, "{word} expiration {expires}")?;
        }
        Ok(())
    }
}
