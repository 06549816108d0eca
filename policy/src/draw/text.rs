//! How wide a text will be, without the font: boxes are sized before anybody knows what draws them.
//!
//! Widths are those of Helvetica, with which Arial and Liberation Sans agree (Adobe, *Font Metrics
//! for PDF Core 14 Fonts*, 1998). The drawing asks for these fonts first and states each text's
//! width (SVG's `textLength`), so another font is fitted into the same room.

use alloc::{format, string::String, vec::Vec};

/// How a text is set: its size in pixels, and whether in bold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Face {
    pub size: i64,
    pub bold: bool,
}

impl Face {
    pub const TITLE: Self = Self::new(20, true);
    pub const HEADER: Self = Self::new(13, true);
    pub const NAME: Self = Self::new(12, true);
    pub const NAME_PLAIN: Self = Self::new(12, false);
    pub const DETAIL: Self = Self::new(11, false);
    pub const SMALL: Self = Self::new(10, false);

    const fn new(size: i64, bold: bool) -> Self {
        Self { size, bold }
    }
}

/// Thousandths of the size, for the visible characters of ASCII from the space on.
#[rustfmt::skip]
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

#[rustfmt::skip]
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

/// Of what is not ASCII: as wide as the size, which few letters are.
const OTHER: u16 = 1000;

fn thousandths(character: char, bold: bool) -> i64 {
    let table = if bold { &BOLD } else { &REGULAR };
    let at = (character as usize).checked_sub(' ' as usize);
    i64::from(at.and_then(|at| table.get(at)).copied().unwrap_or(OTHER))
}

/// Width of `text` in pixels, rounded up.
pub(crate) fn width(text: &str, face: Face) -> i64 {
    let sum: i64 = text.chars().map(|c| thousandths(c, face.bold)).sum();
    (sum * face.size + 999) / 1000
}

/// `text`, cut with an ellipsis where it is wider than `room` pixels.
pub(crate) fn fit(text: &str, face: Face, room: i64) -> String {
    if width(text, face) <= room {
        return text.into();
    }
    let mut left = room * 1000 - thousandths('…', face.bold) * face.size;
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            left -= thousandths(*c, face.bold) * face.size;
            left >= 0
        })
        .collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// `text` on at most `lines_max` lines of `room` pixels, parted at white space; the last one is cut
/// with an ellipsis where more follows.
pub(crate) fn wrap(text: &str, face: Face, room: i64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let count = lines.len();
        let joined = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), joined) {
            (Some(line), Some(joined)) if width(&joined, face) <= room => *line = joined,
            (Some(line), _) if count == lines_max => {
                *line = fit(line, face, room - width("…", face));
                if !line.ends_with('…') {
                    line.push('…');
                }
                break;
            }
            _ => lines.push(fit(word, face, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_table() {
        assert_eq!(width("", Face::DETAIL), 0);
        assert_eq!(
            width(
                "iii",
                Face {
                    size: 1000,
                    bold: false
                }
            ),
            666
        );
        assert_eq!(
            width(
                "W~",
                Face {
                    size: 1000,
                    bold: true
                }
            ),
            944 + 584
        );
        assert_eq!(
            width(
                "é",
                Face {
                    size: 10,
                    bold: false
                }
            ),
            10
        );
        assert_eq!(
            width(
                "\u{1}",
                Face {
                    size: 10,
                    bold: false
                }
            ),
            10
        );
    }

    #[test]
    fn what_is_cut_fits() {
        let text = "charge_nurse_of_the_night";
        for room in 11..200 {
            let cut = fit(text, Face::NAME, room);
            assert!(width(&cut, Face::NAME) <= room.max(12), "{cut} in {room}");
            assert!(cut == text || cut.ends_with('…'));
        }
    }

    #[test]
    fn lines_keep_to_their_room_and_number() {
        let text = "one two three four five six seven eight";
        let lines = wrap(text, Face::DETAIL, 60, 3);
        assert_eq!(lines.len(), 3);
        assert!(
            lines.iter().all(|line| width(line, Face::DETAIL) <= 60),
            "{lines:?}"
        );
        assert!(lines[2].ends_with('…'));
        assert_eq!(wrap(text, Face::DETAIL, 4000, 3), [text]);
        assert!(wrap(" ", Face::DETAIL, 60, 3).is_empty());
    }
}
