//! Store files (`.fga.yaml`) as data: a model, tuples, and tests that somebody else runs.
//!
//! Facts: openfga/cli, `docs/STORE_FILE.md`, and the schema in openfga/language's suite of stores.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde_json::{Map, Value};

use super::tuple::Tuple;
use crate::schema::Position;

/// A store file.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// `name`; empty if there is none.
    pub name: String,
    /// The model.
    pub model: StoreModel,
    /// Tuples that all tests see.
    pub tuples: Vec<Tuple>,
    /// Files with more of them, relative to the store file's folder.
    pub tuple_files: Vec<String>,
    /// The tests.
    pub tests: Vec<StoreTest>,
}

/// The model of a store file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreModel {
    /// In the file itself, in the DSL or in JSON.
    Inline {
        /// The model.
        text: String,
        /// Where the value begins; a block scalar's first line is the next one.
        position: Position,
    },
    /// In a file of its own (`.fga`, `.json`, `.mod`), relative to the store file's folder.
    File(String),
}

/// One test: questions over its own tuples and those of the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreTest {
    /// `name`; empty if there is none.
    pub name: String,
    /// `description`; empty if there is none.
    pub description: String,
    /// Tuples that only this test sees.
    pub tuples: Vec<Tuple>,
    /// Files with more of them.
    pub tuple_files: Vec<String>,
    /// Whether users have relations to objects.
    pub checks: Vec<StoreCheck>,
    /// Which objects a user has relations to.
    pub list_objects: Vec<StoreListObjects>,
    /// Which users have relations to an object.
    pub list_users: Vec<StoreListUsers>,
    /// Where the test begins.
    pub position: Position,
}

/// Whether each of some users has relations to each of some objects.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreCheck {
    /// `user`, or all of `users`.
    pub users: Vec<String>,
    /// `object`, or all of `objects`.
    pub objects: Vec<String>,
    /// Values of parameters.
    pub context: Map<String, Value>,
    /// Relations, and whether each is expected.
    pub assertions: Vec<(String, bool)>,
    /// Where the check begins.
    pub position: Position,
}

/// Which objects of a type a user has relations to.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreListObjects {
    /// The user.
    pub user: String,
    /// The type of the objects.
    pub object_type: String,
    /// Values of parameters.
    pub context: Map<String, Value>,
    /// Relations, and the objects expected of each.
    pub assertions: Vec<(String, Vec<String>)>,
    /// Where the question begins.
    pub position: Position,
}

/// Which users have relations to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreListUsers {
    /// The object.
    pub object: String,
    /// Kinds of users that are asked for.
    pub filters: Vec<UserFilter>,
    /// Values of parameters.
    pub context: Map<String, Value>,
    /// Relations, and the users expected of each.
    pub assertions: Vec<(String, Vec<String>)>,
    /// Where the question begins.
    pub position: Position,
}

/// Users of a type, or usersets of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// The type.
    pub user_type: String,
    /// The relation of the usersets.
    pub relation: Option<String>,
}

impl fmt::Display for UserFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relation {
            None => f.write_str(&self.user_type),
            Some(relation) => write!(f, "{}#{relation}", self.user_type),
        }
    }
}
