//! What the DSL reads as it was written: names, types of parameters and expressions that may come
//! from JSON or from a native policy, and cannot all stand in its text.

use super::{
    parser::is_name,
    token::{tokens, Kind},
};

/// Whether the DSL reads `name` as one name of a type or a relation.
pub(super) fn is_dsl_name(name: &str) -> bool {
    let tokens = tokens(name).tokens;
    matches!(tokens.as_slice(), [token, end]
        if is_name(token.kind) && token.text == name && end.kind == Kind::End)
}

/// Whether the DSL reads `version` as a schema version.
pub(super) fn is_version(version: &str) -> bool {
    let tokens = tokens(version).tokens;
    matches!(tokens.as_slice(), [token, _] if token.kind == Kind::Version && token.text == version)
}

/// Whether the DSL reads `name` as one name of a condition or a parameter. Where these stand it
/// reads types of parameters as such, and where a condition is used all its other words.
pub(super) fn is_condition_name(name: &str) -> bool {
    let is_type = matches!(name, "list" | "map") || is_scalar(name);
    is_dsl_name(name) && !is_type && !name.contains(['.', '/'])
}

fn is_scalar(kind: &str) -> bool {
    matches!(
        kind,
        "bool" | "string" | "int" | "uint" | "double" | "duration" | "timestamp" | "ipaddress"
    )
}

/// Whether the DSL has the type `kind` for parameters.
pub(super) fn is_parameter_type(kind: &str) -> bool {
    let element = kind
        .strip_prefix("list<")
        .or_else(|| kind.strip_prefix("map<"))
        .and_then(|kind| kind.strip_suffix('>'));
    is_scalar(element.unwrap_or(kind))
}

/// Whether `expression` between braces is read as it is: a `}` outside of a text would end it, and
/// what looks like a comment would be left out.
pub(super) fn is_dsl_expression(expression: &str) -> bool {
    let lexed = tokens(expression);
    let breaks = |kind| matches!(kind, Kind::CloseBrace | Kind::Unknown);
    lexed.comments.is_empty() && !lexed.tokens.iter().any(|token| breaks(token.kind))
}
