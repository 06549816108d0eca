//! Every opened decision asked again, at its revision.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use crdt::{Cid, DocumentPreimage};
use policy::{check, Actor, Limits, ObjectRef, Question, ENGINE_VERSION};

use super::commits::Document;
use super::error::Wrong;
use super::judge::true_height;
use super::read::explain;
use crate::authority::PolicyAuthority;
use crate::content::{Decision, Outcome};
use crate::verdict::{Authority, DocumentClaim, CREATE};

/// What a replay gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// The same answer.
    Same,
    /// The operator said that it could not tell; nothing contradicts that.
    NotContradicted,
    /// The document's preimage is not in the bundle, so it cannot be asked again.
    WithoutPreimage,
}

/// Asks again what a decision leaf says was asked.
///
/// # Errors
/// [`Wrong::Decision`] when the answer differs, [`Wrong::Engine`] for another engine,
/// [`Wrong::Untrue`] for a height or revision that cannot be.
pub(crate) fn replay(
    decision: &Decision,
    anchor_height: u64,
    documents: &BTreeMap<Cid, Document>,
    authority: &PolicyAuthority<'_>,
) -> Result<Replayed, Wrong> {
    if decision.engine != u64::from(ENGINE_VERSION) {
        return Err(Wrong::Engine {
            found: decision.engine,
            known: u64::from(ENGINE_VERSION),
        });
    }
    // A question may be asked "exactly at" an earlier revision, never at a later one.
    let Some(newest) = authority
        .revision_after(decision.height)
        .filter(|newest| decision.revision <= *newest)
    else {
        return Err(Wrong::Untrue {
            said: format!(
                "that revision {} was in force after height {}",
                decision.revision, decision.height
            ),
            is: "a later one, or none at all".into(),
        });
    };
    true_height(decision.height, newest, anchor_height, authority)?;
    let claim = match &decision.preimage {
        Some(preimage) => {
            let preimage = DocumentPreimage::decode(&preimage.0)
                .map_err(|error| Wrong::Content(explain(&error)))?;
            Some(DocumentClaim::of(&preimage).map_err(|error| Wrong::Content(explain(&error)))?)
        }
        None => named(decision)
            .and_then(|document| documents.get(&document))
            .map(|document| document.claim.clone()),
    };
    if decision.outcome == Outcome::CouldNotTell {
        return Ok(Replayed::NotContradicted);
    }
    if claim.is_none() && named(decision).is_some() {
        return Ok(Replayed::WithoutPreimage);
    }
    let replayed = ask(decision, claim.as_ref(), authority);
    let logged = match decision.outcome {
        Outcome::Allow => "allow",
        Outcome::Deny | Outcome::CouldNotTell => "deny",
    };
    match replayed == logged {
        true => Ok(Replayed::Same),
        false => Err(Wrong::Decision {
            logged: logged.into(),
            replayed,
            revision: decision.revision,
        }),
    }
}

/// The document that the decision is about. What is named by a CID is one, whether or not the leaf
/// stands in a chain: asked as a plain object, without its owner and scope, it would be another
/// question.
fn named(decision: &Decision) -> Option<Cid> {
    decision.document.or_else(|| decision.object.parse().ok())
}

/// The answer of the engine: `allow`, `deny`, or why there is none.
fn ask(
    decision: &Decision,
    claim: Option<&DocumentClaim>,
    authority: &PolicyAuthority<'_>,
) -> String {
    let Ok(actor) = Actor::new(&decision.actor) else {
        return "no question at all: the actor is no DID".into();
    };
    let answer = match claim {
        Some(claim) => {
            let object = authority.object(claim);
            if object.is_none_or(|object| object.resource() != decision.resource) {
                return "about an object of another resource".into();
            }
            let creating = decision.permission == CREATE;
            authority.ask(
                decision.revision,
                claim,
                &actor,
                &decision.permission,
                creating,
            )
        }
        None => {
            let Ok(object) = ObjectRef::new(&decision.resource, &decision.object) else {
                return "no question at all: the object has no name".into();
            };
            let question = Question::new(object, &decision.permission, actor);
            authority
                .view(decision.revision)
                .map(|view| check(&view, &question, Limits::CONSENSUS))
        }
    };
    match answer {
        Some(Ok(answer)) if answer.is_allow() => "allow".into(),
        Some(Ok(_)) => "deny".into(),
        Some(Err(error)) => error.to_string(),
        // The collection did not exist at that revision, so nothing permitted anything.
        None => "deny".into(),
    }
}
