//! Documents that need no registration: their ids are derived, and so are owner and scope.
//!
//! A collection's id is the CID of {chain, policy, resource, name}; a document's id is the CID of
//! {collection, scope, author, nonce} (DESIGN §5). Both are CIDv1 of a DAG-CBOR block by SHA-256;
//! the block's bytes are in docs/spec/commit.md, and `crdt` writes the same ones. The hub needs
//! them to refuse a registration by anybody but the author; whoever checks a permission needs them
//! to give a document its owner and its scope.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use ::policy::{Actor, DocumentFacts, Name, ObjectRef};
use cid::Cid;
use identity::{ChainId, Did};
use multihash::Multihash;
use sha2::{Digest, Sha256};
use wire::policy as proto;

use crate::{policy::convert, MessageError, PolicyId};

/// The permission that creating a document takes. Ownership never permits creation (DESIGN §5), so
/// where it is asked of a document, the document's author is not its owner.
pub const CREATE: &str = "create";

/// The length of a document's nonce.
pub const NONCE_BYTES: usize = 16;

/// What a document's id is derived from, but for the chain and the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The resource of the collection, and so of the document.
    pub resource: Name,
    /// The collection's name.
    pub collection: Name,
    /// The object that the document was created in.
    pub scope: ObjectRef,
    /// Who created it, and owns it as long as the hub has no record of it.
    pub author: Did,
    /// What tells two documents of one author apart.
    pub nonce: [u8; NONCE_BYTES],
}

impl Document {
    /// The document's object: its resource, and its CID in base32.
    ///
    /// # Errors
    /// None in practice; [`MessageError::Field`] if the resource cannot name an object.
    pub fn object(&self, chain: &ChainId, policy: &PolicyId) -> Result<ObjectRef, MessageError> {
        let id = self.id(chain, policy).to_string();
        ObjectRef::new(self.resource.as_str(), &id).map_err(MessageError::at("document"))
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self, chain: &ChainId, policy: &PolicyId) -> Cid {
        let collection = collection_id(chain, policy, &self.resource, &self.collection);
        let mut block = Block::map(4);
        block.text("nonce").bytes(&self.nonce);
        block.text("scope").head(MAP, 2);
        block.text("id").text(self.scope.id());
        block.text("resource").text(self.scope.resource());
        block.text("author").text(self.author.as_str());
        block.text("collection").link(&collection);
        block.cid()
    }

    /// What a permission check derives from it. `scope_relation` is what the collection's record
    /// names; the caller has it from a proven record.
    ///
    /// # Errors
    /// As [`Document::object`].
    pub fn facts(
        &self,
        chain: &ChainId,
        policy: &PolicyId,
        scope_relation: &Name,
    ) -> Result<DocumentFacts, MessageError> {
        let owner = Actor::new(self.author.as_str()).map_err(MessageError::at("author"))?;
        Ok(DocumentFacts {
            object: self.object(chain, policy)?,
            owner: Some(owner),
            scope_relation: scope_relation.clone(),
            scope: self.scope.clone(),
        })
    }

    /// The key of its collection's record in the policy's tree.
    #[must_use]
    pub fn collection_key(&self) -> Vec<u8> {
        ::policy::keys::collection_key(self.resource.as_str(), self.collection.as_str())
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::Document {
        proto::Document {
            resource: self.resource.as_str().into(),
            collection: self.collection.as_str().into(),
            scope: Some(convert::object_to_wire(&self.scope)),
            author: self.author.as_str().into(),
            nonce: self.nonce.to_vec(),
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &proto::Document) -> Result<Self, MessageError> {
        Ok(Self {
            resource: Name::new(&wire.resource).map_err(MessageError::at("document.resource"))?,
            collection: Name::new(&wire.collection)
                .map_err(MessageError::at("document.collection"))?,
            scope: convert::object_from_wire("document.scope", wire.scope.as_ref())?,
            author: Did::parse(&wire.author).map_err(MessageError::at("document.author"))?,
            nonce: wire
                .nonce
                .as_slice()
                .try_into()
                .map_err(|_| MessageError::field("document.nonce", "a nonce has 16 bytes"))?,
        })
    }
}

/// A collection's id.
#[must_use]
pub fn collection_id(chain: &ChainId, policy: &PolicyId, resource: &Name, name: &Name) -> Cid {
    let mut block = Block::map(4);
    block.text("name").text(name.as_str());
    block.text("chain").text(chain.as_str());
    block.text("policy").bytes(policy.as_bytes());
    block.text("resource").text(resource.as_str());
    block.cid()
}

// Major types of CBOR (RFC 8949 §3.1), shifted into place.
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const MAP: u8 = 5 << 5;
const TAG: u8 = 6 << 5;

/// The DAG-CBOR tag of a link.
const LINK: u64 = 42;

/// A DAG-CBOR block of maps, texts, bytes and links, written in canonical order by the caller:
/// shorter keys first, equally long ones bytewise.
struct Block(Vec<u8>);

impl Block {
    fn map(entries: u64) -> Self {
        let mut block = Self(Vec::with_capacity(256));
        block.head(MAP, entries);
        block
    }

    /// The shortest form of a head (RFC 8949 §4.2.1).
    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        match argument {
            0..=23 => self.0.push(major | argument as u8),
            24..=0xff => self.0.extend([major | 24, argument as u8]),
            0x100..=0xffff => {
                self.0.push(major | 25);
                self.0.extend((argument as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.0.push(major | 26);
                self.0.extend((argument as u32).to_be_bytes());
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(argument.to_be_bytes());
            }
        }
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.head(TEXT, text.len() as u64).0.extend(text.as_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(BYTES, bytes.len() as u64).0.extend(bytes);
        self
    }

    /// A link is its CID behind a zero byte, the identity multibase.
    fn link(&mut self, cid: &Cid) -> &mut Self {
        let mut bytes = alloc::vec![0];
        bytes.extend(cid.to_bytes());
        self.head(TAG, LINK).bytes(&bytes)
    }

    fn cid(&self) -> Cid {
        const SHA2_256: u64 = 0x12;
        const DAG_CBOR: u64 = 0x71;
        let digest: [u8; 32] = Sha256::digest(&self.0).into();
        let multihash = Multihash::wrap(SHA2_256, &digest).expect("32 bytes fit into 64");
        Cid::new_v1(DAG_CBOR, multihash)
    }
}

/// The text of a CID: base32 in lower case.
#[must_use]
pub fn cid_text(cid: &Cid) -> String {
    cid.to_string()
}

/// Whether `id` is the text of a CIDv1 of a DAG-CBOR block by SHA-256, as a document's id is.
/// Such an id is registered only with its preimage, or anybody could take somebody's document.
#[must_use]
pub fn looks_derived(id: &str) -> bool {
    // `b` and 58 letters of base32; its first 30 bits are the same for all such CIDs. Upper case
    // and other multibases name no document, because a document's id has one text.
    id.len() == 59 && id.starts_with("bafyrei")
}

/// Whether `cid` is the binary CIDv1 of this DAG-CBOR block by SHA-256.
#[must_use]
pub fn names_block(cid: &[u8], block: &[u8]) -> bool {
    Block(block.to_vec()).cid().to_bytes() == cid
}
