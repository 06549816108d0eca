//! The models of the OpenFGA suites, for the tests that ask something of all of them.

use policy::openfga::{parse_dsl, parse_json, yaml_to_json, Model};

use crate::suite;

/// All models with names: those of the language's suites, and those of the server's.
pub fn models() -> Vec<(String, Model)> {
    let mut models = Vec::new();
    for case in suite::names("openfga-language/transformer") {
        let folder = format!("openfga-language/transformer/{case}");
        let dsl = suite::read(&format!("{folder}/authorization-model.fga")).unwrap();
        models.push((case, parse_dsl(&dsl).unwrap()));
    }
    for case in suite::names("openfga-language/transformer-module") {
        let folder = format!("openfga-language/transformer-module/{case}");
        let file = "authorization-model.json";
        if suite::names(&folder).iter().any(|name| name == file) {
            let json = suite::read(&format!("{folder}/{file}")).unwrap();
            models.push((case, parse_json(&json).unwrap()));
        }
    }
    for file in ["consolidated_1_1_tests", "abac_tests"] {
        let Some(text) = suite::read(&format!("openfga/{file}.yaml")) else {
            continue;
        };
        let cases = yaml_to_json(&text).unwrap();
        for case in cases["tests"].as_array().unwrap() {
            for stage in case["stages"].as_array().unwrap() {
                let name = format!("{file} {}", case["name"].as_str().unwrap());
                let model = parse_dsl(stage["model"].as_str().unwrap())
                    .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
                models.push((name, model));
            }
        }
    }
    models
}
