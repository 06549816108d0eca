//! A world as relationships: names for its objects, members and terms for its facts and links.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use crate::{
    name::{is_object_id, Actor, Name, NameError},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::NodeId,
    schema::{Policy, OWNER},
    terms::{ConditionUse, Terms},
    theorems::{
        decide::{
            context::context,
            game::{Thing, World},
            model::{Audience, Fact, Model, Through},
        },
        list::owner_is_a_name,
        text::Statement,
    },
    time::Time,
    types::{Allowed, SubjectType},
};

/// Who asks in a counterexample.
const ACTOR: &str = "did:example:anyone";

/// Names the things of a world and says how they stand to each other.
pub(super) struct Writer<'a> {
    statement: &'a Statement,
    policy: &'a Policy,
    audience: Audience,
    /// When conditions are to hold.
    time: Time,
    objects: Vec<ObjectRef>,
    owned: Vec<ObjectRef>,
}

/// A world in names.
pub(super) struct Written {
    pub relationships: Vec<Relationship>,
    /// What the subject owns and no relationship can say it.
    pub owned: Vec<ObjectRef>,
    /// The object of the statement.
    pub object: ObjectRef,
    pub subject: Subject,
}

impl<'a> Writer<'a> {
    pub fn new(statement: &'a Statement, model: &Model<'a>, time: Time) -> Self {
        Self {
            statement,
            policy: model.policy(),
            audience: model.audience(),
            time,
            objects: Vec::new(),
            owned: Vec::new(),
        }
    }

    /// The world as relationships.
    pub fn write(mut self, world: &World) -> Result<Written, String> {
        let variable = match self.statement.variable.as_str() {
            id if is_object_id(id) => id,
            _ => "x",
        };
        let root = named(ObjectRef::new(self.statement.resource.as_str(), variable))?;
        for (at, thing) in world.objects.iter().enumerate() {
            let resource = thing
                .resource
                .map_or("", |id| self.policy.resource_name(id));
            let object = match at {
                0 => root.clone(),
                _ => self.fresh(resource)?,
            };
            self.objects.push(object);
        }
        let subject = match self.audience {
            Audience::Actors => Subject::Actor(named(Actor::new(ACTOR))?),
            Audience::Objects(resource) => {
                let is_subject = |thing: &Thing| thing.facts.contains(&Fact::Itself);
                let itself = world.objects.iter().position(is_subject);
                let itself = itself.and_then(|at| self.objects.get(at).cloned());
                Subject::Object(match itself {
                    Some(object) => object,
                    None => self.fresh(self.policy.resource_name(resource))?,
                })
            }
        };
        let mut all: Vec<Relationship> = Vec::new();
        for (at, thing) in world.objects.iter().enumerate() {
            let Some(object) = self.objects.get(at).cloned() else {
                continue;
            };
            for fact in &thing.facts {
                all.extend(self.fact(&object, *fact, &subject)?);
            }
            for (link, target) in &thing.links {
                let Some(target) = self.objects.get(*target) else {
                    continue;
                };
                let (kind, subject) = self.through(link.through, target)?;
                let (terms, _) = self.terms(link.relation, &[kind], true)?;
                let relation = self.relation(link.relation)?;
                all.push(Relationship::new(object.clone(), relation, subject).on(terms));
            }
        }
        Ok(Written {
            relationships: all,
            owned: self.owned,
            object: root,
            subject,
        })
    }

    fn fact(
        &mut self,
        object: &ObjectRef,
        fact: Fact,
        subject: &Subject,
    ) -> Result<Option<Relationship>, String> {
        let (relation, member, terms) = match fact {
            Fact::Itself => return Ok(None),
            Fact::Owner if owner_is_a_name(self.policy, object) => {
                self.owned.push(object.clone());
                return Ok(None);
            }
            Fact::Owner => (named(Name::new(OWNER))?, subject.clone(), Terms::NONE),
            Fact::Member(node) => {
                let (terms, kind) = self.terms(node, &self.audience.types(), true)?;
                let member = match kind {
                    SubjectType::Everyone => Subject::Everyone,
                    SubjectType::Every(id) => {
                        Subject::Every(named(Name::new(self.policy.resource_name(id)))?)
                    }
                    _ => subject.clone(),
                };
                (self.relation(node)?, member, terms)
            }
            Fact::Blocked(node) => {
                let (terms, kind) = self.blocked(node)?;
                let (resource, through) = match kind {
                    SubjectType::Userset(member) => (
                        self.policy.node_resource_name(member),
                        Through::Userset(member),
                    ),
                    SubjectType::Object(id) => (self.policy.resource_name(id), Through::Object(id)),
                    _ => return Ok(None),
                };
                let target = self.fresh(resource)?;
                let (_, member) = self.through(through, &target)?;
                self.objects.push(target);
                (self.relation(node)?, member, terms)
            }
        };
        Ok(Some(
            Relationship::new(object.clone(), relation, member).on(terms),
        ))
    }

    fn relation(&self, node: NodeId) -> Result<Name, String> {
        named(Name::new(self.policy.node_name(node)))
    }

    fn through(
        &self,
        through: Through,
        target: &ObjectRef,
    ) -> Result<(SubjectType, Subject), String> {
        Ok(match through {
            Through::Object(id) => (SubjectType::Object(id), Subject::Object(target.clone())),
            Through::Userset(node) => (
                SubjectType::Userset(node),
                Subject::Userset {
                    object: target.clone(),
                    relation: self.relation(node)?,
                },
            ),
        })
    }

    /// An object of the resource that is none of those named so far.
    fn fresh(&self, resource: &str) -> Result<ObjectRef, String> {
        let mut number = 1;
        loop {
            let object = named(ObjectRef::new(resource, &format!("{number}")))?;
            if !self.objects.contains(&object) {
                return Ok(object);
            }
            number += 1;
        }
    }

    /// Terms on which one of `kinds` may stand in the relation, the plainest that there are, with
    /// a condition that is as `wanted` if there is one; and as which of them.
    fn terms(
        &self,
        relation: NodeId,
        kinds: &[SubjectType],
        wanted: bool,
    ) -> Result<(Terms, SubjectType), String> {
        let types = self.policy.recorded_types(relation);
        let entries = types.map(|types| types.entries()).unwrap_or_default();
        let entries = entries.iter().copied();
        let mut entries: Vec<Allowed> = entries
            .filter(|entry| kinds.contains(&entry.subject))
            .filter(|entry| wanted || entry.condition.is_some())
            .collect();
        let rank = |kind: SubjectType| kinds.iter().position(|other| *other == kind);
        entries.sort_by_key(|e| (e.condition.is_some(), e.expires, rank(e.subject)));
        let mut conditions: Vec<&str> = Vec::new();
        for entry in entries {
            let mut terms = Terms {
                condition: None,
                expires: entry.expires.then_some(Time::MAX),
            };
            let Some(id) = entry.condition else {
                return Ok((terms, entry.subject));
            };
            let Some(condition) = self.policy.named_condition(id) else {
                continue;
            };
            if let Some(context) = context(&condition.condition, wanted, self.time) {
                let name = named(Name::new(&condition.name))?;
                terms.condition = Some(Box::new(ConditionUse { name, context }));
                return Ok((terms, entry.subject));
            }
            conditions.push(&condition.name);
        }
        Err(format!(
            "there is a counterexample if condition {} can be {wanted}, for which no context was found",
            conditions.join(" or ")
        ))
    }

    /// Terms on which something that leads on stands in the relation, such that they are not met.
    fn blocked(&self, relation: NodeId) -> Result<(Terms, SubjectType), String> {
        let types = self.policy.recorded_types(relation);
        let entries = types.map(|types| types.entries()).unwrap_or_default();
        let leading: Vec<SubjectType> = entries
            .iter()
            .map(|entry| entry.subject)
            .filter(|kind| matches!(kind, SubjectType::Object(_) | SubjectType::Userset(_)))
            .collect();
        self.terms(relation, &leading, false)
    }
}

fn named<T>(made: Result<T, NameError>) -> Result<T, String> {
    made.map_err(|error| format!("{error}"))
}
