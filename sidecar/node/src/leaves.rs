//! What the sidecar says in its audit log, and the quota of denials.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use audit::bytes::{Bytes, Hash32};
use audit::content::{
    signature_digest, AskedAt, CommitHeld, CommitRefused, Content, Decision, DenialsOverflow,
    Origin, Outcome, Rollback,
};
use audit::leaf::{Opening, SALT_BYTES};
use audit::verdict::RejectReason;
use crdt::{Cid, Commit};
use merkle::CompactRange;
use policy::Context;

use crate::authority::Reading;
use crate::limits::{ACTOR_DENIAL_LEAVES_MAX, DENIAL_ACTORS_MAX, QUOTA_WINDOW};
use crate::secrets::random;
use crate::store::{LeafDraft, StoreError};

/// Longest reason that stands in a leaf; a leaf's string has at most 512 bytes.
const REASON_BYTES_MAX: usize = 400;

fn shortened(text: &str) -> String {
    let mut end = text.len().min(REASON_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// A leaf that says `content`, with a fresh salt.
///
/// # Errors
/// [`StoreError::Leaf`].
pub fn draft(content: Content) -> Result<LeafDraft, StoreError> {
    let salt = random::<SALT_BYTES>().map_err(|error| StoreError::Leaf(error.to_string()))?;
    LeafDraft::new(salt, content)
}

/// The leaf of a commit that is kept from now on.
#[must_use]
pub fn held(commit: &Commit, reading: &Reading, origin: Origin) -> Content {
    Content::CommitHeld(CommitHeld {
        commit: *commit.cid(),
        document: *commit.header().document_id().cid(),
        signature: signature_digest(commit.signature().as_bytes()),
        height: reading.height,
        revision: reading.revision,
        origin,
    })
}

/// The leaf of a commit that was offered and refused.
#[must_use]
pub fn refused(
    commit: &Cid,
    document: &Cid,
    author: &str,
    reason: &RejectReason,
    reading: &Reading,
) -> Content {
    Content::CommitRefused(CommitRefused {
        commit: *commit,
        document: *document,
        author: author.to_owned(),
        reason: reason.name().to_owned(),
        detail: shortened(&reason.to_string()),
        height: reading.height,
        revision: reading.revision,
    })
}

/// The leaf of an accepted rollback.
#[must_use]
pub fn rollback(commit: &Commit, targets: &[Cid], reading: &Reading) -> Content {
    Content::Rollback(Rollback {
        commit: *commit.cid(),
        document: *commit.header().document_id().cid(),
        targets: targets.to_vec(),
        author: commit.header().author.to_string(),
        height: reading.height,
        revision: reading.revision,
    })
}

/// What a decision was about.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Who asked.
    pub actor: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// The object's id.
    pub object: String,
    /// The permission.
    pub permission: &'a str,
    /// What was being done.
    pub action: &'a str,
    /// The document, if the object is one.
    pub document: Option<Cid>,
    /// The preimage of its id, unless its first commit stands in the log.
    pub preimage: Option<Vec<u8>>,
    /// What the asker gave to conditions.
    pub context: Context,
}

/// The leaf of a decision.
#[must_use]
pub fn decision(
    asked: Asked<'_>,
    outcome: Outcome,
    reason: &str,
    reading: &Reading,
    now_seconds: u64,
) -> Content {
    Content::Decision(Decision {
        actor: asked.actor.to_owned(),
        resource: asked.resource.to_owned(),
        object: asked.object,
        permission: asked.permission.to_owned(),
        outcome,
        revision: reading.revision,
        height: reading.height,
        engine: u64::from(reading.engine),
        reason: shortened(reason),
        action: asked.action.to_owned(),
        time: now_seconds,
        stale_seconds: reading.age_seconds,
        document: asked.document,
        preimage: asked.preimage.map(Bytes),
        asked_at: Some(AskedAt::of(reading.time)),
        context: (!asked.context.is_empty()).then(|| asked.context.to_json()),
    })
}

#[derive(Default)]
struct Window {
    /// When its first denial came; a window without one has not begun.
    started_ms: Option<u64>,
    by_actor: BTreeMap<String, u32>,
    overflow: CompactRange,
    first_time: u64,
    last_time: u64,
}

/// Counts denials. Up to [`ACTOR_DENIAL_LEAVES_MAX`] of one actor in one window get a leaf each;
/// the others become one leaf with their number and a root over their commitments.
#[derive(Default)]
pub struct Denials(Mutex<Window>);

impl Denials {
    /// Takes a denial by `actor`: its leaf while it is within the quota.
    ///
    /// # Errors
    /// [`StoreError::Leaf`].
    pub fn take(
        &self,
        actor: &str,
        content: Content,
        now_ms: u64,
    ) -> Result<Option<LeafDraft>, StoreError> {
        let salt = random::<SALT_BYTES>().map_err(|error| StoreError::Leaf(error.to_string()))?;
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.started_ms.get_or_insert(now_ms);
        let known = window.by_actor.contains_key(actor);
        // Beyond so many actors the rest share one counter, or a stranger could fill the memory
        // with keys that he makes.
        let name = if known || window.by_actor.len() < DENIAL_ACTORS_MAX {
            actor
        } else {
            ""
        };
        let count = window.by_actor.entry(name.to_owned()).or_default();
        *count += 1;
        if *count <= ACTOR_DENIAL_LEAVES_MAX {
            return LeafDraft::new(salt, content).map(Some);
        }
        let opening = Opening::new(salt, content, None)
            .map_err(|error| StoreError::Leaf(error.to_string()))?;
        if window.overflow.size() == 0 {
            window.first_time = now_ms / 1000;
        }
        window.last_time = now_ms / 1000;
        window
            .overflow
            .append(&opening.content_commitment(), &mut |_, _, _| {})
            .map_err(|_| StoreError::LogFull)?;
        Ok(None)
    }

    /// Ends the window if it is over, and returns the leaf of what went beyond the quota in it.
    ///
    /// # Errors
    /// [`StoreError::Leaf`].
    pub fn end_window(&self, now_ms: u64, now: bool) -> Result<Option<LeafDraft>, StoreError> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(started_ms) = window.started_ms else {
            return Ok(None);
        };
        let over = now_ms.saturating_sub(started_ms) >= QUOTA_WINDOW.as_millis() as u64;
        if !over && !now {
            return Ok(None);
        }
        let ended = std::mem::take(&mut *window);
        if ended.overflow.size() == 0 {
            return Ok(None);
        }
        draft(Content::DenialsOverflow(DenialsOverflow {
            count: ended.overflow.size(),
            root: Hash32(ended.overflow.root()),
            first_time: ended.first_time,
            last_time: ended.last_time,
        }))
        .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let reading = Reading {
            policy: String::new(),
            revision: 1,
            height: 2,
            offline: false,
            age_seconds: 0,
            engine: 2,
            time: hub_types::Timestamp::default(),
        };
        let asked = Asked {
            actor: "did:key:z6Mk",
            resource: "batch",
            object: "x".into(),
            permission: "read",
            action: "document.read",
            document: None,
            preimage: None,
            context: Context::default(),
        };
        decision(asked, Outcome::Deny, &"é".repeat(400), &reading, 7)
    }

    #[test]
    fn denials_beyond_the_quota_become_one_leaf_with_their_number() {
        let denials = Denials::default();
        assert!(
            denials.end_window(1, true).unwrap().is_none(),
            "it has not begun"
        );
        let mut leaves = 0;
        for _ in 0..ACTOR_DENIAL_LEAVES_MAX + 5 {
            leaves += u32::from(denials.take("mallory", content(), 1000).unwrap().is_some());
        }
        assert_eq!(leaves, ACTOR_DENIAL_LEAVES_MAX);
        assert!(
            denials.take("alice", content(), 1000).unwrap().is_some(),
            "another actor's own"
        );
        assert!(
            denials.end_window(2000, false).unwrap().is_none(),
            "the window is not over"
        );
        let over = QUOTA_WINDOW.as_millis() as u64 + 1000;
        assert!(denials.end_window(over, false).unwrap().is_some());
        assert!(
            denials.end_window(2 * over, false).unwrap().is_none(),
            "told once"
        );
        assert!(denials
            .take("mallory", content(), 2 * over)
            .unwrap()
            .is_some());
    }
}
