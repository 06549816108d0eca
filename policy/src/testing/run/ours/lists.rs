//! Questions for lists.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{circumstances, name, words, Place, Run};
use crate::{
    ask::{lookup_objects, Decided},
    limits::Limits,
    question::{Circumstances, Decision},
    relationship::ObjectRef,
    relationships::Reverse,
    testing::{
        run::subjects::{kinds, subjects, Found},
        ExpectedSubject, LookupObjects, LookupSubjects, Test,
    },
};

/// A list as a file states it, or as it was found.
struct Lists {
    allowed: Vec<String>,
    /// `None`: it is not looked at.
    conditional: Option<Vec<String>>,
}

impl Lists {
    fn in_words(&self) -> String {
        let allowed = words::list(&self.allowed);
        match &self.conditional {
            None => allowed,
            Some(conditional) => {
                format!("{allowed}, conditional {}", words::list(conditional))
            }
        }
    }
}

pub(super) fn ask(run: &mut Run<'_>, world: &dyn Reverse, test: &Test) {
    for asked in &test.objects {
        let (place, name) = (run.place(asked.position), name_of_objects(test, asked));
        let found = circumstances(run, asked.time.as_deref(), &asked.context)
            .and_then(|circumstances| objects(world, asked, &circumstances));
        compare(run, place, name, expected_objects(asked), found);
    }
    for asked in &test.subjects {
        let (place, name) = (run.place(asked.position), name_of_subjects(test, asked));
        let found = circumstances(run, asked.time.as_deref(), &asked.context)
            .and_then(|circumstances| who(world, asked, &circumstances));
        compare(run, place, name, expected_subjects(asked), found);
    }
}

pub(super) fn skip(run: &mut Run<'_>, test: &Test, why: &str) {
    for asked in &test.objects {
        let (place, name) = (run.place(asked.position), name_of_objects(test, asked));
        run.skip(place, name, expected_objects(asked).in_words(), why);
    }
    for asked in &test.subjects {
        let (place, name) = (run.place(asked.position), name_of_subjects(test, asked));
        run.skip(place, name, expected_subjects(asked).in_words(), why);
    }
}

fn compare(
    run: &mut Run<'_>,
    place: Place,
    name: String,
    expected: Lists,
    found: Result<Lists, String>,
) {
    let mut found = match found {
        Ok(found) => found,
        Err(wrong) => return run.fail(place, name, expected.in_words(), "an error", wrong),
    };
    let mut why = words::difference(&expected.allowed, &found.allowed);
    match (&expected.conditional, &found.conditional) {
        (Some(expected), Some(found)) if why.is_empty() => {
            why = words::difference(expected, found);
        }
        _ => {}
    }
    if expected.conditional.is_none() {
        found.conditional = None;
    }
    match why.is_empty() {
        true => run.pass(place, name, expected.in_words()),
        false => run.fail(place, name, expected.in_words(), found.in_words(), why),
    }
}

fn name_of_objects(test: &Test, asked: &LookupObjects) -> String {
    let LookupObjects {
        subject,
        permission,
        resource,
        ..
    } = asked;
    let question = format!("objects {resource}#{permission}@{subject}");
    name(test, &question, &asked.context)
}

fn name_of_subjects(test: &Test, asked: &LookupSubjects) -> String {
    let LookupSubjects {
        object, permission, ..
    } = asked;
    let mut question = format!("subjects {object}#{permission}");
    if let Some(kind) = &asked.kind {
        question = format!("{question} of {kind}");
    }
    name(test, &question, &asked.context)
}

fn expected_objects(asked: &LookupObjects) -> Lists {
    let texts = |all: &Vec<ObjectRef>| sorted(all.iter().map(ToString::to_string));
    Lists {
        allowed: texts(&asked.allowed),
        conditional: asked.conditional.as_ref().map(texts),
    }
}

fn expected_subjects(asked: &LookupSubjects) -> Lists {
    let text = |who: &ExpectedSubject| {
        let found = Found {
            subject: who.subject.clone(),
            except: who.except.clone(),
        };
        found.to_string()
    };
    let texts = |all: &Vec<ExpectedSubject>| sorted(all.iter().map(text));
    Lists {
        allowed: texts(&asked.allowed),
        conditional: asked.conditional.as_ref().map(texts),
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = texts.collect();
    all.sort();
    all
}

fn objects(
    world: &dyn Reverse,
    asked: &LookupObjects,
    circumstances: &Circumstances,
) -> Result<Lists, String> {
    let resource = asked.resource.as_str();
    let found = lookup_objects(
        world,
        &asked.subject,
        &asked.permission,
        resource,
        circumstances,
        Limits::LOOKUP,
        None,
        usize::MAX,
    );
    let found = found.map_err(|wrong| wrong.to_string())?;
    let text = |id: &Cow<'_, str>| format!("{resource}:{id}");
    let conditional = found.conditional.iter().map(|(id, _)| text(id));
    Ok(Lists {
        allowed: sorted(found.allowed.iter().map(text)),
        conditional: Some(sorted(conditional)),
    })
}

fn who(
    world: &dyn Reverse,
    asked: &LookupSubjects,
    circumstances: &Circumstances,
) -> Result<Lists, String> {
    let (mut allowed, mut conditional) = (Vec::new(), Vec::new());
    for kind in kinds(world.policy(), asked.kind.as_deref())? {
        let found = subjects(world, &asked.object, &asked.permission, kind, circumstances)?;
        for (found, Decided { decision, .. }) in found {
            match decision {
                Decision::Allow => allowed.push(found.to_string()),
                Decision::Conditional => conditional.push(found.to_string()),
                Decision::Deny => {}
            }
        }
    }
    Ok(Lists {
        allowed: sorted(allowed.into_iter()),
        conditional: Some(sorted(conditional.into_iter())),
    })
}
