//! Functions and operators on values that are there: cel-spec langdef, "List of Standard
//! Definitions". Everything is checked here again, because of `any`.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
};

use super::{
    address,
    datum::{Datum, Shared},
    failure::{conversion_failure, overflow, type_failure, EvaluationFailure},
    meter::{Exhausted, Meter},
    operation::{Arithmetic, Function, Part},
};
use crate::{name::excerpt, time::Time};

/// Why a function gives no value.
pub(super) enum Problem {
    Failed(EvaluationFailure),
    Exhausted,
}

impl From<EvaluationFailure> for Problem {
    fn from(failure: EvaluationFailure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Exhausted> for Problem {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

type Result<T> = core::result::Result<T, Problem>;

/// Arithmetic on integers, times and durations, and `+` on texts, bytes and lists.
pub(super) fn compute<'a>(
    arithmetic: Arithmetic,
    left: Datum<'a>,
    right: Datum<'a>,
    meter: &mut Meter,
) -> Result<Datum<'a>> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    let sign = arithmetic.sign();
    let result = match (arithmetic, left, right) {
        (Divide | Remainder, Datum::Int(_), Datum::Int(0))
        | (Divide | Remainder, Datum::Uint(_), Datum::Uint(0)) => {
            return Err(EvaluationFailure::DivisionByZero { operator: sign }.into())
        }
        (_, Datum::Int(a), Datum::Int(b)) => match arithmetic {
            Add => a.checked_add(b),
            Subtract => a.checked_sub(b),
            Multiply => a.checked_mul(b),
            Divide => a.checked_div(b),
            Remainder => a.checked_rem(b),
        }
        .map(Datum::Int),
        (_, Datum::Uint(a), Datum::Uint(b)) => match arithmetic {
            Add => a.checked_add(b),
            Subtract => a.checked_sub(b),
            Multiply => a.checked_mul(b),
            Divide => a.checked_div(b),
            Remainder => a.checked_rem(b),
        }
        .map(Datum::Uint),
        (Add, Datum::String(a), Datum::String(b)) => {
            meter.charge_bytes(a.len() + b.len())?;
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(&a);
            text.push_str(&b);
            Some(Datum::String(Shared::Counted(text.into())))
        }
        (Add, Datum::Bytes(a), Datum::Bytes(b)) => {
            meter.charge_bytes(a.len() + b.len())?;
            Some(Datum::Bytes(Shared::Counted([&*a, &*b].concat().into())))
        }
        (Add, Datum::List(a), Datum::List(b)) => {
            meter.charge(a.len() + b.len())?;
            Some(Datum::List(Rc::new(
                a.iter().chain(b.iter()).cloned().collect(),
            )))
        }
        (Add, Datum::Timestamp(time), Datum::Duration(span))
        | (Add, Datum::Duration(span), Datum::Timestamp(time)) => {
            span.after(time).map(Datum::Timestamp)
        }
        (Subtract, Datum::Timestamp(time), Datum::Duration(span)) => {
            span.before(time).map(Datum::Timestamp)
        }
        (Subtract, Datum::Timestamp(a), Datum::Timestamp(b)) => {
            super::duration::Duration::between(b, a).map(Datum::Duration)
        }
        (Add, Datum::Duration(a), Datum::Duration(b)) => a.plus(b).map(Datum::Duration),
        (Subtract, Datum::Duration(a), Datum::Duration(b)) => a.minus(b).map(Datum::Duration),
        (_, a, b) => {
            return Err(type_failure(sign, format!("{} and {}", a.kind(), b.kind())).into())
        }
    };
    result.ok_or_else(|| overflow(sign).into())
}

pub(super) fn negate(of: &Datum<'_>) -> Result<Datum<'static>> {
    match of {
        Datum::Int(value) => {
            let negated = value.checked_neg().map(Datum::Int);
            negated.ok_or_else(|| overflow("-").into())
        }
        other => Err(type_failure("-", other.kind()).into()),
    }
}

/// `entry in range`: an entry of a list, a key of a map.
pub(super) fn contains(entry: &Datum<'_>, range: &Datum<'_>, meter: &mut Meter) -> Result<bool> {
    match range {
        Datum::List(entries) => {
            for other in entries.iter() {
                meter.charge(1)?;
                if entry.equals(other, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Datum::Map(fields) => Ok(match entry {
            Datum::String(key) => fields.contains_key(&**key),
            _ => false,
        }),
        other => Err(type_failure("in", other.kind()).into()),
    }
}

/// `container[index]`.
pub(super) fn index<'a>(container: &Datum<'a>, index: &Datum<'_>) -> Result<Datum<'a>> {
    match (container, index) {
        (Datum::List(entries), index) => {
            let Some(whole) = index.whole() else {
                return Err(type_failure("[…]", format!("list and {}", index.kind())).into());
            };
            let found = usize::try_from(whole).ok().and_then(|at| entries.get(at));
            found.cloned().ok_or_else(|| {
                EvaluationFailure::Index {
                    index: whole.to_string(),
                    size: entries.len(),
                }
                .into()
            })
        }
        (Datum::Map(_), Datum::String(key)) => select(container, key),
        (container, index) => {
            let given = format!("{} and {}", container.kind(), index.kind());
            Err(type_failure("[…]", given).into())
        }
    }
}

/// `map.field`.
pub(super) fn select<'a>(of: &Datum<'a>, field: &str) -> Result<Datum<'a>> {
    let Datum::Map(fields) = of else {
        return Err(type_failure(".", of.kind()).into());
    };
    fields.get(field).cloned().ok_or_else(|| {
        EvaluationFailure::Key {
            key: excerpt(field),
        }
        .into()
    })
}

/// `has(map.field)`.
pub(super) fn has(of: &Datum<'_>, field: &str) -> Result<bool> {
    match of {
        Datum::Map(fields) => Ok(fields.contains_key(field)),
        other => Err(type_failure("has", other.kind()).into()),
    }
}

/// A function of one value.
pub(super) fn unary<'a>(function: Function, of: Datum<'a>, meter: &mut Meter) -> Result<Datum<'a>> {
    match (function, of) {
        (Function::Size, of) => size(&of, meter),
        (Function::ToInt, of) => to_int(&of),
        (Function::ToUint, of) => to_uint(&of),
        (Function::ToString, of) => to_text(of, meter),
        (Function::ToTimestamp, of @ Datum::Timestamp(_))
        | (Function::ToDuration, of @ Datum::Duration(_))
        | (Function::ToIpAddress, of @ Datum::IpAddress(_)) => Ok(of),
        (Function::ToTimestamp, Datum::Int(seconds)) => {
            let time = Time::new(seconds, 0).map(Datum::Timestamp);
            time.map_err(|_| overflow("timestamp").into())
        }
        (Function::ToTimestamp, Datum::String(text)) => {
            let time = text.parse().map(Datum::Timestamp);
            time.map_err(|_| conversion_failure("a timestamp", &text).into())
        }
        (Function::ToDuration, Datum::String(text)) => {
            let span = text.parse().map(Datum::Duration);
            span.map_err(|()| conversion_failure("a duration", &text).into())
        }
        (Function::ToIpAddress, Datum::String(text)) => {
            let address = address::address(&text).map(Datum::IpAddress);
            address.ok_or_else(|| conversion_failure("an ipaddress", &text).into())
        }
        (Function::Get(part), Datum::Timestamp(time)) => Ok(read(part, time, 0)),
        (Function::Get(part), Datum::Duration(span)) => {
            let unit = match part {
                Part::Hours => 3_600_000_000_000,
                Part::Minutes => 60_000_000_000,
                Part::Seconds => 1_000_000_000,
                _ => return Err(type_failure(function.name(), "duration").into()),
            };
            let whole = i64::try_from(span.nanos() / unit).map(Datum::Int);
            whole.map_err(|_| overflow(function.name()).into())
        }
        (_, of) => Err(type_failure(function.name(), of.kind()).into()),
    }
}

/// A function of two values.
pub(super) fn binary<'a>(
    function: Function,
    of: &Datum<'a>,
    second: &Datum<'a>,
    meter: &mut Meter,
) -> Result<Datum<'a>> {
    let value = match (function, of, second) {
        (Function::StartsWith, Datum::String(text), Datum::String(part)) => {
            meter.charge_bytes(part.len())?;
            text.starts_with(&**part)
        }
        (Function::EndsWith, Datum::String(text), Datum::String(part)) => {
            meter.charge_bytes(part.len())?;
            text.ends_with(&**part)
        }
        (Function::Contains, Datum::String(text), Datum::String(part)) => {
            meter.charge_bytes(text.len() + part.len())?;
            text.contains(&**part)
        }
        (Function::InCidr, Datum::IpAddress(host), Datum::String(range)) => {
            let found = address::in_range(*host, range);
            found.ok_or_else(|| conversion_failure("a range of addresses", range))?
        }
        (Function::IsSubtreeOf, Datum::Map(_), Datum::Map(_)) => is_subtree(of, second, meter)?,
        (Function::Get(part), Datum::Timestamp(time), Datum::String(zone)) => {
            let offset = offset(zone).ok_or_else(|| conversion_failure("a fixed offset", zone))?;
            return Ok(read(part, *time, offset));
        }
        _ => {
            let given = format!("{} and {}", of.kind(), second.kind());
            return Err(type_failure(function.name(), given).into());
        }
    };
    Ok(Datum::Bool(value))
}

fn size(of: &Datum<'_>, meter: &mut Meter) -> Result<Datum<'static>> {
    let size = match of {
        Datum::String(text) => {
            meter.charge_bytes(text.len())?;
            text.chars().count()
        }
        Datum::Bytes(bytes) => bytes.len(),
        Datum::List(entries) => entries.len(),
        Datum::Map(fields) => fields.len(),
        other => return Err(type_failure("size", other.kind()).into()),
    };
    Ok(Datum::Int(size as i64))
}

fn to_int(of: &Datum<'_>) -> Result<Datum<'static>> {
    let value = match of {
        Datum::Int(value) => Some(*value),
        Datum::Uint(value) => i64::try_from(*value).ok(),
        Datum::Double(value) => value
            .truncated()
            .and_then(|(whole, _)| i64::try_from(whole).ok()),
        Datum::Timestamp(time) => Some(time.seconds()),
        Datum::String(text) => {
            let value = text.parse();
            Some(value.map_err(|_| conversion_failure("an int", text))?)
        }
        other => return Err(type_failure("int", other.kind()).into()),
    };
    value.map(Datum::Int).ok_or_else(|| overflow("int").into())
}

fn to_uint(of: &Datum<'_>) -> Result<Datum<'static>> {
    let value = match of {
        Datum::Uint(value) => Some(*value),
        Datum::Int(value) => u64::try_from(*value).ok(),
        Datum::Double(value) => value
            .truncated()
            .filter(|_| *value >= super::Double::from_integer(0))
            .and_then(|(whole, _)| u64::try_from(whole).ok()),
        Datum::String(text) => {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let value = if digits { text.parse().ok() } else { None };
            Some(value.ok_or_else(|| conversion_failure("a uint", text))?)
        }
        other => return Err(type_failure("uint", other.kind()).into()),
    };
    value
        .map(Datum::Uint)
        .ok_or_else(|| overflow("uint").into())
}

fn to_text<'a>(of: Datum<'a>, meter: &mut Meter) -> Result<Datum<'a>> {
    let text = match of {
        Datum::String(_) => return Ok(of),
        Datum::Bool(value) => value.to_string(),
        Datum::Int(value) => value.to_string(),
        Datum::Uint(value) => value.to_string(),
        Datum::Timestamp(time) => time.to_string(),
        Datum::Duration(span) => span.to_string(),
        Datum::Bytes(bytes) => {
            meter.charge_bytes(bytes.len())?;
            let text = core::str::from_utf8(&bytes);
            return match text {
                Ok(text) => Ok(Datum::made_text(text)),
                Err(_) => Err(conversion_failure("a string", "bytes that are no UTF-8").into()),
            };
        }
        other => return Err(type_failure("string", other.kind()).into()),
    };
    Ok(Datum::made_text(&text))
}

/// Whether every field of the first map is in the second: a map by the same rule, other values
/// equal. The recursion is as deep as values are, which contexts and conditions bound.
fn is_subtree(
    of: &Datum<'_>,
    tree: &Datum<'_>,
    meter: &mut Meter,
) -> core::result::Result<bool, Exhausted> {
    let (Datum::Map(of), Datum::Map(tree)) = (of, tree) else {
        return of.equals(tree, meter);
    };
    for (key, value) in of.iter() {
        meter.charge(1)?;
        match tree.get(&**key) {
            Some(other) if is_subtree(value, other, meter)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A part of a timestamp, `offset` seconds east of Greenwich. Months, days of the month by
/// `getDayOfMonth`, and days of the year count from 0; `getDate` counts from 1; Sunday is 0.
fn read(part: Part, time: Time, offset: i64) -> Datum<'static> {
    let parts = time.parts(offset);
    Datum::Int(match part {
        Part::FullYear => parts.year,
        Part::Month => parts.month - 1,
        Part::Date => parts.day,
        Part::DayOfMonth => parts.day - 1,
        Part::DayOfWeek => parts.day_of_week,
        Part::DayOfYear => parts.day_of_year,
        Part::Hours => parts.hour,
        Part::Minutes => parts.minute,
        Part::Seconds => parts.second,
        Part::Milliseconds => i64::from(time.nanos() / 1_000_000),
    })
}

/// Seconds east of Greenwich of `UTC` or of a fixed offset such as `+01:00`, `-08:30`, `02:00`.
pub(super) fn offset(text: &str) -> Option<i64> {
    if text == "UTC" {
        return Some(0);
    }
    let (sign, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    let [h1, h2, b':', m1, m2] = digits else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (hours, minutes) = (number(*h1, *h2)?, number(*m1, *m2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}
