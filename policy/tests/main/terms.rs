//! Terms as the walk meets them: one handle for the same terms, what a context costs, and a document's
//! scope that is recorded on terms as well.

use std::collections::BTreeMap;

use policy::{
    apply, check, Actor, Change, Circumstances, Context, Decision,
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

