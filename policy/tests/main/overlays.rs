//! Contextual relationships are as good as recorded ones: over random worlds part of what is recorded
//! is given with the question instead, and nothing may differ, not even the steps.

use policy::{
    check, Answer, CheckError, CheckError::Condition, Overlay, OverlayError, Policy, Relationship,
    Relationships, TreeRelationships, WithDocuments,
};

use crate::{
    agreement::{history_of, tree_of, Scene, GENEROUS},
    cast::{
        ask, circumstances, documents, facts, question, relationship, relationships, said, when,
    },
    lookups::one_world,
    naive::Naive,
    oracle::{Answers, Facts, Terms, When, World},
    random::{rounds, seed, Random},
    told::Told,
};

/// Takes part of the facts away from a world and gives them as contextual ones; leaves some behind on
/// other terms.
pub fn part(random: &mut Random, policy: &Policy, world: &World) -> World {
    let mut parted = World {
        facts: Facts::new(),
        ..world.clone()
    };
    let mut left = 90;
    for (place, members) in &world.facts {
        for (who, terms) in members {
            let fits = policy.admits(&relationship(&place.0, &place.1, who, terms));
            let moved = fits.is_ok() && left > 0 && random.chance(50);
            let put = |facts: &mut Facts, terms: &Terms| {
                let here = facts.entry(place.clone()).or_default();
                here.insert(who.clone(), terms.clone());
            };
            if !moved {
                put(&mut parted.facts, terms);
                continue;
            }
            left -= 1;
            put(&mut parted.contextual, terms);
            if random.chance(30) {
                let other = Terms {
                    expires: Some(random.below(100) as i64),
                    condition: None,
                };
                put(&mut parted.facts, &other);
            }
        }
    }
    parted
}

fn asks(
    below: &impl Relationships,
    contextual: &[Relationship],
    world: &World,
    question: &policy::Question,
    when: &When,
) -> Result<Answer, CheckError> {
    let overlay = Overlay::new(below, contextual).unwrap();
    let relationships = WithDocuments::new(&overlay, &facts(world));
    check(&relationships, question, &circumstances(when), GENEROUS)
}

fn one_scene(random: &mut Random, scene: &Scene) {
    let at = random.below(scene.past.len());
    let (world, tree) = &scene.past[at];
    let mut world = world.clone();
    let mut parted = part(random, &scene.policy, &world);
    let below = tree_of(&scene.text, &parted);
    let history = history_of(&scene.text, &parted);
    let view = history.at(0).unwrap();

    let mut contextual = relationships(&parted.contextual);
    // In any order.
    for at in (1..contextual.len()).rev() {
        contextual.swap(at, random.below(at + 1));
    }
    for _ in 0..8 {
        documents(random, &scene.schema, &scene.cast, &mut world);
        parted.documents.clone_from(&world.documents);
        let (asked, when) = (
            ask(random, &scene.schema, &scene.cast, &world),
            when(random),
        );
        let question = question(&asked);
        let _told = Told(|| format!("{question} {when:?}\n{}\n{parted:#?}", scene.text));
        let whole = TreeRelationships::new(&scene.policy, tree);
        let expected = asks(&whole, &[], &world, &question, &when);
        let over_tree = TreeRelationships::new(&scene.policy, &below);
        let over_tree = asks(&over_tree, &contextual, &world, &question, &when);
        assert_eq!(over_tree, expected, "over records");
        let over_view = asks(&view, &contextual, &world, &question, &when);
        assert_eq!(over_view, expected, "over history");
        if scene.cast.actors.len() <= 4 {
            let naive = Naive::new(&scene.policy, &parted);
            let over_naive = asks(&naive, &contextual, &world, &question, &when);
            assert_eq!(over_naive, expected, "over a naive reader");
        }
    }

    // Also on objects that are not registered, and for actors that nobody has heard of.
    for _ in 0..random.below(4) {
        let object = (scene.cast.object(random).0, "unheard-of".to_string());
        let relations: Vec<_> = scene.schema.resources[&object.0].relations.iter().collect();
        let (relation, about) = *random.pick(&relations);
        let (who, terms) = scene.cast.member(random, &scene.schema, &about.types);
        let one = relationship(&object, relation, &who, &terms);
        let here = (object, relation.clone());
        let room = relationships(&parted.contextual).len() < 95;
        if room && scene.policy.admits(&one).is_ok() {
            let members = parted.contextual.entry(here).or_default();
            members.insert(who, terms);
        }
    }
    let contextual = relationships(&parted.contextual);
    for _ in 0..4 {
        let (asked, when) = (
            ask(random, &scene.schema, &scene.cast, &parted),
            when(random),
        );
        let question = question(&asked);
        let _told = Told(|| format!("{question} {when:?}\n{}\n{parted:#?}", scene.text));
        let answers = Answers::new(&scene.schema, &parted, &when, &asked.who, &asked.object);
        match asks(&view, &contextual, &parted, &question, &when) {
            Err(Condition { .. }) => {}
            Err(other) => panic!("{other}"),
            Ok(answer) => {
                let expected = answers.says(&asked.object, &asked.name);
                assert_eq!(said(answer.decision), expected, "the oracle");
            }
        }
    }
    parted.documents.clear();
    let overlay = Overlay::new(&view, &contextual).unwrap();
    one_world(random, scene, &overlay, &parted);
    if scene.cast.actors.len() <= 4 {
        let naive = Naive::new(&scene.policy, &parted);
        let overlay = Overlay::new(&naive, &contextual).unwrap();
        one_world(random, scene, &overlay, &parted);
    }
}

#[test]
fn what_is_given_with_a_question_is_as_good_as_recorded() {
    let seed = seed();
    for round in 0..rounds(60) {
        let seed = seed.wrapping_add(round);
        let _told = Told(|| format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1"));
        let mut random = Random::new(seed);
        if let Some(scene) = Scene::new(&mut random) {
            one_scene(&mut random, &scene);
        }
    }
}

#[test]
fn contextual_relationships_that_do_not_fit_are_refused_by_name() {
    let text = "
resources:
- name: doc
  relations:
  - name: reader
    types: [actor]
";
    let history = policy::History::of(Policy::parse(text).unwrap(), &[]).unwrap();
    let view = history.at(0).unwrap();
    let refusal = |texts: &[&str]| {
        let all: Vec<Relationship> = texts.iter().map(|text| text.parse().unwrap()).collect();
        Overlay::new(&view, &all).err()
    };
    assert_eq!(refusal(&["doc:1#reader@did:key:z"]), None);
    let twice = refusal(&["doc:1#reader@did:key:z", "doc:1#reader@did:key:z"]);
    assert!(
        matches!(twice, Some(OverlayError::Twice { .. })),
        "{twice:?}"
    );
    let unfit = refusal(&["doc:1#reader@did:key:z", "doc:1#reader@*"]).unwrap();
    let message = unfit.to_string();
    assert!(
        message.contains("doc:1#reader@*") && message.contains("does not allow *"),
        "{message}"
    );
    let many: Vec<String> = (0..101)
        .map(|at| format!("doc:{at}#reader@did:key:z"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refusal(&many), Some(OverlayError::TooMany { count: 101 }));
}
