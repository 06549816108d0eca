//! What the native language says of names, as far as translating to and from it must know it
//! (docs/spec/policy.md §1).

use crate::limits::{NATIVE_NAME_BYTES_MAX, OBJECT_ID_BYTES_MAX};

/// Whether `name` can name a resource, relation, permission or condition.
pub(super) fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let starts = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let ends = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    bytes.first().is_some_and(starts)
        && bytes.last().is_some_and(ends)
        && bytes.len() <= NATIVE_NAME_BYTES_MAX
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(byte))
}

/// Whether `name` can name a parameter of a condition: CEL has to read it.
pub(super) fn is_parameter(name: &str) -> bool {
    is_name(name)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether `id` can name an object of a resource.
pub(super) fn is_object_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'\'');
    !id.is_empty() && id.len() <= OBJECT_ID_BYTES_MAX && id != "*" && id.bytes().all(fits)
}

/// Whether `text` is an actor.
pub(super) fn is_actor(text: &str) -> bool {
    crate::name::is_actor(text.as_bytes())
}
