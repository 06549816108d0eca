//! What is answered beside `check` must be what `check` answers: lists of objects and of subjects, all
//! permissions at once, many questions at once. Over random worlds, and two readers of them.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    check, check_counted, check_many, lookup_objects, lookup_subjects, permissions_of, Answer,
    CheckError, Circumstances, Decided, Decision, Limits, Objects, Policy, Question, Relationships,
    Reverse, Subjects, Wanted,
};

use crate::{
    agreement::{Scene, GENEROUS},
    cast::{ask, circumstances, object, question, subject, when, Asked},
    naive::Naive,
    oracle::{universe, Object, Who, World},
    random::{rounds, seed, Random},
    told::Told,
};

fn decide(
    relationships: &(impl Relationships + ?Sized),
    (o, name): (&Object, &str),
    who: &Who,
    circumstances: &Circumstances,
) -> Result<Decided, CheckError> {
    let question = Question {
        object: object(o),
        permission: name.into(),
        subject: subject(who),
    };
    check(relationships, &question, circumstances, GENEROUS).map(Decided::from)
}

/// All pages of a lookup of objects as one.
fn all_objects<'a>(
    relationships: &'a impl Reverse,
    asked: &Asked,
    circumstances: &Circumstances,
    most: usize,
) -> Result<Objects<'a>, CheckError> {
    let (mut all, mut after) = (Objects::default(), None);
    loop {
        let page = lookup_objects(
            relationships,
            &subject(&asked.who),
            &asked.name,
            &asked.object.0,
            circumstances,
            GENEROUS,
            after.as_deref(),
            most,
        )?;
        assert!(page.allowed.len() + page.conditional.len() <= most);
        all.allowed.extend(page.allowed);
        all.conditional.extend(page.conditional);
        match page.next {
            None => return Ok(all),
            next => after = next,
        }
    }
}

fn objects_agree(
    relationships: &impl Reverse,
    world: &World,
    asked: &Asked,
    circumstances: &Circumstances,
    most: usize,
) {
    let found = all_objects(relationships, asked, circumstances, most);
    let mut objects = universe(world);
    objects.insert(asked.object.clone());
    if let Who::Object(own) | Who::Userset(own, _) = &asked.who {
        objects.insert(own.clone());
    }
    let mut expected = Objects::default();
    let mut failed = BTreeSet::new();
    for o in objects.iter().filter(|o| o.0 == asked.object.0) {
        let place = (o, asked.name.as_str());
        match decide(relationships, place, &asked.who, circumstances) {
            Err(error) => drop(failed.insert(error.to_string())),
            Ok(decided) => match decided.decision {
                Decision::Allow => expected.allowed.push(o.1.clone().into()),
                Decision::Deny => {}
                Decision::Conditional => {
                    expected
                        .conditional
                        .push((o.1.clone().into(), decided.missing));
                }
            },
        }
    }
    match found {
        Ok(found) => assert_eq!(found, expected, "objects"),
        Err(error) => assert!(failed.contains(&error.to_string()), "{error}: {failed:?}"),
    }
}

fn all_subjects(
    relationships: &impl Reverse,
    asked: &Asked,
    wanted: Wanted<'_>,
    circumstances: &Circumstances,
    most: usize,
) -> Result<Subjects, CheckError> {
    let mut all: Option<Subjects> = None;
    let mut after = None;
    loop {
        let page = lookup_subjects(
            relationships,
            &object(&asked.object),
            &asked.name,
            wanted,
            circumstances,
            GENEROUS,
            after.as_deref(),
            most,
        )?;
        assert!(page.allowed.len() + page.conditional.len() + page.excluded.len() <= most);
        after = page.next.clone();
        match &mut all {
            None => all = Some(page),
            Some(all) => {
                assert_eq!(all.everyone, page.everyone);
                all.allowed.extend(page.allowed);
                all.conditional.extend(page.conditional);
                all.excluded.extend(page.excluded);
                all.next = page.next;
            }
        }
        if after.is_none() {
            return Ok(all.unwrap());
        }
    }
}

/// Who is asked about, by the text that lists show.
fn everybody(
    scene: &Scene,
    world: &World,
    asked: &Asked,
    wanted: Wanted<'_>,
) -> BTreeMap<String, Who> {
    let mut objects = universe(world);
    objects.insert(asked.object.clone());
    let of = |resource: &str| -> Vec<Object> {
        let all = objects.iter().filter(|o| o.0 == resource);
        all.cloned().collect()
    };
    match wanted {
        Wanted::Actors => {
            let actors = scene.cast.actors.iter().cloned();
            let actors = actors.chain(["did:user:stranger".into()]);
            actors
                .map(|actor| (actor.clone(), Who::Actor(actor)))
                .collect()
        }
        Wanted::Objects(resource) => {
            let stranger = (resource.to_string(), "stranger".to_string());
            let all = of(resource).into_iter().chain([stranger]);
            all.map(|o| (o.1.clone(), Who::Object(o))).collect()
        }
        Wanted::Usersets(resource, relation) => {
            let stranger = (resource.to_string(), "stranger".to_string());
            let all = of(resource).into_iter().chain([stranger]);
            all.map(|o| (o.1.clone(), Who::Userset(o, relation.into())))
                .collect()
        }
    }
}

fn subjects_agree(
    relationships: &impl Reverse,
    scene: &Scene,
    world: &World,
    asked: &Asked,
    wanted: Wanted<'_>,
    circumstances: &Circumstances,
    most: usize,
) {
    let found = all_subjects(relationships, asked, wanted, circumstances, most);
    let mut failed = BTreeSet::new();
    let mut expected = BTreeMap::new();
    for (text, who) in everybody(scene, world, asked, wanted) {
        let place = (&asked.object, asked.name.as_str());
        match decide(relationships, place, &who, circumstances) {
            Err(error) => drop(failed.insert(error.to_string())),
            Ok(decided) => drop(expected.insert(text, decided)),
        }
    }
    let found = match found {
        Err(error) => {
            assert!(failed.contains(&error.to_string()), "{error}: {failed:?}");
            return;
        }
        Ok(found) => found,
    };
    let mut listed: BTreeMap<String, Decided> = BTreeMap::new();
    let decided = |decision, missing: &[String]| Decided {
        decision,
        missing: missing.to_vec(),
    };
    for text in &found.allowed {
        listed.insert(text.clone(), decided(Decision::Allow, &[]));
    }
    for (text, missing) in &found.conditional {
        listed.insert(text.clone(), decided(Decision::Conditional, missing));
    }
    for text in &found.excluded {
        assert_ne!(
            found.everyone.decision,
            Decision::Deny,
            "excluded from what"
        );
        listed.insert(text.clone(), decided(Decision::Deny, &[]));
    }
    let lists = found.allowed.len() + found.conditional.len() + found.excluded.len();
    assert_eq!(listed.len(), lists, "somebody stands in two lists");
    assert!(found.allowed.is_sorted() && found.conditional.is_sorted());
    assert!(found.excluded.is_sorted());
    for (text, expected) in &expected {
        let shown = listed.remove(text);
        let shown = shown.unwrap_or_else(|| found.everyone.clone());
        assert_eq!(shown, *expected, "{wanted:?} {text}");
    }
    if failed.is_empty() {
        assert_eq!(listed, BTreeMap::new(), "{wanted:?}: nobody knows them");
    }
}

fn permissions_agree(relationships: &impl Reverse, asked: &Asked, circumstances: &Circumstances) {
    let policy: &Policy = relationships.policy();
    let found = permissions_of(
        relationships,
        &subject(&asked.who),
        &object(&asked.object),
        circumstances,
        GENEROUS,
    )
    .unwrap();
    let resource = asked.object.0.as_str();
    let mut names: Vec<&str> = policy
        .permissions(resource)
        .chain(policy.relations(resource))
        .collect();
    names.sort_unstable();
    let shown: Vec<&str> = found.names.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(shown, names);
    for one in found.names {
        let place = (&asked.object, one.name.as_str());
        let alone = decide(relationships, place, &asked.who, circumstances);
        match (&one.decided, &alone) {
            // Which of several failed conditions is named hangs on the way.
            (Err(CheckError::Condition { .. }), Err(CheckError::Condition { .. })) => {}
            _ => assert_eq!(one.decided, alone, "{}", one.name),
        }
    }
}

fn many_agree(
    random: &mut Random,
    relationships: &impl Reverse,
    questions: &[Question],
    circumstances: &Circumstances,
) {
    let steps_max = match random.chance(50) {
        true => GENEROUS.steps_max,
        false => random.below(60) as u64,
    };
    let limits = Limits {
        steps_max,
        ..GENEROUS
    };
    let many = check_many(relationships, questions, circumstances, limits);
    assert_eq!(many.decided.len(), questions.len());
    let mut alone = 0;
    for (decided, question) in many.decided.into_iter().zip(questions) {
        let (steps, counted) = check_counted(relationships, question, circumstances, GENEROUS);
        alone += steps;
        let answer = check(relationships, question, circumstances, GENEROUS);
        let plain = |answer: &Answer| Answer {
            missing: vec![],
            ..answer.clone()
        };
        let walked = answer.as_ref().map(plain).map_err(Clone::clone);
        assert_eq!(walked, counted, "{question}");
        match (decided, answer.map(Decided::from)) {
            // Which of several failed conditions is named hangs on the way.
            (Err(CheckError::Condition { .. }), Err(CheckError::Condition { .. })) => {}
            (Err(CheckError::TooManySteps { limit }), _) if steps_max < GENEROUS.steps_max => {
                assert_eq!(limit, steps_max);
            }
            (decided, answer) => assert_eq!(decided, answer, "{question}"),
        }
    }
    assert!(many.steps <= alone.max(steps_max), "{} {alone}", many.steps);
}

pub fn one_world(random: &mut Random, scene: &Scene, relationships: &impl Reverse, world: &World) {
    let when = when(random);
    let circumstances = circumstances(&when);
    let mut questions = vec![];
    for _ in 0..4 {
        let asked = ask(random, &scene.schema, &scene.cast, world);
        let _told = Told(|| format!("{} {when:?}\n{}\n{world:#?}", question(&asked), scene.text));
        let most = [1, 2, 1_000][random.below(3)];
        objects_agree(relationships, world, &asked, &circumstances, most);
        let resources: Vec<&String> = scene.schema.resources.keys().collect();
        let resource = (*random.pick(&resources)).clone();
        let names = crate::generate::names(&scene.schema, &resource);
        let relation = random.pick(&names).clone();
        for wanted in [
            Wanted::Actors,
            Wanted::Objects(&resource),
            Wanted::Usersets(&resource, &relation),
        ] {
            let about = (&asked, wanted);
            subjects_agree(
                relationships,
                scene,
                world,
                about.0,
                about.1,
                &circumstances,
                most,
            );
        }
        permissions_agree(relationships, &asked, &circumstances);
        questions.push(question(&asked));
        questions.push(question(&Asked {
            who: asked.who.clone(),
            ..ask(random, &scene.schema, &scene.cast, world)
        }));
    }
    many_agree(random, relationships, &questions, &circumstances);
}

#[test]
fn lookups_list_what_check_allows() {
    let seed = seed();
    for round in 0..rounds(60) {
        let seed = seed.wrapping_add(round);
        let _told = Told(|| format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1"));
        let mut random = Random::new(seed);
        let Some(scene) = Scene::new(&mut random) else {
            continue;
        };
        let at = random.below(scene.past.len());
        let world = &scene.past[at].0;
        let view = scene.history.at(at as u64).unwrap();
        one_world(&mut random, &scene, &view, world);
        if scene.cast.actors.len() <= 4 {
            let naive = Naive::new(&scene.policy, world);
            one_world(&mut random, &scene, &naive, world);
        }
    }
}

/// Who can never be an allow is left out of a lookup, also where a check of it could not tell.
#[test]
fn what_can_never_be_allowed_is_left_out_even_where_a_check_is_an_error() {
    let policy = Policy::parse(
        "conditions: [{name: fails, parameters: {words: list<int>}, expr: 'words[0] == 1'}]\n\
         implicit_owner: false\n\
         resources:\n\
         - name: grp\n  relations:\n  - name: m\n    types: [actor, grp->m]\n\
         - name: doc\n  relations:\n  - name: a\n    types: [actor, grp->m]\n\
         \x20 - name: b\n    types: [actor with fails]\n\
         \x20 permissions:\n  - name: r\n    expr: a - b\n",
    )
    .unwrap();
    let facts = [
        "grp:1#m@grp:1#m",
        "doc:1#a@grp:1#m",
        "doc:1#b@did:u:x with fails {\"words\":[]}",
    ];
    let facts = facts.map(|fact| fact.parse::<policy::Relationship>().unwrap());
    let history = policy::History::of(policy, &facts).unwrap();
    let view = history.at(0).unwrap();
    let subject: policy::Subject = "did:u:x".parse().unwrap();
    let now = Circumstances::default();
    let question = Question {
        object: "doc:1".parse().unwrap(),
        permission: "r".into(),
        subject: subject.clone(),
    };
    let checked = check(&view, &question, &now, Limits::CONSENSUS);
    assert!(matches!(checked, Err(CheckError::Condition { .. })));
    let found = lookup_objects(&view, &subject, "r", "doc", &now, Limits::LOOKUP, None, 10);
    assert_eq!(found.unwrap().allowed, Vec::<String>::new());
    let found = lookup_subjects(
        &view,
        &question.object,
        "r",
        Wanted::Actors,
        &now,
        Limits::LOOKUP,
        None,
        10,
    );
    assert_eq!(found.unwrap().allowed, Vec::<String>::new());
}
