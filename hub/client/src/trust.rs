//! A block for a person to confirm: the one moment at which nothing is verified yet.

use hub_light::{LightBlock, TrustPoint, Verifier};
use hub_types::{Height, Timestamp};
use identity::ChainId;

use crate::error::Fault;
use crate::rpc::Rpc;
use crate::state::unverified;

/// What a node shows as its block at some height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The chain.
    pub chain_id: ChainId,
    /// Height and hash: what a person compares.
    pub point: TrustPoint,
    /// The block's time.
    pub time: Timestamp,
    /// How many validators it names.
    pub validators: usize,
}

/// The node's block at `height`, or its newest. It agrees with itself: two thirds of the
/// validators that it names signed it. Whether they are anybody, a person has to find out.
///
/// # Errors
/// [`Fault`].
pub async fn candidate(rpc: Rpc<'_>, height: Option<Height>) -> Result<Candidate, Fault> {
    const WHAT: &str = "a block";
    let signed_header = rpc.commit(height.map(|height| height.0)).await?;
    let found = Height(signed_header.header.height.value());
    if height.is_some_and(|height| height != found) {
        return Err(Fault::unverified(WHAT, "it is of another height"));
    }
    let header = &signed_header.header;
    let changes = header.validators_hash != header.next_validators_hash;
    let validators = rpc.validators(found.0).await?;
    let next = match changes {
        true => Some(rpc.validators(found.next().0).await?),
        false => None,
    };
    let next = next.as_ref().map(|set| set.validators().as_slice());
    let block =
        LightBlock::new(signed_header, validators.validators(), next).map_err(unverified(WHAT))?;
    let point = TrustPoint {
        height: block.height(),
        hash: block.hash(),
    };
    let verified = Verifier::start(point, block).map_err(unverified(WHAT))?;
    Ok(Candidate {
        chain_id: verified.trusted().chain_id.clone(),
        point,
        time: verified.trusted().time,
        validators: verified.block().validators().validators().len(),
    })
}
