//! The type rules of operators; the rest of the checker is in `checker`.
//!
//! Beyond CEL's own rules, numbers of all three types compare with each other, `null` compares with
//! everything, and the clock is compared with a timestamp and nothing else.

use alloc::format;

use super::{
    checker::{Checked, Checker},
    form::Tree,
    operation::{Arithmetic, Comparison, Operation},
    types::Type,
};
use crate::{
    schema::{PolicyError, Position},
    yaml::error,
};

impl Checker<'_> {
    pub(super) fn choice(
        &mut self,
        position: Position,
        parts: &[Tree; 3],
    ) -> Result<Checked, PolicyError> {
        let [condition, then, otherwise] = parts;
        let condition = self.truth(condition, "what stands before `?`")?;
        let then = self.value(then)?;
        let otherwise = self.value(otherwise)?;
        let clock = condition.clock | then.clock | otherwise.clock;
        let operation = Operation::Choice {
            condition: condition.id,
            then: then.id,
            otherwise: otherwise.id,
        };
        let numbers = then.of.is_number() && otherwise.of.is_number();
        if !then.of.may_equal(&otherwise.of) || (numbers && then.of != otherwise.of) {
            return Err(error(
                position,
                format!(
                    "both values of `?` must be of one type; here they are {} and {}",
                    then.of, otherwise.of
                ),
            ));
        }
        let of = then.of.joined(otherwise.of);
        Ok(self.push(position, operation, of, clock))
    }

    pub(super) fn compare(
        &mut self,
        position: Position,
        comparison: Comparison,
        operands: &[Tree; 2],
    ) -> Result<Checked, PolicyError> {
        let [left, right] = operands;
        let (left, right) = (self.check(left)?, self.check(right)?);
        if left.of == Type::Clock {
            return self.compare_clock(position, comparison, right);
        }
        if right.of == Type::Clock {
            return self.compare_clock(position, comparison.mirrored(), left);
        }
        let fits = if comparison.is_order() {
            may_order(&left.of, &right.of)
        } else {
            left.of.may_equal(&right.of)
        };
        if !fits {
            return Err(no_operator(
                position,
                comparison.sign(),
                &left.of,
                Some(&right.of),
            ));
        }
        let operation = Operation::Compare(comparison, left.id, right.id);
        Ok(self.push(position, operation, Type::Bool, left.clock | right.clock))
    }

    /// The clock on the left, `other` on the right.
    fn compare_clock(
        &mut self,
        position: Position,
        comparison: Comparison,
        other: Checked,
    ) -> Result<Checked, PolicyError> {
        let refusal = if !comparison.is_order() {
            "the clock moves on, so it equals nothing for long; compare with `<`, `<=`, `>` or `>=`"
        } else if other.clock {
            "what the clock is compared with must not hang on the clock itself"
        } else if other.of != Type::Timestamp {
            "the clock is only compared with a timestamp; make one with timestamp(…)"
        } else {
            self.uses_clock = true;
            let operation = Operation::CompareClock(comparison, other.id);
            return Ok(self.push(position, operation, Type::Bool, true));
        };
        Err(error(position, refusal))
    }

    pub(super) fn contains(
        &mut self,
        position: Position,
        operands: &[Tree; 2],
    ) -> Result<Checked, PolicyError> {
        let [entry, range] = operands;
        let (entry, range) = (self.value(entry)?, self.value(range)?);
        let fits = match &range.of {
            Type::Any => true,
            Type::List(of) => of.may_equal(&entry.of),
            Type::Map(_) => Type::String.may_equal(&entry.of),
            _ => false,
        };
        if !fits {
            return Err(no_operator(position, "in", &entry.of, Some(&range.of)));
        }
        let operation = Operation::In(entry.id, range.id);
        Ok(self.push(position, operation, Type::Bool, entry.clock | range.clock))
    }

    pub(super) fn compute(
        &mut self,
        position: Position,
        arithmetic: Arithmetic,
        operands: &[Tree; 2],
    ) -> Result<Checked, PolicyError> {
        use Arithmetic::{Add, Subtract};
        let [left, right] = operands;
        let (left, right) = (self.value(left)?, self.value(right)?);
        let of = match (arithmetic, &left.of, &right.of) {
            (_, Type::Int, Type::Int) => Type::Int,
            (_, Type::Uint, Type::Uint) => Type::Uint,
            (_, Type::Any, Type::Any | Type::Int | Type::Uint)
            | (_, Type::Int | Type::Uint, Type::Any) => Type::Any,
            (Add, Type::String | Type::Any, Type::String) | (Add, Type::String, Type::Any) => {
                Type::String
            }
            (Add, Type::Bytes, Type::Bytes) => Type::Bytes,
            (Add, Type::List(a), Type::List(b)) => Type::list((**a).clone().joined((**b).clone())),
            (Add, Type::List(_), Type::Any) | (Add, Type::Any, Type::List(_)) => {
                Type::list(Type::Any)
            }
            (Add | Subtract, Type::Timestamp, Type::Duration)
            | (Add, Type::Duration, Type::Timestamp) => Type::Timestamp,
            (Subtract, Type::Timestamp, Type::Timestamp)
            | (Add | Subtract, Type::Duration, Type::Duration) => Type::Duration,
            (_, a, b) => return Err(no_operator(position, arithmetic.sign(), a, Some(b))),
        };
        let operation = Operation::Compute(arithmetic, left.id, right.id);
        Ok(self.push(position, operation, of, left.clock | right.clock))
    }

    pub(super) fn index(
        &mut self,
        position: Position,
        operands: &[Tree; 2],
    ) -> Result<Checked, PolicyError> {
        let [container, index] = operands;
        let (container, index) = (self.value(container)?, self.value(index)?);
        let of = match (&container.of, &index.of) {
            (Type::List(of), Type::Int | Type::Uint | Type::Any)
            | (Type::Map(of), Type::String | Type::Any) => (**of).clone(),
            (Type::Any, Type::Int | Type::Uint | Type::String | Type::Any) => Type::Any,
            (container, index) => {
                let wanted = match container {
                    Type::List(_) => "a list is indexed by an int",
                    Type::Map(_) => "a map is indexed by a string",
                    _ => "only lists and maps are indexed",
                };
                return Err(error(
                    position,
                    format!("{wanted}; here {container} is indexed by {index}"),
                ));
            }
        };
        let operation = Operation::Index(container.id, index.id);
        Ok(self.push(position, operation, of, container.clock | index.clock))
    }
}

/// Whether `<` has a meaning between the two types.
fn may_order(a: &Type, b: &Type) -> bool {
    let ordered = |of: &Type| {
        !matches!(
            of,
            Type::Null | Type::IpAddress | Type::List(_) | Type::Map(_) | Type::Clock
        )
    };
    ordered(a) && ordered(b) && a.may_equal(b)
}

pub(super) fn no_operator(
    position: Position,
    sign: &str,
    left: &Type,
    right: Option<&Type>,
) -> PolicyError {
    let types = right.map_or_else(
        || format!("on type {left}"),
        |right| format!("between {left} and {right}"),
    );
    let hint = match (left, right) {
        (Type::Double, _) | (_, Some(Type::Double)) if !sign.contains(['=', '<', '>', 'i']) => {
            "; doubles are only compared"
        }
        (Type::Timestamp, Some(Type::String)) | (Type::String, Some(Type::Timestamp)) => {
            "; make a timestamp of the text with timestamp(…)"
        }
        (Type::Duration, Some(Type::String)) | (Type::String, Some(Type::Duration)) => {
            "; make a duration of the text with duration(…)"
        }
        (Type::IpAddress, Some(Type::String)) | (Type::String, Some(Type::IpAddress)) => {
            "; make an address of the text with ipaddress(…), or test a range with in_cidr(…)"
        }
        (Type::Int, Some(Type::Uint)) | (Type::Uint, Some(Type::Int)) => {
            "; convert one with int(…) or uint(…), or write 1u"
        }
        _ => "",
    };
    error(position, format!("`{sign}` has no meaning {types}{hint}"))
}
