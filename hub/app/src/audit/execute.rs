//! Opening and anchoring audit logs.
//!
//! The hub is a witness in the sense of C2SP tlog-witness: it records an anchor only if the log
//! provably extends the last anchor it recorded, so a fork or a rewrite has no anchor.

use hub_types::{
    audit::{self, Anchor, AnchorLeaf, AuditError, LogRecord, OpenLog, OpenLogRecord, PolicyLogs},
    policy as policy_types, LogId, Record,
};
use merkle::MerkleError;
use wire::audit::{MsgAnchorResponse, MsgOpenLogResponse};

use crate::chain::context::Context;
use crate::chain::failure::Failure;
use crate::store::{append_to_log, LogName};

/// Opens a log of the signer's DID for a policy; one open log for each of both.
///
/// # Errors
/// [`AuditError::UnknownPolicy`], [`AuditError::AlreadyOpen`].
pub fn open_log(
    context: &mut Context<'_, '_>,
    open: &OpenLog,
) -> Result<MsgOpenLogResponse, Failure> {
    let policy = open.policy;
    let known: Option<policy_types::PolicyRecord> =
        context.read(&policy_types::keys::policy(&policy))?;
    if known.is_none() {
        return Err(AuditError::UnknownPolicy { policy }.into());
    }
    let operator = context.signer.did.clone();
    let open_key = audit::keys::open_log(&policy, &operator);
    if let Some(OpenLogRecord { log }) = context.read(&open_key)? {
        return Err(AuditError::AlreadyOpen { log }.into());
    }
    let id = LogId::derive(
        &context.block.chain,
        &operator,
        context.sequence,
        context.message,
    );
    let anchoring = open.anchoring.clone().unwrap_or_else(|| operator.clone());
    let record = LogRecord::open(id, operator, policy, anchoring);
    context.write(audit::keys::log(&id), &record)?;
    context.write(open_key, &OpenLogRecord { log: id })?;

    let logs_key = audit::keys::policy_logs(&policy);
    let mut logs: PolicyLogs = context.read(&logs_key)?.unwrap_or_default();
    append_to_log(
        context.state,
        LogName::PolicyLogs(*policy.as_bytes()),
        &mut logs.logs,
        id.as_bytes(),
    )?;
    context.write(logs_key, &logs)?;
    context.events.push(audit::events::opened(&record));
    Ok(MsgOpenLogResponse { log: id.to_vec() })
}

/// Anchors a log.
///
/// # Errors
/// [`AuditError`]; see [`check_growth`] for what counts as growth.
pub fn anchor(
    context: &mut Context<'_, '_>,
    anchor: &Anchor,
) -> Result<MsgAnchorResponse, Failure> {
    let key = audit::keys::log(&anchor.log);
    let mut record: LogRecord = context
        .read(&key)?
        .ok_or(AuditError::UnknownLog { log: anchor.log })?;
    if record.sealed {
        return Err(AuditError::Sealed { log: anchor.log }.into());
    }
    if context.signer.did != record.anchoring {
        return Err(AuditError::NotAnchoringKey {
            expected: record.anchoring,
        }
        .into());
    }
    check_growth(&record, anchor)?;

    let leaf = AnchorLeaf {
        log: anchor.log,
        height: context.block.height,
        time: context.block.time,
        size: anchor.size,
        root: anchor.root,
        heads_root: anchor.heads_root,
    };
    let index = record.anchors.size();
    append_to_log(
        context.state,
        LogName::Anchors(*anchor.log.as_bytes()),
        &mut record.anchors,
        &leaf.to_bytes(),
    )?;
    record.size = anchor.size;
    record.root = anchor.root;
    record.heads_root = anchor.heads_root;
    record.last_anchor_height = context.block.height;
    context.write(key, &record)?;
    context.events.push(audit::events::anchored(&leaf, index));
    Ok(MsgAnchorResponse { index })
}

/// Whether the anchor's log extends the recorded one.
///
/// As C2SP tlog-witness: the old size must be the recorded one; the same size needs the same root,
/// and then there is nothing to record; a larger one needs a consistency proof. From the empty log
/// anything grows, and the proof is empty.
///
/// # Errors
/// [`AuditError::OldSize`], [`AuditError::NotGrown`], [`AuditError::Inconsistent`].
fn check_growth(record: &LogRecord, anchor: &Anchor) -> Result<(), AuditError> {
    if anchor.old_size != record.size {
        return Err(AuditError::OldSize {
            expected: record.size,
            found: anchor.old_size,
        });
    }
    if anchor.size == record.size {
        return Err(if anchor.root == record.root {
            AuditError::NotGrown { size: record.size }
        } else {
            AuditError::Inconsistent(MerkleError::RootDiffers)
        });
    }
    if record.size == 0 {
        if anchor.consistency.is_empty() {
            return Ok(());
        }
        return Err(AuditError::Inconsistent(MerkleError::OldSizeZero));
    }
    merkle::verify_consistency(
        record.size,
        &record.root,
        anchor.size,
        &anchor.root,
        &anchor.consistency,
    )
    .map_err(AuditError::Inconsistent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::PolicyId;
    use identity::{AccountAddress, KeyKind, SecretKey};
    use merkle::MemoryLog;

    fn log_of(leaves: &[&str]) -> MemoryLog {
        let mut log = MemoryLog::new();
        for leaf in leaves {
            log.append(leaf.as_bytes()).unwrap();
        }
        log
    }

    fn record(log: &MemoryLog, size: u64) -> LogRecord {
        let did = SecretKey::from_seed(KeyKind::Ed25519, [1; 32])
            .unwrap()
            .did();
        let mut record = LogRecord::open(
            LogId::new([9; 32]),
            did.clone(),
            PolicyId::new([8; 32]),
            did,
        );
        record.size = size;
        record.root = log.root_at(size).unwrap();
        record
    }

    fn anchor(old: u64, log: &MemoryLog, size: u64) -> Anchor {
        let consistency = if old == 0 {
            Vec::new()
        } else {
            log.consistency_proof(old, size).unwrap()
        };
        Anchor {
            creator: AccountAddress::from([1; 20]),
            log: LogId::new([9; 32]),
            old_size: old,
            size,
            root: log.root_at(size).unwrap(),
            heads_root: [0; 32],
            consistency,
        }
    }

    #[test]
    fn growth_is_taken_and_a_fork_is_not() {
        let log = log_of(&["a", "b", "c", "d", "e"]);
        let fork = log_of(&["a", "x", "c", "d", "e"]);
        assert_eq!(check_growth(&record(&log, 0), &anchor(0, &log, 3)), Ok(()));
        assert_eq!(check_growth(&record(&log, 3), &anchor(3, &log, 5)), Ok(()));
        let forked = check_growth(&record(&log, 3), &anchor(3, &fork, 5));
        assert!(matches!(forked, Err(AuditError::Inconsistent(_))));
        let same_size = check_growth(&record(&log, 3), &anchor(3, &fork, 3));
        assert!(matches!(same_size, Err(AuditError::Inconsistent(_))));
        let again = check_growth(&record(&log, 3), &anchor(3, &log, 3));
        assert_eq!(again, Err(AuditError::NotGrown { size: 3 }));
        let stale = check_growth(&record(&log, 3), &anchor(2, &log, 5));
        let expected = AuditError::OldSize {
            expected: 3,
            found: 2,
        };
        assert_eq!(stale, Err(expected));
    }

    #[test]
    fn the_first_anchor_carries_no_proof() {
        let log = log_of(&["a", "b"]);
        let mut first = anchor(0, &log, 2);
        first.consistency.push([1; 32]);
        assert!(matches!(
            check_growth(&record(&log, 0), &first),
            Err(AuditError::Inconsistent(_))
        ));
    }
}
