//! A production policy with its theorems: who is authorized, and who may delegate.

use std::collections::BTreeMap;

use policy::{
    apply_all, gather, replay, Change, Circumstances, History, Limits, Policy, RelationshipList,
    Revision, Theorems, TreeRelationships,
};

use crate::suite;

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

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
    let list = RelationshipList::parse(&relationships).unwrap();
    let changes = list.changes(&policy, None).unwrap();
    let registered = |change: &&Change| matches!(change, Change::ObjectRegistered { .. });
    assert_eq!(changes.iter().filter(registered).count(), 6);
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

    let (limits, now) = (Limits::CONSENSUS, Circumstances::default());
    let theorems = Theorems::parse(&theorems).unwrap();
    let (authorizations, delegations) = (theorems.authorizations.len(), theorems.delegations.len());
    for result in theorems.evaluate(&view, &now, limits) {
        assert!(result.verdict.holds(), "{result:?}");
    }
    let records = theorems.evaluate(&TreeRelationships::new(&policy, &tree), &now, limits);
    assert_eq!(records, theorems.evaluate(&view, &now, limits));
    for theorem in &theorems.authorizations {
        let question = &theorem.question;
        let gathered = gather(&policy, &tree, question, &now, &[], limits).unwrap();
        let known = policy::fetch(&tree, &gathered.keys).unwrap();
        let replayed = replay(&policy, &known, question, &now, &[], limits).unwrap();
        assert_eq!(replayed.is_allow(), theorem.allowed, "{question}");
    }
    println!("shinzohub: {authorizations} authorizations, {delegations} delegations hold");
    assert_eq!((authorizations, delegations), (124, 85));
}
