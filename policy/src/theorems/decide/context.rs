//! Contexts under which a condition holds, or does not: tried, not computed. A counterexample that
//! hangs on a condition needs one; whether there is none is not asked.

use alloc::{format, string::String, vec::Vec};

use crate::{
    condition::{Condition, Context, Outcome, ParameterType},
    schema::Policy,
    time::Time,
};

/// Contexts that are tried for one condition.
const CONTEXTS_TRIED_MAX: usize = 1024;

/// Values that are tried for one parameter.
const VALUES_TRIED_MAX: usize = 32;

/// A context that gives every parameter a value, for which the condition comes to `wanted` at `time`.
pub(crate) fn context(condition: &Condition, wanted: bool, time: Time) -> Option<Context> {
    let literals = literals(condition.expression());
    let parameters = condition.parameters().iter();
    let values: Vec<(&str, Vec<String>)> = parameters
        .filter(|(_, kind)| *kind != ParameterType::Clock)
        .map(|(name, kind)| (name.as_str(), values(kind, &literals)))
        .collect();
    (0..CONTEXTS_TRIED_MAX).find_map(|number| {
        // The digits of the number choose the values.
        let mut left = number;
        let mut fields: Vec<String> = Vec::new();
        for (name, values) in &values {
            let value = values.get(left % values.len().max(1))?;
            left /= values.len().max(1);
            fields.push(format!("\"{name}\":{value}"));
        }
        if left > 0 {
            return None;
        }
        let context = Context::from_json(&format!("{{{}}}", fields.join(","))).ok()?;
        condition.admits(&context).ok()?;
        let outcome = condition
            .evaluate(&context, &Context::default(), time)
            .outcome;
        let reached = match outcome {
            Outcome::True => Some(true),
            Outcome::False => Some(false),
            Outcome::Missing(_) | Outcome::Failed(_) => None,
        };
        (reached == Some(wanted)).then_some(context)
    })
}

/// Times at which conditions of the policy may differ: each that one of them names, its next
/// second, and the ends of time.
pub(crate) fn times(policy: &Policy) -> Vec<Time> {
    let mut all = alloc::vec![Time::default()];
    for named in &policy.conditions {
        for text in literals(named.condition.expression()).texts {
            if let Ok(time) = text.trim_matches('"').parse::<Time>() {
                all.push(time);
                all.extend(Time::new(time.seconds() + 1, time.nanos()));
            }
        }
    }
    all.truncate(VALUES_TRIED_MAX);
    // At the very end of time everything that can expire has.
    all.extend(Time::new(Time::MAX.seconds() - 1, 0));
    all
}

/// What a condition's expression compares with, as JSON.
struct Literals {
    texts: Vec<String>,
    numbers: Vec<String>,
}

/// The texts and numbers that stand in an expression; a rough reading will do.
fn literals(expression: &str) -> Literals {
    let mut found = Literals {
        texts: Vec::new(),
        numbers: Vec::new(),
    };
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let text = inner.split(first).next().unwrap_or_default();
                // What JSON writes otherwise is left out.
                if !text.contains(['\\', '"']) {
                    found.texts.push(format!("\"{text}\""));
                }
                text.len() + 2
            }
            '0'..='9' => {
                let is_number = |c: char| c.is_ascii_digit() || c == '.';
                let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
                found.numbers.extend(near(&rest[..end]));
                end
            }
            _ if first.is_alphabetic() || first == '_' => {
                let is_name = |c: char| c.is_alphanumeric() || c == '_';
                rest.find(|c| !is_name(c)).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// A number, and its neighbours where it is an integer.
fn near(text: &str) -> Vec<String> {
    match text.parse::<i64>() {
        Ok(number) => [number.checked_add(1), Some(number), number.checked_sub(1)]
            .into_iter()
            .flatten()
            .map(|number| format!("{number}"))
            .collect(),
        Err(_) => alloc::vec![text.into()],
    }
}

/// Values of a type, as JSON.
fn values(kind: &ParameterType, literals: &Literals) -> Vec<String> {
    let texts = || literals.texts.iter().cloned();
    let numbers = || literals.numbers.iter().cloned();
    let fixed = |all: &[&str]| {
        all.iter()
            .map(|text| String::from(*text))
            .collect::<Vec<_>>()
    };
    let mut all: Vec<String> = match kind {
        ParameterType::Bool => fixed(&["true", "false"]),
        ParameterType::Int | ParameterType::Uint | ParameterType::Double => {
            numbers().chain(fixed(&["0", "1", "-1"])).collect()
        }
        ParameterType::String | ParameterType::Bytes => {
            // A network that holds the first of the addresses below.
            let fixed = fixed(&["\"\"", "\"x\"", "\"0.0.0.0/0\""]);
            texts().chain(fixed).collect()
        }
        ParameterType::Timestamp => texts()
            .chain(fixed(&[
                "\"1970-01-01T00:00:00Z\"",
                "\"9999-12-31T00:00:00Z\"",
            ]))
            .collect(),
        ParameterType::Duration => texts().chain(fixed(&["\"0s\"", "\"87600h\""])).collect(),
        ParameterType::IpAddress => {
            // A network holds its own first address.
            let address = |text: String| match text.split_once('/') {
                Some((address, _)) => format!("{address}\""),
                None => text,
            };
            let fixed = fixed(&["\"192.0.2.1\"", "\"2001:db8::1\""]);
            texts().map(address).chain(fixed).collect()
        }
        ParameterType::List(of) => {
            let of = values(of, literals);
            let ones = of.iter().map(|value| format!("[{value}]"));
            core::iter::once("[]".into()).chain(ones).collect()
        }
        ParameterType::Map(of) => {
            let of = values(of, literals);
            let texts: Vec<String> = texts().collect();
            let entries = texts
                .iter()
                .flat_map(|key| of.iter().map(move |value| format!("{{{key}:{value}}}")));
            core::iter::once("{}".into()).chain(entries).collect()
        }
        ParameterType::Any => texts()
            .chain(numbers())
            .chain(fixed(&["true", "false"]))
            .collect(),
        ParameterType::Clock => Vec::new(),
    };
    all.truncate(VALUES_TRIED_MAX);
    all
}
