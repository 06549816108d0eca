//! Tells the story to somebody who has never seen it: a heading a step, what is done, what came
//! of it, and at the end a table of what was shown and where to look at it.

use std::io::IsTerminal;
use std::time::Instant;

use anyhow::{bail, Result};

/// How wide the text runs.
const WIDTH: usize = 96;

/// One line of the closing table.
#[derive(Clone, Debug)]
struct Shown {
    step: usize,
    what: String,
    look: String,
}

/// Prints as the story goes and remembers what was shown.
#[derive(Debug)]
pub struct Narrator {
    quiet: bool,
    colour: bool,
    step: usize,
    started: Instant,
    shown: Vec<Shown>,
}

impl Narrator {
    /// A narrator for a person; colours only where there is a terminal.
    pub fn aloud() -> Self {
        Self {
            quiet: false,
            colour: std::io::stdout().is_terminal(),
            step: 0,
            started: Instant::now(),
            shown: Vec::new(),
        }
    }

    /// A narrator that prints nothing, for tests; what must hold is checked all the same.
    pub fn silent() -> Self {
        Self {
            quiet: true,
            ..Self::aloud()
        }
    }

    /// Begins a step.
    pub fn step(&mut self, title: &str) {
        self.step += 1;
        let heading = format!("{}. {title}", self.step);
        self.print(&format!("\n{}", self.bold(&heading)));
    }

    /// Says something, wrapped.
    pub fn say(&self, text: &str) {
        for line in wrap(text, WIDTH - 3) {
            self.print(&format!("   {line}"));
        }
    }

    /// Shows a command as a person would type it.
    pub fn command(&self, line: &str) {
        self.print(&format!("   {}", self.dim(&format!("$ {line}"))));
    }

    /// Shows what a command answered.
    pub fn answer(&self, text: &str) {
        for line in text.lines() {
            self.print(&format!("     {line}"));
        }
    }

    /// Something that must hold: it is said and remembered, or the story ends here.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn check(&mut self, holds: bool, what: &str, look: &str) -> Result<()> {
        if !holds {
            bail!(
                "step {}: this should hold and does not: {what} ({look})",
                self.step
            );
        }
        let mark = if self.colour {
            "\u{1b}[32m✓\u{1b}[0m"
        } else {
            "✓"
        };
        for (index, line) in wrap(what, WIDTH - 5).iter().enumerate() {
            self.print(&format!(
                "   {} {line}",
                if index == 0 { mark } else { " " }
            ));
        }
        self.shown.push(Shown {
            step: self.step,
            what: what.to_owned(),
            look: look.to_owned(),
        });
        Ok(())
    }

    /// The closing table.
    pub fn table(&self) {
        let seconds = self.started.elapsed().as_secs();
        self.print(&format!(
            "\n{}",
            self.bold(&format!("What was shown, in {seconds} s"))
        ));
        for row in &self.shown {
            let lines = wrap(&row.what, 62);
            let looks = wrap(&row.look, 44);
            for index in 0..lines.len().max(looks.len()) {
                let step = if index == 0 {
                    row.step.to_string()
                } else {
                    String::new()
                };
                let empty = String::new();
                let (what, look) = (
                    lines.get(index).unwrap_or(&empty),
                    looks.get(index).unwrap_or(&empty),
                );
                self.print(format!("  {step:<2} {what:<62}  {}", self.dim(look)).trim_end());
            }
        }
    }

    /// How many things were shown to hold.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    fn print(&self, line: &str) {
        if !self.quiet {
            println!("{line}");
        }
    }

    fn bold(&self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn dim(&self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[2m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks text at spaces into lines of at most `width` characters; longer words stand alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hold_ends_the_story() {
        let mut narrator = Narrator::silent();
        narrator.step("first");
        assert!(narrator.check(true, "this holds", "here").is_ok());
        let error = narrator.check(false, "this does not", "there").unwrap_err();
        assert!(error.to_string().contains("step 1"), "{error}");
        assert_eq!(narrator.shown(), 1);
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
    }
}
