//! The judge over a real policy and its history.

use audit::authority::{Collections, PolicyAuthority};
use audit::times::BlockTimes;
use audit::verdict::{
    judge, Attestation, Claim, DocumentClaim, ParentClaim, RejectReason, Verdict,
};
use crdt::{
    Authority, Cid, CollectionPreimage, Commit, DocumentPreimage, DocumentRef, Draft, Operation,
    Scope, Value,
};
use hub_types::policy::Change;
use identity::{KeyKind, SecretKey};
use policy::{Actor, History};

use crate::fixture::hub::time;
use crate::fixture::story::{story, Story};
use crate::fixture::teller::{key, schema, ANCHOR_LAG};

struct Replica<'a> {
    story: &'a Story,
    history: History,
    collections: Collections,
    times: BlockTimes,
}

impl<'a> Replica<'a> {
    fn of(story: &'a Story) -> Replica<'a> {
        let mut history = History::new();
        for revision in &story.revisions {
            let changes: Vec<policy::Change> =
                revision.changes.iter().map(Change::to_policy).collect();
            history
                .apply(revision.leaf.to_revision(), &changes)
                .expect("the story's history");
        }
        let collections = Collections::of(&history, &story.chain, &story.policy);
        Replica {
            story,
            history,
            collections,
            times: BlockTimes::default(),
        }
    }

    /// Judges a commit with the parents that the story has, when `proven` is proven.
    fn judge(
        &self,
        commit: &Commit,
        preimage: &DocumentPreimage,
        seen: &[Attestation],
        proven: u64,
    ) -> Verdict {
        let authority = PolicyAuthority::new(
            &self.history,
            &self.collections,
            ANCHOR_LAG,
            proven,
            Some(time(proven + 1).to_policy()),
            &self.times,
        );
        let document = DocumentClaim::of(preimage).expect("a document");
        let claim = Claim::of(commit, &document).expect("a claim");
        let known = |cid: &Cid| {
            let commits = &self.story.commits;
            let parent = commits.iter().find(|(commit, _)| commit.cid() == cid);
            parent.map(|(commit, _)| ParentClaim::of(commit.header(), &document))
        };
        let parents: Vec<(Cid, Option<ParentClaim>)> = commit
            .header()
            .parents
            .iter()
            .map(|cid| (*cid, known(cid)))
            .collect();
        judge(
            &claim,
            &parents,
            seen,
            self.story.chain.as_str(),
            &authority,
        )
    }
}

fn preimage(story: &Story, collection: &str, author: &SecretKey) -> DocumentPreimage {
    let collection = CollectionPreimage::new(
        story.chain.clone(),
        *story.policy.as_bytes(),
        "batch",
        collection,
    )
    .expect("a collection");
    DocumentPreimage {
        collection: collection.id(),
        scope: Scope::new("cell", "1").expect("a scope"),
        author: author.did(),
        nonce: [3; 16],
    }
}

/// A first commit by `author` that cites (revision, height).
fn creation(
    story: &Story,
    preimage: &DocumentPreimage,
    author: &SecretKey,
    version: u64,
    cited: (u64, u64),
) -> Commit {
    let draft = Draft {
        chain: story.chain.clone(),
        document: DocumentRef::First(preimage.clone()),
        schema_version: version,
        parents: Vec::new(),
        author: author.did(),
        claimed_time_ms: 0,
        authority: Authority {
            revision: cited.0,
            height: cited.1,
        },
        salt: [0; 16],
        operations: vec![Operation::Set {
            field: "product".into(),
            value: Value::Null,
        }],
    };
    let prepared = draft.prepare(&schema()).expect("blocks");
    prepared.sign(author).expect("a commit").0
}

#[test]
fn outsider_cannot_create_although_he_would_own_it() {
    let story = story(1);
    let replica = Replica::of(&story);
    let mallory = key(KeyKind::Ed25519, 13);
    let his = preimage(&story, "batches", &mallory);
    let commit = creation(&story, &his, &mallory, 1, (2, 9));
    assert!(matches!(
        replica.judge(&commit, &his, &[], 15),
        Verdict::Reject(RejectReason::NotPermitted { permission, .. }) if permission == "create"
    ));
    let alice = key(KeyKind::Ed25519, 11);
    let hers = preimage(&story, "batches", &alice);
    let commit = creation(&story, &hers, &alice, 1, (2, 9));
    assert_eq!(
        replica.judge(&commit, &hers, &[], 15),
        Verdict::Provisional { through: 15 }
    );
}

#[test]
fn collection_and_schema_are_those_of_the_cited_revision() {
    let story = story(1);
    let replica = Replica::of(&story);
    let alice = key(KeyKind::Ed25519, 11);
    let hers = preimage(&story, "batches", &alice);
    let judged = |preimage: &DocumentPreimage, version, cited| {
        replica.judge(
            &creation(&story, preimage, &alice, version, cited),
            preimage,
            &[],
            30,
        )
    };
    // A collection of her own invention; one that was not defined yet; a later schema.
    let invented = preimage(&story, "mine", &alice);
    for (preimage, cited) in [(&invented, (2, 9)), (&hers, (0, 5))] {
        assert_eq!(
            judged(preimage, 1, cited),
            Verdict::Reject(RejectReason::Collection { revision: cited.0 })
        );
    }
    assert_eq!(
        judged(&hers, 2, (2, 9)),
        Verdict::Reject(RejectReason::Schema {
            found: 2,
            in_force: 1
        })
    );
    // Revision and height of different times, and a time before the policy.
    for cited in [(2, 20), (3, 19), (0, 4)] {
        assert!(matches!(
            judged(&hers, 1, cited),
            Verdict::Reject(RejectReason::Citation { .. })
        ));
    }
}

#[test]
fn revocation_makes_an_unseen_commit_late_and_leaves_a_seen_one() {
    let story = story(1);
    let replica = Replica::of(&story);
    let (bobs, _) = &story.commits[1];
    let (first, _) = &story.commits[0];
    let preimage = first.header().preimage().expect("a first commit").clone();
    let actor = |did: &identity::Did| Actor::new(did.as_str()).expect("an actor");
    let seen = |operator: &identity::Did, height, anchor_height| Attestation {
        height,
        revision: if height < 20 { 2 } else { 3 },
        anchor_height,
        operator: actor(operator),
    };
    let judged = |seen: &[Attestation], proven| replica.judge(bobs, &preimage, seen, proven);
    assert_eq!(judged(&[], 19), Verdict::Provisional { through: 19 });
    assert_eq!(judged(&[], 20), Verdict::Late { lost_at: 20 });
    let by = seen(&story.a.operator, 19, 29);
    assert_eq!(
        judged(std::slice::from_ref(&by), 40),
        Verdict::Settled { by }
    );
    // Anchored a block too late; seen after the revocation; by one who may not attest.
    let mallory = key(KeyKind::Ed25519, 13).did();
    for not in [
        seen(&story.a.operator, 19, 30),
        seen(&story.a.operator, 20, 22),
        seen(&mallory, 19, 21),
    ] {
        assert_eq!(judged(&[not], 40), Verdict::Late { lost_at: 20 });
    }
}
