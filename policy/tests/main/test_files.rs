//! Our own test files: what is read, and what is refused with its place.

use policy::testing::{read_relationships, recognise, Answer, FileKind, Source, TestFile};
use policy::Position;

use crate::mutate::mutate;
use crate::random::{rounds, seed, Random};

const FILE: &str = r#"
policy: |
  name: clinic
  resources:
    document:
      relations:
        reader:
          types: [actor]
relationships: |
  // who reads
  document:1#reader@did:key:ann

  document:2#reader@did:key:bob
time: 2026-11-20T10:00:00Z
tests:
- name: readers read
  context: {zone: ward, level: 3, tags: [a, "1"]}
  with:
  - document:3#reader@did:key:ann
  check:
  - question: document:1#reader@did:key:ann
    answer: allow
  - question: 'document:1#reader@did:key:bob with {"level": 4}'
    answer: conditional
    missing: [b, a]
    time: 2027-01-01T00:00:00Z
    context: {level: 5, zone: home}
  allow: [document:3#reader@did:key:ann, "document:2#reader@did:key:bob"]
  deny:
  - document:1#manage(reader)@did:key:eve
  - {question: document:1#reader@group:g#member, context: '{"zone": "home"}'}
  conditional:
  - {question: document:2#reader@*, missing: [zone]}
- name: lists are complete
  time: 2026-12-01T00:00:00Z
  objects:
  - {subject: did:key:ann, permission: reader, resource: document, answer: [document:3, document:1], conditional: []}
  subjects:
  - {object: document:1, permission: reader, answer: [did:key:ann, {subject: "*", except: [did:key:bob]}]}
  - {object: document:1, permission: reader, type: group->member, answer: []}
theorems: |
  Authorizations {
    document:1#reader@did:key:ann
  }
"#;

#[test]
fn everything_in_a_file_is_read_with_its_place() {
    let file = TestFile::parse(FILE).unwrap();
    let Source::Inline(text) = &file.policy else {
        panic!("the policy stands in the file")
    };
    policy::Policy::parse(&text.text).unwrap();
    let place = |line, column| Position { line, column };
    assert_eq!(text.place(place(3, 5)), place(5, 7));
    let Some(Source::Inline(theorems)) = &file.theorems else {
        panic!("the theorems stand in the file")
    };
    assert_eq!(theorems.place(place(2, 3)), place(43, 5));
    let lines: Vec<_> = file
        .relationships
        .iter()
        .map(|found| found.position)
        .collect();
    assert_eq!(lines, [place(11, 3), place(13, 3)]);
    let [readers, lists] = &file.tests[..] else {
        panic!("two tests")
    };
    assert_eq!(
        (readers.name.as_str(), readers.position),
        ("readers read", place(16, 3))
    );
    assert_eq!(readers.with[0].position, place(19, 5));
    let shown: Vec<_> = readers
        .checks
        .iter()
        .map(|check| {
            let missing = check.missing.as_ref().map(|names| names.join(" "));
            format!(
                "{}:{} {}#{}@{} {:?} {} {} {}",
                check.position.line,
                check.position.column,
                check.object,
                check.permission,
                check.subject,
                check.answer,
                check.time.as_deref().unwrap_or("-"),
                check.context.to_json(),
                missing.unwrap_or("-".into())
            )
        })
        .collect();
    let ward = r#"{"level":3,"tags":["a","1"],"zone":"ward"}"#;
    let home = ward.replace("ward", "home");
    let now = "2026-11-20T10:00:00Z";
    assert_eq!(
        shown,
        [
            format!("21:15 document:1#reader@did:key:ann Allow {now} {ward} -"),
            format!(
                "23:16 document:1#reader@did:key:bob Conditional 2027-01-01T00:00:00Z {} a b",
                home.replace('3', "4")
            ),
            format!("28:11 document:3#reader@did:key:ann Allow {now} {ward} -"),
            format!("28:43 document:2#reader@did:key:bob Allow {now} {ward} -"),
            format!("30:5 document:1#manage(reader)@did:key:eve Deny {now} {ward} -"),
            format!("31:16 document:1#reader@group:g#member Deny {now} {home} -"),
            format!("33:16 document:2#reader@* Conditional {now} {ward} zone"),
        ]
    );
    let objects = &lists.objects[0];
    let ids: Vec<_> = objects.allowed.iter().map(|object| object.id()).collect();
    assert_eq!(
        (ids, objects.conditional.as_deref()),
        (vec!["1", "3"], Some(&[][..]))
    );
    assert_eq!(objects.time.as_deref(), Some("2026-12-01T00:00:00Z"));
    let subjects = &lists.subjects[0];
    assert_eq!(subjects.allowed.len(), 2);
    assert_eq!(subjects.allowed[1].except.len(), 1);
    assert_eq!(subjects.conditional, None);
    assert_eq!(lists.subjects[1].kind.as_deref(), Some("group->member"));
    assert_eq!(readers.checks[0].answer, Answer::Allow);
}

#[test]
fn files_may_be_elsewhere() {
    let file =
        TestFile::parse("policy_file: p.yaml\nrelationships_file: r.txt\ntheorems_file: t.txt\n")
            .unwrap();
    let path = "p.yaml".into();
    let position = Position {
        line: 1,
        column: 14,
    };
    assert_eq!(file.policy, Source::File { path, position });
    assert_eq!(
        file.relationships_file,
        Some((
            "r.txt".into(),
            Position {
                line: 2,
                column: 21
            }
        ))
    );
    assert!(matches!(file.theorems, Some(Source::File { .. })));
    let read = read_relationships("# all\n\n  a:1#b@did:x:y\n// end").unwrap();
    assert_eq!(read[0].position, Position { line: 3, column: 3 });
}

#[test]
fn what_is_no_test_file_is_refused_with_place_and_remedy() {
    let whole = |rest: &str| format!("policy: p\n{rest}\n");
    let test = |rest: &str| whole(&format!("tests:\n- name: t\n  {rest}"));
    let cases: Vec<(String, &str)> = vec![
        (
            "".into(),
            "the test file is empty; it needs at least `policy` and `tests`",
        ),
        ("- a".into(), "line 1, column 1: a test file is a map"),
        (whole(""), "line 1, column 1: this file tests nothing"),
        (
            "tests: []\ntheorems: x\n".into(),
            "a test file has no `policy`",
        ),
        (
            whole("polices: x"),
            "line 2, column 1: a test file has no key \"polices\"; did you mean \"policy\"?",
        ),
        (
            whole("policy_file: x\ntheorems: x"),
            "line 2, column 1: the same is given twice",
        ),
        (
            whole("policy: q"),
            "line 2, column 1: \"policy\" stands here for the second time",
        ),
        (
            whole("relationships_file: x\nrelationships: []\ntheorems: x"),
            "line 2, column 21: the same is given twice",
        ),
        (
            whole("relationships: |\n  a:1#b@did:x:y\n   a:1\ntheorems: x"),
            "line 4, column 4: \"a:1\" is no relationship",
        ),
        (
            whole("relationships: [\"a:1#b@c\"]\ntheorems: x"),
            "line 2, column 18: in \"a:1#b@c\": \"c\" is no object",
        ),
        (
            whole("relationships: {a: b}\ntheorems: x"),
            "relationships are lines, or a list",
        ),
        (
            whole("time: tomorrow\ntheorems: x"),
            "line 2, column 7: a time is written like 2027-01-01T00:00:00Z",
        ),
        (whole("tests: x"), "`tests` is a list"),
        (
            whole("tests:\n- allow: [\"a:1#b@did:x:y\"]"),
            "line 3, column 3: this test has no `name`",
        ),
        (test(""), "line 3, column 3: test \"t\" asks nothing"),
        (
            test("allow: [\"a:1#b@did:x:y\"]\n- name: t\n  allow: [\"a:1#b@did:x:y\"]"),
            "line 5, column 3: there is a test \"t\" already",
        ),
        (
            test("alow: []"),
            "line 4, column 3: a test has no key \"alow\"; did you mean \"allow\"?",
        ),
        (test("allow: a"), "`allow` is a list"),
        (
            test("allow: [a]"),
            "line 4, column 11: a question is written",
        ),
        (test("allow: [\"a:1#b\"]"), "a question is written"),
        (
            test("allow: [\"a#b@did:x:y\"]"),
            "line 4, column 12: \"a\" is no object",
        ),
        (
            test("allow: [\"a:1#b c@did:x:y\"]"),
            "line 4, column 16: \"b c\" is no name",
        ),
        (
            test("allow: [\"a:1#manage(b@did:x:y\"]"),
            "\"manage(b\" is no name",
        ),
        (
            test("allow: [\"a:1#b@c\"]"),
            "line 4, column 18: \"c\" is no object",
        ),
        (
            test("allow: [\"a:1#b@did:x:y with x\"]"),
            "line 4, column 31: the JSON object is not closed",
        ),
        (
            test("allow: [{question: \"a:1#b@did:x:y\", answer: deny}]"),
            "a question has no key \"answer\"",
        ),
        (
            test("check: [\"a:1#b@did:x:y\"]"),
            "a question is a map with the keys question, answer",
        ),
        (
            test("check: [{question: \"a:1#b@did:x:y\"}]"),
            "a question has no `answer`",
        ),
        (
            test("check: [{question: \"a:1#b@did:x:y\", answer: alow}]"),
            "not \"alow\"; did you mean \"allow\"?",
        ),
        (
            test("check: [{question: \"a:1#b@did:x:y\", answer: deny, missing: [a]}]"),
            "only a conditional answer misses parameters",
        ),
        (
            test("conditional: [{question: \"a:1#b@did:x:y\", missing: [a, a]}]"),
            "\"a\" stands here for the second time",
        ),
        (
            test("allow: [{question: \"a:1#b@did:x:y\", context: [a]}]"),
            "a context is a map",
        ),
        (
            test("objects: [{subject: did:x:y, permission: b, resource: c}]"),
            "a lookup of objects has no `answer`",
        ),
        (
            test("objects: [{subject: did:x:y, permission: b, resource: c, answer: [a:1]}]"),
            "line 4, column 69: this lookup is for \"c\" only, not \"a\"",
        ),
        (
            test("objects: [{subject: did:x:y, permission: b, resource: c, answer: [c:1, c:1]}]"),
            "stands here for the second time",
        ),
        (
            test("objects: [{subject: did:x:y, permission: b, object: c, answer: []}]"),
            "a lookup of objects has no key \"object\"",
        ),
        (
            test("subjects: [{object: a:1, permission: b, answer: [x]}]"),
            "\"x\" is no object",
        ),
        (
            test("subjects: [{object: a:1, permission: b, answer: [{except: []}]}]"),
            "a subject has no `subject`",
        ),
        (whole("theorems: &x y"), "anchors are not allowed"),
    ];
    for (text, expected) in cases {
        let failure = TestFile::parse(&text).expect_err(&text).to_string();
        assert!(
            failure.contains(expected),
            "\n{text}\ngave     {failure}\nexpected {expected}"
        );
    }
}

#[test]
fn test_files_are_recognised_by_their_keys() {
    for (text, expected) in [
        (FILE, FileKind::Ours),
        ("policy_file: x", FileKind::Ours),
        ("name: x\nmodel: y", FileKind::Openfga),
        ("---\nschema: |\n  \tx\n", FileKind::Spicedb),
        ("relationships: x\nschemaFile: y", FileKind::Spicedb),
    ] {
        assert_eq!(recognise(text), Ok(expected), "{text}");
    }
    for text in ["", "a", "a: b", "[policy]", "policy: [", "a: 1\na: 2"] {
        assert!(recognise(text).is_err(), "{text}");
    }
}

/// Relationships on terms; see `crate::relationship`.
#[test]
fn relationships_have_their_terms() {
    let text = "document:1#reader@team:* with hours {\"zone\": \"ward\"} and expiration 2027-01-01T00:00:00Z";
    assert_eq!(read_relationships(text).unwrap().len(), 1);
    let file = format!("policy: p\ntests:\n- name: t\n  with:\n  - '{text}'\n  allow: ['document:1#can-read@team:1']\n");
    assert_eq!(TestFile::parse(&file).unwrap().tests[0].with.len(), 1);

    let page = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../docs/spec/policy-tests.md";
    let page = std::fs::read_to_string(page).unwrap();
    let example = page
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert_eq!(TestFile::parse(example).unwrap().tests.len(), 5);
}

#[test]
fn no_test_file_panics_or_hangs() {
    let first = seed();
    for round in 0..rounds(5000) {
        let seed = first.wrapping_add(round);
        let text = mutate(&mut Random::new(seed), FILE);
        let outcome = std::panic::catch_unwind(|| {
            let _ = TestFile::parse(&text);
            let _ = recognise(&text);
            let _ = read_relationships(&text);
        });
        assert!(
            outcome.is_ok(),
            "HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1 {text}"
        );
    }
}
