//! One key of the main tree under a header.

use alloc::vec::Vec;

use hub_types::{Height, Record};
use ics23::CommitmentProof;
use wire::{canonical, light};

use crate::{
    proof::{self, jmt_spec, verify_absence, verify_presence, PROOF_BYTES_MAX},
    LightError, Trusted,
};

/// That a key of the main tree has a value, or none, after some block.
///
/// The state after block H stands under the header of block H+1, and the proof names both. What it
/// says is given out by [`StateProof::verify`] only (Invariant 2).
#[derive(Clone, Debug, PartialEq)]
pub struct StateProof {
    state_height: Height,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    proof: CommitmentProof,
}

impl StateProof {
    /// What errors call it.
    const WHAT: &'static str = "a key of the main tree";

    /// Puts a proof together, for whoever has the tree.
    #[must_use]
    pub const fn new(
        state_height: Height,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
        proof: CommitmentProof,
    ) -> Self {
        Self {
            state_height,
            key,
            value,
            proof,
        }
    }

    /// The block after which this is said to be the state.
    #[must_use]
    pub const fn state_height(&self) -> Height {
        self.state_height
    }

    /// The header under which it is to be verified.
    #[must_use]
    pub const fn header_height(&self) -> Height {
        self.state_height.next()
    }

    /// Verifies that this is what the state under `trusted` says of `key`.
    ///
    /// # Errors
    /// [`LightError::ProofHeader`], and as [`verify_presence`].
    pub fn verify(&self, trusted: &Trusted, key: &[u8]) -> Result<Option<&[u8]>, LightError> {
        let expected = self.header_height();
        if expected != trusted.height {
            return Err(LightError::ProofHeader {
                expected,
                found: trusted.height,
            });
        }
        if self.key != key {
            return Err(LightError::Key { what: Self::WHAT });
        }
        let (spec, root) = (jmt_spec(), &trusted.app_hash);
        match &self.value {
            Some(value) => verify_presence(&spec, root, &self.proof, key, value, Self::WHAT)?,
            None => verify_absence(&spec, root, &self.proof, key, Self::WHAT)?,
        }
        Ok(self.value.as_deref())
    }

    /// Verifies, and reads the record; `None` where it is proven absent.
    ///
    /// # Errors
    /// As [`StateProof::verify`], and [`LightError::Record`].
    pub fn verify_record<R: Record>(
        &self,
        trusted: &Trusted,
        key: &[u8],
    ) -> Result<Option<R>, LightError> {
        let value = self.verify(trusted, key)?;
        Ok(value.map(R::from_bytes).transpose()?)
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::StateProof {
        light::StateProof {
            state_height: self.state_height.0,
            header_height: self.header_height().0,
            key: self.key.clone(),
            value: self.value.clone(),
            ics23: canonical::encode(&self.proof),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`LightError::ProofHeights`], [`LightError::Encoding`].
    pub fn from_wire(wire: &light::StateProof) -> Result<Self, LightError> {
        let (state, header) = (Height(wire.state_height), Height(wire.header_height));
        if state.0.checked_add(1) != Some(header.0) {
            return Err(LightError::ProofHeights { state, header });
        }
        Ok(Self {
            state_height: state,
            key: wire.key.clone(),
            value: wire.value.clone(),
            proof: proof::decode(&wire.ics23, Self::WHAT)?,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`StateProof::to_bytes`].
    ///
    /// # Errors
    /// As [`StateProof::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        // A proof of absence carries its neighbours' values; a value stands twice in its own.
        Self::from_wire(&proof::decode_message(
            bytes,
            2 * PROOF_BYTES_MAX,
            "state proof",
        )?)
    }
}
