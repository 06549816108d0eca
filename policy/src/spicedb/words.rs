//! Names and signs: what every part of the grammar asks the next token for.

use alloc::{borrow::ToOwned, format};

use super::{
    ast::Word,
    error::{refuse, ErrorClass, SpicedbError},
    lexer::Kind,
    parser::Parser,
};
use crate::{limits::SPICEDB_NAME_BYTES_MAX, name::excerpt};

/// Words that can be no name.
pub(super) const KEYWORDS: [&str; 6] = [
    "caveat",
    "definition",
    "nil",
    "permission",
    "relation",
    "with",
];

impl Parser<'_> {
    /// A name; `what` says with its article whose.
    pub(super) fn name(&mut self, what: &str) -> Result<Word, SpicedbError> {
        let position = self.token.position;
        let Kind::Word(word) = self.token.kind else {
            return Err(self.unexpected(&format!("the name of {what} belongs here")));
        };
        let flagged = (self.flags.itself && word == "self")
            || (self.flags.expiration && matches!(word, "expiration" | "and"));
        if flagged || KEYWORDS.contains(&word) {
            return Err(refuse(
                position,
                ErrorClass::Syntax,
                format!("`{word}` is a word of the language; the name of {what} belongs here"),
            ));
        }
        let plain = word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain
            || word.starts_with(|first: char| first.is_ascii_digit())
            || word.len() > SPICEDB_NAME_BYTES_MAX
        {
            return Err(refuse(
                position,
                ErrorClass::Syntax,
                format!(
                    "{:?} is no name of {what}: use at most 128 letters, digits and underscores, the first one no digit",
                    excerpt(word)
                ),
            ));
        }
        let text = word.to_owned();
        self.advance()?;
        Ok(Word { text, position })
    }

    /// A name with prefixes: `tenant/user`.
    pub(super) fn path(&mut self, what: &str) -> Result<Word, SpicedbError> {
        let mut path = self.name(what)?;
        while self.token.kind == Kind::Sign("/") {
            self.advance()?;
            path.text.push('/');
            path.text.push_str(&self.name(what)?.text);
        }
        if path.text.len() > SPICEDB_NAME_BYTES_MAX {
            return Err(refuse(
                path.position,
                ErrorClass::TooLarge,
                "a name has at most 128 bytes with its prefixes; shorten it",
            ));
        }
        Ok(path)
    }

    pub(super) fn accept(&mut self, sign: &'static str) -> Result<bool, SpicedbError> {
        let found = self.token.kind == Kind::Sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<(), SpicedbError> {
        if self.accept(sign)? {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}` belongs here")))
    }

    pub(super) fn advance(&mut self) -> Result<(), SpicedbError> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// The token at hand is not what should stand here.
    pub(super) fn unexpected(&self, wanted: &str) -> SpicedbError {
        let found = match self.token.kind {
            Kind::Word(word) => format!("`{}`", excerpt(word)),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::End => "the end of the schema".into(),
        };
        refuse(
            self.token.position,
            ErrorClass::Syntax,
            format!("{wanted}, not {found}"),
        )
    }
}
