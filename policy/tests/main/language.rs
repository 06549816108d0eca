//! What the language has beyond acp's YAML: conditions, expiry, everyone of a resource, arrows that
//! need all, `self`, relations with `expr`, policies without an implicit owner, quoted names.

use policy::{
    check, CheckError, Circumstances, Context, Decision, History, Limits, Policy, Question,
    Relationship, Time,
};

const CLINIC: &str = r#"
name: clinic
implicit_owner: false
conditions:
- name: on-shift
  parameters:
    ward: string
    now: clock
  expr: ward == "a" && now < timestamp("2027-01-01T00:00:00Z")
- name: ratio
  parameters: {a: int, b: int}
  expr: a / b > 1
resources:
- name: user
- name: team
  relations:
  - name: member
    types: [user, team->member, "user:*", "user with on-shift"]
  - name: owner
    types: [user]
- name: org/folder
  relations:
  - name: viewer
    types: [user, "user with expiration", "user with ratio"]
- name: record
  relations:
  - name: parent
    types: [org/folder, "org/folder with on-shift", "org/folder with expiration"]
  - name: reader
    types: [user, team->member, "team->member with on-shift and expiration"]
    expr: reader + `can-audit` - banned
  - name: can-audit
    types: [user]
  - name: banned
    types: [user]
  - name: computed
    expr: reader & can_view
  permissions:
  - name: can_view
    expr: parent->viewer
  - name: all
    expr: parent&->viewer
  - name: itself
    expr: self + reader
  - name: nobody
"#;

fn history(relationships: &[&str]) -> History {
    let policy = Policy::parse(CLINIC).unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<Relationship> = relationships
        .iter()
        .map(|text| text.parse().unwrap_or_else(|error| panic!("{error}")))
        .collect();
    for relationship in &all {
        policy
            .admits(relationship)
            .unwrap_or_else(|error| panic!("{relationship}: {error}"));
    }
    History::of(policy, &all).unwrap()
}

fn ask(
    history: &History,
    question: &str,
    context: &str,
    time: &str,
) -> Result<(Decision, Vec<String>), CheckError> {
    let relationship: Relationship = question.parse().unwrap();
    let question = Question {
        object: relationship.object,
        permission: relationship.relation.to_string(),
        subject: relationship.subject,
    };
    let circumstances = Circumstances {
        time: time.parse::<Time>().unwrap(),
        context: Context::from_json(context).unwrap(),
    };
    let view = history.at(0).unwrap();
    let answer = check(&view, &question, &circumstances, Limits::CONSENSUS)?;
    Ok((answer.decision, answer.missing))
}

const NOW: &str = "2026-11-20T10:00:00Z";
const LATER: &str = "2027-01-01T00:00:00Z";

#[track_caller]
fn decides(history: &History, question: &str, context: &str, time: &str, expected: Decision) {
    let answer = ask(history, question, context, time);
    assert_eq!(
        answer.map(|(decision, _)| decision),
        Ok(expected),
        "{question} {context} {time}"
    );
}

use Decision::{Allow, Conditional, Deny};

#[test]
fn conditions_hang_on_context_and_clock() {
    let history = history(&[
        "team:icu#member@user:ann with on-shift",
        r#"team:icu#member@user:bob with on-shift {"ward":"a"}"#,
        r#"team:icu#member@user:cid with on-shift {"ward":"b"}"#,
    ]);
    let ask = |who: &str, context: &str, time: &str, expected| {
        let question = format!("team:icu#member@user:{who}");
        decides(&history, &question, context, time, expected);
    };
    ask("ann", "{}", NOW, Conditional);
    ask("ann", r#"{"ward":"a"}"#, NOW, Allow);
    ask("ann", r#"{"ward":"b"}"#, NOW, Deny);
    // The clock alone decides, whatever is missing.
    ask("ann", "{}", LATER, Deny);
    ask("bob", "{}", NOW, Allow);
    ask("bob", r#"{"ward":"b"}"#, NOW, Allow);
    ask("bob", "{}", LATER, Deny);
    ask("cid", r#"{"ward":"a"}"#, NOW, Deny);
    ask("dan", "{}", NOW, Deny);
}

#[test]
fn missing_fields_are_named() {
    let history = history(&["team:icu#member@user:ann with on-shift"]);
    let answer = ask(&history, "team:icu#member@user:ann", "{}", NOW);
    assert_eq!(answer, Ok((Conditional, vec!["ward".into()])));
}

#[test]
fn what_expires_ends_with_its_time() {
    let history = history(&[
        "org/folder:f#viewer@user:ann with expiration 2026-11-20T10:00:00Z",
        "record:1#parent@org/folder:f",
    ]);
    let question = "record:1#can_view@user:ann";
    decides(&history, question, "{}", "2026-11-20T09:59:59Z", Allow);
    decides(&history, question, "{}", NOW, Deny);
}

#[test]
fn both_terms_must_hold() {
    let history = history(&[
        r#"record:1#reader@team:icu#member with on-shift {"ward":"a"} and expiration 2026-12-01T00:00:00Z"#,
        "team:icu#member@user:ann",
    ]);
    let question = "record:1#reader@user:ann";
    decides(&history, question, "{}", NOW, Allow);
    decides(&history, question, "{}", "2026-12-01T00:00:00Z", Deny);
}

#[test]
fn every_object_of_a_resource_is_no_userset_and_no_other_resource() {
    let history = history(&["team:all#member@user:*", "record:1#reader@team:all#member"]);
    decides(
        &history,
        "record:1#reader@user:unheard-of",
        "{}",
        NOW,
        Allow,
    );
    decides(&history, "team:all#member@user:*", "{}", NOW, Allow);
    decides(&history, "record:1#reader@record:9", "{}", NOW, Deny);
    decides(&history, "team:all#member@did:key:z", "{}", NOW, Deny);
    decides(
        &history,
        "team:all#member@team:other#member",
        "{}",
        NOW,
        Deny,
    );
    decides(&history, "team:all#member@*", "{}", NOW, Deny);
}

#[test]
fn an_arrow_that_needs_all_needs_one_at_least() {
    let history = history(&[
        "record:1#parent@org/folder:f",
        "record:1#parent@org/folder:g",
        "record:2#parent@org/folder:f",
        "record:3#parent@org/folder:f",
        r#"record:3#parent@org/folder:f2 with on-shift {"ward":"b"}"#,
        "record:4#parent@org/folder:f",
        "record:4#parent@org/folder:g with expiration 2020-01-01T00:00:00Z",
        "record:5#parent@org/folder:f",
        "record:5#parent@org/folder:f2 with on-shift",
        "org/folder:f#viewer@user:ann",
        "org/folder:f2#viewer@user:ann",
    ]);
    for (record, expected) in [
        (1, Deny),
        (2, Allow),
        // A condition that does not hold does not grant.
        (3, Deny),
        // What has expired is not there.
        (4, Allow),
        (5, Conditional),
        (6, Deny),
    ] {
        let question = format!("record:{record}#all@user:ann");
        decides(&history, &question, "{}", NOW, expected);
    }
}

#[test]
fn a_relation_with_an_expression_means_by_its_name_what_is_recorded() {
    let history = history(&[
        "record:1#reader@user:ann",
        "record:1#reader@user:bob",
        "record:1#can-audit@user:cid",
        "record:1#banned@user:bob",
        "record:1#parent@org/folder:f",
        "org/folder:f#viewer@user:cid",
    ]);
    for (question, expected) in [
        ("reader@user:ann", Allow),
        ("reader@user:bob", Deny),
        ("reader@user:cid", Allow),
        ("computed@user:cid", Allow),
        ("computed@user:ann", Deny),
        ("itself@record:1", Allow),
        ("itself@record:2", Deny),
        ("nobody@user:ann", Deny),
    ] {
        decides(
            &history,
            &format!("record:1#{question}"),
            "{}",
            NOW,
            expected,
        );
    }
    let policy = Policy::parse(CLINIC).unwrap();
    let refused = |text: &str| {
        let relationship: Relationship = text.parse().unwrap();
        policy.admits(&relationship).unwrap_err().to_string()
    };
    assert!(refused("record:1#computed@user:ann").contains("computed from others"));
    assert!(refused("record:1#can_view@user:ann").contains("is a permission"));
    assert!(refused("team:1#owner@team:1").contains("does not allow team"));
    assert!(
        refused("team:1#member@user:a with expiration 2027-01-01T00:00:00Z")
            .contains("does not allow user with expiration")
    );
    assert!(refused("team:1#member@user:a with onshift").contains("did you mean \"on-shift\""));
    assert!(refused(r#"team:1#member@user:a with on-shift {"war":"a"}"#).contains("did you mean"));
}

#[test]
fn a_condition_that_fails_is_no_answer_unless_something_else_decides() {
    let history = history(&[
        r#"org/folder:f#viewer@user:ann with ratio {"b":0}"#,
        "record:1#parent@org/folder:f",
        "record:2#parent@org/folder:f",
        "record:2#parent@org/folder:g",
        "org/folder:g#viewer@user:ann",
    ]);
    let failed = ask(&history, "record:1#can_view@user:ann", r#"{"a":1}"#, NOW).unwrap_err();
    assert!(failed.to_string().contains("divides by zero"), "{failed}");
    decides(
        &history,
        "record:2#can_view@user:ann",
        r#"{"a":1}"#,
        NOW,
        Allow,
    );
}

#[test]
fn what_the_language_does_not_mean_is_refused() {
    for (from, to, expected) in [
        (
            "expr: parent&->viewer",
            "expr: reader->member",
            "defines no relation or permission \"member\"",
        ),
        ("expr: a / b > 1", "expr: a / b", "line 12"),
        ("expr: a / b > 1", "expr: a / c > 1", "c"),
        (
            "user with ratio",
            "user with ration",
            "did you mean \"ratio\"",
        ),
        (
            "user with ratio",
            "user with ratio and on-shift",
            "more than one condition",
        ),
        (
            "- name: ratio",
            "- name: expiration",
            "already means the expiry",
        ),
        (
            "implicit_owner: false",
            "implicit_owner: perhaps",
            "`true` or `false`",
        ),
        (
            "implicit_owner: false",
            "implicit_onwer: false",
            "did you mean \"implicit_owner\"",
        ),
        ("implicit_owner: false\n", "\n", "`owner` holds actors only"),
        (
            "expr: reader + `can-audit` - banned",
            "expr: reader + can-audit - banned",
            "defines no relation or permission \"can\"",
        ),
        (
            "expr: reader & can_view",
            "types: [user]\n    expr: reader & can_view",
            "never names",
        ),
        // Left of an arrow a name means recorded members, but does not make the relation record any.
        (
            "expr: reader + `can-audit` - banned",
            "expr: reader->member + `can-audit`",
            "never names",
        ),
        (
            "expr: reader & can_view",
            "expr: computed->can_view",
            "records nobody itself",
        ),
        ("a: int, b: int", "a: int, b: integer", "integer"),
        (
            "types: [user, team->member, \"user:*\"",
            "types: [user, team->member, \"usr:*\"",
            "did you mean \"user\"",
        ),
        (
            "- name: nobody",
            "- name: nobody\n- name: late\n  relations:\n  - name: r\n    types: [record->nobody]",
            "can never match",
        ),
        (
            "types: [org/folder,",
            "types: [\"org/folder:*\", org/folder,",
            "would lead to all of them",
        ),
    ] {
        let text = CLINIC.replacen(from, to, 1);
        assert_ne!(text, CLINIC, "{from}");
        let error = Policy::parse(&text).map(|_| ()).expect_err(to).to_string();
        assert!(
            error.contains(expected),
            "{to}\ngave     {error}\nexpected {expected}"
        );
    }
}

#[test]
fn what_nobody_can_have_is_warned_about() {
    let warnings = Policy::parse(CLINIC).unwrap().warnings();
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("nobody can ever have \"nobody\" of \"record\""));
}

#[test]
fn what_holds_nobody_takes_no_value_of_what_asks_it() {
    let text = "
implicit_owner: false
resources:
- name: record
  relations:
  - name: reader
  permissions:
  - name: nobody
  - name: read
    expr: reader & nobody
  - name: write
    expr: reader - nobody
";
    let fact = "record:1#reader@did:key:z".parse().unwrap();
    let history = History::of(Policy::parse(text).unwrap(), &[fact]).unwrap();
    decides(&history, "record:1#read@did:key:z", "{}", NOW, Deny);
    decides(&history, "record:1#write@did:key:z", "{}", NOW, Allow);
}

/// A scope stands there without terms, so only a bare entry makes room for it.
#[test]
fn a_scope_is_admitted_by_a_bare_entry_alone() {
    for (types, expected) in [
        ("[org/folder]", true),
        ("[user, org/folder, \"org/folder with expiration\"]", true),
        ("[\"org/folder with expiration\"]", false),
        ("[\"org/folder with on-shift\"]", false),
        ("[\"org/folder:*\"]", false),
        ("[org/folder->viewer]", false),
        ("[user]", true),
        ("[actor]", false),
    ] {
        let relation = format!("  - name: scope\n    types: {types}\n  - name: can-audit\n");
        let text = CLINIC.replace("  - name: can-audit\n", &relation);
        let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{types}: {error}"));
        let allowed = policy.relation_allows_objects("record", "scope");
        assert_eq!(allowed, expected, "{types}");
    }
}
