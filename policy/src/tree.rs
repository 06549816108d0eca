//! Relationships read from a policy's tree: the hub's block overlay, and evidence.

use alloc::{collections::BTreeMap, rc::Rc, sync::Arc, vec::Vec};
use core::cell::RefCell;

use crate::{
    apply::{kind_of, load},
    codec::{subject_bytes, FIRST_OBJECT, FIRST_USERSET},
    evidence::Read,
    keys::SubjectKind,
    name::{Actor, Name},
    pages::List,
    reader::{ReadError, RecordReader},
    records::{Members, ObjectRecord},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{
        ActorId, MemberRef, NodeId, ObjectId, Relationships, SetRef, Status, SubjectRef, TermsId,
    },
    schema::Policy,
    subjects::{Holder, SubjectList},
    terms::Terms,
};

/// Reads relationships from the records of a tree, each record once: made for one request, or for
/// several under the same state. Not to be kept over a write.
///
/// The same terms have one handle, and a list that stands in a record is made into members once. So
/// memory is bounded by the bytes that were read, which are paid for, and reading a list again costs
/// what its steps do.
pub struct TreeRelationships<'a, R> {
    policy: &'a Policy,
    reader: R,
    cache: RefCell<Cache>,
}

#[derive(Default)]
struct Cache {
    objects: BTreeMap<ObjectRef, ObjectId>,
    records: Vec<Slot>,
    actors: BTreeMap<Actor, ActorId>,
    actor_names: Vec<Actor>,
    /// By handle, less one.
    terms: Vec<Arc<Terms>>,
    /// Handles of terms by their canonical bytes.
    terms_ids: BTreeMap<Vec<u8>, TermsId>,
    /// Lists of sets that stand in records. What is on pages is read anew each time, as its bytes
    /// are paid for each time.
    sets: BTreeMap<(ObjectId, NodeId), Rc<Sets>>,
}

/// The objects and usersets of a relation, in canonical order.
struct Sets {
    members: Vec<MemberRef>,
    /// The place of the first userset.
    usersets: usize,
}

struct Slot {
    object: Rc<ObjectRef>,
    record: Option<Result<Option<Rc<ObjectRecord>>, ReadError>>,
}

impl<'a, R: RecordReader> TreeRelationships<'a, R> {
    /// Reads through `reader` under `policy`, the definition that stands in the same tree.
    pub fn new(policy: &'a Policy, reader: R) -> Self {
        Self {
            policy,
            reader,
            cache: RefCell::default(),
        }
    }

    /// The record of `object`; `None` where it has none.
    ///
    /// # Errors
    /// [`ReadError`] as the reader says.
    pub fn record(&self, object: &ObjectRef) -> Result<Option<Rc<ObjectRecord>>, ReadError> {
        let id = self.intern(object);
        self.load(id)
    }

    /// All relationships of `object`, by relation, actors first; ownership is not among them.
    /// Unbounded: for lists that people ask for, not for consensus.
    ///
    /// # Errors
    /// [`ReadError`] as the reader says.
    pub fn list(&self, object: &ObjectRef) -> Result<Vec<Relationship>, ReadError> {
        let mut all = Vec::new();
        let Some(record) = self.record(object)? else {
            return Ok(all);
        };
        for (relation, members) in &record.relations {
            for kind in [SubjectKind::Direct, SubjectKind::Sets] {
                let mut push = |holders: Vec<Holder>| {
                    all.extend(holders.into_iter().map(|(subject, terms)| {
                        Relationship::new(object.clone(), relation.clone(), subject).on(terms)
                    }));
                };
                match members.members(kind) {
                    Members::Inline(subjects) => push(subjects.iter().collect()),
                    Members::Paged(_) => {
                        let list = List {
                            object,
                            relation: relation.as_str(),
                            kind,
                            reader: &self.reader,
                        };
                        list.for_each_page(|_, page| push(page.holders))?;
                    }
                }
            }
        }
        Ok(all)
    }

    /// Reads again, through the reader, what `read` needs, whether it is cached or not.
    pub(crate) fn touch(&self, read: Read) -> Result<(), ReadError> {
        let (object, relation, subject) = match read {
            Read::Owner(object) => (object, None, None),
            Read::Direct(object, relation, subject) => {
                (object, Some(relation), self.subject(subject))
            }
            Read::Usersets(object, relation) | Read::Targets(object, relation) => {
                (object, Some(relation), None)
            }
        };
        let Some(object) = self.object_of(object) else {
            return Ok(());
        };
        let record = load(&object, &self.reader)?;
        let Some(relation) = relation.map(|relation| self.policy.node_name(relation)) else {
            return Ok(());
        };
        let kind = subject.as_ref().map_or(SubjectKind::Sets, kind_of);
        let Some(Members::Paged(_)) = record
            .as_ref()
            .and_then(|record| record.relation(relation))
            .map(|relation| relation.members(kind))
        else {
            return Ok(());
        };
        let list = List {
            object: &object,
            relation,
            kind,
            reader: &self.reader,
        };
        match (subject, read) {
            (Some(subject), _) => list.find(&subject_bytes(&subject)).map(|_| ()),
            (None, Read::Targets(..)) => list.for_each_page_from(FIRST_OBJECT, |_, _| ()),
            (None, _) => list.for_each_page_from(FIRST_USERSET, |_, _| ()),
        }
    }

    /// What a handle stands for.
    fn subject(&self, subject: SubjectRef) -> Option<Subject> {
        Some(match subject {
            SubjectRef::Actor(actor) => {
                let cache = self.cache.borrow();
                Subject::Actor(cache.actor_names.get(actor.0 as usize)?.clone())
            }
            SubjectRef::Everyone => Subject::Everyone,
            SubjectRef::Every(resource) => {
                Subject::Every(Name::new(self.policy.resource_name(resource)).ok()?)
            }
            SubjectRef::Object(object) => Subject::Object((*self.object_of(object)?).clone()),
            SubjectRef::Userset(object, node) => Subject::Userset {
                object: (*self.object_of(object)?).clone(),
                relation: Name::new(self.policy.node_name(node)).ok()?,
            },
        })
    }

    /// Appends the usersets of a relation, or its objects too.
    fn members(
        &self,
        with_objects: bool,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let Some(record) = self.active(object)? else {
            return Ok(());
        };
        let name = self.policy.node_name(relation);
        let Some(found) = record.relation(name) else {
            return Ok(());
        };
        match &found.sets {
            Members::Inline(subjects) => {
                let sets = self.sets(object, relation, subjects);
                let from = if with_objects { 0 } else { sets.usersets };
                into.extend(sets.members.get(from..).unwrap_or_default());
            }
            Members::Paged(_) => {
                let Some(object) = self.object_of(object) else {
                    return Ok(());
                };
                let list = List {
                    object: &object,
                    relation: name,
                    kind: SubjectKind::Sets,
                    reader: &self.reader,
                };
                let from = if with_objects {
                    FIRST_OBJECT
                } else {
                    FIRST_USERSET
                };
                list.for_each_page_from(from, |_, page| {
                    let behind = |(subject, _): &&Holder| *subject_bytes(subject) >= *from;
                    let holders = page.holders.iter().filter(behind);
                    into.extend(holders.map(|holder| self.member_ref(holder)));
                })?;
            }
        }
        Ok(())
    }

    fn intern(&self, object: &ObjectRef) -> ObjectId {
        let mut cache = self.cache.borrow_mut();
        if let Some(id) = cache.objects.get(object) {
            return *id;
        }
        let id = ObjectId(cache.records.len() as u32);
        cache.objects.insert(object.clone(), id);
        cache.records.push(Slot {
            object: Rc::new(object.clone()),
            record: None,
        });
        id
    }

    /// The object that `id` stands for, if the handle is one of these relationships.
    pub fn object_of(&self, id: ObjectId) -> Option<Rc<ObjectRef>> {
        self.cache
            .borrow()
            .records
            .get(id.0 as usize)
            .map(|slot| slot.object.clone())
    }

    fn load(&self, id: ObjectId) -> Result<Option<Rc<ObjectRecord>>, ReadError> {
        if let Some(Some(known)) = self
            .cache
            .borrow()
            .records
            .get(id.0 as usize)
            .map(|slot| slot.record.clone())
        {
            return known;
        }
        let Some(object) = self.object_of(id) else {
            return Ok(None);
        };
        let read = load(&object, &self.reader).map(|record| record.map(Rc::new));
        if let Some(slot) = self.cache.borrow_mut().records.get_mut(id.0 as usize) {
            slot.record = Some(read.clone());
        }
        read
    }

    /// The record, unless it is archived: an archived object grants nothing.
    fn active(&self, id: ObjectId) -> Result<Option<Rc<ObjectRecord>>, ReadError> {
        Ok(self.load(id)?.filter(|record| !record.archived))
    }

    /// The handle of terms with these canonical bytes.
    fn terms_id(&self, bytes: &[u8]) -> TermsId {
        if bytes.is_empty() {
            return TermsId::NONE;
        }
        if let Some(id) = self.cache.borrow().terms_ids.get(bytes) {
            return *id;
        }
        // Read when the record or page was; they are canonical.
        let Ok(terms) = Terms::from_bytes(bytes) else {
            return TermsId::NONE;
        };
        let mut cache = self.cache.borrow_mut();
        cache.terms.push(Arc::new(terms));
        let id = TermsId(cache.terms.len() as u32);
        cache.terms_ids.insert(bytes.to_vec(), id);
        id
    }

    fn member_ref(&self, (subject, terms): &Holder) -> MemberRef {
        MemberRef {
            set: self.set_ref(subject),
            terms: self.terms_id(&terms.to_bytes()),
        }
    }

    /// The objects and usersets of a list that stands in a record.
    fn sets(&self, object: ObjectId, relation: NodeId, subjects: &SubjectList) -> Rc<Sets> {
        if let Some(known) = self.cache.borrow().sets.get(&(object, relation)) {
            return known.clone();
        }
        let mut sets = Sets {
            members: Vec::new(),
            usersets: 0,
        };
        for holder in subjects.iter() {
            match holder.0 {
                Subject::Actor(_) | Subject::Everyone | Subject::Every(_) => continue,
                Subject::Object(_) => sets.usersets += 1,
                Subject::Userset { .. } => {}
            }
            sets.members.push(self.member_ref(&holder));
        }
        let sets = Rc::new(sets);
        let mut cache = self.cache.borrow_mut();
        cache.sets.insert((object, relation), sets.clone());
        sets
    }

    fn set_ref(&self, subject: &Subject) -> SetRef {
        let named = |object: &ObjectRef| {
            self.policy
                .resource(object.resource())
                .map(|r| (self.intern(object), r))
        };
        let set = match subject {
            Subject::Actor(_) | Subject::Everyone | Subject::Every(_) => None,
            Subject::Object(object) => named(object).map(|(id, r)| SetRef::Object(id, r)),
            Subject::Userset { object, relation } => named(object).and_then(|(id, r)| {
                Some(SetRef::Userset(id, self.policy.node(r, relation.as_str())?))
            }),
        };
        set.unwrap_or(SetRef::Foreign)
    }
}

impl<R: RecordReader> Relationships for TreeRelationships<'_, R> {
    fn policy(&self) -> &Policy {
        self.policy
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        Some(self.intern(object))
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        let mut cache = self.cache.borrow_mut();
        if let Some(id) = cache.actors.get(actor) {
            return Some(*id);
        }
        let id = ActorId(cache.actor_names.len() as u32);
        cache.actors.insert(actor.clone(), id);
        cache.actor_names.push(actor.clone());
        Some(id)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        Ok(match self.load(object)? {
            None => Status::Unregistered,
            Some(record) if record.archived => Status::Archived,
            Some(_) => Status::Active,
        })
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        let Some(record) = self.active(object)? else {
            return Ok(false);
        };
        Ok(self.cache.borrow().actor_names.get(actor.0 as usize) == Some(&record.owner))
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        let Some(record) = self.active(object)? else {
            return Ok(None);
        };
        let name = self.policy.node_name(relation);
        let (Some(relation), Some(subject)) = (record.relation(name), self.subject(subject)) else {
            return Ok(None);
        };
        let kind = kind_of(&subject);
        let bytes = subject_bytes(&subject);
        let terms = match relation.members(kind) {
            Members::Inline(subjects) => {
                let terms = subjects.terms(&bytes);
                terms.map(|terms| self.terms_id(terms))
            }
            Members::Paged(_) => {
                let Some(object) = self.object_of(object) else {
                    return Ok(None);
                };
                let list = List {
                    object: &object,
                    relation: name,
                    kind,
                    reader: &self.reader,
                };
                let (_, page) = list.find(&bytes)?;
                let found = page.place(&subject).ok();
                let holder = found.and_then(|at| page.holders.get(at));
                holder.map(|(_, terms)| self.terms_id(&terms.to_bytes()))
            }
        };
        Ok(terms)
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.members(false, object, relation, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.members(true, object, relation, into)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        let at = terms.0.checked_sub(1)?;
        self.cache.borrow().terms.get(at as usize).cloned()
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        self.object_of(object).map(|object| (*object).clone())
    }
}
