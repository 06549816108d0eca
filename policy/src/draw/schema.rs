//! A policy's schema as a picture: a box a resource, a row a relation or permission.
//!
//! Within a box, rows read rows; between boxes, relations lead to what they hold and permissions to
//! what `->` reads. The owner, who has everything, would be an edge of each permission: it is a
//! word in the box's head instead, and a row only where something names it.

use alloc::{format, string::String, vec, vec::Vec};

use super::{
    conditions::conditions,
    expression::Expression,
    facts::{Facts, NodeFacts, NodeKind, ResourceFacts, Step, SubjectFacts, TypeFacts},
    picture::{
        Edge, EdgeKind, End, Gap, Group, Mark, Matter, Picture, Piece, Read, Row, RowKind, Shape,
        Tone,
    },
    rows::rows,
};
use crate::limits::DRAWN_EDGES_MAX;

/// The picture of `facts`.
pub(crate) fn picture(facts: &Facts) -> Picture {
    let expressions: Vec<Expression> = facts
        .nodes
        .iter()
        .map(|node| Expression::of(facts, &node.steps))
        .collect();
    let mut schema = Schema {
        facts,
        expressions: &expressions,
        ends: vec![None; facts.nodes.len()],
        edges: Vec::new(),
        omitted: 0,
    };
    let all: Vec<Vec<usize>> = facts.resources.iter().map(|one| rows(facts, one)).collect();
    for (group, rows) in all.iter().enumerate() {
        for (row, node) in rows.iter().enumerate() {
            if let Some(end) = schema.ends.get_mut(*node) {
                *end = Some(End {
                    group,
                    row: Some(row),
                });
            }
        }
    }
    let hues = facts.hues();
    let mut groups: Vec<Group> = facts
        .resources
        .iter()
        .zip(&all)
        .enumerate()
        .map(|(at, (resource, rows))| schema.group(hues.get(at).copied().flatten(), resource, rows))
        .collect();
    groups.extend(conditions(facts));
    let mut edges = schema.edges;
    edges.sort_by(|a, b| {
        (a.from, a.to, a.kind, a.mark, &a.label).cmp(&(b.from, b.to, b.kind, b.mark, &b.label))
    });
    edges.dedup();
    let notes = match schema.omitted {
        0 => Vec::new(),
        more => vec![format!("{more} edges more than the {DRAWN_EDGES_MAX} that fit are left out; the rows still say what they read.")],
    };
    Picture {
        matter: Matter::Schema,
        title: if facts.name.is_empty() {
            "policy".into()
        } else {
            facts.name.clone()
        },
        caption: facts.description.clone(),
        notes,
        groups,
        edges,
    }
}

struct Schema<'a> {
    facts: &'a Facts,
    expressions: &'a [Expression],
    /// Where each node is drawn.
    ends: Vec<Option<End>>,
    edges: Vec<Edge>,
    omitted: usize,
}

impl Schema<'_> {
    fn node(&self, at: usize) -> Option<&NodeFacts> {
        self.facts.nodes.get(at)
    }

    fn name(&self, at: usize) -> &str {
        self.node(at).map_or("", |node| &node.name)
    }

    fn resource_name(&self, at: usize) -> &str {
        self.facts
            .resources
            .get(at)
            .map_or("", |resource| &resource.name)
    }

    /// `resource.name`, for hints.
    fn path(&self, at: usize) -> String {
        let resource = self.node(at).map_or(0, |node| node.resource);
        format!("{}.{}", self.resource_name(resource), self.name(at))
    }

    fn group(&mut self, hue: Option<usize>, resource: &ResourceFacts, rows: &[usize]) -> Group {
        let rows: Vec<Row> = rows.iter().map(|node| self.row(*node)).collect();
        Group {
            label: resource.name.clone(),
            note: if self.facts.implicit_owner {
                "owner: all".into()
            } else {
                String::new()
            },
            hint: hint(&format!("resource {}", resource.name), &resource.doc),
            shape: Shape::Table,
            hue,
            rows,
            highlighted: false,
        }
    }

    fn row(&mut self, at: usize) -> Row {
        let facts = self.facts;
        let Some(node) = facts.nodes.get(at) else {
            return empty_row();
        };
        let mut details: Vec<Vec<Piece>> = Vec::new();
        match node.kind {
            NodeKind::Owner => {
                details.push(vec![quiet("by registration or transfer")]);
            }
            NodeKind::Relation if node.types.is_empty() => {}
            NodeKind::Relation => details.push(self.types(at, &node.types)),
            NodeKind::Permission if node.steps.is_empty() => {
                let whom = if facts.implicit_owner {
                    "the owner alone"
                } else {
                    "nobody"
                };
                details.push(vec![quiet(whom)]);
            }
            NodeKind::Permission => {}
        }
        let expressions = self.expressions;
        if let Some(expression) = expressions
            .get(at)
            .filter(|expression| !expression.pieces.is_empty())
        {
            let mut pieces = vec![quiet("=")];
            pieces.extend(expression.pieces.iter().cloned());
            if let Some(first) = pieces.get_mut(1) {
                first.gap = Gap::Space;
            }
            details.push(pieces);
        }
        if !node.manages.is_empty() {
            let names: Vec<&str> = node.manages.iter().map(|at| self.name(*at)).collect();
            let mut pieces = vec![quiet("manages")];
            pieces.extend(names.iter().enumerate().flat_map(|(place, name)| {
                let comma = if place + 1 < names.len() { "," } else { "" };
                [quiet(&format!("{name}{comma}"))]
            }));
            details.push(pieces);
        }
        let (word, kind) = match node.kind {
            NodeKind::Permission => ("permission", RowKind::Permission),
            _ => ("relation", RowKind::Relation),
        };
        Row {
            name: node.name.clone(),
            kind,
            hint: hint(&format!("{word} {}", self.path(at)), &node.doc),
            details,
            reads: self.reads(at, node),
            highlighted: false,
        }
    }

    /// The types in words, and an edge for each that leads to a box.
    fn types(&mut self, at: usize, types: &[TypeFacts]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for (place, entry) in types.iter().enumerate() {
            let mut to = None;
            let text = match entry.subject {
                SubjectFacts::Actor => self.facts.actor.clone(),
                SubjectFacts::Everyone => "*".into(),
                SubjectFacts::Object(resource) | SubjectFacts::EveryObject(resource) => {
                    to = Some((
                        EdgeKind::Holds,
                        End {
                            group: resource,
                            row: None,
                        },
                    ));
                    let every = matches!(entry.subject, SubjectFacts::EveryObject(_));
                    format!(
                        "{}{}",
                        self.resource_name(resource),
                        if every { ":*" } else { "" }
                    )
                }
                SubjectFacts::Userset(node) => {
                    let end = self.ends.get(node).copied().flatten();
                    to = end.map(|end| (EdgeKind::Members, end));
                    let resource = self.node(node).map_or(0, |node| node.resource);
                    format!("{}->{}", self.resource_name(resource), self.name(node))
                }
            };
            if let Some((kind, to)) = to {
                let hint = format!("{} may hold {text}", self.path(at));
                self.edge(at, to, kind, Mark::Plain, String::new(), hint);
            }
            pieces.push(Piece::new(text, Tone::Plain, Gap::Break));
            for word in &entry.traits {
                pieces.push(Piece::new(word.clone(), Tone::Chip, Gap::Space));
            }
            if place + 1 < types.len() {
                pieces.push(Piece::new(",", Tone::Quiet, Gap::None));
            }
        }
        pieces
    }

    /// The rows of the same box that a node reads, and an edge for each target of an arrow.
    fn reads(&mut self, at: usize, node: &NodeFacts) -> Vec<Read> {
        let expressions = self.expressions;
        let operands = expressions
            .get(at)
            .map_or(&[][..], |expression| &expression.operands);
        let mut reads: Vec<Read> = Vec::new();
        let mut read = |ends: &[Option<End>], name: usize, mark: Mark| {
            let end = ends.get(name).copied().flatten();
            if let Some(row) = end
                .filter(|end| end.group == node.resource)
                .and_then(|e| e.row)
            {
                reads.push(Read { row, mark });
            }
        };
        for operand in operands {
            match &operand.step {
                // A relation's own name means its recorded members, which are this row.
                Step::Name(name) if *name == at && node.kind == NodeKind::Relation => {}
                Step::Name(name) => read(&self.ends, *name, operand.mark),
                Step::Arrow {
                    relation,
                    every,
                    targets,
                } => {
                    read(&self.ends, *relation, Mark::Through);
                    let kind = if *every {
                        EdgeKind::Every
                    } else {
                        EdgeKind::Any
                    };
                    for target in targets {
                        let Some(to) = self.ends.get(*target).copied().flatten() else {
                            continue;
                        };
                        let verb = match operand.mark {
                            Mark::Subtracted => "takes away",
                            Mark::Intersected => "asks for",
                            _ => "reads",
                        };
                        let (from, through) = (self.path(at), self.name(*relation));
                        let every = if *every { " of every one" } else { "" };
                        let hint = format!(
                            "{from} {verb} {}{every}, through {through}",
                            self.path(*target)
                        );
                        let label = through.into();
                        self.edge(at, to, kind, operand.mark, label, hint);
                    }
                }
                _ => {}
            }
        }
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    fn edge(
        &mut self,
        from: usize,
        to: End,
        kind: EdgeKind,
        mark: Mark,
        label: String,
        hint: String,
    ) {
        let Some(from) = self.ends.get(from).copied().flatten() else {
            return;
        };
        if self.edges.len() >= DRAWN_EDGES_MAX {
            self.omitted += 1;
            return;
        }
        self.edges.push(Edge {
            from,
            to,
            kind,
            mark,
            label,
            hint,
            highlighted: false,
        });
    }
}

fn quiet(text: &str) -> Piece {
    Piece::new(text, Tone::Quiet, Gap::Break)
}

/// What a hint says: what it is, and what the policy says of it.
pub(crate) fn hint(what: &str, doc: &str) -> String {
    if doc.is_empty() {
        what.into()
    } else {
        format!("{what}: {doc}")
    }
}

fn empty_row() -> Row {
    Row {
        name: String::new(),
        kind: RowKind::Relation,
        details: Vec::new(),
        hint: String::new(),
        reads: Vec::new(),
        highlighted: false,
    }
}
