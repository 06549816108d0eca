//! Values of the main tree and of policies' trees, each proven present or absent.

use hub_light::{LightError, PolicyProof, StateProof};
use hub_types::auth::{keys as auth_keys, Account, Params};
use hub_types::policy::{keys as policy_keys, PolicyRecord};
use hub_types::{PolicyId, Record};
use identity::AccountAddress;
use wire::light::{QueryStateRequest, QueryStateResponse};

use crate::block::Block;
use crate::client::{HubClient, Proven};
use crate::error::{with_causes, ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::transport::BoxFuture;

const PATH: &str = "/holdfast.light.v1.Query/State";

impl<T> Proven<T> {
    /// A value that was verified under `block`'s header.
    pub(crate) fn under(block: &Block, value: T) -> Self {
        Self {
            value,
            state_height: block.trusted.state_height(),
            header: block.trusted.clone(),
        }
    }
}

/// A proof that does not verify, as a fault of the node that sent it.
pub(crate) fn unverified(what: &'static str) -> impl Fn(LightError) -> Fault {
    move |error| Fault::unverified(what, with_causes(&error))
}

/// The value under `key` of the main tree, in the state that `block`'s header holds the root of.
pub(crate) async fn value_under(
    rpc: Rpc<'_>,
    block: &Block,
    key: &[u8],
) -> Result<Option<Vec<u8>>, Fault> {
    const WHAT: &str = "a value of the main tree";
    let request = QueryStateRequest {
        policy: Vec::new(),
        key: key.to_vec(),
        height: block.trusted.state_height().0,
        prove: true,
    };
    let answer: QueryStateResponse = query(rpc, PATH, &request, request.height).await?;
    let wire = answer
        .state_proof
        .ok_or_else(|| Fault::unverified(WHAT, "the proof is missing"))?;
    let proof = StateProof::from_wire(&wire).map_err(unverified(WHAT))?;
    let proven = proof
        .verify(&block.trusted, key)
        .map_err(unverified(WHAT))?;
    if answer.value.as_deref() != proven {
        return Err(Fault::unverified(
            WHAT,
            "the value is not the one that is proven",
        ));
    }
    Ok(proven.map(<[u8]>::to_vec))
}

/// A record of the main tree, in the same state.
pub(crate) async fn record_under<R: Record>(
    rpc: Rpc<'_>,
    block: &Block,
    key: &[u8],
) -> Result<Option<R>, Fault> {
    value_under(rpc, block, key)
        .await?
        .as_deref()
        .map(R::from_bytes)
        .transpose()
        .map_err(|error| Fault::unverified(R::WHAT, with_causes(&error)))
}

/// The value under `key` of a policy's tree, and the policy's record, in the same state.
pub(crate) async fn policy_value_under(
    rpc: Rpc<'_>,
    block: &Block,
    policy: &PolicyId,
    key: &[u8],
) -> Result<(PolicyRecord, Option<Vec<u8>>), Fault> {
    const WHAT: &str = "a value of a policy's tree";
    let request = QueryStateRequest {
        policy: policy.to_vec(),
        key: key.to_vec(),
        height: block.trusted.state_height().0,
        prove: true,
    };
    let answer: QueryStateResponse = query(rpc, PATH, &request, request.height).await?;
    let wire = answer
        .policy_proof
        .ok_or_else(|| Fault::unverified(WHAT, "the proof is missing"))?;
    let proof = PolicyProof::from_wire(&wire).map_err(unverified(WHAT))?;
    let (root, proven) = proof
        .verify(&block.trusted, policy, key)
        .map_err(unverified(WHAT))?;
    // Nobody asked for an older revision: it would be true, and out of date.
    if Some(root.revision) != root.record.latest_revision() {
        return Err(Fault::unverified(WHAT, "it is of an older revision"));
    }
    if answer.value.as_deref() != proven {
        return Err(Fault::unverified(
            WHAT,
            "the value is not the one that is proven",
        ));
    }
    Ok((root.record, proven.map(<[u8]>::to_vec)))
}

/// A node's refusal to answer about `policy` proves nothing. Where the policy provably does not
/// exist, that is the answer; else the refusal stands.
pub(crate) async fn explain(rpc: Rpc<'_>, block: &Block, policy: &PolicyId, fault: Fault) -> Fault {
    if !matches!(fault, Fault::Says { .. }) {
        return fault;
    }
    match record_under::<PolicyRecord>(rpc, block, &policy_keys::policy(policy)).await {
        Ok(None) => Fault::Final(Box::new(ClientError::Absent {
            what: format!("policy {policy}"),
            height: block.trusted.state_height(),
        })),
        Ok(Some(_)) => fault,
        Err(worse) => worse,
    }
}

impl HubClient {
    pub(crate) async fn get_from(
        &self,
        rpc: Rpc<'_>,
        key: &[u8],
    ) -> Result<Proven<Option<Vec<u8>>>, Fault> {
        let block = self.chain().latest(rpc).await?;
        let value = value_under(rpc, &block, key).await?;
        Ok(Proven::under(&block, value))
    }

    /// The value under `key` of a policy's tree at its newest revision, proven in two steps.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn get_in_policy(
        &self,
        policy: &PolicyId,
        key: &[u8],
    ) -> Result<Proven<Option<Vec<u8>>>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.chain().latest(rpc).await?;
                let (_, value) = policy_value_under(rpc, &block, policy, key).await?;
                Ok(Proven::under(&block, value))
            })
        })
        .await
    }

    /// The account at an address.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn account(
        &self,
        address: &AccountAddress,
    ) -> Result<Proven<Option<Account>>, ClientError> {
        self.record(&auth_keys::account(address)).await
    }

    /// The chain's parameters.
    ///
    /// # Errors
    /// [`ClientError::Nodes`], [`ClientError::Absent`].
    pub async fn params(&self) -> Result<Proven<Params>, ClientError> {
        let proven = self.record::<Params>(&auth_keys::params()).await?;
        let height = proven.state_height;
        match proven.value {
            Some(value) => Ok(Proven {
                value,
                state_height: height,
                header: proven.header,
            }),
            None => Err(ClientError::Absent {
                what: "the chain's parameters".to_owned(),
                height,
            }),
        }
    }

    /// A policy's record.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn policy(
        &self,
        policy: &PolicyId,
    ) -> Result<Proven<Option<PolicyRecord>>, ClientError> {
        self.record(&policy_keys::policy(policy)).await
    }

    /// A policy's record and its text.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn policy_with_definition(
        &self,
        id: &PolicyId,
    ) -> Result<Proven<Option<(PolicyRecord, String)>>, ClientError> {
        const WHAT: &str = "a policy's definition";
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.chain().latest(rpc).await?;
                let key = policy_keys::policy(id);
                if record_under::<PolicyRecord>(rpc, &block, &key)
                    .await?
                    .is_none()
                {
                    return Ok(Proven::under(&block, None));
                }
                let key = policy::keys::definition_key();
                let (record, text) = policy_value_under(rpc, &block, id, &key).await?;
                let text = text
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| Fault::unverified(WHAT, "it is not text"))?;
                Ok(Proven::under(&block, Some((record, text))))
            })
        })
        .await
    }
}
