//! Statements about every set of relationships, decided as by hand.

use policy::{Policy, Theorems, Verdict};

/// Decides the statements of a text.
fn decide(policy: &Policy, text: &str) -> Vec<Verdict> {
    let theorems = Theorems::parse(&format!("ImpliedRelations {{\n{text}\n}}"));
    let statements = theorems.unwrap().statements;
    statements
        .iter()
        .map(|statement| statement.decide(policy).verdict)
        .collect()
}

/// Each line of `text` is a statement and, behind `|`, the beginning of its verdict.
fn expect(policy: &str, text: &str) {
    let policy = Policy::parse(policy).unwrap();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (statement, expected) = line.split_once('|').unwrap();
        let verdict = decide(&policy, statement).remove(0).to_string();
        assert!(
            verdict.starts_with(expected.trim()),
            "{statement}\n expected {expected}\n got {verdict}"
        );
    }
}

const CLINIC: &str = "
resources:
- name: document
  relations:
  - name: reader
    types: [actor, '*', group->member]
  - name: writer
    types: [actor]
    manages: [reader]
  - name: banned
    types: [actor, group->member]
  - name: parent
    types: [folder]
  permissions:
  - name: write
    expr: writer + parent->write
  - name: read
    expr: writer + reader + parent->read
  - name: see
    expr: (reader + write) - banned
  - name: delete
  - name: none
    expr: writer - writer
  - name: circle
    expr: writer - circle
- name: folder
  relations:
  - name: reader
    types: [actor, group->member]
  - name: writer
    types: [actor, group->member]
  - name: parent
    types: [folder]
  permissions:
  - name: write
    expr: writer + parent->write
  - name: read
    expr: reader + write + parent->read
  - name: loose
    expr: writer + parent->read
- name: group
  relations:
  - name: member
    types: [actor, group->member]
";

#[test]
fn statements_are_decided_as_by_hand() {
    expect(
        CLINIC,
        "document:x#write => document:x#read | holds
         document:x#read => document:x#write | fails: document:x#read@did:example:anyone is allow, document:x#write@did:example:anyone is deny with document:x#reader@did:example:anyone
         document:x#delete => document:x#owner | holds
         document:x#owner => document:x#delete & document:x#see & document:x#read | holds
         document:x#manage(reader) => document:x#write | holds
         document:x#manage(banned) => document:x#owner | holds
         document:x#see => !document:x#banned | fails: document:x#banned@did:example:anyone is allow, document:x#see@did:example:anyone is allow with document:x#banned@did:example:anyone, document:x#owner@did:example:anyone
         document:x#see & !document:x#owner => !document:x#banned | holds
         !(document:x#see & document:x#banned) + document:x#owner | holds
         document:x#see => document:x#read | holds
         document:x#none => document:x#owner | holds
         !document:x#none | fails: document:x#none@did:example:anyone is allow with document:x#owner@did:example:anyone
         document:x#circle => document:x#owner | holds
         document:x#writer => document:x#circle | fails
         document:x#reader + !document:x#reader | holds
         document:x#reader | fails: document:x#reader@did:example:anyone is deny with no relationships at all
         folder:x#write => folder:x#loose | holds
         folder:x#loose => folder:x#write | fails: folder:x#loose@did:example:anyone is allow, folder:x#write@did:example:anyone is deny with folder:1#reader@did:example:anyone, folder:x#parent@folder:1
         folder:x#loose => folder:x#read | holds
         folder:x#read => folder:x#write + folder:x#reader | fails
         group:x#member => group:x#owner | fails
         dokument:x#read | could not decide: the policy defines no resource \"dokument\"; did you mean \"document\"?
         document:x#raed | could not decide: resource \"document\" defines no relation or permission \"raed\"; did you mean \"read\"?",
    );
}

#[test]
fn permissions_that_can_never_be_true_are_warned_about() {
    let policy = "
resources:
- name: user
  relations:
  - name: friend
    types: [user]
- name: document
  relations:
  - name: a
    types: [actor]
  - name: b
    types: [actor, document->nobody]
  - name: parent
    types: [document]
  - name: known
    types: [user]
  permissions:
  - name: mine
  - name: also_mine
    expr: owner
  - name: nobody
    expr: a & b - a
  - name: somebody
    expr: a & b
  - name: above
    expr: parent->nobody - a
  - name: chain
    expr: parent->chain
  - name: both
    expr: chain + somebody
  - name: users
    expr: known
  - name: owned
    expr: (a - a) + (owner & a)
";
    let warnings = Policy::parse(policy).unwrap().warnings();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["line 21, column 11: nobody but the owner can ever have \"nobody\" of \"document\", whatever is recorded"],
        "the owner of a parent is not the owner, and users are subjects too"
    );
}
