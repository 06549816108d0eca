//! Literals: numbers, and strings and bytes with their quotes and escapes (cel-spec langdef,
//! "Syntax" and "String and Bytes Values").

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{tokens::Token, Double};

/// Reads a number from the front of `text`; gives its length, too.
pub(super) fn number(text: &str) -> Result<(Token, usize), String> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or(&[]);
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let mut length = if hexadecimal {
        let rest = bytes.get(2..).unwrap_or(&[]);
        2 + rest.iter().take_while(|b| b.is_ascii_hexdigit()).count()
    } else {
        digits(0)
    };
    let mut whole = true;
    if !hexadecimal {
        if at(length) == b'.' && digits(length + 1) > 0 {
            whole = false;
            length += 1 + digits(length + 1);
        }
        if matches!(at(length), b'e' | b'E') {
            let sign = usize::from(matches!(at(length + 1), b'+' | b'-'));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                whole = false;
                length += 1 + sign + exponent;
            }
        }
    }
    let written = text.get(..length).unwrap_or("");
    let unsigned = whole && matches!(at(length), b'u' | b'U');
    let end = length + usize::from(unsigned);
    if at(end).is_ascii_alphanumeric() || at(end) == b'_' {
        return Err("a number ends in letters here; write 12, 0x1f, 12u, 1.5 or 1e3".to_owned());
    }
    if !whole {
        let double = Double::from_decimal(written).map(Token::Double);
        return double
            .map(|token| (token, end))
            .ok_or_else(|| "the number is out of the range of a double".to_owned());
    }
    let value = if hexadecimal {
        u64::from_str_radix(written.get(2..).unwrap_or(""), 16)
    } else {
        written.parse()
    };
    let value = value.map_err(|_| "the number does not fit 64 bits".to_owned())?;
    let token = if unsigned {
        Token::Uint(value)
    } else {
        Token::Int(value)
    };
    Ok((token, end))
}

/// A string or bytes literal of which only the prefix and the quotes are known.
pub(super) struct Quoted<'a> {
    text: &'a str,
    /// Length of prefix and opening quotes.
    start: usize,
    quotes: &'static str,
    raw: bool,
    bytes: bool,
}

/// Whether a string or bytes literal starts `text`.
pub(super) fn quote(text: &str) -> Option<Quoted<'_>> {
    let (mut raw, mut bytes, mut prefix) = (false, false, 0);
    for letter in text.bytes().take(2) {
        match letter {
            b'b' | b'B' if !bytes && !raw => bytes = true,
            b'r' | b'R' if !raw => raw = true,
            _ => break,
        }
        prefix += 1;
    }
    let rest = text.get(prefix..)?;
    let quotes = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| rest.starts_with(quotes))?;
    Some(Quoted {
        text,
        start: prefix + quotes.len(),
        quotes,
        raw,
        bytes,
    })
}

impl Quoted<'_> {
    /// The token and its length; else the place of an error and its message.
    pub(super) fn read(&self) -> Result<(Token, usize), (usize, String)> {
        let mut at = self.start;
        let mut value: Vec<u8> = Vec::new();
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            if rest.starts_with(self.quotes) {
                at += self.quotes.len();
                break;
            }
            let Some(character) = rest.chars().next() else {
                return Err((0, format_missing(self.quotes)));
            };
            match character {
                '\\' if !self.raw => {
                    let (length, code) = escape(rest, self.bytes)
                        .ok_or_else(|| (at, no_escape(self.bytes).to_owned()))?;
                    match code {
                        Code::Octet(octet) => value.push(octet),
                        Code::Character(character) => push(&mut value, character),
                    }
                    at += length;
                }
                '\n' | '\r' if self.quotes.len() == 1 => {
                    return Err((0, format_missing(self.quotes)));
                }
                // Line ends are the same whatever machine the policy was written on.
                '\r' => {
                    value.push(b'\n');
                    at += if rest.starts_with("\r\n") { 2 } else { 1 };
                }
                _ => {
                    push(&mut value, character);
                    at += character.len_utf8();
                }
            }
        }
        let token = if self.bytes {
            Token::Bytes(value)
        } else {
            Token::String(String::from_utf8(value).map_err(|_| (0, no_escape(false).to_owned()))?)
        };
        Ok((token, at))
    }
}

fn format_missing(quotes: &str) -> String {
    alloc::format!("the string is not closed; end it with {quotes}")
}

fn no_escape(bytes: bool) -> &'static str {
    if bytes {
        "no escape stands here; in bytes write \\n, \\x1f, \\037 or two backslashes"
    } else {
        "no escape stands here; write \\n, \\x1f, \\u00e9, \\U0001f600, \\037 or two backslashes"
    }
}

fn push(into: &mut Vec<u8>, character: char) {
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

enum Code {
    Octet(u8),
    Character(char),
}

/// Length and meaning of the escape at the front of `text`. In bytes, `\x` and octal escapes are
/// octets; in strings, code points.
fn escape(text: &str, bytes: bool) -> Option<(usize, Code)> {
    let letter = *text.as_bytes().get(1)?;
    let simple = match letter {
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\u{b}',
        b'\\' | b'?' | b'"' | b'\'' | b'`' => char::from(letter),
        _ => {
            let (from, length, radix) = match letter {
                b'x' | b'X' => (2, 2, 16),
                b'u' if !bytes => (2, 4, 16),
                b'U' if !bytes => (2, 8, 16),
                b'0'..=b'3' => (1, 3, 8),
                _ => return None,
            };
            let digits = text.get(from..from + length)?;
            if !digits.chars().all(|digit| digit.is_digit(radix)) {
                return None;
            }
            let code = u32::from_str_radix(digits, radix).ok()?;
            let meaning = if bytes {
                Code::Octet(u8::try_from(code).ok()?)
            } else {
                Code::Character(char::from_u32(code)?)
            };
            return Some((from + length, meaning));
        }
    };
    Some((2, Code::Character(simple)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{condition::tokens::tokens, schema::Position};

    const START: Position = Position { line: 1, column: 1 };

    fn one(text: &str) -> Option<Token> {
        let mut tokens = tokens(text, START).ok()?;
        (tokens.len() == 2).then(|| tokens.remove(0).0)
    }

    #[test]
    fn numbers_have_their_forms() {
        let double = |value| Token::Double(Double::new(value).unwrap());
        for (text, expected) in [
            ("0", Token::Int(0)),
            ("007", Token::Int(7)),
            ("18446744073709551615", Token::Int(u64::MAX)),
            ("0xFf", Token::Int(255)),
            ("0XfU", Token::Uint(15)),
            ("12u", Token::Uint(12)),
            ("1.5", double(1.5)),
            (".5", double(0.5)),
            ("1e3", double(1000.0)),
            ("1.5E-1", double(0.15)),
            ("0.0", double(0.0)),
        ] {
            assert_eq!(one(text), Some(expected), "{text}");
        }
        for bad in [
            "0x",
            "1x",
            "1.5u",
            "1e",
            "18446744073709551616",
            "1e999",
            "0x1g",
            "1_000",
            "12uu",
        ] {
            assert_eq!(one(bad), None, "{bad}");
        }
    }

    #[test]
    fn strings_and_bytes_have_their_quotes_and_escapes() {
        let string = |text: &str| Token::String(text.to_owned());
        let bytes = |bytes: &[u8]| Token::Bytes(bytes.to_owned());
        for (text, expected) in [
            (r#""""#, string("")),
            (r#"'a"b'"#, string("a\"b")),
            (r#""a'b""#, string("a'b")),
            (
                r#""\a\b\f\n\r\t\v\\\?\"\'\`""#,
                string("\x07\x08\x0c\n\r\t\x0b\\?\"'`"),
            ),
            (r#""\x41\u00e9\U0001F600\101""#, string("Aé😀A")),
            (r#""\377""#, string("ÿ")),
            (r#"r"\n""#, string("\\n")),
            (r#"R'\''"#, Token::End),
            ("\"\"\"a\"\"b\r\n'c\"\"\"", string("a\"\"b\n'c")),
            ("'''a''b'''", string("a''b")),
            ("r'''\\\n'''", string("\\\n")),
            (r#"b"\xff\377\n""#, bytes(&[255, 255, 10])),
            (r#"b'é'"#, bytes("é".as_bytes())),
            (r#"bR"\x""#, bytes(b"\\x")),
        ] {
            if expected == Token::End {
                assert_eq!(one(text), None, "{text}");
            } else {
                assert_eq!(one(text), Some(expected), "{text}");
            }
        }
        for bad in [
            "\"a",
            "'a\nb'",
            "\"\"\"a\"\"",
            r#""\z""#,
            r#""\x4""#,
            r#""\ud800""#,
            r#""\U00110000""#,
            r#""\400""#,
            r#""\08""#,
            r#"b"\u0041""#,
            r#""\"#,
            r#""\x+1""#,
            r#""\xé""#,
        ] {
            assert_eq!(one(bad), None, "{bad}");
        }
        // Not prefixes of a literal: names.
        assert_eq!(tokens("rb'a'", START).unwrap().len(), 3);
        assert_eq!(tokens("br", START).unwrap().len(), 2);
    }

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let start = Position { line: 7, column: 5 };
        let places: Vec<_> = tokens("'é' < x // é\n  && 'a' == y", start)
            .unwrap()
            .into_iter()
            .map(|(_, place)| (place.line, place.column))
            .collect();
        assert_eq!(
            places,
            [
                (7, 5),
                (7, 9),
                (7, 11),
                (8, 3),
                (8, 6),
                (8, 10),
                (8, 13),
                (8, 14)
            ]
        );
        let wrong = tokens("a\n  = b", start).unwrap_err();
        assert_eq!((wrong.position.line, wrong.position.column), (8, 3));
    }
}
