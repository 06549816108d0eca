//! Macros over lists, and over the keys of maps in their order (cel-spec langdef, "Macros").

use alloc::{rc::Rc, vec::Vec};

use super::{
    chain::Chain,
    datum::Datum,
    evaluate::{Evaluator, Result},
    failure::{type_failure, Stop},
    operation::{Macro, MacroKind, OperationId, Parameters},
};

/// What a macro has gathered so far.
enum Gathered<'a> {
    /// `all` and `exists`, and the value that decides them.
    Chain(Chain, bool),
    /// `exists_one`: how many so far.
    Count(usize),
    /// `filter` and `map`.
    Entries(Vec<Datum<'a>>),
}

impl<'a> Evaluator<'a> {
    pub(super) fn comprehension(&mut self, id: OperationId, of: &'a Macro) -> Result<Datum<'a>> {
        let range = match self.value(of.range) {
            Ok(range) => range,
            // No entry is known, so what the bodies will miss is what they name.
            Err(Stop::Missing(missing)) => {
                return Err(Stop::Missing(missing.with(self.absent(of.mentions))))
            }
            Err(stop) => return Err(stop),
        };
        let mut gathered = match of.kind {
            MacroKind::All => Gathered::Chain(Chain::default(), false),
            MacroKind::Exists => Gathered::Chain(Chain::default(), true),
            MacroKind::ExistsOne => Gathered::Count(0),
            MacroKind::Filter | MacroKind::Map => Gathered::Entries(Vec::new()),
        };
        let mut missing = Parameters::default();
        match &range {
            Datum::List(entries) => {
                for entry in entries.iter() {
                    if self.step(of, entry.clone(), &mut gathered, &mut missing)? {
                        break;
                    }
                }
            }
            Datum::Map(fields) => {
                for key in fields.keys() {
                    let key = Datum::String(key.clone());
                    if self.step(of, key, &mut gathered, &mut missing)? {
                        break;
                    }
                }
            }
            other => return self.failed(id, type_failure("a macro", other.kind())),
        }
        if missing != Parameters::default() {
            return Err(Stop::Missing(missing));
        }
        Ok(match gathered {
            Gathered::Chain(chain, decides) => Datum::Bool(chain.finish(decides)?),
            Gathered::Count(count) => Datum::Bool(count == 1),
            Gathered::Entries(entries) => Datum::List(Rc::new(entries)),
        })
    }

    /// Gathers one entry; true if no further one matters.
    fn step(
        &mut self,
        of: &'a Macro,
        entry: Datum<'a>,
        gathered: &mut Gathered<'a>,
        missing: &mut Parameters,
    ) -> Result<bool> {
        self.meter.charge(1)?;
        self.variables.push(entry.clone());
        let ended = self.gather(of, entry, gathered);
        self.variables.pop();
        match ended {
            Err(Stop::Missing(more)) => {
                *missing = missing.with(more);
                Ok(false)
            }
            other => other,
        }
    }

    fn gather(
        &mut self,
        of: &'a Macro,
        entry: Datum<'a>,
        gathered: &mut Gathered<'a>,
    ) -> Result<bool> {
        let predicate = match of.predicate {
            Some(predicate) => self.truth(predicate),
            None => Ok(true),
        };
        let entries = match gathered {
            Gathered::Chain(chain, decides) => return chain.add(predicate, *decides),
            Gathered::Count(count) => {
                *count += usize::from(predicate?);
                return Ok(false);
            }
            Gathered::Entries(entries) => entries,
        };
        match (predicate, of.transform) {
            (Ok(false), _) => {}
            (Ok(true), None) => entries.push(entry),
            (Ok(true), Some(transform)) => entries.push(self.value(transform)?),
            // Asked for the names of what it misses; whether it fails hangs on the predicate.
            (Err(Stop::Missing(missing)), Some(transform)) => {
                return match self.value(transform) {
                    Err(Stop::Missing(more)) => Err(Stop::Missing(missing.with(more))),
                    Err(Stop::Exhausted) => Err(Stop::Exhausted),
                    Ok(_) | Err(Stop::Failed(_)) => Err(Stop::Missing(missing)),
                }
            }
            (Err(stop), _) => return Err(stop),
        }
        Ok(false)
    }
}
