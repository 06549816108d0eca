//! What a schema's names mean, and which combinations SpiceDB refuses: the same ones are refused
//! here, so that what is imported is what was in force there.

use alloc::{
    collections::{btree_map::Entry, BTreeMap},
    format,
    string::String,
    vec::Vec,
};

use super::{
    ast::{
        AllowedSubject, Definition, Member, OperandKind, Permission, Relation, Schema, Step, Word,
    },
    error::{refuse, ErrorClass, SpicedbError},
};
use crate::suggest::suggestion;

/// A schema whose names are resolved.
pub(crate) struct Names<'a> {
    definitions: BTreeMap<&'a str, usize>,
    /// For each definition its members by name.
    members: Vec<BTreeMap<&'a str, usize>>,
}

impl<'a> Names<'a> {
    pub(crate) fn definition(&self, name: &str) -> Option<usize> {
        self.definitions.get(name).copied()
    }

    pub(crate) fn has(&self, definition: usize, name: &str) -> bool {
        self.members
            .get(definition)
            .is_some_and(|members| members.contains_key(name))
    }

    fn member<'s>(&self, schema: &'s Schema, definition: usize, name: &str) -> Option<&'s Member> {
        let at = *self.members.get(definition)?.get(name)?;
        schema.definitions.get(definition)?.members.get(at)
    }

    fn unknown_type(&self, name: &Word) -> SpicedbError {
        let near = suggestion(&name.text, self.definitions.keys().copied());
        refuse(
            name.position,
            ErrorClass::UnknownType,
            format!("there is no definition {:?}{near}", name.text),
        )
    }

    fn unknown_name(&self, definition: &Definition, at: usize, name: &Word) -> SpicedbError {
        let names = self.members.get(at).into_iter().flat_map(BTreeMap::keys);
        let near = suggestion(&name.text, names.copied());
        let flag = match name.text.as_str() {
            "self" => "; for the object itself write `use self` at the top",
            _ => "",
        };
        refuse(
            name.position,
            ErrorClass::UnknownRelation,
            format!(
                "{:?} defines no relation or permission {:?}{near}{flag}",
                definition.name.text, name.text
            ),
        )
    }
}

/// Resolves all names.
pub(crate) fn validate(schema: &Schema) -> Result<Names<'_>, SpicedbError> {
    let mut taken: BTreeMap<&str, &Word> = BTreeMap::new();
    let all = schema.caveats.iter().map(|caveat| &caveat.name);
    for name in all.chain(schema.definitions.iter().map(|definition| &definition.name)) {
        if taken.insert(&name.text, name).is_some() {
            return Err(doubled(name, "definition or caveat"));
        }
    }
    let mut names = Names {
        definitions: BTreeMap::new(),
        members: Vec::new(),
    };
    for (at, definition) in schema.definitions.iter().enumerate() {
        names.definitions.insert(&definition.name.text, at);
        let mut members = BTreeMap::new();
        for (at, member) in definition.members.iter().enumerate() {
            if members.insert(member.name().text.as_str(), at).is_some() {
                return Err(doubled(member.name(), "relation or permission"));
            }
        }
        names.members.push(members);
    }
    let wildcards = wildcards(schema, &names);
    let context = Context {
        schema,
        names: &names,
        wildcards,
    };
    for (at, definition) in schema.definitions.iter().enumerate() {
        for member in &definition.members {
            match member {
                Member::Relation(relation) => context.relation(at, relation)?,
                Member::Permission(permission) => context.permission(at, permission)?,
            }
        }
    }
    Ok(names)
}

fn doubled(name: &Word, what: &str) -> SpicedbError {
    refuse(
        name.position,
        ErrorClass::Doubled,
        format!("{:?} already names a {what}; rename one", name.text),
    )
}

type RelationId<'a> = (usize, &'a str);

/// The relations that allow a wildcard, or a userset of a relation that does, and so on; with the
/// one that allows it itself.
fn wildcards<'a>(schema: &'a Schema, names: &Names<'a>) -> BTreeMap<RelationId<'a>, String> {
    let mut leads: BTreeMap<RelationId<'a>, Vec<RelationId<'a>>> = BTreeMap::new();
    let mut found: BTreeMap<RelationId<'a>, String> = BTreeMap::new();
    let mut open: Vec<RelationId<'a>> = Vec::new();
    for (at, definition) in schema.definitions.iter().enumerate() {
        for member in &definition.members {
            let Member::Relation(relation) = member else {
                continue;
            };
            let own = (at, relation.name.text.as_str());
            for allowed in &relation.types {
                match &allowed.subject {
                    AllowedSubject::Object => {}
                    AllowedSubject::Wildcard => {
                        let path = format!("{}#{}", definition.name.text, relation.name.text);
                        if found.insert(own, path).is_none() {
                            open.push(own);
                        }
                    }
                    AllowedSubject::Userset(name) => {
                        if let Some(target) = names.definition(&allowed.definition.text) {
                            leads
                                .entry((target, name.text.as_str()))
                                .or_default()
                                .push(own);
                        }
                    }
                }
            }
        }
    }
    while let Some(reached) = open.pop() {
        let Some(path) = found.get(&reached).cloned() else {
            continue;
        };
        for next in leads.remove(&reached).unwrap_or_default() {
            if let Entry::Vacant(entry) = found.entry(next) {
                entry.insert(path.clone());
                open.push(next);
            }
        }
    }
    found
}

struct Context<'a> {
    schema: &'a Schema,
    names: &'a Names<'a>,
    wildcards: BTreeMap<RelationId<'a>, String>,
}

impl Context<'_> {
    fn relation(&self, at: usize, relation: &Relation) -> Result<(), SpicedbError> {
        for (number, allowed) in relation.types.iter().enumerate() {
            let name = &allowed.definition;
            let target = self.names.definition(&name.text);
            let (Some(target), Some(definition)) = (
                target,
                target.and_then(|at| self.schema.definitions.get(at)),
            ) else {
                return Err(self.names.unknown_type(name));
            };
            if let AllowedSubject::Userset(subject) = &allowed.subject {
                if !self.names.has(target, &subject.text) {
                    return Err(self.names.unknown_name(definition, target, subject));
                }
                // Within one definition SpiceDB lets it pass.
                let path = self.wildcards.get(&(target, subject.text.as_str()));
                if let Some(path) = path.filter(|_| target != at) {
                    return Err(refuse(
                        subject.position,
                        ErrorClass::WildcardInUserset,
                        format!(
                            "\"{}#{}\" leads to the wildcard of {path:?}; allow that wildcard here, or take it away there",
                            name.text, subject.text
                        ),
                    ));
                }
            }
            if let Some(caveat) = &allowed.caveat {
                let mut caveats = self
                    .schema
                    .caveats
                    .iter()
                    .map(|caveat| caveat.name.text.as_str());
                if !caveats.clone().any(|other| other == caveat.text) {
                    let near = suggestion(&caveat.text, &mut caveats);
                    let flag = match caveat.text.as_str() {
                        "expiration" => {
                            "; for expiring relationships write `use expiration` at the top"
                        }
                        _ => "",
                    };
                    return Err(refuse(
                        caveat.position,
                        ErrorClass::UnknownCaveat,
                        format!("there is no caveat {:?}{near}{flag}", caveat.text),
                    ));
                }
            }
            let same = |other: &&super::ast::AllowedType| {
                let subject = match (&other.subject, &allowed.subject) {
                    (AllowedSubject::Userset(a), AllowedSubject::Userset(b)) => a.text == b.text,
                    (a, b) => a == b,
                };
                let caveat =
                    |of: &super::ast::AllowedType| of.caveat.as_ref().map(|name| name.text.clone());
                subject
                    && other.definition.text == name.text
                    && caveat(other) == caveat(allowed)
                    && other.expiration == allowed.expiration
            };
            if relation.types.iter().take(number).any(|other| same(&other)) {
                return Err(refuse(
                    name.position,
                    ErrorClass::Doubled,
                    "this type is allowed already; remove it",
                ));
            }
        }
        Ok(())
    }

    fn permission(&self, at: usize, permission: &Permission) -> Result<(), SpicedbError> {
        for name in &permission.annotations {
            if self.names.definition(&name.text).is_none() {
                return Err(self.names.unknown_type(name));
            }
        }
        let Some(definition) = self.schema.definitions.get(at) else {
            return Ok(());
        };
        for step in &permission.expression {
            let Step::Operand(operand) = step else {
                continue;
            };
            let (name, target) = match &operand.kind {
                OperandKind::Nil | OperandKind::Itself => continue,
                OperandKind::Name(name) => (name, None),
                OperandKind::Arrow {
                    relation, target, ..
                } => (relation, Some(target)),
            };
            let word = Word {
                text: name.clone(),
                position: operand.position,
            };
            let Some(member) = self.names.member(self.schema, at, name) else {
                return Err(self.names.unknown_name(definition, at, &word));
            };
            if let Some(target) = target {
                self.arrow(at, &word, member, target)?;
            }
        }
        Ok(())
    }

    fn arrow(
        &self,
        at: usize,
        word: &Word,
        member: &Member,
        target: &Word,
    ) -> Result<(), SpicedbError> {
        let Member::Relation(relation) = member else {
            return Err(refuse(
                word.position,
                ErrorClass::ArrowOverPermission,
                format!(
                    "{:?} is a permission; an arrow leads from a relation",
                    word.text
                ),
            ));
        };
        if let Some(path) = self.wildcards.get(&(at, word.text.as_str())) {
            return Err(refuse(
                word.position,
                ErrorClass::ArrowOverWildcard,
                format!("{:?} leads to the wildcard of {path:?}, so the arrow would lead everywhere; use a relation without it", word.text),
            ));
        }
        let mut reached = relation
            .types
            .iter()
            .filter_map(|allowed| self.names.definition(&allowed.definition.text));
        if !reached.any(|definition| self.names.has(definition, &target.text)) {
            return Err(refuse(
                target.position,
                ErrorClass::UnknownRelation,
                format!(
                    "no type that {:?} allows defines a relation or permission {:?}",
                    word.text, target.text
                ),
            ));
        }
        Ok(())
    }
}
