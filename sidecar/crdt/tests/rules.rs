//! The merge rules, one sentence each.

use crdt::{
    materialize, Applied, Body, Cid, Commit, Disclosure, DocumentState, Error, Header, HeaderParts,
    Operation, Sealed, Value,
};

use crate::world::{
    add, author, increment, named, remove, rollback, schema, schemas, set, tags, total, World,
};

fn title(state: &DocumentState) -> Option<Value> {
    state
        .register("title")
        .map(|register| register.value().clone())
}

#[test]
fn the_last_writer_wins_by_height_then_author_then_name() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "first")]);
    let low = world.commit(1, &[first], vec![set("title", "low")]);
    let next = world.commit(0, &[first], vec![increment(1)]);
    let high = world.commit(0, &[next], vec![set("title", "high")]);
    assert_eq!(
        title(&world.state()),
        Some("high".into()),
        "height decides over {low}"
    );

    let mut by_author = [(author(0).did(), "zero"), (author(1).did(), "one")];
    by_author.sort();
    let merge = world.commit(2, &[low, high], vec![increment(1)]);
    world.commit(0, &[merge], vec![set("title", "zero")]);
    world.commit(1, &[merge], vec![set("title", "one")]);
    assert_eq!(
        title(&world.state()),
        Some(by_author[1].1.into()),
        "then the author"
    );

    let heads = world.heads();
    let merge = world.commit(2, &heads, vec![increment(1)]);
    let a = world.commit(1, &[merge], vec![set("title", "a")]);
    let b = world.commit(1, &[merge], vec![set("title", "b")]);
    let winner = if a > b { "a" } else { "b" };
    assert_eq!(title(&world.state()), Some(winner.into()), "then the name");
}

#[test]
fn within_a_commit_the_later_write_wins_and_null_is_a_value() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "a"), set("title", "b")]);
    assert_eq!(title(&world.state()), Some("b".into()));
    world.commit(0, &[first], vec![set("title", Value::Null)]);
    assert_eq!(title(&world.state()), Some(Value::Null));
    assert_eq!(world.state().register("note"), None);
}

#[test]
fn counters_are_exact_beyond_64_bits_and_across_diamonds() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(i64::MAX)]);
    let left = world.commit(1, &[first], vec![increment(i64::MAX), increment(i64::MAX)]);
    let right = world.commit(2, &[first], vec![increment(i64::MIN)]);
    world.commit(0, &[left, right], vec![increment(1)]);
    let expected = 3 * i128::from(i64::MAX) + i128::from(i64::MIN) + 1;
    assert_eq!(total(&world.state()), expected);
}

#[test]
fn an_add_that_the_remover_had_not_seen_wins() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![add("red"), add("blue")]);
    let again = world.commit(1, &[first], vec![add("red")]);
    // Removes what it saw of red: the first add only.
    let gone = world.commit(2, &[first], vec![remove(&[named(first, 0)])]);
    assert_eq!(tags(&world.state()), ["blue".into(), "red".into()]);
    world.commit(0, &[again, gone], vec![remove(&[named(again, 0)])]);
    assert_eq!(tags(&world.state()), ["blue".into()]);
}

#[test]
fn a_remove_of_an_add_that_is_no_ancestor_does_nothing() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![add("red")]);
    let beside = world.commit(1, &[first], vec![add("green")]);
    let blind = world.commit(2, &[first], vec![remove(&[named(beside, 0)])]);
    assert_eq!(tags(&world.state()), ["green".into(), "red".into()]);
    // Nor does a merge make it true afterwards.
    world.commit(0, &[beside, blind], vec![increment(1)]);
    assert_eq!(tags(&world.state()), ["green".into(), "red".into()]);
}

#[test]
fn a_remove_names_adds_of_its_own_field_only() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![add("red"), increment(1)]);
    world.commit(
        0,
        &[first],
        vec![remove(&[named(first, 1), named(first, 9)])],
    );
    assert_eq!(tags(&world.state()), ["red".into()]);
}

#[test]
fn a_deleted_document_stays_deleted_until_it_is_rolled_back() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "kept")]);
    let deleted = world.commit(1, &[first], vec![Operation::Delete]);
    let beside = world.commit(0, &[first], vec![set("title", "beside")]);
    let state = world.state();
    assert_eq!(state.deleted().unwrap().stamp.commit, deleted);
    assert_eq!(title(&state), Some("beside".into()));
    world.commit(0, &[deleted, beside], vec![rollback(&[beside])]);
    assert_eq!(world.state().deleted(), None);
    assert_eq!(title(&world.state()), Some("beside".into()));
}

#[test]
fn two_concurrent_rollbacks_to_one_point_are_one() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(10), add("red")]);
    let wrong = world.commit(
        1,
        &[first],
        vec![increment(100), remove(&[named(first, 0)])],
    );
    let a = world.commit(0, &[wrong], vec![rollback(&[first]), increment(1)]);
    let b = world.commit(1, &[wrong], vec![rollback(&[first])]);
    let beside = world.commit(2, &[wrong], vec![increment(1000)]);
    // What was written beside the rollbacks is no ancestor of theirs, and counts.
    assert_eq!(total(&world.state()), 1011);
    assert_eq!(
        tags(&world.state()),
        ["red".into()],
        "the remove does not count any more"
    );
    world.commit(0, &[a, b, beside], vec![increment(5)]);
    assert_eq!(total(&world.state()), 1016);
}

#[test]
fn a_rollback_can_be_rolled_back() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(10)]);
    let second = world.commit(1, &[first], vec![increment(100)]);
    let back = world.commit(0, &[second], vec![rollback(&[first])]);
    assert_eq!(total(&world.state()), 10);
    let forth = world.commit(0, &[back], vec![rollback(&[second])]);
    assert_eq!(total(&world.state()), 110);
    // And the state between can still be seen.
    for (head, expected) in [(first, 10), (second, 110), (back, 10), (forth, 110)] {
        let state = materialize(&world.dag, Some(&[head]), &|_| true, &schemas()).unwrap();
        assert_eq!(total(&state), expected);
        assert!(state.heads().eq([&head]));
    }
}

#[test]
fn a_rollback_to_what_is_no_ancestor_does_nothing() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(10)]);
    let left = world.commit(1, &[first], vec![increment(100)]);
    let right = world.commit(2, &[first], vec![increment(1000)]);
    let nowhere = Cid::of(b"nowhere");
    world.commit(0, &[left], vec![rollback(&[right])]);
    world.commit(0, &[left], vec![rollback(&[first, nowhere])]);
    assert_eq!(total(&world.state()), 1110);
}

#[test]
fn a_rollback_whose_target_is_an_ancestor_in_part_only_does_nothing() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    // Low, and beside everything else: it is met last when the closures are compared.
    let beside = world.commit(0, &[first], vec![increment(10)]);
    let low_p = world.commit(1, &[first], vec![increment(100)]);
    let low_a = world.commit(2, &[first], vec![increment(1_000)]);
    let p = world.commit(1, &[low_p], vec![increment(10_000)]);
    let a = world.commit(2, &[low_a], vec![increment(100_000)]);
    let whole = world.commit(0, &[a, p], vec![rollback(&[a])]);
    assert_eq!(total(&world.state()), 101_011);
    let in_part = world.commit(0, &[a, p], vec![rollback(&[a, beside])]);
    let state = world.state_without(&[whole]);
    assert_eq!(total(&state), 111_111, "{in_part} does nothing");
}

#[test]
fn a_rollback_that_does_not_count_rolls_nothing_back() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(10)]);
    let second = world.commit(1, &[first], vec![increment(100)]);
    let back = world.commit(2, &[second], vec![rollback(&[first]), increment(1)]);
    assert_eq!(total(&world.state()), 11);
    let without = world.state_without(&[back]);
    assert_eq!(total(&without), 110);
    assert!(without.heads().eq([&second]));
}

#[test]
fn a_commit_that_does_not_count_excludes_its_own_operations_only() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let late = world.commit(1, &[first], vec![increment(10), add("red")]);
    let after = world.commit(0, &[late], vec![increment(100), remove(&[named(late, 1)])]);
    let state = world.state_without(&[late]);
    assert_eq!(total(&state), 101);
    assert_eq!(tags(&state), Vec::<Value>::new());
    assert!(state.heads().eq([&after]));
    // What does not count and is followed by nothing is no head that one would offer.
    let state = world.state_without(&[late, after]);
    assert!(state.heads().eq([&first]));
}

#[test]
fn operations_that_take_a_permission_not_listed_are_void() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let operations = vec![increment(10), set("approved", true), Operation::Delete];
    let prepared = world
        .draft(1, &[first], operations)
        .prepare(schema())
        .unwrap();
    assert_eq!(
        prepared.header.header().permissions,
        ["approve", "delete", "update"]
    );
    for (listed, expected) in [
        ("approve", (1, true, false)),
        ("delete", (1, false, true)),
        ("update", (11, false, false)),
        ("rollback", (1, false, false)),
    ] {
        let mut parts = HeaderParts::clone(prepared.header.header());
        parts.permissions = vec![listed.into()];
        let block = Header::new(parts).unwrap().into_block().unwrap();
        let signature = author(1).sign_commit(&crate::world::chain(), block.bytes());
        let commit = block.verify(&crate::world::chain(), signature).unwrap();
        let mut dag = world.dag.clone();
        let body = commit.open_body(prepared.body.bytes()).unwrap();
        dag.insert(commit, body).unwrap();
        let state = materialize(&dag, None, &|_| true, &schemas()).unwrap();
        let approved = state.register("approved").is_some();
        let found = (total(&state), approved, state.deleted().is_some());
        assert_eq!(found, expected, "with {listed} listed");
    }
}

#[test]
fn a_first_commit_takes_create_and_a_field_may_take_more() {
    let mut world = World::new();
    let operations = vec![increment(1), set("approved", true)];
    let prepared = world.draft(0, &[], operations).prepare(schema()).unwrap();
    assert_eq!(prepared.header.header().permissions, ["approve", "create"]);
    let first = world.commit(0, &[], vec![increment(1)]);
    assert_eq!(
        world.dag.get(&first).unwrap().header().permissions,
        ["create"]
    );
}

#[test]
fn operations_that_do_not_fit_their_schema_are_refused_when_written() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let mut refused = |operation| {
        world
            .draft(0, &[first], vec![operation])
            .prepare(schema())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(set("titel", 1)),
        "field \"titel\" is not in the schema, which has: approved, note, parts, tags, title"
    );
    assert_eq!(
        refused(set("parts", 1)),
        "field \"parts\" is a counter, which the operation \"set\" does not fit"
    );
}

#[test]
fn each_commit_is_read_by_the_schema_version_that_it_names() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "one"), increment(1)]);
    let later = crdt::Schema::from_json(
        r#"{"fields": {"parts": {"kind": "counter"}}, "permissions": {"update": "edit"}}"#,
    )
    .unwrap();
    let draft = world.draft(0, &[first], vec![increment(10)]);
    let prepared = crdt::Draft {
        schema_version: 2,
        ..draft
    }
    .prepare(&later)
    .unwrap();
    assert_eq!(prepared.header.header().permissions, ["edit"]);
    let (commit, body) = prepared.sign(author(0)).unwrap();
    world.insert(commit, body);
    let missing = materialize(&world.dag, None, &|_| true, &schemas());
    assert_eq!(missing, Err(Error::MissingSchema { version: 2 }));
    let mut both = schemas();
    both.insert(2, later);
    let state = materialize(&world.dag, None, &|_| true, &both).unwrap();
    assert_eq!(total(&state), 11);
    assert_eq!(title(&state), Some("one".into()));
}

#[test]
fn absent_sealed_and_void_bodies_leave_the_rest_standing() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let absent = world.commit(1, &[first], vec![increment(10)]);
    assert!(world.dag.conceal(&absent));
    assert!(!world.dag.conceal(&absent));

    let with_body = |world: &mut World, bytes: &[u8]| {
        let draft = world.draft(1, &[first], vec![increment(1)]);
        let prepared = draft.prepare(schema()).unwrap();
        let mut parts = HeaderParts::clone(prepared.header.header());
        parts.body = Cid::of(bytes);
        parts.body_bytes = bytes.len() as u64;
        let block = Header::new(parts).unwrap().into_block().unwrap();
        let signature = author(1).sign_commit(&crate::world::chain(), block.bytes());
        let commit = Commit::trusted(block, signature);
        let body = commit.open_body(bytes).unwrap();
        world.dag.insert(commit.clone(), body.clone()).unwrap();
        (*commit.cid(), body)
    };
    let sealed = Sealed {
        algorithm: "xchacha20poly1305".into(),
        epoch: 4,
        nonce: vec![1; 24],
        key_commitment: [2; 32],
        ciphertext: vec![3; 272],
    };
    let sealed = Body::sealed([9; 16], sealed).unwrap().into_block().unwrap();
    let (sealed, opened) = with_body(&mut world, sealed.bytes());
    assert!(matches!(opened, Disclosure::Open(body) if body.operations().is_none()));
    let (_, void) = with_body(&mut world, b"\xa0 no body at all");
    assert!(matches!(void, Disclosure::Void(_)));

    let state = world.state();
    assert_eq!(total(&state), 1);
    let mut unread = [absent, sealed];
    unread.sort();
    assert!(
        state.unread().eq(&unread),
        "a void body is read: it says nothing"
    );
    assert_eq!(state.heads().len(), 3);
}

#[test]
fn applying_twice_or_leaving_something_out_is_noticed() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![increment(1)]);
    let left = world.commit(1, &[first], vec![increment(10)]);
    let right = world.commit(2, &[first], vec![increment(100)]);
    let after = world.commit(1, &[left], vec![increment(1_000)]);
    let apply = |state: &mut DocumentState, cid: &Cid, not: &[Cid]| {
        let counts = |cid: &Cid| !not.contains(cid);
        state.apply(&world.dag, cid, &counts, &schemas()).unwrap()
    };
    let mut state = DocumentState::new(world.document());
    for cid in [first, left, right] {
        assert_eq!(apply(&mut state, &cid, &[]), Applied::Done);
    }
    let before = state.clone();
    for again in [first, left, right] {
        assert_eq!(apply(&mut state, &again, &[]), Applied::NeedsMaterialize);
        assert_eq!(state, before);
    }
    let mut lacking = DocumentState::new(world.document());
    assert_eq!(apply(&mut lacking, &first, &[]), Applied::Done);
    assert_eq!(apply(&mut lacking, &after, &[]), Applied::NeedsMaterialize);
    assert_eq!(total(&lacking), 1);
    // What does not count need not be applied: only its own operations are missing.
    assert_eq!(apply(&mut lacking, &left, &[left]), Applied::Done);
    assert_eq!(apply(&mut lacking, &after, &[left]), Applied::Done);
    assert_eq!(lacking, world.state_without(&[left, right]));
    assert_eq!(apply(&mut state, &after, &[]), Applied::Done);
    assert_eq!(state, world.state());
}

#[test]
fn a_field_of_two_kinds_is_two_fields() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "x")]);
    let changed = crdt::Schema::from_json(r#"{"fields": {"title": {"kind": "counter"}}}"#).unwrap();
    let by = Operation::Increment {
        field: "title".into(),
        by: 7,
    };
    let draft = world.draft(0, &[first], vec![by]);
    let prepared = crdt::Draft {
        schema_version: 2,
        ..draft
    }
    .prepare(&changed)
    .unwrap();
    let (commit, body) = prepared.sign(author(0)).unwrap();
    world.insert(commit, body);
    let mut both = schemas();
    both.insert(2, changed);
    let state = materialize(&world.dag, None, &|_| true, &both).unwrap();
    assert_eq!(title(&state), Some("x".into()));
    assert_eq!(state.counter("title").unwrap().total(), 7);
    assert_eq!(DocumentState::decode(&state.encode()), Ok(state));
}

#[test]
fn a_state_knows_who_wrote_what_and_when() {
    let mut world = World::new();
    let first = world.commit(0, &[], vec![set("title", "x"), add("red")]);
    let second = world.commit(1, &[first], vec![increment(5)]);
    let state = world.state();
    let by = |field: &str| state.fields()[field].written().stamp.clone();
    assert_eq!(by("title").author, author(0).did());
    assert_eq!(by("parts").author, author(1).did());
    assert_eq!((by("parts").commit, by("parts").height), (second, 2));
    assert_eq!(by("tags").commit, first);
    assert_eq!(state.created().unwrap().commit, first);
    assert_eq!(state.updated().unwrap().commit, second);
    let claimed = world.dag.get(&second).unwrap().header().claimed_time_ms;
    assert_eq!(state.updated().unwrap().claimed_time_ms, claimed);
    assert_eq!(
        state.set("tags").unwrap().adds_of(&"red".into()),
        [named(first, 1)]
    );
}
