//! What one evaluation of a condition costs, from `x < 100` to a list of a hundred; beside it the
//! same with the `cel` crate, the oracle of the tests.
//!
//! `cargo bench -p policy --bench condition` prints the median of each.
#![allow(missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use policy::{Condition, Context, Position, Time};

const ADDRESSES: &str = r#"["10.0.0.1","10.0.0.2","192.168.1.1"]"#;

/// Name, parameters, expression, context (where it is short).
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const CASES: [Case; 8] = [
    ("int", &[("x", "int")], "x < 100", r#"{"x":5}"#),
    (
        "or",
        &[("x", "int"), ("y", "int")],
        "x < 100 || y < 50",
        r#"{"x":500,"y":5}"#,
    ),
    ("missing", &[("x", "int")], "x < 100", "{}"),
    (
        "text",
        &[("day", "string")],
        "day == 'tuesday'",
        r#"{"day":"tuesday"}"#,
    ),
    (
        "clock",
        &[("now", "clock"), ("to", "timestamp")],
        "now < to",
        r#"{"to":"2027-01-01T00:00:00Z"}"#,
    ),
    (
        "cidr",
        &[("user_ip", "ipaddress"), ("cidr", "string")],
        "user_ip.in_cidr(cidr)",
        r#"{"user_ip":"192.168.0.1","cidr":"192.168.0.0/24"}"#,
    ),
    (
        "addresses",
        &[("user_ip", "ipaddress"), ("all", "list<ipaddress>")],
        "user_ip in all",
        "",
    ),
    ("hundred", &[("l", "list<int>")], "l.all(i, i >= 0)", ""),
];

fn main() {
    divan::main();
}

fn context(name: &str, given: &str) -> Context {
    let text = match name {
        "addresses" => format!(r#"{{"user_ip":"192.168.1.1","all":{ADDRESSES}}}"#),
        "hundred" => {
            let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
            format!(r#"{{"l":[{}]}}"#, numbers.join(","))
        }
        _ => given.to_owned(),
    };
    Context::from_json(&text).expect("it is JSON")
}

fn compiled(name: &str) -> (Condition, Context) {
    let found = CASES.iter().find(|(case, ..)| *case == name);
    let (name, parameters, expression, given) = found.expect("the case is known");
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, of)| ((*name).to_owned(), of.parse().expect("a type")))
        .collect();
    let start = Position { line: 1, column: 1 };
    let condition = Condition::compile(&parameters, expression, start).expect("it compiles");
    (condition, context(name, given))
}

#[divan::bench(args = ["int", "or", "missing", "text", "clock", "cidr", "addresses", "hundred"])]
fn evaluate(bencher: divan::Bencher, name: &str) {
    let (condition, asked) = compiled(name);
    let (recorded, now) = (Context::new(), Time::MIN);
    bencher.bench_local(|| condition.evaluate(black_box(&recorded), black_box(&asked), now));
}

#[divan::bench(args = ["int", "or", "text", "hundred"])]
fn oracle(bencher: divan::Bencher, name: &str) {
    let (condition, asked) = compiled(name);
    let program = cel::Program::compile(condition.expression()).expect("it compiles");
    let mut context = cel::Context::default();
    for (name, value) in asked.iter() {
        let literal = cel::Program::compile(&literal(value)).expect("a literal");
        let value = literal.execute(&cel::Context::default()).expect("a value");
        context.add_variable_from_value(name, value);
    }
    bencher.bench_local(|| program.execute(black_box(&context)));
}

#[divan::bench]
fn compile(bencher: divan::Bencher) {
    let (condition, _) = compiled("or");
    let start = Position { line: 1, column: 1 };
    bencher.bench_local(|| {
        Condition::compile(
            black_box(condition.parameters()),
            black_box(condition.expression()),
            start,
        )
    });
}

/// A value of JSON is a literal of CEL.
fn literal(value: &policy::Value) -> String {
    let wrapped = Context::from_values([("v".to_owned(), value.clone())]).expect("it is small");
    let text = wrapped.to_json();
    text["{\"v\":".len()..text.len() - 1].to_owned()
}
