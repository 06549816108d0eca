//! Conditions: a typed subset of CEL over the parameters of a relationship and of a question, with
//! an evaluator that is pure, bounded and counted, so that consensus can run it.
//!
//! The language, its types, costs and bytes are written down in `docs/spec/condition.md`. The
//! sections cited as "langdef" are those of the CEL specification, `doc/langdef.md`.
//!
//! Invariant: with the same condition, contexts and time, every node gets the same outcome at the
//! same cost (Invariant 1), and no input makes an evaluation cost more than
//! [`crate::limits::CONDITION_COST_MAX`] (Invariant 7).

mod address;
mod calls;
mod canonical;
mod chain;
mod checker;
mod convert;
mod datum;
mod double;
mod duration;
mod evaluate;
mod failure;
mod form;
mod functions;
mod json;
mod literal;
mod macros;
mod meter;
mod operation;
mod operators;
mod syntax;
mod tokens;
mod types;
mod value;

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use operation::Operation;
use tokens::is_identifier;

pub use double::Double;
pub use failure::{Evaluation, EvaluationError, EvaluationFailure, Outcome, ParameterError};
pub use types::{ParameterType, ParameterTypeError};
pub use value::{Context, ContextError, Value};

use crate::{
    limits::CONDITION_PARAMETERS_MAX,
    name::excerpt,
    schema::{PolicyError, Position},
    suggest::suggestion,
    time::Time,
    yaml::error,
};

/// A compiled condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    parameters: Vec<(String, ParameterType)>,
    expression: String,
    operations: Vec<Operation>,
    /// Where each operation stands in the policy.
    positions: Vec<Position>,
    uses_clock: bool,
}

impl Condition {
    /// Compiles `expression`, whose first character stands at `start` of the policy; places on its
    /// further lines are counted from their first column.
    ///
    /// # Errors
    /// Where and why the expression, or a parameter, is not allowed. Errors of a parameter stand at
    /// `start`.
    pub fn compile(
        parameters: &[(String, ParameterType)],
        expression: &str,
        start: Position,
    ) -> Result<Self, PolicyError> {
        check_parameters(parameters, start)?;
        let tree = syntax::parse(expression, start)?;
        let mut checker = checker::Checker::new(parameters);
        checker.truth(&tree, "a condition")?;
        let uses_clock = checker.uses_clock;
        let (operations, positions) = checker.finish();
        Ok(Self {
            parameters: parameters.to_vec(),
            expression: expression.to_owned(),
            operations,
            positions,
            uses_clock,
        })
    }

    /// Its parameters, in the order in which they were declared.
    #[must_use]
    pub fn parameters(&self) -> &[(String, ParameterType)] {
        &self.parameters
    }

    /// Its text.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Whether its outcome can change with time alone.
    #[must_use]
    pub const fn uses_clock(&self) -> bool {
        self.uses_clock
    }

    /// Checks that a relationship may record `context` with this condition: every value is one of a
    /// parameter, of its type, and none is the clock.
    ///
    /// # Errors
    /// The first value, by name, that does not fit.
    pub fn admits(&self, context: &Context) -> Result<(), ParameterError> {
        for (name, value) in context.iter() {
            let known = self.parameters.iter().find(|(known, _)| known == name);
            let Some((_, of)) = known else {
                let known = self.parameters.iter().map(|(known, _)| known.as_str());
                return Err(ParameterError::Unknown {
                    name: excerpt(name),
                    suggestion: suggestion(name, known),
                });
            };
            if *of == ParameterType::Clock {
                return Err(ParameterError::Clock {
                    name: name.to_owned(),
                });
            }
            convert::parameter(name, of, value)?;
        }
        Ok(())
    }

    /// Evaluates the condition at `time`. A value that the relationship `recorded` wins over one of
    /// the same name that was `asked`; values in `asked` that are no parameter's are ignored.
    #[must_use]
    pub fn evaluate(&self, recorded: &Context, asked: &Context, time: Time) -> Evaluation {
        evaluate::Evaluator::new(self, recorded, asked, time).run()
    }
}

fn check_parameters(
    parameters: &[(String, ParameterType)],
    start: Position,
) -> Result<(), PolicyError> {
    if parameters.len() > CONDITION_PARAMETERS_MAX {
        return Err(error(
            start,
            format!("a condition has at most {CONDITION_PARAMETERS_MAX} parameters; put some into one map"),
        ));
    }
    for (index, (name, _)) in parameters.iter().enumerate() {
        let shown = excerpt(name);
        if !is_identifier(name) {
            return Err(error(
                start,
                format!("{shown:?} is no name of a parameter: use 1 to 64 letters, digits and underscores, the first one no digit, and no word that CEL keeps"),
            ));
        }
        let earlier = parameters.get(..index).unwrap_or_default();
        if earlier.iter().any(|(other, _)| other == name) {
            return Err(error(
                start,
                format!("the parameter {shown:?} stands twice; remove one"),
            ));
        }
    }
    Ok(())
}
