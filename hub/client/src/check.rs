//! Permission checks: the evidence is verified under a header and the decision made here.

use hub_light::{CheckEvidence, LightError};
use hub_types::document::{looks_derived, Document};
use hub_types::policy::convert::{context_to_json, object_to_wire, time_to_wire};
use hub_types::PolicyId;
use policy::Context;
use policy::{Answer, Circumstances, Decision, Question, ReplayError, Subject};
use wire::policy::{QueryCheckPermissionRequest, QueryCheckPermissionResponse};

use crate::client::{HubClient, Proven};
use crate::error::{ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::state::{explain, unverified};
use crate::transport::BoxFuture;

/// A decision and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The decision, replayed from the evidence.
    pub answer: Answer,
    /// The time and the context that it was asked with.
    pub circumstances: Circumstances,
    /// The revision that decided.
    pub revision: u64,
    /// The evidence, which anybody with the header can replay.
    pub evidence: wire::light::CheckEvidence,
}

const WHAT: &str = "evidence for a permission check";

/// Whether evidence would decide with more keys.
fn hangs_on_more(error: &LightError) -> bool {
    matches!(error, LightError::Replay(ReplayError::Insufficient { .. }))
}

impl HubClient {
    /// Decides `question` under `policy`, at `revision` or the newest, with `context` for conditions.
    /// `documents` are those whose owner and scope follow from their ids.
    ///
    /// # Errors
    /// [`ClientError::Nodes`]; never a decision in disguise (Invariant 3).
    pub async fn check(
        &self,
        policy: &PolicyId,
        question: &Question,
        context: &Context,
        revision: Option<u64>,
        documents: &[Document],
    ) -> Result<Proven<Checked>, ClientError> {
        let Subject::Actor(actor) = &question.subject else {
            return Err(ClientError::Question(
                "only actors can be asked about over the network".to_owned(),
            ));
        };
        let request = QueryCheckPermissionRequest {
            policy: policy.to_vec(),
            object: Some(object_to_wire(&question.object)),
            permission: question.permission.clone(),
            actor: actor.as_str().to_owned(),
            revision,
            prove: true,
            documents: documents.iter().map(Document::to_wire).collect(),
            context: context_to_json(context),
        };
        let request = &request;
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(self.check_from(rpc, policy, question, context, request))
        })
        .await
    }

    async fn check_from(
        &self,
        rpc: Rpc<'_>,
        policy: &PolicyId,
        question: &Question,
        context: &Context,
        request: &QueryCheckPermissionRequest,
    ) -> Result<Proven<Checked>, Fault> {
        let block = self.chain().latest(rpc).await?;
        let answered = query(
            rpc,
            "/holdfast.policy.v1.Query/CheckPermission",
            request,
            block.trusted.state_height().0,
        )
        .await;
        let answer: QueryCheckPermissionResponse = match answered {
            Ok(answer) => answer,
            Err(fault) => return Err(explain(rpc, &block, policy, fault).await),
        };
        let told = answer.decision();
        let told_time = answer.time;
        let wire = answer
            .evidence
            .ok_or_else(|| Fault::unverified(WHAT, "it is missing"))?;
        // What is missing here would be unknown there, and what is added was not asked.
        if wire.documents != request.documents {
            return Err(Fault::unverified(
                WHAT,
                "it is not about the documents that were given",
            ));
        }
        let evidence = CheckEvidence::from_wire(&wire).map_err(unverified(WHAT))?;
        let checked = match evidence.verify(&block.trusted, policy, question, context) {
            Ok(checked) => checked,
            Err(error) => {
                let newest = request.revision.is_none();
                let of_header = Some(time_to_wire(block.trusted.time.to_policy()));
                if newest && told_time.is_some() && told_time != of_header && hangs_on_more(&error)
                {
                    return Err(Fault::Behind(
                        "it asked at another time than the newest header's, and between the two \
                         something began or ended"
                            .to_owned(),
                    ));
                }
                return Err(self.not_decided(policy, request, error));
            }
        };
        let expected = match request.revision {
            Some(revision) => Some(revision),
            None => checked.root.record.latest_revision(),
        };
        if Some(checked.root.revision) != expected {
            return Err(Fault::unverified(WHAT, "it is of another revision"));
        }
        let replayed = match checked.answer.decision {
            Decision::Allow => wire::policy::Decision::Allow,
            Decision::Deny => wire::policy::Decision::Deny,
            Decision::Conditional => wire::policy::Decision::Conditional,
        };
        // A node that had not the header's block yet asked a little earlier, and may have been right.
        let same_time = told_time == Some(time_to_wire(checked.circumstances.time));
        if told != replayed && same_time {
            return Err(Fault::unverified(
                WHAT,
                "the node says another decision than its evidence gives",
            ));
        }
        Ok(Proven::under(
            &block,
            Checked {
                answer: checked.answer,
                circumstances: checked.circumstances,
                revision: checked.root.revision,
                evidence: wire,
            },
        ))
    }

    /// Evidence that decides nothing because of a document that this client gave no preimage for is
    /// no lie: the document's author and scope are unknown, and a decision would be ignorance
    /// (Invariant 3).
    fn not_decided(
        &self,
        policy: &PolicyId,
        request: &QueryCheckPermissionRequest,
        error: LightError,
    ) -> Fault {
        let unknown = match &error {
            LightError::Replay(ReplayError::Insufficient { key }) => {
                policy::keys::object_of_key(key).filter(|object| looks_derived(object.id()))
            }
            _ => None,
        };
        let Some(object) = unknown else {
            return unverified(WHAT)(error);
        };
        let given = request.documents.iter().any(|wire| {
            Document::from_wire(wire)
                .and_then(|document| document.object(self.chain_id(), policy))
                .is_ok_and(|found| found == object)
        });
        if given {
            return unverified(WHAT)(error);
        }
        Fault::Final(Box::new(ClientError::Question(format!(
            "{object} is a document, and whose it is and where cannot be told from the hub alone; give \
             what its id is derived from (hold hub check … --document FILE)"
        ))))
    }
}
