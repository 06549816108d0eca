//! From what was verified to the report.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt::{Cid, Disclosure as Body};
use hub_light::VerifiedBlock;
use hub_types::audit::{AnchorLeaf, LogRecord};

use super::{
    state, AnchorReport, CommitReport, DecisionReport, DocumentReport, HeaderReport, LogReport,
    PolicyReport, Populations, RefusalReport, Report,
};
use crate::authority::PolicyAuthority;
use crate::bundle::age::TooOld;
use crate::bundle::commits::Document;
use crate::bundle::decisions::Replayed;
use crate::bundle::heads::Chain;
use crate::bundle::hub::PolicyFacts;
use crate::bundle::judge::Judged;
use crate::bundle::log::Anchors;
use crate::bundle::read::Subject;
use crate::bundle::witness::HeldLeaf;
use crate::content::{AskedAt, Content, Outcome};
use crate::leaf::Disclosure;
use crate::verdict::Verdict;

/// All that a verification found.
pub(crate) struct Findings<'a> {
    pub subject: &'a Subject,
    pub block: &'a VerifiedBlock,
    pub policy: &'a PolicyFacts,
    pub record: &'a LogRecord,
    pub anchors: &'a Anchors,
    pub leaves: &'a [Disclosure],
    pub documents: &'a BTreeMap<Cid, Document>,
    pub chains: &'a BTreeMap<Cid, Chain>,
    pub judged: &'a BTreeMap<Cid, Judged>,
    pub attested: &'a [HeldLeaf],
    pub decisions: &'a BTreeMap<u64, Replayed>,
    pub too_old: &'a BTreeMap<u64, TooOld>,
    pub authority: &'a PolicyAuthority<'a>,
}

/// Makes the report.
pub(crate) fn make(findings: Findings<'_>) -> Report {
    Report {
        chain: findings.subject.chain.to_string(),
        header: header(findings.block),
        policy: PolicyReport {
            id: findings.policy.record.id.to_string(),
            engine_version: findings.policy.record.engine_version,
            revisions: findings.policy.record.log.size(),
            changes: findings.policy.changes,
            anchor_lag: findings.policy.record.anchor_lag,
        },
        log: log(&findings),
        populations: populations(&findings),
        documents: findings
            .documents
            .values()
            .map(|document| document_report(document, &findings))
            .collect(),
        decisions: decisions(&findings),
        refusals: refusals(&findings),
    }
}

fn header(block: &VerifiedBlock) -> HeaderReport {
    let trusted = block.trusted();
    let validators = block.block().validators();
    let signatures = &block.block().signed_header().commit.signatures;
    let signed = validators
        .validators()
        .iter()
        .zip(signatures)
        .filter(|(_, signature)| signature.is_commit())
        .map(|(validator, _)| validator.power())
        .sum();
    HeaderReport {
        height: trusted.height.0,
        hash: trusted.hash.to_string(),
        time: trusted.time.to_string(),
        validators: validators.validators().len() as u64,
        signed_power: signed,
        total_power: validators.total_voting_power().value(),
    }
}

fn anchor(index: u64, anchor: &AnchorLeaf) -> AnchorReport {
    AnchorReport {
        index,
        height: anchor.height.0,
        time: anchor.time.to_string(),
        size: anchor.size,
    }
}

fn log(findings: &Findings<'_>) -> LogReport {
    let from = findings
        .subject
        .from_anchor
        .zip(findings.anchors.anchors.first());
    LogReport {
        id: findings.record.id.to_string(),
        operator: findings.record.operator.to_string(),
        from: from.map(|(index, leaf)| anchor(index, leaf)),
        to: anchor(findings.subject.to_anchor, &findings.anchors.last),
        issuer: findings.subject.issuer.as_ref().map(ToString::to_string),
    }
}

fn populations(findings: &Findings<'_>) -> Populations {
    let mut counted = Populations {
        revisions: findings.policy.record.log.size(),
        anchors: findings.anchors.anchors.len() as u64,
        leaves: findings.leaves.len() as u64,
        ..Populations::default()
    };
    for leaf in findings.leaves {
        match leaf {
            Disclosure::Closed(_) => counted.leaves_closed += 1,
            Disclosure::Linked(_) => counted.leaves_linked += 1,
            Disclosure::Opened(opening) => {
                counted.leaves_opened += 1;
                *counted.kinds.entry(opening.content().kind()).or_default() += 1;
                if let Content::DenialsOverflow(overflow) = opening.content() {
                    counted.denials_overflowed =
                        counted.denials_overflowed.saturating_add(overflow.count);
                }
            }
        }
    }
    for held in findings
        .documents
        .values()
        .flat_map(|document| &document.commits)
    {
        counted.commits += 1;
        counted.bodies += u64::from(!matches!(held.body, Body::Absent));
    }
    let authors: BTreeMap<&Cid, &str> = findings
        .documents
        .values()
        .flat_map(|document| &document.commits)
        .map(|held| (held.commit.cid(), held.commit.header().author.as_str()))
        .collect();
    let by_another = |leaf: &&HeldLeaf| {
        let author = authors.get(&leaf.held.commit);
        author.is_some_and(|author| *author != leaf.operator.as_str())
    };
    counted.attestations = findings.attested.iter().filter(by_another).count() as u64;
    for outcome in findings.decisions.values() {
        match outcome {
            Replayed::Same => counted.decisions_replayed += 1,
            Replayed::NotContradicted => counted.decisions_undecided += 1,
            Replayed::WithoutPreimage => counted.decisions_without_preimage += 1,
        }
    }
    counted.decisions_too_old = findings.too_old.len() as u64;
    counted
}

fn document_report(document: &Document, findings: &Findings<'_>) -> DocumentReport {
    let collection = findings.authority.collection(&document.claim.collection);
    let counts = |cid: &Cid| {
        findings
            .judged
            .get(cid)
            .is_some_and(|judged| judged.verdict.counts())
    };
    let state = state::of(document, collection, findings.authority, &counts);
    let chain = findings.chains.get(document.id.cid());
    let chained = chain.map_or(&[][..], |chain| &chain.leaves);
    let opened = chained.iter().filter(|index| {
        let offset = index.checked_sub(findings.anchors.start);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        let leaf = offset.and_then(|offset| findings.leaves.get(offset));
        leaf.is_some_and(|leaf| leaf.opening().is_some())
    });
    let leaves_opened = opened.count() as u64;
    let leaves_here = chained.len() as u64;
    DocumentReport {
        id: document.id.to_string(),
        resource: collection
            .map(|(resource, _)| resource.to_string())
            .unwrap_or_default(),
        collection: collection
            .map(|(_, name)| name.to_string())
            .unwrap_or_default(),
        scope: document.claim.scope.to_string(),
        creator: document.claim.creator.to_string(),
        leaves: chain.map_or(0, |chain| chain.total),
        leaves_here,
        leaves_opened,
        // A closed leaf breaks the chain, so what is not opened is linked.
        leaves_linked: leaves_here - leaves_opened,
        heads: document.tips.iter().map(Cid::to_string).collect(),
        commits: document
            .commits
            .iter()
            .map(|held| commit(held, findings))
            .collect(),
        deleted: state.as_ref().is_ok_and(|state| state.deleted().is_some()),
        state: state.as_ref().ok().map(state::fields),
        state_missing: state.err(),
    }
}

fn commit(held: &crate::bundle::commits::Held, findings: &Findings<'_>) -> CommitReport {
    let header = held.commit.header();
    let judged = findings.judged.get(held.commit.cid());
    let verdict = judged.map(|judged| &judged.verdict);
    CommitReport {
        commit: held.commit.cid().to_string(),
        author: header.author.to_string(),
        claimed_time_ms: header.claimed_time_ms,
        permissions: header.permissions.clone(),
        revision: header.authority.revision,
        height: header.authority.height,
        verdict: verdict.map_or("unknown", Verdict::name),
        counts: verdict.is_some_and(Verdict::counts),
        reason: verdict.map(reason).unwrap_or_default(),
        leaf: judged.map_or(0, |judged| judged.leaf),
        operations: state::operations(&held.body),
    }
}

fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Settled { by } => format!(
            "{} held it, or what follows it, at height {}, anchored in block {}; permitted at every height until then",
            by.operator, by.height, by.anchor_height
        ),
        Verdict::Provisional { through } => format!(
            "nobody else attested it; permitted at every height up to {through}"
        ),
        Verdict::Late { lost_at } => format!(
            "the permission ended with block {lost_at}, and nobody attested that it existed before; it does not count"
        ),
        Verdict::Reject(reason) => reason.to_string(),
        Verdict::Defer(reason) => reason.to_string(),
    }
}

fn opened<'a>(findings: &'a Findings<'_>) -> impl Iterator<Item = (u64, &'a Content)> {
    (findings.anchors.start..)
        .zip(findings.leaves)
        .filter_map(|(index, leaf)| Some((index, leaf.opening()?.content())))
}

fn decisions(findings: &Findings<'_>) -> Vec<DecisionReport> {
    opened(findings)
        .filter_map(|(leaf, content)| {
            let Content::Decision(decision) = content else {
                return None;
            };
            Some(DecisionReport {
                leaf,
                actor: decision.actor.clone(),
                permission: decision.permission.clone(),
                object: format!("{}:{}", decision.resource, decision.object),
                action: decision.action.clone(),
                outcome: match decision.outcome {
                    Outcome::Allow => "allow",
                    Outcome::Deny => "deny",
                    Outcome::CouldNotTell => "could-not-tell",
                },
                revision: decision.revision,
                height: decision.height,
                asked_at: decision
                    .asked_at
                    .and_then(AskedAt::time)
                    .map(|time| time.to_string()),
                context: decision.context.clone(),
                stale_seconds: decision.stale_seconds,
                reason: decision.reason.clone(),
                replay: match findings.decisions.get(&leaf) {
                    Some(Replayed::Same) => "replayed",
                    Some(Replayed::NotContradicted) => "not contradicted",
                    Some(Replayed::WithoutPreimage) | None => "without preimage",
                },
                too_old: findings.too_old.get(&leaf).map(ToString::to_string),
            })
        })
        .collect()
}

fn refusals(findings: &Findings<'_>) -> Vec<RefusalReport> {
    opened(findings)
        .filter_map(|(leaf, content)| {
            let Content::CommitRefused(refused) = content else {
                return None;
            };
            Some(RefusalReport {
                leaf,
                commit: refused.commit.to_string(),
                document: refused.document.to_string(),
                author: refused.author.clone(),
                reason: refused.reason.clone(),
                detail: refused.detail.clone(),
            })
        })
        .collect()
}
