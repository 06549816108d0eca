//! What can go wrong, one variant for each way, with a sentence for the person who sees it.

use alloc::string::String;

use identity::{ChainId, Did, IdentityError};

use crate::{codec::CodecError, Cid, DocumentId};

/// Why a commit, a body, a schema or a step of the DAG was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A block is not the canonical DAG-CBOR that docs/spec/commit.md describes.
    #[error("the {block} is not a block of this format: {source}")]
    Block {
        /// Which block.
        block: &'static str,
        /// What is wrong with its bytes.
        source: CodecError,
    },
    /// A format version that this build does not read.
    #[error("the {block} has format version {version}, and this build reads version 1: upgrade to read it")]
    UnknownVersion {
        /// Which block.
        block: &'static str,
        /// The version it names.
        version: u64,
    },
    /// An operation kind that format version 1 does not have.
    #[error("operation kind {kind:?} is unknown to format version 1: upgrade to read it, or correct its name")]
    UnknownOperation {
        /// The kind, cut to a printable length.
        kind: String,
    },
    /// An envelope that format version 1 does not have.
    #[error("body envelope {kind:?} is unknown to format version 1 (clear, sealed)")]
    UnknownEnvelope {
        /// The kind, cut to a printable length.
        kind: String,
    },
    /// Something is beyond a bound of the format.
    #[error("{what}: {found} is beyond the bound of {max}")]
    TooLarge {
        /// What is bounded.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        max: usize,
    },
    /// Something that may not be empty is.
    #[error("{what} is empty and needs at least one entry")]
    Empty {
        /// What is empty.
        what: &'static str,
    },
    /// A list that must be sorted, each entry once, is not.
    #[error("{what} must be sorted, each entry once")]
    NotSorted {
        /// Which list.
        what: &'static str,
    },
    /// Not a CID of one of our blocks.
    #[error("not a CID of a dag-cbor block by sha2-256 in base32 (bafyrei…)")]
    Cid,
    /// A name of a resource, collection or permission that the policy language would not take.
    #[error("{text:?} is no name of a {what}: use 1 to 128 letters, digits and underscores, the first one no digit; within it also '.', '/' and '-'")]
    Name {
        /// What it should name.
        what: &'static str,
        /// What was given, cut to a printable length.
        text: String,
    },
    /// An object id that the policy language would not take.
    #[error("{text:?} is no object id: use 1 to 256 visible ASCII characters other than '#' and quotes, and not '*'")]
    ObjectId {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// Not a name of a field.
    #[error("{text:?} is no field name: use 1 to 64 bytes of text without control characters")]
    FieldName {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// A float without a canonical form.
    #[error("a float must be a finite number other than -0: NaN, infinities and negative zero have no canonical form")]
    NotANumber,
    /// A chain id or an author that is none.
    #[error("the {block} names an unusable identity: {source}")]
    Identity {
        /// Which block.
        block: &'static str,
        /// What is wrong with it.
        source: IdentityError,
    },
    /// A first commit has no parents and height 1, and no other commit has.
    #[error("a commit without parents must state its document's preimage and height 1, one with parents the document's id and a height above 1")]
    FirstCommit,
    /// Somebody signs a first commit for another's document.
    #[error(
        "only {owner} can create this document, not {author}: its id is made of the creator's DID"
    )]
    NotTheCreator {
        /// Whom the preimage names.
        owner: Did,
        /// Who signs.
        author: Did,
    },
    /// A first commit must take `create`, and no later one may.
    #[error(
        "the permission \"create\" belongs into the first commit of a document and nowhere else"
    )]
    CreatePermission,
    /// The commit was signed for another chain.
    #[error("the commit is for the chain {found}, not for {expected}")]
    WrongChain {
        /// The chain of this replica.
        expected: ChainId,
        /// The chain that the header names.
        found: ChainId,
    },
    /// The commit's signature is not its author's.
    #[error("the signature of commit {commit} is not its author's: {source}")]
    Signature {
        /// The commit.
        commit: Cid,
        /// What the key says.
        source: IdentityError,
    },
    /// The signing key is not the author's.
    #[error("the commit names {author} as its author, and the key at hand belongs to {key}")]
    WrongKey {
        /// Whom the header names.
        author: Did,
        /// To whom the key belongs.
        key: Did,
    },
    /// The bytes are not the body that the header links to.
    #[error("these bytes are not the body of commit {commit}: their hash or size differs from the header's")]
    WrongBody {
        /// The commit.
        commit: Cid,
    },
    /// The schema lacks the field.
    #[error("field {field:?} is not in the schema, which has: {known}")]
    UnknownField {
        /// The field, cut to a printable length.
        field: String,
        /// What the schema has.
        known: String,
    },
    /// The operation does not fit the kind of its field.
    #[error("field {field:?} is a {kind}, which the operation {operation:?} does not fit")]
    WrongKind {
        /// The field.
        field: String,
        /// Its kind.
        kind: &'static str,
        /// The kind of the operation.
        operation: &'static str,
    },
    /// The text is no schema.
    #[error("the schema cannot be read: {reason}")]
    SchemaText {
        /// What the JSON reader says.
        reason: String,
    },
    /// A later schema gives a field another kind.
    #[error(
        "field {field:?} was a {before} and cannot become a {after}: give the new field a new name"
    )]
    SchemaKindChanged {
        /// The field.
        field: String,
        /// Its kind in the earlier version.
        before: &'static str,
        /// Its kind in the later version.
        after: &'static str,
    },
    /// A commit uses a schema version that was not given.
    #[error("schema version {version} is needed to read this document and is not at hand")]
    MissingSchema {
        /// The version.
        version: u64,
    },
    /// The commit belongs to another document.
    #[error("the commit belongs to document {found}, not to {expected}")]
    WrongDocument {
        /// The document of this DAG.
        expected: DocumentId,
        /// The document that the header names.
        found: DocumentId,
    },
    /// The stated DAG height is not one more than the highest parent's.
    #[error("commit {commit} states DAG height {found}, and its parents make it {expected}")]
    WrongHeight {
        /// The commit.
        commit: Cid,
        /// One more than the highest parent's.
        expected: u64,
        /// What the header states.
        found: u64,
    },
    /// The commit is not in this DAG.
    #[error("commit {commit} is not known here: fetch it and its ancestors first")]
    UnknownCommit {
        /// The commit.
        commit: Cid,
    },
    /// The DAG holds as many commits as its indexes can name.
    #[error("the document has 2^32 commits and takes no more")]
    DagFull,
}

impl Error {
    pub(crate) fn block(block: &'static str) -> impl Fn(CodecError) -> Self {
        move |source| Self::Block { block, source }
    }

    pub(crate) fn identity(block: &'static str) -> impl Fn(IdentityError) -> Self {
        move |source| Self::Identity { block, source }
    }
}
