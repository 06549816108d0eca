//! How long what begins a text is: names, numbers and literals.

pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bytes of a name that may hold single `.`, `/` and `-` between other characters.
pub(super) fn extended_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut end) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        if is_word_byte(*byte) {
            end = at + 1;
        } else if !matches!(byte, b'.' | b'/' | b'-') || end < at {
            break;
        }
        at += 1;
    }
    end
}

/// Bytes of a number of CEL, or of a schema version.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, of: fn(&u8) -> bool| {
        bytes.iter().skip(from).take_while(|byte| of(byte)).count()
    };
    let mut end = if text.starts_with("0x") && run(2, u8::is_ascii_hexdigit) > 0 {
        2 + run(2, u8::is_ascii_hexdigit)
    } else {
        let mut end = run(0, u8::is_ascii_digit);
        if bytes.get(end) == Some(&b'.') && run(end + 1, u8::is_ascii_digit) > 0 {
            end += 1 + run(end + 1, u8::is_ascii_digit);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let digits = run(end + 1 + sign, u8::is_ascii_digit);
            if digits > 0 {
                end += 1 + sign + digits;
            }
        }
        end
    };
    if matches!(bytes.get(end), Some(b'u' | b'U')) {
        end += 1;
    }
    end
}

/// Bytes of a CEL text or bytes literal at the start of `text`, with its prefix and quotes, and
/// whether it ends. One that does not end takes the rest of its line, or all if it may hold line
/// ends: to look for its end again behind each quote in it would be quadratic.
pub(super) fn string_length(text: &str) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let is_prefix = |byte: &&u8| matches!(byte, b'r' | b'R' | b'b' | b'B');
    let prefix = bytes.iter().take(2).take_while(is_prefix).count();
    let is_raw = |byte: &u8| matches!(byte, b'r' | b'R');
    let raw = bytes.iter().take(prefix).any(is_raw);
    let quote = *bytes.get(prefix)?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let triple = is_quote(prefix + 1) && is_quote(prefix + 2);
    let mut at = prefix + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1).is_some_and(u8::is_ascii_graphic);
        if *byte == b'\\' && !raw && escaped {
            at += 2;
        } else if triple && is_quote(at) && is_quote(at + 1) && is_quote(at + 2) {
            return Some((at + 3, true));
        } else if !triple && is_quote(at) {
            return Some((at + 1, true));
        } else if !triple && matches!(byte, b'\n' | b'\r') {
            break;
        } else {
            at += 1;
        }
    }
    Some((at, false))
}
