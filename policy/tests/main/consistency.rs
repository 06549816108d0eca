//! Several ways to one answer, over every file of the published suites: for every object, relation or
//! permission, and subject, `check`, both lookups, the expansion and the explanation must say what the oracle says.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    check, expand, explain, lookup_objects, lookup_subjects, outline::Outline, CheckError,
    Circumstances, Context, History, Limits, Policy, Question, Relationship, Reverse, Wanted,
};

use crate::{
    cast::{object, said, subject, Asked},
    expansions::Evaluation,
    explanations::{self, stands_up},
    openfga_cases::cases,
    oracle::{universe, Answers, Kind, Object, Says, Schema, When, Who, World},
    outlined,
    spicedb_answers::{worlds, NOW},
};

#[derive(Debug, Default)]
struct Totals {
    worlds: usize,
    subjects: usize,
    questions: usize,
    conditional: usize,
    failed: usize,
    explained: explanations::Counts,
}

/// An imported policy and relationships, under some circumstances.
struct Case<'a> {
    name: &'a str,
    schema: &'a Schema,
    world: World,
    when: When,
    relationships: &'a dyn Reverse,
    stored: &'a [Relationship],
    circumstances: &'a Circumstances,
}

/// Everything that can be asked for: a relation or permission of an object.
type Place = (Object, String);

impl Case<'_> {
    fn places(&self) -> Vec<Place> {
        let mut all = Vec::new();
        for o in universe(&self.world) {
            let resource = &self.schema.resources[&o.0];
            let names = resource.relations.keys().chain(resource.permissions.keys());
            all.extend(names.map(|name| (o.clone(), name.clone())));
        }
        all
    }

    /// All objects, one of each kind that is named nowhere, everyone of each kind, and all usersets of
    /// the kinds that some relation may hold.
    fn subjects(&self) -> BTreeSet<Who> {
        let objects = universe(&self.world);
        let mut all: BTreeSet<Who> = objects.iter().cloned().map(Who::Object).collect();
        for (name, resource) in &self.schema.resources {
            all.insert(Who::Object((name.clone(), "stranger".into())));
            let types = resource.relations.values().flat_map(|of| &of.types);
            for entry in types {
                match &entry.kind {
                    Kind::Every(resource) => {
                        all.insert(Who::Every(resource.clone()));
                    }
                    Kind::Userset(resource, relation) => {
                        let of = objects.iter().filter(|o| o.0 == *resource).cloned();
                        all.extend(of.map(|o| Who::Userset(o, relation.clone())));
                    }
                    _ => {}
                }
            }
        }
        all
    }

    fn run(&self, totals: &mut Totals) {
        let places = self.places();
        let mut matrix: BTreeMap<&Place, BTreeMap<Who, Says>> = BTreeMap::new();
        let trees: Vec<_> = places
            .iter()
            .map(|(o, name)| expand(self.relationships, &object(o), name).unwrap())
            .collect();
        let subjects = self.subjects();
        let mut any_failed = false;
        for who in &subjects {
            let Some(first) = places.first() else {
                return;
            };
            let answers = Answers::new(self.schema, &self.world, &self.when, who, &first.0);
            let mut objects: BTreeMap<(&str, &str), [Vec<String>; 2]> = BTreeMap::new();
            let mut failed = BTreeSet::new();
            for ((place, tree), (o, name)) in places.iter().zip(&trees).zip(&places) {
                let about = format!("{}: {}:{}#{name}@{who:?}", self.name, o.0, o.1);
                let question = Question {
                    object: object(o),
                    permission: name.clone(),
                    subject: subject(who),
                };
                totals.questions += 1;
                let value = answers.value(o, name);
                let evaluation = Evaluation {
                    policy: self.relationships.policy(),
                    tree,
                    asked: subject(who),
                    circumstances: self.circumstances.clone(),
                };
                assert_eq!(evaluation.run(), value, "{about}: expand");
                let (relationships, limits) = (self.relationships, Limits::CONSENSUS);
                let answer = check(relationships, &question, self.circumstances, limits);
                let explained = explain(relationships, &question, self.circumstances, limits);
                match &explained {
                    Err(error) => assert_eq!(Err(error), answer.as_ref(), "{about}: explain"),
                    Ok(explained) => {
                        assert_eq!(Ok(&explained.answer), answer.as_ref(), "{about}: explain");
                        let case = explanations::Case {
                            relationships: &relationships,
                            circumstances: self.circumstances,
                            schema: self.schema,
                            when: &self.when,
                            all: self.stored,
                            only: &|kept| {
                                let policy = relationships.policy();
                                outlined::world(policy, kept, self.circumstances)
                            },
                        };
                        let asked = Asked {
                            object: o.clone(),
                            name: name.clone(),
                            who: who.clone(),
                        };
                        stands_up(&case, explained, &asked, &mut totals.explained);
                    }
                }
                let says = answers.says(o, name);
                match answer {
                    Err(CheckError::Condition { .. }) => {
                        assert_eq!(value, 1, "{about}: a failed condition decides nothing");
                        failed.insert((o.0.as_str(), name.as_str()));
                        any_failed = true;
                        totals.failed += 1;
                        continue;
                    }
                    answer => {
                        assert_eq!(said(answer.unwrap().decision), says, "{about}: check")
                    }
                }
                let lists = objects.entry((o.0.as_str(), name.as_str())).or_default();
                match says {
                    Says::Allow => lists[0].push(o.1.clone()),
                    Says::Conditional => {
                        lists[1].push(o.1.clone());
                        totals.conditional += 1;
                    }
                    Says::Deny => {}
                }
                matrix.entry(place).or_default().insert(who.clone(), says);
            }
            for ((resource, name), expected) in objects {
                if failed.contains(&(resource, name)) {
                    continue;
                }
                let found = lookup_objects(
                    self.relationships,
                    &subject(who),
                    name,
                    resource,
                    self.circumstances,
                    Limits::LOOKUP,
                    None,
                    usize::MAX,
                );
                let found = found.unwrap();
                let conditional = found.conditional.into_iter().map(|(id, _)| id).collect();
                let mut found = [found.allowed, conditional];
                // A stranger is an object of the question alone.
                found
                    .iter_mut()
                    .for_each(|ids| ids.retain(|id| id != "stranger"));
                let about = format!("{}: objects {resource}#{name}@{who:?}", self.name);
                assert_eq!(found, expected, "{about}");
            }
        }
        totals.subjects += subjects.len();
        if any_failed {
            return;
        }
        for ((o, name), says) in matrix {
            self.who_has(o, name, &says);
        }
    }

    fn who_has(&self, o: &Object, name: &str, says: &BTreeMap<Who, Says>) {
        let mut kinds: BTreeMap<(String, Option<String>), Vec<_>> = BTreeMap::new();
        for (who, says) in says {
            let (kind, id) = match who {
                Who::Object((resource, id)) => ((resource.clone(), None), id),
                Who::Userset((resource, id), relation) => {
                    ((resource.clone(), Some(relation.clone())), id)
                }
                _ => continue,
            };
            kinds.entry(kind).or_default().push((id.clone(), *says));
        }
        for ((resource, relation), expected) in kinds {
            let wanted = match &relation {
                None => Wanted::Objects(&resource),
                Some(relation) => Wanted::Usersets(&resource, relation),
            };
            let found = lookup_subjects(
                self.relationships,
                &object(o),
                name,
                wanted,
                self.circumstances,
                Limits::LOOKUP,
                None,
                usize::MAX,
            );
            let found = found.unwrap();
            let mut listed: BTreeMap<&str, Says> = BTreeMap::new();
            listed.extend(found.allowed.iter().map(|id| (id.as_str(), Says::Allow)));
            let conditional = found.conditional.iter();
            listed.extend(conditional.map(|(id, _)| (id.as_str(), Says::Conditional)));
            listed.extend(found.excluded.iter().map(|id| (id.as_str(), Says::Deny)));
            let everyone = said(found.everyone.decision);
            let about = format!("{}: subjects {}:{}#{name} {wanted:?}", self.name, o.0, o.1);
            for (id, says) in expected {
                let shown = listed.remove(id.as_str()).unwrap_or(everyone);
                assert_eq!(shown, says, "{about} {id}");
            }
            assert!(listed.is_empty(), "{about}: nobody knows {listed:?}");
            if let (None, Some(says)) = (&relation, says.get(&Who::Every(resource.clone()))) {
                assert_eq!(everyone, *says, "{about}");
            }
        }
    }
}

fn all_agree(
    name: &str,
    outline: &Outline,
    relationships: &[Relationship],
    contexts: &BTreeSet<String>,
    totals: &mut Totals,
) {
    let mut schema = outlined::schema(outline);
    outlined::define_conditions(&mut schema, outline);
    let policy = Policy::parse(&outline.to_yaml()).unwrap();
    let history = History::of(policy.clone(), relationships).unwrap();
    let view = history.at(0).unwrap();
    for context in contexts {
        let circumstances = Circumstances {
            time: NOW.parse().unwrap(),
            context: Context::from_json(context).unwrap(),
        };
        let case = Case {
            name,
            schema: &schema,
            world: outlined::world(&policy, relationships, &circumstances),
            when: outlined::when(&circumstances),
            relationships: &view,
            stored: relationships,
            circumstances: &circumstances,
        };
        case.run(totals);
        totals.worlds += 1;
    }
}

fn contexts(given: impl Iterator<Item = String>) -> BTreeSet<String> {
    given.chain(["{}".into()]).collect()
}

#[test]
fn all_ways_agree_over_spicedb() {
    let mut totals = Totals::default();
    let worlds = worlds("spicedb/testconfigs");
    for world in &worlds {
        let given = world.file.assertions.iter();
        let given = given.filter_map(|assertion| assertion.context.clone());
        let contexts = contexts(given);
        all_agree(
            &world.name,
            &world.outline,
            &world.relationships,
            &contexts,
            &mut totals,
        );
    }
    println!(
        "spicedb/testconfigs, {} files: {totals:?} agree",
        worlds.len()
    );
}

#[test]
fn all_ways_agree_over_openfga() {
    for file in ["consolidated_1_1_tests", "abac_tests"] {
        let mut totals = Totals::default();
        for case in cases(file) {
            let mut stored: Vec<Relationship> = Vec::new();
            for stage in &case.stages {
                let model = policy::openfga::parse_dsl(&stage.model).unwrap();
                let outline = policy::openfga::import(&model, None).unwrap();
                let native = stage
                    .tuples
                    .iter()
                    .map(|tuple| tuple.to_native(None).unwrap());
                stored.extend(native.map(|text| text.parse::<Relationship>().unwrap()));
                let policy = Policy::parse(&outline.to_yaml()).unwrap();
                let mut admitted = stored.clone();
                // The oracle knows nothing of what a model does not define any more.
                admitted.retain(|relationship| policy.admits(relationship).is_ok());
                let given = stage
                    .checks
                    .iter()
                    .map(|asked| serde_json::Value::Object(asked.context.clone()).to_string());
                let contexts = contexts(given);
                all_agree(&case.name, &outline, &admitted, &contexts, &mut totals);
            }
        }
        println!("openfga {file}: {totals:?} agree");
    }
}
