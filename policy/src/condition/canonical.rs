//! Canonical bytes of contexts: a tag before each value, LEB128 lengths, names in order. The decoder
//! takes exactly what the encoder gives, so a context has one hash wherever it is recorded.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};

use super::{Double, Value};
use crate::{
    codec::{write_bytes, write_number, Decoder},
    limits::CONTEXT_DEPTH_MAX,
};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NOT_NEGATIVE: u8 = 3;
const NEGATIVE: u8 = 4;
const DOUBLE: u8 = 5;
const STRING: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

/// Appends the number of fields, then each name and value.
pub(super) fn write_fields(into: &mut Vec<u8>, fields: &BTreeMap<String, Value>) {
    write_number(into, fields.len() as u64);
    for (name, value) in fields {
        write_bytes(into, name.as_bytes());
        write_value(into, value);
    }
}

fn write_value(into: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => into.push(NULL),
        Value::Bool(false) => into.push(FALSE),
        Value::Bool(true) => into.push(TRUE),
        Value::Int(number) => match u64::try_from(*number) {
            Ok(number) => write_integer(into, NOT_NEGATIVE, number),
            Err(_) => write_integer(into, NEGATIVE, !*number as u64),
        },
        Value::Uint(number) => write_integer(into, NOT_NEGATIVE, *number),
        Value::Double(number) => {
            into.push(DOUBLE);
            into.extend_from_slice(&number.bits().to_be_bytes());
        }
        Value::String(text) => {
            into.push(STRING);
            write_bytes(into, text.as_bytes());
        }
        Value::List(values) => {
            into.push(LIST);
            write_number(into, values.len() as u64);
            for value in values {
                write_value(into, value);
            }
        }
        Value::Map(fields) => {
            into.push(MAP);
            write_fields(into, fields);
        }
    }
}

fn write_integer(into: &mut Vec<u8>, tag: u8, number: u64) {
    into.push(tag);
    write_number(into, number);
}

/// Reads the fields of a context, which `bytes` hold and nothing else.
pub(super) fn read_fields(bytes: &[u8]) -> Result<BTreeMap<String, Value>, &'static str> {
    let mut decoder = Decoder::new(bytes);
    let fields = fields(&mut decoder, 1)?;
    decoder.end()?;
    Ok(fields)
}

/// Fields whose lists and maps are `depth` deep; the recursion ends at the bound.
fn fields(
    decoder: &mut Decoder<'_>,
    depth: usize,
) -> Result<BTreeMap<String, Value>, &'static str> {
    let count = decoder.number()?;
    let mut fields = BTreeMap::new();
    for _ in 0..count {
        let name = decoder.text()?;
        let last = fields
            .last_key_value()
            .map(|(last, _): (&String, _)| last.as_str());
        if last.is_some_and(|last| last >= name) {
            return Err("names are not in order");
        }
        let value = value(decoder, depth)?;
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

fn value(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, &'static str> {
    Ok(match decoder.byte()? {
        LIST | MAP if depth > CONTEXT_DEPTH_MAX => return Err("values nest too deep"),
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        NOT_NEGATIVE => {
            let number = decoder.number()?;
            i64::try_from(number).map_or(Value::Uint(number), Value::Int)
        }
        NEGATIVE => {
            let number = i64::try_from(decoder.number()?);
            Value::Int(!number.map_err(|_| "a number does not fit 64 bits")?)
        }
        DOUBLE => {
            let mut bits = 0;
            for _ in 0..8 {
                bits = bits << 8 | u64::from(decoder.byte()?);
            }
            let number = Double::from_bits(bits);
            Value::Double(number.ok_or("a double is not finite, or the negative zero")?)
        }
        STRING => Value::String(decoder.text()?.to_owned()),
        LIST => {
            let count = decoder.number()?;
            let mut values = Vec::new();
            for _ in 0..count {
                values.push(value(decoder, depth + 1)?);
            }
            Value::List(values)
        }
        MAP => Value::Map(fields(decoder, depth + 1)?),
        _ => return Err("a value has an unknown tag"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Context;

    #[test]
    fn bytes_are_as_the_specification_shows_them() {
        let context = Context::from_json(
            r#"{"b":[true,null,-1,"é"],"a":{"x":300,"y":0.5},"c":18446744073709551615}"#,
        )
        .unwrap();
        let expected = [
            &[3][..],
            &[
                1,
                b'a',
                MAP,
                2,
                1,
                b'x',
                NOT_NEGATIVE,
                0xac,
                2,
                1,
                b'y',
                DOUBLE,
                0x3f,
                0xe0,
                0,
                0,
                0,
                0,
                0,
                0,
            ],
            &[
                1, b'b', LIST, 4, TRUE, NULL, NEGATIVE, 0, STRING, 2, 0xc3, 0xa9,
            ],
            &[
                1,
                b'c',
                NOT_NEGATIVE,
                255,
                255,
                255,
                255,
                255,
                255,
                255,
                255,
                255,
                1,
            ],
        ]
        .concat();
        assert_eq!(context.encode(), expected);
    }

    #[test]
    fn every_other_form_is_refused() {
        for bytes in [
            &[][..],
            &[1],
            &[0, 0],
            &[0x80, 0],
            &[1, 1, b'a'],
            &[1, 1, b'a', 9],
            &[1, 1, 0xff, NULL],
            &[2, 1, b'b', NULL, 1, b'a', NULL],
            &[2, 1, b'a', NULL, 1, b'a', NULL],
            &[
                1, 1, b'a', NEGATIVE, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1,
            ],
            &[1, 1, b'a', DOUBLE, 0x80, 0, 0, 0, 0, 0, 0, 0],
            &[1, 1, b'a', DOUBLE, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
            &[1, 1, b'a', DOUBLE, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
            &[1, 1, b'a', DOUBLE, 0x3f],
            &[
                1, 1, b'a', LIST, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1,
            ],
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            assert!(Context::decode(bytes).is_err(), "{bytes:?}");
        }
        // A list in a list in a list …
        let mut deep = alloc::vec![1, 1, b'a'];
        deep.extend([LIST, 1].repeat(2000));
        deep.push(NULL);
        assert!(Context::decode(&deep).is_err());
    }
}
