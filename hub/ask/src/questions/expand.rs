//! How a permission comes about.

use hub_types::policy::convert::{
    object_from_wire, object_to_wire, subject_to_wire, terms_to_wire,
};
use policy::{expand, Expanded, ExpandedMember, Limits, ObjectRef, Reverse};
use wire::policy as proto;
use wire::policy::expanded_node::Node;

use super::{Ask, Asking};
use crate::asked::Opened;
use crate::failure::Unanswered;
use crate::limits::NODES_PER_PART;

pub(crate) struct Expand {
    object: ObjectRef,
    permission: String,
}

impl TryFrom<proto::ExpandPermissionRequest> for Asking<Expand> {
    type Error = Unanswered;

    fn try_from(wire: proto::ExpandPermissionRequest) -> Result<Self, Unanswered> {
        let question = Expand {
            object: object_from_wire("object", wire.object.as_ref())?,
            permission: wire.permission,
        };
        Self::read(wire.asked.as_ref(), question)
    }
}

impl Ask for Expand {
    type Answer = Vec<proto::ExpandPermissionResponse>;

    /// A tree has a bound of its own, on its nodes: `limits` is not asked.
    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        _limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let tree = expand(relationships, &self.object, &self.permission)?;
        let mut responses: Vec<proto::ExpandPermissionResponse> = tree
            .nodes
            .chunks(NODES_PER_PART)
            .map(|nodes| proto::ExpandPermissionResponse {
                nodes: nodes.iter().map(node).collect(),
                from: None,
            })
            .collect();
        if let Some(first) = responses.first_mut() {
            first.from = Some(opened.from);
        }
        Ok(responses)
    }
}

/// A place in a tree: `EXPANSION_NODES_MAX` is far below 2³².
fn place(place: usize) -> u32 {
    place as u32
}

fn nodes(places: &[usize]) -> proto::ExpandedNodes {
    proto::ExpandedNodes {
        nodes: places.iter().copied().map(place).collect(),
    }
}

fn members(members: &[ExpandedMember]) -> Vec<proto::ExpandedMember> {
    let member = |member: &ExpandedMember| proto::ExpandedMember {
        subject: Some(subject_to_wire(&member.subject)),
        terms: terms_to_wire(&member.terms),
        leads_to: member.leads_to.map(place),
    };
    members.iter().map(member).collect()
}

fn node(node: &Expanded) -> proto::ExpandedNode {
    let node = match node {
        Expanded::Named {
            object,
            name,
            value,
        } => Node::Named(proto::ExpandedName {
            object: Some(object_to_wire(object)),
            name: name.clone(),
            value: place(*value),
        }),
        Expanded::Again {
            object,
            name,
            node,
            is_circle,
        } => Node::Again(proto::ExpandedAgain {
            object: Some(object_to_wire(object)),
            name: name.clone(),
            node: place(*node),
            is_circle: *is_circle,
        }),
        Expanded::Owner { object, owner } => Node::Owner(proto::ExpandedOwner {
            object: Some(object_to_wire(object)),
            owner: owner.as_ref().map(|owner| owner.as_str().to_owned()),
        }),
        Expanded::Members {
            object,
            relation,
            members: all,
        } => Node::Members(proto::ExpandedMembers {
            object: Some(object_to_wire(object)),
            relation: relation.clone(),
            members: members(all),
        }),
        Expanded::Union(places) => Node::Union(nodes(places)),
        Expanded::Intersection(places) => Node::Intersection(nodes(places)),
        Expanded::Exclusion(first, second) => Node::Exclusion(nodes(&[*first, *second])),
        Expanded::Arrow {
            object,
            relation,
            target,
            all,
            through,
        } => Node::Arrow(proto::ExpandedArrow {
            object: Some(object_to_wire(object)),
            relation: relation.clone(),
            target: target.clone(),
            all: *all,
            through: members(through),
        }),
        Expanded::Itself { object } => Node::Itself(object_to_wire(object)),
        Expanded::Nobody => Node::Nobody(proto::ExpandedNobody {}),
    };
    proto::ExpandedNode { node: Some(node) }
}
