//! What all explanations look at: the values of nodes, and names for handles.

use alloc::{string::String, sync::Arc, vec, vec::Vec};
use core::ops::Range;

use crate::{
    ask::shared::Shared,
    asked::Asked,
    check::Walk,
    limits::{
        Limits, EXPLANATION_EXPRESSION_BYTES_MAX, EXPLANATION_PIECES_MAX, EXPLANATION_WEIGHED_MAX,
    },
    name::Name,
    outline::name_in_expression,
    question::{Circumstances, Question},
    reader::ReadError,
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{MemberRef, NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Body, Op, Policy},
    standing::{standing, Standing},
    terms::Terms,
    truth::Truth,
    types::{SubjectType, Types},
};

/// A part of a node's expression: a range of its operations.
pub(super) type Part = Range<usize>;

/// What is looked at, within the bounds of one explanation. Nothing here fails: where a bound or a
/// read ends it, the explanation says less, and says so.
pub(super) struct Scene<'a, R: ?Sized> {
    pub relationships: &'a R,
    pub policy: &'a Policy,
    pub question: &'a Question,
    pub circumstances: &'a Circumstances,
    pub limits: Limits,
    pub asked: Asked,
    pub root: (ObjectId, NodeId),
    values: Shared<'a, R>,
    /// Members and operands that were looked at.
    pieces: usize,
    /// Pieces that may still be weighed against each other.
    pub weighable: usize,
    /// Whether no more values can be asked for.
    is_spent: bool,
    /// Whether something was left out.
    is_cut: bool,
}

impl<'a, R: Relationships + ?Sized> Scene<'a, R> {
    pub(super) fn new(
        relationships: &'a R,
        question: &'a Question,
        walk: &Walk<'a, R>,
        limits: Limits,
    ) -> Self {
        let circumstances = walk.circumstances();
        Self {
            relationships,
            policy: relationships.policy(),
            question,
            circumstances,
            limits,
            asked: walk.asked(),
            root: walk.root(),
            values: Shared::new(relationships, walk.asked(), circumstances, limits),
            pieces: 0,
            weighable: EXPLANATION_WEIGHED_MAX,
            is_spent: false,
            is_cut: false,
        }
    }

    /// The value of a node as things stand; *unknown* once the steps are spent.
    pub(super) fn value(&mut self, object: ObjectId, node: NodeId) -> Truth {
        if self.is_spent {
            return Truth::Unknown;
        }
        self.values.value(object, node).unwrap_or_else(|_| {
            // The walk broke off, and knows nothing of what it had open.
            self.is_spent = true;
            Truth::Unknown
        })
    }

    /// Whether so much was looked at that nothing more is to be opened.
    pub(super) fn is_full(&mut self) -> bool {
        let is_full = self.pieces > EXPLANATION_PIECES_MAX;
        self.is_cut |= is_full;
        is_full
    }

    /// Notes that something is left out.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Whether something was left out, or may have been for want of values.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut || self.is_spent
    }

    /// Whether something was left out so far; what comes next is judged by itself.
    pub(super) fn take_cut(&mut self) -> bool {
        core::mem::take(&mut self.is_cut)
    }

    /// The terms on which a member stands in a relation.
    pub(super) fn contains(
        &mut self,
        object: ObjectId,
        relation: NodeId,
        member: SubjectRef,
    ) -> Option<TermsId> {
        self.pieces += 1;
        let found = self.relationships.contains(object, relation, member);
        found.unwrap_or_else(|_| {
            self.is_cut = true;
            None
        })
    }

    /// The usersets that stand in a relation.
    pub(super) fn usersets(&mut self, object: ObjectId, relation: NodeId) -> Vec<MemberRef> {
        let mut members = vec![];
        let read = self.relationships.usersets(object, relation, &mut members);
        self.read(read, members)
    }

    /// The members of a relation that an arrow follows.
    pub(super) fn targets(&mut self, object: ObjectId, relation: NodeId) -> Vec<MemberRef> {
        let mut members = vec![];
        let read = self.relationships.targets(object, relation, &mut members);
        self.read(read, members)
    }

    fn read(&mut self, read: Result<(), ReadError>, members: Vec<MemberRef>) -> Vec<MemberRef> {
        self.is_cut |= read.is_err();
        self.pieces = self.pieces.saturating_add(1 + members.len());
        members
    }

    pub(super) fn standing(&self, types: &Types, kind: SubjectType, terms: TermsId) -> Standing {
        standing(self.relationships, self.circumstances, types, kind, terms)
    }

    pub(super) fn types(&self, relation: NodeId) -> Option<&'a Types> {
        match &self.policy.body_node(relation)?.body {
            Body::Relation(types) => Some(types),
            Body::Owner | Body::Computed(_) => None,
        }
    }

    pub(super) fn object(&self, object: ObjectId) -> ObjectRef {
        let name = self.relationships.object_name(object);
        name.unwrap_or_else(|| self.question.object.clone())
    }

    pub(super) fn name(&self, node: NodeId) -> String {
        self.policy.node_name(node).into()
    }

    /// A relationship in names; `None` for handles of others.
    pub(super) fn relationship(
        &self,
        (object, relation): (ObjectId, NodeId),
        subject: SubjectRef,
        terms: TermsId,
    ) -> Option<Relationship> {
        let relation = Name::new(self.policy.node_name(relation)).ok()?;
        let found = self.relationships.terms(terms);
        let terms = found.map_or(Terms::NONE, Arc::unwrap_or_clone);
        let subject = self.subject(subject)?;
        Some(Relationship::new(self.object(object), relation, subject).on(terms))
    }

    fn subject(&self, subject: SubjectRef) -> Option<Subject> {
        let name = |name: &str| Name::new(name).ok();
        Some(match subject {
            // The only actor that an explanation meets is the one who is asked about.
            SubjectRef::Actor(_) => self.question.subject.clone(),
            SubjectRef::Everyone => Subject::Everyone,
            SubjectRef::Every(resource) => {
                Subject::Every(name(self.policy.resource_name(resource))?)
            }
            SubjectRef::Object(object) => Subject::Object(self.object(object)),
            SubjectRef::Userset(object, node) => Subject::Userset {
                object: self.object(object),
                relation: name(self.policy.node_name(node))?,
            },
        })
    }

    /// The operations of a part of an expression.
    pub(super) fn ops(&self, node: NodeId, part: &Part) -> &'a [Op] {
        match self.policy.body_node(node).map(|node| &node.body) {
            Some(Body::Computed(ops)) => ops.get(part.clone()).unwrap_or_default(),
            _ => &[],
        }
    }

    /// A part of an expression as a policy writes it, cut to a printable length.
    pub(super) fn expression(&self, node: NodeId, part: &Part) -> String {
        let mut stack: Vec<(String, bool)> = Vec::new();
        for op in self.ops(node, part) {
            let text = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => (name_in_expression(self.policy.node_name(node)), false),
                Op::Itself => ("self".into(), false),
                Op::Arrow(at) => (self.arrow(at), false),
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some((right, compound)), Some((left, _))) = (stack.pop(), stack.pop())
                    else {
                        continue;
                    };
                    let sign = match op {
                        Op::Union => '+',
                        Op::Intersection => '&',
                        _ => '-',
                    };
                    let text = match compound {
                        _ if left.ends_with(CUT) => left,
                        true => alloc::format!("{left} {sign} ({right})"),
                        false => alloc::format!("{left} {sign} {right}"),
                    };
                    (printable(text), true)
                }
            };
            stack.push(text);
        }
        match stack.pop() {
            Some((text, true)) => alloc::format!("({text})"),
            Some((text, false)) => text,
            None => String::new(),
        }
    }

    fn arrow(&self, at: u16) -> String {
        let Some(arrow) = self.policy.arrows.get(at as usize) else {
            return String::new();
        };
        let relation = name_in_expression(self.policy.node_name(arrow.relation));
        let target = arrow.targets.first();
        let target = target.map_or("", |(_, node)| self.policy.node_name(*node));
        let sign = if arrow.all { "&->" } else { "->" };
        alloc::format!("{relation}{sign}{}", name_in_expression(target))
    }
}

/// What stands for the rest of a text.
const CUT: char = '…';

fn printable(mut text: String) -> String {
    if text.len() > EXPLANATION_EXPRESSION_BYTES_MAX && !text.ends_with(CUT) {
        // Names are ASCII, and what is not was put here by a cut.
        text.retain(|letter| letter.is_ascii());
        text.truncate(EXPLANATION_EXPRESSION_BYTES_MAX);
        text.push(CUT);
    }
    text
}

/// A member that leads on, as a subject.
pub(super) fn subject_of(set: SetRef) -> Option<SubjectRef> {
    match set {
        SetRef::Object(object, _) => Some(SubjectRef::Object(object)),
        SetRef::Userset(object, node) => Some(SubjectRef::Userset(object, node)),
        SetRef::Foreign => None,
    }
}
