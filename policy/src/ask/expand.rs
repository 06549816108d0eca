//! How a permission comes about: the tree of its expressions down to the relationships.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};
use core::{fmt, ops::ControlFlow};

use crate::{
    check::{arrow_target, resolve},
    limits::EXPANSION_NODES_MAX,
    name::{Actor, Name},
    question::CheckError,
    relationship::{ObjectRef, Subject},
    relationships::{NodeId, ObjectId, Reverse, SetRef, SubjectRef, TermsId},
    schema::{Arrow, Body, NodeKind, Op, Policy},
    standing::{is_admitted, type_of},
    terms::Terms,
    types::{SubjectType, Types},
};

/// How a permission comes about on an object. What it hangs on twice is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The nodes of the tree, the asked one first. Each has one parent, before it; others that hang on
    /// it refer to it.
    pub nodes: Vec<Expanded>,
}

/// A node of an [`Expansion`]; other nodes are meant by their place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expanded {
    /// A relation or permission of an object.
    Named {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
        /// What its value is.
        value: usize,
    },
    /// A relation or permission of an object that is shown elsewhere.
    Again {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
        /// Where it is shown.
        node: usize,
        /// Whether that is around here: it hangs on itself.
        is_circle: bool,
    },
    /// Who owns an object.
    Owner {
        /// The object.
        object: ObjectRef,
        /// Its owner; `None` where it has none, or is archived.
        owner: Option<Actor>,
    },
    /// The recorded members of a relation that the policy admits, in canonical order, whatever their
    /// terms say.
    Members {
        /// The object.
        object: ObjectRef,
        /// The relation.
        relation: String,
        /// Its members.
        members: Vec<ExpandedMember>,
    },
    /// Whoever has one of these.
    Union(Vec<usize>),
    /// Whoever has all of these.
    Intersection(Vec<usize>),
    /// Whoever has the first and not the second.
    Exclusion(usize, usize),
    /// Whoever has the target on one of the objects that a relation leads to, or on all of them and
    /// there is one.
    Arrow {
        /// The object.
        object: ObjectRef,
        /// The relation.
        relation: String,
        /// What is asked of the objects.
        target: String,
        /// Whether on all of them.
        all: bool,
        /// The members that lead somewhere; where all must grant, also those that lead nowhere.
        through: Vec<ExpandedMember>,
    },
    /// The object itself.
    Itself {
        /// The object.
        object: ObjectRef,
    },
    /// Nobody: a permission without an expression.
    Nobody,
}

/// A member of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandedMember {
    /// Who.
    pub subject: Subject,
    /// On what terms.
    pub terms: Terms,
    /// What stands behind it: of a userset, and of whatever an arrow leads through.
    pub leads_to: Option<usize>,
}

/// Expands `permission` of `object`, down to all relationships that it hangs on now. The order is that
/// of the expressions and of names.
///
/// # Errors
/// As [`crate::check`] where the question names nothing; [`CheckError::TooManySteps`] if there are more
/// than [`EXPANSION_NODES_MAX`] nodes and members.
pub fn expand<R: Reverse + ?Sized>(
    relationships: &R,
    object: &ObjectRef,
    permission: &str,
) -> Result<Expansion, CheckError> {
    let policy = relationships.policy();
    let node = resolve(policy, object.resource(), permission)?;
    let id = relationships.object(object).unwrap_or(ObjectId::NOWHERE);
    let mut tree = Tree {
        relationships,
        policy,
        root: object,
        nodes: vec![],
        places: BTreeMap::new(),
        open: BTreeSet::new(),
        tasks: vec![],
        members: 0,
    };
    tree.leave_room(id, node)?;
    while let Some(task) = tree.tasks.pop() {
        match task {
            Task::Show(at, object, node) => tree.show(at, object, node)?,
            Task::Close(object, node) => drop(tree.open.remove(&(object, node))),
        }
    }
    Ok(Expansion { nodes: tree.nodes })
}

enum Task {
    /// Show a node of an object at a place where there is room for it.
    Show(usize, ObjectId, NodeId),
    /// What was shown since is no longer below it.
    Close(ObjectId, NodeId),
}

struct Tree<'a, R: ?Sized> {
    relationships: &'a R,
    policy: &'a Policy,
    root: &'a ObjectRef,
    nodes: Vec<Expanded>,
    places: BTreeMap<(ObjectId, NodeId), usize>,
    /// Those that are around what is shown now.
    open: BTreeSet<(ObjectId, NodeId)>,
    tasks: Vec<Task>,
    members: usize,
}

impl<R: Reverse + ?Sized> Tree<'_, R> {
    fn add(&mut self, node: Expanded) -> Result<usize, CheckError> {
        self.nodes.push(node);
        self.count(0)?;
        Ok(self.nodes.len() - 1)
    }

    fn count(&mut self, members: usize) -> Result<(), CheckError> {
        self.members += members;
        match self.nodes.len() + self.members > EXPANSION_NODES_MAX {
            true => Err(CheckError::TooManySteps {
                limit: EXPANSION_NODES_MAX as u64,
            }),
            false => Ok(()),
        }
    }

    /// Makes a place for a node of an object, and has it shown there later: what is asked for last is
    /// shown first.
    fn leave_room(&mut self, object: ObjectId, node: NodeId) -> Result<usize, CheckError> {
        let at = self.add(Expanded::Nobody)?;
        self.tasks.push(Task::Show(at, object, node));
        Ok(at)
    }

    fn object(&self, id: ObjectId) -> ObjectRef {
        let name = self.relationships.object_name(id);
        name.unwrap_or_else(|| self.root.clone())
    }

    fn show(&mut self, at: usize, id: ObjectId, node: NodeId) -> Result<(), CheckError> {
        let object = self.object(id);
        let name: String = self.policy.node_name(node).into();
        let shown = self.places.get(&(id, node)).copied();
        let shown = match shown {
            Some(place) => Expanded::Again {
                object,
                name,
                node: place,
                is_circle: self.open.contains(&(id, node)),
            },
            None => {
                self.places.insert((id, node), at);
                self.open.insert((id, node));
                self.tasks.push(Task::Close(id, node));
                let first = self.tasks.len();
                let value = self.value(id, node)?;
                // They were asked for in their order, and are shown in it.
                self.turn(first);
                Expanded::Named {
                    object,
                    name,
                    value,
                }
            }
        };
        self.put(at, shown).map(|_| ())
    }

    fn put(&mut self, at: usize, node: Expanded) -> Result<usize, CheckError> {
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
        Ok(at)
    }

    fn value(&mut self, id: ObjectId, node: NodeId) -> Result<usize, CheckError> {
        let policy = self.policy;
        match policy.body_node(node).map(|node| &node.body) {
            None => self.add(Expanded::Nobody),
            Some(Body::Owner) => {
                let owner = self.relationships.owner(id);
                let owner = owner.and_then(|owner| self.relationships.actor_name(owner));
                let object = self.object(id);
                self.add(Expanded::Owner { object, owner })
            }
            Some(Body::Relation(types)) => {
                let at = self.add(Expanded::Nobody)?;
                let members = self.relation(id, node, types)?;
                let shown = Expanded::Members {
                    object: self.object(id),
                    relation: policy.node_name(node).into(),
                    members,
                };
                self.put(at, shown)
            }
            Some(Body::Computed(ops)) => self.expression(id, ops),
        }
    }

    fn relation(
        &mut self,
        id: ObjectId,
        node: NodeId,
        types: &Types,
    ) -> Result<Vec<ExpandedMember>, CheckError> {
        let relationships = self.relationships;
        let mut actors: Vec<(Actor, TermsId)> = vec![];
        let room = EXPANSION_NODES_MAX.saturating_sub(self.members);
        relationships.actors(id, node, &mut |actor, terms| {
            if let Some(name) = relationships.actor_name(actor) {
                actors.push((name, terms));
            }
            match actors.len() > room {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        self.count(actors.len())?;
        actors.sort_unstable();
        let mut members = vec![];
        for (actor, terms) in actors {
            if is_admitted(relationships, types, SubjectType::Actor, terms) {
                members.push(ExpandedMember {
                    subject: Subject::Actor(actor),
                    terms: self.terms(terms),
                    leads_to: None,
                });
            }
        }
        let all = types.entries().iter().map(|entry| entry.subject);
        for kind in all {
            let subject = match kind {
                SubjectType::Everyone => SubjectRef::Everyone,
                SubjectType::Every(resource) => SubjectRef::Every(resource),
                _ => continue,
            };
            let Some(terms) = relationships.contains(id, node, subject)? else {
                continue;
            };
            let subject = self.all(kind);
            let is_new =
                members.last().map(|last: &ExpandedMember| &last.subject) != subject.as_ref();
            if let Some(subject) = subject.filter(|_| is_new) {
                if is_admitted(relationships, types, kind, terms) {
                    members.push(ExpandedMember {
                        subject,
                        terms: self.terms(terms),
                        leads_to: None,
                    });
                }
            }
        }
        self.sets(id, node, types, None, &mut members)?;
        Ok(members)
    }

    /// Adds the admitted members that are no actors, with what stands behind each; only those through
    /// which the arrow leads, if there is one.
    fn sets(
        &mut self,
        id: ObjectId,
        node: NodeId,
        types: &Types,
        arrow: Option<&Arrow>,
        into: &mut Vec<ExpandedMember>,
    ) -> Result<(), CheckError> {
        let mut members = vec![];
        self.relationships.targets(id, node, &mut members)?;
        self.count(members.len())?;
        for member in members {
            let behind = match (arrow, member.set) {
                (Some(arrow), set) => arrow_target(self.policy, arrow, set),
                (None, SetRef::Userset(object, node)) => Some((object, node)),
                (None, _) => None,
            };
            // One that leads nowhere counts only where all must grant.
            let counts = arrow.is_none_or(|arrow| arrow.all || behind.is_some());
            let Some(kind) = type_of(member.set).filter(|_| counts) else {
                continue;
            };
            let admitted = is_admitted(self.relationships, types, kind, member.terms);
            let Some(subject) = self.subject(member.set).filter(|_| admitted) else {
                continue;
            };
            let leads_to = match behind {
                Some((object, node)) => Some(self.leave_room(object, node)?),
                None => None,
            };
            into.push(ExpandedMember {
                subject,
                terms: self.terms(member.terms),
                leads_to,
            });
        }
        Ok(())
    }

    /// Everybody of a kind as one subject.
    fn all(&self, kind: SubjectType) -> Option<Subject> {
        match kind {
            SubjectType::Everyone => Some(Subject::Everyone),
            SubjectType::Every(resource) => {
                let name = Name::new(self.policy.resource_name(resource)).ok();
                name.map(Subject::Every)
            }
            _ => None,
        }
    }

    fn subject(&self, set: SetRef) -> Option<Subject> {
        let name = |name: &str| Name::new(name).ok();
        Some(match set {
            SetRef::Object(object, _) => Subject::Object(self.relationships.object_name(object)?),
            SetRef::Userset(object, node) => Subject::Userset {
                object: self.relationships.object_name(object)?,
                relation: name(self.policy.node_name(node))?,
            },
            SetRef::Foreign => return None,
        })
    }

    fn terms(&self, terms: TermsId) -> Terms {
        let found = self.relationships.terms(terms);
        found.map_or(Terms::NONE, Arc::unwrap_or_clone)
    }

    /// Adds the nodes of an expression, from the outermost operator inwards.
    fn expression(&mut self, id: ObjectId, ops: &[Op]) -> Result<usize, CheckError> {
        let mut whole = None;
        let mut made: Vec<usize> = vec![];
        let first = self.tasks.len();
        // Backwards an operator comes first, then its right operand, then its left one: into which node
        // each of them goes.
        let mut waiting: Vec<Option<usize>> = vec![None];
        for op in ops.iter().rev() {
            if matches!(op, Op::SkipIfTrue(_) | Op::SkipIfFalse(_)) {
                continue;
            }
            let Some(parent) = waiting.pop() else {
                break;
            };
            let kind = parent.and_then(|at| self.nodes.get(at));
            let joins = matches!(
                (op, kind),
                (Op::Union, Some(Expanded::Union(_)))
                    | (Op::Intersection, Some(Expanded::Intersection(_)))
            );
            if joins {
                waiting.extend([parent, parent]);
                continue;
            }
            let at = match *op {
                Op::Union => self.add(Expanded::Union(vec![]))?,
                Op::Intersection => self.add(Expanded::Intersection(vec![]))?,
                Op::Difference => self.add(Expanded::Exclusion(0, 0))?,
                Op::Visit(node) => self.operand(id, node)?,
                Op::Arrow(at) => self.arrow(id, at)?,
                _ => self.add(Expanded::Itself {
                    object: self.object(id),
                })?,
            };
            if matches!(op, Op::Union | Op::Intersection | Op::Difference) {
                made.push(at);
                waiting.extend([Some(at), Some(at)]);
            }
            match parent.and_then(|parent| self.nodes.get_mut(parent)) {
                Some(Expanded::Union(all) | Expanded::Intersection(all)) => all.push(at),
                Some(Expanded::Exclusion(left, right)) => {
                    // The right side comes first.
                    (*left, *right) = (at, *left);
                }
                _ => whole = Some(at),
            }
        }
        for at in made {
            if let Some(Expanded::Union(all) | Expanded::Intersection(all)) = self.nodes.get_mut(at)
            {
                all.reverse();
            }
        }
        self.turn(first);
        match whole {
            Some(whole) => Ok(whole),
            None => self.add(Expanded::Nobody),
        }
    }

    fn operand(&mut self, id: ObjectId, node: NodeId) -> Result<usize, CheckError> {
        // A relation's own name in its own expression: no node that anybody could ask for.
        let kind = self.policy.body_node(node).map(|node| node.kind);
        if kind != Some(NodeKind::Recorded) {
            return self.leave_room(id, node);
        }
        let first = self.tasks.len();
        let at = self.value(id, node)?;
        self.turn(first);
        Ok(at)
    }

    /// Turns round the order of what was asked for since.
    fn turn(&mut self, first: usize) {
        if let Some(asked) = self.tasks.get_mut(first..) {
            asked.reverse();
        }
    }

    fn arrow(&mut self, id: ObjectId, at: u16) -> Result<usize, CheckError> {
        let policy = self.policy;
        let Some(arrow) = policy.arrows.get(at as usize) else {
            return self.add(Expanded::Nobody);
        };
        let at = self.add(Expanded::Nobody)?;
        let mut through = vec![];
        let body = policy.body_node(arrow.relation).map(|node| &node.body);
        if let Some(Body::Relation(types)) = body {
            let first = self.tasks.len();
            self.sets(id, arrow.relation, types, Some(arrow), &mut through)?;
            self.turn(first);
        }
        let target = arrow.targets.first();
        let target = target.map_or("", |(_, node)| policy.node_name(*node));
        let shown = Expanded::Arrow {
            object: self.object(id),
            relation: policy.node_name(arrow.relation).into(),
            target: target.into(),
            all: arrow.all,
            through,
        };
        self.put(at, shown)
    }
}

impl fmt::Display for Expansion {
    /// One line a node and a member, indented by two spaces a level.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut waiting: Vec<(usize, Line)> = vec![(0, Line::Node(0))];
        while let Some((level, line)) = waiting.pop() {
            let (text, below) = match line {
                Line::Text(text, below) => (text, below.map(Line::Node).into_iter().collect()),
                Line::Node(at) => match self.nodes.get(at) {
                    Some(node) => node.lines(),
                    None => continue,
                },
            };
            writeln!(f, "{:width$}{text}", "", width = 2 * level)?;
            waiting.extend(below.into_iter().rev().map(|line| (level + 1, line)));
        }
        Ok(())
    }
}

enum Line {
    Node(usize),
    Text(String, Option<usize>),
}

impl Expanded {
    /// A line for itself, and what stands below it.
    fn lines(&self) -> (String, Vec<Line>) {
        let nodes = |all: &[usize]| all.iter().map(|at| Line::Node(*at)).collect();
        let members = |all: &[ExpandedMember]| {
            let line = |member: &ExpandedMember| {
                let text = alloc::format!("{}{}", member.subject, member.terms);
                Line::Text(text, member.leads_to)
            };
            all.iter().map(line).collect()
        };
        match self {
            Self::Named {
                object,
                name,
                value,
            } => (alloc::format!("{object}#{name}"), vec![Line::Node(*value)]),
            Self::Again {
                object,
                name,
                is_circle,
                ..
            } => {
                let why = match is_circle {
                    true => "a circle: hangs on itself",
                    false => "shown above",
                };
                (alloc::format!("{object}#{name} ({why})"), vec![])
            }
            Self::Owner { owner, .. } => {
                let owner = owner.as_ref().map_or("nobody".into(), Actor::to_string);
                (alloc::format!("owner: {owner}"), vec![])
            }
            Self::Members { members: all, .. } if all.is_empty() => ("no members".into(), vec![]),
            Self::Members { members: all, .. } => ("members".into(), members(all)),
            Self::Union(all) => ("any of".into(), nodes(all)),
            Self::Intersection(all) => ("all of".into(), nodes(all)),
            Self::Exclusion(left, right) => (
                "the first without the second".into(),
                nodes(&[*left, *right]),
            ),
            Self::Arrow {
                relation,
                target,
                all,
                through,
                ..
            } => {
                let arrow = if *all { "&->" } else { "->" };
                let nobody = if through.is_empty() {
                    " (leads nowhere)"
                } else {
                    ""
                };
                (
                    alloc::format!("{relation}{arrow}{target}{nobody}"),
                    members(through),
                )
            }
            Self::Itself { object } => (alloc::format!("{object} itself"), vec![]),
            Self::Nobody => ("nobody".into(), vec![]),
        }
    }
}
