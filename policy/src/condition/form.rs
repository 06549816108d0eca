//! The tree that the parser makes of a condition, every node with its place.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::operation::{Arithmetic, Comparison, Constant};
use crate::schema::Position;

#[derive(Debug)]
pub(super) struct Tree {
    /// Of an operator its sign, of a call the function's name.
    pub position: Position,
    pub form: Form,
    /// Nodes from here to the deepest leaf.
    pub depth: usize,
}

#[derive(Debug)]
pub(super) enum Form {
    Constant(Constant),
    Name(String),
    Not(Box<Tree>),
    Negate(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    /// Condition, value if true, value if false.
    Choice(Box<[Tree; 3]>),
    Compare(Comparison, Box<[Tree; 2]>),
    In(Box<[Tree; 2]>),
    Compute(Arithmetic, Box<[Tree; 2]>),
    Index(Box<[Tree; 2]>),
    Select(Box<Tree>, String),
    Call {
        receiver: Option<Box<Tree>>,
        function: String,
        arguments: Vec<Tree>,
    },
    List(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
}

impl Form {
    pub(super) fn children(&self) -> Vec<&Tree> {
        match self {
            Self::Constant(_) | Self::Name(_) => Vec::new(),
            Self::Not(child) | Self::Negate(child) | Self::Select(child, _) => [&**child].into(),
            Self::All(children) | Self::Any(children) | Self::List(children) => {
                children.iter().collect()
            }
            Self::Choice(children) => children.iter().collect(),
            Self::Compare(_, children)
            | Self::In(children)
            | Self::Compute(_, children)
            | Self::Index(children) => children.iter().collect(),
            Self::Call {
                receiver,
                arguments,
                ..
            } => receiver.as_deref().into_iter().chain(arguments).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
        }
    }
}
