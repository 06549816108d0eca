//! A page written as SVG 1.1: shapes and texts, no scripts, nothing that is fetched.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::fmt::Write;

use super::{
    page::page,
    picture::{Edge, EdgeKind, Matter, Picture},
    sheet::{escape, Sheet},
    style::{class, css, Scheme},
};

/// How a drawing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SvgOptions {
    /// Without the XML header, for a page of HTML to hold.
    pub embedded: bool,
    /// Its colours.
    pub scheme: Scheme,
}

/// Writes `picture`.
pub(crate) fn write(picture: &Picture, options: SvgOptions) -> String {
    let page = page(picture);
    let mut svg = String::new();
    if !options.embedded {
        svg.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    let (width, height) = (page.width, page.height);
    // Ids must differ within a page of HTML that holds several drawings.
    let id = format!("drawing-{:016x}", digest(picture));
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"holdfast-drawing\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">"
    );
    let _ = writeln!(
        svg,
        "<title id=\"{id}-title\">{}</title>",
        escape(&picture.title)
    );
    let _ = writeln!(
        svg,
        "<desc id=\"{id}-desc\">{}</desc>",
        escape(&description(picture))
    );
    let mut hues: Vec<usize> = picture
        .groups
        .iter()
        .filter_map(|group| group.hue)
        .collect();
    hues.sort_unstable_by_key(|hue| class(Some(*hue)));
    hues.dedup_by_key(|hue| class(Some(*hue)));
    let _ = writeln!(svg, "<style>\n{}</style>", css(options.scheme, &hues));
    let _ = writeln!(
        svg,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    );
    let mut sheet = Sheet {
        svg,
        told: told(picture),
    };
    for (at, line) in page.words.iter().enumerate() {
        sheet.words(line, if at == 0 { "" } else { "quiet" });
    }
    for (at, (group, placed)) in picture.groups.iter().zip(&page.boxes).enumerate() {
        sheet.group(at, group, placed);
    }
    sheet.edges(picture, &page);
    for (sign, x, y, words) in &page.legend {
        sheet.sign(*sign, *x, *y);
        sheet.words(words, "quiet");
    }
    sheet.svg.push_str("</svg>\n");
    sheet.svg
}

/// What the drawing shows, for who cannot see it.
fn description(picture: &Picture) -> String {
    let what = match picture.matter {
        Matter::Schema => "Resources with their relations and permissions",
        Matter::Relationships => "Objects and actors with their relationships",
    };
    let labels: Vec<&str> = picture
        .groups
        .iter()
        .take(40)
        .map(|group| group.label.as_str())
        .collect();
    let more = if picture.groups.len() > labels.len() {
        " and more"
    } else {
        ""
    };
    format!(
        "{what}: {}{more}; {} edges. {}",
        labels.join(", "),
        picture.edges.len(),
        picture.caption
    )
}

/// FNV-1a over what the picture names (Fowler, Noll, Vo): tells drawings apart, secures nothing.
fn digest(picture: &Picture) -> u64 {
    let labels = picture.groups.iter().map(|group| group.label.as_str());
    let hints = picture.edges.iter().map(|edge| edge.hint.as_str());
    let bytes = core::iter::once(picture.title.as_str())
        .chain(labels)
        .chain(hints)
        .flat_map(str::bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The groups that have to do with an answer.
fn told(picture: &Picture) -> BTreeSet<usize> {
    let groups = picture.groups.iter().enumerate();
    let asked = groups
        .filter(|(_, group)| group.highlighted)
        .map(|(at, _)| at);
    let telling = |edge: &&Edge| edge.highlighted || edge.kind == EdgeKind::Missing;
    let edges = picture.edges.iter().filter(telling);
    asked
        .chain(edges.flat_map(|edge| [edge.from.group, edge.to.group]))
        .collect()
}
