//! What is wrong with a model, a module, a list of modules, a store file or a tuple: one kind of
//! error for all of them, with a class that a program can act on and a place where there is a text.

use alloc::string::String;
use core::fmt;

use crate::schema::Position;

/// A stretch of a text: where it begins, and the place behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
}

/// What kind of thing is wrong. All but the last four are the classes of OpenFGA's own validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The text does not follow the grammar.
    Syntax,
    /// No schema version is given.
    SchemaVersionRequired,
    /// The schema version is not supported.
    InvalidSchema,
    /// A type has a name that the language keeps for itself.
    ReservedType,
    /// A relation has a name that the language keeps for itself.
    ReservedRelation,
    /// A name is too long or holds characters that names may not hold.
    InvalidName,
    /// A type, a restriction or an operand stands twice.
    Duplicate,
    /// A restriction names a type that does not exist.
    InvalidType,
    /// A relation is named that its type does not have.
    InvalidRelation,
    /// An operand names a relation that its own type does not have.
    MissingDefinition,
    /// The relation behind `from` is not a plain list of types.
    TuplesetNotDirect,
    /// None of the types behind `from` has the relation before it.
    InvalidRelationOnTupleset,
    /// Nobody can ever have the relation.
    NoEntryPoint,
    /// A restriction names a condition that does not exist.
    ConditionNotDefined,
    /// A condition is named by no restriction.
    ConditionNotUsed,
    /// A condition calls itself otherwise than the key under which it stands.
    ConditionName,
    /// What comes of several modules would stand in one file.
    MultipleModulesInFile,
    /// A relation is assignable, but to no type.
    NoAssignableType,
    /// A restriction has a wildcard and a relation.
    WildcardRelation,
    /// Modules do not fit together.
    Modules,
    /// A store file, a list of tuples or a list of modules is not of its form.
    Form,
    /// The other notation has no word for it.
    NotExpressible,
    /// A bound is exceeded.
    Limit,
}

impl Class {
    /// The name that OpenFGA's validators give the class; a name of the same style for our own.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::SchemaVersionRequired => "schema-version-required",
            Self::InvalidSchema => "invalid-schema",
            Self::ReservedType => "reserved-type-keywords",
            Self::ReservedRelation => "reserved-relation-keywords",
            Self::InvalidName => "invalid-name",
            Self::Duplicate => "duplicated-error",
            Self::InvalidType => "invalid-type",
            Self::InvalidRelation => "invalid-relation-type",
            Self::MissingDefinition => "missing-definition",
            Self::TuplesetNotDirect => "tupleuserset-not-direct",
            Self::InvalidRelationOnTupleset => "invalid-relation-on-tupleset",
            Self::NoEntryPoint => "relation-no-entry-point",
            Self::ConditionNotDefined => "condition-not-defined",
            Self::ConditionNotUsed => "condition-not-used",
            Self::ConditionName => "different-nested-condition-name",
            Self::MultipleModulesInFile => "multiple-modules-in-file",
            Self::NoAssignableType => "assignable-relation-must-have-type",
            Self::WildcardRelation => "type-wildcard-relation",
            Self::Modules => "modules",
            Self::Form => "form",
            Self::NotExpressible => "not-expressible",
            Self::Limit => "limit",
        }
    }
}

/// Why something of OpenFGA's is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Error {
    /// The file, where several are read together.
    pub file: Option<String>,
    /// Where in the text; `None` for what was read from JSON.
    pub span: Option<Span>,
    /// The kind.
    pub class: Class,
    /// What is wrong and what to do next.
    pub message: String,
}

impl Error {
    pub(super) fn new(span: Option<Span>, class: Class, message: impl Into<String>) -> Self {
        Self {
            file: None,
            span,
            class,
            message: message.into(),
        }
    }

    pub(super) fn in_file(mut self, file: Option<&str>) -> Self {
        self.file = file.map(Into::into);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if let Some(Span { start, .. }) = self.span {
            write!(f, "line {}, column {}: ", start.line, start.column)?;
        }
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}
