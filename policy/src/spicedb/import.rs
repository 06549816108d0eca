//! A schema as a policy.

use alloc::{borrow::ToOwned, format, string::String};

use super::{
    ast::{AllowedSubject, AllowedType, Definition, Member, OperandKind, Permission, Schema},
    error::{refuse, ErrorClass, SpicedbError},
    expression::{without_nil, written},
    parser::parse,
    validate::{validate, Names},
};
use crate::{
    limits::NAMES_PER_RESOURCE_MAX,
    outline::{
        name_in_expression, Outline, OutlineCondition, OutlinePermission, OutlineRelation,
        OutlineResource,
    },
};

/// What a schema does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions<'a> {
    /// The policy's name.
    pub name: &'a str,
    /// The definition whose objects are the actors: then `user:tom` is no object any more, and the
    /// ids must be DIDs. It must be empty. Without it all definitions become resources.
    pub actor: Option<&'a str>,
}

/// What a policy calls actors if nothing else is said; no resource may have this name.
const ACTOR: &str = "actor";

/// Reads a schema and writes it as a policy that gives the same answers.
///
/// Relations stay relations and permissions permissions; `nil` is folded away, precedence written
/// as parentheses, and comments are kept as documentation. An arrow whose target some of the
/// allowed types do not define grants nothing there; it is written with a `?`.
///
/// # Errors
/// [`SpicedbError`] names the first thing that SpiceDB would refuse or that a policy cannot say.
pub fn import(text: &str, options: &ImportOptions<'_>) -> Result<Outline, SpicedbError> {
    let schema = parse(text)?;
    let names = validate(&schema)?;
    outline(&schema, &names, options)
}

fn outline(
    schema: &Schema,
    names: &Names<'_>,
    options: &ImportOptions<'_>,
) -> Result<Outline, SpicedbError> {
    let mut outline = Outline {
        name: options.name.to_owned(),
        description: schema.comment.clone(),
        without_owner: true,
        ..Outline::default()
    };
    outline.actor = match options.actor {
        Some(actor) => {
            the_actor(schema, names, actor)?;
            Some(actor.to_owned())
        }
        // Its objects are objects like others, so the word for actors has to give way.
        None => names.definition(ACTOR).map(|_| free_name(names)),
    };
    for caveat in &schema.caveats {
        if matches!(caveat.name.text.as_str(), "expiration" | "and" | "with") {
            return Err(refuse(
                caveat.name.position,
                ErrorClass::Inexpressible,
                format!("no condition may be named {:?}: types read it as something else; rename the caveat", caveat.name.text),
            ));
        }
        let parameters = caveat.parameters.iter();
        outline.conditions.push(OutlineCondition {
            name: caveat.name.text.clone(),
            doc: caveat.doc.clone(),
            parameters: parameters
                .map(|(name, kind)| (name.text.clone(), kind.clone()))
                .collect(),
            expression: caveat.expression.clone(),
        });
    }
    for definition in &schema.definitions {
        if options.actor == Some(definition.name.text.as_str()) {
            continue;
        }
        outline.resources.push(resource(definition, options.actor)?);
    }
    outline.relax_arrows();
    Ok(outline)
}

fn the_actor(schema: &Schema, names: &Names<'_>, actor: &str) -> Result<(), SpicedbError> {
    let start = crate::schema::Position { line: 1, column: 1 };
    let found = names.definition(actor);
    let Some(definition) = found.and_then(|at| schema.definitions.get(at)) else {
        return Err(refuse(
            start,
            ErrorClass::UnknownType,
            format!("there is no definition {actor:?} that could be the actors; name another one"),
        ));
    };
    match definition.members.first() {
        None => Ok(()),
        Some(member) => Err(refuse(
            member.name().position,
            ErrorClass::Inexpressible,
            format!("{actor:?} has relations or permissions, and actors have none; import it as a resource"),
        )),
    }
}

fn free_name(names: &Names<'_>) -> String {
    let mut name = String::from("did_actor");
    while names.definition(&name).is_some() {
        name.push('_');
    }
    name
}

fn resource(definition: &Definition, actor: Option<&str>) -> Result<OutlineResource, SpicedbError> {
    let name = &definition.name;
    if name.text == "did" {
        return Err(refuse(
            name.position,
            ErrorClass::Inexpressible,
            "no resource may be named `did`: its objects would read as actors; rename it",
        ));
    }
    let mut resource = OutlineResource {
        name: name.text.clone(),
        doc: definition.doc.clone(),
        ..OutlineResource::default()
    };
    for member in &definition.members {
        let (found, what) = match member {
            Member::Relation(_) => (resource.relations.len(), "relations"),
            Member::Permission(_) => (resource.permissions.len(), "permissions"),
        };
        if found >= NAMES_PER_RESOURCE_MAX {
            return Err(refuse(
                member.name().position,
                ErrorClass::TooLarge,
                format!(
                    "a resource has at most {NAMES_PER_RESOURCE_MAX} {what}; split the definition"
                ),
            ));
        }
        match member {
            Member::Relation(relation) => resource.relations.push(OutlineRelation {
                name: relation.name.text.clone(),
                doc: relation.doc.clone(),
                types: relation
                    .types
                    .iter()
                    .map(|allowed| entry(allowed, actor))
                    .collect(),
                ..OutlineRelation::default()
            }),
            Member::Permission(found) => resource.permissions.push(permission(found)?),
        }
    }
    Ok(resource)
}

/// An entry of `types`.
fn entry(allowed: &AllowedType, actor: Option<&str>) -> String {
    let definition = &allowed.definition.text;
    let mut entry = match &allowed.subject {
        AllowedSubject::Object => definition.clone(),
        AllowedSubject::Wildcard if actor == Some(definition) => "*".to_owned(),
        AllowedSubject::Wildcard => format!("{definition}:*"),
        AllowedSubject::Userset(name) => format!("{definition}->{}", name.text),
    };
    let caveat = allowed.caveat.as_ref().map(|name| name.text.as_str());
    let traits = caveat
        .into_iter()
        .chain(allowed.expiration.then_some("expiration"));
    for (found, joint) in traits.zip([" with ", " and "]) {
        entry.push_str(joint);
        entry.push_str(found);
    }
    entry
}

fn permission(permission: &Permission) -> Result<OutlinePermission, SpicedbError> {
    let operand = |kind: &OperandKind| match kind {
        // Folded away before.
        OperandKind::Nil => String::new(),
        OperandKind::Itself => "self".to_owned(),
        OperandKind::Name(name) => name_in_expression(name),
        OperandKind::Arrow {
            relation,
            all,
            target,
        } => {
            let arrow = if *all { "&->" } else { "->" };
            let (relation, target) = (
                name_in_expression(relation),
                name_in_expression(&target.text),
            );
            format!("{relation}{arrow}{target}")
        }
    };
    let expression = match without_nil(&permission.expression) {
        None => None,
        Some(steps) => Some(written(&steps, operand).map_err(|depth| {
            refuse(
                permission.name.position,
                ErrorClass::TooLarge,
                format!("with its precedence written out the parentheses of this permission nest {depth} deep; name parts of it"),
            )
        })?),
    };
    Ok(OutlinePermission {
        name: permission.name.text.clone(),
        doc: permission.doc.clone(),
        expression,
    })
}
