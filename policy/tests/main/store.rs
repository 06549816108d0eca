//! The store of a replica: how much it takes up, snapshots, what it forgets, when permissions end.

use policy::{
    check, Actor, Change, Circumstances, End, History, HistoryError, Limits, Policy, Question,
    Relationship, Relationships, Revision, SetRef, Time,
};

use crate::random::{rounds, seed, Random};

const POLICY: &str = "
resources:
- name: document
  relations:
  - name: parent
    types: [folder]
  - name: reader
    types: [actor, group->member, actor with expiration]
  permissions:
  - name: read
    expr: reader + parent->view
- name: folder
  relations:
  - name: viewer
    types: [actor, group->member]
  permissions:
  - name: view
    expr: viewer
- name: group
  relations:
  - name: member
    types: [actor]
";

fn about(revision: u64) -> Revision {
    Revision {
        revision,
        height: 10 + 2 * revision,
        time_seconds: 1_000 + 10 * revision as i64,
        time_nanos: 0,
    }
}

fn set(text: &str) -> Change {
    Change::RelationshipSet(text.parse().unwrap())
}

fn delete(text: &str) -> Change {
    Change::RelationshipDeleted(text.parse().unwrap())
}

fn register(object: &str) -> Change {
    Change::ObjectRegistered {
        object: object.parse().unwrap(),
        owner: Actor::new("did:u:owner").unwrap(),
    }
}

fn question(text: &str) -> Question {
    let relationship: Relationship = text.parse().unwrap();
    Question {
        object: relationship.object,
        permission: relationship.relation.to_string(),
        subject: relationship.subject,
    }
}

fn asked(history: &History, revision: u64, text: &str) -> bool {
    let view = history.at(revision).unwrap();
    let circumstances = Circumstances::at(view.revision().time());
    check(&view, &question(text), &circumstances, Limits::CONSENSUS)
        .unwrap()
        .is_allow()
}

/// A drive: documents in folders, groups with members. The bound is the issue's: 64 bytes a live
/// relationship beside its names, 24 a closed one.
#[test]
fn a_relationship_takes_64_bytes_and_a_closed_one_24() {
    let documents = 40_000;
    let mut changes = vec![Change::Defined {
        definition: POLICY.into(),
    }];
    let mut later = vec![];
    for at in 0..documents {
        changes.push(register(&format!("document:d{at}")));
        changes.push(set(&format!("document:d{at}#parent@folder:f{}", at / 20)));
        for reader in 0..2 {
            let reader = (at * 7 + reader * 13) % 5_000;
            let text = format!("document:d{at}#reader@did:key:zReader{reader}");
            changes.push(set(&text));
            later.push(delete(&text));
        }
    }
    let folders = (0..documents / 20).map(|at| register(&format!("folder:f{at}")));
    changes.extend(folders);
    let mut history = History::new();
    history.apply(about(0), &changes).unwrap();
    let memory = history.memory();
    println!("{memory:?}");
    assert!(
        memory.live_bytes <= 64 * memory.live,
        "{} bytes a live relationship",
        memory.live_bytes / memory.live
    );
    history.apply(about(1), &later).unwrap();
    let memory = history.memory();
    println!("{memory:?}");
    assert_eq!(memory.closed, later.len());
    assert!(memory.closed_bytes <= 24 * memory.closed);
    assert!(asked(&history, 0, "document:d7#read@did:key:zReader49"));
    assert!(!asked(&history, 1, "document:d7#read@did:key:zReader49"));
}

#[test]
fn what_was_given_up_is_a_defined_error() {
    let mut history = History::new();
    let first = [
        Change::Defined {
            definition: POLICY.into(),
        },
        register("group:g"),
        set("group:g#member@did:u:a"),
    ];
    history.apply(about(0), &first).unwrap();
    history
        .apply(about(1), &[delete("group:g#member@did:u:a")])
        .unwrap();
    history
        .apply(about(2), &[set("group:g#member@did:u:b")])
        .unwrap();
    assert!(asked(&history, 0, "group:g#member@did:u:a"));
    assert!(matches!(
        history.forget_before(9),
        Err(HistoryError::UnknownRevision { .. })
    ));
    history.forget_before(1).unwrap();
    let forgotten = HistoryError::Forgotten {
        revision: 0,
        oldest: 1,
    };
    assert_eq!(history.at(0).unwrap_err(), forgotten);
    assert_eq!(history.memory().closed, 0);
    assert!(!asked(&history, 1, "group:g#member@did:u:a"));
    assert!(asked(&history, 2, "group:g#member@did:u:b"));
    let again = History::from_snapshot(&history.to_snapshot()).unwrap();
    assert_eq!(again.at(0).unwrap_err(), forgotten);
}

/// Random changes: the snapshot answers and goes on like the history that it was taken of, and the
/// end of a permission is where asking revision by revision finds it.
#[test]
fn snapshots_go_on_and_ends_are_found() {
    let seed = seed();
    println!("HOLDFAST_SEED={seed}");
    for round in 0..rounds(40) {
        let mut random = Random::new(seed.wrapping_add(round));
        let mut history = History::keyed([round as u8; 16]);
        let mut first = vec![Change::Defined {
            definition: POLICY.into(),
        }];
        for resource in ["document", "folder", "group"] {
            first.extend((0..2).map(|at| register(&format!("{resource}:{at}"))));
        }
        history.apply(about(0), &first).unwrap();
        let last = 30;
        for revision in 1..=last {
            let changes: Vec<Change> = (0..1 + random.below(2))
                .map(|_| change(&mut random))
                .collect();
            history.apply(about(revision), &changes).unwrap();
            if random.chance(20) {
                history = History::from_snapshot(&history.to_snapshot()).unwrap();
            }
        }
        for document in 0..2 {
            for actor in ["a", "b"] {
                let text = format!("document:{document}#read@did:u:{actor}");
                let from = random.below(last as usize) as u64;
                let found = history
                    .first_end(
                        &question(&text),
                        &[],
                        from,
                        about(from).time(),
                        Limits::CONSENSUS,
                    )
                    .unwrap();
                // Every second from the beginning to the end of time that matters.
                let expected = (about(from).time_seconds..about(last).time_seconds + 200).find_map(
                    |seconds| {
                        let revision = ((seconds - 1_000) / 10).min(last as i64) as u64;
                        let time = Time::new(seconds, 0).unwrap();
                        let view = history.at(revision).unwrap();
                        let circumstances = Circumstances::at(time);
                        let limits = Limits::CONSENSUS;
                        let answer = check(&view, &question(&text), &circumstances, limits);
                        let starts = about(revision).time() == time;
                        match answer.unwrap().is_allow() {
                            true => None,
                            false if starts => Some(End::Revision(revision)),
                            false => Some(End::Time { revision, time }),
                        }
                    },
                );
                let same = match (found, expected) {
                    // A time that ends it may be told with an earlier revision: nothing that matters
                    // changed in between.
                    (Some(End::Time { time: a, .. }), Some(End::Time { time: b, .. })) => a == b,
                    // Both at once: told either way.
                    (Some(End::Time { time, .. }), Some(End::Revision(revision))) => {
                        about(revision).time() == time
                    }
                    (found, expected) => found == expected,
                };
                assert!(
                    same,
                    "HOLDFAST_SEED={seed} round {round} {text} from {from}: {found:?}, expected {expected:?}"
                );
            }
        }
    }
}

fn change(random: &mut Random) -> Change {
    let actor = *random.pick(&["did:u:a", "did:u:b"]);
    let at = random.below(2);
    let other = random.below(2);
    let object = |resource: &str| format!("{resource}:{at}");
    let fact = match random.below(6) {
        0 => format!("document:{at}#parent@folder:{other}"),
        1 => format!("folder:{at}#viewer@{actor}"),
        2 => format!("folder:{at}#viewer@group:{other}#member"),
        3 => format!("group:{at}#member@{actor}"),
        4 => format!("document:{at}#reader@{actor}"),
        _ => {
            let resource = *random.pick(&["document", "folder", "group"]);
            let object = object(resource).parse().unwrap();
            return match random.below(8) {
                0 => Change::ObjectArchived { object },
                1..=3 => Change::ObjectUnarchived { object },
                _ => {
                    let time = Time::new(1_000 + random.below(400) as i64, 0).unwrap();
                    set(&format!(
                        "document:{at}#reader@{actor} with expiration {time}"
                    ))
                }
            };
        }
    };
    if random.chance(35) {
        delete(&fact)
    } else {
        set(&fact)
    }
}

/// A policy of one resource with relations of these numbers, in the shortest notation that there is.
fn numbered(numbers: impl Iterator<Item = usize>) -> String {
    let name = |at: usize| {
        let digit = |at: usize| b"abcdefghijklmnopqrstuvwxyz012345"[at % 32] as char;
        let first = b"abcdefghijklmnopqrstuvwxyz"[at / 1024 % 26] as char;
        // Three letters for 26,624 numbers, and one more behind them for the next.
        let more = match at / (1024 * 26) {
            0 => String::new(),
            more => digit(more).to_string(),
        };
        format!("{first}{}{}{more}", digit(at / 32), digit(at))
    };
    let all: Vec<String> = numbers.map(name).collect();
    let resources = all.chunks(120).enumerate().map(|(at, names)| {
        let names: Vec<String> = names.iter().map(|name| format!("{name}: ")).collect();
        format!("resource{at}: {{relations: {{{}}}}}", names.join(","))
    });
    let resources: Vec<String> = resources.collect();
    format!(
        "implicit_owner: false\nresources: {{{}}}",
        resources.join(",")
    )
}

/// Labels run out after 65,000 names. The definition that would need more is refused as a whole, one
/// that brings known names only is not, and every relation that is defined holds whom it should.
#[test]
fn a_definition_takes_all_its_labels_or_none() {
    const BATCH: usize = 4_000;
    let mut history = History::new();
    let mut revision = 0;
    let mut at = 0;
    let mut batch = BATCH;
    let mut last = String::new();
    while batch > 0 {
        let text = numbered(at..at + batch);
        assert!(text.len() <= policy::limits::DEFINITION_BYTES_MAX);
        let change = Change::Defined {
            definition: text.clone(),
        };
        let before = history.latest();
        match history.apply(about(revision), &[change]) {
            Ok(()) => {
                (at, revision, last) = (at + batch, revision + 1, text);
            }
            Err(HistoryError::Full) => {
                assert_eq!(history.latest(), before);
                batch /= 2;
            }
            Err(other) => panic!("{other}"),
        }
    }
    // 65,535 labels; resources are named alike in all, and so is their owner.
    let resources = BATCH.div_ceil(120);
    assert_eq!(at + resources + 1, usize::from(u16::MAX));
    // Known names are no reason to refuse, however many.
    let known = numbered(0..BATCH);
    let policy = Policy::parse(&known).unwrap();
    let relation = policy.relations("resource3").last().unwrap().to_string();
    let fact = format!("resource3:1#{relation}@did:u:a");
    let changes = [
        Change::Defined { definition: known },
        register("resource3:1"),
        set(&fact),
    ];
    history.apply(about(revision), &changes).unwrap();
    assert!(asked(&history, revision, &fact));
    assert!(!asked(&history, revision, &fact.replace("u:a", "u:b")));
    // The last one that fitted has a label for its own name.
    let policy = Policy::parse(&last).unwrap();
    let relation = policy.relations("resource0").last().unwrap().to_string();
    let fact = format!("resource0:1#{relation}@did:u:a");
    let changes = [
        Change::Defined { definition: last },
        register("resource0:1"),
        set(&fact),
    ];
    history.apply(about(revision + 1), &changes).unwrap();
    assert!(asked(&history, revision + 1, &fact));
    // A name that has no label cannot come in by a relationship.
    let stranger = [set("resource0:1#stranger_to_all@did:u:a")];
    let refused = history.apply(about(revision + 2), &stranger);
    assert_eq!(refused, Err(HistoryError::Full));
}

/// Forty thousand sets of one relation, in whatever order they come: by a walk from the head for each
/// this would take minutes. Later ones go among them.
#[test]
fn a_list_of_many_sets_is_made_in_time_and_in_order() {
    let policy = Policy::parse(POLICY).unwrap();
    let fact = |at: usize| -> Relationship {
        format!("document:1#reader@group:g{at:06}#member")
            .parse()
            .unwrap()
    };
    let ascending: Vec<usize> = (0..40_000).collect();
    let descending = ascending.iter().rev().copied().collect();
    // 27,211 and 40,000 have no common divisor.
    let mixed = ascending.iter().map(|at| at * 27_211 % 40_000).collect();
    for order in [ascending, descending, mixed] {
        let facts: Vec<Relationship> = order.into_iter().map(|at| fact(2 * at)).collect();
        let mut history = History::of(policy.clone(), &facts).unwrap();
        let mut changes = vec![register("document:1")];
        changes.extend([79_999, 1, 3, 40_001, 7, 5].map(|at| Change::RelationshipSet(fact(at))));
        changes.push(Change::RelationshipDeleted(fact(4)));
        changes.push(Change::RelationshipSet(fact(4)));
        history.apply(about(1), &changes).unwrap();
        let view = history.at(1).unwrap();
        let object = view.object(&"document:1".parse().unwrap()).unwrap();
        let node = view
            .definition()
            .node(view.definition().resource("document").unwrap(), "reader");
        let mut members = vec![];
        view.usersets(object, node.unwrap(), &mut members).unwrap();
        let names = members.iter().map(|member| match member.set {
            SetRef::Userset(group, _) => view.object_name(group).unwrap().id().to_string(),
            other => panic!("{other:?}"),
        });
        let names: Vec<String> = names.collect();
        assert_eq!(names.len(), 40_006);
        assert!(names.is_sorted());
    }
}
