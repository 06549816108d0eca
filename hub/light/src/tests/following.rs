//! Following a policy, and lies to whoever follows.

use std::{format, vec, vec::Vec};

use ::policy::{Circumstances, Decision, Limits};
use hub_types::{
    policy::{self, changes_root},
    Height, PolicyId,
};

use super::{
    hub::{did, question, Hub, POLICY},
    support::{header_over, some_entries, Tree},
};
use crate::{ChangesPage, Follower, LightError};

#[test]
fn a_follower_knows_that_it_misses_nothing() {
    let mut hub = Hub::new();
    let mut follower = Follower::new(POLICY);
    let (trusted, page) = hub.page(0, 2);
    let progress = follower.apply(&trusted, &page).unwrap();
    assert!(!progress.complete);
    assert_eq!(follower.next_revision(), 2);
    let (trusted, page) = hub.page(2, 5);
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    let asked = question("cell:1", "edit", 2);
    let decision = |follower: &Follower, revision: u64| {
        let view = follower.history().at(revision).unwrap();
        ::policy::check(&view, &asked, &Circumstances::default(), Limits::CONSENSUS)
            .unwrap()
            .decision
    };
    let decisions: Vec<_> = (1..5)
        .map(|revision| decision(&follower, revision))
        .collect();
    assert_eq!(
        decisions,
        [
            Decision::Deny,
            Decision::Deny,
            Decision::Allow,
            Decision::Deny
        ]
    );

    // Nothing new is proven as well, and a deletion follows.
    let (trusted, page) = hub.page(5, 5);
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    hub.delete(&format!("cell:1#banned@{}", did(2)));
    let (trusted, page) = hub.page(5, 5);
    assert!(
        !follower.apply(&trusted, &page).unwrap().complete,
        "one more is known to exist"
    );
    let (trusted, page) = hub.page(5, 6);
    let bytes = wire::canonical::encode(&page.to_wire());
    let page = ChangesPage::from_bytes(&bytes).unwrap();
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    assert_eq!(decision(&follower, 5), Decision::Allow);
}

#[test]
fn lies_to_a_follower_are_named_and_change_nothing() {
    let mut hub = Hub::new();
    hub.set(&format!("cell:1#operator@{}", did(4)));
    let mut follower = Follower::new(POLICY);
    let (trusted, first) = hub.page(0, 3);
    follower.apply(&trusted, &first).unwrap();
    let (trusted, good) = hub.page(3, 5);
    let refused = |follower: &mut Follower, page: &ChangesPage| {
        let before = follower.log().clone();
        let error = follower.apply(&trusted, page).unwrap_err();
        assert_eq!(follower.log(), &before);
        assert_eq!(
            follower.history().latest().map(|latest| latest.revision),
            Some(2)
        );
        error
    };
    let change = |change: &dyn Fn(&mut ChangesPage)| {
        let mut page = good.clone();
        change(&mut page);
        page
    };
    let page = change(&|page| drop(page.revisions.remove(0)));
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Revision {
            expected: 3,
            found: 4
        }
    );
    let page = change(&|page| page.revisions[0].changes.clear());
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Changes { revision: 3 }
    );
    let page = change(&|page| page.revisions[0].changes[0].actor = did(5));
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Changes { revision: 3 }
    );
    let page = change(&|page| page.revisions[0].leaf.policy = PolicyId::new([8; 32]));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Leaf { .. }
    ));
    let page = change(&|page| page.revisions[1].leaf.height = Height(1));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Leaf { .. }
    ));
    let page = change(&|page| page.revisions[1].leaf.tree_root = [1; 32]);
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    // A consistent invention: changes and leaf fit each other, the record does not have them.
    let page = change(&|page| {
        let one = &mut page.revisions[1];
        one.changes[0].actor = did(5);
        one.leaf.changes_root = changes_root(&one.changes);
    });
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    let page = change(&|page| page.consistency.truncate(page.consistency.len() - 1));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    let page = change(&|page| page.consistency.push([0; 32]));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    assert!(follower.apply(&trusted, &good).is_ok());
    // An old record: fewer revisions than are known.
    let (old, page) = hub.page_at(0, 0, 2);
    assert_eq!(
        follower.apply(&old, &page).unwrap_err(),
        LightError::Older { known: 5, found: 2 }
    );
    // A policy that does not exist.
    let tree = Tree::new(some_entries(9));
    let key = policy::keys::policy(&POLICY);
    let page = ChangesPage {
        revisions: vec![],
        record: tree.state_proof(50, &key),
        consistency: vec![],
    };
    let error = follower
        .apply(&header_over(tree.root(), 50), &page)
        .unwrap_err();
    assert_eq!(error, LightError::Absent { what: "the policy" });
    let mut fresh = Follower::new(POLICY);
    let (trusted, nothing) = hub.page(0, 0);
    assert_eq!(
        fresh.apply(&trusted, &nothing).unwrap_err(),
        LightError::Revision {
            expected: 0,
            found: 6
        }
    );
}
