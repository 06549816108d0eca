//! What the DSL reads as it was written: names, types of parameters and expressions that may come
//! from JSON or from a native policy, and cannot all stand in its text.

use alloc::format;

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

/// Whether the DSL reads `name` as one name where a condition or a parameter is declared: there it knows
/// types of parameters, and no other words. Where a condition is used it knows them all
/// ([`is_dsl_name`]).
pub(super) fn is_declared_name(name: &str) -> bool {
    let declared = format!("condition {name}");
    let tokens = tokens(&declared).tokens;
    matches!(tokens.as_slice(), [_, space, token, end]
        if space.kind == Kind::Space
            && token.kind == (Kind::Name { extended: false })
            && token.text == name
            && end.kind == Kind::End)
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

/// Whether `expression` between braces is read as it is: a `}` outside of a text would end it, what looks
/// like a comment would be left out, and behind the word `condition` names are read otherwise.
pub(super) fn is_dsl_expression(expression: &str) -> bool {
    let lexed = tokens(expression);
    let breaks = |kind| matches!(kind, Kind::CloseBrace | Kind::Condition | Kind::Unknown);
    lexed.comments.is_empty() && !lexed.tokens.iter().any(|token| breaks(token.kind))
}
