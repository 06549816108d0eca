//! What sidecars say to each other: five questions, their answers, and the bounds of both.
//!
//! The wire form is protobuf in one length-prefixed frame (`docs/spec/network.md`). Nothing here
//! is signed or hashed: every block, signature and attestation inside is verified on its own, so
//! unknown fields are skipped and a later version may add some.

use crate::limits::{
    FETCH_ATTESTATIONS_MAX, FETCH_COMMITS_MAX, FRAME_DOCUMENTS_MAX, FRAME_HEADS_MAX,
};

/// Bytes of a CID in binary form: version, codec, hash code, length and 32 bytes of digest.
const CID_BYTES: usize = 36;

/// The tips of one document.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DocumentHeads {
    /// The document's CID.
    #[prost(bytes = "vec", tag = "1")]
    pub document: Vec<u8>,
    /// CIDs of its tips, sorted.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub heads: Vec<Vec<u8>>,
}

/// One commit as it travels: header block, signature beside it, body block unless withheld.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CommitBlocks {
    /// Header block.
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    /// The author's signature over the header.
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
    /// Body block; absent when the asker may have headers only, or when it was erased.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub body: Option<Vec<u8>>,
}

/// Who asks: the first message of each side.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Hello {
    /// The DID whom this sidecar acts for; empty when it acts for itself.
    #[prost(string, tag = "1")]
    pub operator: String,
    /// Last second at which the delegation holds.
    #[prost(uint64, tag = "2")]
    pub not_after: u64,
    /// The operator's signature over the delegation; empty when it acts for itself.
    #[prost(bytes = "vec", tag = "3")]
    pub delegation: Vec<u8>,
    /// Size of the sender's feed, so that the receiver knows whether to ask.
    #[prost(message, optional, tag = "4")]
    pub feed: Option<Cursor>,
}

/// A place in a sidecar's feed of changes.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Cursor {
    /// Changes whenever what the asker may see may have changed; a cursor of another epoch starts
    /// over at 0.
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    /// Index of the next change.
    #[prost(uint64, tag = "2")]
    pub next: u64,
}

/// Asks for what changed since the cursor.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ChangesQuestion {
    /// Where the asker stopped last time.
    #[prost(message, optional, tag = "1")]
    pub cursor: Option<Cursor>,
}

/// Tips of changed documents and new attestations, as far as the asker may see them.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ChangesAnswer {
    /// Documents, each once.
    #[prost(message, repeated, tag = "1")]
    pub documents: Vec<DocumentHeads>,
    /// Attestations.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub attestations: Vec<Vec<u8>>,
    /// Where to go on.
    #[prost(message, optional, tag = "3")]
    pub cursor: Option<Cursor>,
    /// Whether there is more now.
    #[prost(bool, tag = "4")]
    pub more: bool,
}

/// Asks for the commits of one document between what the asker has and what it wants.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct FetchQuestion {
    /// The document.
    #[prost(bytes = "vec", tag = "1")]
    pub document: Vec<u8>,
    /// Commits that the asker lacks.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub want: Vec<Vec<u8>>,
    /// Commits that it has: its tips, and ancestors at doubling distances.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub have: Vec<Vec<u8>>,
}

/// Commits, parents before children, with the attestations known for them.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct FetchAnswer {
    /// The commits.
    #[prost(message, repeated, tag = "1")]
    pub commits: Vec<CommitBlocks>,
    /// Attestations for commits of this document.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub attestations: Vec<Vec<u8>>,
    /// Whether a further question would bring more.
    #[prost(bool, tag = "3")]
    pub more: bool,
}

/// Hands over commits without being asked, as a writer without a sidecar of his own does.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Push {
    /// The commits, parents before children.
    #[prost(message, repeated, tag = "1")]
    pub commits: Vec<CommitBlocks>,
    /// Attestations for them.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub attestations: Vec<Vec<u8>>,
}

/// What became of one pushed commit.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PushResult {
    /// The commit's CID; empty when the header could not be read.
    #[prost(bytes = "vec", tag = "1")]
    pub commit: Vec<u8>,
    /// `settled`, `provisional`, `late`, `defer`, `reject` or `known`.
    #[prost(string, tag = "2")]
    pub verdict: String,
    /// Why, as a sentence.
    #[prost(string, tag = "3")]
    pub reason: String,
}

/// What became of each pushed commit, in order.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PushAnswer {
    /// One result a commit.
    #[prost(message, repeated, tag = "1")]
    pub results: Vec<PushResult>,
}

/// New tips, told without being asked. Heads only: bodies are fetched by those who may.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Announcement {
    /// Documents whose tips changed.
    #[prost(message, repeated, tag = "1")]
    pub documents: Vec<DocumentHeads>,
    /// Attestations that are new.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub attestations: Vec<Vec<u8>>,
}

/// A question or announcement.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Request {
    /// The one that it is.
    #[prost(oneof = "Question", tags = "1, 2, 3, 4, 5")]
    pub question: Option<Question>,
}

/// The kinds of [`Request`].
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Question {
    /// Introduces the asker.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// Asks for changes.
    #[prost(message, tag = "2")]
    Changes(ChangesQuestion),
    /// Asks for commits.
    #[prost(message, tag = "3")]
    Fetch(FetchQuestion),
    /// Hands over commits.
    #[prost(message, tag = "4")]
    Push(Push),
    /// Tells of new heads.
    #[prost(message, tag = "5")]
    Announcement(Announcement),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Response {
    /// The one that it is.
    #[prost(oneof = "Answer", tags = "1, 2, 3, 4, 5, 15")]
    pub answer: Option<Answer>,
}

/// The kinds of [`Response`].
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Answer {
    /// Introduces the answerer.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// Changes.
    #[prost(message, tag = "2")]
    Changes(ChangesAnswer),
    /// Commits.
    #[prost(message, tag = "3")]
    Fetch(FetchAnswer),
    /// Results of a push.
    #[prost(message, tag = "4")]
    Push(PushAnswer),
    /// An announcement was heard.
    #[prost(message, tag = "5")]
    Heard(Heard),
    /// Not answered, and why.
    #[prost(string, tag = "15")]
    Refused(String),
}

/// The empty answer to an announcement.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Heard {}

/// A frame that breaks a bound of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is no protobuf of this protocol.
    #[error("the frame is no message of this protocol")]
    Malformed,
    /// It holds no known question or answer.
    #[error("the message is of no kind that this version knows")]
    UnknownKind,
    /// A list in it is longer than allowed.
    #[error("the message has {count} {what}, at most {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
    /// A field that is a CID has not the length of one.
    #[error("the message has a CID of {length} bytes, a CID of a commit has {CID_BYTES}")]
    Cid {
        /// Its length.
        length: usize,
    },
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), MessageError> {
    if count > most {
        return Err(MessageError::TooMany { what, count, most });
    }
    Ok(())
}

fn cid(bytes: &[u8]) -> Result<(), MessageError> {
    if bytes.len() != CID_BYTES {
        return Err(MessageError::Cid {
            length: bytes.len(),
        });
    }
    Ok(())
}

fn documents(documents: &[DocumentHeads]) -> Result<(), MessageError> {
    at_most("documents", documents.len(), FRAME_DOCUMENTS_MAX)?;
    for document in documents {
        cid(&document.document)?;
        at_most(
            "heads of one document",
            document.heads.len(),
            FRAME_HEADS_MAX,
        )?;
        document.heads.iter().try_for_each(|head| cid(head))?;
    }
    Ok(())
}

impl Request {
    /// Parses and bounds a request.
    ///
    /// # Errors
    /// [`MessageError`] naming the bound that it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Question, MessageError> {
        let request =
            <Self as prost::Message>::decode(bytes).map_err(|_| MessageError::Malformed)?;
        let question = request.question.ok_or(MessageError::UnknownKind)?;
        match &question {
            Question::Hello(_) | Question::Changes(_) => {}
            Question::Fetch(fetch) => {
                cid(&fetch.document)?;
                at_most("wanted commits", fetch.want.len(), FRAME_HEADS_MAX)?;
                at_most("known commits", fetch.have.len(), 2 * FRAME_HEADS_MAX)?;
                fetch
                    .want
                    .iter()
                    .chain(&fetch.have)
                    .try_for_each(|commit| cid(commit))?;
            }
            Question::Push(push) => {
                at_most("commits", push.commits.len(), FETCH_COMMITS_MAX)?;
                at_most(
                    "attestations",
                    push.attestations.len(),
                    FETCH_ATTESTATIONS_MAX,
                )?;
            }
            Question::Announcement(announcement) => {
                documents(&announcement.documents)?;
                at_most(
                    "attestations",
                    announcement.attestations.len(),
                    FETCH_ATTESTATIONS_MAX,
                )?;
            }
        }
        Ok(question)
    }
}

impl Response {
    /// Parses and bounds a response.
    ///
    /// # Errors
    /// [`MessageError`] naming the bound that it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Answer, MessageError> {
        let response =
            <Self as prost::Message>::decode(bytes).map_err(|_| MessageError::Malformed)?;
        let answer = response.answer.ok_or(MessageError::UnknownKind)?;
        match &answer {
            Answer::Hello(_) | Answer::Heard(_) => {}
            Answer::Changes(changes) => {
                documents(&changes.documents)?;
                at_most(
                    "attestations",
                    changes.attestations.len(),
                    FETCH_ATTESTATIONS_MAX,
                )?;
            }
            Answer::Fetch(fetch) => {
                at_most("commits", fetch.commits.len(), FETCH_COMMITS_MAX)?;
                at_most(
                    "attestations",
                    fetch.attestations.len(),
                    FETCH_ATTESTATIONS_MAX,
                )?;
            }
            Answer::Push(push) => at_most("results", push.results.len(), FETCH_COMMITS_MAX)?,
            Answer::Refused(why) => at_most("bytes of a refusal", why.len(), 1024)?,
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let question = Question::Announcement(Announcement {
            documents: vec![DocumentHeads {
                document: vec![1; 36],
                heads: vec![vec![2; 36]],
            }],
            attestations: vec![],
        });
        let bytes = Request {
            question: Some(question.clone()),
        }
        .encode_to_vec();
        assert_eq!(Request::parse(&bytes), Ok(question));
    }

    #[test]
    fn a_frame_that_breaks_a_bound_is_refused_by_the_name_of_the_bound() {
        let many = vec![vec![0; 36]; FRAME_HEADS_MAX + 1];
        let fetch = |want: Vec<Vec<u8>>| {
            let question = Question::Fetch(FetchQuestion {
                document: vec![0; 36],
                want,
                have: vec![],
            });
            Request::parse(
                &Request {
                    question: Some(question),
                }
                .encode_to_vec(),
            )
        };
        assert_eq!(
            fetch(many),
            Err(MessageError::TooMany {
                what: "wanted commits",
                count: 65,
                most: 64
            })
        );
        assert_eq!(
            fetch(vec![vec![0; 35]]),
            Err(MessageError::Cid { length: 35 })
        );
        assert_eq!(Request::parse(&[]), Err(MessageError::UnknownKind));
        assert_eq!(Request::parse(&[0xff; 40]), Err(MessageError::Malformed));
        assert_eq!(Response::parse(&[0x0a, 0xff]), Err(MessageError::Malformed));
    }
}
