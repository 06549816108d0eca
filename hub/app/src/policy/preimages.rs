//! Documents as the hub sees them: their records, without the preimages of their ids.
//!
//! A document's author and scope stand in the preimage of its id, which the hub does not keep. What
//! hangs on them is unknown here, never assumed away: under `-` a fact that is left out would allow.
//! docs/spec/policy.md §3 says which facts those are.

use std::sync::Arc;

use ::policy::{
    keys::object_key, ActorId, MemberRef, NodeId, ObjectId, ObjectRef, Policy, ReadError,
    RecordReader, Relationships, Status, SubjectRef, Terms, TermsId, TreeRelationships,
};
use hub_types::document::looks_derived;

/// A tree's relationships, where documents lack what their preimages say: the owner of one without
/// a record, and the scope. An archived document grants nothing, so nothing of it is missing.
pub struct WithoutPreimages<'t, 'p, R>(pub &'t TreeRelationships<'p, R>);

impl<R: RecordReader> WithoutPreimages<'_, '_, R> {
    /// The error that stands for what is missing about `object`, if it is a document.
    fn missing(&self, object: ObjectId) -> Option<(ReadError, std::rc::Rc<ObjectRef>)> {
        let object = self.0.object_of(object)?;
        looks_derived(object.id()).then(|| {
            let key = object_key(object.resource(), object.id());
            (ReadError::Unavailable { key }, object)
        })
    }

    /// Whether what is recorded in `relation` of `object` is all: the error that stands for its scope
    /// where that may stand there.
    fn scope_is_known(&self, object: ObjectId, relation: NodeId) -> Result<(), ReadError> {
        let Some((missing, document)) = self.missing(object) else {
            return Ok(());
        };
        let policy = self.0.policy();
        let relation = policy.node_name(relation);
        let may_hold_scope = policy.relation_allows_objects(document.resource(), relation);
        if may_hold_scope && self.0.status(object)? != Status::Archived {
            return Err(missing);
        }
        Ok(())
    }
}

impl<R: RecordReader> Relationships for WithoutPreimages<'_, '_, R> {
    fn policy(&self) -> &Policy {
        self.0.policy()
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.0.object(object)
    }

    fn actor(&self, actor: &::policy::Actor) -> Option<ActorId> {
        self.0.actor(actor)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        self.0.status(object)
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        match self.missing(object) {
            Some((missing, _)) if self.status(object)? == Status::Unregistered => Err(missing),
            _ => self.0.is_owner(object, actor),
        }
    }

    // A preimage names no actor but the owner, and no object but the scope. That stands without terms:
    // what is recorded on terms says less than may be so.
    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        let known = self.0.contains(object, relation, subject)?;
        if known != Some(TermsId::NONE) && matches!(subject, SubjectRef::Object(_)) {
            self.scope_is_known(object, relation)?;
        }
        Ok(known)
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.0.usersets(object, relation, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.0.targets(object, relation, into)?;
        self.scope_is_known(object, relation)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        self.0.terms(terms)
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        self.0.object_name(object)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ::policy::{
        apply_all, check, Actor, Change, CheckError, Circumstances, Decision, Limits, Question,
    };

    use super::*;

    /// A document's scope stands without terms: recorded on terms as well, it is still not known.
    #[test]
    fn a_scope_that_is_recorded_on_terms_is_unknown_all_the_same() {
        let text = "
conditions:
- name: on-duty
  parameters: {ward: string}
  expr: ward == \"a\"
resources:
- name: folder
- name: document
  relations:
  - name: parent
    types: [folder, 'folder with on-duty']
  - name: other
    types: ['folder with on-duty']
";
        let policy = Policy::parse(text).unwrap();
        let document = format!("document:bafyrei{}", "a".repeat(52));
        let object: ObjectRef = document.parse().unwrap();
        let set = |relation: &str| {
            let text = format!("{document}#{relation}@folder:1 with on-duty");
            Change::RelationshipSet(text.parse().unwrap())
        };
        let changes = [
            Change::Defined {
                definition: text.into(),
            },
            Change::ObjectRegistered {
                object: object.clone(),
                owner: Actor::new("did:user:a").unwrap(),
            },
            set("parent"),
            set("other"),
        ];
        let tree: BTreeMap<Vec<u8>, Vec<u8>> = apply_all(&changes, BTreeMap::new())
            .unwrap()
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let records = TreeRelationships::new(&policy, &tree);
        let relationships = WithoutPreimages(&records);
        let ask = |relation: &str| {
            let question = Question {
                object: object.clone(),
                permission: relation.into(),
                subject: "folder:1".parse().unwrap(),
            };
            let now = Circumstances::default();
            check(&relationships, &question, &now, Limits::CONSENSUS)
        };
        assert!(matches!(ask("parent"), Err(CheckError::Read(_))));
        assert_eq!(ask("other").unwrap().decision, Decision::Conditional);
    }
}
