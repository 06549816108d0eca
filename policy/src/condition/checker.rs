//! The type checker: from a tree to operations (cel-spec langdef, "Gradual Type Checking"). What it
//! lets through can still fail when it runs (overflow, absent keys, what `any` turns out to hold);
//! what can only be a mistake is refused here, with its place and what to write instead.

use alloc::{boxed::Box, collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    form::{Form, Tree},
    operation::{Constant, Macro, MacroKind, Operation, OperationId, ParameterId, Parameters},
    operators::no_operator,
    types::{ParameterType, Type},
};
use crate::{
    name::excerpt,
    schema::{PolicyError, Position},
    suggest::suggestion,
    yaml::error,
};

/// An operation that was checked.
pub(super) struct Checked {
    pub id: OperationId,
    pub of: Type,
    /// Whether it hangs on the clock.
    pub clock: bool,
    pub position: Position,
}

/// A variable of a macro.
struct Variable {
    name: String,
    of: Type,
    clock: bool,
}

pub(super) struct Checker<'a> {
    parameters: BTreeMap<&'a str, (ParameterId, &'a ParameterType)>,
    variables: Vec<Variable>,
    operations: Vec<Operation>,
    positions: Vec<Position>,
    /// Every parameter named so far.
    pub(super) mentioned: Parameters,
    /// Whether the clock was compared with anything so far.
    pub(super) uses_clock: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(parameters: &'a [(String, ParameterType)]) -> Self {
        let ids = 0..;
        Self {
            parameters: ids
                .zip(parameters)
                .map(|(id, (name, of))| (name.as_str(), (id, of)))
                .collect(),
            variables: Vec::new(),
            operations: Vec::new(),
            positions: Vec::new(),
            mentioned: Parameters::default(),
            uses_clock: false,
        }
    }

    /// The operations, the last one being the condition's value, and the place of each.
    pub(super) fn finish(self) -> (Vec<Operation>, Vec<Position>) {
        (self.operations, self.positions)
    }

    pub(super) fn push(
        &mut self,
        position: Position,
        operation: Operation,
        of: Type,
        clock: bool,
    ) -> Checked {
        let id = self.operations.len() as OperationId;
        self.operations.push(operation);
        self.positions.push(position);
        Checked {
            id,
            of,
            clock,
            position,
        }
    }

    /// A value that is not the clock. The recursion is as deep as the tree, which is bounded.
    pub(super) fn value(&mut self, tree: &Tree) -> Result<Checked, PolicyError> {
        let checked = self.check(tree)?;
        if checked.of == Type::Clock {
            return Err(error(
                tree.position,
                "the clock may only be compared, with `<`, `<=`, `>` or `>=`, with a timestamp",
            ));
        }
        Ok(checked)
    }

    /// A value of type bool, or any.
    pub(super) fn truth(&mut self, tree: &Tree, of_what: &str) -> Result<Checked, PolicyError> {
        let checked = self.value(tree)?;
        match checked.of {
            Type::Bool | Type::Any => Ok(checked),
            of => Err(error(
                tree.position,
                format!("{of_what} must be a bool; this is of type {of}"),
            )),
        }
    }

    /// A value, or the clock.
    pub(super) fn check(&mut self, tree: &Tree) -> Result<Checked, PolicyError> {
        let position = tree.position;
        match &tree.form {
            Form::Constant(constant) => {
                let of = match constant {
                    Constant::Null => Type::Null,
                    Constant::Bool(_) => Type::Bool,
                    Constant::Int(_) => Type::Int,
                    Constant::Uint(_) => Type::Uint,
                    Constant::Double(_) => Type::Double,
                    Constant::String(_) => Type::String,
                    Constant::Bytes(_) => Type::Bytes,
                    Constant::Timestamp(_) => Type::Timestamp,
                    Constant::Duration(_) => Type::Duration,
                    Constant::IpAddress(_) => Type::IpAddress,
                };
                Ok(self.push(position, Operation::Constant(constant.clone()), of, false))
            }
            Form::Name(name) => self.name(position, name),
            Form::Not(operand) => {
                let operand = self.truth(operand, "what follows `!`")?;
                let operation = Operation::Not(operand.id);
                Ok(self.push(position, operation, Type::Bool, operand.clock))
            }
            Form::Negate(operand) => {
                let operand = self.value(operand)?;
                let of = match operand.of {
                    Type::Int => Type::Int,
                    Type::Any => Type::Any,
                    of => return Err(no_operator(position, "-", &of, None)),
                };
                Ok(self.push(position, Operation::Negate(operand.id), of, operand.clock))
            }
            Form::All(operands) => {
                let (ids, clock) = self.truths(operands, "an operand of `&&`")?;
                Ok(self.push(position, Operation::All(ids), Type::Bool, clock))
            }
            Form::Any(operands) => {
                let (ids, clock) = self.truths(operands, "an operand of `||`")?;
                Ok(self.push(position, Operation::Any(ids), Type::Bool, clock))
            }
            Form::Choice(parts) => self.choice(position, parts),
            Form::Compare(comparison, operands) => self.compare(position, *comparison, operands),
            Form::In(operands) => self.contains(position, operands),
            Form::Compute(arithmetic, operands) => self.compute(position, *arithmetic, operands),
            Form::Index(operands) => self.index(position, operands),
            Form::Select(of, field) => {
                let of = self.value(of)?;
                let found = field_type(position, &of.of, field)?;
                let operation = Operation::Select(of.id, field.clone());
                Ok(self.push(position, operation, found, of.clock))
            }
            Form::Call {
                receiver,
                function,
                arguments,
            } => self.call(position, receiver.as_deref(), function, arguments),
            Form::List(elements) => {
                let (mut ids, mut of, mut clock) = (Vec::new(), None, false);
                for element in elements {
                    let element = self.value(element)?;
                    ids.push(element.id);
                    clock |= element.clock;
                    of = Some(match of {
                        None => element.of,
                        Some(before) => element.of.joined(before),
                    });
                }
                let of = Type::list(of.unwrap_or(Type::Any));
                Ok(self.push(position, Operation::List(ids), of, clock))
            }
            Form::Map(entries) => {
                let (mut ids, mut of, mut clock) = (Vec::new(), None, false);
                for (key, value) in entries {
                    let key = self.value(key)?;
                    if !matches!(key.of, Type::String | Type::Any) {
                        return Err(error(
                            key.position,
                            format!("the keys of a map are strings; this is of type {}", key.of),
                        ));
                    }
                    let value = self.value(value)?;
                    ids.push((key.id, value.id));
                    clock |= key.clock | value.clock;
                    of = Some(match of {
                        None => value.of,
                        Some(before) => value.of.joined(before),
                    });
                }
                let of = Type::map(of.unwrap_or(Type::Any));
                Ok(self.push(position, Operation::Map(ids), of, clock))
            }
        }
    }

    fn name(&mut self, position: Position, name: &str) -> Result<Checked, PolicyError> {
        let variable = self.variables.iter().rposition(|known| known.name == name);
        if let Some((index, variable)) =
            variable.and_then(|index| Some((index, self.variables.get(index)?)))
        {
            let (of, clock) = (variable.of.clone(), variable.clock);
            return Ok(self.push(position, Operation::Variable(index as u8), of, clock));
        }
        let Some((id, of)) = self.parameters.get(name).copied() else {
            let known = self.parameters.keys().copied();
            let near = suggestion(name, known);
            return Err(error(
                position,
                format!(
                    "{:?} is no parameter of this condition{near}",
                    excerpt(name)
                ),
            ));
        };
        let of = Type::from(of);
        let clock = of == Type::Clock;
        if !clock {
            self.mentioned = self.mentioned.with(Parameters::one(id));
        }
        Ok(self.push(position, Operation::Parameter(id), of, clock))
    }

    fn truths(
        &mut self,
        operands: &[Tree],
        what: &str,
    ) -> Result<(Vec<OperationId>, bool), PolicyError> {
        let (mut ids, mut clock) = (Vec::new(), false);
        for operand in operands {
            let operand = self.truth(operand, what)?;
            ids.push(operand.id);
            clock |= operand.clock;
        }
        Ok((ids, clock))
    }

    /// `has(m.field)`.
    pub(super) fn has(
        &mut self,
        position: Position,
        argument: &Tree,
    ) -> Result<Checked, PolicyError> {
        let Form::Select(of, field) = &argument.form else {
            return Err(error(
                argument.position,
                "has() takes a field selection, has(m.field); for a key in a variable write `key in m`",
            ));
        };
        let of = self.value(of)?;
        field_type(argument.position, &of.of, field)?;
        let operation = Operation::Has(of.id, field.clone());
        Ok(self.push(position, operation, Type::Bool, of.clock))
    }

    /// A macro over `range` with a variable `name` for its entries.
    pub(super) fn comprehension(
        &mut self,
        position: Position,
        kind: MacroKind,
        range: &Tree,
        name: &str,
        bodies: &[Tree],
    ) -> Result<Checked, PolicyError> {
        let range = self.value(range)?;
        let entry = match &range.of {
            Type::List(of) => (**of).clone(),
            Type::Map(_) => Type::String,
            Type::Any => Type::Any,
            of => {
                return Err(error(
                    position,
                    format!("only lists and maps have entries to go through; this is of type {of}"),
                ))
            }
        };
        // What the body names is asked for alone, then joined with what was named before.
        let before = core::mem::take(&mut self.mentioned);
        self.variables.push(Variable {
            name: name.into(),
            of: entry.clone(),
            clock: range.clock,
        });
        let checked = self.bodies(kind, bodies);
        self.variables.pop();
        let mentions = core::mem::replace(&mut self.mentioned, before);
        self.mentioned = before.with(mentions);
        let (predicate, transform) = checked?;
        let parts = [Some(&range), predicate.as_ref(), transform.as_ref()];
        let clock = parts.into_iter().flatten().any(|part| part.clock);
        let of = match kind {
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => Type::Bool,
            MacroKind::Filter => Type::list(entry),
            MacroKind::Map => {
                Type::list(transform.as_ref().map_or(Type::Any, |part| part.of.clone()))
            }
        };
        let operation = Operation::Macro(Box::new(Macro {
            kind,
            range: range.id,
            predicate: predicate.map(|part| part.id),
            transform: transform.map(|part| part.id),
            mentions,
        }));
        Ok(self.push(position, operation, of, clock))
    }

    /// Predicate and transform.
    fn bodies(
        &mut self,
        kind: MacroKind,
        bodies: &[Tree],
    ) -> Result<(Option<Checked>, Option<Checked>), PolicyError> {
        Ok(match (kind, bodies) {
            (MacroKind::Map, [predicate, transform]) => (
                Some(self.truth(predicate, "the predicate of a macro")?),
                Some(self.value(transform)?),
            ),
            (MacroKind::Map, [transform, ..]) => (None, Some(self.value(transform)?)),
            (_, [predicate, ..]) => (
                Some(self.truth(predicate, "the predicate of a macro")?),
                None,
            ),
            (_, []) => (None, None),
        })
    }
}

/// The type of a field of `of`.
fn field_type(position: Position, of: &Type, field: &str) -> Result<Type, PolicyError> {
    match of {
        Type::Map(of) => Ok((**of).clone()),
        Type::Any => Ok(Type::Any),
        of => Err(error(
            position,
            format!(
                "only maps have fields; {:?} is asked of type {of}",
                excerpt(field)
            ),
        )),
    }
}
