//! The first block of a commit: who, when, after what, by which authority.
//!
//! The header is what is signed and what the commit's CID names. All that a verdict needs stands
//! in it, so headers, and with them the DAG, the logs and every proof, stand without any body
//! (Invariant 4).

use alloc::{string::String, sync::Arc, vec::Vec};
use core::ops::Deref;

use identity::{ChainId, Did, Signature};

use crate::{
    codec::{list_of, CodecError, Data, Reader, Writer},
    limits::{BODY_BYTES_MAX, FORMAT_VERSION, HEADER_BYTES_MAX, PARENTS_MAX, PERMISSIONS_MAX},
    name::{check_max, check_name, check_sorted},
    Body, Cid, Commit, DocumentId, DocumentPreimage, Error,
};

/// The permission that a first commit takes, and no other commit may list. It has this name in
/// every schema, because who reads a header alone must know it: for `create` the document's
/// derived owner is left out of the check.
pub const CREATE: &str = "create";

const BLOCK: &str = "commit header";

/// Which document a commit belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentRef {
    /// The first commit states what the id is made of.
    First(DocumentPreimage),
    /// Every later commit states the id.
    Known(DocumentId),
}

impl DocumentRef {
    /// The document's id.
    pub fn id(&self) -> DocumentId {
        match self {
            Self::First(preimage) => preimage.id(),
            Self::Known(id) => *id,
        }
    }
}

/// The state of the hub under which the author claims to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// The policy's revision.
    pub revision: u64,
    /// The hub's height.
    pub height: u64,
}

/// The parts of a header, before they are checked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParts {
    /// The chain that has the policy.
    pub chain: ChainId,
    /// The document.
    pub document: DocumentRef,
    /// The version of the collection's schema by which the operations are read, from 1.
    pub schema_version: u64,
    /// The commits that this one follows, sorted.
    pub parents: Vec<Cid>,
    /// Exactly one more than the highest parent's; 1 for a first commit.
    pub height: u64,
    /// Who signs.
    pub author: Did,
    /// When the author says it was, in milliseconds of Unix time. Nothing is decided by it.
    pub claimed_time_ms: u64,
    /// The hub state that the author cites.
    pub authority: Authority,
    /// The permissions that the operations take, sorted. Operations that take another are void.
    pub permissions: Vec<String>,
    /// The body.
    pub body: Cid,
    /// The size of the body's block in bytes, padding included.
    pub body_bytes: u64,
}

/// A header that obeys the format. Read its parts by name: it derefs to [`HeaderParts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    parts: HeaderParts,
    document_id: DocumentId,
}

impl Deref for Header {
    type Target = HeaderParts;

    fn deref(&self) -> &HeaderParts {
        &self.parts
    }
}

impl Header {
    /// Checks the parts together.
    ///
    /// # Errors
    /// [`Error::FirstCommit`], [`Error::NotTheCreator`], [`Error::CreatePermission`],
    /// [`Error::NotSorted`], [`Error::TooLarge`], [`Error::Empty`], [`Error::Name`].
    pub fn new(parts: HeaderParts) -> Result<Self, Error> {
        check_max("parents", parts.parents.len(), PARENTS_MAX)?;
        check_sorted("parents", &parts.parents)?;
        let first = match &parts.document {
            DocumentRef::First(preimage) => {
                if preimage.author != parts.author {
                    return Err(Error::NotTheCreator {
                        owner: preimage.author.clone(),
                        author: parts.author,
                    });
                }
                true
            }
            DocumentRef::Known(_) => false,
        };
        if first != parts.parents.is_empty() || first != (parts.height == 1) || parts.height == 0 {
            return Err(Error::FirstCommit);
        }
        check_max("permissions", parts.permissions.len(), PERMISSIONS_MAX)?;
        check_sorted("permissions", &parts.permissions)?;
        // Without a permission nothing would be checked, and anybody could write.
        if parts.permissions.is_empty() {
            return Err(Error::Empty {
                what: "the list of permissions",
            });
        }
        for permission in &parts.permissions {
            check_name("permission", permission)?;
        }
        if first
            != parts
                .permissions
                .iter()
                .any(|permission| permission == CREATE)
        {
            return Err(Error::CreatePermission);
        }
        let body_bytes = usize::try_from(parts.body_bytes).unwrap_or(usize::MAX);
        check_max("bytes of a body", body_bytes, BODY_BYTES_MAX)?;
        let document_id = parts.document.id();
        Ok(Self { parts, document_id })
    }

    /// The document's id.
    pub fn document_id(&self) -> DocumentId {
        self.document_id
    }

    /// What the document's id is made of, if this is a first commit.
    pub fn preimage(&self) -> Option<&DocumentPreimage> {
        match &self.parts.document {
            DocumentRef::First(preimage) => Some(preimage),
            DocumentRef::Known(_) => None,
        }
    }

    /// Whether the header lists `permission`.
    pub fn lists(&self, permission: &str) -> bool {
        self.parts
            .permissions
            .iter()
            .any(|listed| listed == permission)
    }

    /// Makes the block.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`HEADER_BYTES_MAX`].
    pub fn into_block(self) -> Result<HeaderBlock, Error> {
        let bytes = self.encode();
        check_max("bytes of a commit header", bytes.len(), HEADER_BYTES_MAX)?;
        Ok(HeaderBlock {
            cid: Cid::of(&bytes),
            bytes,
            header: self,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let parts = &self.parts;
        let mut writer = Writer::with_capacity(512 + 41 * parts.parents.len());
        writer.map(12);
        writer.text("body");
        writer.link(&parts.body);
        writer.text("chain");
        writer.text(parts.chain.as_str());
        writer.text("author");
        writer.text(parts.author.as_str());
        writer.text("height");
        writer.unsigned(parts.height);
        writer.text("parents");
        writer.list(parts.parents.len());
        parts.parents.iter().for_each(|parent| writer.link(parent));
        writer.text("version");
        writer.unsigned(FORMAT_VERSION);
        writer.text("document");
        match &parts.document {
            DocumentRef::First(preimage) => preimage.write(&mut writer),
            DocumentRef::Known(id) => writer.link(&id.0),
        }
        writer.text("authority");
        writer.map(2);
        writer.text("height");
        writer.unsigned(parts.authority.height);
        writer.text("revision");
        writer.unsigned(parts.authority.revision);
        writer.text("body_bytes");
        writer.unsigned(parts.body_bytes);
        writer.text("permissions");
        writer.list(parts.permissions.len());
        parts
            .permissions
            .iter()
            .for_each(|permission| writer.text(permission));
        writer.text("schema_version");
        writer.unsigned(parts.schema_version);
        writer.text("claimed_time_ms");
        writer.unsigned(parts.claimed_time_ms);
        writer.into_bytes()
    }

    fn read(block: &[u8]) -> Result<HeaderParts, Error> {
        let codec = Error::block(BLOCK);
        let mut reader = Reader::new(block);
        let mut head = || -> Result<_, CodecError> {
            reader.map_of(12)?;
            reader.key("body")?;
            let body = reader.link()?;
            reader.key("chain")?;
            let chain = reader.text()?;
            reader.key("author")?;
            let author = reader.text()?;
            reader.key("height")?;
            let height = reader.unsigned(u64::MAX)?;
            reader.key("parents")?;
            let parents = list_of(&mut reader, PARENTS_MAX, Reader::link)?;
            reader.key("version")?;
            reader.unsigned(u64::MAX)?;
            reader.key("document")?;
            Ok((body, chain, author, height, parents))
        };
        let (body, chain, author, height, parents) = head().map_err(&codec)?;
        let document = if reader.peek().map_err(&codec)? == crate::codec::Kind::Map {
            DocumentRef::First(DocumentPreimage::read(&mut reader, BLOCK)?)
        } else {
            DocumentRef::Known(DocumentId(reader.link().map_err(&codec)?))
        };
        let mut tail = || -> Result<_, CodecError> {
            reader.key("authority")?;
            reader.map_of(2)?;
            reader.key("height")?;
            let authority_height = reader.unsigned(u64::MAX)?;
            reader.key("revision")?;
            let revision = reader.unsigned(u64::MAX)?;
            reader.key("body_bytes")?;
            let body_bytes = reader.unsigned(BODY_BYTES_MAX as u64)?;
            reader.key("permissions")?;
            let permissions = list_of(&mut reader, PERMISSIONS_MAX, |reader| {
                reader.text().map(String::from)
            })?;
            reader.key("schema_version")?;
            let schema_version = reader.unsigned(u64::MAX)?;
            reader.key("claimed_time_ms")?;
            let claimed_time_ms = reader.unsigned(u64::MAX)?;
            reader.end()?;
            let authority = Authority {
                revision,
                height: authority_height,
            };
            Ok((
                authority,
                body_bytes,
                permissions,
                schema_version,
                claimed_time_ms,
            ))
        };
        let (authority, body_bytes, permissions, schema_version, claimed_time_ms) =
            tail().map_err(&codec)?;
        let identity = Error::identity(BLOCK);
        // A first commit names its author twice; a DID is a point on a curve, and costs.
        let author = match &document {
            DocumentRef::First(preimage) if preimage.author.as_str() == author => {
                preimage.author.clone()
            }
            _ => Did::parse(author).map_err(&identity)?,
        };
        Ok(HeaderParts {
            chain: ChainId::parse(chain).map_err(&identity)?,
            document,
            schema_version,
            parents,
            height,
            author,
            claimed_time_ms,
            authority,
            permissions,
            body,
            body_bytes,
        })
    }
}

/// A header with its bytes and their name, which is the commit's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderBlock {
    header: Header,
    bytes: Vec<u8>,
    cid: Cid,
}

impl HeaderBlock {
    /// Decodes a block.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`] for a later format, [`Error::Block`] for bytes that are not the
    /// canonical form, or what [`Header::new`] says.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Error> {
        check_max("bytes of a commit header", bytes.len(), HEADER_BYTES_MAX)?;
        let header = Header::read(&bytes)
            .and_then(Header::new)
            .map_err(|error| later_version(&bytes).unwrap_or(error))?;
        if header.encode() != bytes {
            // This covers the version as well, which is written as a constant.
            return Err(later_version(&bytes).unwrap_or(Error::Block {
                block: BLOCK,
                source: CodecError::NotCanonical,
            }));
        }
        Ok(Self {
            cid: Cid::of(&bytes),
            bytes,
            header,
        })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The block's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The block's name: the commit's CID.
    pub fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Puts a signature beside the header and verifies it.
    ///
    /// # Errors
    /// [`Error::WrongChain`], [`Error::Signature`].
    pub fn verify(self, chain: &ChainId, signature: Signature) -> Result<Commit, Error> {
        if self.header.chain != *chain {
            return Err(Error::WrongChain {
                expected: chain.clone(),
                found: self.header.chain.clone(),
            });
        }
        self.header
            .author
            .public_key()
            .verify_commit(chain, &self.bytes, &signature)
            .map_err(|source| Error::Signature {
                commit: self.cid,
                source,
            })?;
        Ok(Commit::trusted(self, signature))
    }
}

/// The version that a block names, if it is not ours: a later format may look quite different,
/// and its reader must be told to upgrade, not that the bytes are wrong.
fn later_version(block: &[u8]) -> Option<Error> {
    match Data::decode(block).ok()?.get("version")? {
        Data::Unsigned(version) if *version != FORMAT_VERSION => Some(Error::UnknownVersion {
            block: BLOCK,
            version: *version,
        }),
        _ => None,
    }
}

/// What is known of a commit's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Nothing: it was not fetched yet, is withheld, or was erased.
    Absent,
    /// The body.
    Open(Arc<Body>),
    /// The bytes are those that the header links to, and they are no body of this format. They
    /// stand for no operations, on every replica alike: a body has no part in a verdict
    /// (Invariant 4).
    Void(Arc<Error>),
}

impl Header {
    /// Opens the body of this header.
    ///
    /// Bytes that are the linked ones but no body give [`Disclosure::Void`], not an error.
    ///
    /// # Errors
    /// [`Error::WrongBody`] if the bytes are not those that the header links to; `commit` names
    /// the header in the message.
    pub fn open_body(&self, commit: &Cid, bytes: &[u8]) -> Result<Disclosure, Error> {
        if bytes.len() as u64 != self.parts.body_bytes || Cid::of(bytes) != self.parts.body {
            return Err(Error::WrongBody { commit: *commit });
        }
        Ok(match Body::decode(bytes) {
            Ok(body) => Disclosure::Open(Arc::new(body)),
            Err(error) => Disclosure::Void(Arc::new(error)),
        })
    }
}
