//! A SpiceDB schema as written.

use alloc::{string::String, vec::Vec};

use crate::schema::Position;

/// A word and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub position: Position,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    /// What the head and the end of the file say.
    pub comment: String,
    pub caveats: Vec<Caveat>,
    pub definitions: Vec<Definition>,
}

#[derive(Clone, Debug)]
pub(crate) struct Caveat {
    pub name: Word,
    pub doc: String,
    /// Names and types, the types without spaces: `map<list<int>>`.
    pub parameters: Vec<(Word, String)>,
    /// CEL, as written between the braces.
    pub expression: String,
}

/// A definition whose partials are spread out.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub name: Word,
    pub doc: String,
    pub members: Vec<Member>,
}

/// What stands in a definition or partial.
#[derive(Clone, Debug)]
pub(crate) enum Member {
    Relation(Relation),
    Permission(Permission),
}

impl Member {
    pub(crate) fn name(&self) -> &Word {
        match self {
            Self::Relation(relation) => &relation.name,
            Self::Permission(permission) => &permission.name,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub name: Word,
    pub doc: String,
    pub types: Vec<AllowedType>,
}

/// One alternative of a relation's types.
#[derive(Clone, Debug)]
pub(crate) struct AllowedType {
    pub definition: Word,
    pub subject: AllowedSubject,
    pub caveat: Option<Word>,
    pub expiration: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AllowedSubject {
    /// `user`, also written `user#...`.
    Object,
    /// `user:*`.
    Wildcard,
    /// `group#member`.
    Userset(Word),
}

#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub name: Word,
    pub doc: String,
    /// The types that `use typechecking` has checked.
    pub annotations: Vec<Word>,
    pub expression: Vec<Step>,
}

/// One step of an expression in postfix form, which has no depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Operand(Operand),
    /// Combines the two topmost values.
    Operator(Operator),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Union,
    Intersection,
    Exclusion,
}

impl Operator {
    pub(crate) fn sign(self) -> char {
        match self {
            Self::Union => '+',
            Self::Intersection => '&',
            Self::Exclusion => '-',
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub position: Position,
    pub kind: OperandKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OperandKind {
    /// Nobody.
    Nil,
    /// The object itself.
    Itself,
    Name(String),
    Arrow {
        relation: String,
        /// Every object must grant, not only one.
        all: bool,
        target: Word,
    },
}
