//! What the drawing's signs mean: only those that occur.

use alloc::vec::Vec;

use super::picture::{EdgeKind, Mark, Matter, Picture, RowKind, Shape, Tone};

/// A sign of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Row(RowKind),
    Line {
        kind: EdgeKind,
        subtracted: bool,
    },
    Mark(Mark),
    Chip,
    Highlight,
    /// Words that stand for themselves.
    Words(&'static str),
}

/// The signs of `picture` and what they mean.
pub(crate) fn legend(picture: &Picture) -> Vec<(Sign, &'static str)> {
    let schema = picture.matter == Matter::Schema;
    let has_row = |kind| {
        picture
            .groups
            .iter()
            .flat_map(|group| &group.rows)
            .any(|row| row.kind == kind)
    };
    let mut all: Vec<(Sign, &'static str)> = Vec::new();
    let mut add = |occurs: bool, sign: Sign, meaning: &'static str| {
        if occurs {
            all.push((sign, meaning));
        }
    };
    if schema {
        add(
            has_row(RowKind::Relation),
            Sign::Row(RowKind::Relation),
            "relation: recorded",
        );
        add(
            has_row(RowKind::Permission),
            Sign::Row(RowKind::Permission),
            "permission: computed",
        );
        let owner = picture.groups.iter().any(|group| !group.note.is_empty());
        add(
            owner,
            Sign::Words("owner: all"),
            "the owner has every permission",
        );
    }
    for mark in [
        Mark::Plain,
        Mark::Intersected,
        Mark::Subtracted,
        Mark::Through,
    ] {
        let rows = picture.groups.iter().flat_map(|group| &group.rows);
        let occurs = rows
            .flat_map(|row| &row.reads)
            .any(|read| read.mark == mark);
        add(occurs, Sign::Mark(mark), in_box(mark));
    }
    for kind in [
        EdgeKind::Holds,
        EdgeKind::Any,
        EdgeKind::Every,
        EdgeKind::Ignored,
        EdgeKind::Missing,
    ] {
        let occurs = |subtracted| {
            let drawn = |other| {
                if other == EdgeKind::Members {
                    EdgeKind::Holds
                } else {
                    other
                }
            };
            let mut edges = picture.edges.iter().filter(|edge| drawn(edge.kind) == kind);
            edges.any(|edge| (edge.mark == Mark::Subtracted) == subtracted)
        };
        let sign = |subtracted| Sign::Line { kind, subtracted };
        add(occurs(false), sign(false), meaning(kind, schema));
        add(occurs(true), sign(true), "takes away what -> reads");
    }
    let mut rows = picture.groups.iter().flat_map(|group| &group.rows);
    let chip = rows.any(|row| {
        row.details
            .iter()
            .flatten()
            .any(|piece| piece.tone == Tone::Chip)
    });
    add(chip, Sign::Chip, "only with this condition or expiry");
    let highlighted = picture.edges.iter().any(|edge| edge.highlighted);
    add(highlighted, Sign::Highlight, "what the answer rests on");
    let pills = picture
        .groups
        .iter()
        .any(|group| group.shape == Shape::Pill);
    add(
        !schema && pills,
        Sign::Words("did:…"),
        "an actor; * is every actor",
    );
    all
}

fn in_box(mark: Mark) -> &'static str {
    match mark {
        Mark::Plain => "reads",
        Mark::Intersected => "asks for (&)",
        Mark::Subtracted => "takes away (-)",
        Mark::Through => "goes over (->)",
    }
}

fn meaning(kind: EdgeKind, schema: bool) -> &'static str {
    match kind {
        EdgeKind::Holds | EdgeKind::Members if schema => {
            "may hold objects (to a head), or all who have (to a row)"
        }
        EdgeKind::Holds | EdgeKind::Members => {
            "holds (to a head), or holds all who have (to a row)"
        }
        EdgeKind::Any => "reads through ->",
        EdgeKind::Every => "every one must grant (&->)",
        EdgeKind::Ignored => "not admitted by the policy: ignored",
        EdgeKind::Missing => "is missing",
    }
}
