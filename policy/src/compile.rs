//! From a definition to flat operations over interned ids. Refused here: names that resolve to
//! nothing, also the target of an arrow on each type that its relation allows.
//!
//! Ids follow the names' order, not the text's, so that reordering a text changes no id.

use alloc::{format, string::String, vec::Vec};

use crate::{
    definition::{
        Definition, PermissionDefinition, RelationDefinition, ResourceDefinition, Spelled,
    },
    expression::{Operand, Step},
    name::is_name,
    relationships::{NodeId, ResourceId},
    schema::{Arrow, Body, Node, Op, Policy, PolicyError, Position, Resource, Types, OWNER},
    suggest::suggestion,
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
                format!(
                    "{:?} is no name of an actor type",
                    crate::name::excerpt(&name.text)
                ),
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
        refuse_ambiguity(resource, &actor)?;
    }
    let mut compiler = Compiler {
        actor,
        resources: Vec::new(),
        nodes: Vec::new(),
        arrows: Vec::new(),
    };
    compiler.declare(&definition);
    for (at, resource) in definition.resources.iter().enumerate() {
        compiler.define(ResourceId(at as u16), resource)?;
    }
    Ok(Policy {
        definition: text.into(),
        name: definition.name,
        description: definition.description,
        meta: definition.meta,
        actor: compiler.actor,
        resources: compiler.resources,
        nodes: compiler.nodes,
        arrows: compiler.arrows,
    })
}

fn refuse_ambiguity(resource: &ResourceDefinition, actor: &str) -> Result<(), PolicyError> {
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
        if text == OWNER {
            return Err(error(
                *position,
                "`owner` is the relation that every resource has; rename the permission",
            ));
        }
        if resource
            .relations
            .iter()
            .any(|relation| relation.name.text == *text)
        {
            return Err(error(
                *position,
                format!("{text:?} is a relation already; rename the permission"),
            ));
        }
    }
    Ok(())
}

struct Compiler {
    actor: String,
    resources: Vec<Resource>,
    nodes: Vec<Node>,
    arrows: Vec<Arrow>,
}

impl Compiler {
    /// Gives every name its id, so that definitions can refer to each other.
    fn declare(&mut self, definition: &Definition) {
        for (at, resource) in definition.resources.iter().enumerate() {
            let id = ResourceId(at as u16);
            let mut names: Vec<(String, String, Position)> = Vec::new();
            let mut add =
                |name: &str, doc: &str, position| names.push((name.into(), doc.into(), position));
            if !resource
                .relations
                .iter()
                .any(|relation| relation.name.text == OWNER)
            {
                add(OWNER, "", resource.name.position);
            }
            resource.relations.iter().for_each(|relation| {
                add(&relation.name.text, &relation.doc, relation.name.position)
            });
            resource.permissions.iter().for_each(|permission| {
                add(
                    &permission.name.text,
                    &permission.doc,
                    permission.name.position,
                )
            });
            let managed: Vec<String> = relation_names(resource).map(manage_name).collect();
            managed
                .iter()
                .for_each(|name| add(name, "", resource.name.position));
            names.sort();
            let by_name = names
                .into_iter()
                .map(|(name, doc, position)| {
                    let node = NodeId(self.nodes.len() as u16);
                    self.nodes.push(Node {
                        resource: id,
                        name: name.clone(),
                        doc,
                        position,
                        body: Body::Owner,
                        text: String::new(),
                    });
                    (name, node)
                })
                .collect();
            self.resources.push(Resource {
                name: resource.name.text.clone(),
                doc: resource.doc.clone(),
                by_name,
            });
        }
    }

    fn define(&mut self, id: ResourceId, resource: &ResourceDefinition) -> Result<(), PolicyError> {
        for relation in &resource.relations {
            let types = self.types(relation)?;
            if relation.name.text == OWNER {
                if !types.actors
                    || types.everyone
                    || !types.objects.is_empty()
                    || !types.usersets.is_empty()
                {
                    return Err(error(
                        relation.name.position,
                        "`owner` holds actors only; remove its other types",
                    ));
                }
                continue;
            }
            self.set(id, &relation.name.text, Body::Relation(types), "");
        }
        for permission in &resource.permissions {
            let ops = self.permission(id, permission)?;
            self.set(
                id,
                &permission.name.text,
                Body::Computed(ops),
                &permission.text,
            );
        }
        self.managers(id, resource)
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
        let mut types = Types::default();
        if relation.types.is_empty() {
            types.actors = true;
        }
        for Spelled { text, position } in &relation.types {
            if text == "*" {
                types.everyone = true;
                continue;
            }
            if *text == self.actor {
                types.actors = true;
                continue;
            }
            let (resource, member) = match text.split_once("->") {
                Some((resource, member)) => (resource.trim(), Some(member.trim())),
                None => (text.as_str(), None),
            };
            let Some(target) = self.resource(resource) else {
                let known = self
                    .resources
                    .iter()
                    .map(|r| r.name.as_str())
                    .chain([self.actor.as_str(), "*"]);
                let near = suggestion(resource, known);
                return Err(error(
                    *position,
                    format!("type {text:?} names no resource{near}"),
                ));
            };
            match member {
                None => types.objects.push(target),
                Some(member) => match self.node(target, member).filter(|_| is_name(member)) {
                    Some(node) => types.usersets.push(node),
                    None => {
                        let near = suggestion(member, self.names(target));
                        return Err(error(*position, format!("resource {resource:?} defines no relation or permission {member:?}{near}")));
                    }
                },
            }
        }
        types.objects.sort_unstable();
        types.usersets.sort_unstable();
        Ok(types)
    }

    /// `owner + (expression)`: no expression can exclude the owner.
    fn permission(
        &mut self,
        resource: ResourceId,
        permission: &PermissionDefinition,
    ) -> Result<Vec<Op>, PolicyError> {
        let mut ops = self.owner(resource);
        let Some(steps) = &permission.expression else {
            return Ok(ops);
        };
        let shift = 2;
        ops.push(Op::SkipIfTrue(steps.len() as u16 + shift + 1));
        for step in steps {
            ops.push(match step {
                Step::Operand(operand) => self.operand(resource, operand)?,
                Step::SkipIfTrue(to) => Op::SkipIfTrue(to + shift),
                Step::SkipIfFalse(to) => Op::SkipIfFalse(to + shift),
                Step::Union => Op::Union,
                Step::Intersection => Op::Intersection,
                Step::Difference => Op::Difference,
            });
        }
        ops.push(Op::Union);
        Ok(ops)
    }

    fn owner(&self, resource: ResourceId) -> Vec<Op> {
        self.node(resource, OWNER)
            .map(Op::Visit)
            .into_iter()
            .collect()
    }

    fn operand(&mut self, resource: ResourceId, operand: &Operand) -> Result<Op, PolicyError> {
        let node = self.resolve(resource, &operand.name, operand.position)?;
        let Some((target, position)) = &operand.arrow else {
            return Ok(Op::Visit(node));
        };
        let Some(Body::Relation(types)) = self.nodes.get(node.0 as usize).map(|node| &node.body)
        else {
            let what = if operand.name == OWNER {
                "holds actors only"
            } else {
                "is a permission"
            };
            return Err(error(
                operand.position,
                format!(
                    "{:?} {what}; left of `->` stands a relation that holds objects",
                    operand.name
                ),
            ));
        };
        let mut resources = types.objects.clone();
        resources.extend(
            types
                .usersets
                .iter()
                .filter_map(|node| Some(self.nodes.get(node.0 as usize)?.resource)),
        );
        resources.sort_unstable();
        resources.dedup();
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
        for id in resources {
            let Some(node) = self.node(id, target) else {
                let near = suggestion(target, self.names(id));
                let (left, name) = (&operand.name, self.resource_name(id));
                return Err(error(*position, format!("{left:?} allows {name:?}, which defines no relation or permission {target:?}{near}")));
            };
            targets.push((id, node));
        }
        self.arrows.push(Arrow {
            relation: node,
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
        for relation in &resource.relations {
            for Spelled { text, position } in &relation.manages {
                if text == OWNER {
                    return Err(error(
                        *position,
                        "nobody but the owner manages `owner`; transfer the object instead",
                    ));
                }
                if !resource
                    .relations
                    .iter()
                    .any(|other| other.name.text == *text)
                {
                    let near = suggestion(text, relation_names(resource));
                    return Err(error(
                        *position,
                        format!(
                            "`manages` names no relation of {:?}: {text:?}{near}",
                            resource.name.text
                        ),
                    ));
                }
            }
        }
        for managed in relation_names(resource) {
            let managers: Vec<NodeId> = resource
                .relations
                .iter()
                .filter(|relation| {
                    relation.name.text != OWNER
                        && relation.manages.iter().any(|m| m.text == managed)
                })
                .filter_map(|relation| self.node(id, &relation.name.text))
                .collect();
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

/// The relations of a resource: `owner`, whether written or not, and the others.
fn relation_names(resource: &ResourceDefinition) -> impl Iterator<Item = &str> {
    let written = resource
        .relations
        .iter()
        .map(|relation| relation.name.text.as_str());
    core::iter::once(OWNER).chain(written.filter(|name| *name != OWNER))
}

/// How a question asks for the right to manage a relation; no name has this form.
fn manage_name(relation: &str) -> String {
    format!("manage({relation})")
}
