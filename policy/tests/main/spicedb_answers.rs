//! What the published validation files of SpiceDB assert, asked of the engine.

use policy::{
    check,
    outline::Outline,
    spicedb::{import, ImportOptions, ValidationFile, Verdict},
    Circumstances, Context, Decision, History, Limits, Policy, Question, Relationship, Time,
};

use crate::suite;

/// When everything is asked. The files hold relationships that expired before, and such that do not
/// expire within this century.
pub const NOW: &str = "2026-11-20T00:00:00Z";

/// A validation file, its policy and its relationships.
pub struct World {
    pub name: String,
    pub file: ValidationFile,
    pub outline: Outline,
    pub relationships: Vec<Relationship>,
    pub history: History,
}

/// The validation files of a folder of the suites.
pub fn worlds(folder: &str) -> Vec<World> {
    suite::list(folder)
        .into_iter()
        .filter(|file| file.contains(".yaml"))
        .filter_map(|file| Some(world(&file, &suite::read(&file)?)))
        .collect()
}

fn world(name: &str, text: &str) -> World {
    let file = ValidationFile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let schema = &file.schema.as_ref().unwrap().text;
    let options = ImportOptions {
        name: "suite",
        actor: None,
    };
    let outline = import(schema, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let policy = Policy::parse(&outline.to_yaml()).unwrap();
    let relationships: Vec<Relationship> = file
        .relationships
        .iter()
        .map(|relationship| relationship.to_native(None).unwrap().parse().unwrap())
        .collect();
    for relationship in &relationships {
        policy
            .admits(relationship)
            .unwrap_or_else(|error| panic!("{name}: {relationship}: {error}"));
    }
    World {
        name: name.into(),
        history: History::of(policy, &relationships).unwrap(),
        outline,
        relationships,
        file,
    }
}

fn assertions_hold(folder: &str, files: usize) {
    let worlds = worlds(folder);
    if worlds.is_empty() {
        return;
    }
    let (mut asked, mut wrong) = (0, Vec::new());
    for World {
        name,
        file,
        history,
        ..
    } in &worlds
    {
        let view = history.at(0).unwrap();
        for assertion in &file.assertions {
            let question = &assertion.question;
            let subject = question.subject.to_native(None, question.position).unwrap();
            let question = Question {
                object: question.resource.to_string().parse().unwrap(),
                permission: question.relation.clone(),
                subject: subject.parse().unwrap(),
            };
            let context = assertion.context.as_deref().unwrap_or("{}");
            let circumstances = Circumstances {
                time: NOW.parse::<Time>().unwrap(),
                context: Context::from_json(context).unwrap(),
            };
            let answer = check(&view, &question, &circumstances, Limits::CONSENSUS);
            let expected = match assertion.verdict {
                Verdict::True => Decision::Allow,
                Verdict::False => Decision::Deny,
                Verdict::Caveated => Decision::Conditional,
            };
            asked += 1;
            if answer.as_ref().map(|answer| answer.decision) != Ok(expected) {
                wrong.push(format!(
                    "{name}: {question} {context}: expected {expected:?}, got {answer:?}"
                ));
            }
        }
    }
    println!(
        "{folder}: {asked} assertions of {} files, {} wrong",
        worlds.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(worlds.len(), files);
}

#[test]
fn assertions_of_the_testconfigs_hold() {
    assertions_hold("spicedb/testconfigs", 74);
}

#[test]
fn assertions_of_the_benchmarks_hold() {
    assertions_hold("workloads/spicedb-bench", 9);
}
