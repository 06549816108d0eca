//! Theorems as they are written: questions with their expected answers, and statements.

use alloc::{string::String, vec::Vec};

use crate::{
    name::{Actor, Name},
    question::Question,
    relationship::ObjectRef,
    schema::Position,
    theorems::formula::Formula,
};

/// A text of theorems, in the order in which they stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theorems {
    /// Who may do what.
    pub authorizations: Vec<Authorization>,
    /// Who may set and delete which relationships.
    pub delegations: Vec<Delegation>,
    /// What holds whatever the relationships are.
    pub statements: Vec<Statement>,
}

/// Where a theorem stands, and how it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its first character.
    pub position: Position,
    /// Its text, without comments and line breaks.
    pub text: String,
}

/// `document:1#read@did:key:z6Mk…`, or with `!` before it, that this is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Where and how it is written.
    pub source: Source,
    /// Whether it expects an allow.
    pub allowed: bool,
    /// What it asks.
    pub question: Question,
}

/// `did:key:z6Mk… > document:1#reader`, or with `!` before it, that this actor may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Where and how it is written.
    pub source: Source,
    /// Whether it expects that the actor may.
    pub allowed: bool,
    /// Who would set or delete relationships.
    pub actor: Actor,
    /// On which object.
    pub object: ObjectRef,
    /// Of which relation.
    pub relation: Name,
}

/// `document:x#write => document:x#read`: true of every object of the resource, for everybody,
/// whatever the relationships are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where and how it is written.
    pub source: Source,
    /// The resource that it speaks of.
    pub resource: Name,
    /// What it calls the object: any word, which stands for all of them.
    pub variable: String,
    /// Whose answers it speaks of: every actor where this is `None`, else every object of that
    /// resource, as a subject.
    pub subject: Option<Name>,
    /// What is always true; `a => b` stands in it as `!a + b`.
    pub formula: Formula,
}
