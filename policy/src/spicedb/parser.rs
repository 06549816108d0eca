//! Schemas: definitions, caveats, partials and flags, read into [`Schema`] with places.

use alloc::{format, string::String, vec::Vec};

use super::{
    ast::{Member, Schema},
    comments::documentation,
    error::{refuse, ErrorClass, SpicedbError},
    lexer::{Kind, Lexer, Token},
    partials::{self, Item, Unspread},
};
use crate::{
    limits::{NAMES_PER_RESOURCE_MAX, RESOURCES_MAX, SPICEDB_SCHEMA_BYTES_MAX, SPREADS_MAX},
    name::excerpt,
    schema::Position,
    suggest::suggestion,
};

/// What `use` can switch on.
const FLAGS: [&str; 5] = ["expiration", "import", "partial", "self", "typechecking"];

/// Features that change how words are read.
#[derive(Default)]
pub(super) struct Flags {
    pub expiration: bool,
    /// `use self`.
    pub itself: bool,
}

pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) token: Token<'a>,
    pub(super) flags: Flags,
}

/// Reads a schema; names are resolved in `validate`.
pub(crate) fn parse(text: &str) -> Result<Schema, SpicedbError> {
    if text.len() > SPICEDB_SCHEMA_BYTES_MAX {
        return Err(refuse(
            Position { line: 1, column: 1 },
            ErrorClass::TooLarge,
            format!("the schema is longer than {SPICEDB_SCHEMA_BYTES_MAX} bytes; split it"),
        ));
    }
    Parser::new(text)?.schema()
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, SpicedbError> {
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        Ok(Self {
            lexer,
            token,
            flags: Flags::default(),
        })
    }

    fn schema(mut self) -> Result<Schema, SpicedbError> {
        let mut schema = Schema::default();
        let (mut definitions, mut partials): (Vec<Unspread>, Vec<Unspread>) = Default::default();
        // What is said before the flags, or parted from the first definition by an empty line, is
        // said of the whole.
        let mut heading = self.heading()?;
        while self.token.kind != Kind::End {
            if self.accept(";")? {
                continue;
            }
            let position = self.token.position;
            let first = schema.caveats.is_empty() && definitions.is_empty() && partials.is_empty();
            match self.token.kind {
                Kind::Word("use") => {
                    let said = self.documented(|parser| parser.flag(first))?;
                    join(&mut heading, &said.1);
                    if first {
                        let more = self.heading()?;
                        join(&mut heading, &more);
                    }
                }
                Kind::Word("definition") => {
                    let what = "a definition";
                    definitions.push(self.block(what, definitions.len(), RESOURCES_MAX)?);
                }
                Kind::Word("partial") => {
                    partials.push(self.block("a partial", partials.len(), SPREADS_MAX)?);
                }
                Kind::Word("caveat") => {
                    if schema.caveats.len() >= RESOURCES_MAX {
                        return Err(too_many(position, RESOURCES_MAX, "caveats in a schema"));
                    }
                    let (mut caveat, doc) = self.documented(|parser| {
                        parser.advance()?;
                        parser.caveat()
                    })?;
                    caveat.doc = doc;
                    schema.caveats.push(caveat);
                }
                Kind::Word("import" | "from") => {
                    return Err(refuse(
                        position,
                        ErrorClass::Inexpressible,
                        "this schema is spread over several files; join them with `zed schema compile` and give the result",
                    ))
                }
                Kind::Sign("@") => return Err(decorator(position)),
                _ => {
                    return Err(self.unexpected(
                        "a `definition`, `caveat`, `partial` or `use` belongs here",
                    ))
                }
            }
        }
        let rest = documentation(&self.lexer.comments)?;
        join(&mut heading, &rest);
        schema.comment = heading;
        schema.definitions = partials::spread(definitions, partials)?;
        Ok(schema)
    }

    /// The comments before the token at hand up to the last empty line among them.
    fn heading(&mut self) -> Result<String, SpicedbError> {
        let until = self
            .lexer
            .comments
            .iter()
            .rposition(|comment| comment.blank_behind);
        let comments: Vec<_> = self
            .lexer
            .comments
            .drain(..until.map_or(0, |at| at + 1))
            .collect();
        documentation(&comments)
    }

    /// Reads something with the comments before it, in it and behind its last token.
    fn documented<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SpicedbError>,
    ) -> Result<(T, String), SpicedbError> {
        let mut before = core::mem::take(&mut self.lexer.comments);
        let read = read(self)?;
        let last = self.lexer.count();
        let mine = self
            .lexer
            .comments
            .iter()
            .position(|comment| comment.before == last && !comment.trailing);
        let mine = mine.unwrap_or(self.lexer.comments.len());
        before.extend(self.lexer.comments.drain(..mine));
        Ok((read, documentation(&before)?))
    }

    /// `use NAME`.
    fn flag(&mut self, first: bool) -> Result<(), SpicedbError> {
        let position = self.token.position;
        self.advance()?;
        let Kind::Word(word) = self.token.kind else {
            return Err(self.unexpected("the name of a feature belongs behind `use`"));
        };
        if !FLAGS.contains(&word) {
            let near = suggestion(word, FLAGS);
            return Err(refuse(
                self.token.position,
                ErrorClass::Flag,
                format!(
                    "there is no feature {:?}{near} (there are {})",
                    excerpt(word),
                    FLAGS.join(", ")
                ),
            ));
        }
        if !first {
            return Err(refuse(
                position,
                ErrorClass::Flag,
                "`use` stands before all definitions and caveats; move it to the top",
            ));
        }
        match word {
            "expiration" => self.flags.expiration = true,
            "self" => self.flags.itself = true,
            _ => {}
        }
        self.advance()
    }

    /// `definition NAME { … }`, and partials alike.
    fn block(&mut self, what: &str, found: usize, max: usize) -> Result<Unspread, SpicedbError> {
        if found >= max {
            return Err(too_many(self.token.position, max, "of these in a schema"));
        }
        let (mut block, doc) = self.documented(|parser| {
            parser.advance()?;
            let name = parser.path(what)?;
            parser.expect("{")?;
            Ok(Unspread {
                name,
                doc: String::new(),
                items: Vec::new(),
            })
        })?;
        block.doc = doc;
        while self.token.kind != Kind::Sign("}") {
            if self.accept(";")? {
                continue;
            }
            if block.items.len() >= 2 * NAMES_PER_RESOURCE_MAX {
                return Err(too_many(
                    self.token.position,
                    2 * NAMES_PER_RESOURCE_MAX,
                    "lines here",
                ));
            }
            let item = self.item()?;
            block.items.push(item);
        }
        // What is said before the closing brace belongs to nothing but the whole.
        let ((), rest) = self.documented(Self::advance)?;
        join(&mut block.doc, &rest);
        Ok(block)
    }

    fn item(&mut self) -> Result<Item, SpicedbError> {
        let (mut item, doc) = self.documented(|parser| {
            let item = match parser.token.kind {
                Kind::Word("relation") => Item::Member(Member::Relation(parser.relation()?)),
                Kind::Word("permission") => Item::Member(Member::Permission(parser.permission()?)),
                Kind::Sign("...") => {
                    parser.advance()?;
                    Item::Spread(parser.path("a partial")?)
                }
                Kind::Sign("@") => return Err(decorator(parser.token.position)),
                _ => {
                    return Err(
                        parser.unexpected("a `relation`, a `permission` or `}` belongs here")
                    )
                }
            };
            match parser.token.kind {
                Kind::Sign(";" | "}") | Kind::End => {}
                _ if parser.token.line_start => {}
                _ => {
                    return Err(
                        parser.unexpected("an operator, or the end of the line, belongs here")
                    )
                }
            }
            Ok(item)
        })?;
        match &mut item {
            Item::Member(Member::Relation(relation)) => relation.doc = doc,
            Item::Member(Member::Permission(permission)) => permission.doc = doc,
            Item::Spread(_) => {}
        }
        Ok(item)
    }
}

fn join(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

pub(super) fn decorator(position: Position) -> SpicedbError {
    refuse(
        position,
        ErrorClass::Inexpressible,
        "decorators such as `@deprecated` have no counterpart in a policy; remove it",
    )
}

pub(super) fn too_many(position: Position, max: usize, what: &str) -> SpicedbError {
    refuse(
        position,
        ErrorClass::TooLarge,
        format!("there are more than {max} {what}; split them"),
    )
}
