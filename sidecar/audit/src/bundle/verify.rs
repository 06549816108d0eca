//! The verification of a bundle, from the outside in: container, subject, header, policy, log,
//! leaves, commits, heads, receipts; then what it all means.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

use crdt::Cid;
use hub_light::TrustPoint;
use hub_types::Timestamp;
use policy::Actor;

use super::container::{split, Section};
use super::error::{VerifyError, Wrong};
use super::judge::{self, true_heights};
use super::log::Anchors;
use super::read::{self, required, section};
use super::witness::{self, HeldLeaf};
use super::{age, commits, decisions, form, heads, hub};
use crate::authority::{Collections, PolicyAuthority};
use crate::content::{Content, Origin};
use crate::leaf::Disclosure;
use crate::report::{self, Findings, Report};
use crate::times::{Block, BlockTimes};

/// Verifies a bundle under one trusted header.
///
/// `trust` is height and hash of the header that the bundle was made under, from a source that the
/// auditor trusts. Nothing else is trusted, nothing is fetched.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(file: &[u8], trust: TrustPoint) -> Result<Report, VerifyError> {
    let [subject, header, policy, log, leaves, commits, heads, witnesses, seal] = split(file)?;
    let subject = read::subject(subject)?;
    if subject.height != trust.height.0 {
        let wrong = Wrong::OtherHeight {
            found: subject.height,
            trusted: trust.height.0,
        };
        return Err(VerifyError::of(Section::Subject, wrong));
    }
    let block = hub::header(header, &subject, trust)?;
    let trusted = block.trusted();
    let policy = hub::policy(policy, &subject, trusted)?;

    let log_wire: form::LogSection = section(Section::Log, log)?;
    let at_log = |wrong| VerifyError::of(Section::Log, wrong);
    let proof = required(Section::Log, "record", &log_wire.record)?;
    let record = hub::record_of(proof, trusted, &subject.log).map_err(at_log)?;
    if record.policy != subject.policy {
        return Err(at_log(Wrong::field(
            "record",
            "the log is about another policy",
        )));
    }
    required(Section::Log, "before", &log_wire.before)?;
    let anchors = super::log::anchors(&log_wire, &subject, &record)?;
    let leaves = super::log::leaves(leaves, &anchors)?;

    let documents = commits::documents(read::commits(commits)?, &subject)?;
    let chains = heads::check(heads, &subject, &documents, &leaves, &anchors)?;
    let cids: BTreeSet<Cid> = documents
        .values()
        .flat_map(|document| &document.commits)
        .map(|held| *held.commit.cid())
        .collect();
    let receipts = witness::receipts(witnesses, &subject, trusted, &cids)?;

    // From here on every byte is accounted for; what follows asks whether it is true.
    let operator = Actor::new(record.operator.as_str())
        .map_err(|error| at_log(Wrong::field("record", error)))?;
    let collections = Collections::of(&policy.history, &subject.chain, &subject.policy);
    let proven = trusted.state_height().0;
    let times = times(&policy, &anchors, &receipts);
    let authority = PolicyAuthority::new(
        &policy.history,
        &collections,
        policy.record.anchor_lag,
        proven,
        Some(trusted.time.to_policy()),
        &times,
    );
    let between = witness::own(&leaves, &anchors, &subject.log, &operator);
    true_heights(&between, &authority, Section::Leaves)?;
    let mut own = between.clone();
    own.extend(
        receipts
            .iter()
            .filter(|leaf| leaf.log == subject.log)
            .cloned(),
    );
    let held = judge::held(&documents, &own)?;
    // What was written through a sidecar, it does not attest.
    let attested: Vec<HeldLeaf> = receipts
        .into_iter()
        .chain(between)
        .filter(|leaf| leaf.held.origin == Origin::Peer)
        .collect();
    let chain_id = subject.chain.to_string();
    let judged = judge::verdicts(&documents, &held, &attested, &chain_id, &authority)?;
    let decisions = replay(&leaves, &anchors, &documents, &authority)?;
    let too_old = age::too_old(&leaves, &anchors, &policy.record, &authority);
    // Last, so that whatever has a name of its own is called by it.
    read::seal(seal, file, &subject)?;

    Ok(report::make(Findings {
        subject: &subject,
        block: &block,
        policy: &policy,
        record: &record,
        anchors: &anchors,
        leaves: &leaves,
        documents: &documents,
        chains: &chains,
        judged: &judged,
        attested: &attested,
        decisions: &decisions,
        too_old: &too_old,
        authority: &authority,
    }))
}

/// The header that a bundle says it was made under, for whoever must fetch or compare it.
///
/// Nothing is verified but that the file reads so far.
///
/// # Errors
/// [`VerifyError`] when it does not.
pub fn stated_header(file: &[u8]) -> Result<TrustPoint, VerifyError> {
    let [_, header, ..] = split(file)?;
    let block = hub_light::LightBlock::from_bytes(header)
        .map_err(|error| VerifyError::of(Section::Header, Wrong::Header(read::explain(&error))))?;
    Ok(TrustPoint {
        height: block.height(),
        hash: block.hash(),
    })
}

/// The blocks whose times the bundle proves, beside the policy's revisions and the header.
fn times(policy: &hub::PolicyFacts, anchors: &Anchors, receipts: &[HeldLeaf]) -> BlockTimes {
    let block = |height, time: Timestamp| Block {
        height,
        time: time.to_policy(),
    };
    let own = anchors.anchors.iter();
    let own = own.map(|anchor| block(anchor.height.0, anchor.time));
    let others = receipts
        .iter()
        .map(|leaf| block(leaf.anchor_height, leaf.anchor_time));
    BlockTimes::of(policy.times.iter().copied().chain(own).chain(others))
}

/// Asks every opened decision again, and checks the heights of the other leaves.
fn replay(
    leaves: &[Disclosure],
    anchors: &Anchors,
    documents: &BTreeMap<Cid, commits::Document>,
    authority: &PolicyAuthority<'_>,
) -> Result<BTreeMap<u64, decisions::Replayed>, VerifyError> {
    let mut replayed = BTreeMap::new();
    for (index, leaf) in (anchors.start..).zip(leaves) {
        let (Some(opening), Some(anchor)) = (leaf.opening(), anchors.covering(index)) else {
            continue;
        };
        let at = |wrong| VerifyError::at(Section::Leaves, index, wrong);
        let anchored = anchor.height.0;
        match opening.content() {
            Content::Decision(decision) => {
                let outcome =
                    decisions::replay(decision, anchored, documents, authority).map_err(at)?;
                replayed.insert(index, outcome);
            }
            Content::CommitRefused(refused) => {
                judge::true_height(refused.height, refused.revision, anchored, authority)
                    .map_err(at)?;
            }
            Content::Rollback(rollback) => {
                judge::true_height(rollback.height, rollback.revision, anchored, authority)
                    .map_err(at)?;
            }
            Content::CommitHeld(_) | Content::DenialsOverflow(_) => {}
        }
    }
    Ok(replayed)
}
