//! From a definition to flat operations over interned ids. Refused here: names that resolve to
//! nothing, also the target of an arrow on each type that its relation allows.
//!
//! Ids follow the names' order, not the text's, so that reordering a text changes no id.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::{
    condition::{Condition, ParameterType},
    definition::{
        ConditionDefinition, Definition, PermissionDefinition, RelationDefinition,
        ResourceDefinition, Spelled,
    },
    expression::{Operand, Step, Target},
    limits::{ARROW_TARGETS_MAX, NAMES_MAX},
    name::{excerpt, is_name},
    possible::possible,
    relationships::{NodeId, ResourceId},
    schema::{
        Arrow, Body, NamedCondition, Node, NodeKind, Op, Policy, PolicyError, Position, Resource,
        EXPIRATION, OWNER,
    },
    suggest::suggestion,
    types::{Allowed, ConditionId, SubjectType, Types},
    yaml::error,
};

/// What `types` calls an actor unless `actor` says otherwise.
const DEFAULT_ACTOR: &str = "actor";

/// Compiles `definition`, which was read from `text`.
pub(crate) fn compile(text: &str, mut definition: Definition) -> Result<Policy, PolicyError> {
    let actor = match &definition.actor {
        None => DEFAULT_ACTOR.into(),
        Some(name) if is_name(&name.text) => name.text.clone(),
        Some(name) => {
            return Err(error(
                name.position,
                format!("{:?} is no name of an actor type", excerpt(&name.text)),
            ))
        }
    };
    definition
        .resources
        .sort_by(|a, b| a.name.text.cmp(&b.name.text));
    for resource in &mut definition.resources {
        resource
            .relations
            .sort_by(|a, b| a.name.text.cmp(&b.name.text));
        resource
            .permissions
            .sort_by(|a, b| a.name.text.cmp(&b.name.text));
        refuse_ambiguity(resource, &actor, definition.without_owner)?;
    }
    refuse_too_many_names(&definition)?;
    let conditions = conditions(&mut definition.conditions)?;
    let mut compiler = Compiler {
        actor,
        without_owner: definition.without_owner,
        conditions,
        resources: Vec::new(),
        nodes: Vec::new(),
        arrows: Vec::new(),
        reached: BTreeMap::new(),
        targets: 0,
    };
    compiler.declare(&definition);
    for (at, resource) in definition.resources.iter().enumerate() {
        compiler.define(ResourceId(at as u16), resource)?;
    }
    // It is kept for long, so without room to grow.
    compiler.nodes.shrink_to_fit();
    compiler.arrows.shrink_to_fit();
    let policy = Policy {
        definition: text.into(),
        name: definition.name,
        description: definition.description,
        meta: definition.meta,
        actor: compiler.actor,
        without_owner: compiler.without_owner,
        conditions: compiler.conditions,
        resources: compiler.resources,
        nodes: compiler.nodes,
        arrows: compiler.arrows,
    };
    refuse_types_that_never_match(&policy, &definition.resources)?;
    Ok(policy)
}

/// Compiles the conditions; sorted by name.
fn conditions(definitions: &mut [ConditionDefinition]) -> Result<Vec<NamedCondition>, PolicyError> {
    definitions.sort_by(|a, b| a.name.text.cmp(&b.name.text));
    definitions.iter().map(condition).collect()
}

fn condition(definition: &ConditionDefinition) -> Result<NamedCondition, PolicyError> {
    if definition.name.text == EXPIRATION {
        return Err(error(
            definition.name.position,
            "`expiration` already means the expiry of a relationship; rename the condition",
        ));
    }
    let mut parameters: Vec<(String, ParameterType)> = Vec::new();
    for (name, kind) in &definition.parameters {
        let kind = kind.text.parse().map_err(|reason| {
            error(
                kind.position,
                format!("the type of parameter {:?}: {reason}", excerpt(&name.text)),
            )
        })?;
        parameters.push((name.text.clone(), kind));
    }
    let Spelled { text, position } = &definition.expression;
    Ok(NamedCondition {
        name: definition.name.text.clone(),
        doc: definition.doc.clone(),
        condition: Condition::compile(&parameters, text, *position)?,
    })
}

/// A userset that nobody can ever be in is a mistake in the definition of the type that names it.
fn refuse_types_that_never_match(
    policy: &Policy,
    resources: &[ResourceDefinition],
) -> Result<(), PolicyError> {
    let possible = possible(policy);
    for resource in resources {
        for relation in &resource.relations {
            let node = policy
                .resource(&resource.name.text)
                .and_then(|id| policy.node(id, &relation.name.text));
            let Some(types) = node.and_then(|node| policy.recorded_types(node)) else {
                continue;
            };
            for entry in types.entries() {
                let SubjectType::Userset(target) = entry.subject else {
                    continue;
                };
                if possible.get(target.0 as usize) == Some(&false) {
                    let text = policy.entry_in_words(*entry);
                    return Err(error(
                        relation.name.position,
                        format!("type {text:?} of relation {:?} can never match: nobody can ever have {:?} of {:?}; remove the type or mend what it names", relation.name.text, policy.node_name(target), policy.node_resource_name(target)),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn refuse_ambiguity(
    resource: &ResourceDefinition,
    actor: &str,
    without_owner: bool,
) -> Result<(), PolicyError> {
    let Spelled { text, position } = &resource.name;
    if text == "did" {
        return Err(error(
            *position,
            "no resource may be named `did`: its objects would read as actors",
        ));
    }
    if text == actor {
        return Err(error(
            *position,
            format!("{text:?} already means actors; rename the resource, or the type with `actor`"),
        ));
    }
    for permission in &resource.permissions {
        let Spelled { text, position } = &permission.name;
        if text == OWNER && !without_owner {
            return Err(error(
                *position,
                "`owner` is the relation that every resource has; rename the permission",
            ));
        }
        if relation_named(resource, text).is_some() {
            return Err(error(
                *position,
                format!("{text:?} is a relation already; rename the permission"),
            ));
        }
    }
    Ok(())
}

/// A compiled policy takes memory for each name, far more than the text that names it does.
fn refuse_too_many_names(definition: &Definition) -> Result<(), PolicyError> {
    let mut names = 0;
    for resource in &definition.resources {
        names += resource.relations.len() + resource.permissions.len();
        if names > NAMES_MAX {
            return Err(error(
                resource.name.position,
                format!("with {:?} the policy defines more than {NAMES_MAX} relations and permissions in all; split the policy", resource.name.text),
            ));
        }
    }
    Ok(())
}

/// The place of a relation among those of its resource, which are sorted.
fn relation_named(resource: &ResourceDefinition, name: &str) -> Option<usize> {
    let relations = &resource.relations;
    let found = relations.binary_search_by(|relation| relation.name.text.as_str().cmp(name));
    found.ok()
}

struct Compiler {
    actor: String,
    without_owner: bool,
    conditions: Vec<NamedCondition>,
    resources: Vec<Resource>,
    nodes: Vec<Node>,
    arrows: Vec<Arrow>,
    /// The resources that arrows over a relation lead to: many arrows may go over one.
    reached: BTreeMap<NodeId, Vec<ResourceId>>,
    /// The targets of all arrows together.
    targets: usize,
}

impl Compiler {
    /// Gives every name its id, so that definitions can refer to each other.
    fn declare(&mut self, definition: &Definition) {
        for (at, resource) in definition.resources.iter().enumerate() {
            let id = ResourceId(at as u16);
            let node = |name: &str, doc: &str, position, kind| Node {
                resource: id,
                name: name.into(),
                doc: doc.into(),
                position,
                kind,
                body: Body::Owner,
                text: String::new(),
                recorded: None,
            };
            let place = resource.name.position;
            let mut nodes: Vec<Node> = Vec::new();
            let owner_is_written = resource.relations.iter().any(|r| r.name.text == OWNER);
            if !self.without_owner && !owner_is_written {
                nodes.push(node(OWNER, "", place, NodeKind::Owner));
            }
            for relation in &resource.relations {
                let Spelled { text, position } = &relation.name;
                let kind = match text == OWNER && !self.without_owner {
                    true => NodeKind::Owner,
                    false => NodeKind::Relation,
                };
                nodes.push(node(text, &relation.doc, *position, kind));
            }
            for permission in &resource.permissions {
                let Spelled { text, position } = &permission.name;
                nodes.push(node(text, &permission.doc, *position, NodeKind::Permission));
            }
            let managed = managed_names(resource, self.without_owner).map(manage_name);
            nodes.extend(managed.map(|name| node(&name, "", place, NodeKind::Management)));
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            let mut by_name = Vec::with_capacity(nodes.len());
            for node in nodes {
                by_name.push((node.name.clone(), self.add(node)));
            }
            let owner = match by_name.iter().find(|(name, _)| name == OWNER) {
                Some((_, owner)) if !self.without_owner => *owner,
                _ => self.add(node(OWNER, "", place, NodeKind::Owner)),
            };
            self.resources.push(Resource {
                name: resource.name.text.clone(),
                doc: resource.doc.clone(),
                by_name,
                owner,
            });
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u16 - 1)
    }

    fn define(&mut self, id: ResourceId, resource: &ResourceDefinition) -> Result<(), PolicyError> {
        for relation in &resource.relations {
            let types = self.types(relation)?;
            if relation.name.text == OWNER && !self.without_owner {
                let actors = Allowed::bare(SubjectType::Actor);
                if types.entries() != [actors] {
                    return Err(error(
                        relation.name.position,
                        "`owner` holds actors only; remove its other types",
                    ));
                }
                if relation.expression.is_some() {
                    return Err(error(
                        relation.name.position,
                        "`owner` comes from registration; remove its `expr`",
                    ));
                }
                continue;
            }
            self.relation(id, relation, types)?;
        }
        for relation in &resource.relations {
            self.relation_expression(id, relation)?;
        }
        for permission in &resource.permissions {
            let ops = self.permission(id, permission)?;
            let text = &permission.text;
            self.set(id, &permission.name.text, Body::Computed(ops), text);
        }
        self.managers(id, resource)
    }

    /// Gives a relation its recorded members: itself, or where it has an expression that names it a
    /// node beside it.
    fn relation(
        &mut self,
        id: ResourceId,
        relation: &RelationDefinition,
        types: Types,
    ) -> Result<(), PolicyError> {
        let name = &relation.name.text;
        let Some(at) = self.node(id, name) else {
            return Ok(());
        };
        let recorded = match &relation.expression {
            None => Some(at),
            Some(steps) if names_itself(steps, name) => {
                let node = Node {
                    resource: id,
                    name: name.clone(),
                    doc: String::new(),
                    position: relation.name.position,
                    kind: NodeKind::Recorded,
                    body: Body::Owner,
                    text: String::new(),
                    recorded: None,
                };
                Some(self.add(node))
            }
            Some(_) if relation.types.is_empty() => None,
            Some(_) => {
                return Err(error(
                    relation.name.position,
                    format!("the `expr` of {name:?} never names {name:?} itself, so its `types` would count for nothing; name it, or remove them"),
                ))
            }
        };
        if let Some(holder) = recorded {
            if let Some(node) = self.nodes.get_mut(holder.0 as usize) {
                node.body = Body::Relation(types);
                node.recorded = recorded;
            }
        }
        if let Some(node) = self.nodes.get_mut(at.0 as usize) {
            node.recorded = recorded;
        }
        Ok(())
    }

    fn relation_expression(
        &mut self,
        id: ResourceId,
        relation: &RelationDefinition,
    ) -> Result<(), PolicyError> {
        let Some(steps) = &relation.expression else {
            return Ok(());
        };
        let mut ops = Vec::with_capacity(steps.len());
        self.expression(id, steps, Some(&relation.name.text), &mut ops)?;
        let text = &relation.text;
        self.set(id, &relation.name.text, Body::Computed(ops), text);
        Ok(())
    }

    fn set(&mut self, resource: ResourceId, name: &str, body: Body, text: &str) {
        if let Some(at) = self.node(resource, name) {
            if let Some(node) = self.nodes.get_mut(at.0 as usize) {
                node.body = body;
                node.text = text.into();
            }
        }
    }

    fn resource(&self, name: &str) -> Option<ResourceId> {
        let at = self
            .resources
            .binary_search_by(|resource| resource.name.as_str().cmp(name))
            .ok()?;
        Some(ResourceId(at as u16))
    }

    fn node(&self, resource: ResourceId, name: &str) -> Option<NodeId> {
        self.resources.get(resource.0 as usize)?.node(name)
    }

    fn resource_name(&self, id: ResourceId) -> &str {
        self.resources
            .get(id.0 as usize)
            .map_or("", |resource| &resource.name)
    }

    /// Names that a person can write for this resource.
    fn names(&self, id: ResourceId) -> impl Iterator<Item = &str> {
        self.resources
            .get(id.0 as usize)
            .into_iter()
            .flat_map(|resource| {
                resource
                    .by_name
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .filter(|name| !name.contains('('))
            })
    }

    fn types(&self, relation: &RelationDefinition) -> Result<Types, PolicyError> {
        let mut entries = Vec::new();
        if relation.types.is_empty() {
            entries.push(Allowed::bare(SubjectType::Actor));
        }
        for spelled in &relation.types {
            let entry = self.type_entry(spelled)?;
            if entries.contains(&entry) {
                return Err(error(
                    spelled.position,
                    format!(
                        "{:?} stands here for the second time; remove one",
                        excerpt(&spelled.text)
                    ),
                ));
            }
            entries.push(entry);
        }
        Ok(Types::new(entries))
    }

    /// `SUBJECT [with TRAIT [and TRAIT]]`.
    fn type_entry(&self, spelled: &Spelled) -> Result<Allowed, PolicyError> {
        let Spelled { text, position } = spelled;
        let (subject, traits) = match text.split_once(" with ") {
            None => (text.as_str(), None),
            Some((subject, traits)) => (subject.trim(), Some(traits)),
        };
        let mut entry = Allowed::bare(self.subject_type(subject, *position)?);
        for name in traits.into_iter().flat_map(|traits| traits.split(" and ")) {
            let name = name.trim();
            let twice = if name == EXPIRATION {
                core::mem::replace(&mut entry.expires, true)
            } else {
                entry
                    .condition
                    .replace(self.condition(name, *position)?)
                    .is_some()
            };
            if twice {
                return Err(error(
                    *position,
                    format!("{:?} asks for more than one condition, or twice for expiration; join the conditions into one", excerpt(text)),
                ));
            }
        }
        Ok(entry)
    }

    fn condition(&self, name: &str, position: Position) -> Result<ConditionId, PolicyError> {
        let found = self
            .conditions
            .binary_search_by(|c| c.name.as_str().cmp(name));
        found.map(|at| ConditionId(at as u16)).map_err(|_| {
            let known = self.conditions.iter().map(|c| c.name.as_str());
            let near = suggestion(name, known.chain([EXPIRATION]));
            error(
                position,
                format!("the policy defines no condition {:?}{near}", excerpt(name)),
            )
        })
    }

    fn subject_type(&self, text: &str, position: Position) -> Result<SubjectType, PolicyError> {
        if text == "*" {
            return Ok(SubjectType::Everyone);
        }
        if *text == self.actor {
            return Ok(SubjectType::Actor);
        }
        let (resource, member) = match text.split_once("->") {
            Some((resource, member)) => (resource.trim(), Some(member.trim())),
            None => (text.strip_suffix(":*").unwrap_or(text), None),
        };
        let Some(target) = self.resource(resource) else {
            let known = self
                .resources
                .iter()
                .map(|r| r.name.as_str())
                .chain([self.actor.as_str(), "*"]);
            let near = suggestion(resource, known);
            return Err(error(
                position,
                format!("type {:?} names no resource{near}", excerpt(text)),
            ));
        };
        match member {
            None if text.ends_with(":*") => Ok(SubjectType::Every(target)),
            None => Ok(SubjectType::Object(target)),
            Some(member) => {
                match self.node(target, member).filter(|_| is_name(member)) {
                    Some(node) => Ok(SubjectType::Userset(node)),
                    None => {
                        let near = suggestion(member, self.names(target));
                        Err(error(position, format!("resource {resource:?} defines no relation or permission {:?}{near}", excerpt(member))))
                    }
                }
            }
        }
    }

    /// `owner + (expression)`: no expression can exclude the owner.
    fn permission(
        &mut self,
        resource: ResourceId,
        permission: &PermissionDefinition,
    ) -> Result<Vec<Op>, PolicyError> {
        let mut ops = Vec::new();
        if !self.without_owner {
            ops = self.owner(resource);
        }
        let Some(steps) = &permission.expression else {
            return Ok(ops);
        };
        if self.without_owner {
            self.expression(resource, steps, None, &mut ops)?;
            return Ok(ops);
        }
        ops.reserve_exact(steps.len() + 2);
        ops.push(Op::SkipIfTrue(steps.len() as u16 + ops.len() as u16 + 2));
        self.expression(resource, steps, None, &mut ops)?;
        ops.push(Op::Union);
        Ok(ops)
    }

    /// Appends an expression. `itself` is the relation whose expression it is: its bare name means
    /// its recorded members.
    fn expression(
        &mut self,
        resource: ResourceId,
        steps: &[Step<Operand>],
        itself: Option<&str>,
        ops: &mut Vec<Op>,
    ) -> Result<(), PolicyError> {
        let shift = ops.len() as u16;
        for step in steps {
            let op = match step {
                Step::Operand(operand) => self.operand(resource, operand, itself)?,
                Step::SkipIfTrue(to) => Op::SkipIfTrue(to + shift),
                Step::SkipIfFalse(to) => Op::SkipIfFalse(to + shift),
                Step::Union => Op::Union,
                Step::Intersection => Op::Intersection,
                Step::Difference => Op::Difference,
            };
            ops.push(op);
        }
        Ok(())
    }

    fn owner(&self, resource: ResourceId) -> Vec<Op> {
        self.resources
            .get(resource.0 as usize)
            .map(|resource| Op::Visit(resource.owner))
            .into_iter()
            .collect()
    }

    fn operand(
        &mut self,
        resource: ResourceId,
        operand: &Operand,
        itself: Option<&str>,
    ) -> Result<Op, PolicyError> {
        let defined = self.node(resource, &operand.name).is_some();
        if operand.name == SELF && operand.arrow.is_none() && !defined {
            return Ok(Op::Itself);
        }
        let node = self.resolve(resource, &operand.name, operand.position)?;
        let recorded = self.nodes.get(node.0 as usize).and_then(|n| n.recorded);
        match &operand.arrow {
            None if itself == Some(operand.name.as_str()) => {
                Ok(Op::Visit(recorded.unwrap_or(node)))
            }
            None => Ok(Op::Visit(node)),
            Some(target) => self.arrow(resource, operand, recorded, target),
        }
    }

    fn arrow(
        &mut self,
        resource: ResourceId,
        operand: &Operand,
        recorded: Option<NodeId>,
        target: &Target,
    ) -> Result<Op, PolicyError> {
        let body = recorded.and_then(|node| Some((node, &self.nodes.get(node.0 as usize)?.body)));
        let Some((relation, Body::Relation(types))) = body else {
            let kind = self
                .node(resource, &operand.name)
                .and_then(|node| Some(self.nodes.get(node.0 as usize)?.kind));
            let what = match kind {
                Some(NodeKind::Owner) => "holds actors only",
                Some(NodeKind::Permission) => "is a permission",
                _ => "records nobody itself",
            };
            return Err(error(
                operand.position,
                format!(
                    "{:?} {what}; left of `->` stands a relation that holds objects",
                    operand.name
                ),
            ));
        };
        if !self.reached.contains_key(&relation) {
            let every = |entry: &Allowed| matches!(entry.subject, SubjectType::Every(_));
            if types.entries().iter().any(every) {
                return Err(error(
                    operand.position,
                    format!("{:?} may hold every object of a resource, so an arrow would lead to all of them; remove the type with `:*`", operand.name),
                ));
            }
            let resource_of = |node: NodeId| Some(self.nodes.get(node.0 as usize)?.resource);
            let resources = types.arrow_resources(resource_of);
            self.reached.insert(relation, resources);
        }
        let resources = self.reached.get(&relation);
        let resources = resources.map(Vec::as_slice).unwrap_or_default();
        if resources.is_empty() {
            return Err(error(
                operand.position,
                format!(
                    "{:?} allows no objects, so `->` leads nowhere; add a resource to its types",
                    operand.name
                ),
            ));
        }
        let mut targets = Vec::new();
        for id in resources.iter().copied() {
            let Some(node) = self.node(id, &target.name) else {
                if target.optional {
                    continue;
                }
                let near = suggestion(&target.name, self.names(id));
                let (left, name) = (&operand.name, self.resource_name(id));
                return Err(error(target.position, format!("{left:?} allows {name:?}, which defines no relation or permission {:?}{near}", target.name)));
            };
            targets.push((id, node));
        }
        if targets.is_empty() {
            return Err(error(
                target.position,
                format!(
                    "no resource that {:?} allows defines {:?}; remove the arrow",
                    operand.name, target.name
                ),
            ));
        }
        self.targets += targets.len();
        if self.targets > ARROW_TARGETS_MAX {
            return Err(error(
                operand.position,
                format!("with this one, all arrows together lead to more than {ARROW_TARGETS_MAX} relations and permissions; name the arrow once in a permission, or let {:?} allow fewer resources", operand.name),
            ));
        }
        targets.shrink_to_fit();
        self.arrows.push(Arrow {
            relation,
            all: target.all,
            targets,
        });
        Ok(Op::Arrow(self.arrows.len() as u16 - 1))
    }

    fn resolve(
        &self,
        resource: ResourceId,
        name: &str,
        position: Position,
    ) -> Result<NodeId, PolicyError> {
        self.node(resource, name).ok_or_else(|| {
            let near = suggestion(name, self.names(resource));
            error(
                position,
                format!(
                    "resource {:?} defines no relation or permission {name:?}{near}",
                    self.resource_name(resource)
                ),
            )
        })
    }

    /// `manage(r)` = `owner`, and the relations that manage r, in the order of their names.
    fn managers(
        &mut self,
        id: ResourceId,
        resource: &ResourceDefinition,
    ) -> Result<(), PolicyError> {
        // For each relation its managers, in the order of their names.
        let mut managers: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        for relation in &resource.relations {
            let is_owner = relation.name.text == OWNER && !self.without_owner;
            let node = self.node(id, &relation.name.text).filter(|_| !is_owner);
            for Spelled { text, position } in &relation.manages {
                if text == OWNER && !self.without_owner {
                    return Err(error(
                        *position,
                        "nobody but the owner manages `owner`; transfer the object instead",
                    ));
                }
                if relation_named(resource, text).is_none() {
                    let names = resource.relations.iter().map(|r| r.name.text.as_str());
                    let near = suggestion(text, names);
                    return Err(error(
                        *position,
                        format!(
                            "`manages` names no relation of {:?}: {text:?}{near}",
                            resource.name.text
                        ),
                    ));
                }
                managers.entry(text).or_default().extend(node);
            }
        }
        for managed in managed_names(resource, self.without_owner) {
            let managers = managers.remove(managed).unwrap_or_default();
            let mut ops = self.owner(id);
            let end = ops.len() + managers.len() * 3;
            for manager in managers {
                ops.extend([Op::SkipIfTrue(end as u16), Op::Visit(manager), Op::Union]);
            }
            self.set(id, &manage_name(managed), Body::Computed(ops), "");
        }
        Ok(())
    }
}

/// The relations that somebody manages: `owner`, where it is implicit, whether written or not, and
/// all others that record anybody.
fn managed_names(resource: &ResourceDefinition, without_owner: bool) -> impl Iterator<Item = &str> {
    let records = |relation: &&RelationDefinition| match &relation.expression {
        None => true,
        Some(steps) => names_itself(steps, &relation.name.text),
    };
    let written = resource.relations.iter().filter(records);
    let names = written.map(|relation| relation.name.text.as_str());
    let implicit = (!without_owner).then_some(OWNER);
    implicit
        .into_iter()
        .chain(names.filter(move |name| *name != OWNER || without_owner))
}

/// Whether a relation's expression uses its recorded members.
fn names_itself(steps: &[Step<Operand>], name: &str) -> bool {
    steps.iter().any(|step| {
        matches!(step, Step::Operand(operand) if operand.name == name && operand.arrow.is_none())
    })
}

/// What an expression calls the object itself, where nothing that is defined has the name.
const SELF: &str = "self";

/// How a question asks for the right to manage a relation; no name has this form.
fn manage_name(relation: &str) -> String {
    format!("manage({relation})")
}
