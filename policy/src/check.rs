//! The canonical walk: how every check is evaluated, on the hub, on a replica and over evidence.
//!
//! Depth first, left to right, with a stack of its own; forward reads only. A union stops at
//! *true*, an intersection and a difference at *false* on their left. A node that is met again
//! while it is open is *unknown* there. That yields exactly the least fixpoint in Kleene's logic
//! (Fitting 1985); `docs/spec/policy.md` gives the proof, the algorithm and what counts as a step.
//! It is consensus: a change here is a new [`crate::ENGINE_VERSION`].
//!
//! *True* and *false* are final when found: more knowledge cannot undo them. An *unknown* that hangs
//! on an open node is provisional: it stands until the deepest node that it hangs on closes, and is
//! forgotten when an open node between closes with a definite value, for then it may become more.

use alloc::vec::Vec;

use crate::{
    asked::Asked,
    limits::Limits,
    memo::{Memo, State},
    name::excerpt,
    question::{Answer, CheckError, Decision, Question},
    reader::ReadError,
    relationships::{NodeId, ObjectId, Relationships, SetRef},
    schema::{Arrow, Body, Op, Policy, Types},
    suggest::suggestion,
    truth::Truth,
};

/// Answers `question` from `relationships`.
///
/// # Errors
/// [`CheckError`]: the question names nothing that the policy defines, a bound is exceeded, or a
/// record that the answer hangs on cannot be read. Never a decision in disguise (Invariant 3).
pub fn check<R: Relationships + ?Sized>(
    relationships: &R,
    question: &Question,
    limits: Limits,
) -> Result<Answer, CheckError> {
    Walk::new(relationships, question, limits)?.run()
}

/// [`check`], and the steps that it took, at most the bound: what an error cost as well.
pub fn check_counted<R: Relationships + ?Sized>(
    relationships: &R,
    question: &Question,
    limits: Limits,
) -> (u64, Result<Answer, CheckError>) {
    match Walk::new(relationships, question, limits) {
        Err(error) => (0, Err(error)),
        Ok(mut walk) => {
            let answer = walk.run();
            (walk.steps.min(limits.steps_max), answer)
        }
    }
}

/// The node that a question asks about.
fn resolve(policy: &Policy, question: &Question) -> Result<NodeId, CheckError> {
    let name = question.object.resource();
    let Some(resource) = policy.resource(name) else {
        let suggestion = suggestion(name, policy.resources());
        return Err(CheckError::UnknownResource {
            resource: excerpt(name),
            suggestion,
        });
    };
    policy.node(resource, &question.permission).ok_or_else(|| {
        let names = policy.permissions(name).chain(policy.relations(name));
        CheckError::UnknownPermission {
            resource: name.into(),
            permission: excerpt(&question.permission),
            suggestion: suggestion(&question.permission, names),
        }
    })
}

/// A node under evaluation.
struct Frame {
    object: ObjectId,
    node: NodeId,
    /// Its place in the memo.
    place: usize,
    /// The next operation; of computed nodes only.
    next_op: usize,
    /// Values above this height are its own.
    values: usize,
    /// Provisional entries above this height were made within it.
    provisional: usize,
    /// The lowest depth of an open node that something within it hangs on.
    low: u32,
    /// The members that it goes through, if it does.
    members: Option<Members>,
}

/// A union over members, under way.
struct Members {
    /// Members above this height of the walk's list are of this union or of one nested in it.
    base: usize,
    next: usize,
    end: usize,
    so_far: Truth,
    /// The arrow that it follows; `None` where it goes through a relation's own members.
    arrow: Option<u16>,
}

/// What entering a node gave.
enum Entered {
    Value(Truth),
    Opened,
}

pub(crate) struct Walk<'a, R: ?Sized> {
    relationships: &'a R,
    policy: &'a Policy,
    root: (ObjectId, NodeId),
    asked: Asked,
    limits: Limits,
    steps: u64,
    frames: Vec<Frame>,
    values: Vec<Truth>,
    members: Vec<SetRef>,
    memo: Memo,
    finals: u32,
    /// Memo places of provisional entries, in the order in which they closed.
    provisional: Vec<usize>,
    /// Runs of provisional entries that hang on the same depth: (first entry, depth).
    runs: Vec<(usize, u32)>,
    unavailable: Option<ReadError>,
    too_deep: bool,
}

impl<'a, R: Relationships + ?Sized> Walk<'a, R> {
    /// # Errors
    /// Where the question names nothing that the policy defines.
    pub(crate) fn new(
        relationships: &'a R,
        question: &Question,
        limits: Limits,
    ) -> Result<Self, CheckError> {
        let policy = relationships.policy();
        let node = resolve(policy, question)?;
        let object = relationships
            .object(&question.object)
            .unwrap_or(ObjectId::NOWHERE);
        Ok(Self {
            relationships,
            policy,
            root: (object, node),
            asked: Asked::new(relationships, question, object),
            limits,
            steps: 0,
            // Room for what most questions need, so that they do not allocate twice.
            frames: Vec::with_capacity(8),
            values: Vec::with_capacity(16),
            members: Vec::with_capacity(16),
            memo: Memo::default(),
            finals: 0,
            provisional: Vec::new(),
            runs: Vec::new(),
            unavailable: None,
            too_deep: false,
        })
    }

    pub(crate) fn memo(&self) -> &Memo {
        &self.memo
    }

    pub(crate) fn asked(&self) -> Asked {
        self.asked
    }

    pub(crate) fn root(&self) -> (ObjectId, NodeId) {
        self.root
    }

    /// Walks from the question down.
    pub(crate) fn run(&mut self) -> Result<Answer, CheckError> {
        let (object, node) = self.root;
        let value = match self.enter(object, node)? {
            Entered::Value(value) => value,
            Entered::Opened => self.close_all()?,
        };
        let decision = match value {
            Truth::True => Decision::Allow,
            Truth::False => Decision::Deny,
            Truth::Unknown => match self.unavailable.take() {
                Some(unavailable) => return Err(CheckError::Read(unavailable)),
                None if self.too_deep => {
                    return Err(CheckError::TooDeep {
                        limit: self.limits.depth_max,
                    })
                }
                None => Decision::Deny,
            },
        };
        Ok(Answer {
            decision,
            steps: self.steps,
        })
    }

    /// Runs until the first frame has closed, and gives its value.
    fn close_all(&mut self) -> Result<Truth, CheckError> {
        loop {
            let Some(mut value) = self.advance()? else {
                continue;
            };
            // A value goes to the frame above, which may have what it needs by it and close too.
            loop {
                self.close(value);
                let Some(top) = self.frames.last_mut() else {
                    return Ok(value);
                };
                match &mut top.members {
                    None => {
                        self.values.push(value);
                        break;
                    }
                    Some(members) => {
                        members.so_far = members.so_far.or(value);
                        match self.next_member()? {
                            Some(closed) => value = closed,
                            None => break,
                        }
                    }
                }
            }
        }
    }

    fn count(&mut self, steps: usize) -> Result<(), CheckError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.limits.steps_max {
            return Err(CheckError::TooManySteps {
                limit: self.limits.steps_max,
            });
        }
        Ok(())
    }

    /// Evaluates a node at once where it can, or opens it. One step.
    fn enter(&mut self, object: ObjectId, node: NodeId) -> Result<Entered, CheckError> {
        self.count(1)?;
        if self.asked == Asked::Userset(Some((object, node))) {
            return Ok(Entered::Value(Truth::True));
        }
        let place = self.memo.place(object, node);
        let hangs_on = match self.memo.state(place) {
            State::Final(value, _) => return Ok(Entered::Value(value)),
            State::Open(depth) => depth,
            State::Provisional(at) => self.run_of(at),
            State::Blank => return self.open(object, node, place),
        };
        if let Some(top) = self.frames.last_mut() {
            top.low = top.low.min(hangs_on);
        }
        Ok(Entered::Value(Truth::Unknown))
    }

    /// The depth that a provisional entry hangs on.
    fn run_of(&self, at: u32) -> u32 {
        let after = self
            .runs
            .partition_point(|(first, _)| *first <= at as usize);
        after
            .checked_sub(1)
            .and_then(|run| self.runs.get(run))
            .map_or(0, |(_, depth)| *depth)
    }

    fn open(
        &mut self,
        object: ObjectId,
        node: NodeId,
        place: usize,
    ) -> Result<Entered, CheckError> {
        let policy = self.policy;
        let members = match policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => {
                let value = self.owner(object)?;
                return Ok(Entered::Value(self.settle(place, value)));
            }
            Some(Body::Computed(_)) => None,
            Some(Body::Relation(types)) => {
                let mut so_far = self.direct(object, node, types)?;
                let mut range = (self.members.len(), self.members.len());
                if so_far != Truth::True && types.admits_sets() {
                    so_far = so_far.or(self.read(object, node)?);
                    range.1 = self.members.len();
                }
                let (next, found) = self.scan(range, types);
                if so_far == Truth::True || found || next == range.1 {
                    self.members.truncate(range.0);
                    return Ok(Entered::Value(
                        self.settle(place, if found { Truth::True } else { so_far }),
                    ));
                }
                Some(Members {
                    base: range.0,
                    next,
                    end: range.1,
                    so_far,
                    arrow: None,
                })
            }
        };
        if self.frames.len() >= self.limits.depth_max {
            self.too_deep = true;
            if let Some(members) = members {
                self.members.truncate(members.base);
            }
            return Ok(Entered::Value(self.settle(place, Truth::Unknown)));
        }
        self.memo.set(place, State::Open(self.frames.len() as u32));
        self.frames.push(Frame {
            object,
            node,
            place,
            next_op: 0,
            values: self.values.len(),
            provisional: self.provisional.len(),
            low: u32::MAX,
            members,
        });
        Ok(Entered::Opened)
    }

    /// Records a value that hangs on nothing open.
    fn settle(&mut self, place: usize, value: Truth) -> Truth {
        self.memo.set(place, State::Final(value, self.finals));
        self.finals += 1;
        value
    }

    fn owner(&mut self, object: ObjectId) -> Result<Truth, CheckError> {
        match self.asked {
            Asked::Actor(Some(actor)) => {
                let read = self.relationships.is_owner(object, actor);
                self.known(read)
            }
            _ => Ok(Truth::False),
        }
    }

    /// Whether the actor asked about stands in the relation itself. One step, where actors may.
    fn direct(
        &mut self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
    ) -> Result<Truth, CheckError> {
        let Asked::Actor(actor) = self.asked else {
            return Ok(Truth::False);
        };
        if !types.actors {
            return Ok(Truth::False);
        }
        self.count(1)?;
        let Some(actor) = actor else {
            return Ok(Truth::False);
        };
        let read = self.relationships.contains(object, node, actor);
        self.known(read)
    }

    /// What cannot be read is unknown; what fails to be read ends the walk.
    fn known(&mut self, read: Result<bool, ReadError>) -> Result<Truth, CheckError> {
        match read {
            Ok(value) => Ok(value.into()),
            Err(unavailable @ ReadError::Unavailable { .. }) => {
                self.unavailable.get_or_insert(unavailable);
                Ok(Truth::Unknown)
            }
            Err(failed) => Err(failed.into()),
        }
    }

    /// Lists the members of a relation that are no actors. One step each. *Unknown* if there may be
    /// more than could be read.
    fn read(&mut self, object: ObjectId, relation: NodeId) -> Result<Truth, CheckError> {
        let before = self.members.len();
        let read = self.relationships.sets(object, relation, &mut self.members);
        self.count(self.members.len() - before)?;
        self.known(read.map(|()| false))
    }

    /// Goes over members up to the first userset that the types allow: where that stands, and
    /// whether a member before it is the one asked about.
    fn scan(&self, range: (usize, usize), types: &Types) -> (usize, bool) {
        for at in range.0..range.1 {
            match self.members.get(at) {
                Some(SetRef::Userset(_, node)) if types.usersets.contains(node) => {
                    return (at, false)
                }
                Some(member) if self.asked.is(*member, types) => return (at, true),
                _ => {}
            }
        }
        (range.1, false)
    }

    /// Runs the topmost frame until it closes (its value) or something above it opened (`None`).
    fn advance(&mut self) -> Result<Option<Truth>, CheckError> {
        let policy = self.policy;
        loop {
            let Some(top) = self.frames.last_mut() else {
                return Ok(Some(Truth::Unknown));
            };
            if top.members.is_some() {
                return self.next_member();
            }
            let Some(Body::Computed(ops)) = policy.body_node(top.node).map(|node| &node.body)
            else {
                return Ok(Some(Truth::Unknown));
            };
            let object = top.object;
            let Some(op) = ops.get(top.next_op) else {
                return Ok(Some(self.values.pop().unwrap_or(Truth::Unknown)));
            };
            top.next_op += 1;
            match *op {
                Op::Visit(node) => match self.enter(object, node)? {
                    Entered::Value(value) => self.values.push(value),
                    Entered::Opened => return Ok(None),
                },
                Op::Arrow(at) => {
                    let Some(arrow) = policy.arrows.get(at as usize) else {
                        return Ok(Some(Truth::Unknown));
                    };
                    self.count(1)?;
                    let base = self.members.len();
                    let so_far = self.read(object, arrow.relation)?;
                    let end = self.members.len();
                    if let Some(top) = self.frames.last_mut() {
                        top.members = Some(Members {
                            base,
                            next: base,
                            end,
                            so_far,
                            arrow: Some(at),
                        });
                    }
                }
                Op::SkipIfTrue(to) if self.values.last() == Some(&Truth::True) => {
                    top.next_op = to as usize
                }
                Op::SkipIfFalse(to) if self.values.last() == Some(&Truth::False) => {
                    top.next_op = to as usize
                }
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => {}
                Op::Union => self.combine(Truth::or),
                Op::Intersection => self.combine(Truth::and),
                Op::Difference => self.combine(|left, right| left.and(right.not())),
            }
        }
    }

    fn combine(&mut self, table: impl Fn(Truth, Truth) -> Truth) {
        let right = self.values.pop().unwrap_or(Truth::Unknown);
        let left = self.values.pop().unwrap_or(Truth::Unknown);
        self.values.push(table(left, right));
    }

    /// Goes on through the topmost frame's members. Gives the frame's value where it closes, and
    /// `None` where a node opened above it or an arrow's value went onto its stack.
    fn next_member(&mut self) -> Result<Option<Truth>, CheckError> {
        let policy = self.policy;
        loop {
            let Some(Frame {
                node,
                members: Some(members),
                ..
            }) = self.frames.last_mut()
            else {
                return Ok(None);
            };
            if members.so_far == Truth::True || members.next >= members.end {
                let (value, arrow) = (members.so_far, members.arrow);
                self.members.truncate(members.base);
                if arrow.is_none() {
                    return Ok(Some(value));
                }
                self.values.push(value);
                if let Some(top) = self.frames.last_mut() {
                    top.members = None;
                }
                return Ok(None);
            }
            let member = self
                .members
                .get(members.next)
                .copied()
                .unwrap_or(SetRef::Foreign);
            members.next += 1;
            let relation = match members.arrow {
                None => *node,
                Some(at) => policy
                    .arrows
                    .get(at as usize)
                    .map_or(*node, |arrow| arrow.relation),
            };
            let Some(Body::Relation(types)) = policy.body_node(relation).map(|node| &node.body)
            else {
                continue;
            };
            let target = match members.arrow.and_then(|at| policy.arrows.get(at as usize)) {
                Some(arrow) => arrow_target(policy, arrow, types, member),
                None => match member {
                    SetRef::Userset(object, node) if types.usersets.contains(&node) => {
                        Some((object, node))
                    }
                    other if self.asked.is(other, types) => {
                        members.so_far = Truth::True;
                        continue;
                    }
                    _ => None,
                },
            };
            let Some((object, node)) = target else {
                continue;
            };
            match self.enter(object, node)? {
                Entered::Opened => return Ok(None),
                Entered::Value(value) => {
                    if let Some(Frame {
                        members: Some(members),
                        ..
                    }) = self.frames.last_mut()
                    {
                        members.so_far = members.so_far.or(value);
                    }
                }
            }
        }
    }

    /// Closes the topmost frame with `value`.
    fn close(&mut self, value: Truth) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.values.truncate(frame.values);
        let depth = self.frames.len() as u32;
        if value == Truth::Unknown && frame.low < depth {
            // It hangs on a node below that is still open, and so does all that hangs on it.
            let at = self.provisional.len();
            self.provisional.push(frame.place);
            self.memo.set(frame.place, State::Provisional(at as u32));
            while self
                .runs
                .last()
                .is_some_and(|(first, _)| *first >= frame.provisional)
            {
                self.runs.pop();
            }
            self.runs.push((frame.provisional, frame.low));
            if let Some(below) = self.frames.last_mut() {
                below.low = below.low.min(frame.low);
            }
            return;
        }
        // Definite: what hung on it may become more, so forget it. Or unknown for good: so is all
        // that hung on it alone.
        let within = self.provisional.split_off(frame.provisional);
        while self
            .runs
            .last()
            .is_some_and(|(first, _)| *first >= frame.provisional)
        {
            self.runs.pop();
        }
        for place in within {
            if value == Truth::Unknown {
                self.settle(place, Truth::Unknown);
            } else {
                self.memo.set(place, State::Blank);
            }
        }
        self.settle(frame.place, value);
    }
}

/// Where an arrow leads from one member of its relation. The relation of a userset is ignored: the
/// arrow asks its object.
pub(crate) fn arrow_target(
    policy: &Policy,
    arrow: &Arrow,
    types: &Types,
    member: SetRef,
) -> Option<(ObjectId, NodeId)> {
    let (object, resource) = match member {
        SetRef::Object(object, resource) if types.objects.contains(&resource) => (object, resource),
        SetRef::Userset(object, node) if types.usersets.contains(&node) => {
            (object, policy.body_node(node)?.resource)
        }
        _ => return None,
    };
    let at = arrow
        .targets
        .binary_search_by(|(other, _)| other.cmp(&resource))
        .ok()?;
    arrow.targets.get(at).map(|(_, node)| (object, *node))
}
