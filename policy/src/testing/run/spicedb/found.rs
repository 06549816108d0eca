//! Sets of subjects as SpiceDB's developer tools combine them: by name, with wildcards and what is
//! taken out of them, and whether a caveat decides. No caveat is evaluated.
//!
//! The rules are those of set theory, element by element: a subject of a set is in it always or only
//! if some caveat comes out right. A wildcard stands beside the subjects that are named (internal/
//! datasets of SpiceDB states these rules with examples).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
};

/// One found subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether a caveat decides.
    pub caveated: bool,
    /// The relations of objects that hold it, each as its text.
    pub through: BTreeSet<String>,
}

/// A wildcard, and who is taken out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wildcard {
    pub found: Found,
    pub exceptions: BTreeMap<String, Found>,
}

/// Subjects of one type (and, for usersets, of one relation) by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfType {
    pub named: BTreeMap<String, Found>,
    pub wildcard: Option<Wildcard>,
}

/// A set of subjects, by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FoundSet(pub BTreeMap<String, OfType>);

impl Found {
    pub fn through(relation: &str) -> Self {
        Self {
            caveated: false,
            through: BTreeSet::from([relation.into()]),
        }
    }

    /// In one of two sets: a caveat decides only if it does so for both.
    fn or(&self, other: &Self) -> Self {
        self.joined(other, self.caveated && other.caveated)
    }

    /// In both of two sets.
    fn and(&self, other: &Self) -> Self {
        self.joined(other, self.caveated || other.caveated)
    }

    fn joined(&self, other: &Self, caveated: bool) -> Self {
        Self {
            caveated,
            through: self.through.union(&other.through).cloned().collect(),
        }
    }

    fn caveated(&self) -> Self {
        Self {
            caveated: true,
            through: self.through.clone(),
        }
    }
}

impl FoundSet {
    pub fn add(&mut self, kind: &str, id: &str, found: Found) {
        let of_type = self.0.entry(kind.into()).or_default();
        match id {
            "*" => of_type.add_wildcard(&Wildcard {
                found,
                exceptions: BTreeMap::new(),
            }),
            id => of_type.add_named(id, &found),
        }
    }

    pub fn union(mut self, other: &Self) -> Self {
        for (kind, others) in &other.0 {
            let of_type = self.0.entry(kind.clone()).or_default();
            for (id, found) in &others.named {
                of_type.add_named(id, found);
            }
            if let Some(wildcard) = &others.wildcard {
                of_type.add_wildcard(wildcard);
            }
        }
        self
    }

    pub fn intersection(&self, other: &Self) -> Self {
        let both = self.0.iter().filter_map(|(kind, left)| {
            let right = other.0.get(kind)?;
            Some((kind.clone(), left.intersection(right)))
        });
        Self(both.collect())
    }

    pub fn difference(mut self, other: &Self) -> Self {
        for (kind, of_type) in &mut self.0 {
            if let Some(others) = other.0.get(kind) {
                of_type.subtract(others);
            }
        }
        self
    }

    /// All of them only if a caveat comes out right.
    pub fn under_caveat(mut self) -> Self {
        for of_type in self.0.values_mut() {
            for found in of_type.named.values_mut() {
                found.caveated = true;
            }
            if let Some(wildcard) = &mut of_type.wildcard {
                wildcard.found.caveated = true;
            }
        }
        self
    }
}

impl OfType {
    fn add_named(&mut self, id: &str, found: &Found) {
        let known = self.named.get(id).map(|known| known.or(found));
        let known = known.unwrap_or_else(|| found.clone());
        self.named.insert(id.into(), known);
        if let Some(wildcard) = &mut self.wildcard {
            wildcard.name(id, found);
        }
    }

    fn add_wildcard(&mut self, added: &Wildcard) {
        let mut wildcard = match self.wildcard.take() {
            None => added.clone(),
            // Only who is taken out of both is taken out.
            Some(known) => Wildcard {
                found: known.found.or(&added.found),
                exceptions: both(&known.exceptions, &added.exceptions),
            },
        };
        for (id, found) in &self.named {
            wildcard.name(id, found);
        }
        self.wildcard = Some(wildcard);
    }

    fn intersection(&self, other: &Self) -> Self {
        let mut result = Self::default();
        let mut add = |id: &String, found: Found| {
            let known = result.named.get(id).map(|known: &Found| known.or(&found));
            result.named.insert(id.clone(), known.unwrap_or(found));
        };
        for (id, found) in &self.named {
            if let Some(other) = other.named.get(id) {
                add(id, found.and(other));
            }
            if let Some(found) = in_wildcard(id, found, other.wildcard.as_ref()) {
                add(id, found);
            }
        }
        for (id, found) in &other.named {
            if let Some(found) = in_wildcard(id, found, self.wildcard.as_ref()) {
                add(id, found);
            }
        }
        if let (Some(left), Some(right)) = (&self.wildcard, &other.wildcard) {
            let mut exceptions = left.exceptions.clone();
            for (id, found) in &right.exceptions {
                let known = exceptions.get(id).map(|known| known.or(found));
                exceptions.insert(id.clone(), known.unwrap_or_else(|| found.clone()));
            }
            result.wildcard = Some(Wildcard {
                found: left.found.and(&right.found),
                exceptions,
            });
        }
        result
    }

    fn subtract(&mut self, other: &Self) {
        for (id, removed) in &other.named {
            self.subtract_named(id, removed);
        }
        if let Some(removed) = &other.wildcard {
            self.subtract_wildcard(removed);
        }
    }

    fn subtract_named(&mut self, id: &str, removed: &Found) {
        if let Some(found) = self.named.remove(id) {
            if removed.caveated {
                let found = found.joined(removed, true);
                self.named.insert(id.into(), found);
            }
        }
        if let Some(wildcard) = &mut self.wildcard {
            let known = wildcard.exceptions.get(id).map(|known| known.or(removed));
            let known = known.unwrap_or_else(|| removed.clone());
            wildcard.exceptions.insert(id.into(), known);
        }
    }

    fn subtract_wildcard(&mut self, removed: &Wildcard) {
        let named = core::mem::take(&mut self.named);
        for (id, found) in named {
            let stays = match removed.exceptions.get(&id) {
                None if !removed.found.caveated => continue,
                None => found.caveated(),
                Some(exception) if !exception.caveated => found,
                Some(_) => found.caveated(),
            };
            self.named.insert(id, stays);
        }
        let Some(wildcard) = self.wildcard.take() else {
            return;
        };
        // Who is taken out of the one that is subtracted stays, now by name.
        for (id, exception) in &removed.exceptions {
            let known = wildcard.exceptions.get(id);
            if known.is_some_and(|known| !known.caveated) {
                continue;
            }
            let caveated = wildcard.found.caveated
                || removed.found.caveated
                || exception.caveated
                || known.is_some();
            let through = exception.through.clone();
            self.named.insert(id.clone(), Found { caveated, through });
        }
        if removed.found.caveated {
            self.wildcard = Some(Wildcard {
                found: wildcard.found.joined(&removed.found, true),
                exceptions: wildcard.exceptions,
            });
        }
    }
}

impl Wildcard {
    /// One of its subjects is in the set by name as well.
    fn name(&mut self, id: &str, found: &Found) {
        let Some(exception) = self.exceptions.remove(id) else {
            return;
        };
        if found.caveated {
            let exception = exception.joined(found, true);
            self.exceptions.insert(id.into(), exception);
        }
    }
}

/// A named subject of one set, as one of the wildcard of another.
fn in_wildcard(id: &str, found: &Found, wildcard: Option<&Wildcard>) -> Option<Found> {
    let wildcard = wildcard?;
    match wildcard.exceptions.get(id) {
        None if !wildcard.found.caveated => Some(found.clone()),
        None => Some(found.and(&wildcard.found)),
        Some(exception) if !exception.caveated => None,
        Some(exception) => {
            let found = found.and(&wildcard.found);
            Some(found.joined(exception, true))
        }
    }
}

/// Who is in both.
fn both(
    left: &BTreeMap<String, Found>,
    right: &BTreeMap<String, Found>,
) -> BTreeMap<String, Found> {
    let both = left.iter().filter_map(|(id, found)| {
        let other = right.get(id)?;
        Some((id.clone(), found.and(other)))
    });
    both.collect()
}
