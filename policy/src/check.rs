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
//!
//! Where conditions lack context, a question that they leave unknown is walked again (`lacking`).

use alloc::vec::Vec;

use crate::{
    asked::Asked,
    decide::Trouble,
    lacking::{turns, Lacking},
    limits::{Limits, NAMING_STEPS_MAX},
    memo::{Memo, State},
    name::excerpt,
    question::{Answer, CheckError, Circumstances, Question},
    reader::ReadError,
    relationships::{MemberRef, NodeId, ObjectId, Relationships, ResourceId, SetRef, TermsId},
    schema::{Arrow, Body, Op, Policy},
    standing::{earlier, judge, type_of, Contexts, Standing},
    suggest::suggestion,
    time::Time,
    truth::Truth,
    types::{Allowed, SubjectType, Types},
};

/// Answers `question` from `relationships`, under these circumstances.
///
/// # Errors
/// [`CheckError`]: the question names nothing that the policy defines, a bound is exceeded, or a
/// record that the answer hangs on cannot be read. Never a decision in disguise (Invariant 3).
pub fn check<R: Relationships + ?Sized>(
    relationships: &R,
    question: &Question,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Answer, CheckError> {
    Walk::new(relationships, question, circumstances, limits)?.run_and_name()
}

/// Decides as [`check`] does and tells the steps that it took, at most the bound: what an error cost as
/// well. Reads what the walk reads and nothing else, so [`Answer::missing`] stays empty: finding these
/// names is no part of consensus.
pub fn check_counted<R: Relationships + ?Sized>(
    relationships: &R,
    question: &Question,
    circumstances: &Circumstances,
    limits: Limits,
) -> (u64, Result<Answer, CheckError>) {
    match Walk::new(relationships, question, circumstances, limits) {
        Err(error) => (0, Err(error)),
        Ok(mut walk) => {
            let answer = walk.run();
            (walk.steps.min(limits.steps_max), answer)
        }
    }
}

/// The node of a name that is asked for.
pub(crate) fn resolve(
    policy: &Policy,
    resource: &str,
    permission: &str,
) -> Result<NodeId, CheckError> {
    let id = resolve_resource(policy, resource)?;
    policy.node(id, permission).ok_or_else(|| {
        let names = policy
            .permissions(resource)
            .chain(policy.relations(resource));
        CheckError::UnknownPermission {
            resource: resource.into(),
            permission: excerpt(permission),
            suggestion: suggestion(permission, names),
        }
    })
}

/// The resource of a name that is asked for.
pub(crate) fn resolve_resource(policy: &Policy, name: &str) -> Result<ResourceId, CheckError> {
    policy
        .resource(name)
        .ok_or_else(|| CheckError::UnknownResource {
            resource: excerpt(name),
            suggestion: suggestion(name, policy.resources()),
        })
}

/// A node under evaluation.
struct Frame {
    object: ObjectId,
    node: NodeId,
    /// Its place in the memo.
    place: usize,
    /// What conditions that lack context count as here.
    lacking: Lacking,
    /// Which operations take them the other way; left empty where they are unknown either way.
    turns: Vec<bool>,
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
    /// What conditions that lack context count as for these members.
    lacking: Lacking,
    /// Whether all must grant.
    all: bool,
    /// What the terms of the member whose node is being evaluated say.
    terms: Truth,
}

impl Members {
    /// Adds what the node of the current member gave.
    #[inline]
    fn add(&mut self, value: Truth) {
        let value = self.terms.and(value);
        self.so_far = match self.all {
            true => self.so_far.and(value),
            false => self.so_far.or(value),
        };
    }

    #[inline]
    fn is_decided(&self) -> bool {
        self.so_far == if self.all { Truth::False } else { Truth::True }
    }
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
    circumstances: &'a Circumstances,
    limits: Limits,
    steps: u64,
    /// Steps of what was looked up after the walk, which no answer counts.
    looked: u64,
    frames: Vec<Frame>,
    values: Vec<Truth>,
    members: Vec<MemberRef>,
    contexts: Contexts,
    memo: Memo,
    finals: u32,
    /// Memo places of provisional entries, in the order in which they closed.
    provisional: Vec<usize>,
    /// Runs of provisional entries that hang on the same depth: (first entry, depth).
    runs: Vec<(usize, u32)>,
    trouble: Trouble,
    lacks: bool,
    until: Option<Time>,
}

impl<'a, R: Relationships + ?Sized> Walk<'a, R> {
    /// # Errors
    /// Where the question names nothing that the policy defines.
    pub(crate) fn new(
        relationships: &'a R,
        question: &Question,
        circumstances: &'a Circumstances,
        limits: Limits,
    ) -> Result<Self, CheckError> {
        let policy = relationships.policy();
        let node = resolve(policy, question.object.resource(), &question.permission)?;
        let object = relationships
            .object(&question.object)
            .unwrap_or(ObjectId::NOWHERE);
        let asked = Asked::new(relationships, question, object);
        Ok(Self::of(
            relationships,
            (object, node),
            asked,
            circumstances,
            limits,
        ))
    }

    /// A walk from `root`, about whoever is `asked`.
    pub(crate) fn of(
        relationships: &'a R,
        root: (ObjectId, NodeId),
        asked: Asked,
        circumstances: &'a Circumstances,
        limits: Limits,
    ) -> Self {
        Self {
            relationships,
            policy: relationships.policy(),
            root,
            asked,
            circumstances,
            limits,
            steps: 0,
            looked: 0,
            // Room for what most questions need, so that they do not allocate twice.
            frames: Vec::with_capacity(8),
            values: Vec::with_capacity(16),
            members: Vec::with_capacity(16),
            contexts: Contexts::default(),
            memo: Memo::default(),
            finals: 0,
            provisional: Vec::new(),
            runs: Vec::new(),
            trouble: Trouble::default(),
            lacks: false,
            until: None,
        }
    }

    /// Turns to another node, about the same subject. What was found stays found.
    pub(crate) fn turn_to(&mut self, object: ObjectId, node: NodeId) {
        self.root = (object, node);
    }

    pub(crate) fn is_troubled(&self) -> bool {
        !self.trouble.is_none()
    }

    pub(crate) fn memo(&self) -> &Memo {
        &self.memo
    }

    pub(crate) fn asked(&self) -> Asked {
        self.asked
    }

    pub(crate) fn circumstances(&self) -> &'a Circumstances {
        self.circumstances
    }

    pub(crate) fn root(&self) -> (ObjectId, NodeId) {
        self.root
    }

    pub(crate) fn relationships(&self) -> &'a R {
        self.relationships
    }

    pub(crate) fn policy(&self) -> &'a Policy {
        self.policy
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Before which time all that was judged so far stays as it is.
    pub(crate) fn until(&self) -> Option<Time> {
        self.until
    }

    /// Whether a condition lacked context.
    pub(crate) fn lacks(&self) -> bool {
        self.lacks
    }

    pub(crate) fn take_trouble(&mut self) -> Trouble {
        core::mem::take(&mut self.trouble)
    }

    /// Walks from the question down.
    pub(crate) fn walk(&mut self, lacking: Lacking) -> Result<Truth, CheckError> {
        let (object, node) = self.root;
        match self.enter(object, node, lacking)? {
            Entered::Value(value) => Ok(value),
            Entered::Opened => self.close_all(),
        }
    }

    /// The value of a node after the walk, without a change to what the walk counted: `None` where all
    /// that was looked up takes more than [`NAMING_STEPS_MAX`], or than the walk itself may.
    pub(crate) fn look(
        &mut self,
        object: ObjectId,
        node: NodeId,
        lacking: Lacking,
    ) -> Option<Truth> {
        if let State::Final(value, _) = self.memo.known(object, node, lacking) {
            return Some(value);
        }
        if self.is_looked_out() {
            return None;
        }
        let counted = core::mem::replace(&mut self.steps, self.looked);
        let (limits, until) = (self.limits, self.until);
        self.limits.steps_max = self.looked_max();
        let found = match self.enter(object, node, lacking) {
            Ok(Entered::Value(value)) => Some(value),
            Ok(Entered::Opened) => self.close_all().ok(),
            Err(_) => None,
        };
        if found.is_none() {
            self.abandon();
            self.steps = u64::MAX;
        }
        (self.limits, self.until) = (limits, until);
        self.looked = core::mem::replace(&mut self.steps, counted);
        found
    }

    /// Counts what is gone through after the walk beside nodes: whether there may be as much.
    pub(crate) fn look_at(&mut self, members: usize) -> bool {
        self.looked = self.looked.saturating_add(members as u64);
        !self.is_looked_out()
    }

    /// Whether no more is looked up.
    pub(crate) fn is_looked_out(&self) -> bool {
        self.looked > self.looked_max()
    }

    fn looked_max(&self) -> u64 {
        self.limits.steps_max.max(NAMING_STEPS_MAX)
    }

    /// Forgets what is open, as if it had not been begun.
    fn abandon(&mut self) {
        for frame in self.frames.drain(..) {
            self.memo.set(frame.place, State::Blank);
        }
        for place in self.provisional.drain(..) {
            self.memo.set(place, State::Blank);
        }
        self.runs.clear();
        self.values.clear();
        self.members.clear();
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
                        members.add(value);
                        match self.next_member()? {
                            Some(closed) => value = closed,
                            None => break,
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn count(&mut self, steps: usize) -> Result<(), CheckError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.limits.steps_max {
            return Err(CheckError::TooManySteps {
                limit: self.limits.steps_max,
            });
        }
        Ok(())
    }

    /// Evaluates a node at once where it can, or opens it. One step.
    fn enter(
        &mut self,
        object: ObjectId,
        node: NodeId,
        lacking: Lacking,
    ) -> Result<Entered, CheckError> {
        self.count(1)?;
        if self.asked == Asked::Userset(Some((object, node))) {
            return Ok(Entered::Value(Truth::True));
        }
        let place = self.memo.place(object, node, lacking);
        let hangs_on = match self.memo.state(place) {
            State::Final(value, _) => return Ok(Entered::Value(value)),
            State::Open(depth) => depth,
            State::Provisional(at) => self.run_of(at),
            State::Blank => return self.open(object, node, lacking, place),
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
        lacking: Lacking,
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
                let mut so_far = self.direct(object, node, types, lacking)?;
                let base = self.members.len();
                if so_far != Truth::True && types.admits_usersets() {
                    so_far = so_far.or(self.read(object, node, false)?);
                }
                let end = self.members.len();
                if base == end {
                    return Ok(Entered::Value(self.settle(place, so_far)));
                }
                Some(Members {
                    base,
                    next: base,
                    end,
                    so_far,
                    arrow: None,
                    lacking,
                    all: false,
                    terms: Truth::True,
                })
            }
        };
        if self.frames.len() >= self.limits.depth_max {
            self.trouble.too_deep = Some(self.limits.depth_max);
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
            lacking,
            turns: turns_of(policy, node, lacking),
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
                Ok(self.known(read)?.map_or(Truth::Unknown, Truth::from))
            }
            _ => Ok(Truth::False),
        }
    }

    /// Whether the one asked about stands in the relation by name, or as one of all. One step for each
    /// of these that the types admit, until one is true.
    fn direct(
        &mut self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
        lacking: Lacking,
    ) -> Result<Truth, CheckError> {
        let mut so_far = Truth::False;
        for (kind, member) in self.asked.members().into_iter().flatten() {
            if so_far == Truth::True || !types.admits_type(kind) {
                continue;
            }
            self.count(1)?;
            let Some(member) = member else {
                continue;
            };
            let read = self.relationships.contains(object, node, member);
            let found = match self.known(read)? {
                None => Truth::Unknown,
                Some(None) => Truth::False,
                Some(Some(terms)) => self
                    .standing(types, kind, terms, lacking)?
                    .unwrap_or(Truth::False),
            };
            so_far = so_far.or(found);
        }
        Ok(so_far)
    }

    /// What cannot be read is not known; what fails to be read ends the walk.
    fn known<T>(&mut self, read: Result<T, ReadError>) -> Result<Option<T>, CheckError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(unavailable @ ReadError::Unavailable { .. }) => {
                self.trouble.unavailable.get_or_insert(unavailable);
                Ok(None)
            }
            Err(failed) => Err(failed.into()),
        }
    }

    /// Lists the usersets of a relation, and for an arrow its objects too. One step each. *Unknown* if
    /// there may be more than could be read, else *false*.
    fn read(
        &mut self,
        object: ObjectId,
        relation: NodeId,
        arrow: bool,
    ) -> Result<Truth, CheckError> {
        let before = self.members.len();
        let into = &mut self.members;
        let read = match arrow {
            true => self.relationships.targets(object, relation, into),
            false => self.relationships.usersets(object, relation, into),
        };
        self.count(self.members.len() - before)?;
        Ok(self.known(read)?.map_or(Truth::Unknown, |()| Truth::False))
    }

    /// Whether a member stands there, without counting.
    pub(crate) fn judge(
        &mut self,
        types: &Types,
        subject: SubjectType,
        terms: TermsId,
    ) -> Standing {
        judge(
            self.relationships,
            self.circumstances,
            &mut self.contexts,
            types,
            subject,
            terms,
        )
    }

    /// What a member's terms say; `None` where nobody stands there. As many steps as its context and
    /// its condition cost.
    fn standing(
        &mut self,
        types: &Types,
        subject: SubjectType,
        terms: TermsId,
        lacking: Lacking,
    ) -> Result<Option<Truth>, CheckError> {
        if terms == TermsId::NONE {
            let admitted = types.admits(Allowed::bare(subject));
            return Ok(admitted.then_some(Truth::True));
        }
        let found = self.judge(types, subject, terms);
        self.count(found.cost as usize)?;
        self.until = earlier(self.until, found.until);
        if !found.missing.is_empty() {
            self.lacks = true;
            return Ok(Some(lacking.truth()));
        }
        if self.trouble.failed.is_none() {
            self.trouble.failed = found.failed;
        }
        Ok(found.value)
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
            let turn = top.turns.get(top.next_op) == Some(&true);
            let lacking = top.lacking.turned_if(turn);
            let Some(op) = ops.get(top.next_op) else {
                // An empty expression holds nobody: the values that there are belong to other frames.
                let value = match ops.is_empty() {
                    true => Truth::False,
                    false => self.values.pop().unwrap_or(Truth::False),
                };
                return Ok(Some(value));
            };
            top.next_op += 1;
            match *op {
                Op::Visit(node) => match self.enter(object, node, lacking)? {
                    Entered::Value(value) => self.values.push(value),
                    Entered::Opened => return Ok(None),
                },
                Op::Arrow(at) => {
                    let Some(arrow) = policy.arrows.get(at as usize) else {
                        return Ok(Some(Truth::Unknown));
                    };
                    self.count(1)?;
                    let base = self.members.len();
                    let unread = self.read(object, arrow.relation, true)?;
                    let end = self.members.len();
                    if let Some(top) = self.frames.last_mut() {
                        top.members = Some(Members {
                            base,
                            next: base,
                            end,
                            so_far: unread,
                            arrow: Some(at),
                            lacking,
                            all: false,
                            terms: Truth::True,
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
                Op::Itself => {
                    let itself = self.asked.is_object(object);
                    self.values.push(itself.into());
                }
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
            if members.is_decided() || members.next >= members.end {
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
            let Some(member) = self.members.get(members.next).copied() else {
                members.next = members.end;
                continue;
            };
            members.next += 1;
            let lacking = members.lacking;
            let arrow = members.arrow.and_then(|at| policy.arrows.get(at as usize));
            let relation = arrow.map_or(*node, |arrow| arrow.relation);
            let Some(Body::Relation(types)) = policy.body_node(relation).map(|node| &node.body)
            else {
                continue;
            };
            let target = match (arrow, member.set) {
                (Some(arrow), set) => arrow_target(policy, arrow, set),
                (None, SetRef::Userset(object, node)) => Some((object, node)),
                (None, SetRef::Object(..) | SetRef::Foreign) => None,
            };
            let Some(subject) = type_of(member.set) else {
                continue;
            };
            let Some(terms) = self.standing(types, subject, member.terms, lacking)? else {
                continue;
            };
            self.add(|members| {
                members.terms = terms;
                // The first that stands there begins the intersection; over nobody it is false.
                if arrow.is_some_and(|arrow| arrow.all) && !members.all {
                    members.all = true;
                    // What could not be read may hold one that does not grant.
                    members.so_far = members.so_far.not();
                }
            });
            // An object whose resource does not define the target does not grant it.
            let target = target.filter(|_| terms != Truth::False);
            let Some((object, node)) = target else {
                self.add(|members| members.add(Truth::False));
                continue;
            };
            match self.enter(object, node, lacking)? {
                Entered::Opened => return Ok(None),
                Entered::Value(value) => self.add(|members| members.add(value)),
            }
        }
    }

    /// Changes the topmost frame's members.
    fn add(&mut self, change: impl FnOnce(&mut Members)) {
        if let Some(Frame {
            members: Some(members),
            ..
        }) = self.frames.last_mut()
        {
            change(members);
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
            self.end_runs(frame.provisional);
            self.runs.push((frame.provisional, frame.low));
            if let Some(below) = self.frames.last_mut() {
                below.low = below.low.min(frame.low);
            }
            return;
        }
        // Definite: what hung on it may become more, so forget it. Or unknown for good: so is all
        // that hung on it alone.
        for place in self.provisional.split_off(frame.provisional) {
            if value == Truth::Unknown {
                self.settle(place, Truth::Unknown);
            } else {
                self.memo.set(place, State::Blank);
            }
        }
        self.end_runs(frame.provisional);
        self.settle(frame.place, value);
    }

    /// Ends the runs of provisional entries that begin at or after the given one.
    fn end_runs(&mut self, from: usize) {
        while self.runs.last().is_some_and(|(first, _)| *first >= from) {
            self.runs.pop();
        }
    }
}

/// Which operations of a node take lacking conditions the other way; not asked where it is all one.
#[inline]
fn turns_of(policy: &Policy, node: NodeId, lacking: Lacking) -> Vec<bool> {
    match policy.body_node(node).map(|node| &node.body) {
        Some(Body::Computed(ops)) if lacking != Lacking::Unknown => turns(ops),
        _ => Vec::new(),
    }
}

/// Where an arrow leads from one member of its relation. The relation of a userset is ignored: the
/// arrow asks its object.
#[inline]
pub(crate) fn arrow_target(
    policy: &Policy,
    arrow: &Arrow,
    member: SetRef,
) -> Option<(ObjectId, NodeId)> {
    let (object, resource) = match member {
        SetRef::Object(object, resource) => (object, resource),
        SetRef::Userset(object, node) => (object, policy.body_node(node)?.resource),
        SetRef::Foreign => return None,
    };
    let at = arrow
        .targets
        .binary_search_by(|(other, _)| other.cmp(&resource))
        .ok()?;
    arrow.targets.get(at).map(|(_, node)| (object, *node))
}
