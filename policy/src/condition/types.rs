//! Types: of parameters as policies write them, and of expressions as the checker infers them.

use alloc::{boxed::Box, format, string::String};
use core::{fmt, str::FromStr};

use crate::{limits::CONDITION_TYPE_DEPTH_MAX, name::excerpt, suggest::suggestion};

/// The type of a condition's parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterType {
    /// `bool`.
    Bool,
    /// `int`: 64 bits with sign.
    Int,
    /// `uint`: 64 bits without sign.
    Uint,
    /// `double`: finite, only compared.
    Double,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `timestamp`.
    Timestamp,
    /// `duration`.
    Duration,
    /// `ipaddress`.
    IpAddress,
    /// `list<T>`.
    List(Box<ParameterType>),
    /// `map<T>`: strings to values of one type.
    Map(Box<ParameterType>),
    /// `any`: a JSON value; what an operation needs of it is checked when it runs.
    Any,
    /// `clock`: the time of the check, which nobody can give.
    Clock,
}

/// Why a text is no [`ParameterType`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no type of a parameter{reason}")]
pub struct ParameterTypeError {
    /// What was given, cut to a printable length.
    pub text: String,
    /// Why, and what to write instead, in words.
    pub reason: String,
}

const SIMPLE: [(&str, ParameterType); 11] = [
    ("bool", ParameterType::Bool),
    ("int", ParameterType::Int),
    ("uint", ParameterType::Uint),
    ("double", ParameterType::Double),
    ("string", ParameterType::String),
    ("bytes", ParameterType::Bytes),
    ("timestamp", ParameterType::Timestamp),
    ("duration", ParameterType::Duration),
    ("ipaddress", ParameterType::IpAddress),
    ("any", ParameterType::Any),
    ("clock", ParameterType::Clock),
];

/// Reads a type as SpiceDB and OpenFGA write it, such as `list<map<int>>`; spaces may stand around
/// each name.
impl FromStr for ParameterType {
    type Err = ParameterTypeError;

    fn from_str(text: &str) -> Result<Self, ParameterTypeError> {
        let refused = |reason: String| ParameterTypeError {
            text: excerpt(text),
            reason,
        };
        let mut rest = text.trim();
        let mut containers = alloc::vec![];
        while let Some(inner) = rest.strip_suffix('>') {
            let (name, inner) = inner
                .split_once('<')
                .ok_or_else(|| refused("; a `>` closes that never opened".into()))?;
            containers.push(match name.trim() {
                "list" => Self::List,
                "map" => Self::Map,
                _ => {
                    return Err(refused(
                        "; only `list<…>` and `map<…>` hold other types".into(),
                    ))
                }
            });
            if containers.len() > CONDITION_TYPE_DEPTH_MAX {
                return Err(refused(format!(
                    ": lists and maps nest deeper than {CONDITION_TYPE_DEPTH_MAX} levels"
                )));
            }
            rest = inner.trim();
        }
        let simple = SIMPLE.into_iter().find(|(name, _)| *name == rest);
        let mut parsed = match simple {
            Some((_, simple)) => simple,
            None if rest == "list" || rest == "map" => {
                return Err(refused(format!("; say of what: `{rest}<string>`")))
            }
            None => {
                let names = SIMPLE.iter().map(|(name, _)| *name);
                let mut reason = suggestion(rest, names.clone());
                if reason.is_empty() {
                    reason = String::from("; use one of ");
                    for name in names {
                        reason.push_str(name);
                        reason.push_str(", ");
                    }
                    reason.push_str("list<…>, map<…>");
                }
                return Err(refused(reason));
            }
        };
        if parsed == Self::Clock && !containers.is_empty() {
            return Err(refused(
                "; there is one clock, so no list or map of clocks".into(),
            ));
        }
        while let Some(container) = containers.pop() {
            parsed = container(Box::new(parsed));
        }
        Ok(parsed)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(of) => write!(f, "list<{of}>"),
            Self::Map(of) => write!(f, "map<{of}>"),
            simple => {
                let named = SIMPLE.iter().find(|(_, named)| named == simple);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    IpAddress,
    List(Box<Type>),
    Map(Box<Type>),
    Any,
    Clock,
}

impl From<&ParameterType> for Type {
    fn from(of: &ParameterType) -> Self {
        match of {
            ParameterType::Bool => Self::Bool,
            ParameterType::Int => Self::Int,
            ParameterType::Uint => Self::Uint,
            ParameterType::Double => Self::Double,
            ParameterType::String => Self::String,
            ParameterType::Bytes => Self::Bytes,
            ParameterType::Timestamp => Self::Timestamp,
            ParameterType::Duration => Self::Duration,
            ParameterType::IpAddress => Self::IpAddress,
            ParameterType::List(of) => Self::List(Box::new(Self::from(&**of))),
            ParameterType::Map(of) => Self::Map(Box::new(Self::from(&**of))),
            ParameterType::Any => Self::Any,
            ParameterType::Clock => Self::Clock,
        }
    }
}

impl Type {
    pub(super) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    pub(super) fn map(of: Self) -> Self {
        Self::Map(Box::new(of))
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Whether values of the two types can be equal at all.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::List(a), Self::List(b)) | (Self::Map(a), Self::Map(b)) => a.may_equal(b),
            (a, b) => a == b || (a.is_number() && b.is_number()),
        }
    }

    /// The type of a value that has one type or the other: any where they differ.
    pub(super) fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::List(a), Self::List(b)) => Self::list(a.joined(*b)),
            (Self::Map(a), Self::Map(b)) => Self::map(a.joined(*b)),
            (a, b) if a == b => a,
            _ => Self::Any,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::IpAddress => "ipaddress",
            Self::List(of) => return write!(f, "list<{of}>"),
            Self::Map(of) => return write!(f, "map<{of}>"),
            Self::Any => "any",
            Self::Clock => "clock",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn types_are_written_as_they_are_read() {
        for text in [
            "bool",
            "clock",
            "list<int>",
            "map<any>",
            "list<map<list<ipaddress>>>",
        ] {
            assert_eq!(text.parse::<ParameterType>().unwrap().to_string(), text);
        }
        assert_eq!(
            " list < int > "
                .parse::<ParameterType>()
                .unwrap()
                .to_string(),
            "list<int>"
        );
    }

    #[test]
    fn what_is_no_type_is_refused_with_a_reason() {
        for (text, expected) in [
            ("", "use one of bool, int"),
            ("integer", "use one of"),
            ("strin", "did you mean \"string\""),
            ("list", "list<string>"),
            ("list<", "use one of"),
            ("list>", "never opened"),
            ("set<int>", "only `list<…>`"),
            ("list<clock>", "no list or map of clocks"),
            ("map<string,int>", "use one of"),
            ("list<list<list<list<list<int>>>>>", "deeper than 4"),
        ] {
            let refused = text.parse::<ParameterType>().unwrap_err().to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        assert!("list<".repeat(10_000).parse::<ParameterType>().is_err());
        assert!(">".repeat(10_000).parse::<ParameterType>().is_err());
    }
}
