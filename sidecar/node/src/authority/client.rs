//! The hub through nodes that nobody trusts: every answer is verified by `hub-client` or here,
//! under a header that its light client verified (Invariant 2).

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use hub_client::{ClientError, HubClient, Options, Proven, Rpc, Terms, Transport};
use hub_light::{
    AnchorProof, BlockInclusion, ChangesPage, EarlierBlocks, LightBlock, StateProof, Trusted,
};
use hub_types::audit::{keys as audit_keys, Anchor, AnchorLeaf, LogRecord, OpenLog};
use hub_types::policy::{keys as policy_keys, PolicyRecord};
use hub_types::{Amount, Height, LogId, Message as HubMessage, PolicyId, Record};
use identity::{AccountAddress, Did, SecretKey};
use merkle::CompactRange;
use wire::light::{
    QueryBlockInclusionRequest, QueryBlockInclusionResponse, QueryStateRequest, QueryStateResponse,
};
use wire::policy::{QueryChangesRequest, QueryChangesResponse};

use super::hub::{Hub, HubError, Tip, TrailState, Update};

/// Pages of revisions asked for in a row: a million revisions.
const PAGES_MAX: usize = 1024;

/// The hub behind CometBFT RPC nodes.
pub struct LightHub {
    client: HubClient,
    transports: Vec<Arc<dyn Transport>>,
    operator: Did,
    key: Option<SecretKey>,
    fee: u64,
}

fn of_client(error: ClientError) -> HubError {
    if error.is_unreachable() {
        return HubError::Unreachable(error.to_string());
    }
    match &error {
        ClientError::TrustExpired { .. } => HubError::TrustExpired(error.to_string()),
        ClientError::Refused { code, .. } | ClientError::Failed { code, .. } => HubError::Refused {
            code: *code,
            message: error.to_string(),
        },
        ClientError::Absent { .. } => HubError::Absent("such record"),
        _ if error.lies().is_empty() => HubError::Unreachable(error.to_string()),
        _ => HubError::Unverified(error.to_string()),
    }
}

fn unverified(error: impl std::fmt::Display) -> HubError {
    HubError::Unverified(error.to_string())
}

impl LightHub {
    /// Opens the light client. Sends nothing yet.
    ///
    /// # Errors
    /// [`HubError`] when its file of verified headers cannot be read.
    pub fn open(
        options: Options,
        operator: Did,
        key: Option<SecretKey>,
        fee: u64,
    ) -> Result<Self, HubError> {
        let transports = options.transports.clone();
        let client = HubClient::open(options).map_err(of_client)?;
        Ok(Self {
            client,
            transports,
            operator,
            key,
            fee,
        })
    }

    /// Asks the nodes in turn for `path` after block `height`; the answer is believed by nobody
    /// until it is verified.
    async fn query<A: prost::Message + Default>(
        &self,
        path: &str,
        request: &impl prost::Message,
        height: Height,
    ) -> Result<A, HubError> {
        let bytes = request.encode_to_vec();
        let mut last = HubError::Unreachable("there is no node".into());
        for transport in &self.transports {
            let rpc = Rpc::new(&**transport);
            match rpc.abci_query(path, &bytes, height.0, true).await {
                Ok(answer) if answer.code == 0 => match A::decode(answer.value.as_slice()) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => last = unverified(error),
                },
                Ok(answer) => {
                    last = HubError::Refused {
                        code: answer.code,
                        message: answer.log,
                    };
                }
                Err(error) => last = HubError::Unreachable(error.to_string()),
            }
        }
        Err(last)
    }

    /// A record of the main tree under `trusted`, with its proof.
    async fn proof<R: Record>(
        &self,
        trusted: &Trusted,
        key: &[u8],
    ) -> Result<(Option<R>, StateProof), HubError> {
        let height = trusted.state_height();
        let request = QueryStateRequest {
            policy: Vec::new(),
            key: key.to_vec(),
            height: height.0,
            prove: true,
        };
        let answer: QueryStateResponse = self
            .query("/holdfast.light.v1.Query/State", &request, height)
            .await?;
        let wire = answer
            .state_proof
            .ok_or_else(|| unverified("the proof is missing"))?;
        let proof = StateProof::from_wire(&wire).map_err(unverified)?;
        let record = proof.verify_record::<R>(trusted, key).map_err(unverified)?;
        Ok((record, proof))
    }

    async fn changes(&self, policy: PolicyId, from: u64) -> Result<Update, HubError> {
        let trusted = self.client.latest().await.map_err(of_client)?;
        let height = trusted.state_height();
        let mut revisions = Vec::new();
        for _ in 0..PAGES_MAX {
            let next = from + revisions.len() as u64;
            let request = QueryChangesRequest {
                policy: policy.to_vec(),
                from: next,
                limit: 0,
            };
            let answer: QueryChangesResponse = match self
                .query("/holdfast.policy.v1.Query/Changes", &request, height)
                .await
            {
                Err(HubError::Refused { .. }) => {
                    // A node's word that there is no such policy proves nothing; its absence does.
                    let key = policy_keys::policy(&policy);
                    let (record, _) = self.proof::<PolicyRecord>(&trusted, &key).await?;
                    return match record {
                        None => Err(HubError::Absent("such policy")),
                        Some(_) => Err(unverified(
                            "a node refuses the changes of a policy that exists",
                        )),
                    };
                }
                answer => answer?,
            };
            let page = ChangesPage::from_wire(&answer).map_err(unverified)?;
            let record: PolicyRecord = page
                .record
                .verify_record(&trusted, &policy_keys::policy(&policy))
                .map_err(unverified)?
                .ok_or(HubError::Absent("such policy"))?;
            let brought = page.revisions.len();
            revisions.extend(page.revisions);
            let known = from + revisions.len() as u64;
            if known >= record.log.size() {
                // The replica checks every leaf and change against this record.
                return Ok(Update {
                    record,
                    height: height.0,
                    header_time: trusted.time,
                    revisions,
                });
            }
            if brought == 0 {
                return Err(unverified("a page of changes brings nothing new"));
            }
        }
        Err(unverified("the pages of changes do not come to an end"))
    }

    /// All anchors of a log under `trusted`, checked against its record.
    async fn anchors(
        &self,
        trusted: &Trusted,
        log: &LogId,
    ) -> Result<(LogRecord, StateProof, Vec<AnchorLeaf>), HubError> {
        let (record, proof) = self
            .proof::<LogRecord>(trusted, &audit_keys::log(log))
            .await?;
        let record = record.ok_or(HubError::Absent("such log"))?;
        let mut anchors = Vec::new();
        let mut range = CompactRange::default();
        while range.size() < record.anchors.size() {
            let request = wire::audit::QueryAnchorsRequest {
                log: log.to_vec(),
                from: range.size(),
                limit: 0,
            };
            let answer: wire::audit::QueryAnchorsResponse = self
                .query(
                    "/holdfast.audit.v1.Query/Anchors",
                    &request,
                    trusted.state_height(),
                )
                .await?;
            if answer.anchors.is_empty() {
                return Err(unverified("a page of anchors brings nothing new"));
            }
            for leaf in answer.anchors {
                let leaf = AnchorLeaf::from_wire(leaf).map_err(unverified)?;
                range
                    .append(&leaf.to_bytes(), &mut |_, _, _| {})
                    .map_err(unverified)?;
                anchors.push(leaf);
            }
        }
        if range != record.anchors {
            return Err(unverified("the anchors are not those of the log's record"));
        }
        Ok((record, proof, anchors))
    }

    async fn trail_state(
        &self,
        policy: PolicyId,
        log: LogId,
        witnesses: Vec<LogId>,
        height: Option<u64>,
    ) -> Result<TrailState, HubError> {
        let trusted = match height {
            None => self.client.latest().await,
            Some(height) => self.client.at(Height(height)).await,
        }
        .map_err(of_client)?;
        let block = self
            .client
            .light_block(trusted.height)
            .await
            .map_err(of_client)?;
        let header = LightBlock::from_wire(&block.value)
            .map_err(unverified)?
            .without_next_validators();
        let key = policy_keys::policy(&policy);
        let (record, policy_record) = self.proof::<PolicyRecord>(&trusted, &key).await?;
        let policy = record.ok_or(HubError::Absent("such policy"))?;
        let (log, log_record, anchors) = self.anchors(&trusted, &log).await?;
        let mut others = Vec::new();
        for witness in witnesses.into_iter().collect::<BTreeSet<_>>() {
            let (_, proof, anchors) = self.anchors(&trusted, &witness).await?;
            others.push((witness, proof, anchors));
        }
        Ok(TrailState {
            header,
            height: trusted.height.0,
            hash: *trusted.hash.as_bytes(),
            policy_record,
            policy,
            log_record,
            log,
            anchors,
            witnesses: others,
        })
    }

    async fn earlier(&self, heights: Vec<u64>, under: u64) -> Result<EarlierBlocks, HubError> {
        let trusted = self.client.at(Height(under)).await.map_err(of_client)?;
        let state = trusted.state_height();
        let mut blocks = Vec::with_capacity(heights.len());
        for height in heights {
            let block = self.client.light_block(Height(height)).await;
            let block = LightBlock::from_wire(&block.map_err(of_client)?.value);
            let header = block.map_err(unverified)?.signed_header().header.clone();
            let request = QueryBlockInclusionRequest {
                height,
                at_height: state.0,
            };
            let answer: QueryBlockInclusionResponse = self
                .query("/holdfast.light.v1.Query/BlockInclusion", &request, state)
                .await?;
            let wire = answer
                .proof
                .ok_or_else(|| unverified("the proof is missing"))?;
            let proof = BlockInclusion::from_wire(&wire).map_err(unverified)?;
            proof.verify_header(&trusted, &header).map_err(unverified)?;
            blocks.push((header, proof));
        }
        EarlierBlocks::new(blocks).ok_or_else(|| unverified("the proofs are of several states"))
    }

    async fn send(
        &self,
        message: impl FnOnce(AccountAddress) -> HubMessage,
    ) -> Result<(), HubError> {
        let key = self
            .key
            .as_ref()
            .ok_or(HubError::Absent("key of the operator here"))?;
        let account = AccountAddress::of(key.public_key()).map_err(unverified)?;
        let terms = Terms {
            fee: (self.fee > 0).then_some(Amount(self.fee)),
            ..Terms::default()
        };
        self.client
            .submit_with(key, vec![message(account)], &terms)
            .await
            .map(|_| ())
            .map_err(of_client)
    }
}

fn present<T>(proven: Proven<Option<T>>, what: &'static str) -> Result<T, HubError> {
    proven.value.ok_or(HubError::Absent(what))
}

impl Hub for LightHub {
    fn tip(&self) -> BoxFuture<'_, Result<Tip, HubError>> {
        Box::pin(async move {
            let trusted = self.client.latest().await.map_err(of_client)?;
            Ok(Tip {
                height: trusted.height.0,
                time: trusted.time,
            })
        })
    }

    fn policy(&self, policy: PolicyId, from: u64) -> BoxFuture<'_, Result<Update, HubError>> {
        Box::pin(self.changes(policy, from))
    }

    fn open_log(&self, policy: PolicyId) -> BoxFuture<'_, Result<Option<LogRecord>, HubError>> {
        Box::pin(async move {
            let open = self
                .client
                .open_log(&policy, &self.operator)
                .await
                .map_err(of_client)?;
            match open.value {
                None => Ok(None),
                Some(log) => {
                    let record = self.client.log(&log).await.map_err(of_client)?;
                    Ok(Some(present(record, "record of the open log")?))
                }
            }
        })
    }

    fn create_log(&self, policy: PolicyId) -> BoxFuture<'_, Result<(), HubError>> {
        Box::pin(self.send(move |creator| {
            HubMessage::OpenLog(OpenLog {
                creator,
                policy,
                anchoring: None,
            })
        }))
    }

    fn log(&self, log: LogId) -> BoxFuture<'_, Result<LogRecord, HubError>> {
        Box::pin(
            async move { present(self.client.log(&log).await.map_err(of_client)?, "such log") },
        )
    }

    fn anchor(&self, anchor: Anchor) -> BoxFuture<'_, Result<(), HubError>> {
        Box::pin(self.send(move |creator| HubMessage::Anchor(Anchor { creator, ..anchor })))
    }

    fn anchored(
        &self,
        log: LogId,
        index: u64,
    ) -> BoxFuture<'_, Result<super::hub::Anchored, HubError>> {
        Box::pin(async move {
            let proven = self
                .client
                .anchor_proof(&log, index)
                .await
                .map_err(of_client)?;
            let (wire, anchored) = proven.value;
            Ok(super::hub::Anchored {
                index: anchored.index,
                leaf: anchored.leaf,
                proof: AnchorProof::from_wire(&wire).map_err(unverified)?,
                header_height: proven.header.height.0,
            })
        })
    }

    fn at_hand(&self, height: u64) -> Option<Trusted> {
        self.client.known(Height(height))
    }

    fn header(&self, height: u64) -> BoxFuture<'_, Result<Trusted, HubError>> {
        Box::pin(async move { self.client.at(Height(height)).await.map_err(of_client) })
    }

    fn trail(
        &self,
        policy: PolicyId,
        log: LogId,
        witnesses: Vec<LogId>,
        height: Option<u64>,
    ) -> BoxFuture<'_, Result<TrailState, HubError>> {
        Box::pin(self.trail_state(policy, log, witnesses, height))
    }

    fn earlier_blocks(
        &self,
        heights: Vec<u64>,
        under: u64,
    ) -> BoxFuture<'_, Result<EarlierBlocks, HubError>> {
        Box::pin(self.earlier(heights, under))
    }

    fn account(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        AccountAddress::of(key.public_key())
            .ok()
            .map(|account| account.to_string())
    }
}
