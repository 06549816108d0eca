//! Answers in words.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::question::Decision;

/// Entries of a list that are shown; of more, how many there are.
const SHOWN_MAX: usize = 20;

pub(super) fn decision(decision: Decision, missing: Option<&[String]>) -> String {
    match (decision, missing) {
        (Decision::Allow, _) => "allow".into(),
        (Decision::Deny, _) => "deny".into(),
        (Decision::Conditional, None) => "conditional".into(),
        (Decision::Conditional, Some(missing)) => {
            format!("conditional, missing {}", missing.join(", "))
        }
    }
}

/// `[a, b]`, cut where it gets long.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let shown: Vec<String> = items
        .by_ref()
        .take(SHOWN_MAX)
        .map(|item| item.to_string())
        .collect();
    let shown_count = shown.len();
    let shown = shown.join(", ");
    match items.count() {
        0 => format!("[{shown}]"),
        more => format!("[{shown}, … {} in all]", shown_count + more),
    }
}

/// In which way a list differs from the one that was to come out; empty if it does not. Both sorted.
pub(super) fn difference<T: Ord + ToString>(expected: &[T], got: &[T]) -> String {
    let without = |all: &[T], others: &[T]| -> Vec<String> {
        let lacks = |item: &&T| others.binary_search(item).is_err();
        all.iter().filter(lacks).map(ToString::to_string).collect()
    };
    let (missing, beyond) = (without(expected, got), without(got, expected));
    let part = |what: &str, items: Vec<String>| match items.is_empty() {
        true => None,
        false => Some(format!("{what} {}", list(items))),
    };
    let parts = [part("missing", missing), part("unexpected", beyond)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
