//! The evaluator: three-valued, left to right, every step counted.
//!
//! An operation has a value, or is missing (it hangs on parameters that nobody gave), or failed.
//! `&&` and `||` absorb both where the other side decides (cel-spec langdef, "Logical Operators");
//! every other operation fails where an operand failed, else is missing where one is missing. So a
//! value, and a failure, stands whatever the missing parameters turn out to be.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use super::{
    chain::Chain,
    convert,
    datum::{Datum, Fields},
    failure::{
        names, type_failure, Evaluation, EvaluationError, EvaluationFailure, Outcome,
        ParameterError, Stop,
    },
    functions::{self, Problem},
    meter::{Exhausted, Meter},
    operation::{Comparison, Operation, OperationId, ParameterId, Parameters},
    types::ParameterType,
    Condition, Context, Value,
};
use crate::{name::excerpt, schema::Position, time::Time};

pub(super) type Result<T> = core::result::Result<T, Stop>;

impl From<Exhausted> for Stop {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// A list, map or other costly value that was made of a parameter.
type Kept<'a> = (ParameterId, core::result::Result<Datum<'a>, ParameterError>);

pub(super) struct Evaluator<'a> {
    condition: &'a Condition,
    recorded: &'a Context,
    asked: &'a Context,
    time: Time,
    pub(super) meter: Meter,
    stands_until: Option<Time>,
    /// Parameters that were charged for.
    read: Parameters,
    kept: Vec<Kept<'a>>,
    /// Parameters that neither context gives, once that was asked.
    absent: Option<Parameters>,
    pub(super) variables: Vec<Datum<'a>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        condition: &'a Condition,
        recorded: &'a Context,
        asked: &'a Context,
        time: Time,
    ) -> Self {
        Self {
            condition,
            recorded,
            asked,
            time,
            meter: Meter::default(),
            stands_until: None,
            read: Parameters::default(),
            kept: Vec::new(),
            absent: None,
            variables: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Evaluation {
        let root = self.condition.operations.len().saturating_sub(1) as OperationId;
        let outcome = match self.truth(root) {
            Ok(true) => Outcome::True,
            Ok(false) => Outcome::False,
            Err(Stop::Missing(missing)) => {
                Outcome::Missing(names(&self.condition.parameters, missing))
            }
            Err(Stop::Failed(error)) => Outcome::Failed(*error),
            Err(Stop::Exhausted) => Outcome::Failed(EvaluationError {
                position: self.position(root),
                failure: EvaluationFailure::Cost,
            }),
        };
        Evaluation {
            outcome,
            cost: self.meter.cost(),
            stands_until: self.stands_until,
        }
    }

    fn position(&self, id: OperationId) -> Position {
        let found = self.condition.positions.get(usize::from(id));
        found.copied().unwrap_or(Position { line: 1, column: 1 })
    }

    pub(super) fn failed<T>(&self, id: OperationId, failure: EvaluationFailure) -> Result<T> {
        Err(Stop::Failed(Box::new(EvaluationError {
            position: self.position(id),
            failure,
        })))
    }

    /// Puts the place of an operation beside what went wrong in it.
    fn placed<T>(&self, id: OperationId, result: core::result::Result<T, Problem>) -> Result<T> {
        match result {
            Ok(value) => Ok(value),
            Err(Problem::Failed(failure)) => self.failed(id, failure),
            Err(Problem::Exhausted) => Err(Stop::Exhausted),
        }
    }

    /// The value of an operation that must be a bool.
    pub(super) fn truth(&mut self, id: OperationId) -> Result<bool> {
        match self.operation(id) {
            Operation::All(operands) => self.chain(operands, false),
            Operation::Any(operands) => self.chain(operands, true),
            Operation::Compare(comparison, left, right) => {
                self.meter.charge(1)?;
                self.compare(id, *comparison, *left, *right)
            }
            Operation::Not(of) => {
                self.meter.charge(1)?;
                self.truth(*of).map(|value| !value)
            }
            _ => match self.value(id)? {
                Datum::Bool(value) => Ok(value),
                other => self.failed(id, type_failure("bool", other.kind())),
            },
        }
    }

    fn operation(&self, id: OperationId) -> &'a Operation {
        let condition = self.condition;
        match condition.operations.get(usize::from(id)) {
            Some(operation) => operation,
            None => unreachable!("operations name only those before them"),
        }
    }

    /// The value of an operation. The recursion is as deep as the condition, which is bounded.
    pub(super) fn value(&mut self, id: OperationId) -> Result<Datum<'a>> {
        let operation = self.operation(id);
        match operation {
            Operation::Not(_) | Operation::All(_) | Operation::Any(_) | Operation::Compare(..) => {
                return self.truth(id).map(Datum::Bool)
            }
            _ => self.meter.charge(1)?,
        }
        match operation {
            Operation::Constant(constant) => Ok(Datum::constant(constant)),
            Operation::Parameter(parameter) => self.parameter(id, *parameter),
            Operation::Variable(index) => {
                let variable = self.variables.get(usize::from(*index));
                Ok(variable.cloned().unwrap_or(Datum::Null))
            }
            other => self.rarer(id, other),
        }
    }

    /// The operations that are seldom the whole of a condition; apart, so that the common ones need
    /// little of the call stack. Charged already.
    #[inline(never)]
    fn rarer(&mut self, id: OperationId, operation: &'a Operation) -> Result<Datum<'a>> {
        match operation {
            Operation::Constant(_)
            | Operation::Parameter(_)
            | Operation::Variable(_)
            | Operation::Not(_)
            | Operation::All(_)
            | Operation::Any(_)
            | Operation::Compare(..) => unreachable!("value() and truth() take these"),
            Operation::Negate(of) => {
                let of = self.value(*of)?;
                self.placed(id, functions::negate(&of))
            }
            Operation::Choice {
                condition,
                then,
                otherwise,
            } => self.choice(*condition, *then, *otherwise),
            Operation::CompareClock(comparison, of) => self.compare_clock(id, *comparison, *of),
            Operation::In(entry, range) => {
                let (entry, range) = self.both(*entry, *range)?;
                let found = functions::contains(&entry, &range, &mut self.meter);
                self.placed(id, found).map(Datum::Bool)
            }
            Operation::Compute(arithmetic, left, right) => {
                let (left, right) = self.both(*left, *right)?;
                let result = functions::compute(*arithmetic, left, right, &mut self.meter);
                self.placed(id, result)
            }
            Operation::Index(container, index) => {
                let (container, index) = self.both(*container, *index)?;
                self.placed(id, functions::index(&container, &index))
            }
            Operation::Select(of, field) => {
                let of = self.value(*of)?;
                self.placed(id, functions::select(&of, field))
            }
            Operation::Has(of, field) => {
                let of = self.value(*of)?;
                self.placed(id, functions::has(&of, field)).map(Datum::Bool)
            }
            Operation::List(entries) => {
                let entries = self.every(entries.iter().copied())?;
                Ok(Datum::List(Rc::new(entries)))
            }
            Operation::Map(entries) => {
                let values = self.every(entries.iter().flat_map(|(key, value)| [*key, *value]))?;
                self.map(id, values)
            }
            Operation::Call(function, of, None) => {
                let of = self.value(*of)?;
                let result = functions::unary(*function, of, &mut self.meter);
                self.placed(id, result)
            }
            Operation::Call(function, of, Some(second)) => {
                let (of, second) = self.both(*of, *second)?;
                let result = functions::binary(*function, &of, &second, &mut self.meter);
                self.placed(id, result)
            }
            Operation::Macro(of) => self.comprehension(id, of),
        }
    }

    fn given(&self, name: &str) -> Option<&'a Value> {
        self.recorded.get(name).or_else(|| self.asked.get(name))
    }

    /// What a parameter was given, as one of its type. Its size is charged where it is first read.
    fn parameter(&mut self, id: OperationId, parameter: ParameterId) -> Result<Datum<'a>> {
        let condition = self.condition;
        let Some((name, of)) = condition.parameters.get(usize::from(parameter)) else {
            unreachable!("operations name only parameters that there are");
        };
        let one = Parameters::one(parameter);
        let Some(value) = self.given(name) else {
            return Err(Stop::Missing(one));
        };
        if !self.read.contains(parameter) {
            self.read = self.read.with(one);
            self.meter.charge(convert::size(value))?;
        }
        if let Some(plain) = convert::plain(of, value) {
            return Ok(plain);
        }
        let costly = matches!(value, Value::List(_) | Value::Map(_)) || *of == ParameterType::Bytes;
        if !costly {
            let typed = convert::parameter(name, of, value);
            return typed.or_else(|error| self.failed(id, error.into()));
        }
        let kept = self.kept.iter().find(|(kept, _)| *kept == parameter);
        let typed = match kept {
            Some((_, typed)) => typed.clone(),
            None => {
                let typed = convert::parameter(name, of, value);
                self.kept.push((parameter, typed.clone()));
                typed
            }
        };
        typed.or_else(|error| self.failed(id, error.into()))
    }

    /// Those of `parameters` that neither context gives.
    pub(super) fn absent(&mut self, parameters: Parameters) -> Parameters {
        let all = self.absent.unwrap_or_else(|| {
            let parameters = (0..).zip(&self.condition.parameters);
            let absent = parameters.filter(|(_, (name, _))| self.given(name).is_none());
            absent.fold(Parameters::default(), |set, (id, _)| {
                set.with(Parameters::one(id))
            })
        });
        self.absent = Some(all);
        Parameters(all.0 & parameters.0)
    }

    /// `&&` (`decides` is false) and `||` (`decides` is true) over all operands: the first that
    /// decides ends it; else what is missing; else the first failure; else the other value.
    fn chain(&mut self, operands: &[OperationId], decides: bool) -> Result<bool> {
        self.meter.charge(1)?;
        let mut chain = Chain::default();
        for operand in operands {
            let truth = self.truth(*operand);
            if chain.add(truth, decides)? {
                break;
            }
        }
        chain.finish(decides)
    }

    /// `condition ? then : otherwise`. Where the condition is missing, both values are asked, for the
    /// names of what they miss; if both failed, the whole did.
    fn choice(
        &mut self,
        condition: OperationId,
        then: OperationId,
        otherwise: OperationId,
    ) -> Result<Datum<'a>> {
        let mut missing = match self.truth(condition) {
            Ok(true) => return self.value(then),
            Ok(false) => return self.value(otherwise),
            Err(Stop::Missing(missing)) => missing,
            Err(stop) => return Err(stop),
        };
        let mut failures = Vec::new();
        for branch in [then, otherwise] {
            match self.value(branch) {
                Ok(_) => {}
                Err(Stop::Missing(more)) => missing = missing.with(more),
                Err(Stop::Failed(error)) => failures.push(error),
                Err(Stop::Exhausted) => return Err(Stop::Exhausted),
            }
        }
        if failures.len() == 2 {
            return Err(Stop::Failed(failures.swap_remove(0)));
        }
        Err(Stop::Missing(missing))
    }

    /// Two operands of which both are needed.
    fn both(&mut self, left: OperationId, right: OperationId) -> Result<(Datum<'a>, Datum<'a>)> {
        match self.value(left) {
            Ok(left) => self.value(right).map(|right| (left, right)),
            Err(Stop::Missing(missing)) => match self.value(right) {
                Ok(_) => Err(Stop::Missing(missing)),
                Err(Stop::Missing(more)) => Err(Stop::Missing(missing.with(more))),
                Err(stop) => Err(stop),
            },
            Err(stop) => Err(stop),
        }
    }

    /// Operands of which all are needed.
    fn every(&mut self, ids: impl Iterator<Item = OperationId>) -> Result<Vec<Datum<'a>>> {
        let mut missing = Parameters::default();
        let mut values = Vec::new();
        for id in ids {
            match self.value(id) {
                Ok(value) => values.push(value),
                Err(Stop::Missing(more)) => missing = missing.with(more),
                Err(stop) => return Err(stop),
            }
        }
        if missing == Parameters::default() {
            Ok(values)
        } else {
            Err(Stop::Missing(missing))
        }
    }

    fn map(&mut self, id: OperationId, values: Vec<Datum<'a>>) -> Result<Datum<'a>> {
        let mut fields = Fields::new();
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            let Datum::String(key) = key else {
                return self.failed(id, type_failure("{…}", key.kind()));
            };
            if fields.contains_key(&*key) {
                let key = excerpt(&key);
                return self.failed(id, EvaluationFailure::DoubledKey { key });
            }
            fields.insert(key, value);
        }
        Ok(Datum::Map(Rc::new(fields)))
    }

    fn compare(
        &mut self,
        id: OperationId,
        comparison: Comparison,
        left: OperationId,
        right: OperationId,
    ) -> Result<bool> {
        let (left, right) = self.both(left, right)?;
        if !comparison.is_order() {
            let equal = left.equals(&right, &mut self.meter)?;
            return Ok(equal == (comparison == Comparison::Equal));
        }
        match left.order(&right, &mut self.meter)? {
            Some(ordering) => Ok(comparison.holds(ordering)),
            None => {
                let given = alloc::format!("{} and {}", left.kind(), right.kind());
                self.failed(id, type_failure(comparison.sign(), given))
            }
        }
    }

    /// Compares the clock, and notes when the comparison will come out otherwise: `<` and `>=` at
    /// the other time, `<=` and `>` a nanosecond behind it.
    fn compare_clock(
        &mut self,
        id: OperationId,
        comparison: Comparison,
        of: OperationId,
    ) -> Result<Datum<'a>> {
        let Datum::Timestamp(other) = self.value(of)? else {
            return self.failed(id, type_failure(comparison.sign(), "what is no timestamp"));
        };
        let turn = match comparison {
            Comparison::LessOrEqual | Comparison::Greater => other.next(),
            _ => Some(other),
        };
        if let Some(turn) = turn.filter(|turn| *turn > self.time) {
            let before = self.stands_until.map_or(turn, |before| before.min(turn));
            self.stands_until = Some(before);
        }
        Ok(Datum::Bool(comparison.holds(self.time.cmp(&other))))
    }
}
