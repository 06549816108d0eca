//! What stands in a definition: relations with their types, permissions with their expressions.

use alloc::{string::String, vec::Vec};

use super::{
    ast::{AllowedSubject, AllowedType, Permission, Relation},
    error::{refuse, ErrorClass, SpicedbError},
    lexer::Kind,
    parser::{decorator, too_many, Parser},
};
use crate::limits::ENTRIES_PER_RELATION_MAX;

impl Parser<'_> {
    pub(super) fn relation(&mut self) -> Result<Relation, SpicedbError> {
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

    pub(super) fn permission(&mut self) -> Result<Permission, SpicedbError> {
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
}
