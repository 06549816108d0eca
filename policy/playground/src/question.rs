//! Questions as they are typed, one a line: `ACTOR PERMISSION OBJECT` as `hold policy check` takes
//! them, or `OBJECT#PERMISSION@SUBJECT` as test files do. A `?` stands for what is asked for.
//!
//! ```text
//! did:key:z6Mk… read record:r1                 may she?
//! ? read record:r1                             who may?
//! group:?#member read record:r1                which usersets may?
//! did:key:z6Mk… read record:?                  what may she read?
//! did:key:z6Mk… ? record:r1                    what may she do with it?
//! did:key:z6Mk… read record:r1 with {"ward": "w3"} at 2027-01-01T00:00:00Z
//! ```

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use policy::{Circumstances, Context, ObjectRef, Position, Question, Subject, Time};

use crate::problems::Problem;

/// Longest line in bytes: three names at their bounds, a context and a time.
const LINE_BYTES_MAX: usize = 32 * 1024;

/// A question and its place.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub line: usize,
    /// Where its parts stand, for errors about them.
    pub subject: Position,
    pub permission: Position,
    pub object: Position,
    /// As typed.
    pub text: String,
    pub what: What,
    /// Replaces what is given to all questions.
    pub time: Option<Time>,
    /// Wins over what is given to all questions, name by name.
    pub context: Context,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Check(Question),
    Objects {
        subject: Subject,
        permission: String,
        resource: String,
    },
    Subjects {
        of: Of,
        permission: String,
        object: ObjectRef,
    },
    Permissions {
        subject: Subject,
        object: ObjectRef,
    },
}

/// Which subjects are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Actors,
    Objects(String),
    Usersets(String, String),
}

/// Reads one line; `None` where nothing is asked on it.
pub(crate) fn read_line(number: usize, line: &str) -> Option<Result<Asked, Problem>> {
    let text = line.trim();
    if text.is_empty() || text.starts_with("//") || text.starts_with('#') {
        return None;
    }
    Some(Line { number, line }.read())
}

/// A line that is being read. Pieces of it know their place by where they lie in it.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    line: &'a str,
}

impl<'a> Line<'a> {
    /// The place of a piece of the line.
    fn place(self, piece: &str) -> Position {
        let at = (piece.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize);
        let before = self.line.get(..at).unwrap_or_default();
        Position {
            line: self.number,
            column: before.chars().count() + 1,
        }
    }

    fn wrong<T>(self, piece: &str, message: impl ToString) -> Result<T, Problem> {
        Err(Problem::error(self.place(piece), message))
    }

    fn read(self) -> Result<Asked, Problem> {
        let text = self.line.trim();
        if text.len() > LINE_BYTES_MAX {
            return self.wrong(
                text,
                format!("a question has at most {LINE_BYTES_MAX} bytes"),
            );
        }
        let (first, rest) = word(text);
        // `OBJECT#PERMISSION@SUBJECT`: only this notation has a `#` before a `@`.
        let alone = first
            .split_once('#')
            .and_then(|(object, behind)| Some((object, behind.split_once('@')?)));
        let (subject, permission, object, rest) = match alone {
            Some((object, (permission, subject))) => (subject, permission, object, rest),
            None => {
                let (permission, rest) = word(rest);
                let (object, rest) = word(rest);
                if object.is_empty() {
                    return self.wrong(
                        text,
                        "a question is ACTOR PERMISSION OBJECT, such as `did:key:z6Mk… read record:r1`; `?` in one place asks for all that fit there",
                    );
                }
                (first, permission, object, rest)
            }
        };
        let what = self.what(subject, permission, object)?;
        let (context, time) = self.given(rest)?;
        Ok(Asked {
            line: self.number,
            subject: self.place(subject),
            permission: self.place(permission),
            object: self.place(object),
            text: text.to_string(),
            what,
            time,
            context,
        })
    }

    fn what(self, subject: &str, permission: &str, object: &str) -> Result<What, Problem> {
        let of = match subject {
            "?" => Some(Of::Actors),
            _ => subject.split_once(":?").and_then(|(resource, behind)| {
                let resource = resource.to_string();
                match behind.strip_prefix('#') {
                    Some(relation) => Some(Of::Usersets(resource, relation.into())),
                    None => behind.is_empty().then_some(Of::Objects(resource)),
                }
            }),
        };
        let resource = object.strip_suffix(":?");
        let asked = [of.is_some(), permission == "?", resource.is_some()];
        if asked.iter().filter(|asked| **asked).count() > 1 {
            return self.wrong(subject, "`?` stands in one place only; name the other two");
        }
        if let Some(of) = of {
            return Ok(What::Subjects {
                of,
                permission: permission.into(),
                object: self.object(object)?,
            });
        }
        let who = match subject.parse::<Subject>() {
            Ok(who) => who,
            Err(error) => return self.wrong(subject, error),
        };
        if let Some(resource) = resource {
            return Ok(What::Objects {
                subject: who,
                permission: permission.into(),
                resource: resource.into(),
            });
        }
        let object = self.object(object)?;
        Ok(match permission {
            "?" => What::Permissions {
                subject: who,
                object,
            },
            _ => What::Check(Question {
                object,
                permission: permission.into(),
                subject: who,
            }),
        })
    }

    fn object(self, text: &str) -> Result<ObjectRef, Problem> {
        text.parse()
            .or_else(|error| self.wrong(text, format!("{error}")))
    }

    /// Reads `with {…}` and `at TIME`, each at most once, in either order.
    fn given(self, mut rest: &'a str) -> Result<(Context, Option<Time>), Problem> {
        let (mut context, mut time) = (None, None);
        loop {
            let (said, behind) = word(rest);
            match said {
                "" => return Ok((context.unwrap_or_default(), time)),
                "with" if context.is_none() => match Context::from_json_prefix(behind) {
                    Ok((found, after)) => {
                        context = Some(found);
                        rest = after;
                    }
                    Err(error) => return self.wrong(behind, error),
                },
                "at" if time.is_none() => {
                    let (moment, after) = word(behind);
                    match moment.parse() {
                        Ok(moment) => time = Some(moment),
                        Err(error) => return self.wrong(moment, format!("{error}")),
                    }
                    rest = after;
                }
                _ => {
                    return self.wrong(
                        said,
                        "behind a question may stand `with {\"parameter\": value}` and `at 2027-01-01T00:00:00Z`",
                    )
                }
            }
        }
    }
}

impl Asked {
    /// The resource of the objects that it asks about.
    pub(crate) fn resource(&self) -> &str {
        match &self.what {
            What::Check(question) => question.object.resource(),
            What::Objects { resource, .. } => resource,
            What::Subjects { object, .. } | What::Permissions { object, .. } => object.resource(),
        }
    }

    /// Under what circumstances it is asked, where nothing else is said to all questions.
    pub(crate) fn circumstances(&self, general: &Circumstances) -> Result<Circumstances, String> {
        let fields = |context: &Context| -> Vec<(String, policy::Value)> {
            let fields = context.iter();
            fields
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect()
        };
        // The later one of two of a name stays.
        let mut all = fields(&general.context);
        all.extend(fields(&self.context));
        Ok(Circumstances {
            time: self.time.unwrap_or(general.time),
            context: Context::from_values(all).map_err(|error| error.to_string())?,
        })
    }
}

/// The first word, and what follows it without the space between.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_start())
}
