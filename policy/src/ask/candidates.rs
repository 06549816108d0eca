//! The objects on which a subject may have a permission, found from the subject backwards.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    vec,
    vec::Vec,
};
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
    relationships::{ActorId, NodeId, ObjectId, ResourceId, Reverse, SubjectRef, TermsId},
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

/// Places for marks to begin with: what fits a table of 32, so that short lists never grow one.
const MARKS_MIN: usize = 28;

/// Candidates, and what finding them took.
pub(super) struct Candidates {
    /// Each once.
    pub objects: Vec<ObjectId>,
    /// What of them is certain, and of others on the way to them.
    pub marks: Marks,
    pub steps: u64,
}

/// Nodes of objects that may be true, and whether each is known to be: two bits a node, so that what
/// is known of one object mostly lies in one place.
#[derive(Default)]
pub(super) struct Marks(HashMap<u64, u64, BuildHasherDefault<Mix>>); // pure: looked up by key, never iterated

/// The place that was read last, and what stands there: mostly several nodes of an object are looked at.
#[derive(Default)]
pub(super) struct Lately {
    place: Option<u64>,
    known: u64,
}

/// Nodes in one place.
const NODES: u16 = 32;

/// The two bits of a node: it may be true; it is.
fn bits(node: NodeId) -> (u64, u64) {
    let at = 2 * (node.0 % NODES);
    (1 << at, 2 << at)
}

impl Marks {
    fn place(object: ObjectId, node: NodeId) -> u64 {
        key(object, NodeId(node.0 / NODES))
    }

    /// Whether a node is certain. `lately` is what was read last.
    #[inline]
    pub(super) fn is_certain(&self, object: ObjectId, node: NodeId, lately: &mut Lately) -> bool {
        let place = Self::place(object, node);
        if lately.place != Some(place) {
            lately.place = Some(place);
            lately.known = self.0.get(&place).copied().unwrap_or_default();
        }
        lately.known & bits(node).1 != 0
    }

    /// What stands in a place, to be noted in.
    fn at(&mut self, place: u64) -> &mut u64 {
        // Growing by eight, not by two: a list of a thousand is then hardly copied.
        if self.0.len() == self.0.capacity() {
            self.0.reserve(MARKS_MIN.max(7 * self.0.len()));
        }
        self.0.entry(place).or_default()
    }
}

/// Notes a node where its place is; what was known of it.
fn note(known: &mut u64, node: NodeId, certain: bool) -> Option<bool> {
    let (possible, sure) = bits(node);
    let before = (*known & possible != 0).then_some(*known & sure != 0);
    *known |= possible | if certain { sure } else { 0 };
    before
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
        entered: None,
        kinds: BTreeMap::new(),
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
            let objects = core::mem::take(&mut way.found);
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
    /// What may be true, and whether it is: what that leads to is yet to be marked.
    open: Vec<(ObjectId, NodeId, bool)>,
    /// Where it is yet to begin.
    begin: Vec<Begin>,
    found: Vec<ObjectId>,
    /// The relation that was entered last, and what admitted it there without terms.
    entered: Option<(NodeId, SubjectType)>,
    /// As what arrows lead to objects, by the node that is asked of them.
    kinds: BTreeMap<NodeId, Rc<[SubjectType]>>,
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
                Begin::Owned(actor) if self.plan.owned => self.owned(actor)?,
                Begin::Owned(_) => {}
            }
            self.begin.pop();
        }
        while let Some((object, node, certain)) = self.open.pop() {
            if self.on_from(object, node, certain).is_break() {
                self.open.push((object, node, certain));
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
        let (within, arrows) = self.plan.edges_from(node);
        for at in within {
            self.count(1)?;
            if let Some(edge) = self.plan.edge(at) {
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
        if arrows.is_empty() {
            return ControlFlow::Continue(());
        }
        for kind in self.kinds(node, resource, arrows.clone())?.iter() {
            self.count(1)?;
            let subject = match *kind {
                SubjectType::Userset(of) => SubjectRef::Userset(object, of),
                _ => SubjectRef::Object(object),
            };
            self.through(subject, *kind, Some(arrows.clone()), certain)?;
        }
        ControlFlow::Continue(())
    }

    /// As what an object of `resource` is led to by arrows: as itself, as one of its usersets, as far as
    /// their relations admit it. Found once for each node.
    fn kinds(
        &mut self,
        node: NodeId,
        resource: ResourceId,
        arrows: Range<usize>,
    ) -> ControlFlow<(), Rc<[SubjectType]>> {
        if let Some(kinds) = self.kinds.get(&node) {
            return ControlFlow::Continue(kinds.clone());
        }
        let mut kinds = BTreeSet::new();
        let mut last = None;
        for at in arrows {
            let relation = self.plan.edge(at).and_then(|edge| edge.through);
            let new = relation.filter(|_| relation != last);
            last = relation;
            let Some(types) = new.and_then(|relation| types_of(self.policy, relation)) else {
                continue;
            };
            self.count(types.entries().len() as u64)?;
            let of = |node| self.policy.body_node(node).map(|node| node.resource);
            let subjects = types.entries().iter().map(|entry| entry.subject);
            kinds.extend(subjects.filter(|kind| kind.leads_to(of) == Some(resource)));
        }
        let kinds: Rc<[SubjectType]> = kinds.into_iter().collect();
        self.kinds.insert(node, kinds.clone());
        ControlFlow::Continue(kinds)
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
        // Mostly a subject stands in the same relation of many objects.
        let known = self
            .entered
            .filter(|_| terms == TermsId::NONE && arrows.is_none());
        if known == Some((relation, kind)) {
            self.mark(object, relation, certain);
            return ControlFlow::Continue(());
        }
        let policy = self.policy;
        let arrows = arrows.map(|arrows| self.plan.through(arrows, relation));
        let passes = match &arrows {
            None => self.plan.needs(relation),
            Some(arrows) => !arrows.is_empty(),
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
            None => {
                if terms == TermsId::NONE {
                    self.entered = Some((relation, kind));
                }
                self.mark(object, relation, certain);
            }
            Some(arrows) => {
                self.count(arrows.len() as u64 - 1)?;
                for at in arrows {
                    if let Some(edge) = self.plan.edge(at) {
                        self.mark(object, edge.to, certain && edge.suffices);
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Marks a node, and what one step alone leads on to.
    fn mark(&mut self, object: ObjectId, mut node: NodeId, mut certain: bool) {
        if !self.plan.needs(node) {
            return;
        }
        let mut place = Marks::place(object, node);
        let mut known = self.marks.at(place);
        loop {
            let before = note(known, node, certain);
            if before.is_none() && node == self.target {
                self.found.push(object);
            }
            let is_news = before.is_none() || (before == Some(false) && certain);
            if !is_news || !self.plan.leads_on(node) {
                return;
            }
            let edge = self
                .plan
                .only_edge(node)
                .filter(|_| self.steps < self.quota);
            let Some(edge) = edge else {
                self.open.push((object, node, certain));
                return;
            };
            self.steps += 1;
            (node, certain) = (edge.to, certain && edge.suffices);
            let next = Marks::place(object, node);
            if next != place {
                (place, known) = (next, self.marks.at(next));
            }
        }
    }

    fn count(&mut self, steps: u64) -> ControlFlow<()> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > self.quota {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn types_of(policy: &Policy, relation: NodeId) -> Option<&Types> {
    match &policy.body_node(relation)?.body {
        Body::Relation(types) => Some(types),
        Body::Owner | Body::Computed(_) => None,
    }
}
