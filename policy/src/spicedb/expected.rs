//! The `validation` of a validation file: every subject of a permission, each with the relations
//! through which it has it.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{refuse, ErrorClass, SpicedbError},
    relationship::{Cursor, Object, Subject},
};
use crate::{
    fields::{list, text, Placed},
    schema::Position,
    yaml::{error, Node, Value},
};

/// All subjects of one permission of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedSubjects {
    /// Where the question stands.
    pub position: Position,
    /// On what.
    pub resource: Object,
    /// Which relation or permission.
    pub permission: String,
    /// Who has it, and nobody else.
    pub subjects: Vec<ExpectedSubject>,
}

/// `[user:tom[...]] is <document:1#viewer>/<document:1#editor>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedSubject {
    /// Where the line stands.
    pub position: Position,
    /// Who; `None` where the line names nobody.
    pub subject: Option<Subject>,
    /// Whether a caveat decides.
    pub caveated: bool,
    /// Who is left out of a wildcard, and whether a caveat decides on that.
    pub exceptions: Vec<(Subject, bool)>,
    /// The relations that hold the subject.
    pub through: Vec<(Object, String)>,
}

pub(super) fn read_validation(node: Node) -> Result<Vec<ExpectedSubjects>, SpicedbError> {
    let entries = match node.value {
        Value::Null => Vec::new(),
        Value::Map(entries) => entries,
        Value::Text(_) | Value::List(_) => {
            let message =
                "`validation` is a map from `resource:id#permission` to a list of subjects";
            return Err(error(node.position, message).into());
        }
    };
    let mut all = Vec::new();
    for entry in entries {
        let mut cursor = Cursor {
            text: &entry.key,
            at: 0,
            start: entry.position,
        };
        let (resource, permission) = cursor.object_and_relation()?;
        if !cursor.rest().is_empty() {
            return Err(cursor.refuse("the question is `resource:id#permission`; remove this"));
        }
        let mut subjects = Vec::new();
        for item in list(entry.node, "what is expected")? {
            subjects.push(expected(text(item, "what is expected")?)?);
        }
        all.push(ExpectedSubjects {
            position: entry.position,
            resource,
            permission,
            subjects,
        });
    }
    Ok(all)
}

fn expected((text, position): Placed) -> Result<ExpectedSubject, SpicedbError> {
    let mut cursor = Cursor {
        text: &text,
        at: 0,
        start: position,
    };
    let mut expected = ExpectedSubject {
        position,
        subject: None,
        caveated: false,
        exceptions: Vec::new(),
        through: Vec::new(),
    };
    space(&mut cursor);
    if cursor.accept("[") {
        space(&mut cursor);
        let (subject, caveated) = with_caveat(&mut cursor)?;
        space(&mut cursor);
        if cursor.accept("-") {
            if !matches!(subject, Subject::Wildcard { .. }) {
                return Err(refuse(
                    position,
                    ErrorClass::Syntax,
                    format!("only a wildcard has exceptions, not {subject}"),
                ));
            }
            space(&mut cursor);
            cursor.expect("{", "`{` and the exceptions")?;
            loop {
                space(&mut cursor);
                expected.exceptions.push(with_caveat(&mut cursor)?);
                space(&mut cursor);
                if !cursor.accept(",") {
                    break;
                }
            }
            cursor.expect("}", "`,` or `}`")?;
            space(&mut cursor);
        }
        cursor.expect("]", "`]`")?;
        expected.subject = Some(subject);
        expected.caveated = caveated;
        space(&mut cursor);
        if cursor.rest().is_empty() {
            return Ok(expected);
        }
        cursor.expect("is", "`is` and relations in angle brackets")?;
    }
    loop {
        space(&mut cursor);
        cursor.expect("<", "`<` and a relation")?;
        expected.through.push(cursor.object_and_relation()?);
        cursor.expect(">", "`>`")?;
        space(&mut cursor);
        if !cursor.accept("/") {
            break;
        }
    }
    if !cursor.rest().is_empty() {
        return Err(cursor.refuse("`/` and another relation, or nothing, belongs here"));
    }
    Ok(expected)
}

fn space(cursor: &mut Cursor<'_>) {
    while cursor.accept(" ") {}
}

fn with_caveat(cursor: &mut Cursor<'_>) -> Result<(Subject, bool), SpicedbError> {
    let subject = cursor.subject()?;
    Ok((subject, cursor.accept("[...]")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn line(text: &str) -> Result<ExpectedSubject, SpicedbError> {
        expected((text.into(), Position { line: 1, column: 1 }))
    }

    #[test]
    fn lines_say_who_and_through_what() {
        for (text, subject, caveated, exceptions, through) in [
            ("[user:tom] is <document:1#viewer>", "user:tom", false, 0, 1),
            (
                "[user:tom[...]] is <document:1#viewer>/<group:g#member>",
                "user:tom",
                true,
                0,
                2,
            ),
            ("[user:tom#...]", "user:tom", false, 0, 0),
            (
                "[group:g#member] is <document:1#viewer>",
                "group:g#member",
                false,
                0,
                1,
            ),
            (
                "[user:* - {user:a, user:b[...]}] is <document:1#viewer>",
                "user:*",
                false,
                2,
                1,
            ),
            ("[user:*[...] - {user:a}]", "user:*", true, 1, 0),
        ] {
            let found = line(text).unwrap();
            assert_eq!(found.subject.unwrap().to_string(), subject);
            let rest = (found.caveated, found.exceptions.len(), found.through.len());
            assert_eq!(rest, (caveated, exceptions, through), "{text}");
        }
        assert!(line("<document:1#viewer>").unwrap().subject.is_none());
        for text in [
            "",
            "user:tom",
            "[user:tom",
            "[user:tom] is",
            "[user:tom] is document:1#viewer",
            "[user:tom] is <document:1>",
            "[user:tom - {user:a}]",
            "[user:* - {}]",
            "[user:* - {user:a]",
            "[user:tom] is <document:1#viewer> and more",
        ] {
            assert!(line(text).is_err(), "{text}");
        }
    }
}
