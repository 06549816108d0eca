//! Every opened decision asked again, at its revision.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use crdt::{Cid, DocumentPreimage};
use hub_types::policy::knows_engine;
use policy::Context;
use policy::{
    check, Actor, Answer, CheckError, Circumstances, Limits, ObjectRef, Question, Time,
    ENGINE_VERSION,
};

use super::commits::Document;
use super::error::Wrong;
use super::judge::true_height;
use super::read::explain;
use crate::authority::PolicyAuthority;
use crate::content::{Decision, Outcome};
use crate::times::MadeAt;
use crate::verdict::{Authority, DocumentClaim, Permission, CREATE};

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
    if !u32::try_from(decision.engine).is_ok_and(knows_engine) {
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
    let asked = asked_at(decision, authority)?;
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
    let logged = match decision.outcome {
        Outcome::Allow => "allow",
        Outcome::Deny | Outcome::CouldNotTell => "deny",
    };
    let replayed = match ask(decision, claim.as_ref(), asked.time, authority) {
        Asked::NoQuestion(why) => why.into(),
        // The collection did not exist at that revision, so nothing permitted anything.
        Asked::Answered(None) => "deny".into(),
        Asked::Answered(Some(Err(error))) => error.to_string(),
        Asked::Answered(Some(Ok(answer))) => {
            if !asked.covers(&answer) {
                return Err(Wrong::Untrue {
                    said: "no time that it was asked at".into(),
                    is: "a question whose answer hangs on the time".into(),
                });
            }
            match answer.is_allow() {
                true => "allow".to_string(),
                // Also what hangs on context that nobody gave: nothing was permitted.
                false => "deny".to_string(),
            }
        }
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

/// When a decision was asked.
struct AskedAt {
    time: Time,
    /// For a leaf that states no time: it was asked somewhere from `time` to before this one.
    before: Option<Time>,
    stated: bool,
}

impl AskedAt {
    /// Whether an answer at `time` is that of the moment at which it was asked.
    fn covers(&self, answer: &Answer) -> bool {
        let until = answer.stands_until;
        self.stated || until.is_none_or(|until| self.before.is_some_and(|before| before <= until))
    }
}

/// The time that a decision was asked at. It must be one that the block after its height can have:
/// that block's header proved the state which the decision rests on. So it is not before the
/// revision's block, and not after the anchor's.
fn asked_at(decision: &Decision, authority: &PolicyAuthority<'_>) -> Result<AskedAt, Wrong> {
    let proving = decision.height.saturating_add(1);
    let made = authority.made_at(proving);
    let stated = decision.asked_at.and_then(crate::content::AskedAt::time);
    let stated = stated.map(hub_types::Timestamp::to_policy);
    let (possible, from, before) = match (made, stated) {
        (MadeAt::Exactly(time), stated) => (stated.is_none_or(|stated| stated == time), time, None),
        (MadeAt::Within(from, before), stated) => (
            stated
                .is_none_or(|stated| stated > from && before.is_none_or(|before| stated < before)),
            from,
            before,
        ),
    };
    if !possible {
        return Err(Wrong::Untrue {
            said: match stated {
                Some(stated) => {
                    format!("that it was asked at {stated}, the time of block {proving}")
                }
                None => String::new(),
            },
            is: match before {
                None => format!("made at {from} or later"),
                Some(before) => format!("made after {from} and before {before}"),
            },
        });
    }
    Ok(AskedAt {
        time: stated.unwrap_or(made.earliest()),
        before,
        stated: stated.is_some() || matches!(made, MadeAt::Exactly(_)),
    })
}

/// The document that the decision is about. What is named by a CID is one, whether or not the leaf
/// stands in a chain: asked as a plain object, without its owner and scope, it would be another
/// question.
fn named(decision: &Decision) -> Option<Cid> {
    decision.document.or_else(|| decision.object.parse().ok())
}

/// What came of asking again.
enum Asked {
    /// The answer of the engine; none where the document's collection did not exist.
    Answered(Option<Result<Answer, CheckError>>),
    /// It is no question that the engine could have been asked.
    NoQuestion(&'static str),
}

fn ask(
    decision: &Decision,
    claim: Option<&DocumentClaim>,
    time: Time,
    authority: &PolicyAuthority<'_>,
) -> Asked {
    let Ok(actor) = Actor::new(&decision.actor) else {
        return Asked::NoQuestion("no question at all: the actor is no DID");
    };
    let context = decision.context.as_deref().map(Context::from_json);
    let Ok(context) = context.transpose() else {
        return Asked::NoQuestion("no question at all: the context is no JSON object");
    };
    let circumstances = Circumstances {
        time,
        context: context.unwrap_or_default(),
    };
    let Some(document) = claim else {
        let Ok(object) = ObjectRef::new(&decision.resource, &decision.object) else {
            return Asked::NoQuestion("no question at all: the object has no name");
        };
        let question = Question::new(object, &decision.permission, actor);
        let view = authority.view(decision.revision);
        return Asked::Answered(
            view.map(|view| check(&view, &question, &circumstances, Limits::CONSENSUS)),
        );
    };
    let object = authority.object(document);
    if object.is_none_or(|object| object.resource() != decision.resource) {
        return Asked::NoQuestion("about an object of another resource");
    }
    let question = Permission {
        document,
        actor: &actor,
        permission: &decision.permission,
        creating: decision.permission == CREATE,
    };
    Asked::Answered(authority.ask(decision.revision, &question, &circumstances))
}
