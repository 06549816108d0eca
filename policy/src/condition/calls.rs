//! The functions that a condition may call, and the macros, as the checker sees them (cel-spec
//! langdef, "Macros" and "List of Standard Definitions"; `ipaddress`, `in_cidr` and `isSubtreeOf` as
//! in OpenFGA and SpiceDB).

use alloc::{format, string::String, vec::Vec};

use super::{
    address,
    checker::{Checked, Checker},
    form::{Form, Tree},
    operation::{Constant, Function, MacroKind, Operation, Part},
    tokens::is_identifier,
    types::Type,
};
use crate::{
    name::excerpt,
    schema::{PolicyError, Position},
    suggest::suggestion,
    yaml::error,
};

const MACROS: [(&str, MacroKind); 5] = [
    ("all", MacroKind::All),
    ("exists", MacroKind::Exists),
    ("exists_one", MacroKind::ExistsOne),
    ("filter", MacroKind::Filter),
    ("map", MacroKind::Map),
];

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        position: Position,
        receiver: Option<&Tree>,
        function: &str,
        arguments: &[Tree],
    ) -> Result<Checked, PolicyError> {
        if let Some(refusal) = refused(function) {
            return Err(error(
                position,
                format!("{function}() is refused: {refusal}"),
            ));
        }
        if let Some(receiver) = receiver {
            let found = MACROS.into_iter().find(|(name, _)| *name == function);
            if let Some((_, kind)) = found {
                return self.macro_call(position, kind, receiver, function, arguments);
            }
        } else if function == "has" {
            return match arguments {
                [argument] => self.has(position, argument),
                _ => Err(error(position, "has() takes one argument, has(m.field)")),
            };
        }
        let known: &[Function] = if receiver.is_some() {
            &Function::METHODS
        } else {
            &Function::GLOBAL
        };
        let Some(found) = known.iter().find(|known| known.name() == function) else {
            return Err(unknown(position, receiver.is_some(), function));
        };
        let given: Vec<&Tree> = receiver.into_iter().chain(arguments).collect();
        match given[..] {
            [of] if found.second() != Second::Needed => self.unary(position, *found, of),
            [of, second] if found.second() != Second::None => {
                self.binary(position, *found, of, second)
            }
            _ => Err(error(
                position,
                format!("{function}() takes {}", found.form()),
            )),
        }
    }

    fn macro_call(
        &mut self,
        position: Position,
        kind: MacroKind,
        range: &Tree,
        name: &str,
        arguments: &[Tree],
    ) -> Result<Checked, PolicyError> {
        let (variable, bodies) = match arguments {
            [variable, bodies @ ..]
                if bodies.len() == 1 || (kind == MacroKind::Map && bodies.len() == 2) =>
            {
                (variable, bodies)
            }
            _ => {
                return Err(error(
                    position,
                    format!(
                        "{name}() takes a variable and an expression, such as {name}(x, x > 0)"
                    ),
                ))
            }
        };
        match &variable.form {
            Form::Name(word) if is_identifier(word) => {
                self.comprehension(position, kind, range, word, bodies)
            }
            _ => Err(error(
                variable.position,
                format!("the first argument of {name}() names its variable; write a plain name of at most 64 bytes"),
            )),
        }
    }

    fn unary(
        &mut self,
        position: Position,
        function: Function,
        tree: &Tree,
    ) -> Result<Checked, PolicyError> {
        if let Form::Constant(Constant::String(text)) = &tree.form {
            if let Some(constant) = converted(position, function, text)? {
                let of = function.result();
                return Ok(self.push(position, Operation::Constant(constant), of, false));
            }
        }
        let of = self.value(tree)?;
        self.accepts(position, function, &of.of)?;
        let operation = Operation::Call(function, of.id, None);
        Ok(self.push(position, operation, function.result(), of.clock))
    }

    fn binary(
        &mut self,
        position: Position,
        function: Function,
        tree: &Tree,
        second: &Tree,
    ) -> Result<Checked, PolicyError> {
        let of = self.value(tree)?;
        self.accepts(position, function, &of.of)?;
        if let (Function::Get(_), Type::Duration) = (function, &of.of) {
            return Err(error(
                second.position,
                "a duration has no time zone; leave the argument out",
            ));
        }
        if let Form::Constant(Constant::String(text)) = &second.form {
            check_text(second.position, function, text)?;
        }
        let second_tree = second;
        let second = self.value(second_tree)?;
        let wanted = match function {
            Function::IsSubtreeOf => matches!(second.of, Type::Map(_) | Type::Any),
            _ => matches!(second.of, Type::String | Type::Any),
        };
        if !wanted {
            return Err(error(
                second_tree.position,
                format!(
                    "{}() takes {}; this is of type {}",
                    function.name(),
                    function.form(),
                    second.of
                ),
            ));
        }
        let operation = Operation::Call(function, of.id, Some(second.id));
        Ok(self.push(
            position,
            operation,
            function.result(),
            of.clock | second.clock,
        ))
    }

    /// Refuses a first argument that the function does not take.
    fn accepts(
        &self,
        position: Position,
        function: Function,
        of: &Type,
    ) -> Result<(), PolicyError> {
        if *of == Type::Any || function.accepts(of) {
            return Ok(());
        }
        let hint = match (function, of) {
            (Function::Get(Part::Milliseconds), Type::Duration) => {
                ": implementations of CEL disagree on what it means for a duration; compare durations"
            }
            (_, Type::Double) => ": doubles are only compared",
            (Function::ToDuration, Type::Int) => "; write duration(\"3s\")",
            _ => "",
        };
        Err(error(
            position,
            format!("{}() has no meaning for type {of}{hint}", function.name()),
        ))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Second {
    None,
    Optional,
    Needed,
}

impl Function {
    const fn second(self) -> Second {
        match self {
            Self::Size
            | Self::ToInt
            | Self::ToUint
            | Self::ToString
            | Self::ToTimestamp
            | Self::ToDuration
            | Self::ToIpAddress => Second::None,
            Self::Get(_) => Second::Optional,
            Self::StartsWith
            | Self::EndsWith
            | Self::Contains
            | Self::InCidr
            | Self::IsSubtreeOf => Second::Needed,
        }
    }

    const fn form(self) -> &'static str {
        match self {
            Self::InCidr => "one range as a string, such as \"10.0.0.0/8\"",
            Self::IsSubtreeOf => "one map",
            Self::Get(_) => "no argument, or one fixed offset such as \"+01:00\"",
            Self::StartsWith | Self::EndsWith | Self::Contains => "one string",
            _ => "one value",
        }
    }

    /// Whether the type has a meaning as its first argument.
    fn accepts(self, of: &Type) -> bool {
        match self {
            Self::Size => matches!(
                of,
                Type::String | Type::Bytes | Type::List(_) | Type::Map(_)
            ),
            Self::ToInt => matches!(
                of,
                Type::Int | Type::Uint | Type::Double | Type::String | Type::Timestamp
            ),
            Self::ToUint => {
                matches!(of, Type::Int | Type::Uint | Type::Double | Type::String)
            }
            Self::ToString => matches!(
                of,
                Type::Bool
                    | Type::Int
                    | Type::Uint
                    | Type::String
                    | Type::Bytes
                    | Type::Timestamp
                    | Type::Duration
            ),
            Self::ToTimestamp => matches!(of, Type::String | Type::Int | Type::Timestamp),
            Self::ToDuration => matches!(of, Type::String | Type::Duration),
            Self::ToIpAddress => matches!(of, Type::String | Type::IpAddress),
            Self::StartsWith | Self::EndsWith | Self::Contains => *of == Type::String,
            Self::InCidr => *of == Type::IpAddress,
            Self::IsSubtreeOf => matches!(of, Type::Map(_)),
            Self::Get(Part::Hours | Part::Minutes | Part::Seconds) => {
                matches!(of, Type::Timestamp | Type::Duration)
            }
            Self::Get(_) => *of == Type::Timestamp,
        }
    }

    fn result(self) -> Type {
        match self {
            Self::Size | Self::ToInt | Self::Get(_) => Type::Int,
            Self::ToUint => Type::Uint,
            Self::ToString => Type::String,
            Self::ToTimestamp => Type::Timestamp,
            Self::ToDuration => Type::Duration,
            Self::ToIpAddress => Type::IpAddress,
            Self::StartsWith
            | Self::EndsWith
            | Self::Contains
            | Self::InCidr
            | Self::IsSubtreeOf => Type::Bool,
        }
    }
}

/// What a conversion makes of a text that stands in the condition itself: computed once, and a
/// mistake in it is found when the policy is created.
fn converted(
    position: Position,
    function: Function,
    text: &str,
) -> Result<Option<Constant>, PolicyError> {
    let refused = |message: String| error(position, message);
    Ok(Some(match function {
        Function::ToTimestamp => {
            let time = text.parse().map(Constant::Timestamp);
            time.map_err(|failure: crate::TimeError| refused(format!("{failure}")))?
        }
        Function::ToDuration => {
            let duration = text.parse().map(Constant::Duration);
            duration.map_err(|()| {
                refused(format!(
                    "{:?} is no duration; write it such as \"1h30m\" or \"3.5s\"",
                    excerpt(text)
                ))
            })?
        }
        Function::ToIpAddress => {
            let address = address::address(text).map(Constant::IpAddress);
            address
                .ok_or_else(|| refused(format!("{:?} is no IPv4 or IPv6 address", excerpt(text))))?
        }
        _ => return Ok(None),
    }))
}

/// Refuses a second argument in the text that can only fail.
fn check_text(position: Position, function: Function, text: &str) -> Result<(), PolicyError> {
    match function {
        Function::InCidr if !address::is_range(text) => Err(error(
            position,
            format!("{:?} is no range; write it such as \"10.0.0.0/8\"", excerpt(text)),
        )),
        Function::Get(_) if super::functions::offset(text).is_none() => Err(error(
            position,
            format!("{:?} is no fixed offset; write \"UTC\" or such as \"+01:00\" (names of time zones would need a database that changes)", excerpt(text)),
        )),
        _ => Ok(()),
    }
}

/// Why a function of CEL, or of the systems that we import from, is not offered.
fn refused(function: &str) -> Option<&'static str> {
    Some(match function {
        "matches" => "a regular expression has no bound on its work that every node would count alike; use startsWith, endsWith, contains or ==",
        "double" => "doubles are only compared, and int, uint and double compare with each other as they are",
        "dyn" => "give the parameter the type any",
        "type" => "types are known when the policy is created; for parameters of type any compare values",
        "bool" => "compare the text, text == \"true\"",
        "bytes" => "write bytes as b\"…\", or give the parameter the type bytes",
        _ => return None,
    })
}

fn unknown(position: Position, method: bool, function: &str) -> PolicyError {
    let shown = excerpt(function);
    let named = |known: &&Function| known.name() == function;
    if method && Function::GLOBAL.iter().any(|known| named(&known)) {
        return error(
            position,
            format!("write {shown}(…) before its argument, not behind it"),
        );
    }
    if !method
        && (Function::METHODS.iter().any(|known| named(&known))
            || MACROS.iter().any(|(name, _)| *name == function))
    {
        return error(
            position,
            format!("write {shown}(…) behind a value: value.{shown}(…)"),
        );
    }
    let near = if method {
        let macros = MACROS.iter().map(|(name, _)| *name);
        suggestion(
            function,
            Function::METHODS
                .iter()
                .map(|known| known.name())
                .chain(macros),
        )
    } else {
        suggestion(
            function,
            Function::GLOBAL
                .iter()
                .map(|known| known.name())
                .chain(["has"]),
        )
    };
    error(
        position,
        format!("{shown}() is no function of conditions{near}; docs/spec/condition.md lists them"),
    )
}
