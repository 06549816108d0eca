//! OpenFGA models as native policies.

use policy::{
    openfga::{import, parse_dsl, Class},
    Policy,
};

use crate::openfga_models::models;

/// Models of the suites that OpenFGA itself refuses: they test notation, and mean nothing.
const REFUSED: [&str; 2] = [
    // `relation3 from relation4`, where relation4 is computed.
    "14-mixed-operators",
    // Names a relation and a condition that are not there.
    "15-mixed-operators-with-direct-assignments-once-beginning-of-line",
];

#[test]
fn models_of_the_suites_are_imported() {
    let mut imported = 0;
    for (name, model) in models() {
        let outline = import(&model, None);
        assert_eq!(
            outline.is_err(),
            REFUSED.contains(&&*name),
            "{name}: {outline:?}"
        );
        imported += usize::from(outline.is_ok());
    }
    println!(
        "openfga models imported: {imported}, refused by OpenFGA too: {}",
        REFUSED.len()
    );
}

/// Models that are about notation, and have conditions that we refuse by name.
const REFUSED_CONDITIONS: [(&str, &str); 2] = [
    ("102-conditions-data-types", "matches() is refused"),
    ("11-multiple-conditions", "document_attributes"),
];

#[test]
fn what_is_imported_is_a_policy() {
    let mut parsed = 0;
    for (name, model) in models() {
        let Ok(outline) = import(&model, None) else {
            continue;
        };
        if outline.resources.is_empty() {
            continue; // A policy defines something at least; this model is about notation.
        }
        let text = outline.to_yaml();
        if REFUSED_CONDITIONS.iter().any(|(model, _)| name == *model) {
            let refused = Policy::parse(&text).map(|_| ()).unwrap_err().to_string();
            let reason = REFUSED_CONDITIONS.iter().find(|(model, _)| name == *model);
            assert!(refused.contains(reason.unwrap().1), "{name}: {refused}");
            continue;
        }
        Policy::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        parsed += 1;
    }
    println!("openfga models that parse once imported: {parsed}");
}

fn check(dsl: &str, actor: Option<&str>, expected: &str) {
    let model = parse_dsl(dsl).unwrap();
    let outline = import(&model, actor).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(outline.to_yaml(), expected);
}

const MODEL: &str = r#"# Who may read what.
model
  schema 1.1

type user

# People who work together.
type group
  relations
    define member: [user, user:*, group#member]

type doc/page # a page
  relations
    define parent: [group]
    # Bans win.
    define banned: [user with office-hours]
    define viewer: [user, group#member with office-hours] or member from parent
    define can-view: (viewer or editor) but not banned
    define editor: [user]
    define both: can-view and editor and (viewer but not banned) # for tests

# Nine to five.
condition office-hours(zone: string, at: timestamp, tags: list<string>) {
  zone == "ward" &&
    at < timestamp("2027-01-01T00:00:00Z")
}
"#;

#[test]
fn relations_become_relations() {
    check(
        MODEL,
        None,
        r#"description: Who may read what.
implicit_owner: false
conditions:
- name: office-hours
  doc: Nine to five.
  parameters:
    zone: string
    at: timestamp
    tags: list<string>
  expr: "zone == \"ward\" &&\n    at < timestamp(\"2027-01-01T00:00:00Z\")"
resources:
- name: user
- name: group
  doc: People who work together.
  relations:
  - name: member
    types:
    - user
    - "user:*"
    - group->member
- name: doc/page
  doc: a page
  relations:
  - name: parent
    types:
    - group
  - name: banned
    doc: Bans win.
    types:
    - user with office-hours
  - name: viewer
    types:
    - user
    - group->member with office-hours
    expr: viewer + parent->member
  - name: can-view
    expr: "(viewer + editor) - banned"
  - name: editor
    types:
    - user
  - name: both
    doc: for tests
    expr: "`can-view` & editor & (viewer - banned)"
"#,
    );
}

#[test]
fn a_type_can_become_the_actors() {
    check(
        "model\n  schema 1.1\ntype user\ntype file\n  relations\n    define reader: [user, user:*]\n",
        Some("user"),
        "actor:\n  name: user\nimplicit_owner: false\nresources:\n- name: file\n  relations:\n  - name: \
         reader\n    types:\n    - user\n    - \"*\"\n",
    );
}

#[test]
fn a_type_named_actor_stays_a_type() {
    check(
        "model\n  schema 1.1\ntype actor\n",
        None,
        "actor:\n  name: actor_\nimplicit_owner: false\nresources:\n- name: actor\n",
    );
}

#[test]
fn what_native_policies_cannot_express_is_refused_by_name() {
    let long = "a".repeat(129);
    for (dsl, actor, expected) in [
        (
            format!("type {long}\n"),
            None,
            "line 3, column 6: type \"aaaaaaaa",
        ),
        (
            "type user-\n".into(),
            None,
            "line 3, column 6: type \"user-\" cannot be named so here",
        ),
        (
            "type did\n".into(),
            None,
            "line 3, column 6: a type cannot be named \"did\" here",
        ),
        (
            "type x\n  relations\n    define a: [x]\n    define b: [x] or (a but not b)\n".into(),
            None,
            "line 6, column 33: the relation \"b\" is computed from itself",
        ),
        (
            "type x\n  relations\n    define a: [x]\n".into(),
            Some("x"),
            "line 3, column 6: type \"x\" has relations, so it cannot be the actors",
        ),
        (
            "type x\n".into(),
            Some("user"),
            "there is no type \"user\" that could be the actors",
        ),
        (
            "type x\n  relations\n    define a: [x with expiration]\ncondition expiration(i: int) \
             {\n  i < 1\n}\n"
                .into(),
            None,
            "line 6, column 11: a condition cannot be named \"expiration\" here",
        ),
        (
            "type x\n  relations\n    define a: [x with c]\ncondition c(a-b: int) {\n  true\n}\n"
                .into(),
            None,
            "line 6, column 13: parameter \"a-b\" cannot be named so here",
        ),
    ] {
        let model = parse_dsl(&format!("model\n  schema 1.1\n{dsl}")).unwrap();
        let errors = import(&model, actor).unwrap_err();
        let error = errors.first().unwrap();
        assert_eq!(error.class, Class::NotExpressible, "{error}");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
