//! The judge against a naive model that goes through every height, and the promises of DESIGN §7
//! by name.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use crdt::Cid;
use proptest::prelude::*;

use super::*;
use crate::times::first_block;

/// One block that changed the policy.
#[derive(Debug, Clone)]
struct Block {
    height: u64,
    /// (actor, permission) pairs in force after it.
    granted: BTreeSet<(String, String)>,
    /// (actor, permission) pairs that are in force only from one time to another, in seconds.
    windows: Vec<(String, String, i64, i64)>,
    schema: Option<u64>,
    anchor_lag: u64,
}

#[derive(Debug, Clone)]
struct World {
    blocks: Vec<Block>,
    proven: u64,
    /// The time of each height, rising.
    times: Vec<i64>,
    /// Of which heights the time is known, beside those of `blocks` and that of the header.
    known: BTreeSet<u64>,
    /// Whether a deny says nothing of other times, as one that a bound makes.
    erratic: bool,
    wanted: RefCell<BTreeSet<Wanted>>,
}

fn time(seconds: i64) -> Time {
    Time::new(seconds, 0).expect("a time")
}

/// Blocks are ten seconds apart here.
fn tens() -> Vec<i64> {
    (0..64).map(|height| height * 10).collect()
}

impl World {
    fn of(blocks: Vec<Block>, proven: u64) -> World {
        World {
            blocks,
            proven,
            times: tens(),
            known: BTreeSet::new(),
            erratic: false,
            wanted: RefCell::default(),
        }
    }

    fn up_to(&self, proven: u64) -> World {
        World {
            proven,
            wanted: RefCell::default(),
            ..self.clone()
        }
    }

    fn time_of(&self, height: u64) -> Time {
        time(self.times[height as usize])
    }

    /// The heights whose time is known.
    fn timed(&self) -> BTreeSet<u64> {
        let made = self.known().map(|(_, block)| block.height);
        let more = self.known.iter().copied().chain([self.proven + 1]);
        made.chain(more).collect()
    }

    fn block_at(&self, height: u64) -> crate::times::Block {
        crate::times::Block {
            height,
            time: self.time_of(height),
        }
    }

    /// Proves what is wanted; whether there was anything.
    fn prove_wanted(&mut self) -> bool {
        let wanted = core::mem::take(&mut *self.wanted.borrow_mut());
        for want in &wanted {
            match want {
                Wanted::At(height) => {
                    self.known.insert(*height);
                }
                Wanted::From(moment) => {
                    let first = (0..).find(|height| self.time_of(*height) >= *moment);
                    let first = first.expect("a block");
                    self.known.extend([first.saturating_sub(1), first]);
                }
            }
        }
        !wanted.is_empty()
    }

    fn known(&self) -> impl Iterator<Item = (u64, &Block)> {
        (0u64..)
            .zip(&self.blocks)
            .filter(|(_, block)| block.height <= self.proven)
    }
}

impl Authority for World {
    fn proven_height(&self) -> u64 {
        self.proven
    }

    fn revision_after(&self, height: u64) -> Option<u64> {
        assert!(
            height <= self.proven,
            "the judge asked beyond what is proven"
        );
        self.known()
            .filter(|(_, block)| block.height <= height)
            .last()
            .map(|(revision, _)| revision)
    }

    fn height_of(&self, revision: u64) -> Option<u64> {
        self.known()
            .nth(revision as usize)
            .map(|(_, block)| block.height)
    }

    fn schema(&self, revision: u64, _: &Cid, version: u64) -> SchemaStanding {
        let (_, block) = self
            .known()
            .nth(revision as usize)
            .expect("a known revision");
        match block.schema {
            None => SchemaStanding::UnknownCollection,
            Some(in_force) if in_force == version => SchemaStanding::InForce,
            Some(in_force) => SchemaStanding::OtherVersion { in_force },
        }
    }

    fn permits(&self, revision: u64, at: Time, question: &Permission<'_>) -> Permitted {
        let (_, block) = self
            .known()
            .nth(revision as usize)
            .expect("a known revision");
        let owner = !question.creating && *question.actor == question.document.creator;
        let pair = (short(question.actor), question.permission.to_string());
        // The owner edits whatever the grants say, as `owner + …` would.
        if (owner && question.permission == "own") || block.granted.contains(&pair) {
            return Permitted {
                allowed: true,
                stands_until: None,
            };
        }
        let windows = block
            .windows
            .iter()
            .filter(|(actor, permission, ..)| (actor, permission) == (&pair.0, &pair.1));
        let allowed = windows
            .clone()
            .any(|(.., from, to)| (time(*from)..time(*to)).contains(&at));
        let edges = windows.flat_map(|(.., from, to)| [time(*from), time(*to)]);
        let next = edges.filter(|edge| *edge > at).min();
        Permitted {
            allowed,
            stands_until: match self.erratic && !allowed && next.is_some() {
                true => Some(at),
                false => next,
            },
        }
    }

    fn made_at(&self, height: u64) -> MadeAt {
        let timed = self.timed();
        if timed.contains(&height) {
            return MadeAt::Exactly(self.time_of(height));
        }
        let below = timed.range(..height).next_back();
        MadeAt::Within(
            below.map_or_else(Time::default, |below| self.time_of(*below)),
            timed
                .range(height..)
                .next()
                .map(|above| self.time_of(*above)),
        )
    }

    fn first_block(&self, moment: Time) -> FirstBlock {
        let timed = self.timed();
        let mut timed = timed.iter().map(|height| self.block_at(*height));
        let earlier = timed.clone().rfind(|block| block.time < moment);
        first_block(earlier, timed.find(|block| block.time >= moment))
    }

    fn want(&self, wanted: Wanted) {
        self.wanted.borrow_mut().insert(wanted);
    }

    fn anchor_lag(&self, revision: u64) -> u64 {
        let (_, block) = self
            .known()
            .nth(revision as usize)
            .expect("a known revision");
        block.anchor_lag
    }
}

/// DESIGN §7, word by word, height by height, with every block's time. It shares no code with the
/// judge but the types.
fn naive(
    claim: &Claim,
    parents: &[Option<ParentClaim>],
    attestations: &[Attestation],
    world: &World,
) -> &'static str {
    let p = |h: u64| {
        let revision = world.revision_after(h);
        revision.is_some_and(|revision| {
            claim.permissions.iter().all(|permission| {
                let creating = permission == "create";
                let question = Permission {
                    document: &claim.document,
                    actor: &claim.author,
                    permission,
                    creating,
                };
                world.permits(revision, world.time_of(h), &question).allowed
            })
        })
    };
    let known: Vec<&ParentClaim> = parents.iter().flatten().collect();
    let complete = known.len() == parents.len();
    let tallest = known
        .iter()
        .map(|parent| parent.dag_height)
        .max()
        .unwrap_or(0);
    let mut wrong = !claim.signature_valid
        || claim.chain_id != "chain"
        || claim.permissions.is_empty()
        || claim.creates != parents.is_empty();
    wrong |= claim.creates && claim.author != claim.document.creator;
    wrong |= claim.creates && !claim.permissions.contains(&"create".to_string());
    wrong |= known.iter().any(|parent| {
        !parent.same_document
            || parent.height > claim.height
            || parent.revision > claim.revision
            || parent.dag_height >= claim.dag_height
    });
    wrong |= (complete || claim.creates) && claim.dag_height != tallest + 1;
    if claim.height <= world.proven {
        wrong |= world.revision_after(claim.height) != Some(claim.revision);
        wrong |= world.revision_after(claim.height).is_some_and(|revision| {
            world.schema(revision, &claim.document.collection, claim.schema_version)
                != SchemaStanding::InForce
        });
        wrong |= !p(claim.height);
    }
    if wrong {
        return "reject";
    }
    if !complete || claim.height > world.proven {
        return "defer";
    }
    for attestation in attestations {
        let (s, a) = (attestation.height, attestation.anchor_height);
        if s < claim.height || s > world.proven || a <= s || attestation.operator == claim.author {
            continue;
        }
        let revision = world
            .revision_after(s)
            .expect("cited heights have a revision");
        let question = Permission {
            document: &claim.document,
            actor: &attestation.operator,
            permission: "attest",
            creating: false,
        };
        let may = world.permits(revision, world.time_of(s), &question).allowed;
        let in_time = a - s <= world.anchor_lag(revision);
        if may && in_time && attestation.revision == revision && (claim.height..=s).all(p) {
            return "settled";
        }
    }
    if (claim.height..=world.proven).all(p) {
        return "provisional";
    }
    "late"
}

const ACTORS: [&str; 4] = ["alice", "bob", "w1", "w2"];
const PERMISSIONS: [&str; 4] = ["create", "edit", "own", "attest"];
const LAST: u64 = 12;

fn name(number: u8) -> Cid {
    let mut digest = [0u8; 32];
    digest[0] = number;
    Cid::from_digest(digest)
}

fn actor(name: &str) -> Actor {
    Actor::new(&alloc::format!("did:key:{name}")).expect("an actor")
}

fn short(actor: &Actor) -> String {
    actor.as_str().trim_start_matches("did:key:").into()
}

fn document() -> DocumentClaim {
    DocumentClaim {
        id: name(1),
        collection: name(2),
        scope: ObjectRef::new("cell", "1").expect("a name"),
        creator: actor("alice"),
    }
}

fn edit(author: &str, height: u64, revision: u64) -> Claim {
    Claim {
        commit: name(3),
        chain_id: "chain".into(),
        document: document(),
        creates: false,
        author: actor(author),
        schema_version: 1,
        dag_height: 2,
        revision,
        height,
        permissions: vec!["edit".into()],
        signature_valid: true,
    }
}

fn first_commit() -> ParentClaim {
    ParentClaim {
        dag_height: 1,
        revision: 0,
        height: 1,
        same_document: true,
    }
}

fn parent() -> Vec<(Cid, Option<ParentClaim>)> {
    vec![(name(4), Some(first_commit()))]
}

fn seen(operator: &str, height: u64, revision: u64, anchor_height: u64) -> Attestation {
    Attestation {
        height,
        revision,
        anchor_height,
        operator: actor(operator),
    }
}

fn block(height: u64, granted: &[(&str, &str)]) -> Block {
    Block {
        height,
        granted: granted
            .iter()
            .map(|(actor, permission)| (actor.to_string(), permission.to_string()))
            .collect(),
        windows: Vec::new(),
        schema: Some(1),
        anchor_lag: 3,
    }
}

/// Bob may edit from height 1 to 9; the block at 10 revokes him.
fn revoked_at_ten(proven: u64) -> World {
    let blocks = vec![
        block(1, &[("bob", "edit"), ("w1", "attest")]),
        block(10, &[("w1", "attest")]),
    ];
    World::of(blocks, proven)
}

/// Bob may edit from second `from` to before second `to`; of blocks beyond the first no time is
/// known but the header's.
fn bob_from_to(from: i64, to: i64, proven: u64) -> World {
    let mut first = block(1, &[("w1", "attest")]);
    first.windows = vec![("bob".into(), "edit".into(), from, to)];
    World::of(vec![first], proven)
}

fn verdict(claim: &Claim, attestations: &[Attestation], world: &World) -> Verdict {
    judge(claim, &parent(), attestations, "chain", world)
}

#[test]
fn revoked_writer_cannot_backdate() {
    let world = revoked_at_ten(20);
    // Signed at 15, claiming 5, witnessed honestly when it appeared.
    let backdated = edit("bob", 5, 0);
    let honest = [seen("w1", 15, 1, 17)];
    assert_eq!(
        verdict(&backdated, &honest, &world),
        Verdict::Late { lost_at: 10 }
    );
    // Citing the truth does not help either.
    assert!(matches!(
        verdict(&edit("bob", 15, 1), &honest, &world),
        Verdict::Reject(RejectReason::NotPermitted { .. })
    ));
    // Nor does a revision of one height with the height of another.
    assert!(matches!(
        verdict(&edit("bob", 15, 0), &honest, &world),
        Verdict::Reject(RejectReason::Citation { .. })
    ));
    // His own sidecar's word is nobody's.
    let mut own = revoked_at_ten(20);
    own.blocks[0]
        .granted
        .insert(("bob".into(), "attest".into()));
    assert_eq!(
        verdict(&backdated, &[seen("bob", 6, 0, 8)], &own),
        Verdict::Late { lost_at: 10 }
    );
}

#[test]
fn hoarded_commit_is_late_and_provisional_only_until_the_revocation_is_proven() {
    let hoarded = edit("bob", 5, 0);
    assert_eq!(
        verdict(&hoarded, &[], &revoked_at_ten(9)),
        Verdict::Provisional { through: 9 }
    );
    assert_eq!(
        verdict(&hoarded, &[], &revoked_at_ten(10)),
        Verdict::Late { lost_at: 10 }
    );
}

#[test]
fn attested_commit_survives_the_revocation() {
    let world = revoked_at_ten(20);
    let commit = edit("bob", 5, 0);
    let by = seen("w1", 9, 0, 12);
    assert_eq!(
        verdict(&commit, core::slice::from_ref(&by), &world),
        Verdict::Settled { by }
    );
}

#[test]
fn lying_witness_backdates_by_at_most_anchor_lag() {
    // Bob is revoked at 10 and shows his hoarded commit at height h; the witness lies about s and
    // anchors in the next block. By arithmetic it succeeds only while a = h + 1 <= 9 + lag.
    for shown in 10..=30u64 {
        let world = revoked_at_ten(40);
        let anchor = shown + 1;
        let lies: Vec<Attestation> = (0..=40)
            .map(|s| seen("w1", s, u64::from(s >= 10), anchor))
            .collect();
        let counted = verdict(&edit("bob", 5, 0), &lies, &world).counts();
        assert_eq!(counted, anchor <= 9 + 3, "shown at {shown}");
    }
}

#[test]
fn nobody_attests_what_he_wrote_nor_what_he_saw_before_it_could_be_written() {
    let carol = actor("carol");
    let attests = |author: &str, height| {
        may_attest(
            7,
            actor(author).as_str(),
            &seen("carol", height, 1, height + 1),
        )
    };
    assert!(attests("bob", 7));
    assert!(!attests("bob", 6));
    // Not to an ancestor of his commit by somebody else either: the author is that of his.
    assert!(!attests(&short(&carol), 9));
}

#[test]
fn attestation_of_another_time_does_not_count() {
    let world = revoked_at_ten(20);
    let commit = edit("bob", 8, 0);
    for (what, wrong) in [
        ("seen before the cited height", seen("w1", 7, 0, 9)),
        ("anchored too late", seen("w1", 9, 0, 13)),
        ("anchored before it was seen", seen("w1", 9, 0, 9)),
        ("by nobody who may attest", seen("w2", 9, 0, 11)),
        ("with another height's revision", seen("w1", 9, 1, 11)),
    ] {
        assert_eq!(
            verdict(&commit, &[wrong], &world),
            Verdict::Late { lost_at: 10 },
            "{what}"
        );
    }
}

#[test]
fn permission_that_returns_does_not_heal_the_gap() {
    let mut world = revoked_at_ten(30);
    world
        .blocks
        .push(block(20, &[("bob", "edit"), ("w1", "attest")]));
    assert_eq!(
        verdict(&edit("bob", 5, 0), &[seen("w1", 25, 2, 26)], &world),
        Verdict::Late { lost_at: 10 }
    );
    assert!(verdict(&edit("bob", 21, 2), &[], &world).counts());
}

#[test]
fn ownership_never_permits_creation() {
    let world = World::of(vec![block(1, &[("alice", "own")])], 5);
    let mut commit = edit("alice", 2, 0);
    commit.creates = true;
    commit.dag_height = 1;
    commit.permissions = vec!["create".into(), "own".into()];
    assert!(matches!(
        judge(&commit, &[], &[], "chain", &world),
        Verdict::Reject(RejectReason::NotPermitted { permission, .. }) if permission == "create"
    ));
    commit.permissions = vec!["own".into()];
    assert_eq!(
        judge(&commit, &[], &[], "chain", &world),
        Verdict::Reject(RejectReason::CreateNotListed)
    );
    commit.author = actor("bob");
    assert!(matches!(
        judge(&commit, &[], &[], "chain", &world),
        Verdict::Reject(RejectReason::NotCreator { .. })
    ));
}

#[test]
fn commit_that_lists_no_permission_is_rejected() {
    let mut commit = edit("bob", 5, 0);
    commit.permissions.clear();
    assert_eq!(
        verdict(&commit, &[], &revoked_at_ten(9)),
        Verdict::Reject(RejectReason::NoPermission)
    );
}

#[test]
fn expiring_writer_is_late_from_the_first_block_whose_time_has_reached_the_expiry() {
    let commit = edit("bob", 1, 0);
    let with = |expiry, proven, known: &[u64]| {
        let mut world = bob_from_to(0, expiry, proven);
        world.known.extend(known);
        world
    };
    // Blocks 8, 9 and 10 are made at seconds 80, 90 and 100.
    for (expiry, lost_at) in [(90, 9), (91, 10), (89, 9), (100, 10)] {
        let world = with(expiry, 20, &[8, 9, 10]);
        assert_eq!(
            verdict(&commit, &[], &world),
            Verdict::Late { lost_at },
            "{expiry}"
        );
        for seen_at in 8..12 {
            let by = seen("w1", seen_at, 0, seen_at + 1);
            let judged = verdict(&commit, core::slice::from_ref(&by), &world);
            assert_eq!(judged.counts(), seen_at < lost_at, "{expiry} {seen_at}");
        }
    }
    // As long as no proven block has reached it, he may write.
    assert_eq!(
        verdict(&commit, &[], &with(100, 8, &[])),
        Verdict::Provisional { through: 8 }
    );
    // Block 10 proves the state after block 9, and is not itself proven.
    assert_eq!(
        verdict(&commit, &[], &with(100, 9, &[9])),
        Verdict::Provisional { through: 9 }
    );
    assert_eq!(
        verdict(&commit, &[], &with(100, 10, &[9, 10])),
        Verdict::Late { lost_at: 10 }
    );
}

#[test]
fn what_hangs_on_a_block_whose_time_is_not_known_is_deferred_not_guessed() {
    let commit = edit("bob", 1, 0);
    let wanted = Wanted::From(time(95));
    let deferred = Verdict::Defer(DeferReason::BlockTime(wanted));
    // Known are blocks 1 and 21 alone; the expiry came somewhere between.
    let mut world = bob_from_to(0, 95, 20);
    assert_eq!(verdict(&commit, &[], &world), deferred);
    let by = seen("w1", 9, 0, 11);
    assert_eq!(
        verdict(&commit, core::slice::from_ref(&by), &world),
        deferred
    );
    // With block 15, he has surely lost it; whether he was seen in time is still open.
    world.known.insert(15);
    assert_eq!(verdict(&commit, &[], &world), Verdict::Late { lost_at: 15 });
    assert_eq!(
        verdict(&commit, core::slice::from_ref(&by), &world),
        deferred
    );
    let after = seen("w1", 15, 0, 16);
    assert_eq!(
        verdict(&commit, &[after], &world),
        Verdict::Late { lost_at: 15 }
    );
    assert_eq!(world.wanted.borrow().iter().next(), Some(&wanted));
    assert!(world.prove_wanted());
    assert_eq!(verdict(&commit, &[], &world), Verdict::Late { lost_at: 10 });
    assert_eq!(
        verdict(&commit, core::slice::from_ref(&by), &world),
        Verdict::Settled { by }
    );
    // A deny that says nothing of other times makes only the very block's time do.
    let mut world = bob_from_to(35, 95, 20);
    world.erratic = true;
    let early = edit("bob", 4, 0);
    let exact = Verdict::Defer(DeferReason::BlockTime(Wanted::At(4)));
    assert_eq!(verdict(&early, &[], &world), exact);
    world.known.extend([4, 9, 10]);
    assert_eq!(verdict(&early, &[], &world), Verdict::Late { lost_at: 10 });
}

#[test]
fn what_begins_by_time_permits_no_commit_that_cites_an_earlier_height() {
    let mut world = bob_from_to(95, 1000, 20);
    // The revision's own block is before it, whatever the author signs later.
    assert!(matches!(
        verdict(&edit("bob", 1, 0), &[], &world),
        Verdict::Reject(RejectReason::NotPermitted { height: 1, .. })
    ));
    // Of a block in between it has to be proven first on which side it lies.
    let wanted = Wanted::From(time(95));
    for cited in [9, 10] {
        assert_eq!(
            verdict(&edit("bob", cited, 0), &[], &world),
            Verdict::Defer(DeferReason::BlockTime(wanted))
        );
    }
    assert!(world.prove_wanted());
    assert!(matches!(
        verdict(&edit("bob", 9, 0), &[], &world),
        Verdict::Reject(RejectReason::NotPermitted { height: 9, .. })
    ));
    assert!(verdict(&edit("bob", 10, 0), &[], &world).counts());
    assert!(verdict(&edit("bob", 17, 0), &[], &world).counts());
}

#[test]
fn witness_whose_right_to_attest_ended_by_time_does_not_settle() {
    let mut first = block(1, &[("bob", "edit")]);
    first.windows = vec![("w1".into(), "attest".into(), 0, 55)];
    let mut world = World::of(vec![first, block(10, &[])], 20);
    let commit = edit("bob", 1, 0);
    let late = Verdict::Late { lost_at: 10 };
    for (seen_at, settles) in [(5, true), (6, false)] {
        let by = [seen("w1", seen_at, 0, seen_at + 1)];
        let mut world = world.clone();
        assert_eq!(verdict(&commit, &by, &world), late, "not known yet");
        assert!(world.prove_wanted());
        assert_eq!(verdict(&commit, &by, &world).counts(), settles);
    }
    world.known.extend(1..=20);
    assert!(!verdict(&commit, &[seen("w1", 6, 0, 7)], &world).counts());
    assert!(verdict(&commit, &[seen("w1", 5, 0, 6)], &world).counts());
}

fn worlds() -> impl Strategy<Value = World> {
    let pairs = prop::collection::btree_set(
        (
            prop::sample::select(ACTORS.to_vec()),
            prop::sample::select(PERMISSIONS.to_vec()),
        ),
        10..16,
    );
    let schema = prop_oneof![1 => Just(None), 60 => Just(Some(1)), 1 => Just(Some(2))];
    // Of the pairs some are in force from one time to another only.
    let window = (any::<prop::sample::Index>(), 0i64..60, 1i64..60);
    let windows = prop::collection::vec(window, 0..4);
    let blocks = prop::collection::vec((1u64..4, pairs, windows, schema, 0u64..5), 1..6);
    let proven = prop_oneof![1 => 1..=LAST, 3 => Just(LAST)];
    let gaps = prop::collection::vec(1i64..6, 40);
    let known = prop::collection::btree_set(1..=LAST, 0..6);
    let erratic = prop::bool::weighted(0.1);
    (blocks, proven, gaps, known, erratic).prop_map(|(blocks, proven, gaps, known, erratic)| {
        let mut height = 0;
        let blocks = blocks
            .into_iter()
            .map(|(gap, granted, windows, schema, anchor_lag)| {
                height += gap;
                let mut granted: Vec<(String, String)> = granted
                    .into_iter()
                    .map(|(actor, permission)| (actor.to_string(), permission.to_string()))
                    .collect();
                let windows = windows
                    .into_iter()
                    .map(|(pair, from, length)| {
                        let (actor, permission) = granted.remove(pair.index(granted.len()));
                        (actor, permission, from, from + length)
                    })
                    .collect();
                Block {
                    height,
                    granted: granted.into_iter().collect(),
                    windows,
                    schema,
                    anchor_lag,
                }
            })
            .collect();
        let times = gaps.iter().scan(0, |time, gap| {
            *time += gap;
            Some(*time)
        });
        World {
            blocks,
            proven,
            times: times.collect(),
            known,
            erratic,
            wanted: RefCell::default(),
        }
    })
}

type Case = (
    World,
    Claim,
    Vec<(Cid, Option<ParentClaim>)>,
    Vec<Attestation>,
);

/// Mostly well-formed commits, each field wrong now and then.
fn cases() -> impl Strategy<Value = Case> {
    let parent = (
        1u64..4,
        prop_oneof![6 => Just(0), 1 => 0u64..3],
        1u64..4,
        prop::bool::weighted(0.98),
        prop::bool::weighted(0.95),
    );
    let parents = prop::collection::vec(parent, 0..3);
    let permissions =
        prop::collection::btree_set(prop::sample::select(PERMISSIONS[..2].to_vec()), 0..3);
    let attestations = prop::collection::vec(
        (
            prop::sample::select(ACTORS.to_vec()),
            0u64..6,
            0u64..5,
            prop::bool::weighted(0.9),
        ),
        0..6,
    );
    (
        worlds(),
        prop::sample::select(ACTORS[..2].to_vec()),
        1..=LAST,
        parents,
        permissions,
        attestations,
        (
            prop::bool::weighted(0.97),
            prop::bool::weighted(0.97),
            prop::bool::weighted(0.95),
            prop::bool::weighted(0.9),
        ),
    )
        .prop_map(
            |(world, author, height, parents, permissions, attestations, luck)| {
                let full = world.up_to(LAST);
                let (signed, chained, tall, cited) = luck;
                let parents: Vec<(Cid, Option<ParentClaim>)> = (10u8..)
                    .zip(parents)
                    .map(
                        |(number, (dag_height, revision, cited_height, same, known))| {
                            let parent = ParentClaim {
                                dag_height,
                                revision,
                                height: cited_height,
                                same_document: same,
                            };
                            (name(number), known.then_some(parent))
                        },
                    )
                    .collect();
                let tallest = parents
                    .iter()
                    .filter_map(|(_, parent)| parent.map(|parent| parent.dag_height))
                    .max()
                    .unwrap_or(0);
                let creates = parents.is_empty();
                let mut permissions: Vec<String> =
                    permissions.iter().map(|name| name.to_string()).collect();
                if creates && cited && !permissions.contains(&"create".into()) {
                    permissions.push("create".into());
                }
                let claim = Claim {
                    creates,
                    author: actor(author),
                    height,
                    revision: full.revision_after(height).unwrap_or(0) + u64::from(!cited),
                    dag_height: tallest + 1 + u64::from(!tall),
                    chain_id: if chained { "chain" } else { "other" }.into(),
                    signature_valid: signed,
                    permissions,
                    ..edit(author, height, 0)
                };
                let attestations = attestations
                    .into_iter()
                    .map(|(operator, after, lag, right)| {
                        let s = (height + after).saturating_sub(1).min(LAST);
                        let revision = full.revision_after(s).unwrap_or(0) + u64::from(!right);
                        seen(operator, s, revision, s + lag)
                    })
                    .collect();
                (world, claim, parents, attestations)
            },
        )
}

/// The random cases are worth something only if they meet every verdict often.
#[test]
fn random_cases_meet_every_verdict() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;

    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<&'static str, u32> = BTreeMap::new();
    for _ in 0..4096 {
        let (world, claim, parents, attestations) =
            cases().new_tree(&mut runner).expect("a case").current();
        let verdict = judge(&claim, &parents, &attestations, "chain", &world);
        *met.entry(verdict.name()).or_default() += 1;
    }
    for name in ["reject", "defer", "settled", "provisional", "late"] {
        assert!(met.get(name).is_some_and(|count| *count >= 40), "{met:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// With few times of blocks known, it says nothing final that more would undo, and wants what
    /// it needs; once that is proven, it agrees.
    #[test]
    fn judge_agrees_with_the_naive_model((mut world, claim, parents, attestations) in cases()) {
        let known: Vec<Option<ParentClaim>> = parents.iter().map(|(_, parent)| *parent).collect();
        let expected = naive(&claim, &known, &attestations, &world);
        for round in 0.. {
            prop_assert!(round < 40, "it wants more and more");
            let judged = judge(&claim, &parents, &attestations, "chain", &world);
            if judged.is_final() {
                prop_assert_eq!(judged.name(), expected);
            }
            if !world.prove_wanted() {
                prop_assert_eq!(judged.name(), expected);
                break;
            }
        }
        world.known.extend(0..=LAST + 1);
        let judged = judge(&claim, &parents, &attestations, "chain", &world);
        prop_assert_eq!(judged.name(), expected);
        prop_assert!(world.wanted.borrow().is_empty());
    }

    /// Handing attestations down a chain of commits, pruned on the way, gives every commit the
    /// verdict that all attestations of all its descendants give.
    #[test]
    fn inherited_attestations_decide_like_all_of_them(
        world in worlds(),
        chain in prop::collection::vec((prop::sample::select(ACTORS[..2].to_vec()), 0u64..3), 1..6),
        given in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(ACTORS.to_vec()), 0..=LAST, 1u64..5),
            0..10,
        ),
    ) {
        let full = world.up_to(LAST);
        let mut height = full.blocks[0].height;
        let claims: Vec<Claim> = chain
            .iter()
            .map(|(author, rise)| {
                height = (height + rise).min(LAST);
                edit(author, height, full.revision_after(height).unwrap_or(0))
            })
            .collect();
        let mut own: Vec<BTreeSet<Attestation>> = vec![BTreeSet::new(); claims.len()];
        for (index, operator, s, lag) in given {
            let revision = full.revision_after(s).unwrap_or(0);
            own[index.index(claims.len())].insert(seen(operator, s, revision, s + lag));
        }
        let mut inherited = own.clone();
        for place in (1..claims.len()).rev() {
            let (before, after) = inherited.split_at_mut(place);
            let sound = |attestation: &Attestation| sound(&claims[0].document, attestation, &world);
            let parent = before.last_mut().expect("a parent");
            inherit(parent, &after[0], claims[place].height, &sound);
        }
        for place in 0..claims.len() {
            let claim = &claims[place];
            if claim.height > world.proven {
                continue;
            }
            let until = match held(claim, claim.revision, claim.height, &world) {
                Held::Yes(until) => until,
                Held::No(_) | Held::Unknown(_) => continue,
            };
            let mut standing = Standing::new(claim.revision, until);
            standing.advance(claim, &world);
            let all: BTreeSet<Attestation> = own[place..].iter().flatten().cloned().collect();
            prop_assert_eq!(
                decide(claim, &standing, &inherited[place], &world),
                decide(claim, &standing, &all, &world)
            );
        }
    }

    /// Invariant 4: attestations, hub state and times of blocks arrive in any order, some twice; the
    /// verdict at the end is that of the sets, and on the way nothing final is ever taken back.
    #[test]
    fn verdict_depends_on_sets_only(
        (world, claim, parents, attestations) in cases(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let mut whole = world.clone();
        whole.known.extend(0..=LAST + 1);
        let at_once = judge(&claim, &parents, &attestations, "chain", &whole);
        let mut known: Vec<Attestation> = Vec::new();
        let mut proven = 0;
        let mut standing = None;
        let mut before: Option<Verdict> = None;
        // Headers that were verified are not forgotten.
        let mut timed = world.known.clone();
        let mut step = |known: &[Attestation], proven: u64, all: bool| {
            timed.insert(proven + 1);
            if all {
                timed.extend(0..=LAST + 1);
            }
            let world = World { known: timed.clone(), ..world.up_to(proven) };
            if standing.is_none() {
                match admit(&claim, &parents, "chain", &world) {
                    Ok(admitted) => standing = Some(admitted),
                    Err(verdict) => return verdict,
                }
            }
            let standing = standing.as_mut().expect("admitted");
            standing.advance(&claim, &world);
            decide(&claim, standing, known, &world)
        };
        let everything = order.iter().map(Some).chain(core::iter::once(None));
        for index in everything {
            match index.map(|index| index.index(attestations.len() + 2)) {
                Some(number) if number < attestations.len() => {
                    known.push(attestations[number].clone());
                }
                Some(_) => proven = (proven + 1).min(world.proven),
                None => {
                    known.extend(attestations.iter().rev().cloned());
                    proven = world.proven;
                }
            }
            let now = step(&known, proven, index.is_none());
            if let Some(before) = before.filter(Verdict::is_final) {
                prop_assert_eq!(before.name(), now.name());
            }
            before = Some(now);
        }
        prop_assert_eq!(before, Some(at_once));
    }
}
