//! Checks of names. They repeat the policy language's rules: what could not stand in a policy
//! cannot stand in a commit, yet this crate knows no policies.

use alloc::string::String;

use crate::{
    codec::excerpt,
    limits::{FIELD_NAME_BYTES_MAX, NAME_BYTES_MAX, OBJECT_ID_BYTES_MAX},
    Error,
};

/// Checks the name of a resource, collection or permission:
/// `[A-Za-z_]([A-Za-z0-9_./-]*[A-Za-z0-9_])?`, at most [`NAME_BYTES_MAX`] bytes.
pub(crate) fn check_name(what: &'static str, text: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (first, last) = (text.bytes().next(), text.bytes().last());
    let good = text.len() <= NAME_BYTES_MAX
        && first.is_some_and(|byte| plain(byte) && !byte.is_ascii_digit())
        && last.is_some_and(plain)
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'.' | b'/' | b'-'));
    good.then_some(()).ok_or_else(|| Error::Name {
        what,
        text: excerpt(text),
    })
}

/// Checks an object id: visible ASCII without `#` and quotes, and not `*`, which stands for every
/// object.
pub(crate) fn check_object_id(text: &str) -> Result<(), Error> {
    let good = (1..=OBJECT_ID_BYTES_MAX).contains(&text.len())
        && text != "*"
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#\"'".contains(&byte));
    good.then_some(()).ok_or_else(|| Error::ObjectId {
        text: excerpt(text),
    })
}

/// Checks a field name: 1 to [`FIELD_NAME_BYTES_MAX`] bytes without control characters.
pub(crate) fn check_field(text: &str) -> Result<(), Error> {
    let good =
        (1..=FIELD_NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    good.then_some(()).ok_or_else(|| Error::FieldName {
        text: excerpt(text),
    })
}

/// Checks that a list is sorted and names nothing twice.
pub(crate) fn check_sorted<T: Ord>(what: &'static str, items: &[T]) -> Result<(), Error> {
    if items.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(())
    } else {
        Err(Error::NotSorted { what })
    }
}

/// Checks a number of entries or bytes against its bound.
pub(crate) fn check_max(what: &'static str, found: usize, max: usize) -> Result<(), Error> {
    if found <= max {
        Ok(())
    } else {
        Err(Error::TooLarge { what, found, max })
    }
}

/// Joins names for a message.
pub(crate) fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for name in names {
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(name);
    }
    joined
}
