//! The judge against a naive model that goes through every height, and the promises of DESIGN §7
//! by name.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crdt::Cid;
use proptest::prelude::*;

use super::*;

/// One block that changed the policy.
#[derive(Debug, Clone)]
struct Block {
    height: u64,
    /// (actor, permission) pairs in force after it.
    granted: BTreeSet<(String, String)>,
    schema: Option<u64>,
    anchor_lag: u64,
}

#[derive(Debug, Clone)]
struct World {
    blocks: Vec<Block>,
    proven: u64,
}

impl World {
    fn up_to(&self, proven: u64) -> World {
        World {
            blocks: self.blocks.clone(),
            proven,
        }
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

    fn permits(&self, revision: u64, question: &Permission<'_>) -> bool {
        let (_, block) = self
            .known()
            .nth(revision as usize)
            .expect("a known revision");
        let owner = !question.creating && *question.actor == question.document.creator;
        let pair = (short(question.actor), question.permission.to_string());
        // The owner edits whatever the grants say, as `owner + …` would.
        (owner && question.permission == "own") || block.granted.contains(&pair)
    }

    fn anchor_lag(&self, revision: u64) -> u64 {
        let (_, block) = self
            .known()
            .nth(revision as usize)
            .expect("a known revision");
        block.anchor_lag
    }
}

/// DESIGN §7, word by word, height by height. It shares no code with the judge but the types.
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
                world.permits(
                    revision,
                    &Permission {
                        document: &claim.document,
                        actor: &claim.author,
                        permission,
                        creating,
                    },
                )
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
        let may = world.permits(
            revision,
            &Permission {
                document: &claim.document,
                actor: &attestation.operator,
                permission: "attest",
                creating: false,
            },
        );
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
        schema: Some(1),
        anchor_lag: 3,
    }
}

/// Bob may edit from height 1 to 9; the block at 10 revokes him.
fn revoked_at_ten(proven: u64) -> World {
    World {
        blocks: vec![
            block(1, &[("bob", "edit"), ("w1", "attest")]),
            block(10, &[("w1", "attest")]),
        ],
        proven,
    }
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
    let world = World {
        blocks: vec![block(1, &[("alice", "own")])],
        proven: 5,
    };
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

fn worlds() -> impl Strategy<Value = World> {
    let pairs = prop::collection::btree_set(
        (
            prop::sample::select(ACTORS.to_vec()),
            prop::sample::select(PERMISSIONS.to_vec()),
        ),
        10..16,
    );
    let schema = prop_oneof![1 => Just(None), 60 => Just(Some(1)), 1 => Just(Some(2))];
    let blocks = prop::collection::vec((1u64..4, pairs, schema, 0u64..5), 1..6);
    let proven = prop_oneof![1 => 1..=LAST, 3 => Just(LAST)];
    (blocks, proven).prop_map(|(blocks, proven)| {
        let mut height = 0;
        let blocks = blocks
            .into_iter()
            .map(|(gap, granted, schema, anchor_lag)| {
                height += gap;
                Block {
                    height,
                    granted: granted
                        .into_iter()
                        .map(|(actor, permission)| (actor.to_string(), permission.to_string()))
                        .collect(),
                    schema,
                    anchor_lag,
                }
            })
            .collect();
        World { blocks, proven }
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

    #[test]
    fn judge_agrees_with_the_naive_model((world, claim, parents, attestations) in cases()) {
        let known: Vec<Option<ParentClaim>> = parents.iter().map(|(_, parent)| *parent).collect();
        prop_assert_eq!(
            judge(&claim, &parents, &attestations, "chain", &world).name(),
            naive(&claim, &known, &attestations, &world)
        );
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
            let mut standing = Standing { checked: claim.revision, lost_at: None };
            standing.advance(claim, &world);
            let all: BTreeSet<Attestation> = own[place..].iter().flatten().cloned().collect();
            prop_assert_eq!(
                decide(claim, &standing, &inherited[place], &world),
                decide(claim, &standing, &all, &world)
            );
        }
    }

    /// Invariant 4: attestations and hub state arrive in any order, some twice; the verdict at the
    /// end is that of the sets, and on the way nothing final is ever taken back.
    #[test]
    fn verdict_depends_on_sets_only(
        (world, claim, parents, attestations) in cases(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let at_once = judge(&claim, &parents, &attestations, "chain", &world);
        let mut known: Vec<Attestation> = Vec::new();
        let mut proven = 0;
        let mut standing = None;
        let mut before: Option<Verdict> = None;
        let mut step = |known: &[Attestation], proven: u64| {
            let world = world.up_to(proven);
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
            let now = step(&known, proven);
            if let Some(before) = before.filter(Verdict::is_final) {
                prop_assert_eq!(before.name(), now.name());
            }
            before = Some(now);
        }
        prop_assert_eq!(before, Some(at_once));
    }
}
