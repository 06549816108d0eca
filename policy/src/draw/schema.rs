//! A policy's schema as a picture: a box a resource, a row a relation or permission.
//!
//! Within a box, rows read rows; between boxes, relations lead to what they hold and permissions to
//! what `->` reads. The owner, who has everything, would be an edge of each permission: it is a
//! word in the box's head instead, and a row only where something names it.

use alloc::{format, string::String, vec, vec::Vec};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use super::{
    expression::{Expression, Operand},
    facts::{Facts, NodeFacts, NodeKind, ResourceFacts, Step, SubjectFacts, TypeFacts},
    picture::{
        Edge, EdgeKind, End, Gap, Group, Mark, Matter, Picture, Piece, Read, Row, RowKind, Shape,
        Tone,
    },
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
    let rows: Vec<Vec<usize>> = facts.resources.iter().map(|r| schema.rows(r)).collect();
    for (group, rows) in rows.iter().enumerate() {
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
        .zip(&rows)
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

    fn operands(&self, at: usize) -> &[Operand] {
        self.expressions
            .get(at)
            .map_or(&[], |expression| &expression.operands)
    }

    /// Whether some expression or type names the node.
    fn is_named(&self, at: usize) -> bool {
        self.facts.nodes.iter().any(|node| {
            let stepped = node.steps.iter().any(|step| match step {
                Step::Name(name) => *name == at,
                Step::Arrow { targets, .. } => targets.contains(&at),
                _ => false,
            });
            let typed = node
                .types
                .iter()
                .any(|entry| entry.subject == SubjectFacts::Userset(at));
            stepped || typed
        })
    }

    /// The nodes of a resource in the order of their rows: relations by name, then permissions, each
    /// below those that it reads, by name.
    fn rows(&self, resource: &ResourceFacts) -> Vec<usize> {
        let depths = self.depths(&resource.nodes);
        let mut rows: Vec<(NodeKind, usize, usize)> = resource
            .nodes
            .iter()
            .zip(depths)
            .filter_map(|(at, depth)| Some((self.node(*at)?.kind, depth, *at)))
            .filter(|(kind, _, at)| *kind != NodeKind::Owner || self.is_named(*at))
            .collect();
        // Places follow names, so the last part sorts by name.
        rows.sort_by_key(|(kind, depth, at)| match kind {
            NodeKind::Owner => (0, 0, *at),
            NodeKind::Relation => (1, 0, *at),
            NodeKind::Permission => (2, *depth, *at),
        });
        rows.into_iter().map(|(_, _, at)| at).collect()
    }

    /// How many permissions of the same box, at most, are read one through the other below each
    /// node; those that read each other in a circle count alike.
    fn depths(&self, nodes: &[usize]) -> Vec<usize> {
        let mut graph: DiGraph<usize, (), u32> = DiGraph::default();
        let places: Vec<_> = nodes.iter().map(|at| graph.add_node(*at)).collect();
        for (from, at) in places.iter().zip(nodes) {
            for operand in self.operands(*at) {
                let Step::Name(read) = operand.step else {
                    continue;
                };
                if let Some(to) = nodes.iter().position(|node| *node == read) {
                    graph.add_edge(*from, places[to], ());
                }
            }
        }
        let mut depths = vec![0; nodes.len()];
        // Kosaraju's algorithm, because petgraph's does not recurse; what is read comes first.
        for circle in kosaraju_scc(&graph) {
            let read = circle.iter().flat_map(|node| graph.neighbors(*node));
            let below = read.map(|node| depths[node.index()]).max().unwrap_or(0);
            let permission = |node: &&petgraph::graph::NodeIndex| {
                self.node(graph[**node])
                    .is_some_and(|node| node.kind == NodeKind::Permission)
            };
            let depth = below + usize::from(circle.iter().any(|node| permission(&node)));
            circle.iter().for_each(|node| depths[node.index()] = depth);
        }
        depths
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
                details.push(vec![quiet("the owner alone")]);
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

/// A box of its own for the conditions that chips name.
fn conditions(facts: &Facts) -> Option<Group> {
    let rows: Vec<Row> = facts
        .conditions
        .iter()
        .map(|condition| {
            let parameters =
                condition
                    .parameters
                    .iter()
                    .enumerate()
                    .flat_map(|(at, (name, kind))| {
                        let comma = if at + 1 < condition.parameters.len() {
                            ","
                        } else {
                            ""
                        };
                        [
                            Piece::new(format!("{name}:"), Tone::Quiet, Gap::Break),
                            Piece::new(format!("{kind}{comma}"), Tone::Quiet, Gap::Space),
                        ]
                    });
            let words = condition.expression.split_whitespace();
            let expression = words.map(|word| Piece::new(word, Tone::Plain, Gap::Break));
            Row {
                name: condition.name.clone(),
                kind: RowKind::Relation,
                details: [parameters.collect::<Vec<_>>(), expression.collect()]
                    .into_iter()
                    .filter(|pieces| !pieces.is_empty())
                    .collect(),
                hint: hint(&format!("condition {}", condition.name), &condition.doc),
                reads: Vec::new(),
                highlighted: false,
            }
        })
        .collect();
    (!rows.is_empty()).then(|| Group {
        label: "conditions".into(),
        note: String::new(),
        hint: "conditions that relationships may carry".into(),
        shape: Shape::Table,
        hue: None,
        rows,
        highlighted: false,
    })
}

fn quiet(text: &str) -> Piece {
    Piece::new(text, Tone::Quiet, Gap::Break)
}

fn hint(what: &str, doc: &str) -> String {
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
