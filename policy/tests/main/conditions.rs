//! Conditions: a table of cases, published conditions of other systems, hostile input, and what must
//! hold of every evaluation.

use policy::{
    limits::{CONDITION_BYTES_MAX, CONDITION_COST_MAX, CONDITION_PARAMETERS_MAX},
    Condition, Context, Evaluation, Outcome, ParameterType, Position, Time,
};

use crate::{random, random::Random, suite};

const START: Position = Position { line: 1, column: 1 };

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn parameters(text: &str) -> Vec<(String, ParameterType)> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, of) = part.split_once([':', ' ']).unwrap();
            (name.trim().to_owned(), of.parse().unwrap())
        })
        .collect()
}

fn compile(given: &str, expression: &str) -> Condition {
    Condition::compile(&parameters(given), expression, START)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn context(text: &str) -> Context {
    let text = text.trim();
    Context::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `true until … cost …` with only those terms that `expected` names.
fn shown(evaluation: &Evaluation, expected: &str) -> String {
    let mut shown = match &evaluation.outcome {
        Outcome::Failed(error) => format!("failed {error}"),
        other => other.to_string(),
    };
    if let Some(until) = evaluation.stands_until {
        shown += &format!(" until {until}");
    }
    if expected.contains(" cost ") {
        shown += &format!(" cost {}", evaluation.cost);
    }
    shown
}

#[test]
fn the_table_holds() {
    let now = time("2026-06-15T12:30:45.123456789Z");
    let table = include_str!("conditions.txt");
    let (mut given, mut expression, mut cases) = ("", String::new(), 0);
    let mut wrong = vec![];
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let mut lines = table.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let place = format!("conditions.txt:{}: {expression}: {line}", number + 1);
        if line.starts_with('#') || line.is_empty() {
            continue;
        } else if let Some(rest) = line.strip_prefix("parameters ") {
            given = rest;
        } else if let Some(rest) = line.strip_prefix("expr") {
            expression = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
            // A literal that spans lines goes on until its quotes close.
            while expression.matches("'''").count() % 2 == 1 {
                expression += "\n";
                expression += lines.next().unwrap().1;
            }
        } else if let Some(rest) = line.strip_prefix("refused ") {
            let (column, words) = rest.split_once(' ').unwrap();
            match Condition::compile(&parameters(given), &expression, START) {
                Ok(_) => check(false, format!("{place}: compiles")),
                Err(error) => check(
                    error.message.contains(words) && error.position.column.to_string() == column,
                    format!("{place}: {error}"),
                ),
            }
            cases += 1;
        } else {
            let (contexts, expected) = line.rsplit_once(" => ").expect(&place);
            let (recorded, asked) = contexts.split_once(" | ").unwrap_or(("{}", contexts));
            let condition = match Condition::compile(&parameters(given), &expression, START) {
                Ok(condition) => condition,
                Err(error) => {
                    check(false, format!("{place}: {error}"));
                    continue;
                }
            };
            let evaluation = condition.evaluate(&context(recorded), &context(asked), now);
            let shown = shown(&evaluation, expected);
            let holds = match expected.strip_prefix("failed ") {
                Some(words) => shown.starts_with("failed ") && shown.contains(words),
                None => shown == expected,
            };
            check(holds, format!("{place}: {shown}"));
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{cases} cases of conditions.txt");
    assert!(cases > 250);
}

/// Each `condition NAME(PARAMETERS) {` or `caveat …` of `text`, its body up to a line that starts with `}`.
fn declared(text: &str) -> Vec<(String, String, String)> {
    let mut found = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let Some(rest) = line
            .strip_prefix("condition ")
            .or(line.strip_prefix("caveat "))
        else {
            continue;
        };
        let Some((name, rest)) = rest.split_once('(') else {
            continue;
        };
        let Some((given, _)) = rest.split_once(')') else {
            continue;
        };
        let body = lines
            .by_ref()
            .take_while(|line| !line.trim().starts_with('}'));
        let body: Vec<&str> = body.collect();
        found.push((name.trim().to_owned(), given.to_owned(), body.join("\n")));
    }
    found
}

#[test]
fn every_published_condition_compiles() {
    let mut files: Vec<String> = vec![
        "openfga/abac_tests.yaml".into(),
        "workloads/thumper/caveats.yaml".into(),
        "openfga-language/dsl-semantic-validation-cases.yaml".into(),
    ];
    for folder in [
        "spicedb/testconfigs",
        "openfga-language/transformer",
        "openfga-language/transformer-module",
    ] {
        files.extend(suite::list(folder));
    }
    let (mut compiled, mut refused) = (0, vec![]);
    for file in files {
        let Some(text) = suite::read(&file) else {
            continue;
        };
        for (name, given, body) in declared(&text) {
            let given = given.replace("TYPE_NAME_", "");
            match Condition::compile(&parameters(&given), &body, START) {
                Ok(_) => compiled += 1,
                Err(error) => refused.push(format!("{file}: {name}: {error}")),
            }
        }
    }
    println!("{compiled} published conditions compile; refused: {refused:#?}");
    // What is meant to be refused: regular expressions, and a transformer's case that names a
    // parameter it does not declare.
    for refusal in &refused {
        assert!(
            refusal.contains("matches() is refused")
                || refusal.contains("\"document_attributes\" is no parameter"),
            "{refusal}"
        );
    }
    assert!(compiled == 0 || (compiled > 60 && !refused.is_empty()));
}

#[test]
fn a_relationship_records_only_what_fits() {
    let condition = compile(
        "now: clock, zone: string, limits: list<int>",
        "zone == 'a' && now < timestamp('2027-01-01T00:00:00Z') && limits == [1]",
    );
    assert!(condition.uses_clock());
    assert!(!compile("now: clock, x: int", "x == 1").uses_clock());
    for good in ["{}", r#"{"zone":"a"}"#, r#"{"zone":"a","limits":[1,"2"]}"#] {
        assert_eq!(condition.admits(&context(good)), Ok(()), "{good}");
    }
    for (bad, expected) in [
        (
            r#"{"zon":"a"}"#,
            "the condition has no parameter \"zon\"; did you mean \"zone\"?",
        ),
        (
            r#"{"now":"2026-01-01T00:00:00Z"}"#,
            "the parameter \"now\" is the clock",
        ),
        (
            r#"{"zone":1}"#,
            "the parameter \"zone\" is of type string; 1 was given",
        ),
        (
            r#"{"limits":[1,null]}"#,
            "of type list<int>; null was given at [1]",
        ),
    ] {
        let error = condition.admits(&context(bad)).unwrap_err().to_string();
        assert!(error.contains(expected), "{bad}: {error}");
    }
}

#[test]
fn parameters_are_checked() {
    for (given, expected) in [
        (vec![("a", "int"), ("a", "int")], "twice"),
        (vec![("in", "int")], "no name of a parameter"),
        (vec![("while", "int")], "no name of a parameter"),
        (vec![("a.b", "int")], "no name of a parameter"),
        (vec![("", "int")], "no name of a parameter"),
    ] {
        let given: Vec<_> = given
            .into_iter()
            .map(|(name, of)| (name.to_owned(), of.parse().unwrap()))
            .collect();
        let error = Condition::compile(&given, "true", START).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    }
    let many = |count: usize| -> Vec<_> {
        (0..count)
            .map(|index| (format!("p{index}"), ParameterType::Bool))
            .collect()
    };
    let all = many(CONDITION_PARAMETERS_MAX);
    let names: Vec<_> = all.iter().map(|(name, _)| name.clone()).collect();
    let condition = Condition::compile(&all, &names.join("&&"), START).unwrap();
    let evaluation = condition.evaluate(&Context::new(), &Context::new(), Time::MIN);
    let mut sorted = names;
    sorted.sort();
    assert_eq!(evaluation.outcome, Outcome::Missing(sorted));
    assert!(Condition::compile(&many(CONDITION_PARAMETERS_MAX + 1), "true", START).is_err());
}

#[test]
fn places_are_those_of_the_policy() {
    let start = Position {
        line: 40,
        column: 9,
    };
    let error = Condition::compile(&parameters("x: int"), "x > 1 &&\n  y == 2", start).unwrap_err();
    assert_eq!((error.position.line, error.position.column), (41, 3));
    let condition =
        Condition::compile(&parameters("x: int"), "x > 1 &&\n  1 / x == 2", start).unwrap();
    let condition_failed =
        Condition::compile(&parameters("x: int"), "x < 1 &&\n  1 / x == 2", start).unwrap();
    assert!(
        condition
            .evaluate(&Context::new(), &context(r#"{"x":2}"#), Time::MIN)
            .outcome
            == Outcome::False
    );
    match condition_failed
        .evaluate(&Context::new(), &context(r#"{"x":0}"#), Time::MIN)
        .outcome
    {
        Outcome::Failed(error) => assert_eq!((error.position.line, error.position.column), (41, 5)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_evaluation_ends_at_its_cost() {
    let list: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let asked = context(&format!("{{\"l\":[{}]}}", list.join(",")));
    for expression in [
        "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
        "l.all(a, a in l)",
        "l.map(a, l) == l.map(a, l)",
        "l.map(a, l + l).size() > 1",
        "true || l.all(a, l.all(b, true))",
        "l.all(a, l.all(b, true)) || true",
    ] {
        let condition = compile("l: list<any>", expression);
        let evaluation = condition.evaluate(&Context::new(), &asked, Time::MIN);
        if expression.starts_with("true") {
            assert_eq!(evaluation.outcome, Outcome::True);
            continue;
        }
        let Outcome::Failed(error) = &evaluation.outcome else {
            panic!("{expression}: {evaluation:?}");
        };
        assert!(
            error.to_string().contains("costs more than 10000"),
            "{error}"
        );
        assert_eq!(evaluation.cost, CONDITION_COST_MAX);
    }
}

#[test]
fn hostile_texts_meet_bounds() {
    for text in [
        "(".repeat(CONDITION_BYTES_MAX),
        "[".repeat(CONDITION_BYTES_MAX),
        "{".repeat(CONDITION_BYTES_MAX),
        "!".repeat(CONDITION_BYTES_MAX),
        "-".repeat(CONDITION_BYTES_MAX),
        "a?".repeat(CONDITION_BYTES_MAX / 2),
        "a.".repeat(CONDITION_BYTES_MAX / 2),
        "a(".repeat(CONDITION_BYTES_MAX / 2),
        "1+".repeat(CONDITION_BYTES_MAX / 2 - 1) + "1",
        "1".to_owned() + &"[1]".repeat(300),
        "true".to_owned() + &" ".repeat(CONDITION_BYTES_MAX),
        "x.all(x,".repeat(100),
        "{'a':".repeat(100),
        "\"".repeat(99),
    ] {
        assert!(Condition::compile(&[], &text, START).is_err(), "{text}");
    }
    // Long, but flat: no nesting at all.
    let flat = "true&&".repeat(170) + "true";
    assert!(flat.len() <= CONDITION_BYTES_MAX);
    let evaluation = compile("", &flat).evaluate(&Context::new(), &Context::new(), Time::MIN);
    assert_eq!((evaluation.outcome, evaluation.cost), (Outcome::True, 172));
    // What CEL asks every implementation to take (langdef, "Syntax").
    for (text, count) in [("1+", 24), ("true?true:", 24), ("true||", 32)] {
        let tail = if text == "1+" { "1 > 0" } else { "true" };
        compile("", &(text.repeat(count) + tail));
    }
    compile("", &format!("{}1{} > 0", "int(".repeat(12), ")".repeat(12)));
    compile("", &format!("{}{} == []", "[".repeat(12), "]".repeat(12)));
    compile("m: any", &format!("m{} == 1", ".m".repeat(12)));
    compile("m: any", &format!("m{} == 1", "[0]".repeat(12)));
}

#[test]
fn the_deepest_conditions_need_little_of_the_call_stack() {
    let deepest = |open: &str, inner: &str, close: &str| {
        let nested = |levels: usize| open.repeat(levels) + inner + &close.repeat(levels);
        let fits = |levels: &usize| {
            let given = parameters("x: any, b: bool");
            Condition::compile(&given, &nested(*levels), START).is_ok()
        };
        nested(
            (0..CONDITION_BYTES_MAX)
                .take_while(fits)
                .last()
                .unwrap_or(0),
        )
    };
    let run = move || {
        for (open, inner, close) in [
            ("(", "b", ")"),
            ("!", "b", ""),
            ("b || b && b == (1 < 1 + 2 * size([", "b", "]))"),
            ("[1].all(i, ", "b", ")"),
            ("[[1].map(i, ", "b", ")] != [x]"),
            ("b ? b : ", "b", ""),
            ("b == ([", "b", "] == x)"),
            ("b == (x in {'a': ", "b", "})"),
        ] {
            let text = deepest(open, inner, close);
            assert!(text.len() > 30, "{text}");
            let condition = compile("x: any, b: bool", &text);
            for asked in ["{}", r#"{"b":true}"#, r#"{"b":true,"x":[[[[[[[1]]]]]]]}"#] {
                let _ = condition.evaluate(&Context::new(), &context(asked), Time::MIN);
            }
        }
    };
    let small = std::thread::Builder::new().stack_size(192 * 1024);
    small.spawn(run).unwrap().join().unwrap();
}

#[test]
fn random_texts_never_panic() {
    let seed = random::seed();
    let words = [
        "x",
        "l",
        "m",
        "now",
        "t",
        "1",
        "0",
        "2u",
        "1.5",
        "\"a\"",
        "b'a'",
        "true",
        "null",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ":",
        "?",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "&&",
        "||",
        "==",
        "<",
        ">=",
        " in ",
        ".all(i,",
        ".map(x,",
        "has(",
        "size(",
        "int(",
        "timestamp(",
        ".k",
        "[0]",
        " ",
        "\n",
        "é",
        "\\",
        "'",
        "\"",
        "0x",
        "1e",
        "//",
    ];
    let given = parameters("x: int, l: list<any>, m: map<int>, now: clock, t: timestamp");
    let contexts = [
        context("{}"),
        context(r#"{"x":1,"l":[1,"a",null,[2]],"m":{"k":3},"t":"2026-01-01T00:00:00Z"}"#),
    ];
    let mut compiled = 0;
    for round in 0..random::rounds(20_000) {
        let mut random = Random::new(seed.wrapping_add(round));
        let mut text = String::new();
        for _ in 0..1 + random.below(14) {
            text.push_str(random.pick::<&str>(&words));
        }
        if let Ok(condition) = Condition::compile(&given, &text, START) {
            compiled += 1;
            for context in &contexts {
                let _ = condition.evaluate(&Context::new(), context, Time::MIN);
            }
        }
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
        if let Ok(context) = Context::decode(&bytes) {
            assert_eq!(context.encode(), bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = Context::from_json(&text);
        let _ = Condition::compile(&given, &text, START);
        let _ = text.parse::<ParameterType>();
        let _ = text.parse::<Time>();
    }
    println!("{compiled} random texts compiled");
}
