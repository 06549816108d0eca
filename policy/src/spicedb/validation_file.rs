//! Validation files: a schema, relationships, and what must come out of them.
//!
//! The format is that of `zed validate` and of SpiceDB's own tests. Unknown keys are errors here,
//! because a misspelt `assertions` would test nothing; keys that begin with `x_` are others' and are
//! passed over, but for `x_lookups`, which states the answers of lookups.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    context,
    error::{refuse, ErrorClass, SpicedbError},
    expected::{read_validation, ExpectedSubjects},
    lookups::{read_lookups, Lookups},
    relationship::Relationship,
};
use crate::{
    embedded::EmbeddedText,
    fields::{list, map, optional_text, text, Placed},
    limits::TEST_FILE_BYTES_MAX,
    places::Places,
    schema::Position,
    yaml::{self, Node, Value},
};

const KIND: yaml::Kind = yaml::Kind {
    what: "the validation file",
    needs: "`schema`",
    bytes_max: TEST_FILE_BYTES_MAX,
    tabs: true,
};

const KEYS: [&str; 6] = [
    "schema",
    "schemaFile",
    "relationships",
    "assertions",
    "validation",
    "x_lookups",
];

/// A validation file.
#[derive(Clone, Debug, Default)]
pub struct ValidationFile {
    /// `schema`: its text, as YAML gives it.
    pub schema: Option<EmbeddedText>,
    /// `schemaFile`: the path of the schema, and where it is named. The caller reads it.
    pub schema_file: Option<(String, Position)>,
    /// `relationships`, with their places in the file.
    pub relationships: Vec<Relationship>,
    /// `assertions`, in the order of the file.
    pub assertions: Vec<Assertion>,
    /// `validation`: all subjects of a permission.
    pub validation: Vec<ExpectedSubjects>,
    /// `x_lookups`.
    pub lookups: Lookups,
}

/// What a check must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `assertTrue`
    True,
    /// `assertFalse`
    False,
    /// `assertCaveated`: it depends on what the context does not say.
    Caveated,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// What must come out.
    pub verdict: Verdict,
    /// The question: whether the subject has the relation or permission on the resource.
    pub question: Relationship,
    /// A JSON object, without space between its parts.
    pub context: Option<String>,
}

impl ValidationFile {
    /// Reads a validation file.
    ///
    /// # Errors
    /// [`SpicedbError`] with a place in the file. The schema is not read yet.
    pub fn parse(file: &str) -> Result<Self, SpicedbError> {
        let root = yaml::read_as(file, &KIND)?;
        let position = root.position;
        let mut read = Self::default();
        for entry in map_but_extras(root)? {
            match entry.key.as_str() {
                "schema" => {
                    let found = optional_text(entry.node, "`schema`")?;
                    read.schema = found.map(|found| EmbeddedText::new(file, found));
                }
                "schemaFile" => read.schema_file = optional_text(entry.node, "`schemaFile`")?,
                "relationships" => {
                    if let Some(found) = optional_text(entry.node, "`relationships`")? {
                        read.relationships = relationships(file, &found)?;
                    }
                }
                "assertions" => read.assertions = assertions(entry.node)?,
                "validation" => read.validation = read_validation(entry.node)?,
                _ => read.lookups = read_lookups(entry.node)?,
            }
        }
        match (&read.schema, &read.schema_file) {
            (Some(_), Some((_, position))) => Err(refuse(
                *position,
                ErrorClass::Doubled,
                "there is a `schema` already; remove one of the two",
            )),
            (None, None) => Err(refuse(
                position,
                ErrorClass::Syntax,
                "there is neither `schema` nor `schemaFile`; write one",
            )),
            _ => Ok(read),
        }
    }
}

fn map_but_extras(mut root: Node) -> Result<Vec<yaml::Entry>, SpicedbError> {
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|entry| !entry.key.starts_with("x_") || entry.key == "x_lookups");
    }
    Ok(map(root, "a validation file", &KEYS)?)
}

fn relationships(file: &str, (text, start): &Placed) -> Result<Vec<Relationship>, SpicedbError> {
    let places = Places::new(file, *start, text);
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    let mut offset = 0;
    for line in text.split('\n') {
        let at = offset + line.len() - line.trim_start().len();
        offset += line.len() + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let relationship = Relationship::parse_at(line, places.at(at))?;
        let facts = Relationship {
            caveat: None,
            expiration: None,
            ..relationship.clone()
        };
        if !seen.insert(facts.to_string()) {
            return Err(refuse(
                relationship.position,
                ErrorClass::Doubled,
                "this relationship stands here for the second time; remove one",
            ));
        }
        all.push(relationship);
    }
    Ok(all)
}

fn assertions(node: Node) -> Result<Vec<Assertion>, SpicedbError> {
    let keys = ["assertTrue", "assertFalse", "assertCaveated"];
    let mut all = Vec::new();
    for entry in map(node, "`assertions`", &keys)? {
        let verdict = match entry.key.as_str() {
            "assertTrue" => Verdict::True,
            "assertFalse" => Verdict::False,
            _ => Verdict::Caveated,
        };
        for item in list(entry.node, &format!("`{}`", entry.key))? {
            all.push(assertion(verdict, text(item, "an assertion")?)?);
        }
    }
    Ok(all)
}

/// `document:1#view@user:tom with {"a":1}`.
fn assertion(verdict: Verdict, (text, position): Placed) -> Result<Assertion, SpicedbError> {
    let (facts, json) = match text.split_once(" with ") {
        Some((facts, json)) => (facts, Some(json)),
        None => (text.as_str(), None),
    };
    let question = Relationship::parse_at(facts, position)?;
    let wrong = |message| Err(refuse(position, ErrorClass::Syntax, message));
    if question.caveat.is_some() || question.expiration.is_some() {
        return wrong(
            "an assertion asks, so it has no caveat of its own; give the context behind `with`"
                .to_string(),
        );
    }
    let context = match json.map(str::trim) {
        None => None,
        Some(json) => match context::object(json) {
            Ok((written, length)) if length == json.len() => Some(written),
            Ok(_) => return wrong("behind the context nothing follows; remove it".to_string()),
            Err(message) => {
                return wrong(format!(
                    "{message}; write the context as `with {{\"name\": value}}`"
                ))
            }
        },
    };
    Ok(Assertion {
        verdict,
        question,
        context,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_in_a_file_has_its_place() {
        let file = "\
---
# comment
schema: >-
  use self

  definition user {
  \trelation friend: user
    permission me = self
  }
relationships: >-
  user:a#friend@user:b

  user:a#friend@user:c[cav]

assertions:
  assertTrue:
    - \"user:a#me@user:a\"
  assertCaveated:
  - 'user:a#me@user:a with {\"x\": 1}'
  assertFalse: null
validation:
x_other: {a: b}
";
        let read = ValidationFile::parse(file).unwrap();
        let lines: Vec<_> = read.relationships.iter().map(|r| r.position.line).collect();
        assert_eq!(lines, [11, 13]);
        let verdicts: Vec<_> = read
            .assertions
            .iter()
            .map(|a| (a.verdict, a.question.position.line))
            .collect();
        assert_eq!(verdicts, [(Verdict::True, 17), (Verdict::Caveated, 19)]);
        assert_eq!(read.assertions[1].context.as_deref(), Some("{\"x\":1}"));
        let schema = read.schema.unwrap();
        let line = schema
            .text
            .lines()
            .position(|line| line.contains("friend"))
            .unwrap();
        let inner = Position {
            line: line + 1,
            column: 2,
        };
        assert_eq!(schema.place(inner), Position { line: 7, column: 4 });
    }

    #[test]
    fn what_is_no_validation_file_is_refused_with_its_place() {
        for (file, expected) in [
            ("relationships: \"\"\n", "line 1, column 1: there is neither"),
            ("schema: a\nschemaFile: b\n", "line 2, column 13: there is a `schema` already"),
            ("schema: a\nasertions: {}\n", "line 2, column 1: a validation file has no key \"asertions\"; did you mean \"assertions\"?"),
            ("schema: a\nassertions: {assertMaybe: []}\n", "`assertions` has no key"),
            ("schema: a\nassertions: {assertTrue: a}\n", "is a list"),
            ("schema: a\nassertions: {assertTrue: ['a:b#c']}\n", "line 2, column 33: `@` and the subject"),
            ("schema: a\nassertions: {assertTrue: ['a:b#c@d:e with x']}\n", "not closed"),
            ("schema: a\nassertions: {assertTrue: ['a:b#c@d:e[f]']}\n", "no caveat of its own"),
            ("schema: a\nrelationships: |\n  a:b#c@d:e\n  a:b#c@d:e[f]\n", "line 4, column 3: this relationship stands here for the second time"),
            ("schema: a\nrelationships: |\n  a:b#c@d:e\n    a:b#c\n", "line 4, column 10"),
        ] {
            let failure = ValidationFile::parse(file).expect_err(file).to_string();
            assert!(failure.contains(expected), "{file:?} gave {failure:?}");
        }
    }
}
