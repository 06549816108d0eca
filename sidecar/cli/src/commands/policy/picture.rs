//! `hold policy draw`.

use std::path::Path;

use policy::draw::{self, Around, DrawOptions};
use policy::Subject;
use serde_json::json;

use super::files::{read_policy, read_relationships};
use super::translate::written;
use crate::reply::Reply;

/// Draws the schema, or relationships.
pub(super) fn draw(
    file: &Path,
    relationships: Option<&Path>,
    near: Option<(Subject, usize)>,
    mermaid: bool,
    out: Option<&Path>,
) -> anyhow::Result<Reply> {
    let policy = read_policy(file)?;
    let picture = match relationships {
        None => draw::schema(&policy),
        Some(relationships) => {
            let list = read_relationships(relationships)?;
            let all: Vec<_> = list.0.into_iter().map(|(_, fact)| fact).collect();
            let around = near.map(|(center, steps)| Around { center, steps });
            let options = DrawOptions {
                around,
                ..DrawOptions::default()
            };
            draw::relationships(&policy, &all, &options)?
        }
    };
    let (form, text) = match mermaid {
        true => ("mermaid", picture.to_mermaid()),
        false => ("svg", picture.to_svg()),
    };
    written(text, out, json!({"form": form}))
}
