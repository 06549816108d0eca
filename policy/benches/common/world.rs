//! Relationships under a policy, to be asked of the engine and of the oracle.

use std::hint::black_box;

use policy::{
    check, lookup_objects, lookup_subjects, outline::Outline, Circumstances, History, Limits,
    ObjectRef, Policy, Question, Relationship, Subject, View, Wanted,
};

use super::measure::{median, slow, Extent};
use crate::{
    oracle::{self, Answers, Says, When},
    outlined,
};

/// What one question took, in microseconds.
pub struct Taken {
    pub ours: f64,
    pub naive: f64,
    pub steps: u64,
}

pub struct World {
    pub history: History,
    pub circumstances: Circumstances,
    schema: oracle::Schema,
    facts: oracle::World,
}

/// Who has what, on objects of which resource.
pub struct Objects<'a> {
    pub subject: Subject,
    pub permission: &'a str,
    pub resource: &'a str,
}

impl World {
    pub fn new(outline: &Outline, relationships: &[Relationship]) -> Self {
        let circumstances = Circumstances::at("2026-11-20T00:00:00Z".parse().expect("a time"));
        let policy = Policy::parse(&outline.to_yaml()).expect("a policy");
        let mut schema = outlined::schema(outline);
        outlined::define_conditions(&mut schema, outline);
        Self {
            facts: outlined::world(&policy, relationships, &circumstances),
            history: History::of(policy, relationships).expect("there is room"),
            circumstances,
            schema,
        }
    }

    fn view(&self) -> View<'_> {
        self.history.at(0).expect("revision 0")
    }

    /// All that the oracle says of a subject: one of its tables answers for every object.
    fn oracle(&self, subject: &Subject, about: &ObjectRef) -> Answers {
        let about = (about.resource().into(), about.id().into());
        let who = outlined::who(subject);
        Answers::new(&self.schema, &self.facts, &When::default(), &who, &about)
    }

    /// Whether it is allowed.
    pub fn check(&self, extent: Extent, asked: &Question, expected: bool) -> Taken {
        let view = self.view();
        let ask = || {
            let limits = Limits::CONSENSUS;
            check(&view, black_box(asked), &self.circumstances, limits).expect("an answer")
        };
        let answer = ask();
        assert_eq!(answer.is_allow(), expected, "{asked}");
        let object = (asked.object.resource().into(), asked.object.id().into());
        let naive = slow(extent, || {
            let answers = self.oracle(&asked.subject, &asked.object);
            let says = answers.says(&object, &asked.permission);
            assert_eq!(says == Says::Allow, expected, "{asked}: the oracle");
        });
        Taken {
            ours: median(extent, || drop(black_box(ask()))),
            naive,
            steps: answer.steps,
        }
    }

    /// All objects on which it is allowed; so many.
    pub fn objects(&self, extent: Extent, asked: &Objects<'_>, expected: usize) -> Taken {
        let view = self.view();
        let Objects {
            subject,
            permission,
            resource,
        } = asked;
        let ask = || {
            lookup_objects(
                &view,
                black_box(subject),
                permission,
                resource,
                &self.circumstances,
                Limits::LOOKUP,
                None,
                usize::MAX,
            )
            .expect("a list")
        };
        let found = ask();
        assert_eq!(found.allowed.len(), expected, "{subject}");
        let nowhere = ObjectRef::new(resource, "nowhere").expect("an object");
        let naive = slow(extent, || {
            let answers = self.oracle(subject, &nowhere);
            let all = oracle::universe(&self.facts).into_iter();
            let of_resource = all.filter(|object| object.0 == *resource);
            let allowed = of_resource.filter(|o| answers.says(o, permission) == Says::Allow);
            assert_eq!(allowed.count(), expected, "{subject}: the oracle");
        });
        Taken {
            ours: median(extent, || drop(black_box(ask()))),
            naive,
            steps: found.steps,
        }
    }

    /// All objects of a resource that are subjects with the permission; so many. The oracle would
    /// have to be asked about each subject by itself.
    pub fn subjects(
        &self,
        extent: Extent,
        object: &ObjectRef,
        permission: &str,
        of: &str,
        expected: usize,
    ) -> Taken {
        let view = self.view();
        let ask = || {
            lookup_subjects(
                &view,
                black_box(object),
                permission,
                Wanted::Objects(of),
                &self.circumstances,
                Limits::LOOKUP,
                None,
                usize::MAX,
            )
            .expect("a list")
        };
        let found = ask();
        assert_eq!(found.allowed.len(), expected, "{object}#{permission}");
        let subjects: Vec<Subject> = oracle::universe(&self.facts)
            .into_iter()
            .filter(|subject| subject.0 == of)
            .map(|(of, id)| Subject::Object(ObjectRef::new(&of, &id).expect("an object")))
            .collect();
        let place = (object.resource().into(), object.id().into());
        // A table for each of them; a few are measured and stand for all.
        let few = subjects.iter().take(3);
        let each = few.map(|subject| {
            slow(extent, || {
                black_box(self.oracle(subject, object).says(&place, permission));
            })
        });
        let each: Vec<f64> = each.collect();
        let mean = each.iter().sum::<f64>() / each.len().max(1) as f64;
        Taken {
            ours: median(extent, || drop(black_box(ask()))),
            naive: mean * subjects.len() as f64,
            steps: found.steps,
        }
    }
}
