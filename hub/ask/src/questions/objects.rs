//! On which objects a subject has a permission.

use hub_types::policy::convert::subject_from_wire;
use policy::{lookup_objects, Limits, Reverse, Subject};
use wire::policy as proto;

use super::{after, items, most, parts, Ask, Asking};
use crate::asked::Opened;
use crate::failure::Unanswered;

pub(crate) struct LookupObjects {
    subject: Subject,
    wire: proto::LookupObjectsRequest,
}

impl TryFrom<proto::LookupObjectsRequest> for Asking<LookupObjects> {
    type Error = Unanswered;

    fn try_from(mut wire: proto::LookupObjectsRequest) -> Result<Self, Unanswered> {
        let asked = wire.asked.take();
        let question = LookupObjects {
            subject: subject_from_wire("subject", wire.subject.as_ref())?,
            wire,
        };
        Self::read(asked.as_ref(), question)
    }
}

impl Ask for LookupObjects {
    type Answer = Vec<proto::LookupObjectsResponse>;

    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let found = lookup_objects(
            relationships,
            &self.subject,
            &self.wire.permission,
            &self.wire.resource,
            &opened.circumstances,
            limits,
            after(&self.wire.after),
            most(self.wire.limit),
        )?;
        let registered_only = opened
            .view
            .collections()
            .any(|(resource, ..)| resource.as_str() == self.wire.resource);

        let allowed = found.allowed.into_iter().map(|id| (id.into_owned(), None));
        let conditional = items(found.conditional).map(|item| (item.id.clone(), Some(item)));
        let mut responses: Vec<proto::LookupObjectsResponse> =
            parts(allowed.chain(conditional).collect())
                .into_iter()
                .map(|part| {
                    let mut response = proto::LookupObjectsResponse::default();
                    for (id, item) in part {
                        match item {
                            None => response.allowed.push(id),
                            Some(item) => response.conditional.push(item),
                        }
                    }
                    response
                })
                .collect();
        if let Some(first) = responses.first_mut() {
            first.from = Some(opened.from);
            first.registered_only = registered_only;
        }
        if let Some(last) = responses.last_mut() {
            last.next = found.next.unwrap_or_default().into_owned();
        }
        Ok(responses)
    }
}
