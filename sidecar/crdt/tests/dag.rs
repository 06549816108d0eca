//! What arrives in the wrong order, too often, too early, or not at all.

use crdt::{limits::PENDING_COMMITS_MAX, Cid, Commit, Dag, Disclosure, Error, Header, HeaderParts};

use crate::world::{author, chain, increment, preimage, schema, World};

/// A commit with parts of its header changed, properly signed.
fn altered(world: &mut World, parents: &[Cid], alter: impl FnOnce(&mut HeaderParts)) -> Commit {
    let prepared = world
        .draft(1, parents, vec![increment(1)])
        .prepare(schema())
        .unwrap();
    let mut parts = HeaderParts::clone(prepared.header.header());
    alter(&mut parts);
    let block = Header::new(parts).unwrap().into_block().unwrap();
    let signature = author(1).sign_commit(&chain(), block.bytes());
    block.verify(&chain(), signature).unwrap()
}

#[test]
fn a_forged_height_is_refused_with_or_without_its_parents() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let first_commit = world.dag.get(&first).unwrap().clone();
    for height in [3, 100, u64::MAX] {
        let forged = altered(&mut world, &[first], |parts| parts.height = height);
        let cid = *forged.cid();
        let wrong = Error::WrongHeight {
            commit: cid,
            expected: 2,
            found: height,
        };
        let mut dag = world.dag.clone();
        assert_eq!(
            dag.insert(forged.clone(), Disclosure::Absent),
            Err(wrong.clone())
        );
        assert!(dag.heads().eq([&first]));

        // Without its parent it waits, and what follows it waits too.
        let follows = altered(&mut world, &[first], |parts| {
            parts.parents = vec![cid];
            parts.height = height.saturating_add(1);
        });
        let mut dag = Dag::new(world.document());
        assert!(
            dag.insert(follows.clone(), Disclosure::Absent)
                .unwrap()
                .waits
        );
        assert_eq!(dag.missing(), [cid]);
        assert!(dag.insert(forged, Disclosure::Absent).unwrap().waits);
        assert_eq!(dag.missing(), [first]);
        let inserted = dag
            .insert(first_commit.clone(), Disclosure::Absent)
            .unwrap();
        assert_eq!(inserted.added, [first]);
        let unknown = Error::UnknownCommit { commit: cid };
        assert_eq!(inserted.refused, [(cid, wrong), (*follows.cid(), unknown)]);
        assert_eq!((dag.waiting().count(), dag.waiting_bytes()), (0, 0));
        assert!(dag.missing().is_empty());
    }
}

#[test]
fn what_waits_is_bounded_and_the_highest_goes_first() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let mut dag = Dag::new(world.document());
    let template = altered(&mut world, &[first], |_| {});
    let orphan = |number: u64, height: u64| {
        let mut parts = HeaderParts::clone(template.header());
        parts.parents = vec![Cid::of(&number.to_be_bytes())];
        parts.height = height;
        let block = Header::new(parts).unwrap().into_block().unwrap();
        Commit::trusted(block, *template.signature())
    };
    for number in 0..PENDING_COMMITS_MAX as u64 {
        let inserted = dag
            .insert(orphan(number, 10 + number), Disclosure::Absent)
            .unwrap();
        assert!(inserted.waits && inserted.dropped.is_empty());
    }
    let bytes = dag.waiting_bytes();
    // A flood of forged heights displaces only itself.
    for number in 0..100 {
        let flood = orphan(1_000_000 + number, 1_000_000 + number);
        let inserted = dag.insert(flood.clone(), Disclosure::Absent).unwrap();
        assert_eq!(
            (inserted.waits, inserted.dropped),
            (false, vec![*flood.cid()])
        );
    }
    // A lower one displaces the highest.
    let low = orphan(2_000_000, 5);
    let inserted = dag.insert(low, Disclosure::Absent).unwrap();
    let highest = orphan(
        PENDING_COMMITS_MAX as u64 - 1,
        9 + PENDING_COMMITS_MAX as u64,
    );
    assert_eq!(
        (inserted.waits, inserted.dropped),
        (true, vec![*highest.cid()])
    );
    assert_eq!(dag.waiting().count(), PENDING_COMMITS_MAX);
    assert!(dag.waiting_bytes().abs_diff(bytes) < 16);
    // Once it is known that a parent will never come, its descendants are forgotten.
    let parent = Cid::of(&0_u64.to_be_bytes());
    assert_eq!(dag.forget_waiting_for(&parent), [*orphan(0, 10).cid()]);
    assert_eq!(dag.waiting().count(), PENDING_COMMITS_MAX - 1);
}

#[test]
fn a_commit_of_another_document_is_refused() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let other = preimage(0, 2).id();
    let mut dag = Dag::new(other);
    let commit = world.dag.get(&first).unwrap().clone();
    let wrong = Error::WrongDocument {
        expected: other,
        found: world.document(),
    };
    assert_eq!(dag.insert(commit, Disclosure::Absent), Err(wrong));
    assert!(dag.is_empty());
}

#[test]
fn a_body_that_arrives_before_the_parents_is_kept() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let second = world.commit(1, &[first], vec![increment(10)]);
    let mut dag = Dag::new(world.document());
    let of = |cid: &Cid| world.dag.get(cid).unwrap().clone();
    dag.insert(of(&second), Disclosure::Absent).unwrap();
    dag.insert(of(&second), crate::world::opened(&world.bodies[&second]))
        .unwrap();
    assert_eq!(dag.waiting().count(), 1);
    dag.insert(of(&first), crate::world::opened(&world.bodies[&first]))
        .unwrap();
    let state = crdt::materialize(&dag, None, &|_| true, &crate::world::schemas()).unwrap();
    assert_eq!(state, world.state());
    assert!(dag
        .disclose(&Cid::of(b"nowhere"), Disclosure::Absent)
        .is_err());
}
