//! Lookups of objects beyond what random worlds reach: longer than one round of looking, over more
//! nodes than one mark has room for, and over policies that are made to cost much.

use policy::{
    check, lookup_objects, Circumstances, History, Limits, Policy, Question, Relationship, Subject,
};

use crate::random::Random;

fn history(policy: &str, facts: &[String]) -> History {
    let policy = Policy::parse(policy).unwrap();
    let facts: Vec<Relationship> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    History::of(policy, &facts).unwrap()
}

fn id(at: usize) -> String {
    format!("{at:06}")
}

/// Lists documents in pages and asks about each of `count`; gives the steps of all pages.
fn listed_as_checked(history: &History, who: &str, permission: &str, count: usize) -> u64 {
    let view = history.at(0).unwrap();
    let subject: Subject = who.parse().unwrap();
    let now = Circumstances::default();
    let (mut allowed, mut steps) = (vec![], 0);
    let mut after: Option<String> = None;
    loop {
        let page = lookup_objects(
            &view,
            &subject,
            permission,
            "doc",
            &now,
            Limits::LOOKUP,
            after.as_deref(),
            5_000,
        );
        let page = page.unwrap();
        assert!(page.conditional.is_empty());
        assert!(page.next.is_none() || page.allowed.len() == 5_000);
        allowed.extend(page.allowed.into_iter().map(String::from));
        steps += page.steps;
        match page.next {
            None => break,
            Some(next) => after = Some(next.into_owned()),
        }
    }
    let expected = (0..count).map(id).filter(|id| {
        let question = Question {
            object: format!("doc:{id}").parse().unwrap(),
            permission: permission.into(),
            subject: subject.clone(),
        };
        let answer = check(&view, &question, &now, Limits::CONSENSUS);
        answer.unwrap().is_allow()
    });
    let expected: Vec<String> = expected.collect();
    assert!(allowed == expected, "{who} {permission}");
    steps
}

const DOCUMENTS: &str = "
implicit_owner: false
resources:
- name: group
  relations:
  - name: member
    types: [actor, group->member]
- name: folder
  relations:
  - name: viewer
    types: [actor, group->member]
  permissions:
  - name: view
    expr: viewer
- name: doc
  relations:
  - name: reader
    types: [actor, group->member]
  - name: editor
    types: [actor, group->member]
  - name: parent
    types: [folder]
  - name: above
    types: [doc]
  - name: banned
    types: [actor]
  permissions:
  - name: one
    expr: reader
  - name: two
    expr: one
  - name: three
    expr: two - banned
  - name: both
    expr: three & editor
  - name: turned
    expr: editor & three
  - name: arrow
    expr: parent->view & two
  - name: chain
    expr: above->chain + reader
  - name: any
    expr: both + arrow + chain
";

/// A round of looking ends within chains of permissions, within lists and behind arrows, and the next
/// one goes on there.
#[test]
fn what_takes_many_rounds_is_complete() {
    const COUNT: usize = 9_000;
    let mut facts = vec![
        "group:g#member@did:u:x".to_owned(),
        "group:h#member@group:g#member".to_owned(),
        "folder:f#viewer@group:h#member".to_owned(),
    ];
    for at in 0..COUNT {
        let mut add = |fact: &str| facts.push(format!("doc:{}#{fact}", id(at)));
        match at % 2 {
            0 => add("reader@did:u:x"),
            _ => add("reader@group:h#member"),
        }
        if at % 3 == 0 {
            add("banned@did:u:x");
        }
        if at % 5 != 0 {
            add("editor@group:g#member");
        }
        if at % 7 != 0 {
            add("parent@folder:f");
        }
        if at % 11 == 0 && at > 0 {
            add(&format!("above@doc:{}", id(at - 1)));
        }
    }
    let history = history(DOCUMENTS, &facts);
    for permission in [
        "reader", "one", "two", "three", "both", "turned", "arrow", "chain", "any",
    ] {
        for who in ["did:u:x", "group:g#member"] {
            let steps = listed_as_checked(&history, who, permission, COUNT);
            assert!(steps > 4_096, "one round suffices: {steps} steps");
        }
    }
}

#[test]
fn what_has_many_names_is_told_apart() {
    let mut text = String::from("implicit_owner: false\nresources:\n- name: doc\n  relations:\n");
    for at in 0..100 {
        text += &format!("  - name: r{at}\n    types: [actor]\n");
    }
    text += "  permissions:\n";
    for at in 0..60 {
        let [a, b, c] = [32, 64, 1].map(|more| (at + more) % 100);
        text += &format!("  - name: p{at}\n    expr: r{at} & r{a} + r{b} - r{c}\n");
    }
    let mut random = Random::new(5);
    let mut facts = vec![];
    for object in 0..30 {
        for relation in (0..100).filter(|_| random.chance(40)) {
            facts.push(format!("doc:{}#r{relation}@did:u:x", id(object)));
        }
    }
    let history = history(&text, &facts);
    for at in 0..60 {
        listed_as_checked(&history, "did:u:x", &format!("p{at}"), 30);
    }
}

/// One relation with many types, and many permissions that say the same arrow over it many times: what
/// is looked at is counted, so the bound on steps bounds the time.
#[test]
fn what_is_looked_at_is_counted() {
    const KINDS: usize = 120;
    let name = |at: usize| format!("m{at}");
    let types: String = (0..KINDS)
        .map(|at| format!(", 'doc->{}'", name(at)))
        .collect();
    let mut text = format!(
        "implicit_owner: false\nresources:\n- name: doc\n  relations:\n  - name: r\n    types: [actor]\n\
         \x20 - name: a\n    types: [doc{types}]\n"
    );
    for at in 0..KINDS {
        text += &format!("  - name: {}\n    types: [actor]\n", name(at));
    }
    let permissions: String = (0..60).map(|at| format!(" + p{at}")).collect();
    text += &format!("  permissions:\n  - name: x\n    expr: r{permissions}\n");
    let same = ["a->x"; 126].join(" + ");
    for at in 0..60 {
        text += &format!("  - name: p{at}\n    expr: {same}\n");
    }
    let facts: Vec<String> = (0..20)
        .map(|at| format!("doc:{}#r@did:u:x", id(at)))
        .collect();
    let steps = listed_as_checked(&history(&text, &facts), "did:u:x", "x", facts.len());
    assert!(steps as usize > facts.len() * KINDS, "{steps}");
    // Twice the objects, twice the steps: nothing is looked at again that was known.
    let more: Vec<String> = (0..40)
        .map(|at| format!("doc:{}#r@did:u:x", id(at)))
        .collect();
    let twice = listed_as_checked(&history(&text, &more), "did:u:x", "x", more.len());
    assert!(twice < 2 * steps, "{steps} and {twice}");
}
