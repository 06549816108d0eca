//! The questions of OpenFGA's server suites, asked of the engine.

use policy::{
    openfga::{parse_dsl, Asking, ModelWorld, Refusal, RefusalKind, Tuple},
    Limits, Time,
};

use crate::openfga_cases::cases;

/// What is asked, as far as codes of errors depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Check,
    List,
}

/// OpenFGA's codes of errors, and the kinds of refusals that they are here. Ours say more: OpenFGA's
/// check has one code for all that is wrong with a question or its context.
fn code(asked: Asked, refusal: &Refusal) -> u64 {
    use RefusalKind::*;
    match (asked, refusal.kind) {
        // validation_error: "the request is not valid" in whatever way.
        (Asked::Check, UnknownType | UnknownRelation) => 2000,
        (_, User | Condition) => 2000,
        (Asked::List, UnknownType) => 2021,
        (Asked::List, UnknownRelation) => 2022,
        // invalid_tuple
        (_, ContextualTuple) => 2027,
        // authorization_model_resolution_too_complex
        (_, TooComplex) => 2002,
    }
}

fn now() -> Time {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

fn ask(file: &str) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in cases(file) {
        let mut stored: Vec<Tuple> = Vec::new();
        for (at, stage) in case.stages.iter().enumerate() {
            let model = parse_dsl(&stage.model).unwrap();
            stored.extend(stage.tuples.iter().cloned());
            let world = ModelWorld::new(&model).unwrap();
            for tuple in &stage.tuples {
                world
                    .admits(tuple)
                    .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            }
            let world = world.with(&stored).unwrap();
            for check in &stage.checks {
                let asking = Asking {
                    contextual: &check.contextual_tuples,
                    context: &check.context,
                    time: now(),
                    limits: Limits {
                        depth_max: 25,
                        ..Limits::CONSENSUS
                    },
                };
                let Tuple {
                    user,
                    relation,
                    object,
                    ..
                } = &check.question;
                let got = world.check(user, relation, object, &asking);
                let coded = got
                    .as_ref()
                    .map(|yes| *yes)
                    .map_err(|refusal| code(Asked::Check, refusal));
                asked += 1;
                if coded != check.expected {
                    wrong.push(format!(
                        "{} stage {at}: {object}#{relation}@{user} {:?}: expected {:?}, got {got:?}",
                        case.name, check.context, check.expected
                    ));
                }
            }
        }
    }
    println!("openfga {file}: {asked} checks, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn consolidated_tests_pass() {
    ask("consolidated_1_1_tests");
}

#[test]
fn abac_tests_pass() {
    ask("abac_tests");
}
