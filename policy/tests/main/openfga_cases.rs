//! The suites of OpenFGA's server, as data for whoever answers them: `suites/openfga/*.yaml`.
//!
//! A test is a store. Its stages follow each other: each writes a model, which is the current one
//! from then on, and more tuples, and then asks.

use policy::openfga::{import, parse_dsl, parse_tuples, yaml_to_json, Tuple, TupleFormat};
use serde_json::{Map, Value};

use crate::suite;

/// One store.
pub struct Case {
    pub name: String,
    pub stages: Vec<Stage>,
}

/// A model, more tuples, and questions.
pub struct Stage {
    pub model: String,
    pub tuples: Vec<Tuple>,
    pub checks: Vec<Assertion<Tuple, bool>>,
    pub list_objects: Vec<Assertion<ListObjects, Vec<String>>>,
    pub list_users: Vec<Assertion<ListUsers, Vec<String>>>,
}

/// A question and what is expected.
pub struct Assertion<Q, A> {
    pub question: Q,
    pub contextual_tuples: Vec<Tuple>,
    pub context: Map<String, Value>,
    /// The answer, or the code of the error.
    pub expected: Result<A, u64>,
}

/// Which objects of a type a user has a relation to.
pub struct ListObjects {
    pub user: String,
    pub object_type: String,
    pub relation: String,
}

/// Which users of some kinds (`user`, `group#member`) have a relation to an object.
pub struct ListUsers {
    pub object: String,
    pub relation: String,
    pub filters: Vec<String>,
}

/// The cases of `suites/openfga/FILE.yaml`; none, with a line that says so, where it is absent.
pub fn cases(file: &str) -> Vec<Case> {
    let Some(text) = suite::read(&format!("openfga/{file}.yaml")) else {
        return Vec::new();
    };
    let root = yaml_to_json(&text).unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
    cases_of(&root)
}

/// The cases of a file of this form.
pub fn cases_of(root: &Value) -> Vec<Case> {
    list(&root["tests"]).iter().map(case).collect()
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        value => value.as_array().unwrap(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

pub fn tuples(value: &Value) -> Vec<Tuple> {
    match value {
        Value::Null => Vec::new(),
        value => parse_tuples(&value.to_string(), TupleFormat::Json).unwrap(),
    }
}

fn case(value: &Value) -> Case {
    Case {
        name: text(&value["name"]),
        stages: list(&value["stages"]).iter().map(stage).collect(),
    }
}

fn stage(value: &Value) -> Stage {
    let checks = list(&value["checkAssertions"]).iter();
    let list_objects = list(&value["listObjectsAssertions"]).iter();
    let list_users = list(&value["listUsersAssertions"]).iter();
    Stage {
        model: text(&value["model"]),
        tuples: tuples(&value["tuples"]),
        checks: checks
            .map(|value| {
                let tuple = tuples(&Value::Array(vec![value["tuple"].clone()])).remove(0);
                assertion(value, tuple, |answer| answer.as_bool().unwrap())
            })
            .collect(),
        list_objects: list_objects
            .map(|value| {
                let request = &value["request"];
                let question = ListObjects {
                    user: text(&request["user"]),
                    object_type: text(&request["type"]),
                    relation: text(&request["relation"]),
                };
                assertion(value, question, texts)
            })
            .collect(),
        list_users: list_users
            .map(|value| {
                let request = &value["request"];
                let question = ListUsers {
                    object: text(&request["object"]),
                    relation: text(&request["relation"]),
                    filters: texts(&request["filters"]),
                };
                assertion(value, question, texts)
            })
            .collect(),
    }
}

fn assertion<Q, A>(value: &Value, question: Q, answer: impl Fn(&Value) -> A) -> Assertion<Q, A> {
    Assertion {
        question,
        contextual_tuples: tuples(&value["contextualTuples"]),
        context: value["context"].as_object().cloned().unwrap_or_default(),
        expected: match value["errorCode"].as_u64() {
            Some(code) => Err(code),
            None => Ok(answer(&value["expectation"])),
        },
    }
}

#[test]
fn the_suites_of_the_server_are_read_whole() {
    for (file, expected) in [
        ("consolidated_1_1_tests", (137, 160, 360, 270, 295)),
        ("abac_tests", (23, 26, 125, 75, 91)),
    ] {
        let cases = cases(file);
        if cases.is_empty() {
            continue;
        }
        let stages: Vec<&Stage> = cases.iter().flat_map(|case| &case.stages).collect();
        let (mut tuples, mut contextual, mut errors, mut contexts) = (0, 0, 0, 0);
        let (mut checks, mut list_objects, mut list_users) = (0, 0, 0);
        for case in &cases {
            for stage in &case.stages {
                import(&parse_dsl(&stage.model).unwrap(), None).unwrap();
                for tuple in &stage.tuples {
                    let native = tuple.to_native(None);
                    let native = native.unwrap_or_else(|error| panic!("{}: {error}", case.name));
                    assert_eq!(Tuple::from_native(&native, None).unwrap(), *tuple);
                    tuples += 1;
                }
                let mut count = |of: &[Tuple], context: &Map<String, Value>, error: bool| {
                    contextual += of.len();
                    contexts += usize::from(!context.is_empty());
                    errors += usize::from(error);
                };
                for check in &stage.checks {
                    assert!(!check.question.user.is_empty());
                    count(
                        &check.contextual_tuples,
                        &check.context,
                        check.expected.is_err(),
                    );
                    checks += 1;
                }
                for asked in &stage.list_objects {
                    let ListObjects {
                        user,
                        object_type,
                        relation,
                    } = &asked.question;
                    assert!(![user, object_type, relation].iter().any(|it| it.is_empty()));
                    count(
                        &asked.contextual_tuples,
                        &asked.context,
                        asked.expected.is_err(),
                    );
                    list_objects += 1;
                }
                for asked in &stage.list_users {
                    let ListUsers {
                        object,
                        relation,
                        filters,
                    } = &asked.question;
                    assert!(!object.is_empty() && !relation.is_empty() && !filters.is_empty());
                    count(
                        &asked.contextual_tuples,
                        &asked.context,
                        asked.expected.is_err(),
                    );
                    list_users += 1;
                }
            }
        }
        println!(
            "openfga {file}: {} tests, {} stages, {tuples} tuples and {contextual} contextual ones, \
             {checks} checks, {list_objects} lists of objects, {list_users} lists of users; {errors} \
             errors expected, {contexts} contexts: all read",
            cases.len(),
            stages.len(),
        );
        assert_eq!(
            (cases.len(), stages.len(), checks, list_objects, list_users),
            expected
        );
    }
}
