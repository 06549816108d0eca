//! OpenFGA's relationship tuples, and the native relationships that they are.

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::{Deserializer, Map, Value};

use super::{
    error::{Class, Error},
    native::{is_actor, is_name, is_object_id},
};
use crate::name::excerpt;

/// A tuple as OpenFGA writes it: the texts of its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuple {
    /// `user:anne`, `user:*` or `group:eng#member`.
    pub user: String,
    /// `viewer`.
    pub relation: String,
    /// `document:1`.
    pub object: String,
    /// The condition under which it holds.
    pub condition: Option<TupleCondition>,
}

/// The condition of a tuple.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TupleCondition {
    /// Its name.
    pub name: String,
    /// Values of parameters that the tuple gives.
    pub context: Map<String, Value>,
}

/// Whether OpenFGA's language takes `id` as the id of an object: letters, digits and `_|*@.+/-`, not
/// starting with `*`. Its server takes more, and so do [`Tuple::to_native`] and its like.
#[must_use]
pub fn is_openfga_object_id(id: &str) -> bool {
    !id.is_empty()
        && !id.starts_with('*')
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_|*@.+/-".contains(&byte))
}

fn refusal(class: Class, message: String) -> Error {
    Error::new(None, class, message)
}

/// Parts `type:id`.
fn parts<'a>(text: &'a str, what: &str) -> Result<(&'a str, &'a str), Error> {
    text.split_once(':').ok_or_else(|| {
        let message = format!("{:?} is no {what}; write type:id", excerpt(text));
        refusal(Class::Form, message)
    })
}

fn name(name: &str, what: &str) -> Result<(), Error> {
    if is_name(name) {
        return Ok(());
    }
    let message = format!("{what} {:?} cannot be named so here", excerpt(name));
    Err(refusal(Class::NotExpressible, message))
}

fn object(text: &str, what: &str) -> Result<(), Error> {
    let (kind, id) = parts(text, what)?;
    name(kind, "type")?;
    if kind == "did" {
        let message = "objects of a type \"did\" would read as actors here; rename the type";
        return Err(refusal(Class::NotExpressible, message.into()));
    }
    if is_object_id(id) {
        return Ok(());
    }
    let message = format!(
        "{:?} of {kind:?} is no object id here: use 1 to 1024 visible ASCII characters other than \
         '#' and quotes, and not \"*\" alone",
        excerpt(id)
    );
    Err(refusal(Class::NotExpressible, message))
}

/// A user of OpenFGA's as a native subject: `user:anne`, `user:*`, `group:eng#member`; with `actor`,
/// the actor type as for [`super::import`], a DID and `*`.
///
/// # Errors
/// [`Class::Form`] for what is no user, [`Class::NotExpressible`] for names and ids that the native
/// language does not have.
pub fn subject_to_native(user: &str, actor: Option<&str>) -> Result<String, Error> {
    let (user, relation) = match user.split_once('#') {
        Some((user, relation)) => (user, Some(relation)),
        None => (user, None),
    };
    let (kind, id) = parts(user, "user")?;
    match (id, relation) {
        (id, relation) if Some(kind) == actor => match (id, relation) {
            ("*", None) => Ok("*".into()),
            (id, None) if is_actor(id) => Ok(id.into()),
            _ => {
                let message = format!(
                    "{:?} is no actor: a {kind:?} must be a DID such as did:key:z6Mk…",
                    excerpt(user)
                );
                Err(refusal(Class::NotExpressible, message))
            }
        },
        ("*", None) => {
            name(kind, "type")?;
            Ok(user.into())
        }
        (_, None) => {
            object(user, "user")?;
            Ok(user.into())
        }
        (_, Some(relation)) => {
            object(user, "user")?;
            name(relation, "relation")?;
            Ok(format!("{user}#{relation}"))
        }
    }
}

/// A native subject as a user of OpenFGA's; `actor` is the type that actors have there.
///
/// # Errors
/// [`Class::NotExpressible`] for actors and everyone without `actor`, [`Class::Form`] for what is no
/// subject.
pub fn subject_from_native(subject: &str, actor: Option<&str>) -> Result<String, Error> {
    if subject != "*" && !subject.starts_with("did:") {
        parts(subject, "subject")?;
        return Ok(subject.into());
    }
    let actor = actor.ok_or_else(|| {
        let message = format!(
            "{:?} is an actor; say which type actors have in OpenFGA",
            excerpt(subject)
        );
        refusal(Class::NotExpressible, message)
    })?;
    Ok(format!("{actor}:{subject}"))
}

impl Tuple {
    /// The native relationship, such as `document:1#viewer@user:anne with x_less_than {"x":5}`.
    ///
    /// # Errors
    /// As [`subject_to_native`], for each part.
    pub fn to_native(&self, actor: Option<&str>) -> Result<String, Error> {
        object(&self.object, "object")?;
        name(&self.relation, "relation")?;
        let subject = subject_to_native(&self.user, actor)?;
        let mut out = format!("{}#{}@{subject}", self.object, self.relation);
        if let Some(condition) = &self.condition {
            name(&condition.name, "condition")?;
            if condition.name == "expiration" {
                let message = "a condition cannot be named \"expiration\" here; rename it";
                return Err(refusal(Class::NotExpressible, message.into()));
            }
            out += " with ";
            out += &condition.name;
            if !condition.context.is_empty() {
                out.push(' ');
                out += &Value::Object(condition.context.clone()).to_string();
            }
        }
        Ok(out)
    }

    /// The tuple that a native relationship is.
    ///
    /// # Errors
    /// [`Class::NotExpressible`] for a relationship that expires, and as [`subject_from_native`];
    /// [`Class::Form`] for what is no relationship.
    pub fn from_native(text: &str, actor: Option<&str>) -> Result<Self, Error> {
        let form = || {
            let message = format!(
                "{:?} is no relationship; write object#relation@subject",
                excerpt(text)
            );
            refusal(Class::Form, message)
        };
        let (relationship, terms) = match text.split_once(" with ") {
            Some((relationship, terms)) => (relationship, Some(terms)),
            None => (text, None),
        };
        let (object, rest) = relationship.split_once('#').ok_or_else(form)?;
        let (relation, subject) = rest.split_once('@').ok_or_else(form)?;
        parts(object, "object")?;
        Ok(Self {
            user: subject_from_native(subject, actor)?,
            relation: relation.into(),
            object: object.into(),
            condition: terms.map(condition).transpose()?,
        })
    }
}

/// What stands behind `with`.
fn condition(terms: &str) -> Result<TupleCondition, Error> {
    let (name, rest) = match terms.split_once(' ') {
        Some((name, rest)) => (name, rest.trim()),
        None => (terms, ""),
    };
    let mut context = Map::new();
    let mut behind = rest;
    if rest.starts_with('{') {
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(fields))) => context = fields,
            _ => {
                let message = format!("{:?} is no context; write a JSON object", excerpt(rest));
                return Err(refusal(Class::Form, message));
            }
        }
        behind = rest.get(values.byte_offset()..).unwrap_or("").trim();
    }
    if name == "expiration" || behind.starts_with("and expiration ") {
        let message =
            "the relationship expires, which tuples do not; use a condition with the time";
        return Err(refusal(Class::NotExpressible, message.into()));
    }
    if !is_name(name) || !behind.is_empty() {
        let message = format!(
            "{:?} does not say under which condition; write `with name {{…}}`",
            excerpt(terms)
        );
        return Err(refusal(Class::Form, message));
    }
    Ok(TupleCondition {
        name: name.into(),
        context,
    })
}
