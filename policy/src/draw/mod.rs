//! Pictures of a policy: its schema, and relationships under it, as SVG and as Mermaid.
//!
//! For people who want to see what a policy says, and what an answer rests on. Everything is whole
//! numbers and follows names, so the same policy gives the same bytes everywhere; nothing here is
//! consensus. Sizes are bounded: a schema by the bounds of a policy and
//! [`crate::limits::DRAWN_EDGES_MAX`], relationships by [`crate::limits::DRAWN_RELATIONSHIPS_MAX`].
//!
//! `facts` reads a policy, `schema` and `instances` make a [`Picture`] of it, `page` gives everything
//! its place by way of `arrange` (columns, order, heights) and `routes` (tracks, corners), and `svg`
//! or `mermaid` writes it down.

mod around;
mod arrange;
mod boxes;
mod conditions;
mod details;
mod expression;
mod facts;
mod fold;
mod frame;
mod instances;
mod layers;
mod legend;
mod lines;
mod mermaid;
mod nets;
mod options;
mod order;
mod page;
mod picture;
mod place;
mod routes;
mod rows;
mod schema;
mod sheet;
mod shorten;
mod style;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod tracks;

pub use around::Around;
pub use options::{DrawError, DrawOptions, Explained};
pub use picture::Picture;
pub use style::Scheme;
pub use svg::SvgOptions;

use crate::{Policy, Relationship};

/// The policy's resources with their relations and permissions, and what reads what.
#[must_use]
pub fn schema(policy: &Policy) -> Picture {
    schema::picture(&facts::Facts::of(policy))
}

/// Relationships under the policy: objects with the relations that are used, and whom they hold.
///
/// # Errors
/// [`DrawError`] where there are too many for one drawing, or none; it says how to ask for less.
pub fn relationships(
    policy: &Policy,
    relationships: &[Relationship],
    options: &DrawOptions,
) -> Result<Picture, DrawError> {
    let hues = facts::Facts::of(policy).hues();
    instances::picture(policy, &hues, relationships, options)
}
