//! Random conditions, well typed, over random contexts: against another implementation of CEL, and
//! against what must hold of every evaluation.
//!
//! Where the `cel` crate and docs/spec/condition.md differ, the generator keeps away:
//! - a map's keys come in the order of a hash map there, so what `filter` and `map` make of a map is
//!   only counted;
//! - an int or uint is compared with a double after a rounding conversion there, so doubles are
//!   small enough to be exact;
//! - chrono's ranges are wider than protobuf's, so times and durations stay away from both ends;
//! - bytes have no order there, and there is no address type.

use std::collections::BTreeMap;

use policy::{Condition, Context, EvaluationFailure, Outcome, ParameterType, Position, Time};

use crate::{random, random::Random};

const START: Position = Position { line: 1, column: 1 };

/// Types that expressions are generated of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Time,
    Span,
    Ints,
    Texts,
    Map,
    Any,
}

const PARAMETERS: [(&str, &str, Kind); 17] = [
    ("b", "bool", Kind::Bool),
    ("c", "bool", Kind::Bool),
    ("i", "int", Kind::Int),
    ("j", "int", Kind::Int),
    ("u", "uint", Kind::Uint),
    ("d", "double", Kind::Double),
    ("s", "string", Kind::Text),
    ("t", "string", Kind::Text),
    ("y", "bytes", Kind::Bytes),
    ("at", "timestamp", Kind::Time),
    ("to", "timestamp", Kind::Time),
    ("span", "duration", Kind::Span),
    ("is", "list<int>", Kind::Ints),
    ("ss", "list<string>", Kind::Texts),
    ("m", "map<int>", Kind::Map),
    ("a", "any", Kind::Any),
    ("z", "any", Kind::Any),
];

fn parameters() -> Vec<(String, ParameterType)> {
    PARAMETERS
        .iter()
        .map(|(name, of, _)| (*name, *of))
        .chain([("now", "clock")])
        .map(|(name, of)| (name.to_owned(), of.parse().unwrap()))
        .collect()
}

const TIMES: [&str; 6] = [
    "2023-10-11T10:00:00Z",
    "2024-02-29T23:59:59.999Z",
    "1969-12-31T23:00:00.5Z",
    "2025-01-01T00:00:00Z",
    "2025-06-01T12:34:56Z",
    "2026-01-01T00:00:00Z",
];

struct Generator {
    random: Random,
    /// Variables in scope.
    variables: Vec<(String, Kind)>,
}

impl Generator {
    fn pick(&mut self, texts: &[&str]) -> String {
        self.random.pick::<&str>(texts).to_string()
    }

    /// A value as JSON for us, and as a CEL literal.
    fn value(&mut self, of: Kind) -> (String, String) {
        let same = |text: String| (text.clone(), text);
        match of {
            Kind::Bool => same(self.pick(&["true", "false"])),
            Kind::Int => same(self.pick(&[
                "0",
                "1",
                "-1",
                "2",
                "3",
                "7",
                "100",
                "9223372036854775807",
                "-9223372036854775808",
            ])),
            Kind::Uint => {
                let value = self.pick(&["0", "1", "2", "3", "18446744073709551615"]);
                (value.clone(), value + "u")
            }
            Kind::Double => same(self.pick(&["0.0", "1.0", "-1.5", "0.5", "2.0", "3.25", "1e10"])),
            Kind::Text => same(self.pick(&[
                r#""""#, r#""a""#, r#""ab""#, r#""ba""#, r#""é""#, r#""1""#, r#""-7""#,
            ])),
            Kind::Bytes => match self.random.below(3) {
                0 => (r#""""#.into(), r#"b"""#.into()),
                1 => (r#""YQ==""#.into(), r#"b"a""#.into()),
                _ => (r#""/wA=""#.into(), r#"b"\xff\x00""#.into()),
            },
            Kind::Time => {
                let time = self.pick(&TIMES);
                (format!("{time:?}"), format!("timestamp({time:?})"))
            }
            Kind::Span => {
                let span = self.pick(&["0s", "1h", "-90m", "1.5s", "24h", "1ms"]);
                (format!("{span:?}"), format!("duration({span:?})"))
            }
            Kind::Ints => {
                let values = self.values(Kind::Int);
                same(format!("[{}]", values.join(",")))
            }
            Kind::Texts => {
                let values = self.values(Kind::Text);
                same(format!("[{}]", values.join(",")))
            }
            Kind::Map => {
                let values = self.values(Kind::Int);
                let fields: BTreeMap<_, _> = ["a", "b", "k"].into_iter().zip(values).collect();
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(key, value)| format!("{key:?}:{value}"))
                    .collect();
                same(format!("{{{}}}", fields.join(",")))
            }
            Kind::Any => {
                let of = *self.random.pick(&[
                    Kind::Bool,
                    Kind::Int,
                    Kind::Double,
                    Kind::Text,
                    Kind::Ints,
                    Kind::Map,
                ]);
                self.value(of)
            }
        }
    }

    fn values(&mut self, of: Kind) -> Vec<String> {
        (0..self.random.below(4))
            .map(|_| self.value(of).1)
            .collect()
    }

    /// A parameter, a variable or a literal.
    fn leaf(&mut self, of: Kind) -> String {
        let mut names: Vec<String> = PARAMETERS
            .iter()
            .filter(|(_, _, kind)| *kind == of)
            .map(|(name, _, _)| (*name).to_owned())
            .collect();
        let variables = self.variables.iter().filter(|(_, kind)| *kind == of);
        let variables: Vec<_> = variables.map(|(name, _)| name.clone()).collect();
        names.extend(variables.iter().cloned());
        names.extend(variables);
        if of != Kind::Any && self.random.chance(35) {
            self.value(of).1
        } else {
            self.random.pick(&names).clone()
        }
    }

    fn expression(&mut self, of: Kind, depth: usize) -> String {
        if depth == 0 || self.random.chance(15) {
            return self.leaf(of);
        }
        let depth = depth - 1;
        if self.random.chance(6) && of != Kind::Any {
            let condition = self.expression(Kind::Bool, depth);
            let (then, otherwise) = (self.expression(of, depth), self.expression(of, depth));
            return format!("({condition} ? {then} : {otherwise})");
        }
        match of {
            Kind::Bool => self.truth(depth),
            Kind::Int => match self.random.below(12) {
                0..4 => {
                    let sign = self.pick(&["+", "-", "*", "/", "%"]);
                    self.infix(Kind::Int, &sign, depth)
                }
                4 => format!("-({})", self.expression(Kind::Int, depth)),
                5 => {
                    let of = *self.random.pick(&[
                        Kind::Text,
                        Kind::Bytes,
                        Kind::Ints,
                        Kind::Texts,
                        Kind::Map,
                    ]);
                    format!("size({})", self.expression(of, depth))
                }
                6 => {
                    let of = *self
                        .random
                        .pick(&[Kind::Int, Kind::Uint, Kind::Double, Kind::Text]);
                    format!("int({})", self.expression(of, depth))
                }
                7 => format!(
                    "{}[{}]",
                    self.expression(Kind::Ints, depth),
                    self.expression(Kind::Int, depth)
                ),
                8 => format!(
                    "{}[{}]",
                    self.expression(Kind::Map, depth),
                    self.expression(Kind::Text, depth)
                ),
                9 => format!(
                    "{}.{}",
                    self.expression(Kind::Map, depth),
                    self.pick(&["a", "k", "x"])
                ),
                10 => {
                    let part = self.pick(&[
                        "FullYear",
                        "Month",
                        "Date",
                        "DayOfMonth",
                        "DayOfWeek",
                        "DayOfYear",
                        "Hours",
                        "Minutes",
                        "Seconds",
                        "Milliseconds",
                    ]);
                    let zone = self.pick(&["", "", "\"+05:30\"", "\"-08:00\""]);
                    format!("{}.get{part}({zone})", self.expression(Kind::Time, depth))
                }
                _ => {
                    let part = self.pick(&["Hours", "Minutes", "Seconds"]);
                    format!("{}.get{part}()", self.expression(Kind::Span, depth))
                }
            },
            Kind::Uint => match self.random.below(3) {
                0 => format!("uint({})", self.expression(Kind::Int, depth)),
                _ => {
                    let sign = self.pick(&["+", "-", "*", "/", "%"]);
                    self.infix(Kind::Uint, &sign, depth)
                }
            },
            Kind::Double | Kind::Any => self.leaf(of),
            Kind::Text => match self.random.below(4) {
                0 => {
                    let of = *self.random.pick(&[Kind::Int, Kind::Uint, Kind::Text]);
                    format!("string({})", self.expression(of, depth))
                }
                1 => format!(
                    "{}[{}]",
                    self.expression(Kind::Texts, depth),
                    self.expression(Kind::Int, depth)
                ),
                _ => self.infix(Kind::Text, "+", depth),
            },
            Kind::Bytes => self.infix(Kind::Bytes, "+", depth),
            Kind::Time => match self.random.below(3) {
                0 => {
                    let sign = self.pick(&["+", "-"]);
                    let (time, span) = (
                        self.expression(Kind::Time, depth),
                        self.expression(Kind::Span, depth),
                    );
                    format!("({time} {sign} {span})")
                }
                1 => format!("timestamp({})", self.expression(Kind::Time, depth)),
                _ => self.leaf(Kind::Time),
            },
            Kind::Span => match self.random.below(3) {
                0 => {
                    let sign = self.pick(&["+", "-"]);
                    self.infix(Kind::Span, &sign, depth)
                }
                1 => self.infix(Kind::Time, "-", depth),
                _ => self.leaf(Kind::Span),
            },
            Kind::Ints | Kind::Texts => {
                let entry = if of == Kind::Ints {
                    Kind::Int
                } else {
                    Kind::Text
                };
                match self.random.below(4) {
                    0 => self.infix(of, "+", depth),
                    1 => format!(
                        "[{}, {}]",
                        self.expression(entry, depth),
                        self.expression(entry, depth)
                    ),
                    2 => self.comprehension("filter", of, entry, Kind::Bool, depth),
                    _ if self.random.chance(50) => {
                        self.comprehension("map", of, entry, entry, depth)
                    }
                    _ => {
                        let from = *self.random.pick(&[Kind::Ints, Kind::Texts]);
                        let from_entry = if from == Kind::Ints {
                            Kind::Int
                        } else {
                            Kind::Text
                        };
                        self.comprehension("map", from, from_entry, entry, depth)
                    }
                }
            }
            Kind::Map => {
                let values = (
                    self.expression(Kind::Int, depth),
                    self.expression(Kind::Int, depth),
                );
                format!(
                    "{{\"a\": {}, {}: {}}}",
                    values.0,
                    self.expression(Kind::Text, depth),
                    values.1
                )
            }
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        match self.random.below(20) {
            0..3 => self.infix(Kind::Bool, "&&", depth),
            3..6 => self.infix(Kind::Bool, "||", depth),
            6 => format!("!({})", self.expression(Kind::Bool, depth)),
            7..11 => {
                let numbers = [Kind::Int, Kind::Uint, Kind::Double];
                let of = (*self.random.pick(&numbers), *self.random.pick(&numbers));
                let sign = self.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!(
                    "({} {sign} {})",
                    self.expression(of.0, depth),
                    self.expression(of.1, depth)
                )
            }
            11 | 12 => {
                let of = *self
                    .random
                    .pick(&[Kind::Text, Kind::Time, Kind::Span, Kind::Bool]);
                let sign = self.pick(&["<", "<=", ">", ">=", "==", "!="]);
                self.infix(of, &sign, depth)
            }
            13 => {
                let of = *self.random.pick(&[
                    Kind::Bytes,
                    Kind::Ints,
                    Kind::Texts,
                    Kind::Map,
                    Kind::Any,
                ]);
                let sign = self.pick(&["==", "!="]);
                self.infix(of, &sign, depth)
            }
            14 => match self.random.below(3) {
                0 => format!(
                    "({} in {})",
                    self.expression(Kind::Int, depth),
                    self.expression(Kind::Ints, depth)
                ),
                1 => format!(
                    "({} in {})",
                    self.expression(Kind::Text, depth),
                    self.expression(Kind::Texts, depth)
                ),
                _ => format!(
                    "({} in {})",
                    self.expression(Kind::Text, depth),
                    self.expression(Kind::Map, depth)
                ),
            },
            15 => {
                let function = self.pick(&["startsWith", "endsWith", "contains"]);
                format!(
                    "{}.{function}({})",
                    self.expression(Kind::Text, depth),
                    self.expression(Kind::Text, depth)
                )
            }
            16 | 17 => {
                let kind = self.pick(&["all", "exists", "exists_one"]);
                let (range, entry) = *self.random.pick(&[
                    (Kind::Ints, Kind::Int),
                    (Kind::Texts, Kind::Text),
                    (Kind::Map, Kind::Text),
                ]);
                self.comprehension(&kind, range, entry, Kind::Bool, depth)
            }
            18 => match self.random.below(5) {
                0 => format!(
                    "has({}.{})",
                    self.expression(Kind::Map, depth),
                    self.pick(&["a", "k"])
                ),
                1 => format!("has(a.{})", self.pick(&["a", "k"])),
                2 => format!(
                    "(size({}) == 1)",
                    self.comprehension("filter", Kind::Map, Kind::Text, Kind::Bool, depth)
                ),
                3 => format!(
                    "(a.{} == {})",
                    self.pick(&["a", "k"]),
                    self.expression(Kind::Int, depth)
                ),
                _ => format!(
                    "(a {} {})",
                    self.pick(&["<", "==", ">"]),
                    self.expression(Kind::Int, depth)
                ),
            },
            _ => {
                let sign = self.pick(&["<", "<=", ">", ">="]);
                if self.random.chance(50) {
                    format!("(now {sign} {})", self.expression(Kind::Time, 1))
                } else {
                    format!("({} {sign} now)", self.expression(Kind::Time, 1))
                }
            }
        }
    }

    fn infix(&mut self, of: Kind, sign: &str, depth: usize) -> String {
        let (left, right) = (self.expression(of, depth), self.expression(of, depth));
        format!("({left} {sign} {right})")
    }

    fn comprehension(
        &mut self,
        kind: &str,
        range: Kind,
        entry: Kind,
        body: Kind,
        depth: usize,
    ) -> String {
        let range = self.expression(range, depth);
        let name = format!("v{}", self.variables.len());
        self.variables.push((name.clone(), entry));
        let body = self.expression(body, depth);
        let filtered = if kind == "map" && self.random.chance(30) {
            format!("{}, ", self.expression(Kind::Bool, depth))
        } else {
            String::new()
        };
        self.variables.pop();
        format!("{range}.{kind}({name}, {filtered}{body})")
    }

    /// Values for all parameters: JSON by name, and CEL literals by name.
    fn world(&mut self) -> BTreeMap<&'static str, (String, String)> {
        PARAMETERS
            .iter()
            .map(|(name, _, of)| (*name, self.value(*of)))
            .collect()
    }

    /// A condition that compiles.
    fn condition(&mut self) -> Condition {
        loop {
            let depth = 1 + self.random.below(5);
            let text = self.expression(Kind::Bool, depth);
            match Condition::compile(&parameters(), &text, START) {
                Ok(condition) => return condition,
                // Too long, too deep, or a clock within what a clock is compared with.
                Err(error) => assert!(
                    ["at most", "deeper", "itself"]
                        .iter()
                        .any(|known| error.message.contains(known)),
                    "{text}: {error}"
                ),
            }
        }
    }
}

fn context<'a>(
    values: impl IntoIterator<Item = (&'a &'static str, &'a (String, String))>,
) -> Context {
    let fields: Vec<_> = values
        .into_iter()
        .map(|(name, (json, _))| format!("{name:?}:{json}"))
        .collect();
    let text = format!("{{{}}}", fields.join(","));
    Context::from_json(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn out_of_cost(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(error) if error.failure == EvaluationFailure::Cost)
}

/// Each literal's value, from the oracle itself.
struct Oracle(BTreeMap<String, cel::Value>);

impl Oracle {
    fn literal(&mut self, text: &str) -> cel::Value {
        let value = self.0.entry(text.to_owned()).or_insert_with(|| {
            cel::Program::compile(text)
                .unwrap()
                .execute(&cel::Context::default())
                .unwrap()
        });
        value.clone()
    }

    fn evaluate(
        &mut self,
        program: &cel::Program,
        world: &BTreeMap<&'static str, (String, String)>,
        now: &str,
    ) -> Result<bool, String> {
        let mut context = cel::Context::default();
        for (name, (_, literal)) in world {
            context.add_variable_from_value(*name, self.literal(literal));
        }
        context.add_variable_from_value("now", self.literal(&format!("timestamp({now:?})")));
        match program.execute(&context) {
            Ok(cel::Value::Bool(value)) => Ok(value),
            other => Err(format!("{other:?}")),
        }
    }
}

#[test]
fn another_implementation_of_cel_agrees() {
    let seed = random::seed();
    let mut oracle = Oracle(BTreeMap::new());
    let (mut counts, mut wrong) = ([0; 3], vec![]);
    for round in 0..random::rounds(3_000) {
        let random = Random::new(seed.wrapping_add(round));
        let mut generator = Generator {
            random,
            variables: vec![],
        };
        let condition = generator.condition();
        let program = cel::Program::compile(condition.expression()).unwrap();
        for _ in 0..4 {
            let world = generator.world();
            let now = generator.pick(&TIMES);
            let time: Time = now.parse().unwrap();
            let ours = condition
                .evaluate(&Context::new(), &context(&world), time)
                .outcome;
            if out_of_cost(&ours) {
                continue;
            }
            let theirs = oracle.evaluate(&program, &world, &now);
            let agree = match (&ours, &theirs) {
                (Outcome::True, Ok(true)) => {
                    counts[0] += 1;
                    true
                }
                (Outcome::False, Ok(false)) => {
                    counts[1] += 1;
                    true
                }
                (Outcome::Failed(_), Err(_)) => {
                    counts[2] += 1;
                    true
                }
                _ => false,
            };
            if !agree {
                wrong.push(format!(
                    "HOLDFAST_SEED={}: {}\n  {}\n  ours {ours}\n  theirs {theirs:?}",
                    seed.wrapping_add(round),
                    condition.expression(),
                    context(&world),
                ));
            }
        }
    }
    println!(
        "{} true, {} false, {} failed alike",
        counts[0], counts[1], counts[2]
    );
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

#[test]
fn what_is_known_stands_whatever_is_missing() {
    let seed = random::seed();
    let mut counts = [0; 2];
    for round in 0..random::rounds(6_000) {
        let seed = seed.wrapping_add(round);
        let mut generator = Generator {
            random: Random::new(seed),
            variables: vec![],
        };
        let condition = generator.condition();
        let world = generator.world();
        let time: Time = generator.pick(&TIMES).parse().unwrap();
        let whole = condition
            .evaluate(&Context::new(), &context(&world), time)
            .outcome;
        let kept: BTreeMap<_, _> = world
            .iter()
            .filter(|_| generator.random.chance(60))
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        // What one context gives, both together give.
        let (recorded, asked): (Vec<_>, Vec<_>) =
            kept.iter().partition(|_| generator.random.chance(50));
        let partial = condition
            .evaluate(&context(recorded), &context(asked), time)
            .outcome;
        let place = || {
            format!(
                "HOLDFAST_SEED={seed}: {}\n{}\nof {}",
                condition.expression(),
                context(&kept),
                context(&world)
            )
        };
        if out_of_cost(&whole) || out_of_cost(&partial) {
            continue;
        }
        let Outcome::Missing(names) = partial else {
            counts[0] += 1;
            match (&partial, &whole) {
                // Which of two failures comes first may hang on what is known.
                (Outcome::Failed(_), Outcome::Failed(_)) => {}
                _ => assert_eq!(partial, whole, "{}", place()),
            }
            continue;
        };
        counts[1] += 1;
        assert!(!names.is_empty() && names.is_sorted(), "{names:?}");
        assert!(
            names.iter().all(|name| !kept.contains_key(name.as_str())),
            "{names:?} {}",
            place()
        );
        // All that it hangs on was named.
        let more = world
            .iter()
            .filter(|(name, _)| names.iter().any(|missing| missing == *name));
        let named: BTreeMap<_, _> = kept
            .iter()
            .chain(more)
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        let filled = condition
            .evaluate(&Context::new(), &context(&named), time)
            .outcome;
        assert!(
            !matches!(filled, Outcome::Missing(_)),
            "{names:?}, then {filled}: {}",
            place()
        );
    }
    println!("{} known, {} missing", counts[0], counts[1]);
}

#[test]
fn an_outcome_stands_until_it_says() {
    let seed = random::seed();
    let mut counts = [0; 2];
    for round in 0..random::rounds(6_000) {
        let seed = seed.wrapping_add(round);
        let mut generator = Generator {
            random: Random::new(seed),
            variables: vec![],
        };
        let condition = loop {
            let condition = generator.condition();
            if condition.uses_clock() {
                break condition;
            }
        };
        let world = generator.world();
        let asked = context(world.iter().filter(|_| generator.random.chance(90)));
        let at = |time: Time| condition.evaluate(&Context::new(), &asked, time);
        let time: Time = generator.pick(&TIMES).parse().unwrap();
        let evaluation = at(time);
        let end = evaluation.stands_until.unwrap_or(Time::MAX);
        assert!(end > time);
        counts[usize::from(evaluation.stands_until.is_some())] += 1;
        let just_before = if end.nanos() > 0 {
            Time::new(end.seconds(), end.nanos() - 1).unwrap()
        } else {
            Time::new(end.seconds() - 1, 999_999_999).unwrap()
        };
        let span = (just_before.seconds() - time.seconds()).unsigned_abs();
        let between = time.seconds() + (generator.random.next() % (span + 1)) as i64;
        let between = Time::new(between, 0).unwrap().clamp(time, just_before);
        for later in [between, just_before] {
            let later_evaluation = at(later);
            assert_eq!(
                later_evaluation,
                evaluation,
                "HOLDFAST_SEED={seed}: {} {asked} {time} {later}",
                condition.expression()
            );
        }
    }
    println!("{} stand for ever, {} for a while", counts[0], counts[1]);
}
