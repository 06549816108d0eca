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
mod asked;
mod change;
mod check;
mod codec;
mod compile;
mod definition;
mod document;
pub mod draw;
mod evidence;
mod expression;
mod history;
pub mod keys;
pub mod limits;
mod manage;
mod memo;
mod name;
pub mod outline;
mod pages;
mod question;
mod reader;
mod records;
mod relationship;
mod relationships;
mod schema;
mod subjects;
mod suggest;
mod tree;
mod truth;
mod warnings;
mod yaml;

pub use apply::{apply, apply_all, ApplyError, Write};
pub use change::{Change, CollectionRecord};
pub use check::{check, check_counted};
pub use document::{DocumentFacts, WithDocuments};
pub use evidence::{fetch, gather, replay, Gathered, ReplayError};
pub use history::{History, HistoryError, Revision, View};
pub use limits::{Limits, ENGINE_VERSION};
pub use manage::may_manage;
pub use name::{Actor, Name, NameError};
pub use question::{Answer, CheckError, Decision, Question};
pub use reader::{Entry, ReadError, RecordReader, Staged};
pub use records::{Members, ObjectRecord, Page, RelationRecord};
pub use relationship::{ObjectRef, Relationship, Subject};
pub use relationships::{ActorId, NodeId, ObjectId, Relationships, ResourceId, SetRef, Status};
pub use schema::{Policy, PolicyError, Position, RelationshipError};
pub use subjects::SubjectList;
pub use tree::TreeRelationships;
pub use warnings::Warning;
