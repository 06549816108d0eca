//! Terms as the walk meets them: one handle for the same terms, what a context costs, and a document's
//! scope that is recorded on terms as well.

use std::collections::BTreeMap;

use policy::{
    apply, check, limits::CONTEXT_BYTES_PER_STEP, Actor, Change, Circumstances, Context, Decision,
    DocumentFacts, History, Limits, NodeId, ObjectId, Overlay, Policy, Question, Relationship,
    Relationships, Revision, TermsId, TreeRelationships, WithDocuments,
};

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

const POLICY: &str = r#"
implicit_owner: false
conditions:
  c:
    parameters: {k: int, words: list<string>}
    expr: k == 1
resources:
  doc:
    relations:
      viewer: {types: [group->member, group->member with c, actor with c]}
      parent: {types: [folder with c]}
      bare: {types: [folder, folder with c]}
    permissions:
      view: {expr: viewer}
      again: {expr: viewer->member & viewer->member & viewer->member & viewer->member}
  group:
    relations:
      member:
  folder:
    relations:
      reader:
"#;

fn changes(policy: &str, facts: &[String]) -> Vec<Change> {
    let owner = Actor::new("did:user:owner").unwrap();
    let facts: Vec<Relationship> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    let mut objects: Vec<_> = facts.iter().map(|fact| fact.object.clone()).collect();
    objects.sort();
    objects.dedup();
    let mut changes = vec![Change::Defined {
        definition: policy.into(),
    }];
    changes.extend(objects.into_iter().map(|object| Change::ObjectRegistered {
        object,
        owner: owner.clone(),
    }));
    changes.extend(facts.into_iter().map(Change::RelationshipSet));
    changes
}

fn tree(changes: &[Change]) -> Tree {
    let mut tree = Tree::new();
    for change in changes {
        for (key, value) in apply(change, &tree).unwrap() {
            tree.insert(key, value.expect("nothing is deleted"));
        }
    }
    tree
}

fn history(changes: &[Change]) -> History {
    let mut history = History::new();
    let first = Revision {
        revision: 0,
        height: 1,
        time_seconds: 0,
        time_nanos: 0,
    };
    history.apply(first, changes).unwrap();
    history
}

fn question(object: &str, permission: &str, subject: &str) -> Question {
    Question {
        object: object.parse().unwrap(),
        permission: permission.into(),
        subject: subject.parse().unwrap(),
    }
}

/// A node by what it is called: where relationships of it are read.
fn node(policy: &Policy, relationships: &impl Relationships, relation: &str) -> (ObjectId, NodeId) {
    let resource = policy.resource("doc").unwrap();
    let object = relationships.object(&"doc:1".parse().unwrap()).unwrap();
    (object, policy.node(resource, relation).unwrap())
}

#[test]
fn the_same_terms_have_one_handle_however_often_they_are_read() {
    let policy = Policy::parse(POLICY).unwrap();
    for sets in [60, 200] {
        let facts: Vec<String> = (0..sets)
            .map(|at| {
                let terms = format!("with c {{\"k\":{}}}", at % 3);
                format!("doc:1#viewer@group:g{at}#member {terms}")
            })
            .collect();
        let tree = tree(&changes(POLICY, &facts));
        let relationships = TreeRelationships::new(&policy, &tree);
        let (object, node) = node(&policy, &relationships, "viewer");
        let (mut once, mut again) = (vec![], vec![]);
        relationships.usersets(object, node, &mut once).unwrap();
        for _ in 0..3 {
            again.clear();
            relationships.targets(object, node, &mut again).unwrap();
            assert_eq!(once, again, "{sets}");
        }
        let mut handles: Vec<TermsId> = once.iter().map(|member| member.terms).collect();
        handles.sort();
        handles.dedup();
        assert_eq!(handles.len(), 3, "{sets} on three terms");
    }
}

/// The steps of a context are those of its size each time that its member is met, and the same in a
/// tree, a history and an overlay.
#[test]
fn a_recorded_context_counts_by_its_size() {
    let policy = Policy::parse(POLICY).unwrap();
    let steps = |context: &str, permission: &str, subject: &str| {
        let fact = match subject {
            "did:user:a" => format!("doc:1#viewer@did:user:a with c {context}"),
            _ => format!("doc:1#viewer@group:g#member with c {context}"),
        };
        let facts = [fact.trim_end().into(), "group:g#member@did:user:b".into()];
        let all = changes(POLICY, &facts);
        let circumstances = Circumstances {
            context: Context::from_json("{\"k\":1}").unwrap(),
            ..Circumstances::default()
        };
        let question = question("doc:1", permission, subject);
        let ask = |relationships: &dyn Relationships| {
            check(&relationships, &question, &circumstances, Limits::CONSENSUS).unwrap()
        };
        let tree = tree(&all);
        let answer = ask(&TreeRelationships::new(&policy, &tree));
        assert_eq!(answer.decision, Decision::Allow);
        let history = history(&all);
        assert_eq!(ask(&history.at(0).unwrap()), answer);
        let below = history_without(&all);
        let contextual: Vec<Relationship> =
            facts.iter().map(|fact| fact.parse().unwrap()).collect();
        let view = below.at(0).unwrap();
        let overlay = Overlay::new(&view, &contextual).unwrap();
        assert_eq!(ask(&overlay), answer);
        answer.steps
    };
    for letters in [0, 1, 7, 16, 300, 4_000] {
        let context = format!("{{\"words\":[\"{}\"]}}", "w".repeat(letters));
        let bytes = Context::from_json(&context).unwrap().encode().len();
        let size = bytes.div_ceil(CONTEXT_BYTES_PER_STEP) as u64;
        for (permission, subject, times) in [
            ("view", "did:user:a", 1),
            ("view", "did:user:b", 1),
            ("again", "did:user:b", 4),
        ] {
            let without = steps("", permission, subject);
            let with = steps(&context, permission, subject);
            assert_eq!(
                with - without,
                times * size,
                "{permission} of {bytes} bytes"
            );
        }
    }
}

/// A history of the same definition and objects that records nothing.
fn history_without(changes: &[Change]) -> History {
    let kept: Vec<Change> = changes
        .iter()
        .filter(|change| !matches!(change, Change::RelationshipSet(_)))
        .cloned()
        .collect();
    history(&kept)
}

/// A context that no longer fits is paid for too, and counts for nobody.
#[test]
fn a_context_that_does_not_fit_costs_its_size() {
    let facts = |k: &str| {
        [format!(
            "doc:1#viewer@did:user:a with c {{\"{k}\":\"{}\"}}",
            "w".repeat(40)
        )]
    };
    let policy = Policy::parse(POLICY).unwrap();
    let all = changes(POLICY, &facts("gone"));
    let tree = tree(&all);
    let relationships = TreeRelationships::new(&policy, &tree);
    let question = question("doc:1", "view", "did:user:a");
    let circumstances = Circumstances::default();
    let answer = check(&relationships, &question, &circumstances, Limits::CONSENSUS).unwrap();
    let nobody = [String::from("doc:1#viewer@group:g#member")];
    let nobody = self::tree(&changes(POLICY, &nobody));
    let nobody = TreeRelationships::new(&policy, &nobody);
    let plain = check(&nobody, &question, &circumstances, Limits::CONSENSUS).unwrap();
    assert_eq!(answer.decision, Decision::Deny);
    let bytes = 1 + (1 + 4) + (1 + 1 + 40);
    // The other question enters a group.
    let of_size = (bytes as u64).div_ceil(CONTEXT_BYTES_PER_STEP as u64);
    assert_eq!(answer.steps, plain.steps - 3 + of_size);
}

/// §3: the scope is a member without terms, in addition to what is recorded.
#[test]
fn a_derived_scope_hides_no_recorded_member() {
    let policy = Policy::parse(POLICY).unwrap();
    for (relation, k, expected) in [
        // The types do not list the scope without terms, so what is recorded counts alone.
        ("parent", 1, Decision::Allow),
        ("parent", 2, Decision::Deny),
        // They do: the scope stands there whatever is recorded.
        ("bare", 1, Decision::Allow),
        ("bare", 2, Decision::Allow),
    ] {
        let facts = [format!("doc:1#{relation}@folder:1 with c {{\"k\":{k}}}")];
        let all = changes(POLICY, &facts);
        let (tree, history) = (tree(&all), history(&all));
        let documents = [DocumentFacts {
            object: "doc:1".parse().unwrap(),
            owner: Some(Actor::new("did:user:owner").unwrap()),
            scope_relation: policy::Name::new(relation).unwrap(),
            scope: "folder:1".parse().unwrap(),
        }];
        let of_tree = TreeRelationships::new(&policy, &tree);
        let view = history.at(0).unwrap();
        let question = question("doc:1", relation, "folder:1");
        let circumstances = Circumstances::default();
        let ask = |relationships: &dyn Relationships| {
            check(&relationships, &question, &circumstances, Limits::CONSENSUS).unwrap()
        };
        let answer = ask(&WithDocuments::new(&of_tree, &documents));
        assert_eq!(answer.decision, expected, "{relation} {k}");
        assert_eq!(ask(&WithDocuments::new(&view, &documents)), answer);
        let recorded_alone = ask(&of_tree).decision;
        let as_recorded = match k {
            1 => Decision::Allow,
            _ => Decision::Deny,
        };
        assert_eq!(recorded_alone, as_recorded);
    }
}
