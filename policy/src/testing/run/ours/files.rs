//! The policy and the relationships of a test file, in it or beside it.

use alloc::{borrow::Cow, string::ToString};

use crate::{
    embedded::EmbeddedText,
    schema::{Policy, Position},
    testing::{
        read_relationships,
        run::{facts::Facts, Place, Run},
        PlacedRelationship, Source, TestFile,
    },
};

/// The text of a source, and how its places read.
pub(super) fn source<'a>(
    run: &mut Run<'_>,
    source: &'a Source,
) -> Option<(Cow<'a, str>, Placing<'a>)> {
    Some(match source {
        Source::Inline(text) => (Cow::Borrowed(text.text.as_str()), Placing::Inline(text)),
        Source::File { path, position } => {
            let text = run.read(path, *position)?;
            (Cow::Owned(text), Placing::File(path))
        }
    })
}

/// How places of a text read.
pub(super) enum Placing<'a> {
    Inline(&'a EmbeddedText),
    File(&'a str),
}

impl Placing<'_> {
    pub fn place(&self, run: &Run<'_>, position: Position) -> Place {
        match self {
            Self::Inline(text) => run.place(text.place(position)),
            Self::File(path) => Place {
                file: (*path).into(),
                position,
            },
        }
    }
}

pub(super) fn policy(run: &mut Run<'_>, of: &Source) -> Option<Policy> {
    let (text, placing) = source(run, of)?;
    match Policy::parse(&text) {
        Ok(policy) => Some(policy),
        Err(wrong) => {
            let place = placing.place(run, wrong.position);
            run.broken(place, "the policy", "a policy", wrong.message);
            None
        }
    }
}

pub(super) fn relationships(run: &mut Run<'_>, file: &TestFile, policy: &Policy) -> Option<Facts> {
    let Some((path, position)) = &file.relationships_file else {
        let place = |run: &Run<'_>, position| run.place(position);
        return facts(run, policy, &file.relationships, place);
    };
    let text = run.read(path, *position)?;
    let place = |position| Place {
        file: path.clone(),
        position,
    };
    match read_relationships(&text) {
        Ok(all) => facts(run, policy, &all, |_, position| place(position)),
        Err(wrong) => {
            let place = place(wrong.position);
            run.broken(place, "the relationships", "relationships", wrong.message);
            None
        }
    }
}

/// All of them, or none if one is refused; each that is refused is a failure.
pub(super) fn facts(
    run: &mut Run<'_>,
    policy: &Policy,
    all: &[PlacedRelationship],
    place: impl Fn(&Run<'_>, Position) -> Place,
) -> Option<Facts> {
    let mut facts = Facts::default();
    let mut refused = false;
    for found in all {
        if let Err(wrong) = facts.add(policy, &found.relationship) {
            let place = place(run, found.position);
            let name = found.relationship.to_string();
            run.broken(place, name, "a relationship of the policy", wrong);
            refused = true;
        }
    }
    (!refused).then_some(facts)
}
