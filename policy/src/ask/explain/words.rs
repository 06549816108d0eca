//! What an explanation says, in words: indented lines, each a fact.

use core::fmt;

use crate::question::{Decision, Question};

use super::{Attempt, Because, Explanation, Fact, LackingCondition, Needed, Why};

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has { object, name } => write!(f, "{object}#{name}"),
            Self::Shown { object, name } => write!(f, "{object}#{name} (as shown)"),
            Self::Stands(relationship) => write!(f, "{relationship}"),
            Self::Owns { object, actor } => write!(f, "{actor} owns {object}"),
            Self::Itself { object } => write!(f, "{object} is asked about itself"),
            Self::Without { object, expression } => write!(f, "and not {expression} on {object}"),
        }
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.relationship)?;
        let mut word = " with";
        for name in &self.traits {
            write!(f, "{word} {name}")?;
            word = " and";
        }
        Ok(())
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has { object, name } => write!(f, "{object}#{name}: yes"),
            Self::Lacks { object, name } => write!(f, "{object}#{name}: no"),
            Self::Shown { object, name } => write!(f, "{object}#{name}: no, as shown"),
            Self::Holds { object, relation } => {
                write!(f, "{object}#{relation}: not among its members")
            }
            Self::Expired(relationship) => write!(f, "{relationship}: has expired"),
            Self::ConditionFails(relationship) => {
                write!(f, "{relationship}: the condition does not hold")
            }
            Self::NotAdmitted(relationship) => {
                write!(f, "{relationship}: the policy does not admit it")
            }
            Self::LeadsNowhere { object, relation } => {
                write!(f, "{object}#{relation}: leads nowhere")
            }
            Self::Excluded { object, expression } => {
                write!(f, "excluded by {expression} on {object}")
            }
            Self::NotKnown { object, expression } => {
                write!(f, "not known whether {expression} on {object} excludes")
            }
        }
    }
}

impl fmt::Display for LackingCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            relationship,
            missing,
        } = self;
        write!(f, "{relationship} lacks {}", missing.join(", "))
    }
}

fn line(f: &mut fmt::Formatter<'_>, level: usize, text: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "{:width$}{text}", "", width = 2 * level)
}

impl fmt::Display for Explanation {
    /// One line a fact, indented by two spaces a level.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question {
            object,
            permission,
            subject,
        } = &self.question;
        let says = match self.answer.decision {
            Decision::Allow => "has",
            Decision::Deny => "does not have",
            Decision::Conditional => "may have, with more context,",
        };
        writeln!(f, "{subject} {says} {permission} on {object}")?;
        match &self.why {
            Why::Allowed { reason, .. } => reason.iter().try_for_each(|one| one.line(f, 1))?,
            Why::Conditional { lacking } => lacking.iter().try_for_each(|lack| line(f, 1, lack))?,
            Why::Denied {
                needed,
                is_minimal,
                excluded,
                tried,
            } => {
                let perhaps = if *is_minimal { "" } else { ", perhaps not all" };
                let head = alloc::format!("it would take{perhaps}");
                section(f, &head, needed.iter().map(|needed| (0, needed)))?;
                let excluded = excluded.iter().map(|one| (one.level, &one.fact));
                section(f, "what excludes it", excluded)?;
                section(
                    f,
                    "tried",
                    tried.iter().map(|one| (one.level, &one.attempt)),
                )?;
            }
        }
        match self.is_all {
            true => Ok(()),
            false => line(f, 1, &"there is more than is shown"),
        }
    }
}

/// Lines under a head, which is left out where there are none.
fn section<'a, L: fmt::Display + 'a>(
    f: &mut fmt::Formatter<'_>,
    head: &str,
    lines: impl Iterator<Item = (usize, &'a L)>,
) -> fmt::Result {
    for (at, (level, text)) in lines.enumerate() {
        if at == 0 {
            line(f, 1, &head)?;
        }
        line(f, 2 + level, text)?;
    }
    Ok(())
}

impl Because {
    fn line(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        line(f, level + self.level, &self.fact)
    }
}
