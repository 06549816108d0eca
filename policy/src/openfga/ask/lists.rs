//! Which objects, and which users.
//!
//! Each that is found is checked once more, so that no list holds what a check could not tell: a
//! lookup may find by a short way what a check would have to go deep for.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    check::decide,
    refusal::Refusal,
    world::{Asking, ModelWorld},
};
use crate::{
    ask::{lookup_objects, lookup_subjects, Wanted},
    limits::Limits,
    openfga::store::UserFilter,
    question::Decision,
};

impl ModelWorld {
    /// All objects of `object_type` to which `user` has `relation`, sorted.
    ///
    /// # Errors
    /// As [`ModelWorld::check`]; also where a condition lacks context and an object's place in the
    /// list hangs on it: no list is given that may be too short.
    pub fn list_objects(
        &self,
        user: &str,
        relation: &str,
        object_type: &str,
        asking: &Asking<'_>,
    ) -> Result<Vec<String>, Refusal> {
        self.node(object_type, relation)?;
        let subject = self.user(user)?;
        self.asking(asking, |relationships, circumstances| {
            let found = lookup_objects(
                relationships,
                &subject,
                relation,
                object_type,
                circumstances,
                of_lookup(asking.limits),
                None,
                usize::MAX,
            )?;
            if let Some((_, missing)) = found.conditional.first() {
                return Err(Refusal::missing(missing));
            }
            let mut objects = Vec::new();
            for id in &found.allowed {
                let object = format!("{object_type}:{id}");
                let question = self.question(user, relation, &object)?;
                if decide(relationships, &question, circumstances, asking)? {
                    objects.push(object);
                }
            }
            Ok(objects)
        })
    }

    /// All users of the given kinds that have `relation` to `object`, sorted; `user:*` stands for
    /// those of a type whom no tuple names.
    ///
    /// # Errors
    /// As [`ModelWorld::list_objects`].
    pub fn list_users(
        &self,
        object: &str,
        relation: &str,
        filters: &[UserFilter],
        asking: &Asking<'_>,
    ) -> Result<Vec<String>, Refusal> {
        let object = self.object(object)?;
        self.node(object.resource(), relation)?;
        for filter in filters {
            self.resource(&filter.user_type)?;
            if let Some(relation) = &filter.relation {
                self.node(&filter.user_type, relation)?;
            }
        }
        self.asking(asking, |relationships, circumstances| {
            let mut users: BTreeSet<String> = BTreeSet::new();
            for filter in filters {
                let kind = filter.user_type.as_str();
                let wanted = match &filter.relation {
                    None => Wanted::Objects(kind),
                    Some(relation) => Wanted::Usersets(kind, relation),
                };
                let found = lookup_subjects(
                    relationships,
                    &object,
                    relation,
                    wanted,
                    circumstances,
                    of_lookup(asking.limits),
                    None,
                    usize::MAX,
                )?;
                let conditional = found.conditional.first().map(|(_, missing)| missing);
                let everyone = &found.everyone;
                let everyone_hangs = everyone.decision == Decision::Conditional;
                let lacking = conditional.or(everyone_hangs.then_some(&everyone.missing));
                if let Some(missing) = lacking {
                    return Err(Refusal::missing(missing));
                }
                users.extend(found.allowed.iter().map(|id| match &filter.relation {
                    None => format!("{kind}:{id}"),
                    Some(relation) => format!("{kind}:{id}#{relation}"),
                }));
                if everyone.decision == Decision::Allow {
                    users.insert(format!("{kind}:*"));
                }
            }
            let object = object.to_string();
            let mut all = Vec::new();
            for user in users {
                let question = self.question(&user, relation, &object)?;
                if decide(relationships, &question, circumstances, asking)? {
                    all.push(user);
                }
            }
            Ok(all)
        })
    }
}

/// What a list may take as a whole, as deep as a check.
fn of_lookup(limits: Limits) -> Limits {
    Limits {
        depth_max: limits.depth_max,
        ..Limits::LOOKUP
    }
}
