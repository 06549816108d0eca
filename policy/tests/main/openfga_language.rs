//! The suites of openfga/language: what its transformers and validators say, ours says too.

use policy::openfga::{parse_dsl, parse_json, validate, yaml_to_json, Class, DslOptions, Error};
use serde_json::Value;

use crate::suite;

/// The cases of a file of the suite.
fn cases(file: &str) -> Vec<Value> {
    let Some(text) = suite::read(&format!("openfga-language/{file}")) else {
        return Vec::new();
    };
    let cases = yaml_to_json(&text).unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
    cases.as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key}: {value}"))
}

/// Line and columns as the suite counts them, from zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    line: u64,
    column: u64,
    end_column: u64,
}

impl Place {
    fn expected(error: &Value) -> Self {
        let of = |key: &str, side: &str| error[key][side].as_u64().unwrap();
        Self {
            line: of("line", "start"),
            column: of("column", "start"),
            end_column: of("column", "end"),
        }
    }

    fn found(error: &Error) -> Self {
        let span = error.span.unwrap();
        Self {
            line: span.start.line as u64 - 1,
            column: span.start.column as u64 - 1,
            end_column: span.end.column as u64 - 1,
        }
    }
}

#[test]
fn models_are_the_same_in_both_notations() {
    let mut passed = 0;
    for case in suite::names("openfga-language/transformer") {
        let folder = format!("openfga-language/transformer/{case}/authorization-model");
        let dsl = suite::read(&format!("{folder}.fga")).unwrap();
        let json = suite::read(&format!("{folder}.json")).unwrap();
        let expected: Value = serde_json::from_str(&json).unwrap();
        let model = parse_dsl(&dsl).unwrap_or_else(|errors| panic!("{case}: {errors:?}"));
        assert_eq!(model.to_json(), expected, "{case}");
        let from_json = parse_json(&json).unwrap_or_else(|errors| panic!("{case}: {errors:?}"));
        assert_eq!(
            from_json.to_dsl(DslOptions::default()).unwrap(),
            dsl,
            "{case}"
        );
        passed += 1;
    }
    println!("openfga-language transformer: {passed} of {passed}");
}

#[test]
fn texts_that_depart_from_the_grammar_are_refused_where_openfga_refuses_them() {
    let file = "dsl-syntax-validation-cases";
    let (mut passed, mut total, mut wrong) = (0, 0, Vec::new());
    for case in cases(&format!("{file}.yaml")) {
        total += 1;
        let expected = case["expected_errors"].as_array();
        let expected: Vec<Place> = expected
            .into_iter()
            .flatten()
            .map(Place::expected)
            .collect();
        let errors = match parse_dsl(text(&case, "dsl")) {
            Ok(model) => validate(&model),
            Err(errors) => {
                assert!(errors.iter().all(|error| error.class == Class::Syntax));
                errors
            }
        };
        let found: Vec<Place> = errors
            .iter()
            .map(|error| {
                let mut place = Place::found(error);
                // Where a line or the text ends, OpenFGA counts the words that it has for that.
                if let Some(expected) = expected.iter().find(|expected| {
                    (expected.line, expected.column) == (place.line, place.column)
                        && error.message.contains("ends here")
                }) {
                    place.end_column = expected.end_column;
                }
                place
            })
            .collect();
        if found == expected {
            passed += 1;
        } else {
            wrong.push(format!(
                "{}: found {errors:#?}, expected {expected:?}",
                text(&case, "name")
            ));
        }
    }
    println!("openfga-language {file}: {passed} of {total}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn models_that_mean_nothing_are_refused_as_openfga_refuses_them() {
    let file = "dsl-semantic-validation-cases";
    let (mut passed, mut skipped, mut total, mut wrong) = (0, 0, 0, Vec::new());
    for case in cases(&format!("{file}.yaml")) {
        if case["skip"] == Value::Bool(true) {
            skipped += 1;
            continue;
        }
        total += 1;
        let expected = case["expected_errors"].as_array();
        let mut expected: Vec<(Place, String)> = expected
            .into_iter()
            .flatten()
            .map(|error| {
                (
                    Place::expected(error),
                    text(&error["metadata"], "errorType").into(),
                )
            })
            .collect();
        let errors = match parse_dsl(text(&case, "dsl")) {
            Ok(model) => validate(&model),
            Err(errors) => errors,
        };
        let mut found: Vec<(Place, String)> = errors
            .iter()
            .map(|error| (Place::found(error), error.class.as_str().into()))
            .collect();
        expected.sort();
        found.sort();
        if found == expected {
            passed += 1;
        } else {
            wrong.push(format!(
                "{}: found {errors:#?}, expected {expected:?}",
                text(&case, "name")
            ));
        }
    }
    println!("openfga-language {file}: {passed} of {total}, {skipped} skipped by the suite");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_that_means_nothing_is_refused_as_openfga_refuses_it() {
    let file = "json-validation-cases";
    let mut passed = 0;
    for case in cases(&format!("{file}.yaml")) {
        let expected: Vec<&str> = case["expected_errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| text(&error["metadata"], "errorType"))
            .collect();
        let errors = match parse_json(text(&case, "json")) {
            Ok(model) => validate(&model),
            Err(errors) => errors,
        };
        let found: Vec<&str> = errors.iter().map(|error| error.class.as_str()).collect();
        assert_eq!(found, expected, "{}: {errors:?}", text(&case, "name"));
        passed += 1;
    }
    println!("openfga-language {file}: {passed} of {passed}");
}

#[test]
fn json_that_the_dsl_cannot_say_is_refused() {
    let file = "json-syntax-transformer-validation-cases";
    let mut passed = 0;
    for case in cases(&format!("{file}.yaml")) {
        let model = parse_json(text(&case, "json")).unwrap();
        let written = model.to_dsl(DslOptions::default());
        let valid = case["valid"] != Value::Bool(false);
        assert_eq!(
            written.is_ok(),
            valid,
            "{}: {written:?}",
            text(&case, "name")
        );
        if let Ok(written) = written {
            let again = parse_dsl(&written).unwrap_or_else(|errors| panic!("{errors:?}"));
            assert_eq!(again.to_dsl(DslOptions::default()).unwrap(), written);
        }
        passed += 1;
    }
    println!("openfga-language {file}: {passed} of {passed}");
}
