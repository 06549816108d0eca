//! What is fuzzed: one function for each reader of bytes from strangers. None may panic, hang or take
//! much; and what is read must be written as it was, or read again as the same.
//!
//! libFuzzer runs these (`fuzz_targets/`); so does CI, over seeded mutations of `examples/`, where
//! every input that broke something is kept.

use policy::{
    check, format_policy,
    keys::SubjectKind,
    openfga, outline, spicedb,
    testing::{self, Setting},
    Circumstances, CollectionRecord, Condition, Context, History, Limits, ObjectRecord, Page,
    ParameterType, Policy, Position, Question, Relationship, RelationshipList, Subject, Terms,
    Theorems, Time,
};
use siphasher::sip128::{Hasher128, SipHasher13};

/// A reader, as it is fuzzed.
pub type Target = fn(&[u8]);

/// All of them, by the names of their folders in `examples/` and of their files in `fuzz_targets/`.
pub const TARGETS: [(&str, Target); 23] = [
    ("collection_record", collection_record),
    ("condition", condition),
    ("context_bytes", context_bytes),
    ("context_json", context_json),
    ("expression", expression),
    ("object_record", object_record),
    ("openfga_dsl", openfga_dsl),
    ("openfga_json", openfga_json),
    ("openfga_modules", openfga_modules),
    ("openfga_store", openfga_store),
    ("openfga_tuples", openfga_tuples),
    ("page", page),
    ("policy", policy),
    ("relationship", relationship),
    ("relationships", relationships),
    ("snapshot", snapshot),
    ("spicedb_file", spicedb_file),
    ("spicedb_relationship", spicedb_relationship),
    ("spicedb_schema", spicedb_schema),
    ("terms", terms),
    ("test_file", test_file),
    ("theorems", theorems),
    ("time", time),
];

fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or("")
}

/// A policy, its warnings, its canonical form.
pub fn policy(data: &[u8]) {
    let Ok(policy) = Policy::parse(text(data)) else {
        return;
    };
    let _ = policy.warnings();
    if let Ok(formatted) = format_policy(text(data)) {
        Policy::parse(&formatted).expect("what is formatted is a policy");
        let again = format_policy(&formatted).expect("and can be formatted");
        assert_eq!(again, formatted, "formatting twice changes nothing");
    }
    let outline = outline::Outline::read(text(data)).expect("a policy has an outline");
    Policy::parse(&outline.to_yaml()).expect("what an outline writes is a policy");
}

/// An expression of a permission.
pub fn expression(data: &[u8]) {
    let expression = serde_json::Value::from(text(data));
    let definition = format!(
        "implicit_owner: false\nresources:\n- name: a\n  relations:\n  - name: r\n    types: [actor]\n  \
         - name: parent\n    types: [a, a->r]\n  - name: b-c\n  permissions:\n  - name: p\n    expr: {expression}\n"
    );
    let Ok(policy) = Policy::parse(&definition) else {
        return;
    };
    let facts = [
        "a:1#r@did:x:y",
        "a:1#parent@a:2#r",
        "a:2#parent@a:1",
        "a:2#b-c@did:x:z",
    ];
    let facts = facts.map(|fact| fact.parse::<Relationship>().expect("a relationship"));
    let history = History::of(policy, &facts).expect("it is small");
    let view = history.at(0).expect("it has one revision");
    for subject in ["did:x:y", "did:x:z", "a:1", "a:2#r"] {
        let question = Question {
            object: "a:1".parse().expect("an object"),
            permission: "p".into(),
            subject: subject.parse::<Subject>().expect("a subject"),
        };
        let _ = check(
            &view,
            &question,
            &Circumstances::default(),
            Limits::CONSENSUS,
        );
    }
}

/// A condition: its parameters on the first line, as `a: int; b: list<string>`, a context on the
/// second, then the expression.
pub fn condition(data: &[u8]) {
    let mut lines = text(data).splitn(3, '\n');
    let (Some(parameters), Some(given), Some(expression)) =
        (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let mut read: Vec<(String, ParameterType)> = Vec::new();
    for parameter in parameters.split(';') {
        let Some((name, kind)) = parameter.split_once(':') else {
            return;
        };
        let Ok(kind) = kind.parse() else {
            return;
        };
        read.push((name.trim().into(), kind));
    }
    let start = Position { line: 1, column: 1 };
    let Ok(condition) = Condition::compile(&read, expression, start) else {
        return;
    };
    let given = Context::from_json(given).unwrap_or_default();
    let none = Context::default();
    for recorded in [&given, &none] {
        if condition.admits(recorded).is_ok() {
            let first = condition.evaluate(recorded, &none, Time::default());
            let again = condition.evaluate(recorded, &none, Time::default());
            assert_eq!(first, again, "an evaluation is a function of its arguments");
        }
    }
    let _ = condition.evaluate(&none, &given, Time::MAX);
}

/// A context as JSON.
pub fn context_json(data: &[u8]) {
    let Ok(context) = Context::from_json(text(data)) else {
        return;
    };
    let written = context.to_json();
    assert_eq!(
        Context::from_json(&written).as_ref(),
        Ok(&context),
        "{written}"
    );
    let bytes = context.encode();
    assert_eq!(Context::decode(&bytes).as_ref(), Ok(&context));
}

/// Canonical bytes of a context.
pub fn context_bytes(data: &[u8]) {
    if let Ok(context) = Context::decode(data) {
        assert_eq!(context.encode(), data);
    }
}

/// Canonical bytes of terms.
pub fn terms(data: &[u8]) {
    if let Ok(terms) = Terms::from_bytes(data) {
        assert_eq!(terms.to_bytes(), data);
    }
}

/// An object's record.
pub fn object_record(data: &[u8]) {
    if let Ok(record) = ObjectRecord::from_bytes(data) {
        assert_eq!(record.to_bytes(), data);
    }
}

/// A collection's record.
pub fn collection_record(data: &[u8]) {
    if let Ok(record) = CollectionRecord::from_bytes(data) {
        assert_eq!(record.to_bytes(), data);
    }
}

/// A page: its kind, then its bytes.
pub fn page(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let kind = match kind {
        0 => SubjectKind::Direct,
        _ => SubjectKind::Sets,
    };
    if let Ok(page) = Page::from_bytes(bytes, kind, b"") {
        assert_eq!(page.to_bytes(kind), bytes);
    }
}

/// A snapshot, with its checksum put right: nobody gets further without.
pub fn snapshot(data: &[u8]) {
    const CHECKSUM: std::ops::Range<usize> = 18..34;
    let mut bytes = data.to_vec();
    if let Some(rest) = data.get(CHECKSUM.end..) {
        let mut hasher = SipHasher13::new();
        std::hash::Hasher::write(&mut hasher, rest);
        bytes[CHECKSUM].copy_from_slice(&hasher.finish128().as_bytes());
    }
    let Ok(history) = History::from_snapshot(&bytes) else {
        return;
    };
    let Some(latest) = history.latest() else {
        return;
    };
    let Ok(view) = history.at(latest.revision) else {
        return;
    };
    for resource in view.definition().resources() {
        for permission in view.definition().permissions(resource) {
            let question = format!("{resource}:1#{permission}@did:x:y");
            let Ok(question) = question.parse::<Relationship>() else {
                continue;
            };
            let question = Question {
                object: question.object,
                permission: permission.into(),
                subject: question.subject,
            };
            let _ = check(
                &view,
                &question,
                &Circumstances::default(),
                Limits::CONSENSUS,
            );
        }
    }
    let again = History::from_snapshot(&history.to_snapshot());
    again.expect("what is written can be read");
}

/// A relationship.
pub fn relationship(data: &[u8]) {
    if let Ok(read) = text(data).parse::<Relationship>() {
        assert_eq!(read.to_string().parse::<Relationship>(), Ok(read));
    }
}

/// Lists of relationships, in both of our notations.
pub fn relationships(data: &[u8]) {
    let _ = RelationshipList::parse(text(data));
    let _ = testing::read_relationships(text(data));
}

/// Theorems, decided over a small policy.
pub fn theorems(data: &[u8]) {
    const POLICY: &str = "resources:\n- name: document\n  relations:\n  - name: reader\n    types: [actor, group->member]\n  \
         - name: writer\n    manages: [reader]\n  permissions:\n  - name: read\n    expr: reader + writer\n- name: group\n  \
         relations:\n  - name: member\n    types: [actor, group->member]\n";
    let Ok(theorems) = Theorems::parse(text(data)) else {
        return;
    };
    let policy = Policy::parse(POLICY).expect("it is a policy");
    let history = History::of(policy, []).expect("it is small");
    let view = history.at(0).expect("it has one revision");
    let _ = theorems.evaluate(&view, &Circumstances::default(), Limits::CONSENSUS);
}

/// A time.
pub fn time(data: &[u8]) {
    if let Ok(read) = text(data).parse::<Time>() {
        assert_eq!(read.to_string().parse::<Time>(), Ok(read));
    }
}

fn model(model: &openfga::Model) {
    let _ = openfga::validate(model);
    let _ = model.to_dsl(openfga::DslOptions { with_sources: true });
    let json = model.to_json().to_string();
    let _ = openfga::parse_json(&json);
    if let Ok(outline) = openfga::import(model, None) {
        let _ = Policy::parse(&outline.to_yaml());
    }
}

/// A model of OpenFGA's in the DSL.
pub fn openfga_dsl(data: &[u8]) {
    if let Ok(read) = openfga::parse_dsl(text(data)) {
        model(&read);
    }
}

/// A model of OpenFGA's in JSON.
pub fn openfga_json(data: &[u8]) {
    if let Ok(read) = openfga::parse_json(text(data)) {
        model(&read);
    }
}

/// A list of modules, and the same text as a module.
pub fn openfga_modules(data: &[u8]) {
    let _ = openfga::parse_module_list(text(data));
    let file = openfga::ModuleFile {
        name: "a.fga",
        text: text(data),
    };
    let _ = openfga::combine(&[file], "1.2");
}

/// A store file.
pub fn openfga_store(data: &[u8]) {
    let _ = openfga::parse_store(text(data));
}

/// Tuples, in all formats.
pub fn openfga_tuples(data: &[u8]) {
    use openfga::TupleFormat::{Csv, Json, Yaml};
    for format in [Yaml, Json, Csv] {
        for tuple in openfga::parse_tuples(text(data), format)
            .into_iter()
            .flatten()
        {
            let Ok(native) = tuple.to_native(None) else {
                continue;
            };
            if native.parse::<Relationship>().is_ok() {
                let again = openfga::Tuple::from_native(&native, None);
                assert_eq!(again, Ok(tuple), "{native}");
            }
        }
    }
}

/// A schema of SpiceDB's.
pub fn spicedb_schema(data: &[u8]) {
    let options = spicedb::ImportOptions {
        name: "",
        actor: None,
    };
    if let Ok(outline) = spicedb::import(text(data), &options) {
        let _ = Policy::parse(&outline.to_yaml());
        if let Ok(written) = spicedb::export(&outline, &spicedb::ExportOptions::default()) {
            assert_eq!(
                spicedb::import(&written, &options).as_ref(),
                Ok(&outline),
                "{written}"
            );
        }
    }
}

/// A relationship of SpiceDB's.
pub fn spicedb_relationship(data: &[u8]) {
    let Ok(read) = spicedb::Relationship::parse(text(data)) else {
        return;
    };
    let written = read.to_string();
    let again = spicedb::Relationship::parse(&written).expect("what is written can be read");
    assert_eq!(again.to_string(), written);
    let _ = read.to_native(None);
}

/// A validation file.
pub fn spicedb_file(data: &[u8]) {
    let _ = spicedb::ValidationFile::parse(text(data));
}

/// Any test file: read and run, as `hold policy test` would.
pub fn test_file(data: &[u8]) {
    let read = |path: &str| Err(format!("{path} is not here"));
    let setting = Setting {
        now: Time::default(),
        read: &read,
    };
    let report = testing::run("file.yaml", text(data), &setting);
    let lines = report.to_string().lines().count();
    assert_eq!(
        lines,
        report.count(testing::Verdict::Failed) + 1,
        "a line a failure, and the totals"
    );
}
