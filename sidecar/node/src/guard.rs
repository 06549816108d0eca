//! The one door for reads (Invariant 8).
//!
//! Document data and heads leave the sidecar only through functions that take a [`Permit`], and
//! only this module makes permits: what forgets to ask does not compile. Each permit says for
//! whom and on which reading of the hub it was given, for the answer and for the log.

use std::sync::Arc;

use audit::verdict::DocumentClaim;
use hub_types::PolicyId;
use identity::Did;
use policy::Context;
use policy::{CheckError, Time};

use crate::authority::{Authority, CouldNotTell, Reading};

/// The permission that reading a document takes.
pub const READ: &str = "read";
/// The permission that relaying headers takes, where the policy defines it; else [`READ`].
pub const RELAY: &str = "relay";
/// The permission that exporting a trail takes.
pub const AUDIT: &str = "audit";

/// What may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// That the document exists, its heads and headers.
    Headers,
    /// Its bodies and its state as well.
    Bodies,
}

/// Leave to read one document. Made by [`Guard`] only.
#[derive(Clone, Debug)]
pub struct Permit {
    document: crdt::Cid,
    sight: Sight,
    reading: Reading,
    context: Context,
}

impl Permit {
    /// The document.
    #[must_use]
    pub fn document(&self) -> &crdt::Cid {
        &self.document
    }

    /// What may be seen of it.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// The hub state that this rests on.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What the asker gave to conditions.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

/// Why there is no permit.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The actor has not the permission.
    Denied {
        /// Which.
        permission: &'static str,
        /// On which reading.
        reading: Box<Reading>,
        /// What the asker gave to conditions.
        context: Context,
        /// What conditions lack: given it, the permission may be there.
        missing: Vec<String>,
        /// From when on it may be otherwise by time; none where that takes a change of the policy.
        until: Option<Time>,
    },
    /// It cannot be told.
    CouldNotTell(CouldNotTell),
}

/// The guard.
pub struct Guard {
    authority: Arc<Authority>,
    /// Whom the sidecar acts for; its own log is open to it.
    operator: Did,
}

impl Guard {
    /// A guard over these replicas, for the sidecar of `operator`.
    #[must_use]
    pub fn new(authority: Arc<Authority>, operator: Did) -> Self {
        Self {
            authority,
            operator,
        }
    }

    /// Whether `actor` is the sidecar's operator, to whom its own log is open.
    #[must_use]
    pub fn is_operator(&self, actor: &Did) -> bool {
        self.operator == *actor
    }

    /// Leave for `actor` to see a document's headers or bodies, who gives `context` to conditions.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn permit(
        &self,
        policy: &PolicyId,
        document: &DocumentClaim,
        actor: &Did,
        sight: Sight,
        context: &Context,
    ) -> Result<Permit, Refusal> {
        let permit = |reading| Permit {
            document: document.id,
            sight,
            reading,
            context: context.clone(),
        };
        let ask = |permission| {
            self.authority
                .ask_document(policy, document, actor, permission, context)
        };
        if sight == Sight::Headers {
            match ask(RELAY) {
                Ok((answer, reading)) if answer.is_allow() => return Ok(permit(reading)),
                // Who may read bodies may see headers, whatever the policy says of relays.
                Ok(_) | Err(CouldNotTell::Check(CheckError::UnknownPermission { .. })) => {}
                Err(error) => return Err(Refusal::CouldNotTell(error)),
            }
        }
        match ask(READ) {
            Ok((answer, reading)) if answer.is_allow() => Ok(permit(reading)),
            Ok((answer, reading)) => Err(Refusal::Denied {
                permission: READ,
                reading: Box::new(reading),
                context: context.clone(),
                missing: answer.missing,
                until: answer.stands_until,
            }),
            Err(error) => Err(Refusal::CouldNotTell(error)),
        }
    }

    /// Leave for `actor` to export leaves and headers about a document: the operator's own log is
    /// open to him, everybody else needs the permission [`AUDIT`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn audit(
        &self,
        policy: &PolicyId,
        document: &DocumentClaim,
        actor: &Did,
    ) -> Result<Permit, Refusal> {
        let none = Context::default();
        let asked = self
            .authority
            .ask_document(policy, document, actor, AUDIT, &none);
        let answer = match asked {
            // A policy need not name the permission; who needs none is let in all the same.
            Err(CouldNotTell::Check(CheckError::UnknownPermission { .. }))
                if self.is_operator(actor) =>
            {
                let read = self.authority.answer(policy, |_, reading| reading.clone());
                read.map(|reading| (None, reading))
            }
            answer => answer.map(|(answer, reading)| (Some(answer), reading)),
        };
        match answer {
            Ok((answer, reading))
                if self.is_operator(actor)
                    || answer.as_ref().is_some_and(policy::Answer::is_allow) =>
            {
                Ok(Permit {
                    document: document.id,
                    sight: Sight::Headers,
                    reading,
                    context: none,
                })
            }
            Ok((answer, reading)) => Err(Refusal::Denied {
                permission: AUDIT,
                reading: Box::new(reading),
                context: none,
                until: answer.as_ref().and_then(|answer| answer.stands_until),
                missing: answer.map(|answer| answer.missing).unwrap_or_default(),
            }),
            Err(error) => Err(Refusal::CouldNotTell(error)),
        }
    }
}
