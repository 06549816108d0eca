//! Which blocks to ask for on the way to a later one.

use alloc::vec::Vec;

use hub_types::{Height, Timestamp};

use crate::{LightBlock, LightError, VerifiedBlock, Verifier};

/// The most blocks in between that wait to be verified. Halving a distance of 2^63 takes 63.
const WAITING_MAX: usize = 64;

/// The way from a verified block to a target height: tries to skip, and asks for the block in the
/// middle where too few trusted validators signed (light client specification: bisection).
///
/// Pure: say what it [`wants`](SkippingPath::wants), fetch it, [`offer`](SkippingPath::offer) it.
#[derive(Clone, Debug)]
pub struct SkippingPath {
    verified: VerifiedBlock,
    waiting: Vec<LightBlock>,
    wants: Option<Height>,
}

impl SkippingPath {
    /// The way from `verified` to `target`.
    ///
    /// # Errors
    /// [`LightError::NotLater`] unless the target is above the verified block.
    pub fn new(verified: VerifiedBlock, target: Height) -> Result<Self, LightError> {
        let trusted = verified.trusted().height;
        match target > trusted {
            true => Ok(Self {
                verified,
                waiting: Vec::new(),
                wants: Some(target),
            }),
            false => Err(LightError::NotLater {
                trusted,
                found: target,
            }),
        }
    }

    /// The block to fetch next; `None` once the target is verified.
    #[must_use]
    pub const fn wants(&self) -> Option<Height> {
        self.wants
    }

    /// The newest block that is verified so far; the target's once nothing is wanted.
    #[must_use]
    pub const fn verified(&self) -> &VerifiedBlock {
        &self.verified
    }

    /// Gives the newest verified block back.
    #[must_use]
    pub fn into_verified(self) -> VerifiedBlock {
        self.verified
    }

    /// Takes the block that was asked for, and verifies as far as it leads.
    ///
    /// # Errors
    /// [`LightError::Height`] for another block than the one asked for; any error of
    /// [`Verifier::verify`] but `NotEnoughTrust`, after which this path is at an end: another node
    /// has to be asked.
    pub fn offer(
        &mut self,
        verifier: &Verifier,
        block: LightBlock,
        now: Timestamp,
    ) -> Result<(), LightError> {
        let Some(expected) = self.wants else {
            return Ok(());
        };
        if block.height() != expected {
            return Err(LightError::Height {
                expected,
                found: block.height(),
            });
        }
        self.waiting.push(block);
        while let Some(block) = self.waiting.last() {
            match verifier.verify(&self.verified, block.clone(), now) {
                Ok(verified) => {
                    self.verified = verified;
                    self.waiting.pop();
                }
                Err(error @ LightError::NotEnoughTrust { .. }) => {
                    let (from, to) = (self.verified.trusted().height.0, block.height().0);
                    let middle = from + (to - from) / 2;
                    if middle == from || self.waiting.len() >= WAITING_MAX {
                        return Err(error);
                    }
                    self.wants = Some(Height(middle));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.wants = None;
        Ok(())
    }
}
