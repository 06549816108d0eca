//! The workloads of OpenFGA's benchmarks, for their answers.

use policy::openfga::{parse_dsl, yaml_to_json, Asking, ModelWorld};
use policy::Limits;
use serde_json::{Map, Value};

use crate::openfga_cases::{cases_of, tuples};
use crate::spicedb_answers::NOW;
use crate::suite;
use crate::yaml_aliases::without_aliases;

#[test]
fn benchmarks_of_openfga_are_answered_right() {
    let (mut checks, mut lists) = (0, 0);
    for file in ["check", "list_objects"] {
        let Some(text) = suite::read(&format!("workloads/openfga-bench/{file}.yaml")) else {
            return;
        };
        let text = without_aliases(&text);
        let root = yaml_to_json(&text).unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
        let stages = |test: &Value| test["stages"].as_array().unwrap().clone();
        let raw: Vec<Value> = root["tests"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(stages)
            .collect();
        let read = cases_of(&root);
        let read = read
            .iter()
            .flat_map(|case| case.stages.iter().map(|stage| (case.name.as_str(), stage)));
        for ((name, stage), raw) in read.zip(&raw) {
            let world = ModelWorld::new(&parse_dsl(&stage.model).unwrap()).unwrap();
            let world = world.with(&tuples(&raw["tuples"])).unwrap();
            let asking = |context| Asking {
                contextual: &[],
                context,
                time: NOW.parse().unwrap(),
                limits: Limits::CONSENSUS,
            };
            for asked in &stage.checks {
                let tuple = &asked.question;
                let asking = asking(&asked.context);
                let got = world.check(&tuple.user, &tuple.relation, &tuple.object, &asking);
                assert_eq!(got.map_err(|_| 0), asked.expected, "{name}");
                checks += 1;
            }
            let listed = &raw["x_listObjects"];
            if let Some(expected) = listed["expectCount"].as_u64() {
                let text = |key: &str| listed[key].as_str().unwrap();
                let none = Map::new();
                let asking = asking(&none);
                let found =
                    world.list_objects(text("user"), text("relation"), text("type"), &asking);
                assert_eq!(found.unwrap().len() as u64, expected, "{name}");
                lists += 1;
            }
        }
    }
    println!("workloads/openfga-bench: {checks} checks, {lists} lists of objects, as expected");
    assert_eq!((checks, lists), (10, 1));
}
