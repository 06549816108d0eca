//! The house's one domain-separated hash.

use sha2::{Digest, Sha256};

/// SHA-256 over `domain` and `parts`, each behind its length in eight bytes, big-endian.
///
/// Two calls give the same hash only if domain, number of parts and every part are the same:
/// the lengths make the concatenation injective. `domain` reads `holdfast/<what>/<version>`.
pub fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut feed = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    feed(domain.as_bytes());
    parts.iter().for_each(|part| feed(part));
    hasher.finalize().into()
}
