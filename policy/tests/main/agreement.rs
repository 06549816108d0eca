//! Several ways to one answer must agree, over random schemas with all that the language has, over
//! worlds with documents and archived objects: the walk over records, over history at any revision and
//! over a naive reader, the replay of evidence, and the oracle.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    apply_all, check, fetch, gather, replay, Answer, Change, CheckError, Circumstances, Decision,
    DocumentFacts, History, Limits, Policy, Question, Relationships, ReplayError, Revision,
    TreeRelationships, WithDocuments,
};

use crate::{
    cast::{
        ask, block, changes, circumstances, documents, elsewhere, facts, question, renamed,
        renamed_object, renamed_who, said, when, Asked, Cast,
    },
    generate::{knot, schema, yaml},
    naive::Naive,
    oracle::{undecided, Answers, Object, Says, Schema, Terms, Use, Values, When, Who, World},
    random::{rounds, seed, Random},
    told::Told,
};

pub type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// Answers are compared where no bound stands against them.
pub const GENEROUS: Limits = Limits {
    steps_max: 100_000_000,
    depth_max: 100_000,
};

/// A random policy and what became of it, block by block.
pub struct Scene {
    pub schema: Schema,
    pub text: String,
    pub policy: Policy,
    pub cast: Cast,
    pub history: History,
    /// World and tree as of each revision.
    pub past: Vec<(World, Tree)>,
}

impl Scene {
    /// `None` where the policy is refused for a type that can never match.
    pub fn new(random: &mut Random) -> Option<Self> {
        let schema = schema(random);
        let text = yaml(&schema, random.chance(50));
        let policy = match Policy::parse(&text) {
            Err(error) if error.to_string().contains("can never match") => return None,
            policy => policy.unwrap_or_else(|error| panic!("{error}\n{text}")),
        };
        let cast = Cast::new(random, &schema);
        let (mut world, mut tree, mut history) = (World::default(), Tree::new(), History::new());
        let mut past = vec![];
        for revision in 0..1 + random.below(8) as u64 {
            let size = if cast.actors.len() > 4 {
                1_200
            } else {
                1 + random.below(70)
            };
            let mut changes = block(random, &schema, &cast, &mut world, size);
            if revision == 0 {
                let definition = text.clone();
                changes.insert(0, Change::Defined { definition });
            }
            for (key, value) in apply_all(&changes, &tree).unwrap() {
                match value {
                    Some(value) => tree.insert(key, value),
                    None => tree.remove(&key),
                };
            }
            let about = Revision {
                revision,
                height: revision * 3 + 7,
                time_seconds: 0,
                time_nanos: 0,
            };
            history.apply(about, &changes).unwrap();
            past.push((world.clone(), tree.clone()));
        }
        Some(Self {
            schema,
            text,
            policy,
            cast,
            history,
            past,
        })
    }
}

/// What is asked: the world, the question, and under which circumstances.
struct Case<'a> {
    scene: &'a Scene,
    world: &'a World,
    tree: &'a Tree,
    asked: &'a Asked,
    when: &'a When,
    facts: &'a [DocumentFacts],
}

fn over(
    relationships: &impl Relationships,
    documents: &[DocumentFacts],
    question: &Question,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Answer, CheckError> {
    let relationships = WithDocuments::new(relationships, documents);
    check(&relationships, question, circumstances, limits)
}

/// An answer is what the oracle says; a condition that failed may stand against one.
fn agrees_with_oracle(case: &Case<'_>, answer: &Result<Answer, CheckError>) {
    let (schema, world, when, asked) = (&case.scene.schema, case.world, case.when, case.asked);
    let answers = Answers::new(schema, world, when, &asked.who, &asked.object);
    let (lack, fail) = undecided(schema, world, when);
    let answer = match answer {
        Ok(answer) => answer,
        Err(CheckError::Condition { .. }) => {
            assert!(!fail.is_empty(), "no condition fails");
            let value = answers.value(&asked.object, &asked.name);
            assert_eq!(value, 1, "a failed condition hides what is decided");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let says = said(answer.decision);
    assert_eq!(says, answers.says(&asked.object, &asked.name), "the oracle");
    assert_eq!(
        answer.missing.is_empty(),
        says != Says::Conditional,
        "conditional answers name what is missing"
    );
    if lack.len() > 4 || !fail.is_empty() {
        return;
    }
    // However the lacking conditions come out, a definite answer stands.
    let outcomes: BTreeSet<bool> = (0..1u32 << lack.len())
        .map(|bits| {
            let assumed: BTreeMap<Use, bool> = lack
                .iter()
                .enumerate()
                .map(|(at, used)| (used.clone(), bits & (1 << at) != 0))
                .collect();
            let about = &asked.object;
            let answers = Answers::assuming(schema, world, when, &asked.who, about, &assumed);
            answers.says(about, &asked.name) == Says::Allow
        })
        .collect();
    match says {
        Says::Allow => assert_eq!(outcomes, [true].into(), "some context denies"),
        Says::Deny => assert_eq!(outcomes, [false].into(), "some context allows"),
        Says::Conditional => {}
    }
}

/// What is said to be missing suffices, and answers last as long as they say.
fn promises_hold(random: &mut Random, case: &Case<'_>, answer: &Answer) {
    let view = TreeRelationships::new(&case.scene.policy, case.tree);
    let question = question(case.asked);
    if answer.decision == Decision::Conditional {
        let mut when = case.when.clone();
        for name in &answer.missing {
            assert!(!when.context.contains_key(name), "{name} was given");
            let value = match name.starts_with('n') {
                true => crate::oracle::Value::Int(random.below(5) as i64),
                false => crate::oracle::Value::Bool(random.chance(50)),
            };
            when.context.insert(name.clone(), value);
        }
        let again = over(
            &view,
            case.facts,
            &question,
            &circumstances(&when),
            GENEROUS,
        );
        if let Ok(again) = again {
            assert_ne!(again.decision, Decision::Conditional, "more was missing");
        }
    }
    for time in [case.when.time + 1, case.when.time + random.below(60) as i64] {
        let when = When {
            time,
            ..case.when.clone()
        };
        let later = circumstances(&when);
        if answer.stands_until.is_none_or(|until| later.time < until) {
            let again = over(&view, case.facts, &question, &later, GENEROUS).unwrap();
            assert_eq!(
                again.decision, answer.decision,
                "until {:?}",
                answer.stands_until
            );
            assert_eq!(again.missing, answer.missing);
        }
    }
}

/// Evidence replays to the same answer; with a key less it may become insufficient, never different.
fn evidence_agrees(case: &Case<'_>, answer: &Result<Answer, CheckError>) -> usize {
    let (policy, tree, documents) = (&case.scene.policy, case.tree, case.facts);
    let (question, circumstances) = (question(case.asked), circumstances(case.when));
    let limits = GENEROUS;
    let gathered = gather(policy, tree, &question, &circumstances, documents, limits);
    let gathered = match (gathered, answer) {
        (Ok(gathered), Ok(answer)) => {
            assert_eq!(gathered.answer, *answer, "gathering walks the same way");
            gathered
        }
        (Err(error), Err(expected)) => {
            assert_eq!(error, *expected);
            return 0;
        }
        (gathered, answer) => panic!("{gathered:?} is not {answer:?}"),
    };
    let answer = &gathered.answer;
    let mut known = fetch(tree, &gathered.keys).unwrap();
    let again = |known: &BTreeMap<Vec<u8>, Option<Vec<u8>>>| {
        replay(policy, known, &question, &circumstances, documents, limits)
    };
    let whole = again(&known).unwrap();
    assert_eq!(whole.decision, answer.decision, "the replay decides alike");
    if !answer.is_allow() {
        assert_eq!(
            whole, *answer,
            "the replay of all that was read is the walk"
        );
    }
    for key in &gathered.keys {
        let value = known.remove(key).unwrap();
        match again(&known) {
            Ok(less) => assert_eq!(
                less.decision, answer.decision,
                "missing evidence flips nothing"
            ),
            Err(ReplayError::Insufficient { .. }) => {}
            // What would have decided before a condition failed is missing.
            Err(ReplayError::Check(CheckError::Condition { .. })) => {}
            Err(other) => panic!("{other}"),
        }
        known.insert(key.clone(), value);
    }
    gathered.keys.len()
}

/// Whatever things are called, the answer is the same.
fn names_do_not_matter(case: &Case<'_>, answer: &Result<Answer, CheckError>) {
    let world = renamed(case.world, &elsewhere);
    let asked = Asked {
        object: renamed_object(&case.asked.object, &elsewhere),
        name: case.asked.name.clone(),
        who: renamed_who(&case.asked.who, &elsewhere),
    };
    let tree = tree_of(&case.scene.text, &world);
    let again = over(
        &TreeRelationships::new(&case.scene.policy, &tree),
        &facts(&world),
        &question(&asked),
        &circumstances(case.when),
        GENEROUS,
    );
    match (answer, &again) {
        (Ok(answer), Ok(again)) => {
            assert_eq!(again.decision, answer.decision, "names matter");
            assert_eq!(again.missing, answer.missing, "names matter");
        }
        // Whether a failed condition is met at all hangs on what decides before it.
        (_, Err(CheckError::Condition { .. })) | (Err(CheckError::Condition { .. }), _) => {}
        (_, Err(other)) | (Err(other), _) => panic!("{other}"),
    }
}

fn one_question(random: &mut Random, scene: &mut Scene, counts: &mut Counts) {
    let at = random.below(scene.past.len());
    let mut world = scene.past[at].0.clone();
    documents(random, &scene.schema, &scene.cast, &mut world);
    let scene = &*scene;
    let asked = ask(random, &scene.schema, &scene.cast, &world);
    let (when, facts) = (when(random), facts(&world));
    let case = Case {
        scene,
        world: &world,
        tree: &scene.past[at].1,
        asked: &asked,
        when: &when,
        facts: &facts,
    };
    let _told = Told(|| format!("{} {when:?}\n{}\n{world:#?}", question(&asked), scene.text));

    let (question, circumstances) = (question(&asked), circumstances(&when));
    let tree = || TreeRelationships::new(&scene.policy, case.tree);
    let view = scene.history.at(at as u64).unwrap();
    let answer = over(&tree(), &facts, &question, &circumstances, GENEROUS);
    agrees_with_oracle(&case, &answer);
    let seen = over(&view, &facts, &question, &circumstances, GENEROUS);
    assert_eq!(seen, answer, "records and history differ");
    if scene.cast.actors.len() <= 4 {
        let naive = Naive::new(&scene.policy, &world);
        let naive = over(&naive, &facts, &question, &circumstances, GENEROUS);
        assert_eq!(naive, answer, "records and a naive reader differ");
    }
    // Bounds are part of the answer: the same error in both places.
    let tight = Limits {
        steps_max: random.below(30) as u64,
        depth_max: random.below(6),
    };
    let bounded = over(&tree(), &facts, &question, &circumstances, tight);
    let seen = over(&view, &facts, &question, &circumstances, tight);
    assert_eq!(bounded, seen, "bounds differ");
    if let (Ok(bounded), Ok(answer)) = (&bounded, &answer) {
        let decision = answer.decision;
        assert_eq!(bounded.decision, decision, "a bound changed an answer");
    }
    let keys = evidence_agrees(&case, &answer);
    names_do_not_matter(&case, &answer);
    if let Ok(answer) = &answer {
        promises_hold(random, &case, answer);
        counts.allowed += u64::from(answer.is_allow());
        counts.conditional += u64::from(answer.decision == Decision::Conditional);
        counts.steps_max = counts.steps_max.max(answer.steps);
    }
    counts.failed += u64::from(answer.is_err());
    counts.questions += 1;
    counts.keys_max = counts.keys_max.max(keys);
    let pages = case.tree.keys().filter(|key| key.first() == Some(&4));
    counts.pages += pages.count();
}

/// A world written into a tree of its own.
pub fn tree_of(text: &str, world: &World) -> Tree {
    let writes = apply_all(&changes(text, world), Tree::new()).unwrap();
    let present = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    present.collect()
}

/// The same world as a history of one revision.
pub fn history_of(text: &str, world: &World) -> History {
    let about = Revision {
        revision: 0,
        height: 1,
        time_seconds: 0,
        time_nanos: 0,
    };
    let mut history = History::new();
    history.apply(about, &changes(text, world)).unwrap();
    history
}

#[derive(Default, Debug)]
struct Counts {
    questions: u64,
    allowed: u64,
    conditional: u64,
    failed: u64,
    steps_max: u64,
    keys_max: usize,
    pages: usize,
}

#[test]
fn records_history_evidence_and_oracle_agree() {
    let seed = seed();
    let mut counts = Counts::default();
    for round in 0..rounds(60) {
        let seed = seed.wrapping_add(round);
        let _told = Told(|| format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1"));
        let mut random = Random::new(seed);
        let Some(mut scene) = Scene::new(&mut random) else {
            continue;
        };
        for _ in 0..12 {
            one_question(&mut random, &mut scene, &mut counts);
        }
    }
    println!("{counts:?}");
    if rounds(60) >= 60 {
        assert!(
            counts.allowed > counts.questions / 20 && counts.allowed < counts.questions,
            "{counts:?}"
        );
    }
    // One in two hundred is conditional, and one world in ten fills pages: too few to ask for in a
    // short run.
    if rounds(60) >= 1_000 {
        assert!(counts.conditional > 0, "{counts:?}");
        assert!(counts.pages > 0, "some relations must have moved to pages");
    }
}

/// Small worlds and many of them: whatever circles do to provisional values shows here.
#[test]
fn knots_of_permissions_agree_with_the_oracle() {
    let seed = seed();
    let (mut allowed, mut conditional) = (0, 0);
    let rounds = 50 * rounds(60);
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        let schema = knot(&mut random);
        let text = yaml(&schema, false);
        let policy = Policy::parse(&text).unwrap();
        let objects: Vec<Object> = (0..1 + random.below(2))
            .map(|at| ("t0".into(), format!("o{at}")))
            .collect();
        let mut world = World::default();
        let has_conditions = !schema.conditions.is_empty();
        for o in &objects {
            world.owners.insert(o.clone(), "did:user:owner".into());
            for relation in schema.resources["t0"].relations.keys() {
                let place = (o.clone(), relation.clone());
                let here = world.facts.entry(place).or_default();
                if random.chance(50) {
                    let condition = has_conditions && random.chance(60);
                    let terms = Terms {
                        condition: condition.then(|| ("c-0".into(), Values::new())),
                        expires: None,
                    };
                    here.insert(Who::Actor("did:user:a".into()), terms);
                }
                for o in objects.iter().filter(|_| random.chance(50)) {
                    here.insert(Who::Object(o.clone()), Terms::default());
                }
            }
        }
        let tree = tree_of(&text, &world);
        let when = when(&mut random);
        let circumstances = circumstances(&when);
        for name in schema.resources["t0"].permissions.keys() {
            let asked = Asked {
                object: objects[0].clone(),
                name: name.clone(),
                who: Who::Actor("did:user:a".into()),
            };
            let question = question(&asked);
            let answers = Answers::new(&schema, &world, &when, &asked.who, &asked.object);
            let expected = answers.says(&asked.object, name);
            let relationships = TreeRelationships::new(&policy, &tree);
            let answer = check(&relationships, &question, &circumstances, GENEROUS);
            let context = || {
                format!(
                    "HOLDFAST_SEED={seed} round {round} {question} {when:?}\n{text}\n{world:#?}"
                )
            };
            let answer = match answer {
                Err(CheckError::Condition { .. }) => continue,
                answer => answer.unwrap_or_else(|error| panic!("{error} {}", context())),
            };
            let says = said(answer.decision);
            assert_eq!(says, expected, "{}", context());
            let gathered =
                gather(&policy, &tree, &question, &circumstances, &[], GENEROUS).unwrap();
            let known = fetch(&tree, &gathered.keys).unwrap();
            let again = replay(&policy, &known, &question, &circumstances, &[], GENEROUS).unwrap();
            assert_eq!(again.decision, answer.decision, "replay: {}", context());
            allowed += u64::from(answer.is_allow());
            conditional += u64::from(says == Says::Conditional);
        }
    }
    println!("{rounds} knots, {allowed} questions allowed, {conditional} conditional");
    assert!(
        allowed > rounds / 4,
        "too few are allowed to tell: {allowed}"
    );
    assert!(
        conditional > rounds / 50,
        "too few are conditional: {conditional}"
    );
}
