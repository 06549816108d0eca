//! Every way to spoil a bundle, for tests and fuzzers; nothing else uses this module.
//!
//! Flips, cuts, swaps and pads each field of each section, and puts a fresh checksum at the end,
//! so that what refuses the file is not the checksum but the check of what was spoiled. Of a
//! sealed bundle that verifies, every mutation must be refused, with a name, without a panic.

use alloc::format;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::bundle::container::{split, Section};
use crate::bundle::MAGIC;

/// How thorough to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Spoil one byte in this many; 1 spoils every byte.
    pub stride: usize,
    /// Of repeated fields, how many of each are spoiled: the first ones, and always the last.
    pub repeated: usize,
}

impl Effort {
    /// Every field of every item, every byte.
    pub const ALL: Effort = Effort {
        stride: 1,
        repeated: usize::MAX,
    };
}

/// Nesting that is followed into messages. Bundles nest eight deep.
const DEPTH_MAX: usize = 16;

/// Calls `try_one` with each mutation: what was done, in words, and the file.
///
/// `file` must be a bundle that verifies. Mutations that change nothing (two equal items
/// swapped) are left out.
pub fn each(file: &[u8], effort: Effort, try_one: &mut dyn FnMut(&str, &[u8])) {
    let mut emit = |what: &str, mutated: Vec<u8>| {
        if mutated != file {
            try_one(what, &mutated);
        }
    };
    damage(file, effort, &mut emit);
    let Ok(payloads) = split(file) else {
        return;
    };
    sections(&payloads, &mut emit);
    for (place, section) in Section::ALL.iter().enumerate() {
        let Some(payload) = payloads.get(place) else {
            continue;
        };
        let mut rebuilt = |what: &str, payload: Vec<u8>| {
            emit(
                &format!("{section}{what}"),
                with(&payloads, place, &payload),
            );
        };
        bytes(payload, effort, &mut rebuilt);
        if *section != Section::Seal {
            fields(payload, "", effort, 0, &mut rebuilt);
        }
    }
}

/// The file as a whole, with its old checksum: what happens on a bad disk or line.
fn damage(file: &[u8], effort: Effort, emit: &mut dyn FnMut(&str, Vec<u8>)) {
    emit("file emptied", Vec::new());
    emit("file padded", [file, &[0]].concat());
    emit("file doubled", [file, file].concat());
    for at in (0..file.len()).step_by(effort.stride.max(1)) {
        emit(
            &format!("file flipped at byte {at}"),
            flipped(file, at, 0x10),
        );
    }
    for at in (0..file.len()).step_by(effort.stride.max(1)) {
        emit(&format!("file cut at byte {at}"), file[..at].to_vec());
    }
}

/// Whole sections dropped, doubled, swapped.
fn sections(payloads: &[&[u8]; 9], emit: &mut dyn FnMut(&str, Vec<u8>)) {
    let all: Vec<(u8, &[u8])> = Section::ALL
        .iter()
        .zip(payloads)
        .map(|(section, payload)| (section.tag(), *payload))
        .collect();
    for (place, section) in Section::ALL.iter().enumerate() {
        let mut dropped = all.clone();
        dropped.remove(place);
        emit(&format!("{section} dropped"), assemble(&dropped));
        let mut doubled = all.clone();
        doubled.insert(place, all[place]);
        emit(&format!("{section} doubled"), assemble(&doubled));
        let mut renamed = all.clone();
        renamed[place].0 = 99;
        emit(&format!("{section} renamed"), assemble(&renamed));
        emit(&format!("{section} emptied"), with(payloads, place, &[]));
        if place + 1 < all.len() {
            let mut swapped = all.clone();
            swapped.swap(place, place + 1);
            emit(
                &format!("{section} swapped with the next"),
                assemble(&swapped),
            );
            let mut exchanged = *payloads;
            exchanged.swap(place, place + 1);
            emit(
                &format!("{section} exchanged with the next"),
                with(&exchanged, place, exchanged[place]),
            );
        }
    }
    let mut more = all.clone();
    more.push((10, b"more"));
    emit("a section added", assemble(&more));
}

/// Single bytes of a payload, and its ends.
fn bytes(payload: &[u8], effort: Effort, emit: &mut dyn FnMut(&str, Vec<u8>)) {
    for at in (0..payload.len()).step_by(effort.stride.max(1)) {
        emit(
            &format!(" flipped at byte {at} (low bit)"),
            flipped(payload, at, 0x01),
        );
        emit(
            &format!(" flipped at byte {at} (high bit)"),
            flipped(payload, at, 0x80),
        );
    }
    if let Some((_, cut)) = payload.split_last() {
        emit(" cut by a byte", cut.to_vec());
    }
    emit(" padded by a byte", [payload, &[0]].concat());
    // An unknown field, which protobuf itself would pass over.
    emit(
        " given an unknown field",
        [payload, &[0xfa, 0x3f, 1, 7]].concat(),
    );
}

/// One field of a protobuf message.
#[derive(Clone, PartialEq)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone, PartialEq)]
enum Value {
    Varint(u64),
    Bytes(Vec<u8>),
}

/// Each field of a message, and of the messages in it: dropped, doubled, swapped with its
/// neighbour, and its value changed.
fn fields(
    message: &[u8],
    path: &str,
    effort: Effort,
    depth: usize,
    emit: &mut dyn FnMut(&str, Vec<u8>),
) {
    let Some(all) = parse(message) else {
        return;
    };
    for (place, field) in all.iter().enumerate() {
        if !chosen(&all, place, effort) {
            continue;
        }
        let item = all[..place]
            .iter()
            .filter(|other| other.number == field.number)
            .count();
        let path = format!("{path}.{}[{item}]", field.number);
        let mut rebuilt = |what: &str, value: Value| {
            let mut changed = all.clone();
            changed[place].value = value;
            emit(what, encode(&changed));
        };
        match &field.value {
            Value::Varint(number) => {
                rebuilt(
                    &format!("{path} raised"),
                    Value::Varint(number.wrapping_add(1)),
                );
                rebuilt(&format!("{path} zeroed"), Value::Varint(0));
                rebuilt(&format!("{path} made huge"), Value::Varint(u64::MAX));
            }
            Value::Bytes(bytes) => {
                let mut changed = |what: &str, bytes: Vec<u8>| {
                    rebuilt(&format!("{path} {what}"), Value::Bytes(bytes));
                };
                if !bytes.is_empty() {
                    changed("flipped at its start", flipped(bytes, 0, 0x01));
                    changed(
                        "flipped in its middle",
                        flipped(bytes, bytes.len() / 2, 0x04),
                    );
                    changed("flipped at its end", flipped(bytes, bytes.len() - 1, 0x01));
                    changed("cut at its start", bytes[1..].to_vec());
                    changed("cut at its end", bytes[..bytes.len() - 1].to_vec());
                    changed("emptied", Vec::new());
                }
                changed("padded", [bytes.as_slice(), &[0]].concat());
                if depth < DEPTH_MAX {
                    let mut inner = |what: &str, bytes: Vec<u8>| rebuilt(what, Value::Bytes(bytes));
                    fields(bytes, &path, effort, depth + 1, &mut inner);
                }
            }
        }
        let mut dropped = all.clone();
        dropped.remove(place);
        emit(&format!("{path} dropped"), encode(&dropped));
        let mut doubled = all.clone();
        doubled.insert(place, field.clone());
        emit(&format!("{path} doubled"), encode(&doubled));
        if place + 1 < all.len() {
            let mut swapped = all.clone();
            swapped.swap(place, place + 1);
            emit(&format!("{path} swapped with the next"), encode(&swapped));
        }
    }
}

/// Whether the field is among the first of its number, or the last.
fn chosen(all: &[Field], place: usize, effort: Effort) -> bool {
    let same = |other: &&Field| other.number == all[place].number;
    let before = all[..place].iter().filter(same).count();
    let after = all[place + 1..].iter().filter(same).count();
    before < effort.repeated || after == 0
}

fn parse(mut message: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut message)?),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Value::Bytes(bytes.to_vec())
            }
            // Fixed-width fields stand in signed votes only, which the light block holds as bytes
            // of its own making; they are spoiled byte by byte.
            _ => return None,
        };
        if tag >> 3 == 0 {
            return None;
        }
        fields.push(Field {
            number: tag >> 3,
            value,
        });
    }
    (!fields.is_empty()).then_some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut message = Vec::new();
    for field in fields {
        match &field.value {
            Value::Varint(value) => {
                put_varint(&mut message, field.number << 3);
                put_varint(&mut message, *value);
            }
            Value::Bytes(bytes) => {
                put_varint(&mut message, field.number << 3 | 2);
                put_varint(&mut message, bytes.len() as u64);
                message.extend_from_slice(bytes);
            }
        }
    }
    message
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn flipped(bytes: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] ^= mask;
    changed
}

/// The file with one payload replaced, and a checksum that fits.
fn with(payloads: &[&[u8]; 9], place: usize, payload: &[u8]) -> Vec<u8> {
    let mut all: Vec<(u8, &[u8])> = Section::ALL
        .iter()
        .zip(payloads)
        .map(|(section, payload)| (section.tag(), *payload))
        .collect();
    all[place].1 = payload;
    assemble(&all)
}

fn assemble(sections: &[(u8, &[u8])]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    for (tag, payload) in sections {
        file.push(*tag);
        file.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        file.extend_from_slice(payload);
    }
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}
