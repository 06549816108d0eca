//! Partials: what several definitions share, put in its place in each of them.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    ast::{Definition, Member, Word},
    error::{refuse, ErrorClass, SpicedbError},
};
use crate::{
    limits::{NAMES_PER_RESOURCE_MAX, SPREADS_MAX},
    suggest::suggestion,
};

/// A definition or partial as written.
pub(super) struct Unspread {
    pub name: Word,
    pub doc: String,
    pub items: Vec<Item>,
}

pub(super) enum Item {
    Member(Member),
    /// `...partial`.
    Spread(Word),
}

/// Puts partials in the places of their spreads, those inside of partials too.
pub(super) fn spread(
    definitions: Vec<Unspread>,
    partials: Vec<Unspread>,
) -> Result<Vec<Definition>, SpicedbError> {
    let mut by_name: BTreeMap<&str, &Unspread> = BTreeMap::new();
    for partial in &partials {
        if by_name.insert(&partial.name.text, partial).is_some() {
            return Err(refuse(
                partial.name.position,
                ErrorClass::Doubled,
                format!(
                    "partial {:?} is written twice; remove one",
                    partial.name.text
                ),
            ));
        }
    }
    let mut spreads = 0;
    let mut all = Vec::new();
    for definition in definitions {
        let mut members: Vec<Member> = Vec::new();
        // The partials that are being put in, from the outside in.
        let mut open: Vec<(&str, core::slice::Iter<'_, Item>)> =
            alloc::vec![("", definition.items.iter())];
        while let Some((_, items)) = open.last_mut() {
            let name = match items.next() {
                None => {
                    open.pop();
                    continue;
                }
                Some(Item::Member(member)) => {
                    if members.len() >= 2 * NAMES_PER_RESOURCE_MAX {
                        let max = 2 * NAMES_PER_RESOURCE_MAX;
                        return Err(refuse(
                            member.name().position,
                            ErrorClass::TooLarge,
                            format!("a definition comes to more than {max} relations and permissions with this"),
                        ));
                    }
                    members.push(member.clone());
                    continue;
                }
                Some(Item::Spread(name)) => name,
            };
            let Some(partial) = by_name.get(name.text.as_str()) else {
                let near = suggestion(&name.text, by_name.keys().copied());
                return Err(refuse(
                    name.position,
                    ErrorClass::Partial,
                    format!("there is no partial {:?}{near}", name.text),
                ));
            };
            if open.iter().any(|(open, _)| *open == name.text) {
                return Err(refuse(
                    name.position,
                    ErrorClass::Partial,
                    format!(
                        "partial {:?} contains itself; remove one of the spreads",
                        name.text
                    ),
                ));
            }
            spreads += 1;
            if spreads > SPREADS_MAX {
                return Err(refuse(
                    name.position,
                    ErrorClass::TooLarge,
                    format!("the schema comes to more than {SPREADS_MAX} spreads of partials"),
                ));
            }
            open.push((&partial.name.text, partial.items.iter()));
        }
        all.push(Definition {
            name: definition.name,
            doc: definition.doc,
            members,
        });
    }
    Ok(all)
}
