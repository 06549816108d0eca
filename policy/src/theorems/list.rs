//! Relationship lists: `resource:id#relation@subject`, one a line, with `//` comments.
//!
//! acp_core's playground exports them, owners among them; so a list says all that a policy's world
//! holds, and a counterexample is one.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    change::Change,
    history::History,
    limits::THEOREM_BYTES_MAX,
    name::{excerpt, Actor},
    relationship::{ObjectRef, Relationship, Subject},
    schema::{Policy, Position, OWNER},
    theorems::error::{Errors, TheoremError},
};

/// Relationships as a person lists them, with their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelationshipList(pub Vec<(Position, Relationship)>);

impl RelationshipList {
    /// Reads a list. Ids may stand in double quotes, as in `file:"a b"#reader@did:key:z6Mk…`.
    ///
    /// # Errors
    /// All lines that are no relationships, up to [`crate::limits::THEOREM_ERRORS_MAX`].
    pub fn parse(text: &str) -> Result<Self, Vec<TheoremError>> {
        let mut errors = Errors::default();
        let mut all = Vec::new();
        if text.len() > THEOREM_BYTES_MAX {
            errors.add(
                Position { line: 1, column: 1 },
                format!("the list is longer than {THEOREM_BYTES_MAX} bytes; part it"),
            );
            return errors.unless_any(Self(all));
        }
        for (at, line) in text.lines().enumerate() {
            let kept = without_comment(line);
            let shown = kept.trim();
            if shown.is_empty() {
                continue;
            }
            let indent = kept.chars().take_while(|c| c.is_whitespace()).count();
            let position = Position {
                line: at + 1,
                column: indent + 1,
            };
            let read =
                unquoted(shown).and_then(|text| text.parse().map_err(|error| format!("{error}")));
            match read {
                Ok(relationship) => all.push((position, relationship)),
                Err(message) => errors.add(position, message),
            }
        }
        errors.unless_any(Self(all))
    }

    /// As [`Self::parse`], where `#` begins a comment at the beginning of a line, too.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_file(text: &str) -> Result<Self, Vec<TheoremError>> {
        let lines = text
            .lines()
            .map(|line| match line.trim_start().starts_with('#') {
                true => "",
                false => line,
            });
        Self::parse(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// What holds by this list under `policy`. Objects that no line registers have no owner.
    ///
    /// # Errors
    /// All relationships that the policy does not admit, and second owners.
    pub fn history(&self, policy: &Policy) -> Result<History, Vec<TheoremError>> {
        let mut errors = Errors::default();
        let owners = self.owners(policy, &mut errors);
        let mut stands = Vec::new();
        for (position, relationship) in &self.0 {
            if is_fact(policy, *position, relationship, &mut errors) {
                stands.push(relationship);
            }
        }
        let (owners, stands) = errors.unless_any((owners, stands))?;
        let history = History::of(policy.clone(), stands).and_then(|history| history.owned(owners));
        // No one line is wrong: together they are too many.
        let last = self.0.last().map(|(position, _)| *position);
        history.map_err(|error| {
            alloc::vec![TheoremError {
                position: last.unwrap_or(Position { line: 1, column: 1 }),
                message: format!("{error}"),
            }]
        })
    }

    /// The objects that lines register, each with its owner.
    fn owners<'a>(
        &'a self,
        policy: &Policy,
        errors: &mut Errors,
    ) -> Vec<(&'a ObjectRef, &'a Actor)> {
        let mut registered: BTreeSet<&ObjectRef> = BTreeSet::new();
        let mut owners = Vec::new();
        for (position, relationship) in &self.0 {
            let Some(owner) = owner_of(policy, relationship) else {
                continue;
            };
            let object = &relationship.object;
            if !policy.resource_exists(object.resource()) {
                errors.add(
                    *position,
                    format!(
                        "the policy defines no resource {:?}",
                        excerpt(object.resource())
                    ),
                );
            } else if !registered.insert(object) {
                errors.add(*position, format!("{object} has an owner already"));
            } else {
                owners.push((object, owner));
            }
        }
        owners
    }

    /// The changes that make a world of this list under `policy`: its definition, the owners that
    /// the list names, then the relationships.
    ///
    /// # Errors
    /// All relationships that the policy does not admit, second owners, and objects that no line
    /// gives an owner, unless `owner` stands in for them.
    pub fn changes(
        &self,
        policy: &Policy,
        owner: Option<&Actor>,
    ) -> Result<Vec<Change>, Vec<TheoremError>> {
        let mut errors = Errors::default();
        let mut changes = alloc::vec![Change::Defined {
            definition: policy.definition().to_string(),
        }];
        let mut register = |object: &ObjectRef, owner: &Actor| {
            changes.push(Change::ObjectRegistered {
                object: object.clone(),
                owner: owner.clone(),
            });
        };
        let mut registered: BTreeSet<&ObjectRef> = BTreeSet::new();
        for (object, owner) in self.owners(policy, &mut errors) {
            registered.insert(object);
            register(object, owner);
        }
        let mut sets = Vec::new();
        for (position, relationship) in &self.0 {
            if !is_fact(policy, *position, relationship, &mut errors) {
                continue;
            }
            let object = &relationship.object;
            match owner {
                _ if registered.contains(object) => {}
                Some(owner) => {
                    registered.insert(object);
                    register(object, owner);
                }
                None => {
                    errors.add(
                        *position,
                        format!("{object} has no owner; add the line {object}#{OWNER}@did:…"),
                    );
                    continue;
                }
            }
            sets.push(Change::RelationshipSet(relationship.clone()));
        }
        changes.extend(sets);
        errors.unless_any(changes)
    }
}

/// Whether a line says more than an owner; what the policy does not admit is noted and does not.
fn is_fact(
    policy: &Policy,
    position: Position,
    relationship: &Relationship,
    errors: &mut Errors,
) -> bool {
    if owner_of(policy, relationship).is_some() {
        return false;
    }
    let admitted = policy.admits(relationship);
    admitted
        .map_err(|error| errors.add(position, format!("{error}")))
        .is_ok()
}

/// Whom the relationship makes the owner: a line about `owner` registers its object, unless the
/// policy has made that a name like others.
fn owner_of<'a>(policy: &Policy, relationship: &'a Relationship) -> Option<&'a Actor> {
    match &relationship.subject {
        Subject::Actor(actor)
            if !owner_is_a_name(policy, &relationship.object)
                && relationship.relation.as_str() == OWNER
                && relationship.terms.is_none() =>
        {
            Some(actor)
        }
        _ => None,
    }
}

/// Whether the policy has made `owner` a name like others on such an object: then no relationship can
/// say who owns it.
pub(crate) fn owner_is_a_name(policy: &Policy, object: &ObjectRef) -> bool {
    let resource = policy.resource(object.resource());
    !policy.implicit_owner()
        && resource.is_some_and(|resource| policy.node(resource, OWNER).is_some())
}

/// The line up to `//`, unless that stands in double quotes.
fn without_comment(line: &str) -> &str {
    let (mut in_quotes, mut in_context, mut escaped) = (false, false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            // Only the JSON of a condition's context knows escapes.
            b'\\' => escaped = in_quotes && in_context,
            b'"' => in_quotes = !in_quotes,
            b'{' => in_context |= !in_quotes,
            b'/' if !in_quotes && line[at..].starts_with("//") => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The relationship's own notation, where ids stand without quotes.
fn unquoted(line: &str) -> Result<String, String> {
    let (object, rest) = object_unquoted(line)?;
    let (relation, subject) = match rest.split_once('#') {
        None => return Ok(format!("{object}{rest}")),
        Some((before, rest)) => match rest.split_once('@') {
            None => return Ok(format!("{object}{before}#{rest}")),
            Some((relation, subject)) => (format!("{before}#{relation}"), subject),
        },
    };
    let (subject, rest) = object_unquoted(subject)?;
    Ok(format!("{object}{relation}@{subject}{rest}"))
}

/// `resource:"id"rest` as `resource:id` and the rest; all else as nothing and itself.
fn object_unquoted(text: &str) -> Result<(String, &str), String> {
    let parts = text.split_once(":\"");
    let Some((resource, behind)) = parts.filter(|(head, _)| !head.contains(['#', '@', ' '])) else {
        return Ok((String::new(), text));
    };
    let Some((id, rest)) = behind.split_once('"') else {
        return Err("the quote does not close; add the second one".into());
    };
    let object = ObjectRef::new(resource, id).map_err(|error| format!("{error}"))?;
    Ok((format!("{object}"), rest))
}
