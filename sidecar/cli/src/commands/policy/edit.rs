//! `hold policy diff`.

use std::path::Path;

use policy::{difference, Change, Revision};
use serde_json::json;

use super::files::{read_policy, world};
use super::{AskedAt, WorldFile};
use crate::reply::{Reply, Verdict};

/// Says what an edit does. Exit code 0: nothing, 1: something changes for somebody.
pub(super) fn diff(
    old: &Path,
    new: &Path,
    relationships: &WorldFile,
    asked: &AskedAt,
    examples: usize,
) -> anyhow::Result<Reply> {
    let (before, after) = (read_policy(old)?, read_policy(new)?);
    let mut world = world(&before, &relationships.relationships)?;
    let edit = Change::Defined {
        definition: after.definition().to_owned(),
    };
    let about = Revision {
        revision: 1,
        height: 2,
        time_seconds: 0,
        time_nanos: 0,
    };
    world.history.apply(about, &[edit])?;
    let found = difference(
        &world.history.at(0)?,
        &world.history.at(1)?,
        &world.relationships,
        &asked.circumstances()?,
        examples,
    )?;
    let changed: Vec<_> = found
        .changed
        .iter()
        .map(|change| {
            json!({
                "resource": change.resource,
                "name": change.name,
                "gained": change.gained,
                "lost": change.lost,
                "gains": change.gains,
                "losses": change.losses,
            })
        })
        .collect();
    let invalid: Vec<_> = found
        .invalid
        .iter()
        .map(|(fact, reason)| json!({"relationship": fact.to_string(), "reason": reason}))
        .collect();
    let json = json!({
        "added": found.added,
        "removed": found.removed,
        "invalid": invalid,
        "changed": changed,
        "not_compared": found.not_compared,
    });
    let verdict = match (found.is_empty(), found.not_compared) {
        (true, _) => Verdict::Yes,
        (false, _) => Verdict::No,
    };
    Ok(Reply::yes(found.to_string(), json).with(verdict))
}
