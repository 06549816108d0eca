//! The workloads of SpiceDB's and OpenFGA's own benchmarks, imported as they are.
//!
//! `cargo bench -p policy --bench workloads` prints a line a question: the median, the aim, what
//! SpiceDB v1.56 reaches in process on this kind of machine (best of its planners), the naive oracle
//! of the tests in the same run, and how many times faster than either it is. The files are read from
//! the published suites beside the checkout; one that is absent is named and skipped. A workload's
//! name behind `--` asks for that one only, `--quick` for fewer repetitions.
#![allow(missing_docs, reason = "a benchmark")]
#![allow(clippy::unwrap_used, reason = "it shares files with the tests")]

#[allow(dead_code, reason = "this bench uses a part of it")]
mod common;
#[path = "../tests/main/openfga_cases.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod openfga_cases;
#[path = "../tests/main/oracle.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod oracle;
#[path = "../tests/main/outlined.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod outlined;
#[path = "../tests/main/suite.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod suite;
#[path = "../tests/main/yaml_aliases.rs"]
mod yaml_aliases;

use common::{
    measure::Extent,
    report::{heading, Row},
    world::{Objects, Taken, World},
};
use openfga_cases::{cases_of, tuples};
use policy::{
    openfga,
    spicedb::{self, ExpectedIds, ImportOptions, ValidationFile, Verdict},
    Question, Relationship,
};
use yaml_aliases::without_aliases;

/// Workload, kind of question, SpiceDB's microseconds, our aim.
const QUOTED: [(&str, &str, f64, f64); 7] = [
    ("DeepArrow", "check", 165.0, 8.0),
    ("WideArrow", "check", 108.0, 4.0),
    ("DoubleWideArrow", "check", 285.0, 10.0),
    ("ShareWith", "check", 28.0, 2.0),
    ("LookupIntersection", "check", 27.0, 2.0),
    ("LookupIntersection", "objects", 760.0, 50.0),
    ("LookupIntersection", "subjects", 39.0, 4.0),
];

/// All workloads of SpiceDB; the quoted ones first.
const SPICEDB: [&str; 9] = [
    "DeepArrow",
    "WideArrow",
    "DoubleWideArrow",
    "ShareWith",
    "LookupIntersection",
    "LookupSameTypes",
    "WideGroups",
    "CheckWideDirect",
    "CheckWideGroups",
];

fn main() {
    let extent = Extent::of_this_run();
    heading(extent, "SpiceDB", "theirs µs");
    for name in SPICEDB.iter().filter(|name| extent.wants(name)) {
        of_spicedb(extent, name);
    }
    heading(extent, "OpenFGA", "");
    for file in ["check", "list_objects"] {
        if extent.wants(&format!("openfga {file}")) {
            of_openfga(extent, file);
        }
    }
}

fn print(extent: Extent, workload: &str, kind: &str, detail: &str, taken: Taken) {
    let quoted = QUOTED
        .iter()
        .find(|quoted| (quoted.0, quoted.1) == (workload, kind));
    let row = Row {
        workload: workload.into(),
        question: format!("{kind}{detail}"),
        ours: taken.ours,
        theirs: quoted.map(|quoted| quoted.2),
        aim: quoted.map(|quoted| quoted.3),
        naive: Some(taken.naive),
        steps: taken.steps,
    };
    row.print(extent);
}

fn detail(is_allowed: bool) -> &'static str {
    match is_allowed {
        true => ", allow",
        false => ", deny",
    }
}

fn count(expected: &ExpectedIds) -> usize {
    match expected {
        ExpectedIds::Ids(ids) => ids.len(),
        ExpectedIds::Count(count) => *count,
    }
}

fn question(relationship: Relationship) -> Question {
    Question {
        object: relationship.object,
        permission: relationship.relation.to_string(),
        subject: relationship.subject,
    }
}

fn of_spicedb(extent: Extent, name: &str) {
    let Some(text) = suite::read(&format!("workloads/spicedb-bench/{name}.yaml")) else {
        return;
    };
    let file = ValidationFile::parse(&text).expect("a validation file");
    let schema = file.schema.as_ref().expect("a schema");
    let outline = spicedb::import(&schema.text, &ImportOptions::default()).expect("a policy");
    let native = |relationship: &spicedb::Relationship| -> Relationship {
        let text = relationship.to_native(None).expect("a relationship");
        text.parse().expect("a relationship")
    };
    let facts: Vec<Relationship> = file.relationships.iter().map(native).collect();
    let world = World::new(&outline, &facts);
    for assertion in &file.assertions {
        let is_allowed = assertion.verdict == Verdict::True;
        let asked = question(native(&assertion.question));
        let taken = world.check(extent, &asked, is_allowed);
        print(extent, name, "check", detail(is_allowed), taken);
    }
    for asked in &file.lookups.resources {
        let subject = asked.subject.to_native(None, asked.position);
        let objects = Objects {
            subject: subject.expect("a subject").parse().expect("a subject"),
            permission: &asked.permission,
            resource: &asked.definition,
        };
        let expected = count(&asked.expected);
        let taken = world.objects(extent, &objects, expected);
        print(extent, name, "objects", &format!(", {expected}"), taken);
    }
    for asked in &file.lookups.subjects {
        let object = asked.resource.to_string().parse().expect("an object");
        let expected = count(&asked.expected);
        let (permission, of) = (&asked.permission, &asked.definition);
        let taken = world.subjects(extent, &object, permission, of, expected);
        print(extent, name, "subjects", &format!(", {expected}"), taken);
    }
}

fn of_openfga(extent: Extent, file: &str) {
    let Some(text) = suite::read(&format!("workloads/openfga-bench/{file}.yaml")) else {
        return;
    };
    let root = openfga::yaml_to_json(&without_aliases(&text)).expect("a file of benchmarks");
    let raw = root["tests"].as_array().expect("a list of tests");
    for (case, raw) in cases_of(&root).iter().zip(raw) {
        let stages = raw["stages"].as_array().expect("a list of stages");
        for (stage, raw) in case.stages.iter().zip(stages) {
            let model = openfga::parse_dsl(&stage.model).expect("a model");
            let outline = openfga::import(&model, None).expect("a policy");
            let facts = tuples(&raw["tuples"]);
            let native = |tuple: &openfga::Tuple| -> Relationship {
                let text = tuple.to_native(None).expect("a tuple");
                text.parse().expect("a relationship")
            };
            let facts: Vec<Relationship> = facts.iter().map(native).collect();
            let world = World::new(&outline, &facts);
            let name = case.name.chars().take(20).collect::<String>();
            for asked in stage.checks.iter().filter(|asked| asked.context.is_empty()) {
                let is_allowed = asked.expected == Ok(true);
                let asked = question(native(&asked.question));
                let taken = world.check(extent, &asked, is_allowed);
                print(extent, &name, "check", detail(is_allowed), taken);
            }
            let listed = &raw["x_listObjects"];
            if let Some(expected) = listed["expectCount"].as_u64() {
                let text = |key: &str| listed[key].as_str().expect("a text");
                let subject = openfga::subject_to_native(text("user"), None);
                let objects = Objects {
                    subject: subject.expect("a subject").parse().expect("a subject"),
                    permission: text("relation"),
                    resource: text("type"),
                };
                let taken = world.objects(extent, &objects, expected as usize);
                print(extent, &name, "objects", &format!(", {expected}"), taken);
            }
        }
    }
}
