//! Just enough of an XML reader to tell whether a text is well-formed (XML 1.0 §2.1, without DTDs).

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// A name, and attributes with their values.
pub type Element = (String, Vec<(String, String)>);

/// The elements of `text` with their attributes, in order; or what is wrong with it.
pub fn elements(text: &str) -> Result<Vec<Element>, String> {
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap_or(text);
    let mut roots = 0;
    while let Some(at) = rest.find('<') {
        text_is_clean(&rest[..at])?;
        if open.is_empty() && !rest[..at].trim().is_empty() {
            return Err(format!("text outside of the root: {}", &rest[..at]));
        }
        let end = rest[at..].find('>').ok_or("a tag does not end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (tag, empty) = tag
            .strip_suffix('/')
            .map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("<{tag}> is no tag"));
        }
        roots += usize::from(open.is_empty());
        let attributes = read_attributes(attributes)?;
        found.push((name.to_string(), attributes));
        if !empty {
            open.push(name.to_string());
        }
    }
    if !rest.trim().is_empty() || !open.is_empty() || roots != 1 {
        return Err(format!("ends with {rest:?}, {open:?} open, {roots} roots"));
    }
    Ok(found)
}

fn read_attributes(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let (name, more) = rest
            .split_once("=\"")
            .ok_or_else(|| format!("{rest:?} is no attribute"))?;
        let (value, more) = more
            .split_once('"')
            .ok_or_else(|| format!("{more:?} does not end"))?;
        text_is_clean(value)?;
        if found.iter().any(|(other, _)| other == name)
            || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        {
            return Err(format!("attribute {name:?}"));
        }
        found.push((name.to_string(), value.to_string()));
        rest = more.strip_prefix(' ').unwrap_or(more);
    }
    Ok(found)
}

/// References are those of XML itself, and characters are those that it has.
fn text_is_clean(text: &str) -> Result<(), String> {
    for part in text.split('&').skip(1) {
        let name = part.split(';').next().unwrap_or_default();
        if !["amp", "lt", "gt", "quot", "#39"].contains(&name) {
            return Err(format!("&{name} is no reference"));
        }
    }
    match text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || *c == '<'
            || *c == '>'
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    }) {
        Some(character) => Err(format!("{character:?} in {text:?}")),
        None => Ok(()),
    }
}

#[test]
fn the_reader_tells_good_from_bad() {
    assert!(elements("<a b=\"1\" c=\"&lt;\"><d/>x</a>\n").is_ok());
    for bad in [
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a b=1/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>&x;</a>",
        "x<a/>",
        "<a>\u{1}</a>",
        "<a b=\"<\"/>",
    ] {
        assert!(elements(bad).is_err(), "{bad}");
    }
}
