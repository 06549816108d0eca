//! What is drawn, before anybody knows where: boxes with rows, and edges between them.
//!
//! A [`Picture`] is made from a policy's schema or from relationships, and written as SVG or as
//! Mermaid. Invariant: every index in it is one of its own boxes and rows, and its order follows
//! names alone, so that the same policy and facts give the same bytes wherever they came from.

use alloc::{string::String, vec::Vec};

use super::{mermaid, svg, SvgOptions};

/// A drawing: a policy's schema, or relationships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub(crate) matter: Matter,
    pub(crate) title: String,
    /// What else is to be said above the drawing: the policy's description, or the question.
    pub(crate) caption: String,
    /// What was left out, if anything.
    pub(crate) notes: Vec<String>,
    pub(crate) groups: Vec<Group>,
    pub(crate) edges: Vec<Edge>,
}

impl Picture {
    /// The drawing as an SVG document, in colours that follow the viewer's light or dark scheme.
    #[must_use]
    pub fn to_svg(&self) -> String {
        self.to_svg_with(SvgOptions::default())
    }

    /// The drawing as SVG: without the XML header for a page to embed, or in one scheme of colours.
    #[must_use]
    pub fn to_svg_with(&self, options: SvgOptions) -> String {
        svg::write(self, options)
    }

    /// The drawing as a Mermaid flowchart, which Mermaid lays out.
    ///
    /// Mermaid takes 50,000 characters and 500 edges unless it is configured otherwise
    /// (`maxTextSize`, `maxEdges`); a larger policy is better drawn as SVG.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// The colour of an edge: that of the box to which it leads.
    pub(crate) fn hue(&self, edge: &Edge) -> Option<usize> {
        match edge.kind {
            EdgeKind::Ignored | EdgeKind::Missing => None,
            _ => self.groups.get(edge.to.group)?.hue,
        }
    }

    /// How many boxes and how many edges there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.groups.len(), self.edges.len())
    }
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    Schema,
    Relationships,
}

/// A box: a resource, an object, an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub label: String,
    /// Said quietly behind the label.
    pub note: String,
    /// Said in full when a pointer rests on the box.
    pub hint: String,
    pub shape: Shape,
    /// The resource's place among the policy's, which chooses a colour; `None` is neutral.
    pub hue: Option<usize>,
    pub rows: Vec<Row>,
    pub highlighted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A head and rows.
    Table,
    /// One actor, or all of a kind: a head with round ends.
    Pill,
}

/// A relation or permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub name: String,
    pub kind: RowKind,
    /// What stands behind the name, each entry on lines of its own.
    pub details: Vec<Vec<Piece>>,
    pub hint: String,
    /// Which rows of the same box its value is computed from.
    pub reads: Vec<Read>,
    pub highlighted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RowKind {
    Relation,
    Permission,
}

/// A piece of text that is not broken, in its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub text: String,
    pub tone: Tone,
    pub gap: Gap,
}

impl Piece {
    pub fn new(text: impl Into<String>, tone: Tone, gap: Gap) -> Self {
        Self {
            text: text.into(),
            tone,
            gap,
        }
    }
}

/// What stands between a piece and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// A space, where the line may end.
    Break,
    /// A space on the same line.
    Space,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Said by the way.
    Quiet,
    /// What `&` asks for besides.
    Intersected,
    /// What `-` takes away.
    Subtracted,
    /// A condition or an expiry: a chip behind a type.
    Chip,
}

/// A row that another row of the same box reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    pub row: usize,
    pub mark: Mark,
}

/// How an operand counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// It suffices, as far as the expression's union goes.
    Plain,
    /// It stands in an intersection.
    Intersected,
    /// It is taken away.
    Subtracted,
    /// `->` or `&->` goes over it.
    Through,
}

/// An edge, from what reads or holds to what is read or held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub from: End,
    pub to: End,
    pub kind: EdgeKind,
    pub mark: Mark,
    pub label: String,
    pub hint: String,
    pub highlighted: bool,
}

/// A row of a box, or its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    pub group: usize,
    pub row: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EdgeKind {
    /// A relation holds objects, or actors.
    Holds,
    /// A relation holds a userset.
    Members,
    /// `->`: some object of the relation grants.
    Any,
    /// `&->`: all objects of the relation grant.
    Every,
    /// A relationship that the policy does not admit (any more).
    Ignored,
    /// A relationship that is not there and would be needed.
    Missing,
}
