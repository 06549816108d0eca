//! The relation engine: who may do what, answered alike by the hub in consensus, by a sidecar on
//! its replica and by an auditor over a bundle.
//!
//! `policy` owns the policy language, relationships and their canonical bytes. It reads
//! relationships through one trait, [`Relationships`], with three implementors: records in a tree
//! ([`TreeRelationships`]: the hub's block overlay, and evidence), the history of a replica
//! ([`History`]), and either of them with derived documents laid over it ([`WithDocuments`]).
//!
//! What it does *not* know: keys and signatures (an actor is an opaque DID), trees and proofs
//! (it names keys and values), transactions, blocks, time.
//!
//! Meaning, cost and bytes are written down in `docs/spec/policy.md`; they are consensus
//! (Invariant 1).
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod apply;
mod ask;
mod asked;
mod change;
mod check;
mod codec;
mod compile;
mod condition;
mod decide;
mod definition;
mod difference;
mod document;
pub mod draw;
mod embedded;
mod evidence;
mod expression;
mod fields;
mod format;
mod history;
pub mod keys;
mod lacking;
pub mod limits;
mod manage;
mod memo;
mod missing;
mod name;
pub mod openfga;
pub mod outline;
mod overlay;
mod pages;
mod places;
mod possible;
mod question;
mod reader;
mod records;
mod relationship;
mod relationships;
mod schema;
pub mod spicedb;
mod standing;
mod subjects;
mod suggest;
mod terms;
pub mod testing;
mod theorems;
mod time;
mod tree;
mod truth;
mod types;
mod warnings;
mod yaml;

pub use apply::{apply, apply_all, ApplyError, Write};
pub use ask::explain::{self, explain, Explanation, Why};
pub use ask::{
    check_many, expand, lookup_objects, lookup_subjects, permissions_of, reachable, Decided,
    Expanded, ExpandedMember, Expansion, Influence, Many, Objects, PermissionDecided, Permissions,
    Reached, Subjects, Wanted,
};
pub use change::{Change, CollectionRecord};
pub use check::{check, check_counted};
pub use condition::{
    Condition, Context, ContextError, Double, Evaluation, EvaluationError, EvaluationFailure,
    Outcome, ParameterError, ParameterType, ParameterTypeError, Value,
};
pub use difference::{difference, AccessChange, Difference};
pub use document::{DocumentFacts, WithDocuments};
pub use embedded::EmbeddedText;
pub use evidence::{fetch, gather, replay, Gathered, ReplayError};
pub use format::format_policy;
pub use history::{
    End, EndError, HashKey, History, HistoryError, Memory, Revision, SnapshotError, View,
};
pub use limits::{Limits, ENGINE_VERSION};
pub use manage::may_manage;
pub use name::{Actor, Name, NameError};
pub use overlay::{Overlay, OverlayError};
pub use question::{Answer, CheckError, Circumstances, Decision, Question};
pub use reader::{Entry, ReadError, RecordReader, Staged};
pub use records::{Members, ObjectRecord, Page, RelationRecord};
pub use relationship::{ObjectRef, Relationship, Subject};
pub use relationships::{
    ActorId, MemberRef, NodeId, ObjectId, Relationships, ResourceId, Reverse, SetRef, Status,
    SubjectRef, TermsId,
};
pub use schema::{Policy, PolicyError, Position, RelationshipError};
pub use subjects::{Holder, SubjectList};
pub use terms::{ConditionUse, Terms};
pub use theorems::{
    Authorization, Counterexample, Delegation, Failure, Formula, RelationshipList, Source,
    Statement, TheoremError, TheoremResult, Theorems, Verdict,
};
pub use time::{Time, TimeError};
pub use tree::TreeRelationships;
pub use types::ConditionId;
pub use warnings::Warning;
