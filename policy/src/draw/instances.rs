//! Relationships as a picture: a box an object, a row each of its relations that is used, a pill an
//! actor. A relation's name stands where its lines begin.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    around::{near, Around},
    options::{DrawError, DrawOptions, Explained},
    picture::{
        Edge, EdgeKind, End, Gap, Group, Mark, Matter, Picture, Piece, Row, RowKind, Shape, Tone,
    },
    shorten::shorten,
};
use crate::{
    limits::DRAWN_RELATIONSHIPS_MAX,
    question::Question,
    relationship::{ObjectRef, Relationship, Subject},
    schema::{Policy, RelationshipError},
    terms::Terms,
};

/// A relationship with how it is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fact {
    kind: Option<EdgeKind>,
    highlighted: bool,
}

/// The picture of `relationships` under `policy`; their order and repetitions change nothing.
///
/// # Errors
/// [`DrawError`] says how to ask for less.
pub(crate) fn picture(
    policy: &Policy,
    hues: &[Option<usize>],
    relationships: &[Relationship],
    options: &DrawOptions,
) -> Result<Picture, DrawError> {
    let mut facts: BTreeMap<Relationship, Fact> = BTreeMap::new();
    let plain = Fact {
        kind: None,
        highlighted: false,
    };
    match &options.around {
        None => facts.extend(relationships.iter().map(|one| (one.clone(), plain))),
        Some(around) => {
            let places = near(relationships, around);
            if places.is_empty() {
                return Err(DrawError::NothingNear {
                    center: around.center.to_string(),
                });
            }
            let chosen = places.iter().filter_map(|at| relationships.get(*at));
            facts.extend(chosen.map(|one| (one.clone(), plain)));
        }
    }
    if let Some(explained) = &options.explained {
        let missing = Fact {
            kind: Some(EdgeKind::Missing),
            highlighted: false,
        };
        let used = Fact {
            kind: None,
            highlighted: true,
        };
        facts.extend(explained.missing.iter().map(|one| (one.clone(), missing)));
        facts.extend(explained.used.iter().map(|one| (one.clone(), used)));
    }
    if facts.len() > DRAWN_RELATIONSHIPS_MAX {
        return Err(DrawError::TooMany {
            found: facts.len(),
            max: DRAWN_RELATIONSHIPS_MAX,
        });
    }
    let mut draft = Draft::new(policy, hues, &facts, options.explained.as_ref());
    for (relationship, fact) in &facts {
        draft.edge(relationship, *fact);
    }
    let caption = match &options.explained {
        Some(explained) => {
            let Question {
                object,
                permission,
                subject,
            } = &explained.question;
            format!(
                "{subject} asks for {permission} on {object}: {}",
                explained.answer
            )
        }
        None => match &options.around {
            Some(Around { center, steps }) => format!(
                "{} relationships within {steps} steps of {center}",
                facts.len()
            ),
            None => format!("{} relationships", facts.len()),
        },
    };
    Ok(Picture {
        matter: Matter::Relationships,
        title: if policy.name().is_empty() {
            "relationships".into()
        } else {
            format!("{}: relationships", policy.name())
        },
        caption,
        notes: Vec::new(),
        groups: draft.groups,
        edges: draft.edges,
    })
}

/// What a box stands for, in the order of boxes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Object(ObjectRef),
    Other(Subject),
}

/// A row's relation, what its relationships carry besides, and whether the row is only asked for.
type RowKey = (String, Vec<String>);

struct Draft<'a> {
    policy: &'a Policy,
    places: BTreeMap<Thing, usize>,
    rows: BTreeMap<(usize, RowKey), usize>,
    groups: Vec<Group>,
    edges: Vec<Edge>,
}

fn thing(subject: &Subject) -> Thing {
    match subject {
        Subject::Object(object) | Subject::Userset { object, .. } => Thing::Object(object.clone()),
        other => Thing::Other(other.clone()),
    }
}

/// The condition and expiry that a relationship carries, in words.
fn terms(relationship: &Relationship) -> Vec<String> {
    let Terms { condition, expires } = &relationship.terms;
    let condition = condition
        .as_ref()
        .map(|condition| match condition.context.is_empty() {
            true => condition.name.to_string(),
            false => format!("{} {}", condition.name, condition.context.to_json()),
        });
    let expires = expires.map(|time| format!("until {time}"));
    condition.into_iter().chain(expires).collect()
}

impl<'a> Draft<'a> {
    fn new(
        policy: &'a Policy,
        hues: &[Option<usize>],
        facts: &BTreeMap<Relationship, Fact>,
        explained: Option<&Explained>,
    ) -> Self {
        // First what there is, in the order of names, then its places.
        let mut rows: BTreeMap<Thing, BTreeSet<RowKey>> = BTreeMap::new();
        for relationship in facts.keys() {
            let own = rows
                .entry(Thing::Object(relationship.object.clone()))
                .or_default();
            own.insert((relationship.relation.as_str().into(), terms(relationship)));
            let subject = rows.entry(thing(&relationship.subject)).or_default();
            if let Subject::Userset { relation, .. } = &relationship.subject {
                subject.insert((relation.as_str().into(), Vec::new()));
            }
        }
        let asked = explained.map(|explained| &explained.question);
        if let Some(question) = asked {
            let object = rows
                .entry(Thing::Object(question.object.clone()))
                .or_default();
            object.insert((question.permission.clone(), Vec::new()));
            rows.entry(thing(&question.subject)).or_default();
        }
        let labels = labels(rows.keys());
        let mut draft = Self {
            policy,
            places: BTreeMap::new(),
            rows: BTreeMap::new(),
            groups: Vec::new(),
            edges: Vec::new(),
        };
        for ((thing, rows), label) in rows.into_iter().zip(labels) {
            draft.group(thing, rows, label, hues, asked);
        }
        draft
    }

    fn group(
        &mut self,
        thing: Thing,
        rows: BTreeSet<RowKey>,
        label: String,
        hues: &[Option<usize>],
        asked: Option<&Question>,
    ) {
        let at = self.groups.len();
        let (hint, hue, resource, shape) = match &thing {
            Thing::Object(object) => {
                let id = self.policy.resource(object.resource());
                let hue = id.and_then(|id| hues.get(id.0 as usize).copied().flatten());
                (
                    object.to_string(),
                    hue,
                    Some(object.resource()),
                    Shape::Table,
                )
            }
            Thing::Other(subject) => (subject.to_string(), None, None, Shape::Pill),
        };
        let about = asked.filter(|question| Thing::Object(question.object.clone()) == thing);
        let asks = asked.is_some_and(|question| self::thing(&question.subject) == thing);
        let mut made: Vec<(RowKind, RowKey)> = rows
            .into_iter()
            .map(|key| {
                let permission = resource
                    .is_some_and(|resource| self.policy.permission_exists(resource, &key.0));
                let kind = if permission {
                    RowKind::Permission
                } else {
                    RowKind::Relation
                };
                (kind, key)
            })
            .collect();
        made.sort();
        let mut all = Vec::new();
        for (place, (kind, key)) in made.into_iter().enumerate() {
            let is_asked = about.is_some_and(|question| question.permission == key.0);
            let mut pieces: Vec<Piece> = key
                .1
                .iter()
                .map(|term| Piece::new(term.clone(), Tone::Chip, Gap::Break))
                .collect();
            if is_asked {
                pieces.push(Piece::new("asked for", Tone::Quiet, Gap::Break));
            }
            let details = if pieces.is_empty() {
                Vec::new()
            } else {
                alloc::vec![pieces]
            };
            all.push(Row {
                name: key.0.clone(),
                kind,
                details,
                hint: String::new(),
                reads: Vec::new(),
                highlighted: is_asked,
            });
            self.rows.insert((at, key), place);
        }
        self.places.insert(thing, at);
        self.groups.push(Group {
            label,
            note: String::new(),
            hint,
            shape,
            hue,
            rows: all,
            highlighted: asks || about.is_some(),
        });
    }

    fn edge(&mut self, relationship: &Relationship, fact: Fact) {
        let object = Thing::Object(relationship.object.clone());
        let subject = thing(&relationship.subject);
        let (Some(&from), Some(&to)) = (self.places.get(&object), self.places.get(&subject)) else {
            return;
        };
        let row = |group: usize, name: &str, terms: Vec<String>| {
            self.rows.get(&(group, (name.into(), terms))).copied()
        };
        let (kind, to_row) = match &relationship.subject {
            Subject::Userset { relation, .. } => {
                (EdgeKind::Members, row(to, relation.as_str(), Vec::new()))
            }
            _ => (EdgeKind::Holds, None),
        };
        // A line about `owner` registers its object, so it is no relationship that could be refused.
        let refused = self.policy.admits(relationship).err().filter(|refused| {
            !matches!(
                (refused, &relationship.subject),
                (RelationshipError::Owner, Subject::Actor(_))
            )
        });
        let kind = match (fact.kind, &refused) {
            (Some(kind), _) => kind,
            (None, Some(_)) => EdgeKind::Ignored,
            (None, None) => kind,
        };
        let mut hint = relationship.to_string();
        if kind == EdgeKind::Missing {
            hint.push_str(" is missing");
        } else if let Some(refused) = refused {
            hint = format!("{hint} is ignored: {refused}");
        }
        self.edges.push(Edge {
            from: End {
                group: from,
                row: row(from, relationship.relation.as_str(), terms(relationship)),
            },
            to: End {
                group: to,
                row: to_row,
            },
            kind,
            mark: Mark::Plain,
            label: relationship.relation.as_str().into(),
            hint,
            highlighted: fact.highlighted,
        });
        if fact.highlighted {
            for group in [from, to] {
                if let Some(group) = self.groups.get_mut(group) {
                    group.highlighted = true;
                }
            }
        }
    }
}

/// What stands on each box: of objects `resource:id`, with long names cut so that they still differ.
fn labels<'a>(things: impl Iterator<Item = &'a Thing> + Clone) -> Vec<String> {
    let names: Vec<String> = things
        .clone()
        .map(|thing| match thing {
            Thing::Object(object) => object.id().to_string(),
            Thing::Other(subject) => subject.to_string(),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    things
        .zip(shorten(&names))
        .map(|(thing, short)| match thing {
            Thing::Object(object) => format!("{}:{short}", object.resource()),
            Thing::Other(Subject::Everyone) => "* everyone".into(),
            Thing::Other(_) => short,
        })
        .collect()
}
