//! Audit logs and their anchors, proven whole.

use hub_light::{AnchorProof, Anchored, StateProof};
use hub_types::audit::{keys, AnchorLeaf, LogRecord, OpenLogRecord, PolicyLogs};
use hub_types::{LogId, PolicyId, Record};
use identity::Did;
use merkle::{root_of, verify_consistency, CompactRange};
use wire::audit::{
    QueryAnchorProofRequest, QueryAnchorProofResponse, QueryAnchorsRequest, QueryAnchorsResponse,
    QueryLogsRequest, QueryLogsResponse,
};

use crate::block::Block;
use crate::client::{HubClient, Proven};
use crate::error::{with_causes, ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::state::{record_under, unverified};
use crate::transport::BoxFuture;

/// Logs of one policy that are listed: one an operator, with room for those that ended.
const LOGS_MAX: usize = 10_000;

/// Anchors of one log that are listed: a year of one a minute, twice.
const ANCHORS_MAX: usize = 1 << 20;

/// Hashes of a consistency proof: logs have at most 2^48 leaves.
const PATH_HASHES_MAX: usize = merkle::PROOF_HASHES_MAX;

impl HubClient {
    /// An audit log's record.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn log(&self, log: &LogId) -> Result<Proven<Option<LogRecord>>, ClientError> {
        self.record(&keys::log(log)).await
    }

    /// The log that an operator has open for a policy.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn open_log(
        &self,
        policy: &PolicyId,
        operator: &Did,
    ) -> Result<Proven<Option<LogId>>, ClientError> {
        let proven = self
            .record::<OpenLogRecord>(&keys::open_log(policy, operator))
            .await?;
        Ok(proven.map(|record| record.map(|it| it.log)))
    }

    /// All logs that were ever opened for a policy, in the order of opening: all of them, because
    /// the root over their ids is proven.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn logs(&self, policy: &PolicyId) -> Result<Proven<Vec<LogRecord>>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.chain().latest(rpc).await?;
                let ids = log_ids(rpc, &block, policy).await?;
                let mut records = Vec::with_capacity(ids.len());
                for id in ids {
                    let record: LogRecord = record_under(rpc, &block, &keys::log(&id))
                        .await?
                        .ok_or_else(|| Fault::unverified("an audit log", "it has no record"))?;
                    records.push(record);
                }
                Ok(Proven::under(&block, records))
            })
        })
        .await
    }

    /// Every anchor of a log, from the first to the newest.
    ///
    /// # Errors
    /// [`ClientError::Nodes`]; [`ClientError::Absent`] for a log that provably does not exist.
    pub async fn all_anchors(&self, log: &LogId) -> Result<Proven<Vec<AnchorLeaf>>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.chain().latest(rpc).await?;
                let anchors = anchors_under(rpc, &block, log).await?;
                Ok(Proven::under(&block, anchors))
            })
        })
        .await
    }

    /// One anchor with the proof that a receipt keeps.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn anchor_proof(
        &self,
        log: &LogId,
        index: u64,
    ) -> Result<Proven<(wire::light::AnchorProof, Anchored)>, ClientError> {
        const WHAT: &str = "the proof of an anchor";
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.chain().latest(rpc).await?;
                let request = QueryAnchorProofRequest {
                    log: log.to_vec(),
                    index,
                };
                let answer: QueryAnchorProofResponse = query(
                    rpc,
                    "/holdfast.audit.v1.Query/AnchorProof",
                    &request,
                    block.trusted.state_height().0,
                )
                .await?;
                let wire = answer
                    .proof
                    .ok_or_else(|| Fault::unverified(WHAT, "it is missing"))?;
                let anchored = AnchorProof::from_wire(&wire)
                    .and_then(|proof| proof.verify(&block.trusted, log))
                    .map_err(unverified(WHAT))?;
                if anchored.index != index {
                    return Err(Fault::unverified(WHAT, "it is of another anchor"));
                }
                Ok(Proven::under(&block, (wire, anchored)))
            })
        })
        .await
    }
}

/// The ids of all logs of a policy, checked against the root over them.
async fn log_ids(rpc: Rpc<'_>, block: &Block, policy: &PolicyId) -> Result<Vec<LogId>, Fault> {
    const WHAT: &str = "the audit logs of a policy";
    let Some(whole) = record_under::<PolicyLogs>(rpc, block, &keys::policy_logs(policy)).await?
    else {
        return Ok(Vec::new());
    };
    let size = usize::try_from(whole.logs.size()).unwrap_or(usize::MAX);
    if size > LOGS_MAX {
        return Err(Fault::unverified(
            WHAT,
            "there are more than are listed at once",
        ));
    }
    let mut ids: Vec<LogId> = Vec::with_capacity(size);
    while ids.len() < size {
        let request = QueryLogsRequest {
            policy: policy.to_vec(),
            from: ids.len() as u64,
            limit: 0,
        };
        let page: QueryLogsResponse = query(
            rpc,
            "/holdfast.audit.v1.Query/Logs",
            &request,
            block.trusted.state_height().0,
        )
        .await?;
        if page.records.is_empty() || ids.len() + page.records.len() > size {
            return Err(Fault::unverified(WHAT, "a page has too few or too many"));
        }
        for record in page.records {
            let id =
                LogId::from_slice(&record.id).map_err(|error| Fault::unverified(WHAT, error))?;
            ids.push(id);
        }
    }
    if root_of(ids.iter().map(LogId::as_bytes)) != whole.logs.root() {
        return Err(Fault::unverified(
            WHAT,
            "they are not those that the proven root is over",
        ));
    }
    Ok(ids)
}

/// Every anchor of a log, each page checked against the proven record before the next is asked.
async fn anchors_under(rpc: Rpc<'_>, block: &Block, log: &LogId) -> Result<Vec<AnchorLeaf>, Fault> {
    const WHAT: &str = "the anchors of a log";
    let height = block.trusted.state_height();
    let absent = || {
        Fault::Final(Box::new(ClientError::Absent {
            what: format!("audit log {log}"),
            height,
        }))
    };
    let record: LogRecord = record_under(rpc, block, &keys::log(log))
        .await?
        .ok_or_else(absent)?;
    let whole = &record.anchors;
    if whole.size() > ANCHORS_MAX as u64 {
        return Err(Fault::unverified(
            WHAT,
            "there are more than are listed at once",
        ));
    }
    let mut anchors: Vec<AnchorLeaf> = Vec::new();
    let mut range = CompactRange::new();
    while range.size() < whole.size() {
        let request = QueryAnchorsRequest {
            log: log.to_vec(),
            from: range.size(),
            limit: 0,
        };
        let page: QueryAnchorsResponse =
            query(rpc, "/holdfast.audit.v1.Query/Anchors", &request, height.0).await?;
        let proof = page
            .record
            .ok_or_else(|| Fault::unverified(WHAT, "the proof of the log's record is missing"))?;
        let shown: Option<LogRecord> = StateProof::from_wire(&proof)
            .and_then(|proof| proof.verify_record(&block.trusted, &keys::log(log)))
            .map_err(unverified(WHAT))?;
        if shown.as_ref() != Some(&record) || page.anchors.is_empty() {
            return Err(Fault::unverified(
                WHAT,
                "a page does not belong to the log's record",
            ));
        }
        if page.consistency.len() > PATH_HASHES_MAX {
            return Err(Fault::unverified(WHAT, "the consistency proof is too long"));
        }
        let mut consistency = Vec::with_capacity(page.consistency.len());
        for hash in &page.consistency {
            let hash = hub_types::hash_from(hash)
                .map_err(|_| Fault::unverified(WHAT, "a hash has 32 bytes"))?;
            consistency.push(hash);
        }
        for leaf in page.anchors {
            let leaf = AnchorLeaf::from_wire(leaf)
                .map_err(|error| Fault::unverified(WHAT, with_causes(&error)))?;
            if leaf.log != *log {
                return Err(Fault::unverified(WHAT, "an anchor is another log's"));
            }
            range
                .append(&leaf.to_bytes(), &mut |_, _, _| {})
                .map_err(|error| Fault::unverified(WHAT, error))?;
            anchors.push(leaf);
        }
        verify_consistency(
            range.size(),
            &range.root(),
            whole.size(),
            &whole.root(),
            &consistency,
        )
        .map_err(|error| Fault::unverified(WHAT, error))?;
    }
    Ok(anchors)
}
