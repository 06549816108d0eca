//! Who has a permission on an object.

use hub_types::policy::convert::object_from_wire;
use policy::{lookup_subjects, Limits, ObjectRef, Reverse, Wanted};
use wire::policy as proto;
use wire::policy::subject_kind::Kind;

use super::{after, decided, items, most, parts, Ask, Asking};
use crate::asked::Opened;
use crate::failure::Unanswered;

pub(crate) struct LookupSubjects {
    object: ObjectRef,
    wire: proto::LookupSubjectsRequest,
}

/// How an entry of the list stands in it.
enum Listed {
    Allowed,
    Conditional(proto::ConditionalItem),
    Excluded,
}

impl TryFrom<proto::LookupSubjectsRequest> for Asking<LookupSubjects> {
    type Error = Unanswered;

    fn try_from(mut wire: proto::LookupSubjectsRequest) -> Result<Self, Unanswered> {
        let asked = wire.asked.take();
        let question = LookupSubjects {
            object: object_from_wire("object", wire.object.as_ref())?,
            wire,
        };
        Self::read(asked.as_ref(), question)
    }
}

impl Ask for LookupSubjects {
    type Answer = Vec<proto::LookupSubjectsResponse>;

    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let kind = self.wire.kind.as_ref().and_then(|kind| kind.kind.as_ref());
        let wanted = match kind {
            None | Some(Kind::Actors(_)) => Wanted::Actors,
            Some(Kind::Objects(resource)) => Wanted::Objects(resource),
            Some(Kind::Usersets(sets)) => Wanted::Usersets(&sets.resource, &sets.relation),
        };
        let found = lookup_subjects(
            relationships,
            &self.object,
            &self.wire.permission,
            wanted,
            &opened.circumstances,
            limits,
            after(&self.wire.after),
            most(self.wire.limit),
        )?;
        let allowed = found.allowed.into_iter().map(|id| (id, Listed::Allowed));
        let conditional =
            items(found.conditional).map(|item| (item.id.clone(), Listed::Conditional(item)));
        let excluded = found.excluded.into_iter().map(|id| (id, Listed::Excluded));
        let mut responses: Vec<proto::LookupSubjectsResponse> =
            parts(allowed.chain(conditional).chain(excluded).collect())
                .into_iter()
                .map(|part| {
                    let mut response = proto::LookupSubjectsResponse::default();
                    for (id, listed) in part {
                        match listed {
                            Listed::Allowed => response.allowed.push(id),
                            Listed::Conditional(item) => response.conditional.push(item),
                            Listed::Excluded => response.excluded.push(id),
                        }
                    }
                    response
                })
                .collect();
        if let Some(first) = responses.first_mut() {
            first.from = Some(opened.from);
            first.everyone = Some(decided(found.everyone.decision, found.everyone.missing));
        }
        if let Some(last) = responses.last_mut() {
            last.next = found.next.unwrap_or_default();
        }
        Ok(responses)
    }
}
