//! The questions of one test, one for each thing that is asserted.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use crate::{
    openfga::{StoreTest, UserFilter},
    schema::Position,
    testing::run::words,
};

/// A question, and what is expected.
pub(super) struct Ask<'a> {
    pub position: Position,
    pub relation: &'a str,
    pub context: &'a Map<String, Value>,
    pub what: What<'a>,
}

pub(super) enum What<'a> {
    /// Whether the user has the relation to the object.
    Check {
        user: &'a str,
        object: &'a str,
        expected: bool,
    },
    /// To which objects of a type the user has it.
    Objects {
        user: &'a str,
        object_type: &'a str,
        expected: &'a [String],
    },
    /// Which users of some kinds have it to the object.
    Users {
        object: &'a str,
        filters: &'a [UserFilter],
        expected: &'a [String],
    },
}

/// All questions of a test, in the order of the file.
pub(super) fn questions(test: &StoreTest) -> Vec<Ask<'_>> {
    let mut all = Vec::new();
    for check in &test.checks {
        for (user, object) in check
            .users
            .iter()
            .flat_map(|user| check.objects.iter().map(move |object| (user, object)))
        {
            all.extend(check.assertions.iter().map(|(relation, expected)| Ask {
                position: check.position,
                relation,
                context: &check.context,
                what: What::Check {
                    user,
                    object,
                    expected: *expected,
                },
            }));
        }
    }
    for lookup in &test.list_objects {
        all.extend(lookup.assertions.iter().map(|(relation, expected)| Ask {
            position: lookup.position,
            relation,
            context: &lookup.context,
            what: What::Objects {
                user: &lookup.user,
                object_type: &lookup.object_type,
                expected,
            },
        }));
    }
    for lookup in &test.list_users {
        all.extend(lookup.assertions.iter().map(|(relation, expected)| Ask {
            position: lookup.position,
            relation,
            context: &lookup.context,
            what: What::Users {
                object: &lookup.object,
                filters: &lookup.filters,
                expected,
            },
        }));
    }
    all
}

impl Ask<'_> {
    /// The test and the question.
    pub fn name(&self, test: &str) -> String {
        let relation = self.relation;
        let question = match &self.what {
            What::Check { user, object, .. } => format!("check {object}#{relation}@{user}"),
            What::Objects {
                user, object_type, ..
            } => format!("list_objects {object_type}#{relation}@{user}"),
            What::Users {
                object, filters, ..
            } => {
                let kinds = filters.iter().map(UserFilter::to_string);
                format!("list_users {object}#{relation} of {}", words::list(kinds))
            }
        };
        match self.context.is_empty() {
            true => format!("{test}: {question}"),
            false => {
                let context = Value::Object(self.context.clone());
                format!("{test}: {question} with {context}")
            }
        }
    }

    pub fn expected(&self) -> String {
        match &self.what {
            What::Check { expected, .. } => expected.to_string(),
            What::Objects { expected, .. } | What::Users { expected, .. } => {
                words::list(sorted(expected))
            }
        }
    }
}

pub(super) fn sorted(all: &[String]) -> Vec<String> {
    let mut all = all.to_vec();
    all.sort();
    all
}
