//! Values while a condition is evaluated: typed, cheap to copy, borrowed from contexts and from the
//! condition wherever they need no conversion.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::{borrow::Borrow, cmp::Ordering, net::IpAddr, ops::Deref};

use super::{
    duration::Duration,
    meter::{Exhausted, Meter},
    operation::Constant,
    Double,
};
use crate::time::Time;

/// Something borrowed, or counted where the evaluation made it: a copy never copies the content.
#[derive(Debug)]
pub(super) enum Shared<'a, T: ?Sized> {
    Borrowed(&'a T),
    Counted(Rc<T>),
}

impl<T: ?Sized> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(borrowed) => Self::Borrowed(borrowed),
            Self::Counted(counted) => Self::Counted(Rc::clone(counted)),
        }
    }
}

impl<T: ?Sized> Deref for Shared<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Borrowed(borrowed) => borrowed,
            Self::Counted(counted) => counted,
        }
    }
}

// Keys of maps: they sort and are found as the texts that they hold.
impl Borrow<str> for Shared<'_, str> {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Shared<'_, str> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Shared<'_, str> {}

impl Ord for Shared<'_, str> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl PartialOrd for Shared<'_, str> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

pub(super) type Fields<'a> = BTreeMap<Shared<'a, str>, Datum<'a>>;

#[derive(Clone, Debug)]
pub(super) enum Datum<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(Double),
    String(Shared<'a, str>),
    Bytes(Shared<'a, [u8]>),
    Timestamp(Time),
    Duration(Duration),
    IpAddress(IpAddr),
    List(Rc<Vec<Datum<'a>>>),
    Map(Rc<Fields<'a>>),
}

impl<'a> Datum<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::String(Shared::Borrowed(text))
    }

    pub(super) fn made_text(text: &str) -> Self {
        Self::String(Shared::Counted(Rc::from(text)))
    }

    pub(super) fn constant(constant: &'a Constant) -> Self {
        match constant {
            Constant::Null => Self::Null,
            Constant::Bool(value) => Self::Bool(*value),
            Constant::Int(value) => Self::Int(*value),
            Constant::Uint(value) => Self::Uint(*value),
            Constant::Double(value) => Self::Double(*value),
            Constant::String(value) => Self::text(value),
            Constant::Bytes(value) => Self::Bytes(Shared::Borrowed(value)),
            Constant::Timestamp(value) => Self::Timestamp(*value),
            Constant::Duration(value) => Self::Duration(*value),
            Constant::IpAddress(value) => Self::IpAddress(*value),
        }
    }

    /// The name of its type, for errors.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "timestamp",
            Self::Duration(_) => "duration",
            Self::IpAddress(_) => "ipaddress",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// Its value, if it is an integer in type.
    fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some((*value).into()),
            Self::Uint(value) => Some((*value).into()),
            _ => None,
        }
    }

    /// Its value, if it is a whole number of any type.
    pub(super) fn whole(&self) -> Option<i128> {
        match self {
            Self::Double(value) => value
                .truncated()
                .and_then(|(whole, rest)| (!rest).then_some(whole)),
            other => other.integer(),
        }
    }

    /// Where two numbers lie on the number line, exactly, whatever their types.
    fn compare_numbers(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Double(a), Self::Double(b)) => a.cmp(b),
            (Self::Double(a), b) => a.compare_integer(b.integer()?),
            (a, Self::Double(b)) => b.compare_integer(a.integer()?).reverse(),
            (a, b) => a.integer()?.cmp(&b.integer()?),
        })
    }

    /// Whether two values are equal. Values of different types are not, except numbers. Charges one
    /// unit for each entry compared, and for text of equal length its bytes.
    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Exhausted> {
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::String(a), Self::String(b)) => same(a.as_bytes(), b.as_bytes(), meter)?,
            (Self::Bytes(a), Self::Bytes(b)) => same(a, b, meter)?,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::IpAddress(a), Self::IpAddress(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    meter.charge(1)?;
                    if !a.equals(b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for ((a_key, a), (b_key, b)) in a.iter().zip(b.iter()) {
                    meter.charge(1)?;
                    if !same(a_key.as_bytes(), b_key.as_bytes(), meter)? || !a.equals(b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (a, b) => a.compare_numbers(b).is_some_and(Ordering::is_eq),
        })
    }

    /// How two values lie; none if their types have no order between them.
    pub(super) fn order(
        &self,
        other: &Self,
        meter: &mut Meter,
    ) -> Result<Option<Ordering>, Exhausted> {
        Ok(Some(match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => {
                meter.charge_bytes(a.len().min(b.len()))?;
                (**a).cmp(&**b)
            }
            (Self::Bytes(a), Self::Bytes(b)) => {
                meter.charge_bytes(a.len().min(b.len()))?;
                (**a).cmp(&**b)
            }
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (a, b) => return Ok(a.compare_numbers(b)),
        }))
    }
}

fn same(a: &[u8], b: &[u8], meter: &mut Meter) -> Result<bool, Exhausted> {
    if a.len() != b.len() {
        return Ok(false);
    }
    meter.charge_bytes(a.len())?;
    Ok(a == b)
}
