//! What is a policy and what is not, and what its rules mean in small.

use std::collections::BTreeMap;

use policy::{
    apply_all, check, fetch, gather, may_manage, replay, Actor, Change, CheckError, Circumstances,
    DocumentFacts, History, Limits, Name, ObjectRef, Policy, Position, Question, Relationship,
    RelationshipError, Revision, Terms, TreeRelationships, WithDocuments,
};

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// A policy around one snippet.
fn resource(body: &str) -> String {
    format!("name: t\nresources:\n- name: doc\n{body}\n- name: group\n  relations:\n  - name: member\n    types: [actor]\n")
}

#[test]
fn what_is_no_policy_is_refused_with_place_and_remedy() {
    let cases: Vec<(String, &str)> = vec![
        ("name: t".into(), "line 1, column 1: the policy defines no `resources`"),
        ("resources: []".into(), "defines no resource"),
        ("nmae: t\nresources: []".into(), "line 1, column 1: a policy has no key \"nmae\"; did you mean \"name\"?"),
        ("resources:\n  did:\n".into(), "no resource may be named `did`"),
        ("resources:\n  actor:\n".into(), "already means actors"),
        ("actor:\n  name: user\nresources:\n  user:\n".into(), "already means actors"),
        ("resources:\n  a-:\n".into(), "is no name of a resource"),
        ("resources:\n- name: a\n- name: a\n".into(), "line 3, column 9: resource \"a\" is defined for the second time"),
        ("resources:\n- relations:\n".into(), "this resource has no `name`"),
        ("resources:\n  a:\n    name: b\n".into(), "a resource has no key \"name\""),
        ("resources: text".into(), "a list or a map of resources belongs here"),
        (resource("  relation:\n"), "line 4, column 3: a resource has no key \"relation\"; did you mean \"relations\"?"),
        (resource("  relations:\n  - name: r\n    type: [actor]\n"), "a relation has no key \"type\"; did you mean \"types\"?"),
        (resource("  relations:\n  - name: r\n    types: [actr]\n"), "line 6, column 13: type \"actr\" names no resource; did you mean \"actor\"?"),
        (resource("  relations:\n  - name: r\n    types: [group->mebmer]\n"), "defines no relation or permission \"mebmer\"; did you mean \"member\"?"),
        (resource("  relations:\n  - name: r\n    types: [actor, actor]\n"), "for the second time"),
        (resource("  relations:\n  - name: r\n    types: [actor]\n    manages: [s]\n"), "`manages` names no relation"),
        (resource("  relations:\n  - name: r\n    types: [actor]\n    manages: [owner]\n"), "nobody but the owner manages `owner`"),
        (resource("  relations:\n  - name: owner\n    types: [actor, group]\n"), "`owner` holds actors only"),
        (resource("  permissions:\n  - name: owner\n    expr: owner\n"), "`owner` is the relation that every resource has"),
        (resource("  relations:\n  - name: r\n    types: [actor]\n  permissions:\n  - name: r\n"), "\"r\" is a relation already"),
        (resource("  permissions:\n  - name: read\n    expr: raeder\n  relations:\n  - name: reader\n    types: [actor]\n"), "line 6, column 11: resource \"doc\" defines no relation or permission \"raeder\"; did you mean \"reader\"?"),
        (resource("  permissions:\n  - name: read\n    expr: owner->x\n"), "\"owner\" holds actors only"),
        (resource("  permissions:\n  - name: read\n    expr: read->x\n"), "\"read\" is a permission; left of `->` stands a relation"),
        (resource("  relations:\n  - name: r\n    types: [actor]\n  permissions:\n  - name: p\n    expr: r->member\n"), "\"r\" allows no objects, so `->` leads nowhere"),
        (resource("  relations:\n  - name: r\n    types: [group, doc]\n  permissions:\n  - name: p\n    expr: r->member\n"), "line 9, column 14: \"r\" allows \"doc\", which defines no relation or permission \"member\""),
        (resource("  permissions:\n  - name: p\n    expr: owner + + owner\n"), "an operand is missing here"),
        (resource("  permissions:\n  - name: p\n    expr: [owner]\n"), "`expr` is one line of text"),
        (resource("  relations:\n  - name: r\n    types: [*]\n"), "in quotes for everyone"),
        ("resources:\n  a: &x\n".into(), "anchors are not allowed"),
    ];
    for (text, expected) in cases {
        let error = Policy::parse(&text)
            .map(|_| ())
            .expect_err(&text)
            .to_string();
        assert!(
            error.contains(expected),
            "\n{text}\ngave     {error}\nexpected {expected}"
        );
    }
}

#[test]
fn bounds_of_a_policy_are_refused_by_name() {
    let resources: String = (0..129).map(|at| format!("  r{at}:\n")).collect();
    let relations: String = (0..129).map(|at| format!("      r{at}:\n")).collect();
    let parentheses = format!(
        "resources:\n  a:\n    permissions:\n      p:\n        expr: {}owner{}\n",
        "(".repeat(33),
        ")".repeat(33)
    );
    let operands = format!(
        "resources:\n  a:\n    permissions:\n      p:\n        expr: {}owner\n",
        "owner + ".repeat(128)
    );
    for (text, expected) in [
        (
            format!("resources:\n{resources}"),
            "more than 128 resources",
        ),
        (
            format!("resources:\n  a:\n    relations:\n{relations}"),
            "more than 128 relations",
        ),
        (parentheses, "deeper than 32"),
        (operands, "at most 128 operands"),
        (
            format!("name: {}\nresources:\n  a:\n", "x".repeat(5_000)),
            "longer than 4096 bytes",
        ),
        (
            format!("resources:\n  {}:\n", "x".repeat(129)),
            "is no name",
        ),
        (
            format!("resources:\n  a:\n#{}", "x".repeat(70_000)),
            "longer than 65536 bytes",
        ),
    ] {
        let error = Policy::parse(&text)
            .map(|_| ())
            .expect_err(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Resources `a0`, `a1`, … that define `b`, and `c`, whose relation `z` admits them all and whose
/// permissions hold as many arrows over it.
fn arrows(resources: usize, arrows: usize) -> String {
    let mut text = String::from("resources:\n");
    for at in 0..resources {
        text += &format!("  a{at}: {{relations: {{b}}}}\n");
    }
    let names: Vec<String> = (0..resources).map(|at| format!("a{at}")).collect();
    text += &format!(
        "  c:\n    relations:\n      z:\n        types: [{}]\n    permissions:\n",
        names.join(", ")
    );
    for (at, first) in (0..arrows).step_by(32).enumerate() {
        let here = vec!["z->b"; 32.min(arrows - first)].join(" + ");
        text += &format!("      p{at}:\n        expr: {here}\n");
    }
    text
}

/// Relations `names` in all, over as many resources as it takes.
fn names(names: usize) -> String {
    let mut text = String::from("resources:\n");
    for (at, first) in (0..names).step_by(64).enumerate() {
        let relations = (first..names.min(first + 64)).map(|at| format!("r{}", at % 64));
        let relations: Vec<String> = relations.collect();
        text += &format!("  a{at:02}: {{relations: {{{}}}}}\n", relations.join(", "));
    }
    text
}

/// What one text can make of the compiler's work and of memory has bounds of its own.
#[test]
fn what_arrows_lead_to_and_names_in_all_are_bounded() {
    assert!(Policy::parse(&arrows(64, 128)).is_ok());
    let error = Policy::parse(&arrows(64, 129)).unwrap_err();
    assert!(error.message.contains("more than 8192"), "{error}");
    assert_eq!(
        error.position,
        Position {
            line: 80,
            column: 15
        }
    );
    assert!(Policy::parse(&names(4_096)).is_ok());
    let error = Policy::parse(&names(4_097)).unwrap_err();
    assert!(
        error.message.contains("more than 4096 relations"),
        "{error}"
    );
    assert_eq!(
        error.position,
        Position {
            line: 66,
            column: 3
        }
    );
}

/// A text as long as may be whose permissions each name the next one, across resources: the longest
/// way that anything has to go through a policy. It once took a sweep of the whole for each link.
#[test]
fn the_longest_chain_of_names_compiles() {
    let mut text = String::from("implicit_owner: false\nresources:\n");
    let mut links = 0;
    let resource = |at: usize, next: &str, permissions: &str| {
        format!("  a{at:02}: {{relations: {{z: {{types: [{next}]}}}}, permissions: {{{permissions}}}}}\n")
    };
    for at in 0.. {
        let chain: String = (0..99)
            .map(|at| format!("p{at:02}: {{expr: p{:02}}}, ", at + 1))
            .collect();
        let part = resource(
            at,
            &format!("a{:02}", at + 1),
            &format!("{chain}p99: {{expr: z->p00}}"),
        );
        if text.len() + part.len() + 100 > 65_536 {
            text += &resource(at, "actor, a00->p00", "p00: {expr: z}");
            break;
        }
        text += &part;
        links += 100;
    }
    assert!(links > 2_000, "{links}");
    assert!(Policy::parse(&text).is_ok());
    // Where its end records nobody, the first link is found to be empty.
    let circle = text.replace("actor, a00->p00", "a00->p00");
    let error = Policy::parse(&circle).unwrap_err();
    assert!(error.message.contains("can never match"), "{error}");
}

#[test]
fn both_notations_and_any_order_give_one_policy() {
    let list = "resources:\n- name: b\n- name: a\n  permissions:\n  - name: q\n    expr: r\n  - name: p\n  relations:\n  - name: r\n    types: [b, actor]\n";
    let map = "resources:\n  a:\n    relations:\n      r:\n        types: [actor, b]\n    permissions:\n      p: {}\n      q:\n        expr: r\n  b:\n";
    let (list, map) = (Policy::parse(list).unwrap(), Policy::parse(map).unwrap());
    for policy in [&list, &map] {
        assert_eq!(policy.resources().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(policy.relations("a").collect::<Vec<_>>(), ["owner", "r"]);
        assert_eq!(policy.permissions("a").collect::<Vec<_>>(), ["p", "q"]);
        assert_eq!(
            (policy.expression("a", "q"), policy.expression("a", "p")),
            (Some("r"), Some(""))
        );
        assert!(policy.relation_allows_objects("a", "r"));
    }
    assert_eq!(
        list.node(list.resource("a").unwrap(), "q"),
        map.node(map.resource("a").unwrap(), "q")
    );
}

#[test]
fn names_and_descriptions_are_kept() {
    let text = "name: plant\ndescription: who may do what\nmeta:\n  version: '2'\n  author: x\nactor:\n  name: person\n  doc: somebody\nresources:\n  cell:\n    doc: a cell\n    relations:\n      operator:\n        doc: works there\n        types: [person]\n";
    let policy = Policy::parse(text).unwrap();
    assert_eq!(
        (policy.name(), policy.description(), policy.actor_type()),
        ("plant", "who may do what", "person")
    );
    assert_eq!(
        policy.meta(),
        [
            ("author".into(), "x".into()),
            ("version".into(), "2".into())
        ]
    );
    assert_eq!(
        (
            policy.doc("cell", None),
            policy.doc("cell", Some("operator"))
        ),
        (Some("a cell"), Some("works there"))
    );
    assert_eq!(policy.definition(), text);
}

#[test]
fn recursion_through_the_subtracted_side_is_warned_about() {
    let policy = Policy::parse(PLANT).unwrap();
    let warnings: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(
        warnings[1],
        "line 22, column 7: nobody but the owner can ever have \"never\" of \"batch\", whatever is recorded"
    );
    assert!(
        warnings[0].starts_with("line 22, column 7: \"never\" of \"batch\" hangs on itself"),
        "{warnings:?}"
    );
    let around = "resources:\n  a:\n    relations:\n      r:\n        types: [actor, a->p]\n    permissions:\n      p:\n        expr: r - q\n      q:\n        expr: r + (r & q)\n";
    let warnings = Policy::parse(around).unwrap().warnings();
    let circles = warnings
        .iter()
        .filter(|w| w.message.contains("hangs on itself"));
    assert_eq!(circles.count(), 1, "also around other names");
    let apart = around.replace("r + (r & q)", "owner");
    assert!(Policy::parse(&apart).unwrap().warnings().is_empty());
}

const PLANT: &str = "
resources:
  batch:
    relations:
      parent:
        types: [cell]
      reader:
        types: [actor, '*', group->member]
      banned:
        types: [actor]
      admin:
        types: [actor]
        manages: [reader, banned]
    permissions:
      create:
        expr: parent->operator
      read:
        expr: reader + parent->operator - banned
      sealed:
      loop:
        expr: loop + reader
      never:
        expr: reader - never
  cell:
    relations:
      operator:
        types: [actor]
  group:
    relations:
      member:
        types: [actor, group->member]
";

fn changes(lines: &[&str]) -> Vec<Change> {
    let mut changes = vec![Change::Defined {
        definition: PLANT.into(),
    }];
    for line in lines {
        let relationship: Relationship = line.parse().unwrap();
        changes.push(match &relationship.subject {
            policy::Subject::Actor(owner) if relationship.relation.as_str() == "owner" => {
                Change::ObjectRegistered {
                    object: relationship.object.clone(),
                    owner: owner.clone(),
                }
            }
            _ => Change::RelationshipSet(relationship),
        });
    }
    changes
}

fn world(lines: &[&str]) -> Tree {
    apply_all(&changes(lines), Tree::new())
        .unwrap()
        .into_iter()
        .filter_map(|(k, v)| Some((k, v?)))
        .collect()
}

fn allowed(tree: &Tree, question: &str) -> bool {
    let question: Relationship = question.parse().unwrap();
    let policy = Policy::parse(PLANT).unwrap();
    let question = Question {
        object: question.object,
        permission: question.relation.to_string(),
        subject: question.subject,
    };
    check(
        &TreeRelationships::new(&policy, tree),
        &question,
        &Circumstances::default(),
        Limits::CONSENSUS,
    )
    .unwrap()
    .is_allow()
}

#[test]
fn the_owner_is_always_allowed_and_nobody_else_by_default() {
    let tree = world(&[
        "batch:1#owner@did:u:o",
        "batch:1#banned@did:u:o",
        "batch:1#reader@did:u:r",
    ]);
    assert!(
        allowed(&tree, "batch:1#read@did:u:o"),
        "no expression can exclude the owner"
    );
    assert!(allowed(&tree, "batch:1#sealed@did:u:o"));
    assert!(
        !allowed(&tree, "batch:1#sealed@did:u:r"),
        "a permission without an expression is the owner's alone"
    );
}

#[test]
fn a_cycle_is_no_reason_to_allow_and_none_to_deny_what_else_allows() {
    let tree = world(&[
        "batch:1#owner@did:u:o",
        "batch:1#reader@did:u:r",
        "group:a#owner@did:u:o",
        "group:b#owner@did:u:o",
        "group:a#member@group:b#member",
        "group:b#member@group:a#member",
        "group:b#member@did:u:m",
    ]);
    assert!(allowed(&tree, "batch:1#loop@did:u:r"), "x + cycle is x");
    assert!(!allowed(&tree, "batch:1#loop@did:u:x"));
    assert!(!allowed(&tree, "batch:1#never@did:u:r"), "x - cycle denies");
    assert!(allowed(&tree, "group:a#member@did:u:m"));
    assert!(!allowed(&tree, "group:a#member@did:u:x"));
    assert!(
        allowed(&tree, "group:a#member@group:a#member"),
        "a userset stands in itself"
    );
}

/// What was unknown because an open node was met must be asked again once that node is known.
#[test]
fn a_value_that_hung_on_a_circle_is_found_when_the_circle_breaks() {
    let text = "resources:\n  a:\n    relations:\n      x:\n        types: [actor]\n    permissions:\n      m:\n        expr: n + x\n      n:\n        expr: m\n      both:\n        expr: m & n\n      other:\n        expr: (n - m) + (x & n)\n";
    let policy = Policy::parse(text).unwrap();
    let changes = [
        Change::Defined {
            definition: text.into(),
        },
        Change::ObjectRegistered {
            object: "a:1".parse().unwrap(),
            owner: Actor::new("did:u:o").unwrap(),
        },
        Change::RelationshipSet("a:1#x@did:u:x".parse().unwrap()),
    ];
    let tree: Tree = apply_all(&changes, Tree::new())
        .unwrap()
        .into_iter()
        .filter_map(|(k, v)| Some((k, v?)))
        .collect();
    for (permission, expected) in [("m", true), ("n", true), ("both", true), ("other", true)] {
        let question = Question::new(
            "a:1".parse().unwrap(),
            permission,
            Actor::new("did:u:x").unwrap(),
        );
        let gathered = gather(
            &policy,
            &tree,
            &question,
            &Circumstances::default(),
            &[],
            Limits::CONSENSUS,
        )
        .unwrap();
        assert_eq!(gathered.answer.is_allow(), expected, "{permission}");
        let known = fetch(&tree, &gathered.keys).unwrap();
        assert!(replay(
            &policy,
            &known,
            &question,
            &Circumstances::default(),
            &[],
            Limits::CONSENSUS
        )
        .unwrap()
        .is_allow());
        let stranger = Question::new(
            "a:1".parse().unwrap(),
            permission,
            Actor::new("did:u:y").unwrap(),
        );
        assert!(!check(
            &TreeRelationships::new(&policy, &tree),
            &stranger,
            &Circumstances::default(),
            Limits::CONSENSUS
        )
        .unwrap()
        .is_allow());
    }
}

#[test]
fn everyone_is_every_actor_and_no_object() {
    let tree = world(&[
        "batch:1#owner@did:u:o",
        "batch:1#reader@*",
        "batch:1#banned@did:u:b",
    ]);
    assert!(allowed(&tree, "batch:1#read@did:u:anybody"));
    assert!(!allowed(&tree, "batch:1#read@did:u:b"));
    assert!(!allowed(&tree, "batch:1#read@cell:1"));
    assert!(allowed(&tree, "batch:1#read@*"));
}

#[test]
fn management_follows_the_rules_and_the_owner() {
    let tree = world(&[
        "batch:1#owner@did:u:o",
        "batch:1#admin@did:u:a",
        "batch:1#reader@did:u:r",
    ]);
    let policy = Policy::parse(PLANT).unwrap();
    let relationships = TreeRelationships::new(&policy, &tree);
    let may = |actor: &str, relation: &str| {
        let object: ObjectRef = "batch:1".parse().unwrap();
        let (actor, relation) = (Actor::new(actor).unwrap(), Name::new(relation).unwrap());
        may_manage(
            &relationships,
            &object,
            &relation,
            &actor,
            &Circumstances::default(),
            Limits::CONSENSUS,
        )
        .unwrap()
        .is_allow()
    };
    for relation in ["reader", "banned", "admin", "parent", "owner"] {
        assert!(may("did:u:o", relation), "the owner manages {relation}");
        assert_eq!(
            may("did:u:a", relation),
            ["reader", "banned"].contains(&relation),
            "{relation}"
        );
        assert!(!may("did:u:r", relation));
    }
}

#[test]
fn documents_need_no_registration_and_ownership_never_permits_creation() {
    let tree = world(&[
        "cell:1#owner@did:u:o",
        "cell:1#operator@did:u:alice",
        "batch:2#owner@did:u:bob",
    ]);
    let policy = Policy::parse(PLANT).unwrap();
    let below = TreeRelationships::new(&policy, &tree);
    let ask = |object: &str, owner: Option<&str>, permission: &str, actor: &str| {
        let facts = DocumentFacts {
            object: object.parse().unwrap(),
            owner: owner.map(|owner| Actor::new(owner).unwrap()),
            scope_relation: Name::new("parent").unwrap(),
            scope: "cell:1".parse().unwrap(),
        };
        let question = Question::new(facts.object.clone(), permission, Actor::new(actor).unwrap());
        check(
            &WithDocuments::new(&below, &[facts]),
            &question,
            &Circumstances::default(),
            Limits::CONSENSUS,
        )
        .unwrap()
        .is_allow()
    };
    assert!(ask("batch:new", None, "create", "did:u:alice"));
    assert!(!ask("batch:new", None, "create", "did:u:mallory"));
    assert!(
        ask(
            "batch:new",
            Some("did:u:mallory"),
            "create",
            "did:u:mallory"
        ),
        "with an owner fact the question is another"
    );
    assert!(
        ask("batch:new", Some("did:u:alice"), "sealed", "did:u:alice"),
        "the author owns it"
    );
    assert!(
        !ask("batch:2", Some("did:u:alice"), "sealed", "did:u:alice"),
        "once registered, the record alone says who owns it"
    );
    assert!(ask("batch:2", Some("did:u:alice"), "sealed", "did:u:bob"));
    assert!(
        ask("batch:2", Some("did:u:x"), "read", "did:u:alice"),
        "the scope stays"
    );
}

/// Whoever registers a document's id before it is created gains nothing by it: over records, over
/// history, and over evidence, which need not even hold the record.
#[test]
fn a_record_made_beforehand_does_not_permit_creation() {
    let lines = [
        "cell:1#owner@did:u:o",
        "cell:1#operator@did:u:alice",
        "cell:mallory#owner@did:u:mallory",
        "cell:mallory#operator@did:u:mallory",
        "batch:new#owner@did:u:mallory",
        "batch:new#parent@cell:mallory",
    ];
    let tree = world(&lines);
    let policy = Policy::parse(PLANT).unwrap();
    let below = TreeRelationships::new(&policy, &tree);
    let mut history = History::new();
    let about = Revision {
        revision: 0,
        height: 7,
        time_seconds: 0,
        time_nanos: 0,
    };
    history.apply(about, &changes(&lines)).unwrap();
    let view = history.at(0).unwrap();
    let facts = [DocumentFacts {
        object: "batch:new".parse().unwrap(),
        owner: None,
        scope_relation: Name::new("parent").unwrap(),
        scope: "cell:1".parse().unwrap(),
    }];
    for (actor, allowed) in [("did:u:alice", true), ("did:u:mallory", false)] {
        let actor = Actor::new(actor).unwrap();
        let question = Question::new(facts[0].object.clone(), "create", actor);
        let limits = Limits::CONSENSUS;
        let over_records = check(
            &WithDocuments::new(&below, &facts),
            &question,
            &Circumstances::default(),
            limits,
        )
        .unwrap();
        assert_eq!(over_records.is_allow(), allowed, "{question:?}");
        let over_history = check(
            &WithDocuments::new(&view, &facts),
            &question,
            &Circumstances::default(),
            limits,
        )
        .unwrap();
        assert_eq!(over_history, over_records);
        let gathered = gather(
            &policy,
            &tree,
            &question,
            &Circumstances::default(),
            &facts,
            limits,
        )
        .unwrap();
        assert_eq!(gathered.answer, over_records);
        let mut known = fetch(&tree, &gathered.keys).unwrap();
        known.remove(&policy::keys::object_key("batch", "new"));
        let replayed = replay(
            &policy,
            &known,
            &question,
            &Circumstances::default(),
            &facts,
            limits,
        )
        .unwrap();
        assert_eq!(replayed.is_allow(), allowed);
    }
}

#[test]
fn questions_about_nothing_and_bounds_are_errors_not_answers() {
    let policy = Policy::parse(PLANT).unwrap();
    let mut lines = vec![
        "batch:1#owner@did:u:o".to_string(),
        "batch:1#reader@group:g0#member".into(),
    ];
    lines.extend((0..300).map(|at| format!("group:g{at}#owner@did:u:o")));
    lines.extend((0..300).map(|at| format!("group:g{at}#member@group:g{}#member", at + 1)));
    let tree = world(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let ask = |question: &str, limits| {
        let (left, actor) = question.split_once('@').unwrap();
        let (object, permission) = left.split_once('#').unwrap();
        let question = Question::new(
            object.parse().unwrap(),
            permission,
            Actor::new(actor).unwrap(),
        );
        check(
            &TreeRelationships::new(&policy, &tree),
            &question,
            &Circumstances::default(),
            limits,
        )
    };
    let limits = Limits::CONSENSUS;
    assert!(matches!(
        ask("bach:1#read@did:u:x", limits),
        Err(CheckError::UnknownResource { .. })
    ));
    let unknown = ask("batch:1#raed@did:u:x", limits).unwrap_err();
    assert!(
        unknown.to_string().contains("did you mean \"read\"?"),
        "{unknown}"
    );
    assert_eq!(
        ask("batch:1#read@did:u:x", limits),
        Err(CheckError::TooDeep { limit: 256 })
    );
    assert!(
        ask("batch:1#read@did:u:o", limits).unwrap().is_allow(),
        "what else allows beats a bound"
    );
    let few = Limits {
        steps_max: 50,
        ..limits
    };
    assert_eq!(
        ask("batch:1#read@did:u:x", few),
        Err(CheckError::TooManySteps { limit: 50 })
    );
    let deep = Limits {
        depth_max: 1_000,
        ..limits
    };
    assert!(!ask("batch:1#read@did:u:x", deep).unwrap().is_allow());
}

#[test]
fn relationships_that_the_policy_does_not_admit_are_refused_by_name() {
    let policy = Policy::parse(PLANT).unwrap();
    let admits = |text: &str| policy.admits(&text.parse().unwrap());
    assert_eq!(admits("batch:1#reader@group:g#member"), Ok(()));
    assert!(matches!(
        admits("btach:1#reader@did:u:x"),
        Err(RelationshipError::UnknownResource { .. })
    ));
    assert!(matches!(
        admits("batch:1#raeder@did:u:x"),
        Err(RelationshipError::UnknownRelation { .. })
    ));
    assert!(matches!(
        admits("batch:1#read@did:u:x"),
        Err(RelationshipError::NotARelation { .. })
    ));
    assert_eq!(
        admits("batch:1#owner@did:u:x"),
        Err(RelationshipError::Owner)
    );
    for text in [
        "batch:1#parent@did:u:x",
        "batch:1#parent@cell:1#operator",
        "batch:1#banned@*",
        "batch:1#reader@nothing:1",
    ] {
        assert!(
            matches!(admits(text), Err(RelationshipError::TypeNotAllowed { .. })),
            "{text}"
        );
    }
    let message = admits("batch:1#parent@did:u:x").unwrap_err().to_string();
    assert!(
        message.contains("does not allow actor; it allows cell"),
        "{message}"
    );
}

/// The figures of docs/spec/policy.md §5: whoever changes bytes must change the page.
#[test]
fn examples_of_the_specification_are_what_is_written() {
    use policy::{keys, ObjectRecord, Page};
    let page = include_str!("../../../docs/spec/policy.md");
    let hex = |bytes: Vec<u8>| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let changes = [
        Change::ObjectRegistered {
            object: "cell:1".parse().unwrap(),
            owner: Actor::new("did:u:o").unwrap(),
        },
        Change::RelationshipSet("cell:1#operator@did:u:a".parse().unwrap()),
        Change::RelationshipSet("cell:1#operator@group:g#member".parse().unwrap()),
    ];
    let (key, record) = apply_all(&changes, Tree::new()).unwrap().remove(0);
    assert_eq!(key, keys::object_key("cell", "1"));
    let record = record.unwrap();
    assert!(ObjectRecord::from_bytes(&record).is_ok());
    for bytes in [
        key,
        keys::page_key("cell", "1", "operator", keys::SubjectKind::Direct, &[]),
        record,
        Page {
            until: None,
            holders: vec![("did:u:a".parse().unwrap(), Terms::NONE)],
        }
        .to_bytes(keys::SubjectKind::Direct),
    ] {
        let line = format!("`{}`", hex(bytes));
        assert!(page.contains(&line), "the page lacks {line}");
    }
    // The policy that the page shows is one.
    let example = page
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    assert_eq!(
        Policy::parse(example).map(|policy| policy.name().to_string()),
        Ok("plant".into())
    );
}

/// Whatever a stranger sends as a policy, the parser answers: no panic, no endless work.
#[test]
fn mutilated_policies_never_panic() {
    let seed = crate::random::seed();
    let mut random = crate::random::Random::new(seed);
    let pieces = [
        "- ", ": ", "\n", "  ", "[", "]", "{", "}", "#", "&a", "*a", "!!x", "'", "\"", "|\n",
        ">-\n", "?", "~", "---\n", "->", "(", ")", "\u{feff}", "é", "\0", "<<: ",
    ];
    for _ in 0..crate::random::rounds(3_000) {
        let mut text: Vec<char> = PLANT.chars().collect();
        for _ in 0..1 + random.below(6) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => drop(text.remove(at)),
                1 => {
                    let piece = *random.pick(&pieces);
                    text.splice(at..at, piece.chars());
                }
                _ => drop(text.drain(at..(at + random.below(40)).min(text.len()))),
            }
        }
        let text: String = text.into_iter().collect();
        let outcome = std::panic::catch_unwind(|| Policy::parse(&text).is_ok());
        assert!(outcome.is_ok(), "HOLDFAST_SEED={seed} {text:?}");
    }
}
