//! An OpenFGA authorization model as data: what its two notations, the DSL and JSON, have in common.
//!
//! Order is that of the text, and comments are kept. A model that was read may still be nonsense;
//! [`super::validate`] says what is wrong with it. Rewrites nest at most
//! [`crate::limits::EXPRESSION_DEPTH_MAX`] deep, whoever made them from text: that is what lets the
//! rest of this folder walk them by recursion (Invariant 7).

use alloc::{boxed::Box, string::String, vec::Vec};

use super::error::Span;

/// A word and its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands; `None` if it came from JSON or from a native policy.
    pub span: Option<Span>,
}

impl Word {
    /// A word without a place.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            span: None,
        }
    }
}

/// Comments of one part of a model, without `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines before it.
    pub before: Vec<String>,
    /// Behind it on its own line.
    pub beside: Option<String>,
}

/// Which module and file a part of a combined model came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The module.
    pub module: Option<String>,
    /// The file.
    pub file: Option<String>,
}

impl Source {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.module.is_none() && self.file.is_none()
    }
}

/// A model, or one module of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Comments before and within the header.
    pub comments: Vec<String>,
    /// The schema version; a module has none.
    pub schema: Option<Word>,
    /// The module's name; a model has none.
    pub module: Option<Word>,
    /// Types, and in a module extensions of types.
    pub types: Vec<TypeDefinition>,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// Comments behind everything.
    pub end_comments: Vec<String>,
}

/// A type, or more relations for a type of another module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeDefinition {
    /// Its name.
    pub name: Word,
    /// Whether it says `extend type`.
    pub extends: bool,
    /// Its relations.
    pub relations: Vec<Relation>,
    /// Its comments.
    pub comments: Comments,
    /// Where it came from.
    pub source: Source,
}

/// A relation of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: Word,
    /// What may be assigned where its rewrite says [`Rewrite::Assigned`].
    pub types: Vec<Restriction>,
    /// How it is computed.
    pub rewrite: Rewrite,
    /// Its comments.
    pub comments: Comments,
    /// Where it came from, if not from where its type came from.
    pub source: Source,
}

/// How a relation is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// `[…]`: who is assigned (`this` in JSON).
    Assigned,
    /// `editor`: another relation of the same object.
    Computed(Word),
    /// `viewer from parent`: a relation of the objects that are assigned to another one.
    From {
        /// What stands before `from`.
        relation: Word,
        /// What stands behind it.
        tupleset: Word,
    },
    /// `a or b`.
    Union(Vec<Self>),
    /// `a and b`.
    Intersection(Vec<Self>),
    /// `a but not b`.
    Difference(Box<Self>, Box<Self>),
}

/// One entry of `[…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The type.
    pub name: Word,
    /// Which subjects of it.
    pub subjects: Subjects,
    /// The condition behind `with`.
    pub condition: Option<Word>,
    /// Where it stands, without its condition.
    pub span: Option<Span>,
}

/// Which subjects of a type a restriction admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// `user`: its objects.
    Objects,
    /// `user:*`: all of its objects at once.
    All,
    /// `group#member`: usersets of its objects.
    Usersets(Word),
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: Word,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The expression in CEL, as it was written.
    pub expression: String,
    /// Where the expression stands.
    pub expression_span: Option<Span>,
    /// Its comments.
    pub comments: Comments,
    /// Where it came from.
    pub source: Source,
}

/// A parameter of a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: Word,
    /// Its type as the DSL writes it: `int`, `list<string>`. JSON also knows `any`.
    pub kind: String,
}

impl Rewrite {
    /// Calls `visit` for each operand, from left to right.
    pub(super) fn each_operand<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Assigned | Self::Computed(_) | Self::From { .. } => visit(self),
            Self::Union(children) | Self::Intersection(children) => {
                children.iter().for_each(|child| child.each_operand(visit));
            }
            Self::Difference(base, subtracted) => {
                base.each_operand(visit);
                subtracted.each_operand(visit);
            }
        }
    }

    /// How often it says [`Rewrite::Assigned`].
    pub(super) fn assigned_count(&self) -> usize {
        let mut count = 0;
        self.each_operand(&mut |operand| count += usize::from(*operand == Self::Assigned));
        count
    }
}

impl Restriction {
    /// The restriction as the DSL writes it, without its condition.
    #[must_use]
    pub fn subject_text(&self) -> String {
        match &self.subjects {
            Subjects::Objects => self.name.text.clone(),
            Subjects::All => alloc::format!("{}:*", self.name.text),
            Subjects::Usersets(relation) => alloc::format!("{}#{}", self.name.text, relation.text),
        }
    }
}

impl Model {
    /// The names of all modules that parts of the model came from, sorted.
    #[must_use]
    pub fn modules(&self) -> Vec<&str> {
        let types = self.types.iter().flat_map(|definition| {
            let relations = definition.relations.iter().map(|relation| &relation.source);
            core::iter::once(&definition.source).chain(relations)
        });
        let conditions = self.conditions.iter().map(|condition| &condition.source);
        let sources = types.chain(conditions);
        let mut names: Vec<&str> = sources.filter_map(|s| s.module.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
