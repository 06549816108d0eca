//! Schemas: definitions, caveats, partials and flags, read into [`Schema`] with places.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    ast::{AllowedSubject, AllowedType, Member, Permission, Relation, Schema, Word},
    comments::documentation,
    error::{refuse, ErrorClass, SpicedbError},
    lexer::{Kind, Lexer, Token},
    partials::{self, Item, Unspread},
};
use crate::{
    limits::{
        ENTRIES_PER_RELATION_MAX, NAMES_PER_RESOURCE_MAX, RESOURCES_MAX, SPICEDB_SCHEMA_BYTES_MAX,
        SPREADS_MAX,
    },
    name::excerpt,
    schema::Position,
    suggest::suggestion,
};

/// What `use` can switch on.
const FLAGS: [&str; 5] = ["expiration", "import", "partial", "self", "typechecking"];

/// Words that can be no name.
const KEYWORDS: [&str; 6] = [
    "caveat",
    "definition",
    "nil",
    "permission",
    "relation",
    "with",
];

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

    fn relation(&mut self) -> Result<Relation, SpicedbError> {
        self.advance()?;
        let name = self.name("a relation")?;
        self.expect(":")?;
        let mut types = Vec::new();
        loop {
            if types.len() >= ENTRIES_PER_RELATION_MAX {
                return Err(too_many(
                    self.token.position,
                    ENTRIES_PER_RELATION_MAX,
                    "types here",
                ));
            }
            types.push(self.allowed_type()?);
            if self.token.kind == Kind::Sign("|") && self.token.line_start {
                return Err(self.unexpected(
                    "the end of a line ends the relation; put `|` at the end of the line before",
                ));
            }
            if !self.accept("|")? {
                break;
            }
        }
        Ok(Relation {
            name,
            doc: String::new(),
            types,
        })
    }

    fn allowed_type(&mut self) -> Result<AllowedType, SpicedbError> {
        if self.token.kind == Kind::Sign("@") {
            return Err(decorator(self.token.position));
        }
        let definition = self.path("a type")?;
        let mut subject = AllowedSubject::Object;
        if self.accept(":")? {
            self.expect("*")?;
            subject = AllowedSubject::Wildcard;
        } else if self.accept("#")? && !self.accept("...")? {
            subject = AllowedSubject::Userset(self.name("a relation")?);
        }
        let mut allowed = AllowedType {
            definition,
            subject,
            caveat: None,
            expiration: false,
        };
        if self.token.kind != Kind::Word("with") {
            return Ok(allowed);
        }
        self.advance()?;
        if !self.at_expiration() {
            allowed.caveat = Some(self.path("a caveat")?);
            if self.token.kind != Kind::Word("and") || self.token.line_start {
                return Ok(allowed);
            }
            if !self.flags.expiration {
                return Err(refuse(
                    self.token.position,
                    ErrorClass::Flag,
                    "`and expiration` needs `use expiration` at the top of the schema",
                ));
            }
            self.advance()?;
        }
        if !self.at_expiration() {
            return Err(
                self.unexpected("`expiration` belongs here; one relationship has one caveat")
            );
        }
        allowed.expiration = true;
        self.advance()?;
        if self.token.kind == Kind::Word("and") && !self.token.line_start {
            return Err(self.unexpected("the caveat stands first: `with CAVEAT and expiration`"));
        }
        Ok(allowed)
    }

    fn at_expiration(&self) -> bool {
        self.flags.expiration && self.token.kind == Kind::Word("expiration")
    }

    fn permission(&mut self) -> Result<Permission, SpicedbError> {
        self.advance()?;
        let name = self.name("a permission")?;
        let mut annotations = Vec::new();
        if self.accept(":")? {
            loop {
                if annotations.len() >= ENTRIES_PER_RELATION_MAX {
                    let max = ENTRIES_PER_RELATION_MAX;
                    return Err(too_many(self.token.position, max, "types here"));
                }
                annotations.push(self.path("a type")?);
                if !self.accept("|")? {
                    break;
                }
            }
        }
        self.expect("=")?;
        let expression = self.expression()?;
        Ok(Permission {
            name,
            doc: String::new(),
            annotations,
            expression,
        })
    }

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
        if !plain || word.starts_with(|first: char| first.is_ascii_digit()) || word.len() > 128 {
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
        if path.text.len() > 128 {
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

fn join(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

fn decorator(position: Position) -> SpicedbError {
    refuse(
        position,
        ErrorClass::Inexpressible,
        "decorators such as `@deprecated` have no counterpart in a policy; remove it",
    )
}

fn too_many(position: Position, max: usize, what: &str) -> SpicedbError {
    refuse(
        position,
        ErrorClass::TooLarge,
        format!("there are more than {max} {what}; split them"),
    )
}
