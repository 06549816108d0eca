//! Compiled policies, kept between blocks.
//!
//! A policy is compiled once for a definition. The text in state decides: an entry is used only
//! when it was compiled from the very text that the tree holds, so the cache can never be stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hub_types::PolicyId;
use policy::Policy;

/// How many compiled policies are kept. One takes some 100 kB; when the cache is full it is
/// emptied, which costs a millisecond a policy to fill again.
const COMPILED_MAX: usize = 256;

/// The compiled policies of this node.
#[derive(Default)]
pub struct CompiledPolicies {
    compiled: Mutex<BTreeMap<PolicyId, Arc<Policy>>>,
}

impl CompiledPolicies {
    /// The policy with this definition.
    ///
    /// # Errors
    /// The compiler's, when the text is no policy: for a text from state that means a damaged
    /// store or a binary with another engine.
    pub fn get(&self, id: &PolicyId, definition: &str) -> Result<Arc<Policy>, policy::PolicyError> {
        if let Some(found) = self.lock().get(id) {
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
        let mut compiled = self.lock();
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(id, policy);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PolicyId, Arc<Policy>>> {
        self.compiled
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
