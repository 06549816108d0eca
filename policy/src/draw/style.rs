//! Colours, for paper that is light and paper that is dark.
//!
//! Plain class rules, no custom properties: programs that make pictures of SVG know only those. All
//! are below one class of the drawing, so that a page that embeds it keeps its own.

use alloc::{format, string::String};
use core::fmt::Write;

/// Which colours a drawing has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Those of whoever looks: CSS `prefers-color-scheme`.
    #[default]
    Auto,
    /// Dark on white.
    Light,
    /// Light on near-black.
    Dark,
}

/// A line's colour and a head's, on light paper and on dark.
type Hue = [&'static str; 4];

/// Told apart as lines and legible as heads; red is kept for what is taken away.
#[rustfmt::skip]
const HUES: [Hue; 12] = [
    ["#2563c9", "#dbe8fd", "#7fb0ff", "#1d3156"],
    ["#b45f06", "#fbe6cf", "#f0a95a", "#4a3013"],
    ["#1f7f43", "#d8f1df", "#6cc88c", "#17402a"],
    ["#7a45c4", "#eadffb", "#b99af2", "#35245a"],
    ["#0b7f86", "#d3f0f1", "#55c5cc", "#123f43"],
    ["#b0338d", "#f9dcf0", "#ec8fcf", "#4d1f40"],
    ["#6f7400", "#eef0c9", "#c3c752", "#383b10"],
    ["#4550b8", "#e0e3fa", "#9aa5f5", "#262c59"],
    ["#86532f", "#f2e3d6", "#d0a17c", "#40291a"],
    ["#0f78b5", "#d5ecfb", "#66bdf0", "#123a55"],
    ["#4b7a1a", "#e3f2d0", "#9fcf6a", "#2a4013"],
    ["#7d3f73", "#f1e0ee", "#d49bc9", "#412140"],
];

/// The class of a colour; resources that are far apart in the policy's names share one.
pub(crate) fn class(hue: Option<usize>) -> String {
    hue.map_or_else(|| "plain".into(), |hue| format!("hue{}", hue % HUES.len()))
}

/// Ground and line of a colour on light paper.
pub(crate) fn fills(hue: Option<usize>) -> (&'static str, &'static str) {
    match hue.and_then(|hue| HUES.get(hue % HUES.len())) {
        Some([line, fill, ..]) => (fill, line),
        None => (LIGHT.head, LIGHT.neutral),
    }
}

/// What paper, ink and the rest are called, light and dark.
struct Inks {
    paper: &'static str,
    body: &'static str,
    computed: &'static str,
    rule: &'static str,
    ink: &'static str,
    quiet: &'static str,
    neutral: &'static str,
    head: &'static str,
    warn: &'static str,
    also: &'static str,
    strong: &'static str,
}

const LIGHT: Inks = Inks {
    paper: "#ffffff",
    body: "#ffffff",
    computed: "#f4f5f7",
    rule: "#dfe2e7",
    ink: "#1c2128",
    quiet: "#636b76",
    neutral: "#6b7480",
    head: "#e8eaee",
    warn: "#c62828",
    also: "#8a5a00",
    strong: "#d1570a",
};

const DARK: Inks = Inks {
    paper: "#12151a",
    body: "#1a1e25",
    computed: "#22272f",
    rule: "#363c47",
    ink: "#e6e9ee",
    quiet: "#9ca5b1",
    neutral: "#97a0ad",
    head: "#2b313b",
    warn: "#ff8a80",
    also: "#e3b341",
    strong: "#ff9d4d",
};

/// The rules for the colours used.
pub(crate) fn css(scheme: Scheme, hues: &[usize]) -> String {
    let mut css = String::from(SHAPES);
    match scheme {
        Scheme::Light => colours(&mut css, &LIGHT, hues, 0),
        Scheme::Dark => colours(&mut css, &DARK, hues, 2),
        Scheme::Auto => {
            colours(&mut css, &LIGHT, hues, 0);
            css.push_str("@media (prefers-color-scheme: dark) {\n");
            colours(&mut css, &DARK, hues, 2);
            css.push_str("}\n");
        }
    }
    css
}

const SHAPES: &str = "\
.holdfast-drawing text { font-family: Helvetica, Arial, 'Liberation Sans', sans-serif; white-space: pre; }
.holdfast-drawing .frame, .holdfast-drawing .line, .holdfast-drawing .lane, .holdfast-drawing .rule { fill: none; }
.holdfast-drawing .frame { stroke-width: 1.2px; }
.holdfast-drawing .line { stroke-width: 1.5px; stroke-linejoin: round; }
.holdfast-drawing .holds { stroke-width: 1.2px; }
.holdfast-drawing .dashed { stroke-dasharray: 6 4; }
.holdfast-drawing .dotted { stroke-dasharray: 2 4; }
.holdfast-drawing .strong .line { stroke-width: 3px; }
.holdfast-drawing .strong .frame { stroke-width: 2.5px; }
.holdfast-drawing .faded { opacity: 0.35; }
.holdfast-drawing .edge:hover .line { stroke-width: 3px; }
.holdfast-drawing .sign { font-weight: bold; text-anchor: middle; }
";

fn colours(css: &mut String, inks: &Inks, hues: &[usize], first: usize) {
    let mut rule = |selectors: &str, body: &str| {
        let scoped = selectors
            .split(", ")
            .map(|one| format!(".holdfast-drawing {one}"));
        for (at, selector) in scoped.enumerate() {
            if at > 0 {
                css.push_str(", ");
            }
            css.push_str(&selector);
        }
        let _ = writeln!(css, " {{ {body} }}");
    };
    rule(".paper", &format!("fill: {};", inks.paper));
    rule(".body", &format!("fill: {};", inks.body));
    rule(".computed", &format!("fill: {};", inks.computed));
    rule(".rule", &format!("stroke: {};", inks.rule));
    rule("text", &format!("fill: {};", inks.ink));
    rule("text.quiet", &format!("fill: {};", inks.quiet));
    rule("text.minus", &format!("fill: {};", inks.warn));
    rule("text.and", &format!("fill: {};", inks.also));
    rule(
        ".chip",
        &format!("fill: {}; stroke: {};", inks.head, inks.neutral),
    );
    rule(".lane", &format!("stroke: {};", inks.neutral));
    rule(".dot", &format!("fill: {};", inks.neutral));
    rule(
        ".ring",
        &format!("fill: {}; stroke: {};", inks.body, inks.neutral),
    );
    rule(".ring.and", &format!("stroke: {};", inks.also));
    rule(".ring.minus", &format!("stroke: {};", inks.warn));
    rule(
        ".plain .line, .plain .frame",
        &format!("stroke: {};", inks.neutral),
    );
    rule(".plain .head", &format!("fill: {};", inks.head));
    rule(
        ".plain .tip",
        &format!("fill: {0}; stroke: {0};", inks.neutral),
    );
    for hue in hues {
        let Some(colours) = HUES.get(hue % HUES.len()) else {
            continue;
        };
        let (name, line, head) = (class(Some(*hue)), colours[first], colours[first + 1]);
        rule(
            &format!(".{name} .line, .{name} .frame"),
            &format!("stroke: {line};"),
        );
        rule(&format!(".{name} .head"), &format!("fill: {head};"));
        rule(
            &format!(".{name} .tip"),
            &format!("fill: {line}; stroke: {line};"),
        );
    }
    rule(".minus .line", &format!("stroke: {};", inks.warn));
    rule(
        ".minus .tip",
        &format!("fill: {0}; stroke: {0};", inks.warn),
    );
    rule(
        ".strong .line, .strong .frame",
        &format!("stroke: {};", inks.strong),
    );
    rule(
        ".strong .tip",
        &format!("fill: {0}; stroke: {0};", inks.strong),
    );
    rule(".edge .open", &format!("fill: {};", inks.paper));
}
