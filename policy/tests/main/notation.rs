//! The notation of theorems and of relationship lists: what is read, and what is refused where.

use policy::{Circumstances, Limits, Policy, RelationshipList, Theorems};

use crate::{
    mutate::mutate,
    random::{rounds, seed, Random},
};

fn errors(text: &str) -> Vec<String> {
    let errors = Theorems::parse(text).map_or_else(|errors| errors, |_| vec![]);
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn every_theorem_of_the_notation_is_read_with_its_place() {
    let text = r#"
    // comments and white space mean nothing
    ImpliedRelations { document:x#write => document:x#read // as acp_core has it
      !document:x#banned
      document:*#manage(reader) => document:*#owner
      (document:x#a + document:x#b) & !!document:x#c => !(document:x#d & document:x#e)
      document:x#read@user:u => document:x#see@user:u
    }
    Authorizations {
      document:1#read@did:user:a !document:"1/§2".replace
    }
    "#
    .replace(
        "\"1/§2\".replace",
        "\"1,2=+\"#read@group:g#member document:2#read @ *",
    );
    let theorems = Theorems::parse(&text).unwrap();
    let texts: Vec<&str> = theorems
        .statements
        .iter()
        .map(|statement| statement.source.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "document:x#write => document:x#read",
            "!document:x#banned",
            "document:*#manage(reader) => document:*#owner",
            "(document:x#a + document:x#b) & !!document:x#c => !(document:x#d & document:x#e)",
            "document:x#read@user:u => document:x#see@user:u",
        ]
    );
    let asked: Vec<(bool, String, usize)> = theorems
        .authorizations
        .iter()
        .map(|a| (a.allowed, a.question.to_string(), a.source.position.line))
        .collect();
    assert_eq!(
        asked,
        [
            (true, "document:1#read@did:user:a".to_string(), 10),
            (false, "document:1,2=+#read@group:g#member".into(), 10),
            (true, "document:2#read@*".into(), 10),
        ]
    );
    assert_eq!(
        theorems.statements[2].formula.names(),
        ["manage(reader)", "owner"]
    );
    assert_eq!(Theorems::parse(""), Ok(Theorems::default()));
    assert_eq!(
        Theorems::parse("Authorizations {} Delegations {}"),
        Ok(Theorems::default())
    );
}

#[test]
fn operators_of_statements_bind_alike_and_to_the_left() {
    let value = |text: &str, true_names: &str| {
        let theorems = Theorems::parse(&format!("ImpliedRelations {{ {text} }}")).unwrap();
        theorems.statements[0]
            .formula
            .value(|name| Some(true_names.contains(name)))
    };
    let formula = "r:x#a + r:x#b & r:x#c";
    assert_eq!(value(formula, "a"), Some(false));
    assert_eq!(value(formula, "ac"), Some(true));
    assert_eq!(value("r:x#a + (r:x#b & r:x#c)", "a"), Some(true));
    assert_eq!(value("!(r:x#a + r:x#b) & r:x#c", "c"), Some(true));
    assert_eq!(value("!r:x#a + r:x#b", ""), Some(true));
    assert_eq!(value("r:x#a => r:x#b", "a"), Some(false));
    assert_eq!(value("r:x#a => r:x#b", ""), Some(true));
    assert_eq!(value("r:x#a & r:x#b => !r:x#c", "abc"), Some(false));
}

#[test]
fn all_errors_of_a_text_are_told_with_their_places() {
    let text = "Authorizations {
  document:1#read@did:user:a
  document:1#read
  document:1#x#9@did:user:a
  document:1#read@did:
  document:1#read@did:user:b
  document:1,2#read@did:user:b
  document:\"1#read@did:user:b
}
Delegation { did:user:a > document:1#reader }
Delegations {
  did:user:a > document:1
  user:a > document:1#reader
  did:user:a document:1#reader
}
ImpliedRelations {
  document:x#write => document:y#read
  document:x#write => folder:x#read
  document:x#write => document:x#read => document:x#see
  document:x#write & => document:x#read
  (document:x#write + document:x#read
  document:#write => document:#read
  document:x#write@did:user:a => document:x#read
  document:x#read@user:u => document:x#see@user:v
}
Authorizations { }
Delegations {";
    assert_eq!(
        errors(text),
        [
            "line 3, column 18: `@` belongs here, behind a relation or permission",
            "line 4, column 15: `@` belongs here, behind a relation or permission",
            "line 5, column 19: \"did:\" is no actor: use a DID such as did:key:z6Mk…, at most 256 visible ASCII characters without '#' and '@'",
            "line 7, column 13: ',' has no meaning here; put an id that holds it in double quotes",
            "line 8, column 12: the quote does not close on this line; add the second one",
            "line 10, column 1: there is no block \"Delegation\"; did you mean \"Delegations\"? (there are Authorizations, Delegations, ImpliedRelations)",
            "line 12, column 26: `#` belongs here, behind an object",
            "line 13, column 3: \"user:a\" is no actor: use a DID such as did:key:z6Mk…, at most 256 visible ASCII characters without '#' and '@'",
            "line 14, column 14: `>` belongs here, behind an actor",
            "line 17, column 23: all parts of a statement speak of one object and one subject, here of document:x and every actor",
            "line 18, column 23: all parts of a statement speak of one object and one subject, here of document:x and every actor",
            "line 19, column 39: a second `=>`: write two statements",
            "line 20, column 22: an object belongs here, such as document:1",
            "line 21, column 38: `)` belongs here, behind a formula in parentheses, or `&`, or `+`",
            "line 22, column 3: a word belongs behind `document:`, such as document:x; it stands for an object, whichever it is",
            "line 23, column 20: a statement speaks of every actor where it names no subject; leave this one out",
            "line 24, column 29: all parts of a statement speak of one object and one subject, here of document:x and user:u",
            "line 26, column 1: `Authorizations` stands here for the second time; write these theorems into the first block",
            "line 27, column 1: `Delegations` stands here for the second time; write these theorems into the first block",
        ]
    );
}

#[test]
fn hostile_texts_are_refused_in_time() {
    for text in [
        "Authorizations {".repeat(40_000),
        format!("ImpliedRelations {{ {}a:x#b }}", "!".repeat(900_000)),
        format!("ImpliedRelations {{ {}a:x#b }}", "(".repeat(900_000)),
        format!("ImpliedRelations {{ a:x#b {} }}", "+ a:x#b".repeat(100_000)),
        "\"\n".repeat(400_000),
        "{}".repeat(400_000),
        "}".repeat(400_000),
        "§".repeat(400_000),
        "a".repeat(2_000_000),
    ] {
        let found = errors(&text);
        assert!(!found.is_empty() && found.len() <= policy::limits::THEOREM_ERRORS_MAX);
        let found = RelationshipList::parse(&text).unwrap_err();
        assert!(!found.is_empty() && found.len() <= policy::limits::THEOREM_ERRORS_MAX);
    }
}

#[test]
fn texts_that_are_nearly_right_are_read_or_refused() {
    let theorems = "Authorizations { document:1#read@did:user:a !document:\"a,b\"#manage(r)@g:1#m }
        // comment\nDelegations { !did:user:w > document:1#reader }
        ImpliedRelations { !(a:x#b@u:y + !a:x#c@u:y) & a:x#d@u:y => a:x#b@u:y }";
    let list = "// all\ndocument:1#owner@did:user:o // there
        document:\"x@y\"#reader@group:\"x\"#member with late {\"a\":\"//\\\"\"} and expiration 2027-01-01T00:00:00Z";
    assert!(Theorems::parse(theorems).is_ok());
    assert_eq!(RelationshipList::parse(list).unwrap().0.len(), 2);
    let seed = seed();
    let (mut read, mut refused) = (0, 0);
    for round in 0..rounds(3_000) {
        let random = &mut Random::new(seed.wrapping_add(round));
        let text = mutate(random, theorems);
        match Theorems::parse(&text) {
            Ok(found) => {
                read += 1;
                let all = found.authorizations.len() + found.delegations.len();
                assert!(all + found.statements.len() <= 12, "{text}");
            }
            Err(errors) => {
                refused += 1;
                let lines = text.lines().count().max(1);
                let known = |line: usize| (1..=lines).contains(&line);
                assert!(errors.iter().all(|e| known(e.position.line)), "{text}");
            }
        }
        let _ = RelationshipList::parse(&mutate(random, list));
    }
    println!("mutated theorems: {read} read, {refused} refused");
}

const POLICY: &str = "
resources:
- name: document
  relations:
  - name: reader
    types: [actor, group->member]
  - name: writer
    types: [actor]
    manages: [reader]
  permissions:
  - name: read
    expr: reader + writer
- name: group
  relations:
  - name: member
";

#[test]
fn lists_make_worlds_and_theorems_are_asked_of_them() {
    let list = RelationshipList::parse(
        "// owners too\n document:1#owner@did:user:o // there\ndocument:1#reader@group:\"x\"#member
group:x#owner@did:user:o\n\ngroup:x#member@did:user:a\ndocument:\"1\"#writer@did:user:w",
    )
    .unwrap();
    let policy = Policy::parse(POLICY).unwrap();
    let changes = list.changes(&policy, None).unwrap();
    let mut history = policy::History::new();
    let revision = policy::Revision {
        revision: 0,
        height: 1,
        time_seconds: 0,
        time_nanos: 0,
    };
    history.apply(revision, &changes).unwrap();
    let view = history.at(0).unwrap();
    let theorems = Theorems::parse(
        "Authorizations { document:1#read@did:user:a !document:1#writer@did:user:a document:1#read@did:user:x
            document:1#raed@did:user:a document:1#manage(reader)@did:user:w }
         Delegations { did:user:w > document:1#reader  did:user:a > document:1#reader }",
    )
    .unwrap();
    let verdicts: Vec<String> = theorems
        .evaluate(&view, &Circumstances::default(), Limits::CONSENSUS)
        .iter()
        .map(|result| result.verdict.to_string())
        .collect();
    assert_eq!(
        verdicts,
        [
            "holds",
            "holds",
            "fails: document:1#read@did:user:x: expected allow, got deny",
            "could not decide: resource \"document\" defines no permission or relation \"raed\"; did you mean \"read\"?",
            "holds",
            "holds",
            "fails: document:1#manage(reader)@did:user:a: expected allow, got deny",
        ]
    );
}

#[test]
fn lists_that_the_policy_does_not_admit_are_refused_whole() {
    let text = "document:1#owner@did:user:o
document:1#owner@did:user:p
document:1#reader@document:1
document:2#reader@did:user:a
folder:1#owner@did:user:o
document:1#read@did:user:a";
    let policy = Policy::parse(POLICY).unwrap();
    let list = RelationshipList::parse(text).unwrap();
    let errors = list.changes(&policy, None).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "line 2, column 1: document:1 has an owner already",
            "line 3, column 1: relation \"reader\" of resource \"document\" does not allow document; it allows actor, group->member",
            "line 4, column 1: document:2 has no owner; add the line document:2#owner@did:…",
            "line 5, column 1: the policy defines no resource \"folder\"",
            "line 6, column 1: \"read\" of resource \"document\" is a permission; set a relation that it is computed from",
        ]
    );
    let errors =
        RelationshipList::parse("a\nx:\"1#r@did:user:a\n x:\"a#b\"#r@did:user:a").unwrap_err();
    let places: Vec<(usize, usize)> = errors
        .iter()
        .map(|error| (error.position.line, error.position.column))
        .collect();
    assert_eq!(places, [(1, 1), (2, 1), (3, 2)]);
}
