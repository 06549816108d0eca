//! Which module executes which message.

use hub_types::Message;
use wire::{Any, Name};

use super::context::Context;
use super::failure::Failure;
use crate::{audit, bank, policy};

/// Executes one message and gives its response.
///
/// # Errors
/// A refusal, or the node's failure.
pub fn execute(context: &mut Context<'_, '_>, message: &Message) -> Result<Any, Failure> {
    Ok(match message {
        Message::Send(send) => any(&bank::execute::send(context, send)?),
        Message::CreatePolicy(create) => any(&policy::execute::create(context, create)?),
        Message::DefineCollection(define) => {
            any(&policy::execute::define_collection(context, define)?)
        }
        Message::SetRelationships(set) => any(&policy::execute::set_relationships(context, set)?),
        Message::RegisterObject(register) => {
            any(&policy::execute::register_object(context, register)?)
        }
        Message::OpenLog(open) => any(&audit::execute::open_log(context, open)?),
        Message::Anchor(anchor) => any(&audit::execute::anchor(context, anchor)?),
    })
}

fn any<M: wire::Message + Name>(message: &M) -> Any {
    Any {
        type_url: M::type_url(),
        value: message.encode_to_vec(),
    }
}
