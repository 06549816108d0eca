//! The objects on which a subject may have a permission, found from the subject backwards.

use alloc::{vec, vec::Vec};
use core::{
    hash::BuildHasherDefault,
    ops::{ControlFlow, Range},
};

use hashbrown::HashMap; // pure: looked up by key, never iterated

use crate::{
    asked::Asked,
    limits::Limits,
    memo::{key, Mix},
    question::{CheckError, Circumstances},
    relationships::{ActorId, NodeId, ObjectId, Reverse, SubjectRef, TermsId},
    schema::{Body, Policy},
    standing::standing,
    truth::Truth,
    types::{Allowed, SubjectType, Types},
};

use super::plan::{Place, Plan};

/// What one round of looking may take before another side of an intersection is tried.
const FIRST_QUOTA: u64 = 4096;

/// How much more the next round may take.
const QUOTA_FACTOR: u64 = 4;

/// Ways that are tried side by side at most. Each costs as much as the others together at most, and a
/// policy with more intersections on the way to one permission has better ones among the first.
const WAYS_MAX: usize = 8;

/// Candidates, and what finding them took.
pub(super) struct Candidates {
    /// Each once; whether the permission is certain to be true.
    pub objects: Vec<(ObjectId, bool)>,
    /// What else was found on the way to them.
    pub marks: Marks,
    pub steps: u64,
}

/// Nodes of objects that may be true, and whether each is known to be.
#[derive(Default)]
pub(super) struct Marks(HashMap<u64, bool, BuildHasherDefault<Mix>>); // pure: looked up by key, never iterated

impl Marks {
    pub(super) fn is_certain(&self, object: ObjectId, node: NodeId) -> bool {
        self.0.get(&key(object, node)) == Some(&true)
    }

    /// Notes a node; what was known of it.
    fn note(&mut self, object: ObjectId, node: NodeId, certain: bool) -> Option<bool> {
        // Growing by four, not by two: a list of a thousand is then copied a third as often.
        if self.0.len() == self.0.capacity() {
            self.0.reserve(3 * self.0.len());
        }
        let known = self.0.get_mut(&key(object, node));
        match known {
            Some(known) => Some(core::mem::replace(known, *known || certain)),
            None => self.0.insert(key(object, node), certain),
        }
    }
}

/// Finds all objects on which `asked` may have `target`.
///
/// Of each intersection one side is looked through. If that takes long, the other sides are tried as
/// well, in rounds that grow, and the first way that comes to its end counts: so the smaller side
/// decides what it costs.
pub(super) fn candidates<R: Reverse + ?Sized>(
    relationships: &R,
    asked: Asked,
    target: NodeId,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Candidates, CheckError> {
    let policy = relationships.policy();
    let way = |turned: Option<Place>| Way {
        relationships,
        policy,
        circumstances,
        plan: Plan::new(policy, target, turned),
        target,
        marks: Marks::default(),
        open: vec![],
        begin: begin(asked),
        found: vec![],
        steps: 0,
        quota: 0,
    };
    let mut ways = vec![way(None)];
    let mut quota = FIRST_QUOTA.min(limits.steps_max);
    loop {
        for at in 0..ways.len() {
            let Some(way) = ways.get_mut(at) else {
                break;
            };
            if way.look(asked, quota).is_break() {
                continue;
            }
            let objects = way.found();
            let marks = core::mem::take(&mut way.marks);
            let steps = ways.iter().map(|way| way.steps).sum();
            return Ok(Candidates {
                objects,
                marks,
                steps,
            });
        }
        let steps: u64 = ways.iter().map(|way| way.steps).sum();
        if steps >= limits.steps_max {
            let limit = limits.steps_max;
            return Err(CheckError::TooManySteps { limit });
        }
        if let [first] = ways.as_slice() {
            let places: Vec<Place> = first.plan.intersections.clone();
            ways.extend(
                places
                    .into_iter()
                    .take(WAYS_MAX - 1)
                    .map(|at| way(Some(at))),
            );
        }
        quota = quota.saturating_mul(QUOTA_FACTOR).min(limits.steps_max);
    }
}

/// Where to begin.
#[derive(Clone, Copy)]
enum Begin {
    /// In the relations that hold a subject.
    Held(SubjectRef, SubjectType),
    /// At the objects that an actor owns.
    Owned(ActorId),
}

/// Where a subject may stand: as itself, and as one of all.
fn begin(asked: Asked) -> Vec<Begin> {
    let everyone = Begin::Held(SubjectRef::Everyone, SubjectType::Everyone);
    let every = |id| Begin::Held(SubjectRef::Every(id), SubjectType::Every(id));
    match asked {
        Asked::Actor(None) | Asked::Everyone => vec![everyone],
        Asked::Actor(Some(actor)) => vec![
            everyone,
            Begin::Owned(actor),
            Begin::Held(SubjectRef::Actor(actor), SubjectType::Actor),
        ],
        Asked::Every(Some(resource)) => vec![every(resource)],
        Asked::Object(Some(object), Some(resource)) => vec![
            every(resource),
            Begin::Held(SubjectRef::Object(object), SubjectType::Object(resource)),
        ],
        Asked::Every(None) | Asked::Object(..) | Asked::Userset(_) => vec![],
    }
}

/// One way back, under way.
struct Way<'a, R: ?Sized> {
    relationships: &'a R,
    policy: &'a Policy,
    circumstances: &'a Circumstances,
    plan: Plan,
    target: NodeId,
    marks: Marks,
    open: Vec<(ObjectId, NodeId)>,
    /// Where it is yet to begin.
    begin: Vec<Begin>,
    found: Vec<ObjectId>,
    steps: u64,
    quota: u64,
}

impl<R: Reverse + ?Sized> Way<'_, R> {
    /// Goes on until all is found, or breaks off when `quota` steps have been taken on this way. Then
    /// what was begun is begun again in the next round; what was marked stays so.
    fn look(&mut self, asked: Asked, quota: u64) -> ControlFlow<()> {
        self.quota = self.steps.saturating_add(quota);
        if self.steps == 0 {
            self.begin_nodes(asked);
        }
        while let Some(begin) = self.begin.last().copied() {
            match begin {
                Begin::Held(subject, kind) => self.through(subject, kind, None, true)?,
                Begin::Owned(actor) => self.owned(actor)?,
            }
            self.begin.pop();
        }
        while let Some((object, node)) = self.open.pop() {
            let certain = self.marks.is_certain(object, node);
            if self.on_from(object, node, certain).is_break() {
                self.open.push((object, node));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Marks what is true without any relationship.
    fn begin_nodes(&mut self, asked: Asked) {
        match asked {
            Asked::Object(Some(object), Some(resource)) => {
                for (node, suffices) in self.plan.itself.clone() {
                    if self.policy.body_node(node).map(|node| node.resource) == Some(resource) {
                        self.mark(object, node, suffices);
                    }
                }
            }
            Asked::Userset(Some((object, node))) => self.mark(object, node, true),
            _ => {}
        }
    }

    fn owned(&mut self, actor: ActorId) -> ControlFlow<()> {
        let (relationships, policy) = (self.relationships, self.policy);
        let mut broken = ControlFlow::Continue(());
        relationships.owned(actor, &mut |object| {
            broken = self.count(1);
            let resource = relationships.resource_of(object);
            if let Some(owner) = resource.and_then(|id| policy.owner_node(id)) {
                self.mark(object, owner, true);
            }
            broken
        });
        broken
    }

    /// Follows what may be true by a node that may be.
    fn on_from(&mut self, object: ObjectId, node: NodeId, certain: bool) -> ControlFlow<()> {
        let Some(resource) = self.policy.body_node(node).map(|node| node.resource) else {
            return ControlFlow::Continue(());
        };
        let edges = self.plan.edges_from(node);
        for at in edges.clone() {
            if let Some(edge) = self.plan.edge(at).filter(|edge| edge.through.is_none()) {
                self.count(1)?;
                self.mark(object, edge.to, certain && edge.suffices);
            }
        }
        if object == ObjectId::NOWHERE {
            return ControlFlow::Continue(());
        }
        if self.plan.holds_usersets(node) {
            let subject = SubjectRef::Userset(object, node);
            self.through(subject, SubjectType::Userset(node), None, certain)?;
        }
        // Arrows lead to the object from itself and from its usersets, as far as they are admitted.
        let mut kinds: Vec<SubjectType> = vec![];
        for at in edges.clone() {
            let Some(relation) = self.plan.edge(at).and_then(|edge| edge.through) else {
                continue;
            };
            let Some(types) = types_of(self.policy, relation) else {
                continue;
            };
            for entry in types.entries() {
                let leads_here = match entry.subject {
                    SubjectType::Object(of) => of == resource,
                    SubjectType::Userset(of) => {
                        self.policy.body_node(of).map(|node| node.resource) == Some(resource)
                    }
                    _ => false,
                };
                if leads_here && !kinds.contains(&entry.subject) {
                    kinds.push(entry.subject);
                }
            }
        }
        for kind in kinds {
            let subject = match kind {
                SubjectType::Userset(of) => SubjectRef::Userset(object, of),
                _ => SubjectRef::Object(object),
            };
            self.through(subject, kind, Some(edges.clone()), certain)?;
        }
        ControlFlow::Continue(())
    }

    /// Goes through all relations that hold a subject: into them, or along `arrows` through them.
    fn through(
        &mut self,
        subject: SubjectRef,
        kind: SubjectType,
        arrows: Option<Range<usize>>,
        certain: bool,
    ) -> ControlFlow<()> {
        let relationships = self.relationships;
        let mut broken = ControlFlow::Continue(());
        relationships.held(subject, &mut |object, relation, terms| {
            broken = self.held(object, relation, terms, kind, arrows.clone(), certain);
            broken
        });
        broken
    }

    fn held(
        &mut self,
        object: ObjectId,
        relation: NodeId,
        terms: TermsId,
        kind: SubjectType,
        arrows: Option<Range<usize>>,
        certain: bool,
    ) -> ControlFlow<()> {
        self.count(1)?;
        let policy = self.policy;
        let passes = match arrows.clone() {
            None => self.plan.needs(relation),
            Some(mut arrows) => arrows.any(|at| self.passes(at, relation)),
        };
        let Some(types) = types_of(policy, relation).filter(|_| passes) else {
            return ControlFlow::Continue(());
        };
        let value = match terms {
            TermsId::NONE => types.admits(Allowed::bare(kind)).then_some(Truth::True),
            terms => {
                let found = standing(self.relationships, self.circumstances, types, kind, terms);
                self.count(found.cost)?;
                found.value.filter(|value| *value != Truth::False)
            }
        };
        let Some(value) = value else {
            return ControlFlow::Continue(());
        };
        let certain = certain && value == Truth::True;
        match arrows {
            None => self.mark(object, relation, certain),
            Some(arrows) => {
                for at in arrows {
                    if let Some(edge) = self.plan.edge(at).filter(|_| self.passes(at, relation)) {
                        self.mark(object, edge.to, certain && edge.suffices);
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether a step leads through a relation.
    fn passes(&self, at: usize, relation: NodeId) -> bool {
        self.plan
            .edge(at)
            .is_some_and(|edge| edge.through == Some(relation))
    }

    fn mark(&mut self, object: ObjectId, node: NodeId, certain: bool) {
        if !self.plan.needs(node) {
            return;
        }
        let known = self.marks.note(object, node, certain);
        if known.is_none() && node == self.target {
            self.found.push(object);
        }
        let is_news = known.is_none() || (known == Some(false) && certain);
        if is_news && self.plan.leads_on(node) {
            self.open.push((object, node));
        }
    }

    fn count(&mut self, steps: u64) -> ControlFlow<()> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > self.quota {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn found(&self) -> Vec<(ObjectId, bool)> {
        let certain = |object: &ObjectId| {
            let certain = self.marks.is_certain(*object, self.target);
            (*object, certain)
        };
        self.found.iter().map(certain).collect()
    }
}

fn types_of(policy: &Policy, relation: NodeId) -> Option<&Types> {
    match &policy.body_node(relation)?.body {
        Body::Relation(types) => Some(types),
        Body::Owner | Body::Computed(_) => None,
    }
}
