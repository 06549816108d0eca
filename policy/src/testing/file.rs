//! The file: what stands under which key.

use alloc::{format, string::String, vec::Vec};

use super::{
    check::{read_checks, read_time, Answer, Around, Check},
    context::{read_context, Context},
    lookup::{read_objects, read_subjects, LookupObjects, LookupSubjects},
    relationships::{read_list, PlacedRelationship},
};
use crate::{
    embedded::EmbeddedText,
    fields::{list, map, needed, text},
    limits::TEST_FILE_BYTES_MAX,
    name::excerpt,
    schema::{PolicyError, Position},
    yaml::{self, error, Entry, Node},
};

const KIND: yaml::Kind = yaml::Kind {
    what: "the test file",
    needs: "`policy` and `tests`",
    bytes_max: TEST_FILE_BYTES_MAX,
    tabs: true,
};

const KEYS: [&str; 8] = [
    "policy",
    "policy_file",
    "relationships",
    "relationships_file",
    "time",
    "tests",
    "theorems",
    "theorems_file",
];

const TEST_KEYS: [&str; 10] = [
    "name",
    "time",
    "context",
    "with",
    "check",
    "allow",
    "deny",
    "conditional",
    "objects",
    "subjects",
];

/// A text that stands in the file, or in another one that the caller reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the file.
    Inline(EmbeddedText),
    /// In another one.
    File {
        /// Its path, as written.
        path: String,
        /// Where it is named.
        position: Position,
    },
}

/// A test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFile {
    /// `policy` or `policy_file`.
    pub policy: Source,
    /// `relationships`.
    pub relationships: Vec<PlacedRelationship>,
    /// `relationships_file`: its path and where it is named; for [`super::read_relationships`].
    pub relationships_file: Option<(String, Position)>,
    /// `time`: when everything is asked that names no other time; the questions of `tests` have it
    /// already.
    pub time: Option<String>,
    /// `tests`, in the order of the file.
    pub tests: Vec<Test>,
    /// `theorems` or `theorems_file`, in the notation of acp.
    pub theorems: Option<Source>,
}

/// One test. All of its questions are asked of the file's relationships together with its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Where it stands.
    pub position: Position,
    /// What it says; no two tests say the same.
    pub name: String,
    /// `with`: relationships that hold for this test only.
    pub with: Vec<PlacedRelationship>,
    /// `check`, `allow`, `deny`, `conditional`, in the order of the file.
    pub checks: Vec<Check>,
    /// `objects`.
    pub objects: Vec<LookupObjects>,
    /// `subjects`.
    pub subjects: Vec<LookupSubjects>,
}

impl TestFile {
    /// Reads a test file.
    ///
    /// # Errors
    /// [`PolicyError`] names the first thing that is wrong, its place in the file, and what to write
    /// instead. The policy and the theorems are not read yet.
    pub fn parse(file: &str) -> Result<Self, PolicyError> {
        let root = yaml::read_as(file, &KIND)?;
        let start = root.position;
        let (mut policy, mut theorems) = (None, None);
        let (mut relationships, mut relationships_file) = (None, None);
        let (mut time, mut tests) = (None, None);
        for entry in map(root, "a test file", &KEYS)? {
            let Entry {
                key,
                position,
                node,
            } = entry;
            match key.as_str() {
                "policy" | "policy_file" => once(&mut policy, source(file, &key, node)?, position)?,
                "theorems" | "theorems_file" => {
                    once(&mut theorems, source(file, &key, node)?, position)?;
                }
                "relationships" => relationships = Some(read_list(file, node)?),
                "relationships_file" => {
                    relationships_file = Some(text(node, "`relationships_file`")?);
                }
                "time" => time = Some(read_time(node)?),
                _ => tests = Some(node),
            }
        }
        if let (Some(_), Some((_, position))) = (&relationships, &relationships_file) {
            return Err(second(*position));
        }
        let mut read = Vec::new();
        if let Some(tests) = tests {
            read = read_tests(file, tests, time.as_deref())?;
        }
        if read.is_empty() && theorems.is_none() {
            return Err(error(
                start,
                "this file tests nothing; add `tests` or `theorems`",
            ));
        }
        Ok(Self {
            policy: needed(policy, start, "a test file", "policy")?,
            relationships: relationships.unwrap_or_default(),
            relationships_file,
            time,
            tests: read,
            theorems,
        })
    }
}

fn source(file: &str, key: &str, node: Node) -> Result<Source, PolicyError> {
    let (text, position) = text(node, &format!("`{key}`"))?;
    Ok(if key.ends_with("_file") {
        Source::File {
            path: text,
            position,
        }
    } else {
        Source::Inline(EmbeddedText::new(file, (text, position)))
    })
}

fn once<T>(place: &mut Option<T>, found: T, position: Position) -> Result<(), PolicyError> {
    match place.replace(found) {
        None => Ok(()),
        Some(_) => Err(second(position)),
    }
}

fn second(position: Position) -> PolicyError {
    error(
        position,
        "the same is given twice, in the file and in another one; remove one of the two keys",
    )
}

fn read_tests(file: &str, node: Node, time: Option<&str>) -> Result<Vec<Test>, PolicyError> {
    let mut tests: Vec<Test> = Vec::new();
    let mut names = alloc::collections::BTreeSet::new();
    for item in list(node, "`tests`")? {
        let test = read_test(file, item, time)?;
        if !names.insert(test.name.clone()) {
            let name = excerpt(&test.name);
            return Err(error(
                test.position,
                format!("there is a test {name:?} already; rename one"),
            ));
        }
        tests.push(test);
    }
    Ok(tests)
}

fn read_test(file: &str, node: Node, time: Option<&str>) -> Result<Test, PolicyError> {
    let position = node.position;
    let (mut name, mut own_time, mut context) = (None, None, Context::default());
    let mut test = Test {
        position,
        name: String::new(),
        with: Vec::new(),
        checks: Vec::new(),
        objects: Vec::new(),
        subjects: Vec::new(),
    };
    // Time and context hold for all questions, also for those that stand before them.
    let mut questions = Vec::new();
    for entry in map(node, "a test", &TEST_KEYS)? {
        match entry.key.as_str() {
            "name" => name = Some(text(entry.node, "`name`")?.0),
            "time" => own_time = Some(read_time(entry.node)?),
            "context" => context = read_context(entry.node)?,
            "with" => test.with = read_list(file, entry.node)?,
            _ => questions.push(entry),
        }
    }
    let around = Around {
        context: &context,
        time: own_time.as_deref().or(time),
    };
    for Entry { key, node, .. } in questions {
        let what = format!("`{key}`");
        let answer = match key.as_str() {
            "objects" => {
                test.objects = read_objects(node, &around)?;
                continue;
            }
            "subjects" => {
                test.subjects = read_subjects(node, &around)?;
                continue;
            }
            "allow" => Some(Answer::Allow),
            "deny" => Some(Answer::Deny),
            "conditional" => Some(Answer::Conditional),
            _ => None,
        };
        test.checks
            .extend(read_checks(node, &what, answer, &around)?);
    }
    test.name = needed(name, position, "this test", "name")?;
    if test.checks.is_empty() && test.objects.is_empty() && test.subjects.is_empty() {
        let name = excerpt(&test.name);
        return Err(error(
            position,
            format!("test {name:?} asks nothing; add `check`, `allow`, `deny`, `conditional`, `objects` or `subjects`"),
        ));
    }
    Ok(test)
}
