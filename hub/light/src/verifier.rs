//! From a trusted block to a later one (Tendermint light client specification: core verification).

use core::time::Duration;

use alloc::string::ToString;

use hub_types::Timestamp;
use tendermint_light_client_verifier::{
    errors::{VerificationError, VerificationErrorDetail as Detail},
    options::Options as TendermintOptions,
    predicates::{ProdPredicates, VerificationPredicates},
    types::{SignedHeader, TrustThreshold, TrustedBlockState, UntrustedBlockState, ValidatorSet},
    ProdVerifier, Verdict,
};

use crate::{
    time_of, to_tendermint_time, voting::check_commit, LightBlock, LightError, TrustPoint, Trusted,
    VerifiedBlock,
};

/// What a light client allows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long a block leads on. Must be shorter than validators can be held to account for what
    /// they signed.
    pub trusting_period: Duration,
    /// How far a header's time may be ahead of this clock.
    pub clock_drift: Duration,
}

impl Default for Options {
    /// Two weeks, and ten seconds: the values of CometBFT's own light client for a chain whose
    /// stake is bound for three weeks.
    fn default() -> Self {
        Self {
            trusting_period: Duration::from_secs(14 * 24 * 3600),
            clock_drift: Duration::from_secs(10),
        }
    }
}

/// Verifies blocks. Holds no state: what is trusted is an argument, and so is the time.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    options: Options,
}

impl Verifier {
    /// A verifier that allows for this much.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options }
    }

    /// What it allows for.
    #[must_use]
    pub const fn options(&self) -> Options {
        self.options
    }

    /// Starts from a trust point: `block` must have its height and hash, its validators must be
    /// those of the header, and more than two thirds of them must have signed. No clock is asked,
    /// so that an auditor can start from an old point.
    ///
    /// # Errors
    /// [`LightError::Height`], [`LightError::TrustPointHash`], [`LightError::Validators`],
    /// [`LightError::NextValidators`], and what is wrong with the commit.
    pub fn start(point: TrustPoint, block: LightBlock) -> Result<VerifiedBlock, LightError> {
        if block.height() != point.height {
            return Err(LightError::Height {
                expected: point.height,
                found: block.height(),
            });
        }
        if block.hash() != point.hash {
            return Err(LightError::TrustPointHash {
                height: point.height,
                expected: point.hash,
                found: block.hash(),
            });
        }
        check_sets(&block)?;
        check_commit(&block.signed_header, &block.validators, None)?;
        let trusted = Trusted::from_header(&block.signed_header.header)?;
        Ok(VerifiedBlock { trusted, block })
    }

    /// Verifies a later block: the next one by the validators that the trusted block announced,
    /// any other by a third of them and two thirds of its own.
    ///
    /// # Errors
    /// [`LightError::NotEnoughTrust`] asks for a block in between ([`crate::SkippingPath`] does
    /// that); every other error means that the block is not to be used.
    pub fn verify(
        &self,
        trusted: &VerifiedBlock,
        block: LightBlock,
        now: Timestamp,
    ) -> Result<VerifiedBlock, LightError> {
        // Everything but the signatures is the business of the published verifier.
        let next_validators = trusted
            .block
            .next_validators()
            .ok_or(LightError::NoNextValidators)?;
        let header = &trusted.block.signed_header.header;
        let before = TrustedBlockState {
            chain_id: &header.chain_id,
            header_time: header.time,
            height: header.height,
            next_validators,
            next_validators_hash: header.next_validators_hash,
        };
        let untrusted = UntrustedBlockState {
            signed_header: &block.signed_header,
            validators: &block.validators,
            next_validators: None,
        };
        let options = TendermintOptions {
            trust_threshold: TrustThreshold::ONE_THIRD,
            trusting_period: self.options.trusting_period,
            clock_drift: self.options.clock_drift,
        };
        let time = to_tendermint_time(now)?;
        let verifier = ProdVerifier::default();
        let refuse = |detail| refusal(detail, trusted, &block, now);
        check_sets(&block)?;
        for verdict in [
            verifier.validate_against_trusted(&untrusted, &before, &options, time),
            verifier.check_header_is_from_past(&untrusted, &options, time),
        ] {
            match verdict {
                Verdict::Success => {}
                Verdict::Invalid(detail) => return Err(refuse(detail)),
                Verdict::NotEnoughTrust(tally) => {
                    return Err(LightError::NotEnoughTrust {
                        signed: tally.tallied,
                        total: tally.total,
                    });
                }
            }
        }
        let adjacent = block.signed_header.header.height == header.height.increment();
        let overlap = (!adjacent).then_some((next_validators, TrustThreshold::ONE_THIRD));
        check_commit(&block.signed_header, &block.validators, overlap)?;
        let trusted = Trusted::from_header(&block.signed_header.header)?;
        Ok(VerifiedBlock { trusted, block })
    }
}

/// That header, commit and both sets of validators belong together.
fn check_sets(block: &LightBlock) -> Result<(), LightError> {
    let SignedHeader { header, commit, .. } = &block.signed_header;
    let predicates = ProdPredicates;
    let check = |result: Result<(), VerificationError>, error| result.map_err(|_| error);
    check(
        predicates.validator_sets_match(&block.validators, header.validators_hash),
        LightError::Validators,
    )?;
    if let Some(next) = &block.next_validators {
        let next: &ValidatorSet = next;
        check(
            predicates.next_validators_match(next, header.next_validators_hash),
            LightError::NextValidators,
        )?;
    }
    check(
        predicates.header_matches_commit(header, commit.block_id.hash),
        LightError::Commit,
    )
}

/// The verifier's refusals in our words.
fn refusal(
    detail: Detail,
    trusted: &VerifiedBlock,
    block: &LightBlock,
    now: Timestamp,
) -> LightError {
    let header = &block.signed_header.header;
    match detail {
        Detail::ChainIdMismatch(_) => LightError::ChainId {
            expected: trusted.trusted.chain_id.clone(),
            found: header.chain_id.to_string(),
        },
        Detail::NotWithinTrustPeriod(_) => LightError::Expired {
            trusted: trusted.trusted.time,
            now,
        },
        Detail::HeaderFromTheFuture(_) => match time_of(header.time) {
            Ok(header) => LightError::Future { header, now },
            Err(error) => error,
        },
        Detail::NonMonotonicBftTime(_) | Detail::NonIncreasingHeight(_) => LightError::NotLater {
            trusted: trusted.trusted.height,
            found: block.height(),
        },
        Detail::InvalidNextValidatorSet(_) => LightError::AnnouncedValidators,
        other => LightError::Header {
            reason: other.to_string(),
        },
    }
}
