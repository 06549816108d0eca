//! The one invariant, from many sides: state is a function of the blocks known and of which
//! commits count, never of arrival.

use std::{cell::Cell, collections::BTreeSet};

use crdt::{
    materialize, Applied, BodyBlock, Cid, Commit, Dag, Disclosure, DocumentState, HeaderBlock,
};
use proptest::prelude::*;

use crate::{
    oracle::{Expected, Oracle},
    plan::{steps, Planned},
    world::{opened, schemas},
};

/// The commits in an order drawn from `keys`, some of them twice.
fn shuffled<'a>(commits: &'a [(Commit, BodyBlock)], keys: &[u32]) -> Vec<&'a (Commit, BodyBlock)> {
    let mut order: Vec<(u32, usize)> = keys
        .iter()
        .enumerate()
        .map(|(position, key)| (*key, position % commits.len()))
        .collect();
    let covered: BTreeSet<usize> = order.iter().map(|(_, index)| *index).collect();
    order.extend(
        (0..commits.len())
            .filter(|index| !covered.contains(index))
            .map(|it| (7, it)),
    );
    order.sort();
    order
        .into_iter()
        .map(|(_, index)| &commits[index])
        .collect()
}

/// Which commits count, by chance; `mask` of all ones is the case in which all do.
fn counting(planned: &Planned, mask: u64) -> BTreeSet<Cid> {
    let numbered = planned.commits.iter().enumerate();
    numbered
        .filter(|(number, _)| mask >> (number % 64) & 1 == 1)
        .map(|(_, (commit, _))| *commit.cid())
        .collect()
}

fn mask() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(u64::MAX),
        any::<u64>(),
        (any::<u64>(), any::<u64>()).prop_map(|(a, b)| a | b)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_order_any_duplication_any_restart_gives_the_same_bytes(
        steps in steps(20),
        keys in prop::collection::vec(any::<u32>(), 0..50),
        restarts in any::<u64>(),
        mask in mask(),
    ) {
        let planned = Planned::new(&steps);
        let counting = counting(&planned, mask);
        let counts = |cid: &Cid| counting.contains(cid);
        let expected = materialize(&planned.world.dag, None, &counts, &schemas()).unwrap();

        let mut dag = Dag::new(planned.world.document());
        let mut state = DocumentState::new(planned.world.document());
        let arrivals = shuffled(&planned.commits, &keys);
        for (arrival, (commit, body)) in arrivals.into_iter().enumerate() {
            if restarts >> (arrival % 64) & 1 == 1 {
                // A restart forgets what waited, as a store that keeps only whole DAGs would; it
                // is offered again below.
                dag = reopened(&dag);
                state = DocumentState::decode(&state.encode()).unwrap();
            }
            // A restart loses what waited; parents are fetched again, as a peer would.
            let mut wanted = vec![(commit.clone(), body)];
            let all = planned.by_cid();
            while let Some((commit, body)) = wanted.pop() {
                let inserted = dag.insert(commit, opened(body)).unwrap();
                prop_assert!(inserted.refused.is_empty() && inserted.dropped.is_empty());
                for cid in &inserted.added {
                    if state.apply(&dag, cid, &counts, &schemas()).unwrap() != Applied::Done {
                        // Later ones of `added` are not applied yet: the state up to here.
                        let known = |it: &Cid| counts(it) && !inserted.added.iter()
                            .skip_while(|added| *added != cid).skip(1).any(|later| later == it);
                        state = materialize(&dag, None, &known, &schemas()).unwrap();
                    }
                }
                if arrival % 3 == 0 {
                    wanted.extend(dag.missing().iter().map(|cid| (all[cid].0.clone(), &all[cid].1)));
                }
            }
        }
        // Whatever a restart lost is offered again in the end.
        for (commit, body) in &planned.commits {
            let inserted = dag.insert(commit.clone(), opened(body)).unwrap();
            for cid in &inserted.added {
                if state.apply(&dag, cid, &counts, &schemas()).unwrap() != Applied::Done {
                    let known = |it: &Cid| counts(it) && !inserted.added.iter()
                        .skip_while(|added| *added != cid).skip(1).any(|later| later == it);
                    state = materialize(&dag, None, &known, &schemas()).unwrap();
                }
            }
        }
        prop_assert_eq!(dag.waiting().count(), 0);
        prop_assert!(dag.heads().eq(planned.world.dag.heads()));
        prop_assert_eq!(&materialize(&dag, None, &counts, &schemas()).unwrap(), &expected);
        prop_assert_eq!(&state, &expected);
        prop_assert_eq!(state.encode(), expected.encode());
        prop_assert_eq!(DocumentState::decode(&expected.encode()).unwrap(), expected);
    }

    #[test]
    fn the_state_is_what_the_plainest_reading_says(
        steps in steps(14),
        mask in mask(),
        absent in prop_oneof![2 => Just(0), 1 => any::<u64>()],
        heads in prop::option::of(prop::collection::vec(any::<u16>(), 1..3)),
    ) {
        let mut planned = Planned::new(&steps);
        for (number, (commit, _)) in planned.commits.iter().enumerate() {
            if absent >> (number % 64) & 1 == 1 {
                planned.world.dag.conceal(commit.cid());
            }
        }
        let dag = &planned.world.dag;
        let counting = counting(&planned, mask);
        let counts = |cid: &Cid| counting.contains(cid);
        let heads: Option<Vec<Cid>> = heads.map(|numbers| numbers.iter().map(|number| {
            *planned.commits[usize::from(*number) % planned.commits.len()].0.cid()
        }).collect());
        let state = materialize(dag, heads.as_deref(), &counts, &schemas()).unwrap();
        let at = heads.unwrap_or_else(|| dag.counting_heads(&counts));
        let expected = Oracle::at(dag, &at, &counts).state();
        prop_assert_eq!(Expected::of(&state), expected);
    }

    #[test]
    fn a_body_that_comes_late_changes_nothing_else(steps in steps(16), late in any::<u64>()) {
        let planned = Planned::new(&steps);
        let mut dag = Dag::new(planned.world.document());
        for (number, (commit, body)) in planned.commits.iter().enumerate() {
            let withheld = late >> (number % 64) & 1 == 1;
            let body = if withheld { Disclosure::Absent } else { opened(body) };
            dag.insert(commit.clone(), body).unwrap();
        }
        for (commit, body) in &planned.commits {
            let disclosed = commit.open_body(body.bytes()).unwrap();
            dag.disclose(commit.cid(), disclosed).unwrap();
        }
        prop_assert_eq!(
            materialize(&dag, None, &|_| true, &schemas()).unwrap(),
            planned.world.state()
        );
    }

    #[test]
    fn difference_and_closure_agree(steps in steps(20), picks in prop::collection::vec(any::<u16>(), 2..6)) {
        let planned = Planned::new(&steps);
        let dag = &planned.world.dag;
        let pick = |number: &u16| *planned.commits[usize::from(*number) % planned.commits.len()].0.cid();
        let (heads, known) = picks.split_at(picks.len() / 2);
        let heads: Vec<Cid> = heads.iter().map(pick).collect();
        let known: Vec<Cid> = known.iter().map(pick).collect();
        let of_heads = dag.closure(&heads).unwrap();
        let of_known = dag.closure(&known).unwrap();
        let since = dag.since(&heads, &known).unwrap();
        let expected: BTreeSet<Cid> = of_heads.difference(&of_known).copied().collect();
        prop_assert_eq!(since.iter().copied().collect::<BTreeSet<_>>(), expected);
        let heights: Vec<u64> = since.iter().map(|cid| dag.get(cid).unwrap().header().height).collect();
        prop_assert!(heights.is_sorted());
        for head in &heads {
            for other in &known {
                let is_in = dag.is_in_closure(other, head).unwrap();
                prop_assert_eq!(is_in, dag.closure(&[*head]).unwrap().contains(other));
            }
        }
        prop_assert_eq!(dag.topological().len(), dag.len());
    }
}

/// The DAG read anew from its blocks.
fn reopened(dag: &Dag) -> Dag {
    let mut read = Dag::new(dag.document());
    for commit in dag.topological() {
        let block = HeaderBlock::decode(commit.header_bytes().to_vec()).unwrap();
        let body = match dag.body(commit.cid()).unwrap() {
            Disclosure::Open(body) => {
                let block = body.as_ref().clone().into_block().unwrap();
                commit.open_body(block.bytes()).unwrap()
            }
            other => other.clone(),
        };
        let inserted = read
            .insert(Commit::trusted(block, *commit.signature()), body)
            .unwrap();
        assert_eq!(inserted.added, [*commit.cid()]);
    }
    assert!(read.heads().eq(dag.heads()));
    read
}

/// The fast path is worth its name only if it is taken.
#[test]
fn a_history_without_branches_is_applied_without_the_dag() {
    let mut world = crate::world::World::new();
    let mut state = DocumentState::new(world.document());
    let needed = Cell::new(0);
    let mut follow = |world: &crate::world::World, cid: &Cid| {
        let (commit, body) = (world.dag.get(cid).unwrap(), world.dag.body(cid).unwrap());
        match state.append(commit, body, &schemas()).unwrap() {
            Applied::Done => assert_eq!(state, world.state()),
            _ => needed.set(needed.get() + 1),
        }
    };
    let mut last = world.commit(
        0,
        &[],
        vec![crate::world::add("a"), crate::world::set("title", "x")],
    );
    follow(&world, &last);
    for round in 0..20_u32 {
        let operations = match round % 3 {
            0 => vec![
                crate::world::increment(1),
                crate::world::add(i64::from(round)),
            ],
            1 => vec![crate::world::remove(&[crate::world::named(last, 1)])],
            _ => vec![crate::world::set("note", i64::from(round))],
        };
        last = world.commit(1, &[last], operations);
        follow(&world, &last);
    }
    assert_eq!(needed.get(), 0);
}
