//! The tuples of a store file and of its tests.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{broken, Place, Run};
use crate::{
    openfga::{parse_tuples, ModelWorld, Tuple, TupleFormat},
    testing::run::START,
};

/// Tuples of the file itself, and of other files; `None`, and failures, where one cannot be read.
pub(super) fn read(run: &mut Run<'_>, tuples: &[Tuple], files: &[String]) -> Option<Vec<Tuple>> {
    let mut all = tuples.to_vec();
    for path in files {
        let text = run.read(path, START)?;
        let Some(format) = TupleFormat::of_file(path) else {
            let place = run.place(START);
            let why = format!("{path:?} is of no known kind; call it .yaml, .json or .csv");
            run.broken(place, "the tuples", "a file of tuples", why);
            return None;
        };
        match parse_tuples(&text, format) {
            Ok(tuples) => all.extend(tuples),
            Err(wrong) => {
                let what = "a file of tuples";
                broken(run, wrong, "the tuples", what, |_, position| Place {
                    file: path.clone(),
                    position,
                });
                return None;
            }
        }
    }
    Some(all)
}

/// Tuples that the model admits, each once.
#[derive(Clone, Default)]
pub(super) struct Tuples {
    pub all: Vec<Tuple>,
    seen: BTreeSet<String>,
}

impl Tuples {
    /// Adds tuples. As OpenFGA writes none that its model does not admit, or that it has already, such
    /// a tuple is a failure; whether there was none.
    pub fn add(
        &mut self,
        run: &mut Run<'_>,
        place: &Place,
        world: &ModelWorld,
        tuples: Vec<Tuple>,
    ) -> bool {
        let mut admitted = true;
        for tuple in tuples {
            let name = format!("{}#{}@{}", tuple.object, tuple.relation, tuple.user);
            let twice = "it is written for the second time; remove one of the two";
            let wrong = match world.admits(&tuple) {
                Err(wrong) => Some(wrong),
                Ok(()) if !self.seen.insert(name.clone()) => Some(twice.to_string()),
                Ok(()) => None,
            };
            match wrong {
                None => self.all.push(tuple),
                Some(wrong) => {
                    run.broken(place.clone(), name, "a tuple of the model", wrong);
                    admitted = false;
                }
            }
        }
        admitted
    }
}
