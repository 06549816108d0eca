//! Texts that somebody broke on purpose: no reader panics or hangs, and what is read can be written
//! and read again.

use policy::openfga::{
    combine, export, import, parse_dsl, parse_json, parse_module_list, parse_store, parse_tuples,
    validate, yaml_to_json, DslOptions, ExportOptions, Model, ModuleFile, Tuple, TupleFormat,
};

use crate::{
    openfga_language::{cases, text},
    openfga_models::models,
    random::{rounds, seed, Random},
    suite,
};

/// Pieces that texts are broken with.
const PIECES: [&str; 40] = [
    "\n",
    " ",
    "  ",
    "\t",
    "#",
    " # x",
    ":",
    ",",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "*",
    "'",
    "\"",
    "\"\"\"",
    "\\",
    "//",
    "but not",
    " or ",
    " and ",
    " from ",
    " with ",
    "define ",
    "type ",
    "extend type ",
    "condition ",
    "relations",
    "module m\n",
    "self",
    "\u{e4}",
    "\u{0}",
    "- ",
    "1.1",
    "&",
    "\r",
];

/// `text` with one to four random changes.
fn broken(random: &mut Random, text: &str, other: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let changes = if random.chance(60) {
        1
    } else {
        2 + random.below(3)
    };
    for _ in 0..changes {
        let length = characters.len();
        let from = random.below(length + 1);
        let to = (from + random.below(12)).min(length);
        match random.below(5) {
            0 => {
                characters.drain(from..to);
            }
            1 => {
                let piece: Vec<char> = random.pick(&PIECES).chars().collect();
                characters.splice(from..from, piece);
            }
            2 => {
                let piece: Vec<char> = random.pick(&PIECES).chars().collect();
                characters.splice(from..to, piece);
            }
            3 => {
                let piece = characters[from..to].to_vec();
                let at = random.below(length + 1);
                characters.splice(at..at, piece);
            }
            _ => {
                let other: Vec<char> = other.chars().collect();
                let start = random.below(other.len() + 1);
                let end = (start + random.below(60)).min(other.len());
                characters.splice(from..to, other[start..end].to_vec());
            }
        }
    }
    characters.into_iter().collect()
}

/// Whatever was read is validated and translated; what is sound comes out of both notations as it
/// went in.
fn follow(model: &Model, from_json: bool) {
    let errors = validate(model);
    if errors.is_empty() {
        if let Ok(dsl) = model.to_dsl(DslOptions { with_sources: true }) {
            let again = parse_dsl(&dsl).unwrap_or_else(|errors| panic!("{errors:?}\n{dsl}"));
            assert_eq!(again.types.len(), model.types.len(), "{dsl}");
        }
        let json = model.to_json();
        assert_eq!(parse_json(&json.to_string()).unwrap().to_json(), json);
    }
    if let Ok(outline) = import(model, None) {
        match export(&outline, ExportOptions::default()) {
            Ok(exported) => assert_eq!(import(&exported, None).unwrap(), outline),
            // JSON has names and types that the DSL, and so the export, has not; and expressions that are
            // no CEL are read by either, and refused when the policy is made of them.
            Err(errors) => {
                let is_policy = policy::Policy::parse(&outline.to_yaml()).is_ok();
                assert!(from_json || !is_policy, "{errors:?}\n{outline:#?}");
            }
        }
    }
}

#[test]
fn broken_models_are_read_or_refused() {
    let seed = seed();
    let mut texts: Vec<String> = models()
        .iter()
        .filter_map(|(_, model)| model.to_dsl(DslOptions::default()).ok())
        .collect();
    for file in [
        "dsl-syntax-validation-cases",
        "dsl-semantic-validation-cases",
    ] {
        let cases = cases(&format!("{file}.yaml"));
        texts.extend(cases.iter().map(|case| text(case, "dsl").into()));
    }
    if texts.is_empty() {
        return;
    }
    let (mut read, rounds) = (0, rounds(4_000));
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        let (text, other) = (random.pick(&texts).clone(), random.pick(&texts).clone());
        let text = broken(&mut random, &text, &other);
        let whole = [ModuleFile {
            name: "a.fga",
            text: &text,
        }];
        let _ = combine(&whole, "1.2");
        if let Ok(model) = parse_dsl(&text) {
            follow(&model, false);
            read += 1;
        }
    }
    println!("openfga: {rounds} broken models, {read} of them still models");
}

#[test]
fn broken_json_and_yaml_are_read_or_refused() {
    let seed = seed();
    let json: Vec<String> = models()
        .iter()
        .map(|(_, model)| model.to_json().to_string())
        .collect();
    let lists = cases("fga-mod-transformer-cases.yaml");
    let mut yaml: Vec<String> = lists
        .iter()
        .map(|case| text(case, "modFile").into())
        .collect();
    for case in suite::names("openfga-language/stores") {
        yaml.extend(suite::read(&format!(
            "openfga-language/stores/{case}/store.fga.yaml"
        )));
    }
    if json.is_empty() || yaml.is_empty() {
        return;
    }
    let tuples = [
        "user_type,user_id,relation,object_type,object_id,condition_name,condition_context\nuser,anne,\
         viewer,document,1,c,\"{\"\"x\"\":1}\"\n",
        "[{\"user\":\"user:anne\",\"relation\":\"viewer\",\"object\":\"document:1\",\"condition\":{\"name\"\
         :\"c\",\"context\":{\"x\":[1.5,null,true]}}}]",
        "document:1#viewer@user:anne with c {\"x\":1} and expiration 2027-01-01T00:00:00Z",
    ];
    let rounds = rounds(4_000);
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        let (text, other) = (random.pick(&json).clone(), random.pick(&json).clone());
        if let Ok(model) = parse_json(&broken(&mut random, &text, &other)) {
            follow(&model, true);
        }
        let (text, other) = (random.pick(&yaml).clone(), random.pick(&yaml).clone());
        let text = broken(&mut random, &text, &other);
        let _ = (
            parse_module_list(&text),
            parse_store(&text),
            yaml_to_json(&text),
        );
        let (text, other) = (*random.pick(&tuples), *random.pick(&tuples));
        let text = broken(&mut random, text, other);
        for format in [TupleFormat::Yaml, TupleFormat::Json, TupleFormat::Csv] {
            for tuple in parse_tuples(&text, format).unwrap_or_default() {
                if let Ok(native) = tuple.to_native(None) {
                    assert_eq!(
                        Tuple::from_native(&native, None).unwrap(),
                        tuple,
                        "{native}"
                    );
                }
            }
        }
        if let Ok(tuple) = Tuple::from_native(&text, Some("user")) {
            let _ = tuple.to_native(Some("user"));
        }
    }
    println!("openfga: {rounds} times broken JSON, YAML, CSV and relationships");
}

/// Texts at the bounds, made so that careless readers take quadratic time or the whole call stack.
#[test]
fn long_texts_meet_bounds_and_not_the_clock() {
    let head = "model\n  schema 1.1\ntype u\n";
    let fill = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let define = |rest: &str| format!("{head}type d\n  relations\n    define r: {rest}");
    let bytes = 250_000;
    let kinds: String = (0..250).map(|n| format!("t{n}, ")).collect();
    let types: String = (0..250)
        .map(|n| format!("type t{n}\n  relations\n    define q: [u]\n"))
        .collect();
    let arrows: String = (0..9_000)
        .map(|n| format!("    define r{n}: q from p\n"))
        .collect();
    let chain: String = (0..9_000)
        .map(|n| format!("    define r{n}: r{}\n", n + 1))
        .collect();
    for (name, text) in [
        ("quotes", head.to_owned() + &fill("\"\"\"\\", bytes)),
        ("escapes", head.to_owned() + &fill("\"\\", bytes)),
        ("raw", head.to_owned() + &fill("r'''\\", bytes)),
        ("parentheses", define(&fill("(", bytes))),
        ("spaces", define(&fill(" ( ", bytes))),
        ("brackets", define(&fill("[", bytes))),
        (
            "restrictions",
            define(&("[".to_owned() + &fill("u, ", bytes))),
        ),
        (
            "operands",
            define(&("u".to_owned() + &fill(" or u", bytes))),
        ),
        ("names", define(&fill("a-", bytes))),
        ("comments", head.to_owned() + &fill("# x\n", bytes)),
        ("types", head.to_owned() + &fill("type u\n", bytes)),
        ("errors", define(&fill("x\n    define r: x\n", bytes))),
        (
            "conditions",
            head.to_owned() + &fill("condition c(x: int) {\n}\n", bytes),
        ),
        ("numbers", head.to_owned() + &fill("1.", bytes)),
        ("slashes", head.to_owned() + &fill("a/", bytes)),
        (
            "arrows",
            format!("{head}{types}type d\n  relations\n    define p: [{kinds}u]\n{arrows}"),
        ),
        (
            "chain",
            format!("{head}type d\n  relations\n{chain}    define r9000: [u]\n"),
        ),
        (
            "loop",
            format!("{head}type d\n  relations\n{chain}    define r9000: r0\n"),
        ),
    ] {
        let start = std::time::Instant::now();
        let errors = match parse_dsl(&text) {
            Ok(model) => {
                let _ = import(&model, None);
                validate(&model)
            }
            Err(errors) => errors,
        };
        let seconds = start.elapsed().as_secs();
        assert!(seconds < 30, "{name} took {seconds} seconds");
        assert!(errors.len() <= policy::limits::OPENFGA_ERRORS_MAX);
    }
    let deep = |open: &str, close: &str| {
        format!(
            "{{\"schema_version\":\"1.1\",\"type_definitions\":[{{\"type\":\"d\",\"relations\":{{\"r\":{}{{\"this\
             \":{{}}}}{}}}}}]}}",
            open.repeat(40),
            close.repeat(40)
        )
    };
    assert!(parse_json(&deep("{\"union\":{\"child\":[", "]}}")).is_err());
    assert!(parse_json(&fill("[", bytes)).is_err());
    assert!(parse_json(&fill("{\"a\":", bytes)).is_err());
    let _ = parse_tuples(&fill("\"", bytes), TupleFormat::Csv);
    assert!(parse_store(&fill("- ", bytes)).is_err());
    let long = "x".repeat(policy::limits::OPENFGA_STORE_BYTES_MAX + 1);
    for format in [TupleFormat::Yaml, TupleFormat::Json, TupleFormat::Csv] {
        assert!(parse_tuples(&long, format).is_err());
    }
    assert!(parse_dsl(&long).is_err() && parse_json(&long).is_err() && parse_store(&long).is_err());
}
