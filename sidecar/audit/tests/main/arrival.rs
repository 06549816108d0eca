//! Invariant 4 where permissions end or begin by time: commits, attestations, blocks and their times
//! arrive in any order, and verdicts hang on what has arrived alone.

use std::collections::{BTreeMap, BTreeSet};

use audit::authority::PolicyAuthority;
use audit::times::{BlockTimes, Wanted};
use audit::verdict::{
    admit, decide, inherit, judge, may_attest, sound, Attestation, ParentClaim, Standing, Verdict,
};
use crdt::Cid;

use crate::fixture::mortal::{Plant, LAST};
use crate::fixture::random::Random;
use crate::fixture::teller::ANCHOR_LAG;

/// What can arrive.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The commit at this place.
    Commit(usize),
    /// The attestation at this place.
    Attestation(usize),
    /// The state after this block, under the header of the next.
    State(u64),
    /// The header of an earlier block.
    Time(u64),
}

/// All of it, in a random order. A sidecar that was away proves some states only.
fn events(plant: &Plant, random: &mut Random) -> Vec<Event> {
    let commits = (0..plant.claims.len()).map(Event::Commit);
    let attestations = (0..plant.attestations.len()).map(Event::Attestation);
    let states = (1..LAST).filter(|_| random.once_in(5));
    let states: Vec<Event> = states.chain([LAST]).map(Event::State).collect();
    let times = (1..=LAST).map(Event::Time);
    let mut all: Vec<Event> = commits
        .chain(attestations)
        .chain(states)
        .chain(times)
        .collect();
    random.shuffle(&mut all);
    all
}

/// Whoever keeps what arrives. Nothing is kept of the order.
struct Replica<'a> {
    plant: &'a Plant,
    commits: BTreeSet<usize>,
    attestations: BTreeSet<usize>,
    proven: u64,
    times: BlockTimes,
    /// Kept from one judgement to the next, as a sidecar does.
    standings: BTreeMap<usize, Standing>,
}

impl<'a> Replica<'a> {
    fn new(plant: &'a Plant) -> Replica<'a> {
        Replica {
            plant,
            commits: BTreeSet::new(),
            attestations: BTreeSet::new(),
            proven: 0,
            times: BlockTimes::default(),
            standings: BTreeMap::new(),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Commit(place) => {
                self.commits.insert(place);
            }
            Event::Attestation(place) => {
                self.attestations.insert(place);
            }
            Event::State(height) => {
                self.proven = self.proven.max(height);
                self.times.insert(self.plant.block(height + 1));
            }
            Event::Time(height) => {
                self.times.insert(self.plant.block(height));
            }
        }
    }

    /// The verdict of each commit that has arrived, and what would have to be proven to tell more.
    /// Parents come before their children in `claims`.
    fn judge(&mut self) -> (BTreeMap<usize, Verdict>, BTreeSet<Wanted>) {
        let Some((history, collections)) = self.plant.history(self.proven) else {
            return Default::default();
        };
        let header = self.plant.block(self.proven + 1).time;
        let authority = PolicyAuthority::new(
            history,
            collections,
            ANCHOR_LAG,
            self.proven,
            Some(header),
            &self.times,
        );
        let chain = self.plant.chain.as_str();
        let mut verdicts: BTreeMap<usize, Verdict> = BTreeMap::new();
        let mut admitted: BTreeSet<usize> = BTreeSet::new();
        let mut of_parents: BTreeMap<usize, Vec<(Cid, Option<ParentClaim>)>> = BTreeMap::new();
        for place in self.commits.iter().copied() {
            let claim = &self.plant.claims[place];
            let parent = |parent: &usize| {
                let known = admitted.contains(parent);
                let known = known.then(|| self.plant.parent_claim(*parent));
                (self.plant.claims[*parent].commit, known)
            };
            let parents: Vec<_> = self.plant.parents[place].iter().map(parent).collect();
            match admit(claim, &parents, chain, &authority) {
                Ok(standing) => {
                    self.standings.entry(place).or_insert(standing);
                    admitted.insert(place);
                }
                Err(verdict) => {
                    verdicts.insert(place, verdict);
                }
            }
            of_parents.insert(place, parents);
        }
        let collected = self.collect(&admitted, &authority);
        let none = BTreeSet::new();
        for place in admitted {
            let claim = &self.plant.claims[place];
            let attestations = collected.get(&place).unwrap_or(&none);
            let standing = self.standings.get_mut(&place).expect("admitted");
            standing.advance(claim, &authority);
            let kept = decide(claim, standing, attestations, &authority);
            let all: Vec<Attestation> = attestations.iter().cloned().collect();
            let anew = judge(claim, &of_parents[&place], &all, chain, &authority);
            assert_eq!(
                kept, anew,
                "commit {place}: what was kept changed the verdict"
            );
            verdicts.insert(place, kept);
        }
        (verdicts, authority.wanted())
    }

    /// Attestations of each admitted commit and of its admitted descendants.
    fn collect(
        &self,
        admitted: &BTreeSet<usize>,
        authority: &PolicyAuthority<'_>,
    ) -> BTreeMap<usize, BTreeSet<Attestation>> {
        let mut collected: BTreeMap<usize, BTreeSet<Attestation>> = BTreeMap::new();
        for (place, attestation) in arrived(self.plant, &self.attestations) {
            let claim = &self.plant.claims[place];
            let attests = may_attest(claim.height, claim.author.as_str(), attestation);
            if admitted.contains(&place) && attests {
                let of_commit = collected.entry(place).or_default();
                of_commit.insert(attestation.clone());
            }
        }
        for place in admitted.iter().rev() {
            let claim = &self.plant.claims[*place];
            let sound = |one: &Attestation| sound(&claim.document, one, authority);
            let of_child = collected.get(place).cloned().unwrap_or_default();
            for parent in &self.plant.parents[*place] {
                let of_parent = collected.entry(*parent).or_default();
                inherit(of_parent, &of_child, claim.height, &sound);
            }
        }
        collected
    }
}

fn arrived<'a>(
    plant: &'a Plant,
    attestations: &'a BTreeSet<usize>,
) -> impl Iterator<Item = (usize, &'a Attestation)> {
    attestations.iter().map(|one| {
        let (place, attestation) = &plant.attestations[*one];
        (*place, attestation)
    })
}

/// DESIGN §7 over P(h), height by height, with every block's time; nothing of the judge's is used. A
/// verdict's name, and the height that a late one was lost at.
fn naive(plant: &Plant, replica: &Replica<'_>) -> BTreeMap<usize, (&'static str, Option<u64>)> {
    let proven = replica.proven;
    let mut verdicts = BTreeMap::new();
    if plant.history(proven).is_none() {
        return verdicts;
    }
    let p = |place: usize, height: u64| {
        let claim = &plant.claims[place];
        let may = |permission: &String| plant.permits(&claim.author, permission, height);
        claim.permissions.iter().all(may)
    };
    let mut admitted: BTreeSet<usize> = BTreeSet::new();
    for place in replica.commits.iter().copied() {
        let cited = plant.claims[place].height;
        let known = plant.parents[place]
            .iter()
            .all(|one| admitted.contains(one));
        if cited <= proven && !p(place, cited) {
            verdicts.insert(place, ("reject", None));
        } else if !known || cited > proven {
            verdicts.insert(place, ("defer", None));
        } else {
            admitted.insert(place);
        }
    }
    for place in admitted.iter().copied() {
        let claim = &plant.claims[place];
        let lost_at = (claim.height..=proven).find(|height| !p(place, *height));
        let settles = |(named, by): (usize, &Attestation)| {
            let commit = &plant.claims[named];
            let (s, a) = (by.height, by.anchor_height);
            admitted.contains(&named)
                && descends(plant, &admitted, named, place)
                && by.operator != commit.author
                && by.operator != claim.author
                && (commit.height..=proven).contains(&s)
                && (s + 1..=s + ANCHOR_LAG).contains(&a)
                && plant.permits(&by.operator, "attest", s)
                && lost_at.is_none_or(|lost| s < lost)
        };
        let settled = arrived(plant, &replica.attestations).any(settles);
        let verdict = match (settled, lost_at) {
            (true, _) => ("settled", None),
            (false, None) => ("provisional", None),
            (false, lost) => ("late", lost),
        };
        verdicts.insert(place, verdict);
    }
    verdicts
}

/// Whether `from` is `to` or one of its descendants among the admitted.
fn descends(plant: &Plant, admitted: &BTreeSet<usize>, from: usize, to: usize) -> bool {
    let mut parents = plant.parents[from].iter();
    from == to
        || parents.any(|parent| admitted.contains(parent) && descends(plant, admitted, *parent, to))
}

fn named(verdicts: &BTreeMap<usize, Verdict>) -> BTreeMap<usize, (&'static str, Option<u64>)> {
    let name = |verdict: &Verdict| match verdict {
        Verdict::Late { lost_at } => ("late", Some(*lost_at)),
        other => (other.name(), None),
    };
    verdicts
        .iter()
        .map(|(place, one)| (*place, name(one)))
        .collect()
}

/// `HOLDFAST_SOAK=1` tries fifty times as many.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var_os("HOLDFAST_SOAK") {
        Some(_) => 0..50_000,
        None => 0..1_000,
    }
}

/// Says the seed of a case that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed with seed {}", self.0);
        }
    }
}

/// At every step on the way, in a random order: what is final is what the model says and stays so; where
/// nothing more is wanted, everything is. At the end nothing is.
#[test]
fn verdicts_are_those_of_the_model_whatever_arrives_first() {
    let mut met: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut waited = 0;
    for seed in seeds() {
        let _seed = Seed(seed);
        let plant = Plant::random(seed);
        let order = events(&plant, &mut Random(!seed));
        let mut replica = Replica::new(&plant);
        let mut finals: BTreeMap<usize, &'static str> = BTreeMap::new();
        for (step, event) in order.iter().enumerate() {
            replica.take(*event);
            // Some twice.
            replica.take(order[step / 2]);
            let (verdicts, wanted) = replica.judge();
            let expected = naive(&plant, &replica);
            let found = named(&verdicts);
            if wanted.is_empty() {
                assert_eq!(found, expected, "step {step}, {event:?}");
            } else {
                waited += 1;
            }
            for (place, verdict) in &verdicts {
                if verdict.is_final() {
                    assert_eq!(
                        verdict.name(),
                        expected[place].0,
                        "step {step}, commit {place}"
                    );
                    finals.insert(*place, verdict.name());
                } else {
                    assert_eq!(finals.get(place), None, "step {step}, commit {place}");
                }
            }
        }
        let (verdicts, wanted) = replica.judge();
        assert!(wanted.is_empty(), "{wanted:?}");
        assert_eq!(named(&verdicts), naive(&plant, &replica));
        for verdict in verdicts.values() {
            *met.entry(verdict.name()).or_default() += 1;
        }
    }
    println!("{met:?}; {waited} steps waited for times of blocks");
    for name in ["reject", "defer", "settled", "provisional", "late"] {
        assert!(met.get(name).is_some_and(|count| *count > 100), "{met:?}");
    }
    assert!(waited > 1_000, "{waited}");
}

/// Any part of it in two orders: the same verdicts to the last word, and the same is wanted.
#[test]
fn whatever_has_arrived_is_judged_alike_in_any_order() {
    let mut waited = 0;
    for seed in seeds() {
        let _seed = Seed(seed);
        let plant = Plant::random(seed);
        let random = &mut Random(seed ^ 0x5eed);
        let mut order = events(&plant, random);
        order.truncate(order.len() / 2 + random.below(order.len() as u64 / 2 + 1) as usize);
        let mut once = Replica::new(&plant);
        order.iter().for_each(|event| once.take(*event));
        let at_once = once.judge();
        waited += u32::from(!at_once.1.is_empty());
        for _ in 0..3 {
            random.shuffle(&mut order);
            let mut replica = Replica::new(&plant);
            for event in &order {
                replica.take(*event);
                if random.once_in(4) {
                    replica.judge();
                }
            }
            assert_eq!(replica.judge(), at_once);
        }
    }
    assert!(waited > 100, "{waited}");
}
