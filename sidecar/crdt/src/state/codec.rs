//! State as bytes, so that a replica can go on where it stopped.
//!
//! The bytes are canonical: equal states have equal bytes. They are a replica's own affair and no
//! part of the commit format; a replica that finds another version makes the state anew.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use identity::Did;

use super::{Counter, DocumentState, Element, Register, Set, Stamp, Written};
use crate::{
    codec::{list_of, CodecError, Kind, Reader, Writer},
    operation::ReadError,
    DocumentId, Error, OperationName, Value,
};

const BLOCK: &str = "document state";
const VERSION: u64 = 1;

impl DocumentState {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let stamps = Stamps::of(self);
        let mut writer = Writer::with_capacity(512);
        writer.map(11);
        writer.text("by");
        writer.list(stamps.0.len());
        for stamp in &stamps.0 {
            writer.list(4);
            writer.link(&stamp.commit);
            writer.unsigned(stamp.height);
            writer.text(stamp.author.as_str());
            writer.unsigned(stamp.claimed_time_ms);
        }
        writer.text("sets");
        write_map(&mut writer, &self.sets, |writer, set| {
            writer.list(3);
            stamps.write(writer, &set.written);
            writer.list(set.adds.len());
            for element in set.adds.values() {
                writer.list(3);
                stamps.write(writer, &element.written);
                element.value.write(writer);
            }
        });
        writer.text("heads");
        writer.list(self.heads.len());
        self.heads.iter().for_each(|head| writer.link(head));
        writer.text("unread");
        writer.list(self.unread.len());
        self.unread.iter().for_each(|commit| writer.link(commit));
        writer.text("created");
        stamps.write_optional(&mut writer, self.created.as_ref());
        writer.text("deleted");
        match &self.deleted {
            Some(written) => {
                writer.list(2);
                stamps.write(&mut writer, written);
            }
            None => writer.null(),
        }
        writer.text("updated");
        stamps.write_optional(&mut writer, self.updated.as_ref());
        writer.text("version");
        writer.unsigned(VERSION);
        writer.text("counters");
        write_map(&mut writer, &self.counters, |writer, counter| {
            writer.list(3);
            stamps.write(writer, &counter.written);
            // Beyond the integers of CBOR.
            writer.bytes(&counter.total.to_be_bytes());
        });
        writer.text("document");
        writer.link(&self.document.0);
        writer.text("registers");
        write_map(&mut writer, &self.registers, |writer, register| {
            writer.list(3);
            stamps.write(writer, &register.written);
            register.value.write(writer);
        });
        writer.into_bytes()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`Error::Block`], [`Error::UnknownVersion`], [`Error::Identity`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let state = Self::read(bytes).map_err(|error| error.within(BLOCK))?;
        if state.encode() != bytes {
            return Err(Error::Block {
                block: BLOCK,
                source: CodecError::NotCanonical,
            });
        }
        Ok(state)
    }

    fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        reader.map_of(11)?;
        reader.key("by")?;
        let stamps = Stamps::read(reader)?;
        reader.key("sets")?;
        let sets = read_map(reader, |reader| {
            list_head(reader, 3)?;
            let written = stamps.read_written(reader)?;
            let mut adds = BTreeMap::new();
            for (written, value) in list_of(reader, usize::MAX, |reader| stamps.read_add(reader))? {
                let name = OperationName {
                    commit: written.stamp.commit,
                    index: written.index,
                };
                adds.insert(name, Element { value, written });
            }
            Ok(Set { adds, written })
        })?;
        reader.key("heads")?;
        let heads: BTreeSet<_> = list_of(reader, usize::MAX, Reader::link)?
            .into_iter()
            .collect();
        reader.key("unread")?;
        let unread: BTreeSet<_> = list_of(reader, usize::MAX, Reader::link)?
            .into_iter()
            .collect();
        reader.key("created")?;
        let created = stamps.read_optional(reader)?;
        reader.key("deleted")?;
        let deleted = if reader.peek()? == Kind::Null {
            reader.null()?;
            None
        } else {
            list_head(reader, 2)?;
            Some(stamps.read_written(reader)?)
        };
        reader.key("updated")?;
        let updated = stamps.read_optional(reader)?;
        reader.key("version")?;
        let version = reader.unsigned(u64::MAX)?;
        if version != VERSION {
            return Err(Error::UnknownVersion {
                block: BLOCK,
                version,
            }
            .into());
        }
        reader.key("counters")?;
        let counters = read_map(reader, |reader| {
            list_head(reader, 3)?;
            let written = stamps.read_written(reader)?;
            Ok(Counter {
                total: i128::from_be_bytes(reader.array()?),
                written,
            })
        })?;
        reader.key("document")?;
        let document = DocumentId(reader.link()?);
        reader.key("registers")?;
        let registers = read_map(reader, |reader| {
            let (written, value) = stamps.read_add(reader)?;
            Ok(Register { value, written })
        })?;
        reader.end()?;
        Ok(Self {
            document,
            heads,
            registers,
            counters,
            sets,
            deleted,
            created,
            updated,
            unread,
        })
    }
}

/// The stamps of a state, each once, in order; elsewhere they are named by their place.
struct Stamps(Vec<Arc<Stamp>>);

impl Stamps {
    fn of(state: &DocumentState) -> Self {
        let registers = state.registers.values().map(|it| &it.written);
        let counters = state.counters.values().map(|it| &it.written);
        let sets = state.sets.values();
        let sets = sets.flat_map(|set| {
            set.adds
                .values()
                .map(|it| &it.written)
                .chain(core::iter::once(&set.written))
        });
        let written = registers.chain(counters).chain(sets).chain(&state.deleted);
        let stamps = written
            .map(|it| &it.stamp)
            .chain(&state.created)
            .chain(&state.updated);
        let mut stamps: Vec<&Arc<Stamp>> = stamps.collect();
        stamps.sort_unstable();
        stamps.dedup();
        Self(stamps.into_iter().cloned().collect())
    }

    fn place(&self, stamp: &Arc<Stamp>) -> u64 {
        self.0
            .binary_search(stamp)
            .expect("each stamp of the state was collected") as u64
    }

    fn write(&self, writer: &mut Writer, written: &Written) {
        writer.unsigned(self.place(&written.stamp));
        writer.unsigned(u64::from(written.index));
    }

    fn write_optional(&self, writer: &mut Writer, stamp: Option<&Arc<Stamp>>) {
        match stamp {
            Some(stamp) => writer.unsigned(self.place(stamp)),
            None => writer.null(),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        // Authors repeat, and a DID costs a point decompression to parse.
        let mut authors = BTreeMap::<&str, Did>::new();
        let len = reader.list()?;
        let mut stamps = Vec::new();
        for _ in 0..len {
            list_head(reader, 4)?;
            let commit = reader.link()?;
            let height = reader.unsigned(u64::MAX)?;
            let text = reader.text()?;
            let author = match authors.get(text) {
                Some(author) => author.clone(),
                None => {
                    let author = Did::parse(text).map_err(Error::identity(BLOCK))?;
                    authors.insert(text, author.clone());
                    author
                }
            };
            let claimed_time_ms = reader.unsigned(u64::MAX)?;
            stamps.push(Arc::new(Stamp {
                height,
                author,
                commit,
                claimed_time_ms,
            }));
        }
        Ok(Self(stamps))
    }

    fn read_stamp(&self, reader: &mut Reader<'_>) -> Result<Arc<Stamp>, CodecError> {
        let at = reader.position();
        let found = reader.unsigned(u64::MAX)?;
        let stamp = usize::try_from(found)
            .ok()
            .and_then(|place| self.0.get(place));
        let max = (self.0.len() as u64).saturating_sub(1);
        stamp.cloned().ok_or(CodecError::Range { at, found, max })
    }

    fn read_written(&self, reader: &mut Reader<'_>) -> Result<Written, CodecError> {
        let stamp = self.read_stamp(reader)?;
        // The bound is that of u32.
        let index = reader.unsigned(u64::from(u32::MAX))? as u32;
        Ok(Written { stamp, index })
    }

    fn read_optional(&self, reader: &mut Reader<'_>) -> Result<Option<Arc<Stamp>>, CodecError> {
        if reader.peek()? == Kind::Null {
            reader.null()?;
            return Ok(None);
        }
        self.read_stamp(reader).map(Some)
    }

    fn read_add(&self, reader: &mut Reader<'_>) -> Result<(Written, Value), CodecError> {
        list_head(reader, 3)?;
        Ok((self.read_written(reader)?, Value::read(reader)?))
    }
}

fn write_map<T>(
    writer: &mut Writer,
    fields: &BTreeMap<String, T>,
    write: impl Fn(&mut Writer, &T),
) {
    let mut entries: Vec<(&String, &T)> = fields.iter().collect();
    entries.sort_unstable_by_key(|(name, _)| (name.len(), name.as_bytes()));
    writer.map(entries.len());
    for (name, field) in entries {
        writer.text(name);
        write(writer, field);
    }
}

fn read_map<'a, T>(
    reader: &mut Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, CodecError>,
) -> Result<BTreeMap<String, T>, CodecError> {
    let len = reader.map()?;
    let mut fields = BTreeMap::new();
    let mut previous = None;
    for _ in 0..len {
        let name = reader.key_after(previous)?;
        previous = Some(name);
        fields.insert(name.into(), read(reader)?);
    }
    Ok(fields)
}

fn list_head(reader: &mut Reader<'_>, expected: usize) -> Result<(), CodecError> {
    let at = reader.position();
    match reader.list()? {
        found if found == expected => Ok(()),
        found => Err(CodecError::Length {
            at,
            expected: expected as u64,
            found: found as u64,
        }),
    }
}
