//! What the trusted header proves: itself, the policy's record and history, a log's record.

use alloc::vec::Vec;

use hub_light::{
    jmt_spec, proof, verify_presence, ChangesPage, EarlierBlocks, Follower, LightBlock,
    RevisionChanges, StateProof, TrustPoint, Trusted, VerifiedBlock, Verifier,
};
use hub_types::audit::{keys, LogRecord};
use hub_types::policy::{knows_engine, PolicyRecord};
use hub_types::{LogId, Record};
use policy::{History, ENGINE_VERSION};

use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::form;
use super::read::{explain, required, section, Subject};
use crate::times::Block;

/// The header: it is the one that the auditor trusts, and more than two thirds signed it.
pub(crate) fn header(
    payload: &[u8],
    subject: &Subject,
    trust: TrustPoint,
) -> Result<VerifiedBlock, VerifyError> {
    let at = |wrong| VerifyError::of(Section::Header, wrong);
    let block =
        LightBlock::from_bytes(payload).map_err(|error| at(Wrong::Header(explain(&error))))?;
    let verified =
        Verifier::start(trust, block).map_err(|error| at(Wrong::Header(explain(&error))))?;
    if verified.trusted().chain_id != subject.chain {
        return Err(at(Wrong::Header(
            "it is the header of another chain".into(),
        )));
    }
    Ok(verified)
}

/// The policy as proven: its record and every revision of it.
pub(crate) struct PolicyFacts {
    pub record: PolicyRecord,
    pub history: History,
    pub changes: u64,
    /// Blocks whose headers are here for their times.
    pub times: Vec<Block>,
}

/// The policy's record under the header, and its history, which misses nothing.
pub(crate) fn policy(
    payload: &[u8],
    subject: &Subject,
    trusted: &Trusted,
) -> Result<PolicyFacts, VerifyError> {
    let at = |wrong| VerifyError::of(Section::Policy, wrong);
    let wire: form::PolicySection = section(Section::Policy, payload)?;
    let proof = required(Section::Policy, "record", &wire.record)?;
    let mut revisions = Vec::with_capacity(wire.revisions.len());
    let mut changes = 0u64;
    for (revision, wire) in (0u64..).zip(&wire.revisions) {
        let at = |wrong| VerifyError::at(Section::Policy, revision, wrong);
        let read = RevisionChanges::from_wire(wire)
            .map_err(|error| at(Wrong::History(explain(&error))))?;
        if read.to_wire() != *wire {
            return Err(at(Wrong::Encoding(
                "a revision is spelled otherwise than the hub does".into(),
            )));
        }
        changes += read.changes.len() as u64;
        revisions.push(read);
    }
    let page = ChangesPage {
        revisions,
        record: state_proof(proof).map_err(at)?,
        consistency: Vec::new(),
    };
    let mut follower = Follower::new(subject.policy);
    let progress = follower
        .apply(trusted, &page)
        .map_err(|error| at(Wrong::History(explain(&error))))?;
    if !progress.complete {
        return Err(at(Wrong::History(
            "revisions are missing at the end".into(),
        )));
    }
    if !knows_engine(progress.record.engine_version) {
        return Err(at(Wrong::Engine {
            found: u64::from(progress.record.engine_version),
            known: u64::from(ENGINE_VERSION),
        }));
    }
    let times = wire
        .times
        .as_ref()
        .map_or(Ok(Vec::new()), |wire| earlier(wire, trusted).map_err(at))?;
    Ok(PolicyFacts {
        record: progress.record,
        history: follower.history().clone(),
        changes,
        times,
    })
}

/// The times of earlier blocks, by their headers.
fn earlier(wire: &wire::light::EarlierBlocks, trusted: &Trusted) -> Result<Vec<Block>, Wrong> {
    const WHAT: &str = "an earlier block";
    let read =
        EarlierBlocks::from_wire(wire).map_err(|error| Wrong::proof(WHAT, explain(&error)))?;
    if read.to_wire() != *wire {
        return Err(Wrong::Encoding(
            "an earlier block is spelled otherwise than it would be written".into(),
        ));
    }
    let blocks = read
        .verify(trusted)
        .map_err(|error| Wrong::proof(WHAT, explain(&error)))?;
    let block = |trusted: &Trusted| Block {
        height: trusted.height.0,
        time: trusted.time.to_policy(),
    };
    Ok(blocks.iter().map(block).collect())
}

/// A log's record under the header; which log it is of, the record says, and its key must agree.
pub(crate) fn log_record(
    wire: &wire::light::StateProof,
    trusted: &Trusted,
) -> Result<LogRecord, Wrong> {
    let proof = state_proof(wire)?;
    // The record names its log; the proof is then checked for that log's key.
    let claimed = wire
        .value
        .as_deref()
        .ok_or_else(|| Wrong::proof("the log's record", "it shows that there is none"))?;
    let claimed = LogRecord::from_bytes(claimed)
        .map_err(|error| Wrong::proof("the log's record", explain(&error)))?;
    let proven: Option<LogRecord> = proof
        .verify_record(trusted, &keys::log(&claimed.id))
        .map_err(|error| Wrong::proof("the log's record", explain(&error)))?;
    proven.ok_or_else(|| Wrong::proof("the log's record", "it shows that there is none"))
}

/// The record of one log.
pub(crate) fn record_of(
    wire: &wire::light::StateProof,
    trusted: &Trusted,
    log: &LogId,
) -> Result<LogRecord, Wrong> {
    let record = log_record(wire, trusted)?;
    match record.id == *log {
        true => Ok(record),
        false => Err(Wrong::OtherRecord("the log that the bundle names")),
    }
}

/// That `value` stands under `key` in the tree with this root.
pub(crate) fn presence(
    root: &[u8; 32],
    key: &[u8],
    value: &[u8],
    ics23: &[u8],
) -> Result<(), Wrong> {
    let wrong =
        |error: hub_light::LightError| Wrong::proof("the document's heads", explain(&error));
    let decoded = proof::decode(ics23, "the document's heads").map_err(wrong)?;
    verify_presence(
        &jmt_spec(),
        root,
        &decoded,
        key,
        value,
        "the document's heads",
    )
    .map_err(wrong)
}

fn state_proof(wire: &wire::light::StateProof) -> Result<StateProof, Wrong> {
    let proof =
        StateProof::from_wire(wire).map_err(|error| Wrong::proof("a record", explain(&error)))?;
    // What is read is compared with what would be written, so that no byte is passed over.
    match proof.to_wire() == *wire {
        true => Ok(proof),
        false => Err(Wrong::Encoding("a state proof has a field too many".into())),
    }
}
