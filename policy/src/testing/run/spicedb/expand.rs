//! The recursive expansion of a permission, folded into the set of its subjects.

use alloc::{collections::BTreeMap, format, rc::Rc, string::String, vec::Vec};

use super::found::{Found, FoundSet};
use crate::{
    limits::{FOUND_DEPTH_MAX, FOUND_STEPS_MAX},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::NodeId,
    schema::{Arrow, Body, Op, Policy},
    time::Time,
};

/// A member of a relation, and whether a caveat decides.
type Member<'a> = (&'a Subject, bool);

/// The relationships of a file that have not expired, and what was found so far.
pub(super) struct Expansion<'a> {
    policy: &'a Policy,
    members: BTreeMap<(&'a ObjectRef, &'a str), Vec<Member<'a>>>,
    /// By object and node; `None` while it is being found.
    known: BTreeMap<(ObjectRef, NodeId), Option<Rc<FoundSet>>>,
    steps: usize,
}

impl<'a> Expansion<'a> {
    pub fn new(policy: &'a Policy, all: &'a [Relationship], now: Time) -> Self {
        let mut members: BTreeMap<(&ObjectRef, &str), Vec<Member<'_>>> = BTreeMap::new();
        for relationship in all {
            let terms = &relationship.terms;
            if terms.has_expired(now) {
                continue;
            }
            let key = (&relationship.object, relationship.relation.as_str());
            let member = (&relationship.subject, terms.condition.is_some());
            members.entry(key).or_default().push(member);
        }
        Self {
            policy,
            members,
            known: BTreeMap::new(),
            steps: 0,
        }
    }

    /// All subjects of a relation or permission of an object.
    ///
    /// # Errors
    /// In words: the policy does not define it, the relationships lead back to where they came from,
    /// or a bound is exceeded.
    pub fn subjects(&mut self, object: &ObjectRef, name: &str) -> Result<Rc<FoundSet>, String> {
        let policy = self.policy;
        let resource = policy.resource(object.resource());
        let node = resource.and_then(|resource| policy.node(resource, name));
        let Some(node) = node else {
            let resource = object.resource();
            return Err(format!("the schema defines no {name:?} of {resource:?}"));
        };
        // After an error some nodes may still count as being found.
        self.known.retain(|_, known| known.is_some());
        self.steps = 0;
        self.of(object, node, 0)
    }

    /// Recursion ends at [`FOUND_DEPTH_MAX`].
    fn of(
        &mut self,
        object: &ObjectRef,
        node: NodeId,
        depth: usize,
    ) -> Result<Rc<FoundSet>, String> {
        let name = self.policy.node_name(node);
        let key = (object.clone(), node);
        match self.known.get(&key) {
            Some(Some(known)) => return Ok(known.clone()),
            Some(None) => {
                return Err(format!(
                    "{object}#{name} leads back to itself, so its subjects cannot be listed; ask with assertions instead"
                ))
            }
            None => {}
        }
        if depth >= FOUND_DEPTH_MAX {
            return Err(format!("the relationships nest deeper than {FOUND_DEPTH_MAX} levels, as far as SpiceDB follows them"));
        }
        self.known.insert(key.clone(), None);
        let found = match self.policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => FoundSet::default(),
            Some(Body::Relation(_)) => self.relation(object, name, depth)?,
            Some(Body::Computed(ops)) => self.computed(object, name, ops, depth)?,
        };
        let found = Rc::new(found);
        self.known.insert(key, Some(found.clone()));
        Ok(found)
    }

    fn members(&mut self, object: &ObjectRef, relation: &str) -> Result<Vec<Member<'a>>, String> {
        let members = self.members.get(&(object, relation));
        let members = members.cloned().unwrap_or_default();
        self.steps += members.len() + 1;
        if self.steps > FOUND_STEPS_MAX {
            return Err(format!("there are more than {FOUND_STEPS_MAX} relationships to follow; ask with assertions instead"));
        }
        Ok(members)
    }

    fn relation(
        &mut self,
        object: &ObjectRef,
        name: &str,
        depth: usize,
    ) -> Result<FoundSet, String> {
        let here = format!("{object}#{name}");
        let mut found = FoundSet::default();
        for (subject, caveated) in self.members(object, name)? {
            let direct = Found {
                caveated,
                ..Found::through(&here)
            };
            match subject {
                // No imported schema has actors.
                Subject::Actor(_) | Subject::Everyone => {}
                Subject::Every(resource) => found.add(resource.as_str(), "*", direct),
                Subject::Object(object) => found.add(object.resource(), object.id(), direct),
                Subject::Userset { object, relation } => {
                    let kind = format!("{}#{relation}", object.resource());
                    found.add(&kind, object.id(), direct);
                    let node = self.policy.resource(object.resource());
                    let node = node.and_then(|of| self.policy.node(of, relation.as_str()));
                    if let Some(node) = node {
                        let set = self.of(object, node, depth + 1)?;
                        found = found.union(&under(&set, caveated));
                    }
                }
            }
        }
        Ok(found)
    }

    fn computed(
        &mut self,
        object: &ObjectRef,
        name: &str,
        ops: &[Op],
        depth: usize,
    ) -> Result<FoundSet, String> {
        let mut stack: Vec<FoundSet> = Vec::new();
        for op in ops {
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => (*self.of(object, node, depth + 1)?).clone(),
                Op::Arrow(at) => match self.policy.arrows.get(at as usize) {
                    Some(arrow) => self.arrow(object, arrow, depth)?,
                    None => FoundSet::default(),
                },
                Op::Itself => {
                    let mut itself = FoundSet::default();
                    let through = Found::through(&format!("{object}#{name}"));
                    itself.add(object.resource(), object.id(), through);
                    itself
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let right = stack.pop().unwrap_or_default();
                    let left = stack.pop().unwrap_or_default();
                    match op {
                        Op::Union => left.union(&right),
                        Op::Intersection => left.intersection(&right),
                        _ => left.difference(&right),
                    }
                }
            };
            stack.push(found);
        }
        Ok(stack.pop().unwrap_or_default())
    }

    fn arrow(
        &mut self,
        object: &ObjectRef,
        arrow: &'a Arrow,
        depth: usize,
    ) -> Result<FoundSet, String> {
        let relation = self.policy.node_name(arrow.relation);
        let mut found: Option<FoundSet> = None;
        for (subject, caveated) in self.members(object, relation)? {
            let (Subject::Object(to) | Subject::Userset { object: to, .. }) = subject else {
                continue;
            };
            let target = self.policy.resource(to.resource()).and_then(|resource| {
                let mut targets = arrow.targets.iter();
                targets.find(|(of, _)| *of == resource)
            });
            let set = match target {
                Some((_, node)) => under(&*self.of(to, *node, depth + 1)?, caveated),
                None => FoundSet::default(),
            };
            found = Some(match found {
                None => set,
                Some(found) if arrow.all => found.intersection(&set),
                Some(found) => found.union(&set),
            });
        }
        Ok(found.unwrap_or_default())
    }
}

fn under(set: &FoundSet, caveated: bool) -> FoundSet {
    match caveated {
        true => set.clone().under_caveat(),
        false => set.clone(),
    }
}
