//! Forms that several commands read or show.

use std::path::Path;

use anyhow::Context as _;
use hub_types::document::{Document, NONCE_BYTES};
use identity::Did;
use policy::Name;
use serde::{Deserialize, Serialize};

/// What a document's id is derived from, as JSON shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentForm {
    /// The resource of its collection.
    pub resource: String,
    /// The collection's name.
    pub collection: String,
    /// The object that it was created in, `resource:id`.
    pub scope: String,
    /// Its author's DID.
    pub author: String,
    /// 16 bytes, hexadecimal.
    pub nonce: String,
}

impl DocumentForm {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(&self) -> anyhow::Result<Document> {
        let mut nonce = [0; NONCE_BYTES];
        hex::decode_to_slice(&self.nonce, &mut nonce)
            .ok()
            .with_context(|| format!("a document's nonce is {NONCE_BYTES} bytes of hexadecimal"))?;
        Ok(Document {
            resource: Name::new(&self.resource)?,
            collection: Name::new(&self.collection)?,
            scope: self.scope.parse()?,
            author: Did::parse(&self.author)?,
            nonce,
        })
    }
}

/// Reads a file that holds such a form, alone or as the field `preimage` of an answer.
///
/// # Errors
/// When it cannot be read or a field is wrong.
pub fn read_document(path: &Path) -> anyhow::Result<Document> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut value: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    if let Some(inner) = value.get_mut("preimage").map(serde_json::Value::take) {
        value = inner;
    }
    let form: DocumentForm = serde_json::from_value(value).with_context(|| {
        format!(
            "{} does not say what a document's id is derived from \
             (resource, collection, scope, author, nonce)",
            path.display()
        )
    })?;
    form.parse()
        .with_context(|| format!("in {}", path.display()))
}
