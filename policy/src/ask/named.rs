//! The subjects that are named on the way from a permission down to relationships.
//!
//! For all others the permission is what it is for one who is named nowhere: whatever tells two
//! subjects of a kind apart is a relationship that names one of them, the ownership of an object, or
//! being an object on the way.

use alloc::{vec, vec::Vec};
use core::{hash::BuildHasherDefault, ops::ControlFlow};

use hashbrown::HashMap; // pure: looked up by key, never iterated

use crate::{
    check::arrow_target,
    memo::{key, Mix},
    question::{CheckError, Circumstances},
    relationships::{
        MemberRef, NodeId, ObjectId, ResourceId, Reverse, SetRef, SubjectRef, TermsId,
    },
    schema::{Arrow, Body, Op, Policy},
    standing::{standing, type_of},
    truth::Truth,
    types::{SubjectType, Types},
};

use super::operands::{operands, Standpoint};

/// Which subjects are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Actors,
    Objects(ResourceId),
    Usersets(NodeId),
}

/// How a subject is named; the later the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Naming {
    /// Only where something is taken away.
    Subtracted,
    /// Where something is granted.
    Granting,
    /// The permission is certain to be true.
    Certain,
}

impl Naming {
    /// As seen through a part of an expression.
    fn at(self, standpoint: Standpoint) -> Self {
        match standpoint {
            _ if standpoint.subtracted => Self::Subtracted,
            _ if standpoint.suffices => self,
            _ => self.min(Self::Granting),
        }
    }

    /// As seen through terms.
    fn on(self, terms: Truth) -> Self {
        match terms {
            Truth::True => self,
            Truth::False | Truth::Unknown => self.min(Self::Granting),
        }
    }
}

pub(super) struct Named<'a, R: ?Sized> {
    relationships: &'a R,
    policy: &'a Policy,
    circumstances: &'a Circumstances,
    kind: Kind,
    /// Subjects by number: of the actor, of the object, or of the userset's object.
    pub subjects: Vec<u32>,
    /// Whether all of the kind are named at once, other than where something is taken away.
    pub all: bool,
    namings: HashMap<u32, Naming, BuildHasherDefault<Mix>>, // pure: as above
    marks: HashMap<u64, Naming, BuildHasherDefault<Mix>>,   // pure: as above
    open: Vec<(ObjectId, NodeId)>,
    members: Vec<MemberRef>,
    pub steps: u64,
    steps_max: u64,
}

impl<'a, R: Reverse + ?Sized> Named<'a, R> {
    /// Finds all subjects of a kind that are named below a node of an object.
    pub(super) fn below(
        (object, node): (ObjectId, NodeId),
        kind: Kind,
        relationships: &'a R,
        circumstances: &'a Circumstances,
        steps_max: u64,
    ) -> Result<Self, CheckError> {
        let mut named = Self {
            relationships,
            policy: relationships.policy(),
            circumstances,
            kind,
            subjects: vec![],
            all: false,
            namings: HashMap::default(), // pure: looked up by key, never iterated
            marks: HashMap::default(),   // pure: looked up by key, never iterated
            open: vec![],
            members: vec![],
            steps: 0,
            steps_max,
        };
        named.enter(object, node, Naming::Certain)?;
        while let Some((object, node)) = named.open.pop() {
            let mark = named.marks.get(&key(object, node)).copied();
            named.visit(object, node, mark.unwrap_or(Naming::Subtracted))?;
        }
        Ok(named)
    }

    /// How a subject is named.
    pub(super) fn naming(&self, subject: u32) -> Naming {
        let found = self.namings.get(&subject).copied();
        found.unwrap_or(Naming::Subtracted)
    }

    fn count(&mut self, steps: u64) -> Result<(), CheckError> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > self.steps_max {
            true => Err(CheckError::TooManySteps {
                limit: self.steps_max,
            }),
            false => Ok(()),
        }
    }

    fn enter(&mut self, object: ObjectId, node: NodeId, naming: Naming) -> Result<(), CheckError> {
        self.count(1)?;
        let known = self.marks.get_mut(&key(object, node));
        match known {
            Some(known) if *known >= naming => return Ok(()),
            Some(known) => *known = naming,
            None => drop(self.marks.insert(key(object, node), naming)),
        }
        self.open.push((object, node));
        Ok(())
    }

    fn name(&mut self, subject: u32, naming: Naming) {
        match self.namings.get_mut(&subject) {
            Some(known) => *known = naming.max(*known),
            None => {
                self.namings.insert(subject, naming);
                self.subjects.push(subject);
            }
        }
    }

    fn visit(&mut self, object: ObjectId, node: NodeId, naming: Naming) -> Result<(), CheckError> {
        if self.kind == Kind::Usersets(node) {
            self.name(object.0, naming);
        }
        let policy = self.policy;
        match policy.body_node(node).map(|node| &node.body) {
            None => Ok(()),
            Some(Body::Owner) => {
                if self.kind == Kind::Actors {
                    if let Some(owner) = self.relationships.owner(object) {
                        self.name(owner.0, naming);
                    }
                }
                Ok(())
            }
            Some(Body::Relation(types)) => self.relation(object, node, types, naming),
            Some(Body::Computed(ops)) => {
                for (operand, standpoint) in operands(ops) {
                    let naming = naming.at(standpoint);
                    match operand {
                        Op::Itself => self.itself(object, node, naming),
                        operand => self.operand(object, operand, naming)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn relation(
        &mut self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
        naming: Naming,
    ) -> Result<(), CheckError> {
        if self.kind == Kind::Actors && types.admits_type(SubjectType::Actor) {
            let relationships = self.relationships;
            let mut counted = Ok(());
            relationships.actors(object, node, &mut |actor, terms| {
                let stands = self
                    .count(1)
                    .and_then(|()| self.standing(types, SubjectType::Actor, terms));
                match stands {
                    Ok(None) => {}
                    Ok(Some(terms)) => self.name(actor.0, naming.on(terms)),
                    Err(error) => {
                        counted = Err(error);
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            });
            counted?;
        }
        let all = match self.kind {
            Kind::Actors => Some((SubjectType::Everyone, SubjectRef::Everyone)),
            Kind::Objects(of) => Some((SubjectType::Every(of), SubjectRef::Every(of))),
            Kind::Usersets(_) => None,
        };
        if let Some((all, subject)) = all.filter(|(all, _)| types.admits_type(*all)) {
            self.count(1)?;
            if let Some(terms) = self.relationships.contains(object, node, subject)? {
                if let Some(terms) = self.standing(types, all, terms)? {
                    self.all |= naming.on(terms) > Naming::Subtracted;
                }
            }
        }
        let members = self.members(object, node)?;
        for member in &members {
            let Some(subject) = type_of(member.set) else {
                continue;
            };
            let Some(terms) = self.standing(types, subject, member.terms)? else {
                continue;
            };
            let naming = naming.on(terms);
            match (member.set, self.kind) {
                (SetRef::Userset(object, node), _) => self.enter(object, node, naming)?,
                (SetRef::Object(object, of), Kind::Objects(kind)) if of == kind => {
                    self.name(object.0, naming);
                }
                _ => {}
            }
        }
        self.members = members;
        Ok(())
    }

    fn itself(&mut self, object: ObjectId, node: NodeId, naming: Naming) {
        let resource = self.policy.body_node(node).map(|node| node.resource);
        if resource.map(Kind::Objects) == Some(self.kind) {
            self.name(object.0, naming);
        }
    }

    fn operand(&mut self, object: ObjectId, operand: Op, naming: Naming) -> Result<(), CheckError> {
        let policy = self.policy;
        match operand {
            Op::Visit(node) => self.enter(object, node, naming),
            Op::Arrow(at) => match policy.arrows.get(at as usize) {
                Some(arrow) => self.arrow(object, arrow, naming),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn arrow(&mut self, object: ObjectId, arrow: &Arrow, naming: Naming) -> Result<(), CheckError> {
        let policy = self.policy;
        let body = policy.body_node(arrow.relation).map(|node| &node.body);
        let Some(Body::Relation(types)) = body else {
            return Ok(());
        };
        let members = self.members(object, arrow.relation)?;
        for member in &members {
            let target = arrow_target(policy, arrow, member.set);
            let (Some((object, node)), Some(subject)) = (target, type_of(member.set)) else {
                continue;
            };
            if let Some(terms) = self.standing(types, subject, member.terms)? {
                let naming = match arrow.all {
                    true => naming.min(Naming::Granting),
                    false => naming.on(terms),
                };
                self.enter(object, node, naming)?;
            }
        }
        self.members = members;
        Ok(())
    }

    /// The sets and objects in a relation. Whoever is done with them gives their room back.
    fn members(&mut self, object: ObjectId, node: NodeId) -> Result<Vec<MemberRef>, CheckError> {
        let mut members = core::mem::take(&mut self.members);
        members.clear();
        self.relationships.targets(object, node, &mut members)?;
        // Also where there are none: a policy may look for them a thousand times an object.
        self.count(1 + members.len() as u64)?;
        Ok(members)
    }

    /// What a member's terms say; `None` where it counts for nobody.
    fn standing(
        &mut self,
        types: &Types,
        subject: SubjectType,
        terms: TermsId,
    ) -> Result<Option<Truth>, CheckError> {
        let found = standing(
            self.relationships,
            self.circumstances,
            types,
            subject,
            terms,
        );
        self.count(found.cost)?;
        Ok(found.value.filter(|value| *value != Truth::False))
    }
}
