//! Counting the votes of a commit.
//!
//! `tendermint-light-client-verifier` stops counting at two thirds and never looks at the rest.
//! Here every signature is checked, each against the validator at its place (CometBFT keeps both
//! in one order): a wrong byte anywhere in a commit is found, at the cost of one more signature
//! of four.

use alloc::vec::Vec;

use tendermint::{
    block::CommitSig,
    crypto::{default::signature::Verifier as Ed25519, signature::Verifier as _},
    trust_threshold::TrustThreshold as _,
    vote::{SignedVote, Type, ValidatorIndex, Vote},
};
use tendermint_light_client_verifier::types::{SignedHeader, TrustThreshold, ValidatorSet};

use crate::LightError;

/// Checks every signature of the commit against `validators`, and that more than two thirds of
/// their power signed. Where `trusted` is given, a share of its power above `threshold` must have
/// signed as well.
///
/// # Errors
/// [`LightError::CommitLength`], [`LightError::Signer`], [`LightError::Signature`],
/// [`LightError::Power`], [`LightError::NotEnoughTrust`].
pub(crate) fn check_commit(
    signed_header: &SignedHeader,
    validators: &ValidatorSet,
    trusted: Option<(&ValidatorSet, TrustThreshold)>,
) -> Result<(), LightError> {
    let signatures = &signed_header.commit.signatures;
    let members = validators.validators();
    if signatures.len() != members.len() {
        return Err(LightError::CommitLength {
            signatures: signatures.len(),
            validators: members.len(),
        });
    }
    let mut signers = Vec::with_capacity(members.len());
    for (index, (signature, member)) in signatures.iter().zip(members).enumerate() {
        let Some(vote) = vote(signed_header, index, signature) else {
            continue;
        };
        if vote.validator_address != member.address {
            return Err(LightError::Signer { index });
        }
        let chain = signed_header.header.chain_id.clone();
        let wrong = LightError::Signature { index };
        let signed = SignedVote::from_vote(vote, chain).ok_or(wrong.clone())?;
        Ed25519::verify(member.pub_key, &signed.sign_bytes(), signed.signature())
            .map_err(|_| wrong)?;
        signers.push(member);
    }
    // The sum cannot overflow: a validator set's total is checked when it is made.
    let signed = signers.iter().map(|member| member.power()).sum();
    let total = validators.total_voting_power().value();
    if !TrustThreshold::TWO_THIRDS.is_enough_power(signed, total) {
        return Err(LightError::Power { signed, total });
    }
    if let Some((trusted, threshold)) = trusted {
        // Keys, not addresses, are compared: an address is a shortened hash.
        let signed = trusted
            .validators()
            .iter()
            .filter(|one| signers.iter().any(|signer| signer.pub_key == one.pub_key))
            .map(|one| one.power())
            .sum();
        let total = trusted.total_voting_power().value();
        if !threshold.is_enough_power(signed, total) {
            return Err(LightError::NotEnoughTrust { signed, total });
        }
    }
    Ok(())
}

/// The vote for the block that a commit's signature stands for; `None` where it stands for none.
fn vote(signed_header: &SignedHeader, index: usize, signature: &CommitSig) -> Option<Vote> {
    let CommitSig::BlockIdFlagCommit {
        validator_address,
        timestamp,
        signature,
    } = signature
    else {
        return None;
    };
    let commit = &signed_header.commit;
    Some(Vote {
        vote_type: Type::Precommit,
        height: commit.height,
        round: commit.round,
        block_id: Some(commit.block_id),
        timestamp: Some(*timestamp),
        validator_address: *validator_address,
        validator_index: ValidatorIndex::try_from(index).ok()?,
        signature: signature.clone(),
        extension: Vec::new(),
        extension_signature: None,
    })
}
