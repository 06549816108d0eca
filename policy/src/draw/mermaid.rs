//! A picture as a Mermaid flowchart (mermaid.js.org/syntax/flowchart.html): for wikis and pull requests,
//! where Mermaid lays it out.
//!
//! Ids are numbers of our own; names stand in quoted labels only, with Mermaid's entity codes in place
//! of every sign that means something to Mermaid, to Markdown or to HTML.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::fmt::Write;

use super::{
    picture::{
        Edge, EdgeKind, End, Gap, Group, Mark, Matter, Picture, Piece, Row, RowKind, Shape, Tone,
    },
    style::{class, fills},
};

/// Writes `picture`.
pub(crate) fn write(picture: &Picture) -> String {
    let mut chart = Chart {
        text: format!(
            "---\ntitle: \"{}\"\n---\nflowchart LR\n",
            plain(&picture.title)
        ),
        links: 0,
        minus: Vec::new(),
        strong: Vec::new(),
        dotted: Vec::new(),
    };
    let _ = writeln!(chart.text, "  accTitle: {}", plain(&picture.title));
    if !picture.caption.is_empty() {
        let _ = writeln!(chart.text, "  accDescr: {}", plain(&picture.caption));
    }
    match picture.matter {
        Matter::Schema => chart.schema(picture),
        Matter::Relationships => chart.relationships(picture),
    }
    chart.styles(picture);
    chart.text
}

struct Chart {
    text: String,
    /// How many links there are: styles name them by number.
    links: usize,
    minus: Vec<usize>,
    strong: Vec<usize>,
    dotted: Vec<usize>,
}

impl Chart {
    fn schema(&mut self, picture: &Picture) {
        for (at, group) in picture.groups.iter().enumerate() {
            if group.rows.is_empty() {
                let _ = writeln!(self.text, "  g{at}[\"{}\"]", label(&group.label));
                continue;
            }
            let _ = writeln!(self.text, "  subgraph g{at} [\"{}\"]", label(&group.label));
            for (place, row) in group.rows.iter().enumerate() {
                let text = row_text(row);
                let (open, close) = match row.kind {
                    RowKind::Relation => ("[", "]"),
                    RowKind::Permission => ("([", "])"),
                };
                let _ = writeln!(
                    self.text,
                    "    g{at}r{place}{open}\"{}\"{close}",
                    label(&text)
                );
            }
            self.text.push_str("  end\n");
        }
        for (at, group) in picture.groups.iter().enumerate() {
            for (from, row) in group.rows.iter().enumerate() {
                for read in row.reads.iter().filter(|read| read.mark != Mark::Through) {
                    let arrow = if read.mark == Mark::Subtracted {
                        "-.->"
                    } else {
                        "-->"
                    };
                    let sign = sign(read.mark);
                    self.link(
                        &format!("g{at}r{from}"),
                        arrow,
                        sign,
                        &format!("g{at}r{}", read.row),
                        read.mark == Mark::Subtracted,
                    );
                }
            }
        }
        for edge in &picture.edges {
            let arrow = match (edge.kind, edge.mark) {
                (_, Mark::Subtracted) => "-.->",
                (EdgeKind::Every, _) => "==>",
                _ => "-->",
            };
            let every = if edge.kind == EdgeKind::Every {
                "every "
            } else {
                ""
            };
            let sign = sign(edge.mark);
            let gap = if sign.is_empty() || edge.label.is_empty() {
                ""
            } else {
                " "
            };
            let mut text = format!("{sign}{gap}{every}{}", edge.label);
            let mut to = edge.to;
            if to.row.is_none() && to.group == edge.from.group {
                // Not every version of Mermaid draws a line from a node to what it stands in.
                to = edge.from;
                text = picture
                    .groups
                    .get(to.group)
                    .map_or(text, |group| group.label.clone());
            }
            self.link(
                &id(edge.from),
                arrow,
                &text,
                &id(to),
                edge.mark == Mark::Subtracted,
            );
        }
    }

    /// Objects and actors are nodes, and so is each userset that something holds.
    fn relationships(&mut self, picture: &Picture) {
        let usersets: BTreeSet<End> = picture
            .edges
            .iter()
            .map(|edge| edge.to)
            .filter(|end| end.row.is_some())
            .collect();
        for (at, group) in picture.groups.iter().enumerate() {
            let (open, close) = match group.shape {
                Shape::Table => ("[", "]"),
                Shape::Pill => ("([", "])"),
            };
            let _ = writeln!(self.text, "  g{at}{open}\"{}\"{close}", label(&group.label));
        }
        for end in &usersets {
            let Some(group) = picture.groups.get(end.group) else {
                continue;
            };
            let name = end
                .row
                .and_then(|row| group.rows.get(row))
                .map_or("", |row| &row.name);
            let text = format!("{}#{name}", group.label);
            let _ = writeln!(self.text, "  {}[[\"{}\"]]", id(*end), label(&text));
        }
        for end in &usersets {
            let object = End { row: None, ..*end };
            self.link(&id(object), "-.-", "", &id(*end), false);
        }
        for edge in &picture.edges {
            let from = if usersets.contains(&edge.from) {
                edge.from
            } else {
                End {
                    row: None,
                    ..edge.from
                }
            };
            let arrow = match edge.kind {
                EdgeKind::Ignored | EdgeKind::Missing => "-.->",
                _ => "-->",
            };
            let at = self.links;
            self.link(
                &id(from),
                arrow,
                &edge_text(picture, edge),
                &id(edge.to),
                edge.kind == EdgeKind::Missing,
            );
            if edge.highlighted {
                self.strong.push(at);
            }
            if edge.kind == EdgeKind::Ignored {
                self.dotted.push(at);
            }
        }
    }

    fn link(&mut self, from: &str, arrow: &str, text: &str, to: &str, minus: bool) {
        let _ = if text.is_empty() {
            writeln!(self.text, "  {from} {arrow} {to}")
        } else {
            writeln!(self.text, "  {from} {arrow}|\"{}\"| {to}", label(text))
        };
        if minus {
            self.minus.push(self.links);
        }
        self.links += 1;
    }

    fn styles(&mut self, picture: &Picture) {
        let mut classes: BTreeSet<(String, Option<usize>)> = BTreeSet::new();
        for (at, group) in picture.groups.iter().enumerate() {
            let name = class(group.hue);
            let _ = writeln!(self.text, "  class g{at} {name}");
            classes.insert((name, group.hue));
        }
        let mut seen = BTreeSet::new();
        for (name, hue) in classes {
            if seen.insert(name.clone()) {
                let (fill, line) = fills(hue);
                let _ = writeln!(
                    self.text,
                    "  classDef {name} fill:{fill},stroke:{line},color:#1c2128"
                );
            }
        }
        let highlighted = |at: &usize| {
            picture
                .groups
                .get(*at)
                .is_some_and(|group: &Group| group.highlighted)
        };
        let strong: Vec<String> = (0..picture.groups.len())
            .filter(highlighted)
            .map(|at| format!("g{at}"))
            .collect();
        if !strong.is_empty() {
            let _ = writeln!(
                self.text,
                "  classDef strong stroke:#d1570a,stroke-width:3px"
            );
            let _ = writeln!(self.text, "  class {} strong", strong.join(","));
        }
        for (links, style) in [
            (&self.minus, "stroke:#c62828"),
            (&self.dotted, "stroke:#6b7480"),
            (&self.strong, "stroke:#d1570a,stroke-width:4px"),
        ] {
            if !links.is_empty() {
                let numbers: Vec<String> = links.iter().map(|at| format!("{at}")).collect();
                let _ = writeln!(self.text, "  linkStyle {} {style}", numbers.join(","));
            }
        }
    }
}

fn id(end: End) -> String {
    match end.row {
        None => format!("g{}", end.group),
        Some(row) => format!("g{}r{row}", end.group),
    }
}

fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Plain | Mark::Through => "",
        Mark::Intersected => "&",
        Mark::Subtracted => "minus",
    }
}

/// A row in one line: its name, and its types or expression.
fn row_text(row: &Row) -> String {
    let mut text = row.name.clone();
    for (at, pieces) in row.details.iter().enumerate() {
        text.push_str(match (at, row.kind) {
            (0, RowKind::Relation) => ": ",
            (0, RowKind::Permission) => " ",
            _ => "; ",
        });
        text.push_str(&pieces_text(pieces));
    }
    text
}

fn pieces_text(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        if !text.is_empty() && piece.gap != Gap::None {
            text.push(' ');
        }
        match piece.tone {
            Tone::Chip => {
                let _ = write!(text, "[{}]", piece.text);
            }
            _ => text.push_str(&piece.text),
        }
    }
    text
}

/// The relation, and what the relationship carries besides.
fn edge_text(picture: &Picture, edge: &Edge) -> String {
    let row = edge
        .from
        .row
        .and_then(|row| picture.groups.get(edge.from.group)?.rows.get(row));
    let terms = row.map(|row| {
        row.details
            .iter()
            .flatten()
            .filter(|piece| piece.tone == Tone::Chip)
    });
    let mut text = edge.label.clone();
    for term in terms.into_iter().flatten() {
        let _ = write!(text, " [{}]", term.text);
    }
    text
}

/// Text for a quoted label.
fn label(text: &str) -> String {
    // Mermaid takes a `;` off a line that looks like a style with a colour, so no `:` may follow the word.
    let like_style = text.contains("style") || text.contains("classDef");
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let word = |other: Option<&char>| other.is_some_and(char::is_ascii_alphanumeric);
        match character {
            // Within a word it is no emphasis.
            '_' if word(before.as_ref()) && word(characters.peek()) => escaped.push('_'),
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' | '*' | '_' | '[' | ']' | '{' | '}'
            | '|' | '~' | '%' => {
                let _ = write!(escaped, "#{};", character as u32);
            }
            ':' if like_style => escaped.push_str("#58;"),
            other => escaped.push(harmless(other)),
        }
        before = Some(character);
    }
    escaped
}

/// Text for a line of its own, or between the quotes of YAML.
fn plain(text: &str) -> String {
    let sign = |character| match character {
        '"' => '\'',
        '\\' => '/',
        '#' | '<' | '>' | '&' | '{' | '}' | '`' => ' ',
        other => harmless(other),
    };
    text.chars().map(sign).collect()
}

/// No line breaks, no control characters, nothing that turns the order of the text around.
fn harmless(character: char) -> char {
    match character {
        '\n' | '\t' | '\r' => ' ',
        '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}
