//! The workloads of SpiceDB's own benchmarks, imported as they are, and a drive of growing size.
//!
//! `cargo bench -p policy --bench workloads` prints one line a question: the median of each, the
//! figure that SpiceDB v1.56 reaches in process on this kind of machine (best of its planners), the
//! aim, and how many times faster than SpiceDB it is. The files are read from the published suites
//! beside the checkout; without them nothing is measured.
#![allow(missing_docs, reason = "a benchmark")]

use std::{hint::black_box, path::PathBuf, time::Instant};

use policy::{
    check,
    spicedb::{self, ImportOptions, ValidationFile, Verdict},
    Circumstances, Context, History, Limits, Policy, Question, Relationship, Time,
};

/// Workload, SpiceDB's microseconds, our aim.
const AIMS: &[(&str, f64, f64)] = &[
    ("DeepArrow", 165.0, 8.0),
    ("WideArrow", 108.0, 4.0),
    ("DoubleWideArrow", 285.0, 10.0),
    ("ShareWith", 28.0, 2.0),
    ("LookupIntersection", 27.0, 2.0),
    ("LookupSameTypes", 0.0, 0.0),
    ("CheckWideDirect", 0.0, 0.0),
    ("CheckWideGroups", 0.0, 0.0),
    ("WideGroups", 0.0, 0.0),
];

fn suites() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/suites");
    std::env::var_os("HOLDFAST_SUITES").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

fn question(of: &spicedb::Relationship) -> Question {
    let text = of.to_native(None).expect("a question");
    let relationship: Relationship = text.parse().expect("a question");
    Question {
        object: relationship.object,
        permission: relationship.relation.to_string(),
        subject: relationship.subject,
    }
}

/// Median of the nanoseconds that one call takes.
fn median(mut call: impl FnMut()) -> f64 {
    for _ in 0..200 {
        call();
    }
    let mut all: Vec<f64> = (0..101)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..50 {
                call();
            }
            began.elapsed().as_nanos() as f64 / 50.0
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() {
    let circumstances = Circumstances {
        time: Time::new(1_795_000_000, 0).expect("a time"),
        context: Context::default(),
    };
    println!("workload             question              ours µs   SpiceDB µs   aim µs   × faster");
    for (name, theirs, aim) in AIMS {
        let path = suites().join(format!("workloads/spicedb-bench/{name}.yaml"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: workloads/spicedb-bench/{name}.yaml is absent");
            continue;
        };
        let file = ValidationFile::parse(&text).expect("a validation file");
        let schema = file.schema.as_ref().expect("a schema");
        let outline = spicedb::import(&schema.text, &ImportOptions::default()).expect("a policy");
        let policy = Policy::parse(&outline.to_yaml()).expect("a policy");
        let facts: Vec<Relationship> = file
            .relationships
            .iter()
            .map(|fact| {
                fact.to_native(None)
                    .expect("a fact")
                    .parse()
                    .expect("a fact")
            })
            .collect();
        let history = History::of(policy, &facts).expect("there is room");
        let view = history.at(0).expect("revision 0");
        for assertion in &file.assertions {
            let asked = question(&assertion.question);
            let limits = Limits::CONSENSUS;
            let answer = check(&view, &asked, &circumstances, limits).expect("an answer");
            let expected = assertion.verdict == Verdict::True;
            assert_eq!(answer.is_allow(), expected, "{name}: {asked}");
            let nanos = median(|| {
                let answer = check(&view, black_box(&asked), &circumstances, limits);
                black_box(answer.expect("an answer"));
            });
            let micros = nanos / 1000.0;
            let kind = if expected {
                "check, allow"
            } else {
                "check, deny"
            };
            println!(
                "{name:<20} {kind:<20} {micros:>8.2} {theirs:>12.0} {aim:>8.0} {:>10.0}   ({} steps)",
                theirs / micros,
                answer.steps,
            );
        }
    }
}
