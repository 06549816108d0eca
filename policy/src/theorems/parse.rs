//! Reads theorems in the notation of acp_core (`grammar/Theorem.g4` of sourcenetwork/acp_core).
//!
//! What that grammar takes is taken here, with the same meaning; beyond it: blocks in any order and
//! each of them optional, every subject where it has actors only, object ids of any length, and
//! statements that are more than one implication (`docs/spec/theorems.md`).

use alloc::{format, string::String, vec::Vec};

use crate::{
    limits::THEOREM_BYTES_MAX,
    name::{excerpt, Actor, Name, NameError},
    question::Question,
    relationship::{ObjectRef, Subject},
    schema::Position,
    suggest::suggestion,
    theorems::{
        error::{Errors, TheoremError},
        text::{Authorization, Delegation, Source, Theorems},
        token::{tokens, Placed, Token},
    },
};

const BLOCKS: [&str; 3] = ["Authorizations", "Delegations", "ImpliedRelations"];

impl Theorems {
    /// Reads a text of theorems.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the text, up to
    /// [`crate::limits::THEOREM_ERRORS_MAX`].
    pub fn parse(text: &str) -> Result<Self, Vec<TheoremError>> {
        let mut errors = Errors::default();
        let mut theorems = Self::default();
        if text.len() > THEOREM_BYTES_MAX {
            errors.add(
                Position { line: 1, column: 1 },
                format!("the text is longer than {THEOREM_BYTES_MAX} bytes; part it"),
            );
            return errors.unless_any(theorems);
        }
        let all = tokens(text, &mut errors);
        let mut parser = Parser {
            text,
            tokens: &all,
            at: 0,
        };
        let mut seen: Vec<&str> = Vec::new();
        while let Some(placed) = parser.peek() {
            let opened = parser.block(&mut seen);
            match opened {
                Ok(name) => parser.theorems(name, &mut theorems, &mut errors),
                Err(wrong) => {
                    wrong.report(&mut errors);
                    parser.skip_block(placed.position.line);
                }
            }
        }
        errors.unless_any(theorems)
    }
}

/// Why a theorem cannot be read. Without a message it has been reported.
#[derive(Debug)]
pub(super) struct Wrong {
    pub position: Position,
    pub message: Option<String>,
}

impl Wrong {
    fn report(self, errors: &mut Errors) {
        if let Some(message) = self.message {
            errors.add(self.position, message);
        }
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Placed<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    pub fn peek(&self) -> Option<Placed<'a>> {
        self.tokens.get(self.at).copied()
    }

    /// How many tokens have been taken.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Takes tokens back, so that an error has the place where they began.
    pub fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether `=>` is next; takes it if so.
    pub fn takes_implies(&mut self) -> bool {
        let found = self.peek().is_some_and(|next| next.token == Token::Implies);
        self.at += usize::from(found);
        found
    }

    /// Whether the next token is `sign`; takes it if so.
    pub fn takes(&mut self, sign: char) -> bool {
        let found = self
            .peek()
            .is_some_and(|next| next.token == Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    /// What is wrong at the next token.
    pub fn wrong(&self, message: impl Into<String>) -> Wrong {
        let last = self.tokens.last().map(|placed| placed.position);
        let here = self.peek().map(|placed| placed.position).or(last);
        let broken = self.peek().is_some_and(|next| next.token == Token::Broken);
        Wrong {
            position: here.unwrap_or(Position { line: 1, column: 1 }),
            message: (!broken).then(|| message.into()),
        }
    }

    pub fn expect(&mut self, sign: char, after: &str) -> Result<(), Wrong> {
        if self.takes(sign) {
            return Ok(());
        }
        let mut wrong = self.wrong(format!("`{sign}` belongs here, behind {after}"));
        // Where it is missing at a line's end, the next line has nothing to do with it.
        if let Some(last) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) {
            if last.position.line < wrong.position.line {
                let written = self.text.get(last.from..last.to).unwrap_or_default();
                wrong.position = last.position;
                wrong.position.column += written.chars().count();
            }
        }
        Err(wrong)
    }

    /// The head of a block, up to its brace.
    fn block(&mut self, seen: &mut Vec<&'a str>) -> Result<&'a str, Wrong> {
        let Some(Placed {
            token: Token::Word(name),
            ..
        }) = self.peek()
        else {
            return Err(self.wrong(format!("a block begins here: {}", BLOCKS.join(", "))));
        };
        if !BLOCKS.contains(&name) {
            let near = suggestion(name, BLOCKS);
            let name = excerpt(name);
            return Err(self.wrong(format!(
                "there is no block {name:?}{near} (there are {})",
                BLOCKS.join(", ")
            )));
        }
        if seen.contains(&name) {
            return Err(self.wrong(format!(
                "`{name}` stands here for the second time; write these theorems into the first block"
            )));
        }
        seen.push(name);
        self.at += 1;
        self.expect('{', name)?;
        Ok(name)
    }

    /// The theorems of a block, up to its closing brace.
    fn theorems(&mut self, block: &str, into: &mut Theorems, errors: &mut Errors) {
        while let Some(next) = self.peek() {
            if self.takes('}') {
                return;
            }
            let from = self.at;
            let read = match block {
                "Authorizations" => self.authorization(next).map(|theorem| {
                    into.authorizations.push(theorem);
                }),
                "Delegations" => self.delegation(next).map(|theorem| {
                    into.delegations.push(theorem);
                }),
                _ => self.statement(next).map(|theorem| {
                    into.statements.push(theorem);
                }),
            };
            if let Err(wrong) = read {
                let line = wrong.position.line;
                wrong.report(errors);
                // The rest of the line belongs to the theorem that cannot be read.
                while self.peek().is_some_and(|next| {
                    next.position.line <= line && next.token != Token::Sign('}')
                }) {
                    self.at += 1;
                }
                // Always on, whatever the error was.
                if self.at == from
                    && self
                        .peek()
                        .is_some_and(|next| next.token != Token::Sign('}'))
                {
                    self.at += 1;
                }
            }
        }
        self.wrong(format!("the block `{block}` does not close; add `}}`"))
            .report(errors);
    }

    /// Goes behind a block that cannot be read: behind its brace, or to the next line without one.
    fn skip_block(&mut self, line: usize) {
        let mut open = false;
        while let Some(next) = self.peek() {
            if !open && next.position.line > line {
                return;
            }
            open |= next.token == Token::Sign('{');
            self.at += 1;
            if next.token == Token::Sign('}') {
                return;
            }
        }
    }

    /// `[!] object # relation @ subject`
    fn authorization(&mut self, first: Placed<'a>) -> Result<Authorization, Wrong> {
        let allowed = !self.takes('!');
        let object = self.object()?;
        self.expect('#', "an object")?;
        let permission = self.node()?;
        self.expect('@', "a relation or permission")?;
        let subject = self.subject()?;
        Ok(Authorization {
            source: self.source(first),
            allowed,
            question: Question {
                object,
                permission,
                subject,
            },
        })
    }

    /// `[!] actor > object # relation`
    fn delegation(&mut self, first: Placed<'a>) -> Result<Delegation, Wrong> {
        let allowed = !self.takes('!');
        let actor = match self.peek() {
            Some(Placed {
                token: Token::Word(word),
                ..
            }) => {
                let actor = Actor::new(word).map_err(|error| self.named(&error))?;
                self.at += 1;
                actor
            }
            _ => return Err(self.wrong("an actor belongs here, a DID such as did:key:z6Mk…")),
        };
        self.expect('>', "an actor")?;
        let object = self.object()?;
        self.expect('#', "an object")?;
        let relation = self.name("a relation")?;
        Ok(Delegation {
            source: self.source(first),
            allowed,
            actor,
            object,
            relation,
        })
    }

    /// What the theorem that began at `first` and ends before the next token looks like.
    pub fn source(&self, first: Placed<'a>) -> Source {
        let mut text = String::new();
        let mut end = first.from;
        let ended = self.tokens.get(..self.at).unwrap_or_default();
        for placed in ended.iter().skip_while(|placed| placed.from < first.from) {
            if placed.from > end {
                text.push(' ');
            }
            text.push_str(self.text.get(placed.from..placed.to).unwrap_or_default());
            end = placed.to;
        }
        Source {
            position: first.position,
            text,
        }
    }

    pub fn named(&self, error: &NameError) -> Wrong {
        self.wrong(format!("{error}"))
    }

    /// `resource:id`, or `resource:"id"`: both parts as they stand, unchecked.
    pub fn object_parts(&mut self) -> Result<(&'a str, &'a str), Wrong> {
        let (Some(Placed {
            token: Token::Word(word),
            to,
            ..
        }),) = (self.peek(),)
        else {
            return Err(self.wrong("an object belongs here, such as document:1"));
        };
        let Some((resource, id)) = word.split_once(':') else {
            return Err(self.wrong(format!(
                "{:?} is no object; write resource:id",
                excerpt(word)
            )));
        };
        self.at += 1;
        match self.peek() {
            Some(Placed {
                token: Token::Quoted(quoted),
                from,
                ..
            }) if id.is_empty() && from == to => {
                self.at += 1;
                Ok((resource, quoted))
            }
            Some(next) if id.is_empty() && next.token == Token::Broken => Err(self.wrong("")),
            _ => Ok((resource, id)),
        }
    }

    pub fn object(&mut self) -> Result<ObjectRef, Wrong> {
        let before = self.at;
        let (resource, id) = self.object_parts()?;
        ObjectRef::new(resource, id).map_err(|error| {
            self.at = before;
            self.named(&error)
        })
    }

    /// A name.
    pub fn name(&mut self, what: &str) -> Result<Name, Wrong> {
        let Some(Placed {
            token: Token::Word(word),
            ..
        }) = self.peek()
        else {
            return Err(self.wrong(format!("the name of {what} belongs here")));
        };
        let name = Name::new(word).map_err(|error| self.named(&error))?;
        self.at += 1;
        Ok(name)
    }

    /// A relation, a permission, or `manage(relation)`.
    pub fn node(&mut self) -> Result<String, Wrong> {
        let name = self.name("a relation or permission")?;
        if name.as_str() != "manage" || !self.takes('(') {
            return Ok(format!("{name}"));
        }
        let managed = self.name("a relation")?;
        self.expect(')', "the relation that is managed")?;
        Ok(format!("manage({managed})"))
    }

    /// An actor, `*`, `resource:*`, an object or a userset.
    fn subject(&mut self) -> Result<Subject, Wrong> {
        match self.peek() {
            Some(Placed {
                token: Token::Word("*"),
                ..
            }) => {
                self.at += 1;
                Ok(Subject::Everyone)
            }
            Some(Placed {
                token: Token::Word(word),
                ..
            }) if word.starts_with("did:") => {
                let actor = Actor::new(word).map_err(|error| self.named(&error))?;
                self.at += 1;
                Ok(Subject::Actor(actor))
            }
            Some(Placed {
                token: Token::Word(word),
                ..
            }) if word.ends_with(":*") => {
                let resource = word.trim_end_matches(":*");
                let resource = Name::new(resource).map_err(|error| self.named(&error))?;
                self.at += 1;
                Ok(Subject::Every(resource))
            }
            _ => {
                let object = self.object()?;
                if !self.takes('#') {
                    return Ok(Subject::Object(object));
                }
                let relation = self.name("a relation or permission")?;
                Ok(Subject::Userset { object, relation })
            }
        }
    }
}
