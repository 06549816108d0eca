//! The second block of a commit: what it changes.
//!
//! A body may be withheld from a reader, or erased for ever; everything else stands without it.
//! It starts with a random salt, so that nobody can confirm a guessed body by its CID.

use alloc::{string::String, vec::Vec};

use crate::{
    codec::{excerpt, head_bytes, list_of, CodecError, Reader, Writer},
    limits::{BODY_BYTES_MAX, OPERATIONS_MAX, SEALED_NONCE_BYTES_MAX},
    name::{check_max, check_name},
    operation::ReadError,
    padding::padding,
    Cid, Error, Operation,
};

/// Length of the salt: nobody guesses 128 bits.
pub const SALT_BYTES: usize = 16;

const BLOCK: &str = "body";

/// A body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    salt: [u8; SALT_BYTES],
    envelope: Envelope,
}

/// How the operations travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Readable by everybody who has the body.
    Clear(Vec<Operation>),
    /// Readable by those who have the key.
    Sealed(Sealed),
}

/// Operations under a key. The plaintext is the content block that `clear` would hold, padded in
/// the same way; which algorithms there are, and who gets the key, is not this crate's matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the algorithm.
    pub algorithm: String,
    /// Which of the document's keys.
    pub epoch: u64,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// Binds the ciphertext to one key, so that nobody can make a body that reads differently
    /// under two.
    pub key_commitment: [u8; 32],
    /// The ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

/// A body with its bytes and their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyBlock {
    body: Body,
    bytes: Vec<u8>,
    cid: Cid,
}

impl Body {
    /// A body in the clear. `salt` must be random and used once.
    ///
    /// # Errors
    /// [`Error::Empty`] without operations; [`Error::TooLarge`], [`Error::FieldName`],
    /// [`Error::NotSorted`] for one that the format refuses.
    pub fn clear(salt: [u8; SALT_BYTES], operations: Vec<Operation>) -> Result<Self, Error> {
        check_operations(&operations)?;
        operations.iter().try_for_each(Operation::check)?;
        Ok(Self {
            salt,
            envelope: Envelope::Clear(operations),
        })
    }

    /// A sealed body.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::TooLarge`], [`Error::Empty`].
    pub fn sealed(salt: [u8; SALT_BYTES], sealed: Sealed) -> Result<Self, Error> {
        sealed.check()?;
        Ok(Self {
            salt,
            envelope: Envelope::Sealed(sealed),
        })
    }

    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The salt.
    pub fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    /// The operations, if they are in the clear.
    pub fn operations(&self) -> Option<&[Operation]> {
        match &self.envelope {
            Envelope::Clear(operations) => Some(operations),
            Envelope::Sealed(_) => None,
        }
    }

    /// Makes the block.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`BODY_BYTES_MAX`].
    pub fn into_block(self) -> Result<BodyBlock, Error> {
        let bytes = self.encode();
        check_max("bytes of a body", bytes.len(), BODY_BYTES_MAX)?;
        let cid = Cid::of(&bytes);
        Ok(BodyBlock {
            body: self,
            bytes,
            cid,
        })
    }

    /// Decodes a block. Which header it belongs to is [`crate::Header::open_body`]'s to say.
    ///
    /// # Errors
    /// [`Error::Block`], [`Error::UnknownOperation`], [`Error::UnknownEnvelope`], or that of a
    /// part.
    pub fn decode(block: &[u8]) -> Result<Self, Error> {
        check_max("bytes of a body", block.len(), BODY_BYTES_MAX)?;
        let body = Self::read(block).map_err(|error| error.within(BLOCK))?;
        // The reader is strict item by item; this one comparison covers the padding's length and
        // whatever a later change of the reader might let through.
        if body.encode() != block {
            return Err(Error::Block {
                block: BLOCK,
                source: CodecError::NotCanonical,
            });
        }
        Ok(body)
    }

    fn encode(&self) -> Vec<u8> {
        match &self.envelope {
            Envelope::Clear(operations) => {
                let content = encode_content(operations);
                let mut writer = Writer::with_capacity(content.len() + 32);
                writer.map(2);
                writer.text("salt");
                writer.bytes(&self.salt);
                writer.text("clear");
                writer.raw(&content);
                writer.into_bytes()
            }
            Envelope::Sealed(sealed) => {
                let mut writer = Writer::with_capacity(sealed.ciphertext.len() + 192);
                writer.map(2);
                writer.text("salt");
                writer.bytes(&self.salt);
                writer.text("sealed");
                writer.map(5);
                writer.text("epoch");
                writer.unsigned(sealed.epoch);
                writer.text("nonce");
                writer.bytes(&sealed.nonce);
                writer.text("algorithm");
                writer.text(&sealed.algorithm);
                writer.text("ciphertext");
                writer.bytes(&sealed.ciphertext);
                writer.text("key_commitment");
                writer.bytes(&sealed.key_commitment);
                writer.into_bytes()
            }
        }
    }

    fn read(block: &[u8]) -> Result<Self, ReadError> {
        let mut reader = Reader::new(block);
        reader.map_of(2)?;
        reader.key("salt")?;
        let salt = reader.array()?;
        let envelope = match reader.text()? {
            "clear" => Envelope::Clear(read_content(&mut reader)?),
            "sealed" => Envelope::Sealed(Sealed::read(&mut reader)?),
            kind => {
                return Err(Error::UnknownEnvelope {
                    kind: excerpt(kind),
                }
                .into())
            }
        };
        reader.end()?;
        Ok(Self { salt, envelope })
    }
}

impl BodyBlock {
    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The block's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The block's name.
    pub fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Gives up the parts.
    pub fn into_parts(self) -> (Body, Vec<u8>) {
        (self.body, self.bytes)
    }
}

impl Sealed {
    fn check(&self) -> Result<(), Error> {
        check_name("sealing algorithm", &self.algorithm)?;
        check_max(
            "bytes of a sealed body's nonce",
            self.nonce.len(),
            SEALED_NONCE_BYTES_MAX,
        )?;
        if self.ciphertext.is_empty() {
            return Err(Error::Empty {
                what: "the ciphertext of a sealed body",
            });
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.map_of(5)?;
        reader.key("epoch")?;
        let epoch = reader.unsigned(u64::MAX)?;
        reader.key("nonce")?;
        let nonce = reader.bytes()?.into();
        reader.key("algorithm")?;
        let algorithm = reader.text()?.into();
        reader.key("ciphertext")?;
        let ciphertext = reader.bytes()?.into();
        reader.key("key_commitment")?;
        let key_commitment = reader.array()?;
        let sealed = Self {
            algorithm,
            epoch,
            nonce,
            key_commitment,
            ciphertext,
        };
        sealed.check()?;
        Ok(sealed)
    }
}

/// The content block of `operations`: what stands under `clear`, and what a sealed body encrypts.
pub fn encode_content(operations: &[Operation]) -> Vec<u8> {
    let mut encoded = Writer::with_capacity(64 * operations.len());
    encoded.list(operations.len());
    operations
        .iter()
        .for_each(|operation| operation.write(&mut encoded));
    let encoded = encoded.into_bytes();

    const KEYS: [&str; 2] = ["padding", "operations"];
    let keys: usize = KEYS
        .iter()
        .map(|key| head_bytes(key.len()) + key.len())
        .sum();
    let zeros = padding(1 + keys + 1 + encoded.len());
    let mut writer = Writer::with_capacity(8 + keys + zeros + encoded.len());
    writer.map(2);
    writer.text(KEYS[0]);
    writer.zeros(zeros);
    writer.text(KEYS[1]);
    writer.raw(&encoded);
    writer.into_bytes()
}

fn read_content(reader: &mut Reader<'_>) -> Result<Vec<Operation>, ReadError> {
    reader.map_of(2)?;
    reader.key("padding")?;
    reader.bytes()?;
    reader.key("operations")?;
    let operations = list_of(reader, OPERATIONS_MAX, Operation::read)?;
    check_operations(&operations)?;
    Ok(operations)
}

fn check_operations(operations: &[Operation]) -> Result<(), Error> {
    if operations.is_empty() {
        return Err(Error::Empty {
            what: "the list of operations",
        });
    }
    check_max("operations of a body", operations.len(), OPERATIONS_MAX)
}
