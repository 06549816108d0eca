//! Compiled policies, kept between blocks.
//!
//! A policy is compiled once for a definition. The text in state decides: an entry is used only
//! when it was compiled from the very text that the tree holds, so the cache can never be stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hub_types::PolicyId;
use policy::Policy;

/// Bytes of definitions whose compiled policies are kept: two thousand policies of the size that people
/// write, or 64 of the largest. Compiled they take some tens of times as much. When the cache is full it
/// is emptied; filling it again costs some tenths of a microsecond a byte, for which each message that
/// needs a policy pays whether or not it is kept.
const DEFINITION_BYTES_MAX: usize = 4 << 20;

/// The compiled policies of this node.
#[derive(Default)]
pub struct CompiledPolicies {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    compiled: BTreeMap<PolicyId, Arc<Policy>>,
    definition_bytes: usize,
}

impl CompiledPolicies {
    /// The policy with this definition.
    ///
    /// # Errors
    /// The compiler's, when the text is no policy: for a text from state that means a damaged
    /// store or a binary with another engine.
    pub fn get(&self, id: &PolicyId, definition: &str) -> Result<Arc<Policy>, policy::PolicyError> {
        if let Some(found) = self.lock().compiled.get(id) {
            if found.definition() == definition {
                return Ok(found.clone());
            }
        }
        let fresh = Arc::new(Policy::parse(definition)?);
        self.keep(*id, fresh.clone());
        Ok(fresh)
    }

    /// Keeps a policy that was just compiled.
    pub fn keep(&self, id: PolicyId, policy: Arc<Policy>) {
        let mut kept = self.lock();
        let bytes = policy.definition().len();
        if kept.definition_bytes + bytes > DEFINITION_BYTES_MAX {
            *kept = Kept::default();
        }
        kept.definition_bytes += bytes;
        if let Some(replaced) = kept.compiled.insert(id, policy) {
            kept.definition_bytes -= replaced.definition().len();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
