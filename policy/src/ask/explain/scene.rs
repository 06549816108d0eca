//! What all explanations look at: the values of nodes, and names for handles.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::ops::Range;

use crate::{
    ask::shared::Shared,
    asked::Asked,
    check::Walk,
    limits::Limits,
    name::Name,
    outline::name_in_expression,
    question::{CheckError, Circumstances, Question},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Body, Op, Policy},
    standing::{standing, Standing},
    terms::Terms,
    truth::Truth,
    types::{SubjectType, Types},
};

/// A part of a node's expression: a range of its operations.
pub(super) type Part = Range<usize>;

pub(super) struct Scene<'a, R> {
    pub relationships: &'a R,
    pub policy: &'a Policy,
    pub question: &'a Question,
    pub circumstances: &'a Circumstances,
    pub limits: Limits,
    pub asked: Asked,
    pub root: (ObjectId, NodeId),
    values: Shared<'a, R>,
    /// Whether looking at more takes more steps than it may.
    is_spent: bool,
}

impl<'a, R: Relationships> Scene<'a, R> {
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
            is_spent: false,
        }
    }

    /// The value of a node as things stand; *unknown* when the steps are spent.
    pub(super) fn value(&mut self, object: ObjectId, node: NodeId) -> Result<Truth, CheckError> {
        if self.is_spent {
            return Ok(Truth::Unknown);
        }
        match self.values.value(object, node) {
            Err(CheckError::TooManySteps { .. }) => {
                self.is_spent = true;
                Ok(Truth::Unknown)
            }
            value => value,
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
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

    /// A part of an expression as a policy writes it.
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
                        true => alloc::format!("{left} {sign} ({right})"),
                        false => alloc::format!("{left} {sign} {right}"),
                    };
                    (text, true)
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

/// A member that leads on, as a subject.
pub(super) fn subject_of(set: SetRef) -> Option<SubjectRef> {
    match set {
        SetRef::Object(object, _) => Some(SubjectRef::Object(object)),
        SetRef::Userset(object, node) => Some(SubjectRef::Userset(object, node)),
        SetRef::Foreign => None,
    }
}
