//! Permission checks: the evidence is verified under a header and the decision made here.

use hub_light::CheckEvidence;
use hub_types::document::{looks_derived, Document};
use hub_types::policy::convert::object_to_wire;
use hub_types::PolicyId;
use policy::{Answer, Decision, Question, Subject};
use wire::policy::{QueryCheckPermissionRequest, QueryCheckPermissionResponse};

use crate::block::Block;
use crate::client::{HubClient, Proven};
use crate::error::{ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::state::{explain, policy_value_under, unverified};
use crate::transport::BoxFuture;

/// A decision and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The decision, replayed from the evidence.
    pub answer: Answer,
    /// The revision that decided.
    pub revision: u64,
    /// The evidence, which anybody with the header can replay.
    pub evidence: wire::light::CheckEvidence,
}

const WHAT: &str = "evidence for a permission check";

impl HubClient {
    /// Decides `question` under `policy`, at `revision` or the newest. `documents` are those whose
    /// owner and scope follow from their ids.
    ///
    /// # Errors
    /// [`ClientError::Nodes`]; never a decision in disguise (Invariant 3).
    pub async fn check(
        &self,
        policy: &PolicyId,
        question: &Question,
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
        };
        let request = &request;
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(self.check_from(rpc, policy, question, request))
        })
        .await
    }

    async fn check_from(
        &self,
        rpc: Rpc<'_>,
        policy: &PolicyId,
        question: &Question,
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
        let wire = answer
            .evidence
            .ok_or_else(|| Fault::unverified(WHAT, "it is missing"))?;
        let checked = CheckEvidence::from_wire(&wire)
            .and_then(|evidence| evidence.verify(&block.trusted, policy, question))
            .map_err(unverified(WHAT))?;
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
        };
        if told != replayed {
            return Err(Fault::unverified(
                WHAT,
                "the node says another decision than its evidence gives",
            ));
        }
        if checked.answer.decision == Decision::Deny {
            self.refuse_unknown_document(rpc, &block, policy, question, request)
                .await?;
        }
        Ok(Proven::under(
            &block,
            Checked {
                answer: checked.answer,
                revision: checked.root.revision,
                evidence: wire,
            },
        ))
    }

    /// A document that the hub has no record of belongs to its author and its scope, and only what
    /// its id is derived from says who they are. Asked without that, a deny would be ignorance
    /// (Invariant 3).
    async fn refuse_unknown_document(
        &self,
        rpc: Rpc<'_>,
        block: &Block,
        policy: &PolicyId,
        question: &Question,
        request: &QueryCheckPermissionRequest,
    ) -> Result<(), Fault> {
        let object = &question.object;
        if !looks_derived(object.id()) {
            return Ok(());
        }
        let given = request.documents.iter().any(|wire| {
            Document::from_wire(wire)
                .and_then(|document| document.object(self.chain_id(), policy))
                .is_ok_and(|found| found == *object)
        });
        if given {
            return Ok(());
        }
        let key = policy::keys::object_key(object.resource(), object.id());
        match policy_value_under(rpc, block, policy, &key).await?.1 {
            Some(_) => Ok(()),
            None => Err(Fault::Final(Box::new(ClientError::Question(format!(
                "{object} is a document that the hub has no record of; give what its id is \
                 derived from (hold hub check … --document FILE), which says who owns it and where it is"
            ))))),
        }
    }
}
