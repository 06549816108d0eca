//! A production policy with its theorems: who is authorized, and who may delegate.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    apply_all, check, gather, may_manage, replay, Actor, Change, Circumstances, History, Limits,
    Name, ObjectRef, Policy, Question, Relationship, Revision, Subject, TreeRelationships,
};

use crate::suite;

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// The lines of a theorem file's block, without comments.
fn block<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or("").trim());
    let body = lines
        .skip_while(|line| !line.starts_with(name))
        .skip(1)
        .take_while(|line| *line != "}");
    body.filter(|line| !line.is_empty()).collect()
}

#[test]
fn authorizations_and_delegations_of_shinzohub_hold() {
    let (Some(definition), Some(relationships), Some(theorems)) = (
        suite::read("shinzohub/shinzo.yaml"),
        suite::read("shinzohub/relationships.yaml"),
        suite::read("shinzohub/tests.yaml"),
    ) else {
        return;
    };
    let policy = Policy::parse(&definition).unwrap();
    let (mut registrations, mut sets, mut objects) = (vec![], vec![], BTreeSet::new());
    let lines = relationships
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"));
    for relationship in lines.map(|line| line.parse::<Relationship>().unwrap()) {
        match &relationship.subject {
            Subject::Actor(owner) if relationship.relation.as_str() == "owner" => {
                objects.insert(relationship.object.clone());
                registrations.push(Change::ObjectRegistered {
                    object: relationship.object.clone(),
                    owner: owner.clone(),
                });
            }
            _ => {
                policy.admits(&relationship).unwrap();
                sets.push(Change::RelationshipSet(relationship));
            }
        }
    }
    assert_eq!(objects.len(), 6);
    let changes: Vec<Change> = [Change::Defined {
        definition: definition.clone(),
    }]
    .into_iter()
    .chain(registrations)
    .chain(sets)
    .collect();
    let tree: Tree = apply_all(&changes, Tree::new())
        .unwrap()
        .into_iter()
        .filter_map(|(k, v)| Some((k, v?)))
        .collect();
    let mut history = History::new();
    history
        .apply(
            Revision {
                revision: 0,
                height: 1,
                time_seconds: 0,
                time_nanos: 0,
            },
            &changes,
        )
        .unwrap();
    let view = history.at(0).unwrap();

    let limits = Limits::CONSENSUS;
    let (mut authorizations, mut delegations) = (0, 0);
    for line in block(&theorems, "Authorizations") {
        let (expected, line) = line
            .strip_prefix('!')
            .map_or((true, line), |rest| (false, rest));
        let theorem: Relationship = line.parse().unwrap();
        let question = Question {
            object: theorem.object,
            permission: theorem.relation.to_string(),
            subject: theorem.subject,
        };
        let records = check(
            &TreeRelationships::new(&policy, &tree),
            &question,
            &Circumstances::default(),
            limits,
        )
        .unwrap();
        assert_eq!(records.is_allow(), expected, "{line}");
        assert_eq!(
            check(&view, &question, &Circumstances::default(), limits),
            Ok(records.clone()),
            "{line}"
        );
        let gathered = gather(
            &policy,
            &tree,
            &question,
            &Circumstances::default(),
            &[],
            limits,
        )
        .unwrap();
        let known = policy::fetch(&tree, &gathered.keys).unwrap();
        assert_eq!(
            replay(
                &policy,
                &known,
                &question,
                &Circumstances::default(),
                &[],
                limits
            )
            .unwrap()
            .decision,
            records.decision,
            "{line}"
        );
        authorizations += 1;
    }
    for line in block(&theorems, "Delegations") {
        let (expected, line) = line
            .strip_prefix('!')
            .map_or((true, line), |rest| (false, rest));
        let (actor, operation) = line.split_once(" > ").unwrap();
        let (object, relation) = operation.split_once('#').unwrap();
        let (object, relation) = (
            object.parse::<ObjectRef>().unwrap(),
            Name::new(relation).unwrap(),
        );
        let answer = may_manage(
            &view,
            &object,
            &relation,
            &Actor::new(actor).unwrap(),
            &Circumstances::default(),
            limits,
        )
        .unwrap();
        assert_eq!(answer.is_allow(), expected, "{line}");
        delegations += 1;
    }
    println!("shinzohub: {authorizations} authorizations, {delegations} delegations hold");
    assert_eq!((authorizations, delegations), (124, 85));
}
