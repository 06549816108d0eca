//! Generated graphs, a drive and a social network, from ten thousand relationships to a million.
//!
//! `cargo bench -p policy --bench graphs` prints how checks spread, allow and deny apart, each
//! question asked once and no two alike, with nothing kept from one to the next; then lists, memory,
//! and how long a snapshot takes to open. Every answer is compared with the generator's own. The name
//! of a graph behind `--` asks for that one only, `--quick` leaves out the largest size.
#![allow(missing_docs, reason = "a benchmark")]
#![allow(clippy::unwrap_used, reason = "it shares files with the tests")]

#[allow(dead_code, reason = "this bench uses a part of it")]
mod common;
#[path = "../tests/main/oracle.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod oracle;
#[path = "../tests/main/outlined.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod outlined;

use std::{collections::BTreeMap, hint::black_box};

use common::{
    graphs::{append, changes, history, questions, Drive, Fact, Graph, Random, Social, BLOCK},
    measure::{median, slow, spread, Extent, Spread},
};
use policy::{
    apply_all, check, lookup_objects, lookup_subjects, Change, Circumstances, History, Limits,
    Question, Subject, TreeRelationships, View, Wanted,
};

/// The graphs and questions of every run are these.
const SEED: u64 = 4;

fn sizes(extent: Extent) -> Vec<usize> {
    match extent {
        Extent::Full => vec![10_000, 100_000, 1_000_000],
        Extent::Quick => vec![10_000, 100_000],
        Extent::Once => vec![2_000],
    }
}

/// Questions of either answer. A hundred thousand, so that each of the parts of which the median is
/// taken has a p99 of its own.
fn count(extent: Extent) -> usize {
    match extent {
        Extent::Full => 100_000,
        Extent::Quick => 20_000,
        Extent::Once => 500,
    }
}

fn main() {
    let extent = Extent::of_this_run();
    println!("checks, each asked once       allow: median      p99   deny: median      p99 µs   steps allow, deny");
    if extent == Extent::Once {
        println!("a test: each question is asked once, for its answer; the times mean nothing");
    }
    if extent.wants(Social::NAME) {
        graph::<Social>(extent);
    }
    if !extent.wants(Drive::NAME) {
        return;
    }
    let spreads = graph::<Drive>(extent);
    if let (Some(first), Some(last)) = (spreads.first(), spreads.last()) {
        println!(
            "drive, p99 at the largest size over p99 at the smallest: allow {:.2}, deny {:.2} (aim: at most 2)",
            last[0].p99 / first[0].p99,
            last[1].p99 / first[1].p99
        );
    }
    records(extent);
}

fn graph<G: Graph>(extent: Extent) -> Vec<[Spread; 2]> {
    let mut all = vec![];
    for size in sizes(extent) {
        let mut random = Random::new(SEED);
        let graph = G::new(size, &mut random);
        let asked = [true, false].map(|is| questions(&graph, is, count(extent), &mut random));
        let history = history(&graph);
        all.push(checks::<G>(&history, &asked));
        if size == *sizes(extent).last().expect("a size") {
            lists::<G>(extent, &history, &asked[0]);
            store(extent, &graph, history, &asked);
        }
    }
    all
}

fn view(history: &History) -> View<'_> {
    let latest = history.latest().expect("there are changes").revision;
    history.at(latest).expect("the latest revision")
}

fn checks<G: Graph>(history: &History, asked: &[Vec<Question>; 2]) -> [Spread; 2] {
    let view = view(history);
    let circumstances = Circumstances::default();
    let mut steps = [0, 0];
    let spreads = [0, 1].map(|at| {
        spread(&asked[at], |question| {
            let answer = check(&view, question, &circumstances, Limits::CONSENSUS);
            let answer = answer.expect("an answer");
            assert_eq!(answer.is_allow(), at == 0, "{question}");
            steps[at] += answer.steps;
        })
    });
    let mean = |at: usize| steps[at] as f64 / asked[at].len().max(1) as f64;
    println!(
        "{:<8} {:>9} relationships {:>13.2} {:>8.2} {:>14.2} {:>8.2} {:>12.1} {:>6.1}",
        G::NAME,
        history.memory().live,
        spreads[0].median,
        spreads[0].p99,
        spreads[1].median,
        spreads[1].p99,
        mean(0),
        mean(1),
    );
    spreads
}

/// Lists for random actors and objects.
fn lists<G: Graph>(extent: Extent, history: &History, asked: &[Question]) {
    let view = view(history);
    let circumstances = Circumstances::default();
    let some: Vec<&Question> = asked.iter().take(count(extent) / 100).collect();
    let (mut found, mut steps) = (0, 0);
    let objects = spread(&some, |question| {
        let Subject::Actor(_) = &question.subject else {
            return;
        };
        let list = lookup_objects(
            &view,
            &question.subject,
            G::PERMISSION,
            G::RESOURCE,
            &circumstances,
            Limits::LOOKUP,
            None,
            usize::MAX,
        );
        let list = list.expect("a list");
        assert!(list.allowed.iter().any(|id| id == question.object.id()));
        found += list.allowed.len();
        steps += list.steps;
    });
    print_lists::<G>("objects of an actor", objects, found, steps, some.len());
    let (mut found, mut steps) = (0, 0);
    let subjects = spread(&some, |question| {
        let list = lookup_subjects(
            &view,
            &question.object,
            G::PERMISSION,
            Wanted::Actors,
            &circumstances,
            Limits::LOOKUP,
            None,
            usize::MAX,
        );
        let list = list.expect("a list");
        assert!(list.allowed.contains(&question.subject.to_string()));
        found += list.allowed.len();
        steps += list.steps;
    });
    print_lists::<G>("actors of an object", subjects, found, steps, some.len());
}

fn print_lists<G: Graph>(what: &str, spread: Spread, found: usize, steps: u64, of: usize) {
    println!(
        "{:<8} {what}: median {:.1} µs, p99 {:.1} µs; {:.0} found and {:.0} steps on the average",
        G::NAME,
        spread.median,
        spread.p99,
        found as f64 / of as f64,
        steps as f64 / of as f64,
    );
}

/// What it takes up, how long it takes to open, and what a deletion leaves behind.
fn store<G: Graph>(extent: Extent, graph: &G, mut history: History, asked: &[Vec<Question>; 2]) {
    let before = history.memory();
    println!(
        "{:<8} {:.1} bytes a live relationship (aim: 64), and {:.1} of names",
        G::NAME,
        before.live_bytes as f64 / before.live as f64,
        before.name_bytes as f64 / before.live as f64,
    );
    let bytes = history.to_snapshot();
    let opens = slow(extent, || {
        black_box(History::from_snapshot(black_box(&bytes)).expect("a snapshot"));
    });
    println!(
        "{:<8} a snapshot of {} MB opens in {:.0} ms (aim: well under 1,000)",
        G::NAME,
        bytes.len() / 1_000_000,
        opens / 1_000.0
    );
    let again = History::from_snapshot(&bytes).expect("a snapshot");
    println!("{:<8} from the snapshot:", G::NAME);
    checks::<G>(&again, asked);

    let facts = graph.relationships().filter_map(|fact| match fact {
        Fact::Relationship(text) => Some(text.parse().expect("a relationship")),
        Fact::Owner(..) => None,
    });
    // Every third of them ends.
    let mut deleted = facts.step_by(3).map(Change::RelationshipDeleted).peekable();
    while deleted.peek().is_some() {
        let block: Vec<Change> = deleted.by_ref().take(BLOCK).collect();
        append(&mut history, &block);
    }
    let after = history.memory();
    println!(
        "{:<8} {:.1} bytes a closed interval of {} (aim: 24)",
        G::NAME,
        after.closed_bytes as f64 / after.closed as f64,
        after.closed,
    );
}

/// The hub's way at ten thousand: records decoded from bytes, nothing kept from one question to the
/// next; and what reading the policy costs.
fn records(extent: Extent) {
    let mut random = Random::new(SEED);
    let size = sizes(extent)[0];
    let graph = Drive::new(size, &mut random);
    let all: Vec<Change> = changes(&graph).collect();
    let writes = apply_all(&all, BTreeMap::<Vec<u8>, Vec<u8>>::new()).expect("they apply");
    let tree: BTreeMap<Vec<u8>, Vec<u8>> = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let policy = policy::Policy::parse(Drive::POLICY).expect("a policy");
    let circumstances = Circumstances::default();
    let spreads = [true, false].map(|is| {
        let asked = questions(&graph, is, count(extent) / 5, &mut random);
        spread(&asked, |question| {
            let relationships = TreeRelationships::new(&policy, &tree);
            let limits = Limits::CONSENSUS;
            let answer = check(&relationships, question, &circumstances, limits);
            assert_eq!(answer.expect("an answer").is_allow(), is, "{question}");
        })
    });
    println!(
        "drive    {size:>9}, from the tree's records: allow {:.2}, p99 {:.2}; deny {:.2}, p99 {:.2} µs",
        spreads[0].median, spreads[0].p99, spreads[1].median, spreads[1].p99
    );
    let parse = median(extent, || {
        black_box(policy::Policy::parse(black_box(Drive::POLICY)).expect("a policy"));
    });
    println!("drive    its policy is read and compiled in {parse:.0} µs");
}
