//! Everything that a transaction can ask for.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use identity::AccountAddress;
use wire::{
    audit::{MsgAnchor, MsgOpenLog},
    canonical::{self, CanonicalError},
    cosmos::bank::v1beta1::MsgSend,
    policy::{MsgCreatePolicy, MsgDefineCollection, MsgRegisterObject, MsgSetRelationships},
    Any, Name,
};

use crate::{audit, bank, policy};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Move coins.
    Send(bank::Send),
    /// Create a policy.
    CreatePolicy(policy::CreatePolicy),
    /// Define a collection.
    DefineCollection(policy::DefineCollection),
    /// Set and delete relationships.
    SetRelationships(policy::SetRelationships),
    /// Register an object.
    RegisterObject(policy::RegisterObject),
    /// Open an audit log.
    OpenLog(audit::OpenLog),
    /// Anchor an audit log.
    Anchor(audit::Anchor),
}

impl Message {
    /// Reads a message as a transaction carries it.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn from_any(any: &Any) -> Result<Self, MessageError> {
        fn read<M: wire::Message + Default>(any: &Any) -> Result<M, MessageError> {
            canonical::decode(&any.value, super::BYTES_MAX).map_err(MessageError::Encoding)
        }
        let url = any.type_url.as_str();
        Ok(match url {
            _ if url == MsgSend::type_url() => Self::Send(bank::Send::from_wire(&read(any)?)?),
            _ if url == MsgCreatePolicy::type_url() => {
                Self::CreatePolicy(policy::CreatePolicy::from_wire(&read(any)?)?)
            }
            _ if url == MsgDefineCollection::type_url() => {
                Self::DefineCollection(policy::DefineCollection::from_wire(&read(any)?)?)
            }
            _ if url == MsgSetRelationships::type_url() => {
                Self::SetRelationships(policy::SetRelationships::from_wire(&read(any)?)?)
            }
            _ if url == MsgRegisterObject::type_url() => {
                Self::RegisterObject(policy::RegisterObject::from_wire(&read(any)?)?)
            }
            _ if url == MsgOpenLog::type_url() => {
                Self::OpenLog(audit::OpenLog::from_wire(&read(any)?)?)
            }
            _ if url == MsgAnchor::type_url() => {
                Self::Anchor(audit::Anchor::from_wire(&read(any)?)?)
            }
            _ => {
                return Err(MessageError::UnknownType {
                    type_url: crate::quantities::excerpt(url),
                })
            }
        })
    }

    /// Writes a message as a transaction carries it.
    #[must_use]
    pub fn to_any(&self) -> Any {
        fn any<M: wire::Message + Name>(message: &M) -> Any {
            Any {
                type_url: M::type_url(),
                value: canonical::encode(message),
            }
        }
        match self {
            Self::Send(message) => any(&message.to_wire()),
            Self::CreatePolicy(message) => any(&message.to_wire()),
            Self::DefineCollection(message) => any(&message.to_wire()),
            Self::SetRelationships(message) => any(&message.to_wire()),
            Self::RegisterObject(message) => any(&message.to_wire()),
            Self::OpenLog(message) => any(&message.to_wire()),
            Self::Anchor(message) => any(&message.to_wire()),
        }
    }

    /// For whom it acts; must be the signer.
    #[must_use]
    pub const fn creator(&self) -> &AccountAddress {
        match self {
            Self::Send(message) => &message.from,
            Self::CreatePolicy(message) => &message.creator,
            Self::DefineCollection(message) => &message.creator,
            Self::SetRelationships(message) => &message.creator,
            Self::RegisterObject(message) => &message.creator,
            Self::OpenLog(message) => &message.creator,
            Self::Anchor(message) => &message.creator,
        }
    }

    /// The type URLs of all messages, for reflection and tests.
    #[must_use]
    pub fn type_urls() -> Vec<String> {
        [
            MsgSend::type_url(),
            MsgCreatePolicy::type_url(),
            MsgDefineCollection::type_url(),
            MsgSetRelationships::type_url(),
            MsgRegisterObject::type_url(),
            MsgOpenLog::type_url(),
            MsgAnchor::type_url(),
        ]
        .into()
    }
}

/// Why a message is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MessageError {
    /// A type that the chain does not know.
    #[error("the chain knows no message {type_url:?}")]
    UnknownType {
        /// Its type, cut to a printable length.
        type_url: String,
    },
    /// Not the canonical encoding.
    #[error("the message is not canonical protobuf")]
    Encoding(#[source] CanonicalError),
    /// A field that is wrong.
    #[error("field {field}: {reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl MessageError {
    /// Names a wrong field.
    pub fn field(field: &'static str, reason: &str) -> Self {
        Self::Field {
            field,
            reason: reason.to_string(),
        }
    }

    /// Names the field in which an error came up.
    pub fn at<E: core::fmt::Display>(field: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Field {
            field,
            reason: error.to_string(),
        }
    }
}
