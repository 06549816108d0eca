//! Who a peer is, and whom it acts for.
//!
//! Noise proves that a peer holds the ed25519 key that its peer id is made of; the did:key of that
//! key is the sidecar's actor. For another DID, its operator's, it acts only with a delegation that
//! this DID signed (DESIGN §7), for one sidecar key and until a stated second.

use identity::{ChainId, Did, KeyKind, PublicKey, SecretKey, Signature};
use libp2p::PeerId;

/// Why a peer is not who it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerIdentityError {
    /// Its peer id is not that of an ed25519 key.
    #[error("the peer's key is no ed25519 key; a sidecar's network key must be one")]
    KeyKind,
    /// The operator is no DID.
    #[error("the operator that the peer names is no did:key")]
    Operator,
    /// The delegation ended.
    #[error("the peer's delegation has ended; its operator must sign a new one")]
    Ended,
    /// The delegation is not signed by the operator.
    #[error("the operator did not sign the peer's delegation")]
    Signature,
}

/// A proven peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The did:key of its network key.
    pub sidecar: Did,
    /// The DID that it was proven to act for, if any.
    pub operator: Option<Did>,
}

impl PeerIdentity {
    /// What Noise alone proves.
    ///
    /// # Errors
    /// [`PeerIdentityError::KeyKind`].
    pub fn of(peer: &PeerId) -> Result<Self, PeerIdentityError> {
        Ok(Self {
            sidecar: sidecar_of(peer)?,
            operator: None,
        })
    }

    /// The actor whose permissions decide what the peer gets.
    #[must_use]
    pub fn actor(&self) -> &Did {
        self.operator.as_ref().unwrap_or(&self.sidecar)
    }

    /// Adds the operator that a delegation proves.
    ///
    /// # Errors
    /// [`PeerIdentityError`] naming what is wrong with it.
    pub fn delegated(
        mut self,
        chain: &ChainId,
        operator: &str,
        not_after: u64,
        signature: &[u8],
        now_seconds: u64,
    ) -> Result<Self, PeerIdentityError> {
        let operator = Did::parse(operator).map_err(|_| PeerIdentityError::Operator)?;
        if not_after < now_seconds {
            return Err(PeerIdentityError::Ended);
        }
        let signature =
            Signature::from_slice(signature).map_err(|_| PeerIdentityError::Signature)?;
        let payload = delegation_payload(&operator, &self.sidecar, not_after);
        operator
            .public_key()
            .verify_delegation(chain, &payload, &signature)
            .map_err(|_| PeerIdentityError::Signature)?;
        self.operator = Some(operator);
        Ok(self)
    }
}

/// The bytes of a delegation: operator, sidecar (each with its length in one byte) and the last
/// second, big-endian. Domain and chain id are added by `identity`.
#[must_use]
pub fn delegation_payload(operator: &Did, sidecar: &Did, not_after: u64) -> Vec<u8> {
    let mut payload = Vec::with_capacity(128);
    for did in [operator, sidecar] {
        // A DID has at most DID_BYTES_MAX = 57 bytes.
        payload.push(did.as_str().len() as u8);
        payload.extend_from_slice(did.as_str().as_bytes());
    }
    payload.extend_from_slice(&not_after.to_be_bytes());
    payload
}

/// Signs a delegation from the operator's key to `sidecar`.
#[must_use]
pub fn delegate(key: &SecretKey, chain: &ChainId, sidecar: &Did, not_after: u64) -> Signature {
    key.sign_delegation(chain, &delegation_payload(&key.did(), sidecar, not_after))
}

/// The did:key of a peer id.
fn sidecar_of(peer: &PeerId) -> Result<Did, PeerIdentityError> {
    // The peer id of an ed25519 key is the key itself, as an identity multihash.
    libp2p::identity::PublicKey::try_decode_protobuf(peer.as_ref().digest())
        .ok()
        .and_then(|key| key.try_into_ed25519().ok())
        .and_then(|key| PublicKey::from_bytes(KeyKind::Ed25519, &key.to_bytes()).ok())
        .map(|key| key.did())
        .ok_or(PeerIdentityError::KeyKind)
}

/// The libp2p key pair of a sidecar's network key.
///
/// # Errors
/// [`PeerIdentityError::KeyKind`] when it is no ed25519 key.
pub fn keypair(key: &SecretKey) -> Result<libp2p::identity::Keypair, PeerIdentityError> {
    if key.kind() != KeyKind::Ed25519 {
        return Err(PeerIdentityError::KeyKind);
    }
    libp2p::identity::Keypair::ed25519_from_bytes(*key.seed())
        .map_err(|_| PeerIdentityError::KeyKind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_the_did_of_its_key_and_acts_for_another_by_delegation_only() {
        let network = SecretKey::from_seed(KeyKind::Ed25519, [1; 32]).unwrap();
        let operator = SecretKey::from_seed(KeyKind::Secp256k1, [2; 32]).unwrap();
        let chain = ChainId::parse("plant-1").unwrap();
        let peer = keypair(&network).unwrap().public().to_peer_id();
        let alone = PeerIdentity::of(&peer).unwrap();
        assert_eq!(alone.actor(), &network.did());

        let signature = delegate(&operator, &chain, &network.did(), 100);
        let check = |operator: &str, not_after, signature: &[u8], now| {
            alone
                .clone()
                .delegated(&chain, operator, not_after, signature, now)
        };
        let did = operator.did();
        let proven = check(did.as_str(), 100, signature.as_bytes(), 100).unwrap();
        assert_eq!(proven.actor(), &did);
        assert_eq!(
            check(did.as_str(), 100, signature.as_bytes(), 101),
            Err(PeerIdentityError::Ended)
        );
        assert_eq!(
            check(did.as_str(), 200, signature.as_bytes(), 101),
            Err(PeerIdentityError::Signature)
        );
        assert_eq!(
            check(network.did().as_str(), 100, signature.as_bytes(), 1),
            Err(PeerIdentityError::Signature)
        );
        let other = ChainId::parse("plant-2").unwrap();
        assert!(alone
            .delegated(&other, did.as_str(), 100, signature.as_bytes(), 1)
            .is_err());
        assert!(keypair(&operator).is_err());
    }
}
