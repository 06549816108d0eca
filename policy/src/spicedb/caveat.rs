//! Caveats: parameters with types, and a body in CEL that is passed on as it is written.
//!
//! Only so much of CEL is known here as is needed to find the closing brace: string literals and
//! comments may hold braces of their own (CEL specification, "Lexis").

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    ast::{Caveat, Word},
    error::{refuse, ErrorClass, SpicedbError},
    lexer::{Kind, Lexer},
    parser::Parser,
};
use crate::{
    limits::{NAMES_PER_RESOURCE_MAX, PARAMETER_TYPE_DEPTH_MAX, TEXT_BYTES_MAX},
    suggest::suggestion,
};

/// Types of parameters; `list` and `map` take one more (SpiceDB, "Caveats: parameter types").
const TYPES: [&str; 12] = [
    "any",
    "bool",
    "bytes",
    "double",
    "duration",
    "int",
    "ipaddress",
    "list",
    "map",
    "string",
    "timestamp",
    "uint",
];

impl Parser<'_> {
    /// From behind `caveat` on.
    pub(super) fn caveat(&mut self) -> Result<Caveat, SpicedbError> {
        let name = self.path("a caveat")?;
        self.expect("(")?;
        let mut parameters: Vec<(Word, String)> = Vec::new();
        loop {
            let parameter = self.name("a parameter")?;
            if parameters
                .iter()
                .any(|(other, _)| other.text == parameter.text)
            {
                return Err(refuse(
                    parameter.position,
                    ErrorClass::Doubled,
                    format!("parameter {:?} stands twice; remove one", parameter.text),
                ));
            }
            if parameters.len() >= NAMES_PER_RESOURCE_MAX {
                return Err(refuse(
                    parameter.position,
                    ErrorClass::TooLarge,
                    format!("a caveat has at most {NAMES_PER_RESOURCE_MAX} parameters"),
                ));
            }
            parameters.push((parameter, self.parameter_type()?));
            if !self.accept(",")? {
                break;
            }
        }
        self.expect(")")?;
        // The body begins right behind the brace, which is the token at hand.
        if self.token.kind != Kind::Sign("{") {
            return Err(self.unexpected("`{` and the caveat's expression in CEL belong here"));
        }
        let expression = body(&mut self.lexer)?;
        self.advance()?;
        self.expect("}")?;
        Ok(Caveat {
            name,
            doc: String::new(),
            parameters,
            expression,
        })
    }

    /// `int`, `map<any>`, `list<list<string>>`.
    fn parameter_type(&mut self) -> Result<String, SpicedbError> {
        let mut written = String::new();
        let mut open = 0;
        loop {
            let position = self.token.position;
            let Kind::Word(word) = self.token.kind else {
                return Err(self.unexpected("the parameter's type belongs here, such as `int`"));
            };
            if !TYPES.contains(&word) {
                let near = suggestion(word, TYPES);
                return Err(refuse(
                    position,
                    ErrorClass::UnknownType,
                    format!(
                        "parameters have no type {word:?}{near} (there are {})",
                        TYPES.join(", ")
                    ),
                ));
            }
            written.push_str(word);
            self.advance()?;
            if matches!(word, "list" | "map") {
                open += 1;
                if open >= PARAMETER_TYPE_DEPTH_MAX {
                    return Err(refuse(
                        position,
                        ErrorClass::TooLarge,
                        format!("types nest deeper than {PARAMETER_TYPE_DEPTH_MAX} levels"),
                    ));
                }
                if self.token.kind != Kind::Sign("<") {
                    return Err(self
                        .unexpected("the type of what it holds belongs here, such as `<string>`"));
                }
                written.push('<');
                self.advance()?;
                continue;
            }
            for _ in 0..open {
                self.expect(">")?;
                written.push('>');
            }
            return Ok(written);
        }
    }
}

/// What stands before the brace that closes the body, without the space around it.
fn body(lexer: &mut Lexer<'_>) -> Result<String, SpicedbError> {
    let (text, start) = (lexer.rest(), lexer.position());
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let Some(first) = rest.chars().next() else {
            return Err(refuse(
                start,
                ErrorClass::Syntax,
                "the caveat's expression does not end; close it with `}`",
            ));
        };
        at += match first {
            '"' | '\'' => match literal(rest, is_raw(text, at)) {
                Some(length) => length,
                None => {
                    lexer.skip(at);
                    return Err(refuse(
                        lexer.position(),
                        ErrorClass::Syntax,
                        format!("this text does not end; close it with {first}"),
                    ));
                }
            },
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '{' => {
                depth += 1;
                1
            }
            '}' if depth == 0 => break,
            '}' => {
                depth -= 1;
                1
            }
            other => other.len_utf8(),
        };
    }
    let expression = text.get(..at).unwrap_or("").trim();
    if expression.is_empty() {
        return Err(refuse(
            start,
            ErrorClass::Syntax,
            "the caveat has no expression; write one in CEL between the braces",
        ));
    }
    if expression.len() > TEXT_BYTES_MAX {
        return Err(refuse(
            start,
            ErrorClass::TooLarge,
            format!("the caveat's expression is longer than {TEXT_BYTES_MAX} bytes"),
        ));
    }
    let expression = expression.to_owned();
    lexer.skip(at);
    Ok(expression)
}

/// Whether the quote at `at` opens a raw text: `r"…"`, `bR'…'`.
fn is_raw(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("");
    let prefix = before
        .bytes()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let prefix = before.get(before.len() - prefix..).unwrap_or("");
    matches!(prefix.to_ascii_lowercase().as_str(), "r" | "br" | "rb")
}

/// Length of the string literal that begins `text`.
fn literal(text: &str, raw: bool) -> Option<usize> {
    let quote = text.get(..1)?;
    let triple = text
        .get(..3)
        .filter(|three| three.bytes().all(|byte| byte == quote.as_bytes()[0]));
    let end = triple.unwrap_or(quote);
    let mut at = end.len();
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(end) {
            return Some(at + end.len());
        }
        let first = rest.chars().next()?;
        at += first.len_utf8();
        match first {
            '\\' if !raw => at += text.get(at..)?.chars().next()?.len_utf8(),
            '\n' if end.len() == 1 => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_ends_at_its_own_brace() {
        for (text, expected) in [
            (" a == 1 } definition", "a == 1"),
            (" {'a': 1}.a == 1 }", "{'a': 1}.a == 1"),
            (" a == \"}\" }", "a == \"}\""),
            (" a == '\\'}' }", "a == '\\'}'"),
            (" a == r'\\' }", "a == r'\\'"),
            (" a == bR\"\\\" }", "a == bR\"\\\""),
            (" a == '''}'\n}''' }", "a == '''}'\n}'''"),
            (" a // }\n == 1 }", "a // }\n == 1"),
            (" a == '' }", "a == ''"),
            (" a == 'é}' && b }", "a == 'é}' && b"),
        ] {
            let mut lexer = Lexer::new(text);
            assert_eq!(body(&mut lexer).unwrap(), expected);
            assert!(lexer.rest().starts_with('}'));
        }
        for text in ["", " a ", "{ }", " }", " 'a }", " \"\"\" } ", " '\n' }"] {
            assert!(body(&mut Lexer::new(text)).is_err(), "{text:?}");
        }
    }
}
