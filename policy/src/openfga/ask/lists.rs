//! Which objects, and which users.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    refusal::{Refusal, RefusalKind},
    world::{Asking, ModelWorld},
};
use crate::{
    openfga::store::UserFilter,
    relationship::{ObjectRef, Subject},
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
        let mut found = Vec::new();
        self.user(user)?;
        self.contextual(asking)?;
        let mut all: BTreeSet<String> = BTreeSet::new();
        for r in self.tuples.iter().chain(&self.contextual(asking)?) {
            all.insert(r.object.to_string());
            if let Subject::Object(o) | Subject::Userset { object: o, .. } = &r.subject {
                all.insert(o.to_string());
            }
        }
        all.insert(user.split('#').next().unwrap_or("").into());
        for object in all {
            if object.starts_with(&format!("{object_type}:"))
                && self.check(user, relation, &object, asking)?
            {
                found.push(object);
            }
        }
        Ok(found)
    }

    /// All users of the given kinds that have `relation` to `object`, sorted; `user:*` stands for
    /// everyone of a type who is not named.
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
        let object_ref: ObjectRef = object
            .parse()
            .map_err(|wrong| Refusal::new(RefusalKind::UnknownType, format!("{wrong}")))?;
        self.node(object_ref.resource(), relation)?;
        for filter in filters {
            match &filter.relation {
                None => drop(self.resource(&filter.user_type)?),
                Some(relation) => drop(self.node(&filter.user_type, relation)?),
            }
        }
        let contextual = self.contextual(asking)?;
        let mut all: BTreeSet<String> = BTreeSet::new();
        for r in self.tuples.iter().chain(&contextual) {
            all.insert(r.object.to_string());
            match &r.subject {
                Subject::Object(o) | Subject::Userset { object: o, .. } => {
                    all.insert(o.to_string());
                }
                other => {
                    all.insert(other.to_string());
                }
            }
        }
        all.insert(object.to_string());
        let mut found = BTreeSet::new();
        for filter in filters {
            for candidate in &all {
                if !candidate.starts_with(&format!("{}:", filter.user_type)) {
                    continue;
                }
                let user = match &filter.relation {
                    None => candidate.clone(),
                    Some(_) if candidate.ends_with(":*") => continue,
                    Some(relation) => format!("{candidate}#{relation}"),
                };
                if self.check(&user, relation, object, asking)? {
                    found.insert(user);
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}
