//! From a parsed commit to what the judge needs of it.

use alloc::string::ToString;

use crdt::{Cid, Commit, DocumentPreimage, Header};
use policy::{Actor, NameError, ObjectRef};

use crate::verdict::{Claim, DocumentClaim, ParentClaim};

impl DocumentClaim {
    /// The facts that the preimage of a document's id proves.
    ///
    /// # Errors
    /// [`NameError`] when the policy engine could not name the scope or the creator; no such
    /// document can exist.
    pub fn of(preimage: &DocumentPreimage) -> Result<DocumentClaim, NameError> {
        Ok(DocumentClaim {
            id: *preimage.id().cid(),
            collection: *preimage.collection.cid(),
            scope: ObjectRef::new(preimage.scope.resource(), preimage.scope.id())?,
            creator: Actor::new(preimage.author.as_str())?,
        })
    }
}

impl Claim {
    /// The facts of a commit whose signature [`crdt::Commit`] has verified.
    ///
    /// `document` comes from the document's first commit; for a first commit it is its own. A
    /// commit whose document has no known first commit must wait for its parents.
    ///
    /// # Errors
    /// [`NameError`], as [`DocumentClaim::of`].
    pub fn of(commit: &Commit, document: &DocumentClaim) -> Result<Claim, NameError> {
        Claim::to_be_signed(commit.header(), commit.cid(), document)
    }

    /// The facts of a commit that is still to be signed, as if it were: for its writer, who asks what
    /// will become of it.
    ///
    /// # Errors
    /// [`NameError`], as [`DocumentClaim::of`].
    pub fn to_be_signed(
        header: &Header,
        commit: &Cid,
        document: &DocumentClaim,
    ) -> Result<Claim, NameError> {
        Ok(Claim {
            commit: *commit,
            chain_id: header.chain.to_string(),
            document: document.clone(),
            creates: header.preimage().is_some(),
            author: Actor::new(header.author.as_str())?,
            schema_version: header.schema_version,
            dag_height: header.height,
            revision: header.authority.revision,
            height: header.authority.height,
            permissions: header.permissions.clone(),
            signature_valid: true,
        })
    }
}

impl ParentClaim {
    /// The facts of a known parent of a commit of `document`.
    ///
    /// A parent that was itself rejected or deferred counts as unknown: the judge gets none for it,
    /// so that whoever dropped the block and whoever kept it judge alike.
    pub fn of(parent: &Header, document: &DocumentClaim) -> ParentClaim {
        ParentClaim {
            dag_height: parent.height,
            revision: parent.authority.revision,
            height: parent.authority.height,
            same_document: *parent.document_id().cid() == document.id,
        }
    }
}
