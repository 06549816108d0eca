//! `validation`: all subjects of a relation or permission, each with the relations that hold it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    super::Run,
    expand::Expansion,
    found::{Found, FoundSet},
};
use crate::{
    relationship::{ObjectRef, Relationship},
    schema::Policy,
    spicedb::{ExpectedSubject, ExpectedSubjects, Subject},
};

pub(super) fn name(of: &ExpectedSubjects) -> String {
    format!("validation: {}#{}", of.resource, of.permission)
}

pub(super) fn run(
    run: &mut Run<'_>,
    policy: &Policy,
    all: &[Relationship],
    validation: &[ExpectedSubjects],
) {
    let mut expansion = Expansion::new(policy, all, run.setting.now);
    for of in validation {
        let object: Result<ObjectRef, _> = of.resource.to_string().parse();
        let found = object
            .map_err(|wrong| wrong.to_string())
            .and_then(|object| expansion.subjects(&object, &of.permission));
        match found {
            Ok(found) => compare(run, of, lines(&found)),
            Err(wrong) => {
                let place = run.place(of.position);
                run.broken(place, name(of), "its subjects", wrong);
            }
        }
    }
}

/// A subject as a line states it.
#[derive(PartialEq, Eq)]
struct Line {
    /// `[user:*[...] - {user:a}]`
    who: String,
    through: BTreeSet<String>,
}

impl core::fmt::Display for Line {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut joint = " is ";
        f.write_str(&self.who)?;
        for relation in &self.through {
            write!(f, "{joint}<{relation}>")?;
            joint = "/";
        }
        Ok(())
    }
}

/// What was found, by subject.
fn lines(found: &FoundSet) -> BTreeMap<String, Line> {
    let mut lines = BTreeMap::new();
    let mut add = |subject: String, found: &Found, exceptions: &str| {
        let caveat = if found.caveated { "[...]" } else { "" };
        let who = format!("[{subject}{caveat}{exceptions}]");
        let through = found.through.clone();
        lines.insert(subject, Line { who, through });
    };
    for (kind, of_type) in &found.0 {
        for (id, found) in &of_type.named {
            add(subject(kind, id), found, "");
        }
        if let Some(wildcard) = &of_type.wildcard {
            let exceptions = wildcard.exceptions.iter();
            let exceptions = exceptions.map(|(id, found)| (subject(kind, id), found.caveated));
            add(subject(kind, "*"), &wildcard.found, &without(exceptions));
        }
    }
    lines
}

/// `group:eng#member` of the type `group#member` and the id `eng`.
fn subject(kind: &str, id: &str) -> String {
    match kind.split_once('#') {
        None => format!("{kind}:{id}"),
        Some((definition, relation)) => format!("{definition}:{id}#{relation}"),
    }
}

/// ` - {user:a, user:b[...]}`
fn without(exceptions: impl Iterator<Item = (String, bool)>) -> String {
    let mut exceptions: Vec<String> = exceptions
        .map(|(subject, caveated)| match caveated {
            true => format!("{subject}[...]"),
            false => subject,
        })
        .collect();
    exceptions.sort();
    match exceptions.is_empty() {
        true => String::new(),
        false => format!(" - {{{}}}", exceptions.join(", ")),
    }
}

fn compare(run: &mut Run<'_>, of: &ExpectedSubjects, mut found: BTreeMap<String, Line>) {
    let name = name(of);
    if of.subjects.is_empty() && found.is_empty() {
        let place = run.place(of.position);
        return run.pass(place, name, "nobody".into());
    }
    for expected in &of.subjects {
        let place = run.place(expected.position);
        let Some(subject) = &expected.subject else {
            let why = "the line names no subject; write it in brackets, as `[user:tom]`";
            run.broken(place, name.as_str(), "a subject", why);
            continue;
        };
        let line = line(expected, subject);
        match found.remove(&subject.to_string()) {
            Some(got) if got == line => run.pass(place, name.clone(), line.to_string()),
            Some(got) => run.fail(place, name.clone(), line.to_string(), got.to_string(), ""),
            None => run.fail(place, name.clone(), line.to_string(), "nothing of it", ""),
        }
    }
    for got in found.values() {
        let place = run.place(of.position);
        let expected = "no other subject".into();
        run.fail(place, name.clone(), expected, got.to_string(), "");
    }
}

fn line(expected: &ExpectedSubject, subject: &Subject) -> Line {
    let caveat = if expected.caveated { "[...]" } else { "" };
    let exceptions = expected.exceptions.iter();
    let exceptions = without(exceptions.map(|(who, caveated)| (who.to_string(), *caveated)));
    let through = expected.through.iter();
    Line {
        who: format!("[{subject}{caveat}{exceptions}]"),
        through: through
            .map(|(object, relation)| format!("{object}#{relation}"))
            .collect(),
    }
}
