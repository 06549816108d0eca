//! Reasons must be reasons: what is cited stands and suffices, what is said to be needed allows.

use std::collections::BTreeSet;

use policy::{
    check, explain,
    explain::{Explanation, Fact, Why},
    Circumstances, History, Limits, Overlay, Policy, Question, Relationship, Relationships,
};

use crate::{
    agreement::{Scene, GENEROUS},
    cast::{ask, circumstances, question, relationship, relationships, when, Asked},
    naive::Naive,
    oracle::{Answers, Facts, Schema, When, World},
    random::{rounds, seed, Random},
    told::Told,
};

/// A world in which only these relationships stand.
pub fn only(world: &World, kept: &[Relationship]) -> World {
    let mut facts = Facts::new();
    for (place, members) in &world.facts {
        for (who, terms) in members {
            if kept.contains(&relationship(&place.0, &place.1, who, terms)) {
                let here = facts.entry(place.clone()).or_default();
                here.insert(who.clone(), terms.clone());
            }
        }
    }
    World {
        facts,
        ..world.clone()
    }
}

fn one_question(random: &mut Random, scene: &Scene, counts: &mut Counts) {
    let at = random.below(scene.past.len());
    let world = &scene.past[at].0;
    let (asked, when) = (ask(random, &scene.schema, &scene.cast, world), when(random));
    let (question, circumstances) = (question(&asked), circumstances(&when));
    let _told = Told(|| format!("{question} {when:?}\n{}\n{world:#?}", scene.text));
    let view = scene.history.at(at as u64).unwrap();
    let answer = check(&view, &question, &circumstances, GENEROUS);
    let explanation = explain(&view, &question, &circumstances, GENEROUS);
    let explanation = match (explanation, answer) {
        (Err(error), answer) => return assert_eq!(Err(error), answer),
        (Ok(explanation), answer) => {
            assert_eq!(Ok(&explanation.answer), answer.as_ref());
            explanation
        }
    };
    if scene.cast.actors.len() <= 4 {
        let naive = Naive::new(&scene.policy, world);
        let same = explain(&naive, &question, &circumstances, GENEROUS).unwrap();
        assert_eq!(same, explanation, "names decide, not handles");
    }
    let _told = Told(|| format!("{explanation}"));
    let case = Case {
        relationships: &view,
        circumstances: &circumstances,
        schema: &scene.schema,
        when: &when,
        all: &relationships(&world.facts),
        only: &|kept| only(world, kept),
    };
    stands_up(&case, &explanation, &asked, counts);
    if let Why::Allowed { is_shortest, .. } = explanation.why {
        assert!(is_shortest && explanation.is_all);
    }
}

/// What an explanation is held against.
pub struct Case<'a> {
    pub relationships: &'a dyn Relationships,
    pub circumstances: &'a Circumstances,
    pub schema: &'a Schema,
    pub when: &'a When,
    /// What stands.
    pub all: &'a [Relationship],
    /// The world in which only some of that stands.
    pub only: &'a dyn Fn(&[Relationship]) -> World,
}

/// What is cited stands and suffices, what is said to be needed allows and is needed.
pub fn stands_up(case: &Case<'_>, explanation: &Explanation, asked: &Asked, counts: &mut Counts) {
    match &explanation.why {
        Why::Allowed { reason, .. } => {
            counts.allowed += 1;
            assert_eq!(reason[0].level, 0);
            for pair in reason.windows(2) {
                assert!(pair[1].level <= pair[0].level + 1 && pair[1].level > 0);
            }
            let mut kept = vec![];
            let mut subtracts = false;
            for because in reason {
                match &because.fact {
                    Fact::Stands(one) => {
                        assert!(case.all.contains(one), "{one} does not stand");
                        kept.push(one.clone());
                    }
                    Fact::Without { .. } => subtracts = true,
                    _ => {}
                }
            }
            // Under `&->` those that are left out would have been asked for as well, and are cited. What
            // is subtracted may itself subtract what was left out.
            if subtracts {
                return;
            }
            let world = (case.only)(&kept);
            let answers = Answers::new(case.schema, &world, case.when, &asked.who, &asked.object);
            let value = answers.value(&asked.object, &asked.name);
            assert_eq!(value, 2, "what is cited does not suffice");
            counts.cited_max = counts.cited_max.max(kept.len());
        }
        Why::Denied {
            needed,
            is_minimal,
            excluded,
            tried,
        } => {
            assert!(!tried.is_empty() || asked.name == "owner");
            assert!(needed.is_empty() || excluded.is_empty());
            if needed.is_empty() || needed.iter().any(|one| !one.traits.is_empty()) {
                return;
            }
            counts.needed += 1;
            counts.needed_max = counts.needed_max.max(needed.len());
            let allows = |without: Option<usize>| {
                let mut added: Vec<Relationship> =
                    needed.iter().map(|one| one.relationship.clone()).collect();
                without.map(|at| added.remove(at));
                let overlay = Overlay::new(&case.relationships, &added).unwrap();
                let question = &explanation.question;
                let answer = check(&overlay, question, case.circumstances, GENEROUS);
                answer.is_ok_and(|answer| answer.is_allow())
            };
            assert!(allows(None), "what is needed does not allow");
            assert!(is_minimal);
            for left_out in 0..needed.len() {
                assert!(!allows(Some(left_out)), "more is needed than allows");
            }
        }
        Why::Conditional { lacking } => {
            counts.conditional += 1;
            let names: BTreeSet<&String> = lacking.iter().flat_map(|one| &one.missing).collect();
            let missing: BTreeSet<&String> = explanation.answer.missing.iter().collect();
            assert!(names == missing || !explanation.is_all);
            for one in lacking {
                assert!(case.all.contains(&one.relationship));
            }
        }
    }
}

/// How many explanations were of which kind, and the longest.
#[derive(Debug, Default)]
pub struct Counts {
    allowed: u64,
    needed: u64,
    conditional: u64,
    cited_max: usize,
    needed_max: usize,
}

#[test]
fn reasons_suffice_and_needs_allow() {
    let seed = seed();
    let mut counts = Counts::default();
    for round in 0..rounds(60) {
        let seed = seed.wrapping_add(round);
        let _told = Told(|| format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1"));
        let mut random = Random::new(seed);
        if let Some(scene) = Scene::new(&mut random) {
            for _ in 0..12 {
                one_question(&mut random, &scene, &mut counts);
            }
        }
    }
    println!("{counts:?}");
}

const FILES: &str = "
conditions:
- name: on-duty
  parameters: {ward: string}
  expr: ward == \"a\"
resources:
- name: document
  relations:
  - name: parent
    types: [folder]
  - name: reader
    types: [actor, 'group->member', 'actor with on-duty', 'actor with expiration']
  - name: banned
    types: [actor, 'group->member']
  permissions:
  - name: read
    expr: (reader + parent->view) - banned
- name: folder
  relations:
  - name: parent
    types: [folder]
  - name: viewer
    types: ['group->member']
  permissions:
  - name: view
    expr: viewer + parent->view
- name: group
  relations:
  - name: member
    types: [actor, 'group->member']
";

#[track_caller]
fn reads(facts: &[&str], question: &str, expected: &str) {
    let facts: Vec<Relationship> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    let history = History::of(Policy::parse(FILES).unwrap(), &facts).unwrap();
    let view = history.at(0).unwrap();
    let asked: Relationship = question.parse().unwrap();
    let question = Question {
        object: asked.object,
        permission: asked.relation.to_string(),
        subject: asked.subject,
    };
    let now = Circumstances::at("2026-11-20T10:00:00Z".parse().unwrap());
    let explanation = explain(&view, &question, &now, Limits::CONSENSUS).unwrap();
    let text = explanation.to_string();
    assert_eq!(text, expected, "{text}");
}

const FACTS: [&str; 10] = [
    "document:1#parent@folder:a",
    "document:1#reader@group:eng#member",
    "document:1#banned@group:fired#member",
    "document:1#reader@did:key:zDan with expiration 2026-01-01T00:00:00Z",
    "document:1#reader@did:key:zEve with on-duty",
    "folder:a#parent@folder:root",
    "folder:root#viewer@group:all#member",
    "group:all#member@group:eng#member",
    "group:eng#member@did:key:zAnn",
    "group:fired#member@did:key:zBob",
];

#[test]
fn the_shortest_reason_is_told() {
    reads(
        &FACTS,
        "document:1#read@did:key:zAnn",
        "\
did:key:zAnn has read on document:1
  document:1#read
    document:1#reader
      document:1#reader@group:eng#member
        group:eng#member
          group:eng#member@did:key:zAnn
    and not banned on document:1
",
    );
}

#[test]
fn what_would_be_needed_is_told() {
    reads(
        &FACTS,
        "document:1#read@did:key:zCid",
        "\
did:key:zCid does not have read on document:1
  it would take
    document:1#reader@did:key:zCid
  tried
    document:1#read: no
      document:1#reader: not among its members
        group:eng#member: not among its members
      folder:a#view: no
        folder:a#viewer: not among its members
        folder:root#view: no
          folder:root#viewer: not among its members
            group:all#member: not among its members
              group:eng#member: no, as shown
          folder:root#parent: leads nowhere
",
    );
    reads(
        &FACTS,
        "document:1#read@did:key:zDan",
        "\
did:key:zDan does not have read on document:1
  it would take
    document:1#reader@did:key:zDan
  tried
    document:1#read: no
      document:1#reader: not among its members
        document:1#reader@did:key:zDan with expiration 2026-01-01T00:00:00Z: has expired
        group:eng#member: not among its members
      folder:a#view: no
        folder:a#viewer: not among its members
        folder:root#view: no
          folder:root#viewer: not among its members
            group:all#member: not among its members
              group:eng#member: no, as shown
          folder:root#parent: leads nowhere
",
    );
}

#[test]
fn what_excludes_is_told() {
    let mut facts = FACTS.to_vec();
    facts.push("group:eng#member@did:key:zBob");
    reads(
        &facts,
        "document:1#read@did:key:zBob",
        "\
did:key:zBob does not have read on document:1
  what excludes it
    document:1#banned
      document:1#banned@group:fired#member
        group:fired#member
          group:fired#member@did:key:zBob
  tried
    document:1#read: no
      document:1#reader: yes
      folder:a#view: yes
      excluded by banned on document:1
",
    );
}

#[test]
fn what_lacks_context_is_told() {
    reads(
        &FACTS,
        "document:1#read@did:key:zEve",
        "\
did:key:zEve may have, with more context, read on document:1
  document:1#reader@did:key:zEve with on-duty lacks ward
",
    );
}

/// Explains `document:1#read@did:key:zAnn`, and holds the explanation against its bounds.
fn bounded(policy: &str, facts: &[String], limits: Limits) -> Explanation {
    let facts: Vec<Relationship> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    let history = History::of(Policy::parse(policy).unwrap(), &facts).unwrap();
    let view = history.at(0).unwrap();
    let question = Question {
        object: "document:1".parse().unwrap(),
        permission: "read".into(),
        subject: "did:key:zAnn".parse().unwrap(),
    };
    let now = Circumstances::default();
    let explanation = explain(&view, &question, &now, limits).unwrap();
    let answer = check(&view, &question, &now, limits).unwrap();
    assert_eq!(explanation.answer, answer);
    let lines = explanation.to_string().lines().count();
    assert!(lines < 1_200, "{lines} lines");
    explanation
}

const WIDE: &str = "
resources:
- name: document
  relations:
  - {name: parent, types: [folder]}
  permissions:
  - {name: read, expr: parent&->view}
- name: folder
  relations:
  - {name: viewer, types: [actor, 'group->member']}
  permissions:
  - {name: view, expr: viewer}
- name: group
  relations:
  - {name: member, types: [actor, 'group->member']}
  permissions: []
";

#[test]
fn what_is_wide_is_cut_and_says_so() {
    let wide = |count: usize, viewed: usize| {
        let parents = (0..count).map(|at| format!("document:1#parent@folder:{at}"));
        let viewers = (0..viewed).map(|at| format!("folder:{at}#viewer@did:key:zAnn"));
        let facts: Vec<String> = parents.chain(viewers).collect();
        bounded(WIDE, &facts, GENEROUS)
    };
    let few = wide(200, 200);
    assert!(few.is_all && matches!(few.why, Why::Allowed { is_shortest, .. } if is_shortest));
    for count in [1_000, 30_000] {
        let allowed = wide(count, count);
        assert!(!allowed.is_all && allowed.answer.is_allow());
        assert!(allowed
            .to_string()
            .ends_with("there is more than is shown\n"));
    }
    let needs = |explanation: &Explanation| match &explanation.why {
        Why::Denied {
            needed, is_minimal, ..
        } => (needed.len(), *is_minimal),
        _ => panic!("{explanation}"),
    };
    assert_eq!(needs(&wide(100, 0)), (100, true));
    // That what was tried is cut makes what is needed no less sure.
    assert!(!wide(100, 0).is_all);
    // More than a request may lay over what stands: that is not said to be needed.
    for count in [101, 30_000] {
        let denied = wide(count, 0);
        assert!(!denied.is_all);
        assert_eq!(needs(&denied), (0, false));
    }
}

#[test]
fn what_is_deep_needs_no_stack_and_keeps_to_the_steps() {
    let deep = |levels: usize, limits: Limits| {
        let nested = (1..levels).map(|at| format!("group:{}#member@group:{at}#member", at - 1));
        let mut facts: Vec<String> = nested.collect();
        facts.push("document:1#parent@folder:a".into());
        facts.push("folder:a#viewer@group:0#member".into());
        facts.push(format!("group:{}#member@did:key:zAnn", levels - 1));
        bounded(WIDE, &facts, limits)
    };
    assert!(deep(200, Limits::CONSENSUS).is_all);
    let cut = deep(20_000, GENEROUS);
    assert!(cut.answer.is_allow() && !cut.is_all);
}

#[test]
fn what_many_parts_lean_on_is_told_once() {
    let mut policy = String::from(
        "resources:\n- name: document\n  relations:\n  - {name: reader, types: [actor]}\n  permissions:\n",
    );
    for at in 0..100 {
        let (name, next) = match at {
            0 => ("read".into(), "p1".into()),
            99 => ("p99".into(), "reader".into()),
            _ => (format!("p{at}"), format!("p{}", at + 1)),
        };
        policy += &format!("  - {{name: {name}, expr: {next} & {next}}}\n");
    }
    let allowed = bounded(
        &policy,
        &["document:1#reader@did:key:zAnn".into()],
        Limits::CONSENSUS,
    );
    let Why::Allowed { reason, .. } = &allowed.why else {
        panic!("{allowed}");
    };
    assert!(allowed.is_all && reason.len() == 202, "{allowed}");
    let denied = bounded(&policy, &[], Limits::CONSENSUS);
    assert!(
        denied
            .to_string()
            .contains("it would take\n    document:1#reader@did:key:zAnn\n"),
        "{denied}"
    );
}
