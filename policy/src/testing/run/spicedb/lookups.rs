//! `x_lookups`: on which objects, and who, by ids or by how many there are.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::super::{subjects::subjects, words, Run};
use crate::{
    ask::{lookup_objects, Wanted},
    limits::Limits,
    name::NameError,
    question::{Circumstances, Decision},
    relationship::{ObjectRef, Subject},
    relationships::Reverse,
    schema::Position,
    spicedb::{ExpectedIds, LookupResources, LookupSubjects, Lookups},
};

pub(super) fn ask(run: &mut Run<'_>, world: &dyn Reverse, lookups: &Lookups) {
    let circumstances = Circumstances::at(run.setting.now);
    for asked in &lookups.resources {
        let found = resources(world, asked, &circumstances);
        compare(
            run,
            asked.position,
            name_of_resources(asked),
            &asked.expected,
            found,
        );
    }
    for asked in &lookups.subjects {
        let found = who(world, asked, &circumstances);
        compare(
            run,
            asked.position,
            name_of_subjects(asked),
            &asked.expected,
            found,
        );
    }
}

pub(super) fn skip(run: &mut Run<'_>, lookups: &Lookups, why: &str) {
    for asked in &lookups.resources {
        let place = run.place(asked.position);
        run.skip(
            place,
            name_of_resources(asked),
            expected(&asked.expected),
            why,
        );
    }
    for asked in &lookups.subjects {
        let place = run.place(asked.position);
        run.skip(
            place,
            name_of_subjects(asked),
            expected(&asked.expected),
            why,
        );
    }
}

fn name_of_resources(asked: &LookupResources) -> String {
    let LookupResources {
        subject,
        definition,
        permission,
        ..
    } = asked;
    format!("lookupResources: {definition}#{permission}@{subject}")
}

fn name_of_subjects(asked: &LookupSubjects) -> String {
    let LookupSubjects {
        resource,
        permission,
        definition,
        ..
    } = asked;
    format!("lookupSubjects: {resource}#{permission} of {definition}")
}

fn expected(ids: &ExpectedIds) -> String {
    match ids {
        ExpectedIds::Ids(ids) => words::list(sorted(ids.clone())),
        ExpectedIds::Count(count) => format!("{count} of them"),
    }
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn compare(
    run: &mut Run<'_>,
    position: Position,
    name: String,
    ids: &ExpectedIds,
    found: Result<Vec<String>, String>,
) {
    let (place, expected) = (run.place(position), expected(ids));
    let found = match found {
        Ok(found) => sorted(found),
        Err(wrong) => return run.fail(place, name, expected, "an error", wrong),
    };
    let (got, why) = match ids {
        ExpectedIds::Ids(ids) => {
            let difference = words::difference(&sorted(ids.clone()), &found);
            (words::list(&found), difference)
        }
        ExpectedIds::Count(count) if *count == found.len() => (String::new(), String::new()),
        ExpectedIds::Count(_) => (format!("{} of them", found.len()), words::list(&found)),
    };
    match why.is_empty() {
        true => run.pass(place, name, expected),
        false => run.fail(place, name, expected, got, why),
    }
}

/// Ids of the objects that are allowed.
fn resources(
    world: &dyn Reverse,
    asked: &LookupResources,
    circumstances: &Circumstances,
) -> Result<Vec<String>, String> {
    let subject = asked.subject.to_native(None, asked.position);
    let subject = subject.map_err(|wrong| wrong.message)?.parse();
    let subject = subject.map_err(|wrong: NameError| wrong.to_string())?;
    let found = lookup_objects(
        world,
        &subject,
        &asked.permission,
        &asked.definition,
        circumstances,
        Limits::LOOKUP,
        None,
        usize::MAX,
    );
    let allowed = found.map_err(|wrong| wrong.to_string())?.allowed;
    Ok(allowed.into_iter().map(Cow::into_owned).collect())
}

/// Ids of the subjects that are allowed, `*` for all others among them.
fn who(
    world: &dyn Reverse,
    asked: &LookupSubjects,
    circumstances: &Circumstances,
) -> Result<Vec<String>, String> {
    let object = asked.resource.to_string().parse();
    let object: ObjectRef = object.map_err(|wrong: NameError| wrong.to_string())?;
    let wanted = Wanted::Objects(&asked.definition);
    let found = subjects(world, &object, &asked.permission, wanted, circumstances)?;
    let allowed = found
        .into_iter()
        .filter(|(_, decided)| decided.decision == Decision::Allow);
    let ids = allowed.map(|(found, _)| match found.subject {
        Subject::Object(object) => object.id().to_string(),
        _ => String::from("*"),
    });
    Ok(ids.collect())
}
