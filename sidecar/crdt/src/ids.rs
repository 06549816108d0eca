//! Names of collections and documents, made of what they are.
//!
//! A collection's id is the CID of {chain, policy, resource, name}; a document's id is the CID of
//! {collection, scope, author, nonce}. Whoever has the preimage knows owner and scope without
//! asking the hub, and nobody can make a document that belongs to somebody else.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use identity::{ChainId, Did};

use crate::{
    codec::{CodecError, Reader, Writer},
    name::{check_name, check_object_id},
    Cid, Error,
};

/// Length of the nonce that tells apart the documents of one author in one scope.
pub const DOCUMENT_NONCE_BYTES: usize = 16;

/// The id of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionId(pub Cid);

/// The id of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(pub Cid);

impl CollectionId {
    /// The CID that the id is.
    pub const fn cid(&self) -> &Cid {
        &self.0
    }
}

impl DocumentId {
    /// The CID that the id is.
    pub const fn cid(&self) -> &Cid {
        &self.0
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CollectionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self)
    }
}

impl FromStr for DocumentId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self)
    }
}

/// What a collection's id is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionPreimage {
    chain: ChainId,
    policy: [u8; 32],
    resource: String,
    name: String,
}

impl CollectionPreimage {
    /// Takes the parts of a collection's id.
    ///
    /// # Errors
    /// [`Error::Name`] for a resource or a collection name that the policy language refuses.
    pub fn new(
        chain: ChainId,
        policy: [u8; 32],
        resource: &str,
        name: &str,
    ) -> Result<Self, Error> {
        check_name("resource", resource)?;
        check_name("collection", name)?;
        Ok(Self {
            chain,
            policy,
            resource: resource.into(),
            name: name.into(),
        })
    }

    /// The collection's id.
    pub fn id(&self) -> CollectionId {
        CollectionId(Cid::of(&self.encode()))
    }

    /// The chain that has the policy.
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// The policy's id.
    pub fn policy(&self) -> &[u8; 32] {
        &self.policy
    }

    /// The policy's resource to which the documents belong.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The collection's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The canonical block.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(192);
        writer.map(4);
        writer.text("name");
        writer.text(&self.name);
        writer.text("chain");
        writer.text(self.chain.as_str());
        writer.text("policy");
        writer.bytes(&self.policy);
        writer.text("resource");
        writer.text(&self.resource);
        writer.into_bytes()
    }

    /// Decodes the canonical block.
    ///
    /// # Errors
    /// [`Error::Block`], or that of a part.
    pub fn decode(block: &[u8]) -> Result<Self, Error> {
        const BLOCK: &str = "collection preimage";
        let codec = Error::block(BLOCK);
        let mut reader = Reader::new(block);
        let mut parts = || -> Result<_, CodecError> {
            reader.map_of(4)?;
            reader.key("name")?;
            let name = reader.text()?;
            reader.key("chain")?;
            let chain = reader.text()?;
            reader.key("policy")?;
            let policy = reader.array()?;
            reader.key("resource")?;
            let resource = reader.text()?;
            reader.end()?;
            Ok((name, chain, policy, resource))
        };
        let (name, chain, policy, resource) = parts().map_err(codec)?;
        let chain = ChainId::parse(chain).map_err(Error::identity(BLOCK))?;
        Self::new(chain, policy, resource, name)
    }
}

/// The hub object in which a document is created, such as `cell:1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    resource: String,
    id: String,
}

impl Scope {
    /// Takes a resource name and an object id.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::ObjectId`].
    pub fn new(resource: &str, id: &str) -> Result<Self, Error> {
        check_name("resource", resource)?;
        check_object_id(id)?;
        Ok(Self {
            resource: resource.into(),
            id: id.into(),
        })
    }

    /// The resource.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The object's id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.id)
    }
}

/// What a document's id is made of. Stands in the document's first commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPreimage {
    /// The collection.
    pub collection: CollectionId,
    /// The object in which the document was created.
    pub scope: Scope,
    /// Who created it, and owns it until the hub says otherwise.
    pub author: Did,
    /// Tells apart the documents of one author in one scope.
    pub nonce: [u8; DOCUMENT_NONCE_BYTES],
}

impl DocumentPreimage {
    /// The document's id.
    pub fn id(&self) -> DocumentId {
        DocumentId(Cid::of(&self.encode()))
    }

    /// The canonical block.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256);
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes the canonical block.
    ///
    /// # Errors
    /// [`Error::Block`], or that of a part.
    pub fn decode(block: &[u8]) -> Result<Self, Error> {
        const BLOCK: &str = "document preimage";
        let mut reader = Reader::new(block);
        let preimage = Self::read(&mut reader, BLOCK)?;
        reader.end().map_err(Error::block(BLOCK))?;
        Ok(preimage)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(4);
        writer.text("nonce");
        writer.bytes(&self.nonce);
        writer.text("scope");
        writer.map(2);
        writer.text("id");
        writer.text(&self.scope.id);
        writer.text("resource");
        writer.text(&self.scope.resource);
        writer.text("author");
        writer.text(self.author.as_str());
        writer.text("collection");
        writer.link(&self.collection.0);
    }

    pub(crate) fn read(reader: &mut Reader<'_>, block: &'static str) -> Result<Self, Error> {
        let mut parts = || -> Result<_, CodecError> {
            reader.map_of(4)?;
            reader.key("nonce")?;
            let nonce = reader.array()?;
            reader.key("scope")?;
            reader.map_of(2)?;
            reader.key("id")?;
            let id = reader.text()?;
            reader.key("resource")?;
            let resource = reader.text()?;
            reader.key("author")?;
            let author = reader.text()?;
            reader.key("collection")?;
            let collection = CollectionId(reader.link()?);
            Ok((nonce, id, resource, author, collection))
        };
        let (nonce, id, resource, author, collection) = parts().map_err(Error::block(block))?;
        Ok(Self {
            collection,
            scope: Scope::new(resource, id)?,
            author: Did::parse(author).map_err(Error::identity(block))?,
            nonce,
        })
    }
}
