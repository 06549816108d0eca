//! A model and the tuples that stand under it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::refusal::{Refusal, RefusalKind};
use crate::{
    condition::Context,
    history::History,
    limits::Limits,
    name::{excerpt, NameError},
    openfga::{
        error::{Class, Error},
        import::import,
        model::Model,
        tuple::{subject_to_native, Tuple},
    },
    overlay::Overlay,
    question::Circumstances,
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{NodeId, ResourceId, Reverse},
    schema::Policy,
    time::Time,
};

/// A model and the tuples that stand under it, to be asked.
#[derive(Clone, Debug)]
pub struct ModelWorld {
    policy: Policy,
    tuples: Vec<Relationship>,
    history: History,
}

/// Under what circumstances a question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Tuples that hold for this question only, in addition; of two that differ in their condition
    /// alone, this one.
    pub contextual: &'a [Tuple],
    /// Values of parameters.
    pub context: &'a Map<String, Value>,
    /// When. No model can see it, but a model that was made of a policy of ours.
    pub time: Time,
    /// Bounds.
    pub limits: Limits,
}

impl ModelWorld {
    /// A world without tuples.
    ///
    /// # Errors
    /// As [`import`]; and where the policy that it gives is refused, that as one error.
    pub fn new(model: &Model) -> Result<Self, Vec<Error>> {
        let outline = import(model, None)?;
        let policy = Policy::parse(&outline.to_yaml()).map_err(|wrong| {
            let message = wrong.message;
            alloc::vec![Error::new(None, Class::NotExpressible, message)]
        })?;
        Ok(Self {
            history: history(&policy, &[])?,
            tuples: Vec::new(),
            policy,
        })
    }

    /// The same with these tuples, admitted or not: one that the model does not admit grants nothing,
    /// as in a store whose model was changed.
    ///
    /// # Errors
    /// As [`Tuple::to_native`].
    pub fn with(mut self, tuples: &[Tuple]) -> Result<Self, Vec<Error>> {
        for tuple in tuples {
            self.tuples
                .push(relationship(tuple).map_err(|wrong| {
                    alloc::vec![Error::new(None, Class::NotExpressible, wrong)]
                })?);
        }
        self.history = history(&self.policy, &self.tuples)?;
        Ok(self)
    }

    /// The policy that the model is.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the model admits a tuple: its types and relation are defined, and the relation lists
    /// its user on its condition.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn admits(&self, tuple: &Tuple) -> Result<(), String> {
        let relationship = relationship(tuple)?;
        let admitted = self.policy.admits(&relationship);
        admitted.map_err(|wrong| wrong.to_string())
    }

    /// Asks a question of what is recorded and what the question adds.
    pub(super) fn asking<T>(
        &self,
        asking: &Asking<'_>,
        question: impl FnOnce(&dyn Reverse, &Circumstances) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let contextual = self.contextual(asking.contextual)?;
        let circumstances = asking.circumstances()?;
        let too_complex = |wrong: String| Refusal::new(RefusalKind::TooComplex, wrong);
        let view = self.history.at(0);
        let view = view.map_err(|wrong| too_complex(wrong.to_string()))?;
        if contextual.is_empty() {
            return question(&view, &circumstances);
        }
        let overlay = Overlay::new(&view, &contextual)
            .map_err(|wrong| Refusal::new(RefusalKind::ContextualTuple, wrong.to_string()))?;
        question(&overlay, &circumstances)
    }

    /// The tuples of a question, each admitted.
    fn contextual(&self, tuples: &[Tuple]) -> Result<Vec<Relationship>, Refusal> {
        let read = |tuple: &Tuple| {
            let relationship = relationship(tuple)?;
            match self.policy.admits(&relationship) {
                Ok(()) => Ok(relationship),
                Err(wrong) => Err(format!("{relationship}: {wrong}")),
            }
        };
        let refused = |wrong| Refusal::new(RefusalKind::ContextualTuple, wrong);
        let mut all = Vec::new();
        for tuple in tuples {
            all.push(read(tuple).map_err(refused)?);
        }
        // As in OpenFGA the very same tuple may be given again.
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// An object, of whatever type.
    pub(super) fn object(&self, object: &str) -> Result<ObjectRef, Refusal> {
        let read = object.parse();
        read.map_err(|wrong: NameError| Refusal::new(RefusalKind::UnknownType, wrong.to_string()))
    }

    /// A type that the model defines.
    pub(super) fn resource(&self, name: &str) -> Result<ResourceId, Refusal> {
        self.policy.resource(name).ok_or_else(|| {
            let name = excerpt(name);
            let message = format!("the model defines no type {name:?}");
            Refusal::new(RefusalKind::UnknownType, message)
        })
    }

    /// A relation that a type of the model defines.
    pub(super) fn node(&self, kind: &str, relation: &str) -> Result<NodeId, Refusal> {
        let resource = self.resource(kind)?;
        self.policy.node(resource, relation).ok_or_else(|| {
            let relation = excerpt(relation);
            let message = format!("type {kind:?} has no relation {relation:?}");
            Refusal::new(RefusalKind::UnknownRelation, message)
        })
    }

    /// A user that the model defines.
    pub(super) fn user(&self, user: &str) -> Result<Subject, Refusal> {
        let refused = |wrong: String| Refusal::new(RefusalKind::User, wrong);
        let subject = subject_to_native(user, None).map_err(|wrong| refused(wrong.message))?;
        let subject: Subject = subject
            .parse()
            .map_err(|wrong| refused(format!("{wrong}")))?;
        if self.policy.type_of(&subject).is_none() {
            let user = excerpt(user);
            let what = "is of a type or relation that the model does not define";
            return Err(refused(format!("the user {user:?} {what}")));
        }
        Ok(subject)
    }
}

impl Asking<'_> {
    fn circumstances(&self) -> Result<Circumstances, Refusal> {
        let json = Value::Object(self.context.clone()).to_string();
        let context = Context::from_json(&json)
            .map_err(|wrong| Refusal::new(RefusalKind::Condition, wrong.to_string()))?;
        Ok(Circumstances {
            time: self.time,
            context,
        })
    }
}

fn relationship(tuple: &Tuple) -> Result<Relationship, String> {
    let native = tuple.to_native(None).map_err(|wrong| wrong.message)?;
    native.parse().map_err(|wrong| format!("{native}: {wrong}"))
}

pub(super) fn history(policy: &Policy, tuples: &[Relationship]) -> Result<History, Vec<Error>> {
    History::of(policy.clone(), tuples)
        .map_err(|wrong| alloc::vec![Error::new(None, Class::Limit, wrong.to_string())])
}
