//! Earlier blocks under a later header, by the block log.

use hub_light::{BlockInclusion, Trusted};
use hub_types::{BlockHash, Height};
use wire::light::{QueryBlockInclusionRequest, QueryBlockInclusionResponse};

use crate::block::Block;
use crate::client::{HubClient, Proven};
use crate::error::{with_causes, ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::transport::BoxFuture;

const WHAT: &str = "the hash of an earlier block";

/// An inclusion proof that verifies under `newest`, and the hash that it proves.
pub(crate) async fn inclusion(
    rpc: Rpc<'_>,
    newest: &Block,
    height: Height,
) -> Result<(wire::light::BlockInclusion, BlockHash), Fault> {
    let state = newest.trusted.state_height();
    let request = QueryBlockInclusionRequest {
        height: height.0,
        at_height: state.0,
    };
    let answer: QueryBlockInclusionResponse = query(
        rpc,
        "/holdfast.light.v1.Query/BlockInclusion",
        &request,
        state.0,
    )
    .await?;
    let wire = answer
        .proof
        .ok_or_else(|| Fault::unverified(WHAT, "the proof is missing"))?;
    let refuse = |error: hub_light::LightError| Fault::unverified(WHAT, with_causes(&error));
    let point = BlockInclusion::from_wire(&wire)
        .and_then(|proof| proof.verify(&newest.trusted))
        .map_err(refuse)?;
    if point.height != height {
        return Err(Fault::unverified(WHAT, "it is of another height"));
    }
    Ok((wire, point.hash))
}

/// The hash of the block at `height`, below `newest`.
pub(crate) async fn hash_under(
    rpc: Rpc<'_>,
    newest: &Block,
    height: Height,
) -> Result<BlockHash, Fault> {
    Ok(inclusion(rpc, newest, height).await?.1)
}

impl HubClient {
    /// That the block at `height` came before the newest verified one: for bundles, whose one
    /// header must vouch for earlier ones.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn block_inclusion(
        &self,
        height: Height,
    ) -> Result<Proven<wire::light::BlockInclusion>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let newest = self.chain().latest(rpc).await?;
                let (value, _) = inclusion(rpc, &newest, height).await?;
                Ok(Proven::under(&newest, value))
            })
        })
        .await
    }

    /// The verified header at `height`, if this process has it at hand. Asks nobody.
    #[must_use]
    pub fn known(&self, height: Height) -> Option<Trusted> {
        self.chain().known(height.0).map(|block| block.trusted)
    }

    /// The verified block at `height`: at hand, ahead, or behind by the block log.
    pub(crate) async fn header_from(&self, rpc: Rpc<'_>, height: Height) -> Result<Block, Fault> {
        if let Some(block) = self.chain().known(height.0) {
            return Ok(block);
        }
        let newest = self.chain().latest(rpc).await?;
        match newest.height().cmp(&height.0) {
            std::cmp::Ordering::Equal => Ok(newest),
            std::cmp::Ordering::Greater => self.chain().below(rpc, newest, height.0).await,
            std::cmp::Ordering::Less => Err(Fault::Behind(format!(
                "its newest block is {}, below {height}",
                newest.height()
            ))),
        }
    }
}
