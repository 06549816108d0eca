//! Fields and their merge rules.

use alloc::{collections::BTreeMap, vec::Vec};

use super::Written;
use crate::{FieldKind, OperationName, Value};

/// A field as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldState<'a> {
    /// A register.
    Register(&'a Register),
    /// A counter.
    Counter(&'a Counter),
    /// A set.
    Set(&'a Set),
}

impl FieldState<'_> {
    /// The kind of the field.
    pub fn kind(&self) -> FieldKind {
        match self {
            Self::Register(_) => FieldKind::Register,
            Self::Counter(_) => FieldKind::Counter,
            Self::Set(_) => FieldKind::Set,
        }
    }

    /// The operation that wrote the field last.
    pub fn written(&self) -> &Written {
        match self {
            Self::Register(register) => &register.written,
            Self::Counter(counter) => &counter.written,
            Self::Set(set) => &set.written,
        }
    }
}

/// A register: the greatest write wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    pub(super) value: Value,
    pub(super) written: Written,
}

impl Register {
    pub(super) fn new(value: Value, written: Written) -> Self {
        Self { value, written }
    }

    pub(super) fn set(&mut self, value: &Value, written: Written) {
        if written > self.written {
            *self = Self {
                value: value.clone(),
                written,
            };
        }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The write that won.
    pub fn written(&self) -> &Written {
        &self.written
    }
}

/// A counter: the sum of its increments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub(super) total: i128,
    pub(super) written: Written,
}

impl Counter {
    pub(super) fn new(written: Written) -> Self {
        Self { total: 0, written }
    }

    pub(super) fn increment(&mut self, by: i64, written: Written) {
        // A DAG has at most 2^32 commits of 2^10 operations of 2^63: far below 2^127.
        self.total = self
            .total
            .checked_add(i128::from(by))
            .expect("2^42 increments of 63 bits fit into 127 bits");
        self.written = written.max(self.written.clone());
    }

    /// The sum, exact.
    pub fn total(&self) -> i128 {
        self.total
    }

    /// The last increment.
    pub fn written(&self) -> &Written {
        &self.written
    }
}

/// A set, in which adds win: an observed-remove set without tombstones. An element is in it while
/// an add of it lives, and an add lives until somebody who has seen it removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub(super) adds: BTreeMap<OperationName, Element>,
    pub(super) written: Written,
}

/// One add that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What was added.
    pub value: Value,
    /// By which operation.
    pub written: Written,
}

impl Set {
    pub(super) fn new(written: Written) -> Self {
        Self {
            adds: BTreeMap::new(),
            written,
        }
    }

    pub(super) fn add(&mut self, name: OperationName, value: &Value, written: Written) {
        self.adds.insert(
            name,
            Element {
                value: value.clone(),
                written: written.clone(),
            },
        );
        self.touch(written);
    }

    pub(super) fn touch(&mut self, written: Written) {
        self.written = written.max(self.written.clone());
    }

    /// The elements in order, each with the names of the adds by which it is in the set: what a
    /// remove of it must name.
    pub fn elements(&self) -> BTreeMap<&Value, Vec<OperationName>> {
        let mut elements = BTreeMap::<_, Vec<_>>::new();
        for (name, element) in &self.adds {
            elements.entry(&element.value).or_default().push(*name);
        }
        elements
    }

    /// The adds that live.
    pub fn adds(&self) -> impl ExactSizeIterator<Item = (&OperationName, &Element)> {
        self.adds.iter()
    }

    /// The names of the adds by which `value` is in the set, sorted.
    pub fn adds_of(&self, value: &Value) -> Vec<OperationName> {
        let adds = self
            .adds
            .iter()
            .filter(|(_, element)| element.value == *value);
        adds.map(|(name, _)| *name).collect()
    }

    /// Whether `value` is in the set.
    pub fn contains(&self, value: &Value) -> bool {
        self.adds.values().any(|element| element.value == *value)
    }

    /// The last add or remove.
    pub fn written(&self) -> &Written {
        &self.written
    }
}
