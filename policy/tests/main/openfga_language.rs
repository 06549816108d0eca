//! The suites of openfga/language: what its transformers and validators say, ours says too.

use policy::openfga::{
    combine, parse_dsl, parse_json, parse_model, parse_module_list, validate, yaml_to_json, Class,
    DslOptions, Error, ModuleFile, Word,
};
use serde_json::Value;

use crate::suite;

/// The cases of a file of the suite.
pub fn cases(file: &str) -> Vec<Value> {
    let Some(text) = suite::read(&format!("openfga-language/{file}")) else {
        return Vec::new();
    };
    let cases = yaml_to_json(&text).unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
    cases.as_array().unwrap().clone()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
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
        assert_eq!(parse_model(&dsl).unwrap(), model, "{case}");
        assert_eq!(parse_model(&json), parse_json(&json), "{case}");
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

/// The names and texts of a case's modules.
fn modules(case: &str) -> Vec<(String, String)> {
    let folder = format!("openfga-language/transformer-module/{case}/module");
    let names = suite::names(&folder).into_iter();
    names
        .map(|name| {
            let text = suite::read(&format!("{folder}/{name}")).unwrap();
            (name, text)
        })
        .collect()
}

#[test]
fn modules_are_put_together() {
    let mut passed = 0;
    for case in suite::names("openfga-language/transformer-module") {
        let folder = format!("openfga-language/transformer-module/{case}");
        let there = suite::names(&folder);
        let read = |name: &str| {
            let known = there.iter().any(|it| it == name);
            known.then(|| suite::read(&format!("{folder}/{name}")).unwrap())
        };
        let modules = modules(&case);
        let files: Vec<ModuleFile<'_>> = modules
            .iter()
            .map(|(name, text)| ModuleFile { name, text })
            .collect();
        let combined = combine(&files, "1.2");
        if let Some(errors) = read("expected_errors.json") {
            let mut expected: Vec<(String, Place, String)> = serde_json::from_str::<Value>(&errors)
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(|error| {
                    let class = error["metadata"]["errorType"].as_str();
                    let class = class.or(error["type"].as_str()).unwrap_or("modules");
                    (
                        text(error, "file").into(),
                        Place::expected(error),
                        class.into(),
                    )
                })
                .collect();
            let mut found: Vec<(String, Place, String)> = combined
                .unwrap_err()
                .iter()
                .map(|error| {
                    let file = error.file.clone().unwrap();
                    (file, Place::found(error), error.class.as_str().into())
                })
                .collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{case}");
        }
        if let Some(json) = read("authorization-model.json") {
            let expected: Value = serde_json::from_str(&json).unwrap();
            if !files.is_empty() {
                let combined = combine(&files, "1.2").unwrap_or_else(|e| panic!("{case}: {e:?}"));
                assert_eq!(combined.to_json(), expected, "{case}");
            }
            let model = parse_json(&json).unwrap();
            for (with_sources, name) in [(false, "combined.fga"), (true, "combined-sourceinfo.fga")]
            {
                if let Some(dsl) = read(name) {
                    assert_eq!(
                        model.to_dsl(DslOptions { with_sources }).unwrap(),
                        dsl,
                        "{case}"
                    );
                }
            }
            let names: Vec<String> =
                serde_json::from_str(&read("expected_modules.json").unwrap()).unwrap();
            assert_eq!(model.modules(), names, "{case}");
        }
        passed += 1;
    }
    println!("openfga-language transformer-module: {passed} of {passed}");
}

#[test]
fn lists_of_modules_are_read() {
    let file = "fga-mod-transformer-cases";
    let mut passed = 0;
    for case in cases(&format!("{file}.yaml")) {
        let name = text(&case, "name");
        match parse_module_list(text(&case, "modFile")) {
            Ok(list) => {
                let expected: Value = serde_json::from_str(text(&case, "json")).unwrap();
                let check = |word: &Word, expected: &Value| {
                    assert_eq!(word.text, text(expected, "value"), "{name}");
                    let error = Error {
                        file: None,
                        span: word.span,
                        class: Class::Form,
                        message: String::new(),
                    };
                    assert_eq!(Place::found(&error), Place::expected(expected), "{name}");
                };
                check(&list.schema, &expected["schema"]);
                let contents = expected["contents"]["value"].as_array().unwrap();
                assert_eq!(list.files.len(), contents.len(), "{name}");
                for (file, expected) in list.files.iter().zip(contents) {
                    check(file, expected);
                }
            }
            Err(errors) => {
                let expected = case["expected_errors"].as_array();
                let expected: Vec<Place> = expected
                    .into_iter()
                    .flatten()
                    .map(Place::expected)
                    .collect();
                let found: Vec<Place> = errors.iter().map(Place::found).collect();
                assert_eq!(found, expected, "{name}: {errors:?}");
            }
        }
        passed += 1;
    }
    println!("openfga-language {file}: {passed} of {passed}");
}
