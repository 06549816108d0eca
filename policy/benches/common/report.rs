//! The table that is printed: ours beside what others reach, the aim, and the naive oracle.

use super::measure::Extent;

/// One line. Times in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub workload: String,
    pub question: String,
    pub ours: f64,
    /// What is quoted of the best other engine.
    pub theirs: Option<f64>,
    pub aim: Option<f64>,
    /// The naive oracle in this run.
    pub naive: Option<f64>,
    pub steps: u64,
}

/// Prints what the columns are, or in a test what is about to be asked.
pub fn heading(extent: Extent, of: &str, theirs: &str) {
    if extent == Extent::Once {
        println!("workloads of {of}: each question is asked once, for its answer");
        return;
    }
    println!(
        "{of:<20} {:<16} {:>10} {:>9} {:>4} {:>9} {:>8} {:>12} {:>9} {:>7}",
        "question", "ours µs", "aim µs", "", theirs, "faster", "oracle µs", "faster", "steps"
    );
}

impl Row {
    /// Prints the line, unless times mean nothing.
    pub fn print(&self, extent: Extent) {
        if extent == Extent::Once {
            return;
        }
        let Self {
            workload,
            question,
            ours,
            ..
        } = self;
        let met = match self.aim {
            None => "",
            Some(aim) if *ours <= aim => "met",
            Some(_) => "over",
        };
        println!(
            "{workload:<20} {question:<16} {ours:>10.2} {:>9} {met:>4} {:>9} {:>8} {:>12} {:>9} {:>7}",
            number(self.aim, ""),
            number(self.theirs, ""),
            number(self.theirs.map(|theirs| theirs / ours), "×"),
            number(self.naive, ""),
            number(self.naive.map(|naive| naive / ours), "×"),
            self.steps,
        );
    }
}

/// Whole, as ratios and others' figures are given; nothing where there is none.
fn number(number: Option<f64>, unit: &str) -> String {
    number.map_or_else(String::new, |number| format!("{number:.0}{unit}"))
}
