//! On which objects a subject has a permission.

use hub_types::policy::convert::subject_from_wire;
use hub_types::PolicyId;
use policy::{lookup_objects, History, Limits, Subject};
use wire::policy as proto;

use super::{after, items, most, parts, Ask};
use crate::asked::{over, Asked};
use crate::failure::Unanswered;
use crate::source::Reading;

pub(crate) struct LookupObjects {
    asked: Asked,
    subject: Subject,
    wire: proto::LookupObjectsRequest,
}

impl TryFrom<proto::LookupObjectsRequest> for LookupObjects {
    type Error = Unanswered;

    fn try_from(wire: proto::LookupObjectsRequest) -> Result<Self, Unanswered> {
        Ok(Self {
            asked: Asked::from_wire(wire.asked.as_ref())?,
            subject: subject_from_wire("subject", wire.subject.as_ref())?,
            wire,
        })
    }
}

impl Ask for LookupObjects {
    type Answer = Vec<proto::LookupObjectsResponse>;

    fn policy(&self) -> &PolicyId {
        &self.asked.policy
    }

    fn ask(
        &self,
        history: &History,
        reading: &Reading,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let opened = self.asked.open(history, reading)?;
        let found = over!(self.asked, opened, |relationships| lookup_objects(
            relationships,
            &self.subject,
            &self.wire.permission,
            &self.wire.resource,
            &opened.circumstances,
            limits,
            after(&self.wire.after),
            most(self.wire.limit)
        ))?;
        let registered_only = opened
            .view
            .collections()
            .any(|(resource, ..)| resource.as_str() == self.wire.resource);

        let allowed = found.allowed.into_iter().map(|id| (id, None));
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
            last.next = found.next.unwrap_or_default();
        }
        Ok(responses)
    }
}
