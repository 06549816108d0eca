//! What stands behind a row's name, set on lines.

use alloc::vec::Vec;

use super::{
    frame::{Ink, Text},
    picture::{Gap, Piece, Tone},
    text::{fit, width, Face},
};

/// Details go on on the next line where they are wider than this.
const WIDTH_MAX: i64 = 216;
/// Lines of details that a row has at most; the rest is an ellipsis.
const LINES_MAX: usize = 8;
/// Between two lines of text.
pub(crate) const LINE: i64 = 13;
const SPACE: i64 = 3;
/// What a chip takes on each side of its text.
pub(crate) const CHIP_PADDING: i64 = 4;

/// Sets details on lines: texts from the left end of the details, pieces of one tone together.
pub(crate) fn set(details: &[Vec<Piece>]) -> Vec<Vec<Text>> {
    let mut lines: Vec<Vec<Text>> = Vec::new();
    for pieces in details {
        let mut x = WIDTH_MAX + 1;
        for (at, piece) in pieces.iter().enumerate() {
            let gap = if piece.gap == Gap::None { 0 } else { SPACE };
            let unit = match piece.gap {
                Gap::Break => unit(pieces, at),
                Gap::Space | Gap::None => outer(piece),
            };
            let full = x + gap + unit > WIDTH_MAX && piece.gap != Gap::None;
            if full || lines.is_empty() {
                if lines.len() == LINES_MAX {
                    cut(&mut lines);
                    return lines;
                }
                lines.push(Vec::new());
                x = 0;
            }
            if let Some(line) = lines.last_mut() {
                let spaced = !line.is_empty() && gap > 0;
                place(line, piece, &mut x, spaced);
            }
        }
    }
    lines
}

/// What a piece takes, with the room of a chip around it.
fn outer(piece: &Piece) -> i64 {
    match piece.tone {
        Tone::Chip => width(&piece.text, Face::SMALL) + 2 * CHIP_PADDING,
        _ => width(&piece.text, Face::DETAIL),
    }
}

/// What a piece takes with all that may not be parted from it.
fn unit(pieces: &[Piece], at: usize) -> i64 {
    let joined = pieces
        .iter()
        .skip(at + 1)
        .take_while(|piece| piece.gap != Gap::Break);
    let more = joined.map(|piece| outer(piece) + if piece.gap == Gap::Space { SPACE } else { 0 });
    pieces.get(at).map_or(0, outer) + more.sum::<i64>()
}

/// Puts a piece behind what stands on the line up to `x`.
fn place(line: &mut Vec<Text>, piece: &Piece, x: &mut i64, spaced: bool) {
    let chip = piece.tone == Tone::Chip;
    let face = if chip { Face::SMALL } else { Face::DETAIL };
    let padding = if chip { CHIP_PADDING } else { 0 };
    if spaced {
        *x += SPACE;
    }
    let text = fit(&piece.text, face, (WIDTH_MAX - *x).max(0));
    match line.last_mut() {
        Some(last) if !chip && last.ink == Ink::Detail(piece.tone) => {
            if spaced {
                last.text.push(' ');
            }
            last.text.push_str(&text);
            last.width = width(&last.text, face);
            *x = last.x + last.width;
        }
        _ => {
            let text_width = width(&text, face);
            line.push(Text {
                x: *x + padding,
                y: 0,
                width: text_width,
                text,
                face,
                ink: Ink::Detail(piece.tone),
            });
            *x += text_width + 2 * padding;
        }
    }
}

/// Ends the last line with an ellipsis.
fn cut(lines: &mut [Vec<Text>]) {
    let Some(last) = lines.last_mut().and_then(|line| line.last_mut()) else {
        return;
    };
    let room = last.width - width("…", last.face);
    let mut text = fit(&last.text, last.face, room);
    if !text.ends_with('…') {
        text.push('…');
    }
    last.width = width(&text, last.face);
    last.text = text;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    #[test]
    fn lines_keep_to_their_room_and_end_in_an_ellipsis() {
        let pieces: Vec<Piece> = (0..200)
            .map(|at| Piece::new(format!("operand_{at}"), Tone::Plain, Gap::Break))
            .collect();
        let lines = set(&[pieces]);
        assert_eq!(lines.len(), LINES_MAX);
        let last = |line: &Vec<Text>| line.last().map_or(0, |text| text.x + text.width);
        assert!(
            lines.iter().all(|line| last(line) <= WIDTH_MAX),
            "{lines:?}"
        );
        assert!(lines[LINES_MAX - 1][0].text.ends_with('…'));
    }

    #[test]
    fn what_belongs_together_stays_on_a_line() {
        let word = |text: &str, tone, gap| Piece::new(text, tone, gap);
        let lines = set(&[
            vec![
                word("a_rather_long_type_of_some_policy", Tone::Plain, Gap::Break),
                word("person", Tone::Plain, Gap::Break),
                word("office_hours", Tone::Chip, Gap::Space),
                word(",", Tone::Quiet, Gap::None),
            ],
            vec![word("=", Tone::Quiet, Gap::Break)],
        ]);
        let texts: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| line.iter().map(|text| text.text.as_str()).collect())
            .collect();
        assert_eq!(
            texts,
            [
                vec!["a_rather_long_type_of_some_policy"],
                vec!["person", "office_hours", ","],
                vec!["="]
            ]
        );
    }
}
