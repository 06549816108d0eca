//! Records and pages against a naive set: random sequences of changes, with the invariants of
//! pages and of proven ranges checked after each.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    apply, apply_all,
    keys::{object_key, page_key, SubjectKind},
    limits::{
        CONTEXT_BYTES_MAX, INLINE_AGAIN_SUBJECTS_MAX, INLINE_SUBJECTS_MAX, NAME_BYTES_MAX,
        OBJECT_ID_BYTES_MAX, PAGE_BYTES_MAX, PAGE_KEY_BYTES_MAX, PAGE_SUBJECTS_MAX,
        RECORD_BYTES_MAX, SETS_PER_RELATION_MAX,
    },
    Actor, ApplyError, Change, CollectionRecord, ConditionUse, Context, Members, Name,
    ObjectRecord, ObjectRef, Page, Policy, RecordReader, Relationship, Staged, Subject, Terms,
    Time, TreeRelationships,
};

use crate::random::{rounds, seed, Random};

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

const POLICY: &str = "
resources:
  doc:
    relations:
      reader:
        types: [actor, doc, group->member, '*']
  group:
    permissions:
      member:
";

fn write(tree: &mut Tree, writes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>) {
    for (key, value) in writes {
        match value {
            Some(value) => tree.insert(key, value),
            None => tree.remove(&key),
        };
    }
}

fn registered() -> (ObjectRef, Tree) {
    let object: ObjectRef = "doc:1".parse().unwrap();
    let mut tree = Tree::new();
    let owner = Actor::new("did:user:owner").unwrap();
    let writes = apply(
        &Change::ObjectRegistered {
            object: object.clone(),
            owner,
        },
        &tree,
    )
    .unwrap();
    write(&mut tree, writes);
    (object, tree)
}

/// All subjects of one list, read page by page; checks what pages promise.
fn pages(tree: &Tree, kind: SubjectKind, count: u64) -> (Vec<Subject>, usize) {
    let (mut first, mut all, mut number) = (vec![], vec![], 0);
    loop {
        let key = page_key("doc", "1", "reader", kind, &first);
        let page = Page::from_bytes(&tree[&key], kind, &first).unwrap();
        assert_eq!(page.to_bytes(kind), tree[&key], "bytes are canonical");
        assert!(
            page.holders.len() <= PAGE_SUBJECTS_MAX,
            "a page holds too many"
        );
        assert!(!page.holders.is_empty(), "no page is empty");
        number += 1;
        all.extend(page.holders.into_iter().map(|(subject, _)| subject));
        match page.until {
            Some(until) => first = until,
            None => break,
        }
    }
    assert_eq!(
        all.len() as u64,
        count,
        "the count in the record is the number on the pages"
    );
    assert!(
        all.windows(2).all(|pair| pair[0] < pair[1]),
        "pages are sorted and do not overlap"
    );
    (all, number)
}

fn check_invariants(tree: &Tree, naive: &BTreeSet<Subject>) -> usize {
    let bytes = &tree[&object_key("doc", "1")];
    let record = ObjectRecord::from_bytes(bytes).unwrap();
    assert_eq!(record.to_bytes(), *bytes, "bytes are canonical");
    let mut found = BTreeSet::new();
    let mut reachable = 1;
    for kind in [SubjectKind::Direct, SubjectKind::Sets] {
        match record
            .relation("reader")
            .map(|relation| relation.members(kind))
        {
            None => {}
            Some(Members::Inline(subjects)) => {
                found.extend(subjects.iter().map(|(subject, _)| subject))
            }
            Some(Members::Paged(count)) => {
                let (subjects, number) = pages(tree, kind, *count);
                reachable += number;
                assert!(
                    number as u64 <= 1 + count / 12,
                    "{number} pages for {count} subjects"
                );
                found.extend(subjects);
            }
        }
    }
    assert_eq!(found, *naive, "records and the naive set hold the same");
    assert_eq!(tree.len(), reachable, "no key is left behind");
    reachable - 1
}

fn random_subject(random: &mut Random, actors: usize, sets: usize) -> Subject {
    let text = match random.below(4) {
        0 if sets > 0 => match random.below(10) {
            0 => "*".into(),
            1..=4 => format!("doc:d{}", random.below(sets)),
            _ => format!("group:g{}#member", random.below(sets)),
        },
        _ => format!("did:user:{}", random.below(actors)),
    };
    text.parse().unwrap()
}

#[test]
fn records_and_pages_hold_what_a_naive_set_holds() {
    let seed = seed();
    let policy = Policy::parse(POLICY).unwrap();
    let mut pages_seen = 0;
    for round in 0..rounds(6) {
        let mut random = Random::new(seed.wrapping_add(round));
        let (object, mut tree) = registered();
        let mut naive = BTreeSet::new();
        let (actors, sets) = (1 + random.below(900), random.below(600));
        // Phases that grow and that shrink, so that pages split, merge and come back into the record.
        for phase in 0..6 {
            let grow = if phase % 2 == 0 { 85 } else { 20 };
            for step in 0..400 {
                let subject = random_subject(&mut random, actors, sets);
                let relationship = Relationship::new(
                    object.clone(),
                    Name::new("reader").unwrap(),
                    subject.clone(),
                );
                let (change, changed) = if random.chance(grow) {
                    (Change::RelationshipSet(relationship), naive.insert(subject))
                } else {
                    let victim = naive
                        .iter()
                        .nth(random.below(naive.len().max(1)))
                        .cloned()
                        .unwrap_or(subject);
                    let relationship = Relationship {
                        subject: victim.clone(),
                        ..relationship
                    };
                    (
                        Change::RelationshipDeleted(relationship),
                        naive.remove(&victim),
                    )
                };
                let writes = apply(&change, &tree).unwrap();
                assert_eq!(
                    !writes.is_empty(),
                    changed,
                    "HOLDFAST_SEED={seed}: writes say whether anything changed"
                );
                assert!(
                    writes.len() <= 5,
                    "HOLDFAST_SEED={seed}: one change makes few writes, not {}",
                    writes.len()
                );
                write(&mut tree, writes);
                if step % 23 == 0 {
                    pages_seen = pages_seen.max(check_invariants(&tree, &naive));
                }
            }
            check_invariants(&tree, &naive);
            let listed = TreeRelationships::new(&policy, &tree)
                .list(&object)
                .unwrap();
            assert_eq!(
                listed
                    .into_iter()
                    .map(|r| r.subject)
                    .collect::<BTreeSet<_>>(),
                naive
            );
        }
        // Down to nobody: the record alone is left.
        let all: Vec<Change> = naive
            .iter()
            .map(|subject| {
                Change::RelationshipDeleted(Relationship::new(
                    object.clone(),
                    Name::new("reader").unwrap(),
                    subject.clone(),
                ))
            })
            .collect();
        let writes = apply_all(&all, &tree).unwrap();
        write(&mut tree, writes);
        check_invariants(&tree, &BTreeSet::new());
        assert_eq!(tree.len(), 1);
    }
    assert!(pages_seen > 3, "pages were exercised: {pages_seen}");
}

#[test]
fn a_staged_overlay_reads_as_if_it_were_written() {
    let seed = seed();
    for round in 0..rounds(20) {
        let mut random = Random::new(seed.wrapping_add(round));
        let mut naive: Tree = (0..random.below(40))
            .map(|_| (vec![1, random.below(30) as u8], vec![0]))
            .collect();
        let base = naive.clone();
        let mut staged = Staged::new(&base);
        for _ in 0..60 {
            let key = vec![1, random.below(30) as u8];
            let value = random.chance(50).then(|| vec![random.below(9) as u8]);
            staged.extend([(key.clone(), value.clone())]);
            write(&mut naive, [(key, value)]);
            let (from, to) = (
                vec![1, random.below(32) as u8],
                vec![1, random.below(32) as u8],
            );
            assert_eq!(
                staged.floor(&from, &to),
                naive.floor(&from, &to),
                "HOLDFAST_SEED={seed}"
            );
            assert_eq!(
                RecordReader::get(&staged, &to),
                RecordReader::get(&naive, &to)
            );
        }
    }
}

#[test]
fn what_a_record_cannot_hold_is_refused_and_writes_nothing() {
    let (object, mut tree) = registered();
    let reader = |subject: &str| {
        format!("doc:1#reader@{subject}")
            .parse::<Relationship>()
            .unwrap()
    };
    for at in 0..SETS_PER_RELATION_MAX {
        let writes = apply(
            &Change::RelationshipSet(reader(&format!("doc:d{at}"))),
            &tree,
        )
        .unwrap();
        write(&mut tree, writes);
    }
    let one_more = apply(&Change::RelationshipSet(reader("doc:more")), &tree);
    assert!(
        matches!(one_more, Err(ApplyError::TooManySets { .. })),
        "{one_more:?}"
    );
    assert_eq!(
        apply(&Change::RelationshipSet(reader("doc:d5")), &tree),
        Ok(vec![]),
        "setting again is no change"
    );
    assert!(
        apply(&Change::RelationshipSet(reader("did:a:b")), &tree).is_ok(),
        "actors have their own list"
    );

    let owner = Actor::new("did:user:owner").unwrap();
    let cases: Vec<(Change, &str)> = vec![
        (
            Change::RelationshipSet("doc:2#reader@did:a:b".parse().unwrap()),
            "not registered",
        ),
        (
            Change::RelationshipDeleted("doc:2#reader@did:a:b".parse().unwrap()),
            "not registered",
        ),
        (
            Change::ObjectRegistered {
                object: object.clone(),
                owner: owner.clone(),
            },
            "registered already",
        ),
        (
            Change::ObjectTransferred {
                object: "doc:2".parse().unwrap(),
                owner: owner.clone(),
            },
            "not registered",
        ),
        (
            Change::Defined {
                definition: "x".repeat(70_000),
            },
            "longer than",
        ),
    ];
    for (change, expected) in cases {
        let error = apply(&change, &tree).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    write(
        &mut tree.clone(),
        apply(
            &Change::ObjectArchived {
                object: object.clone(),
            },
            &tree,
        )
        .unwrap(),
    );
    let writes = apply(
        &Change::ObjectArchived {
            object: object.clone(),
        },
        &tree,
    )
    .unwrap();
    write(&mut tree, writes);
    let refused = apply(&Change::RelationshipSet(reader("did:a:b")), &tree)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("archived"), "{refused}");
    assert_eq!(apply(&Change::ObjectArchived { object }, &tree), Ok(vec![]));
}

/// A long subject.
fn long_subject(at: usize) -> Subject {
    let (group, member) = ("g".repeat(64), "m".repeat(64));
    format!("{group}:{at:0256}#{member}").parse().unwrap()
}

#[test]
fn a_record_takes_no_more_than_it_may_and_writes_nothing_beyond() {
    let (object, mut tree) = registered();
    let mut refused = None;
    'full: for relation in 0..128 {
        for at in 0..INLINE_SUBJECTS_MAX {
            let relation = Name::new(&format!("r{relation}")).unwrap();
            let one = Relationship::new(object.clone(), relation, long_subject(at));
            match apply(&Change::RelationshipSet(one), &tree) {
                Ok(writes) => write(&mut tree, writes),
                Err(error) => {
                    refused = Some(error);
                    break 'full;
                }
            }
        }
    }
    assert_eq!(refused, Some(ApplyError::RecordFull { object }));
    let bytes = tree[&object_key("doc", "1")].len();
    assert!(bytes <= RECORD_BYTES_MAX && bytes > RECORD_BYTES_MAX - 500);
}

/// Lists on pages come back into a record only while it has room: a deletion is never refused, and
/// never makes a record larger than it may be.
#[test]
fn a_deletion_is_never_refused_for_the_size_of_the_record() {
    const RELATIONS: usize = 24;
    let (object, mut tree) = registered();
    let one = |relation: usize, at: usize| {
        let relation = Name::new(&format!("r{relation}")).unwrap();
        Relationship::new(object.clone(), relation, long_subject(at))
    };
    for relation in 0..RELATIONS {
        for at in 0..=INLINE_SUBJECTS_MAX {
            let writes = apply(&Change::RelationshipSet(one(relation, at)), &tree).unwrap();
            write(&mut tree, writes);
        }
    }
    let policy = Policy::parse(POLICY).unwrap();
    let mut largest = 0;
    for left in [INLINE_AGAIN_SUBJECTS_MAX, 2, 0] {
        for relation in 0..RELATIONS {
            for at in left..=INLINE_SUBJECTS_MAX {
                let change = Change::RelationshipDeleted(one(relation, at));
                let writes = apply(&change, &tree).unwrap();
                write(&mut tree, writes);
            }
            let bytes = &tree[&object_key("doc", "1")];
            largest = largest.max(bytes.len());
            let record = ObjectRecord::from_bytes(bytes).unwrap();
            assert_eq!(record.to_bytes(), *bytes);
        }
        let listed = TreeRelationships::new(&policy, &tree)
            .list(&object)
            .unwrap();
        let expected: BTreeSet<Relationship> = (0..RELATIONS)
            .flat_map(|relation| (0..left).map(move |at| (relation, at)))
            .map(|(relation, at)| one(relation, at))
            .collect();
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    assert!(largest <= RECORD_BYTES_MAX && largest > RECORD_BYTES_MAX - 20_000);
    assert_eq!(tree.len(), 1, "no page is left behind");
}

/// Page keys have up to two and a half kilobytes: the longest names and ids, of the object and of the
/// set that a page begins with.
#[test]
fn pages_under_the_longest_keys_split_merge_and_come_back() {
    let longest_id = "x".repeat(OBJECT_ID_BYTES_MAX - 1);
    let (name, id) = ("n".repeat(NAME_BYTES_MAX), "y".repeat(1018));
    let long_userset = |at: usize| format!("{name}:{id}{at:04}#{name}");
    let actor = |at: usize| format!("did:user:{at:04}");
    let cases: [(String, String, Vec<String>); 4] = [
        (
            "a:1".into(),
            "r".into(),
            (0..130).map(long_userset).collect(),
        ),
        (
            format!("a:x{longest_id}"),
            "r".into(),
            (0..130).map(actor).collect(),
        ),
        (
            format!("{name}:x{longest_id}"),
            name.clone(),
            (0..130).map(long_userset).collect(),
        ),
        (
            format!("{name}:x{longest_id}"),
            name.clone(),
            (0..130).map(actor).collect(),
        ),
    ];
    let policy = Policy::parse(POLICY).unwrap();
    for (object, relation, subjects) in cases {
        let object: ObjectRef = object.parse().unwrap();
        let relation = Name::new(&relation).unwrap();
        let owner = Actor::new("did:user:owner").unwrap();
        let one = |at: usize| {
            let subject = subjects[at].parse().unwrap();
            Relationship::new(object.clone(), relation.clone(), subject)
        };
        // From the top, from the bottom, and from the middle outwards.
        let orders: [Vec<usize>; 3] = [
            (0..130).rev().collect(),
            (0..130).collect(),
            (0..65).flat_map(|at| [64 - at, 65 + at]).collect(),
        ];
        for order in orders {
            let mut changes = vec![Change::ObjectRegistered {
                object: object.clone(),
                owner: owner.clone(),
            }];
            changes.extend((0..130).map(|at| Change::RelationshipSet(one(at))));
            // All in one block, and each committed by itself.
            let (mut tree, empty) = (Tree::new(), Tree::new());
            let mut staged = Staged::new(&empty);
            let mut left: BTreeSet<usize> = (0..130).collect();
            let deletions = order.into_iter().map(|at| {
                left.remove(&at);
                (Change::RelationshipDeleted(one(at)), left.clone())
            });
            let settings = changes.into_iter().map(|change| (change, BTreeSet::new()));
            for (change, left) in settings.chain(deletions) {
                let writes = apply(&change, &tree).unwrap();
                assert_eq!(apply(&change, &staged).as_ref(), Ok(&writes));
                staged.extend(writes.clone());
                write(&mut tree, writes);
                if matches!(change, Change::RelationshipDeleted(_)) && left.len() % 8 == 0 {
                    let listed = TreeRelationships::new(&policy, &tree).list(&object);
                    let expected: BTreeSet<_> = left.iter().map(|at| one(*at)).collect();
                    assert_eq!(
                        listed.unwrap().into_iter().collect::<BTreeSet<_>>(),
                        expected
                    );
                }
            }
            assert_eq!(tree.len(), 1, "no page is left behind");
        }
    }
}

/// What [`PAGE_BYTES_MAX`] and [`PAGE_KEY_BYTES_MAX`] say is met by the longest there is, to some bytes.
#[test]
fn the_largest_page_is_within_its_bound() {
    let (name, id) = ("n".repeat(NAME_BYTES_MAX), "y".repeat(1020));
    let long_userset =
        |at: usize| -> Subject { format!("{name}:{id}{at:04}#{name}").parse().unwrap() };
    let words = "w".repeat(CONTEXT_BYTES_MAX - 6);
    let context = Context::from_json(&format!("{{\"w\":\"{words}\"}}")).unwrap();
    assert_eq!(context.encode().len(), CONTEXT_BYTES_MAX);
    let terms = Terms {
        condition: Some(Box::new(ConditionUse {
            name: Name::new(&name).unwrap(),
            context,
        })),
        expires: Some(Time::MAX),
    };
    let holders = (0..PAGE_SUBJECTS_MAX).map(|at| (long_userset(at), terms.clone()));
    let mut until = vec![3];
    until.extend(format!("{name}\0{id}9999\0{name}").as_bytes());
    let key = page_key(
        &name,
        &"x".repeat(OBJECT_ID_BYTES_MAX),
        &name,
        SubjectKind::Sets,
        &until,
    );
    assert_eq!(key.len(), PAGE_KEY_BYTES_MAX);
    let page = Page {
        until: Some(until),
        holders: holders.collect(),
    };
    let bytes = page.to_bytes(SubjectKind::Sets).len();
    assert!(
        bytes <= PAGE_BYTES_MAX && bytes > PAGE_BYTES_MAX - 10,
        "{bytes}"
    );
}

#[test]
fn schema_versions_of_a_collection_count_without_gaps() {
    let record = |version, scope: &str| CollectionRecord {
        version,
        scope_relation: Name::new(scope).unwrap(),
        schema_cid: vec![1, 2, 3],
        schema: vec![version as u8],
    };
    let change = |record| Change::CollectionDefined {
        resource: Name::new("doc").unwrap(),
        name: Name::new("docs").unwrap(),
        record,
    };
    let mut tree = Tree::new();
    assert!(
        apply(&change(record(2, "parent")), &tree).is_err(),
        "the first version is 1"
    );
    let writes = apply(&change(record(1, "parent")), &tree).unwrap();
    write(&mut tree, writes);
    assert_eq!(
        apply(&change(record(1, "parent")), &tree),
        Ok(vec![]),
        "the same again is no change"
    );
    assert!(
        apply(&change(record(3, "parent")), &tree).is_err(),
        "no gap"
    );
    assert!(
        apply(&change(record(2, "other")), &tree).is_err(),
        "the scope relation stays"
    );
    assert!(apply(&change(record(2, "parent")), &tree).is_ok());
    let bytes = tree.values().next().unwrap();
    assert_eq!(CollectionRecord::from_bytes(bytes), Ok(record(1, "parent")));
}

/// Flipping any bit, cutting anywhere, or appending: refused, or (where a name changes into another
/// name) read as something that writes the same bytes back. Never two byte strings for one record.
#[test]
fn decoders_accept_canonical_bytes_only() {
    let (object, mut tree) = registered();
    for subject in ["did:a:b", "did:a:c", "*", "doc:7", "group:eng#member"] {
        let relationship = Relationship::new(
            object.clone(),
            Name::new("reader").unwrap(),
            subject.parse().unwrap(),
        );
        let writes = apply(&Change::RelationshipSet(relationship), &tree).unwrap();
        write(&mut tree, writes);
    }
    let record = tree[&object_key("doc", "1")].clone();
    let page = Page {
        until: Some(b"did:z".to_vec()),
        holders: vec![
            ("did:a:b".parse().unwrap(), Terms::NONE),
            ("did:b:c".parse().unwrap(), Terms::NONE),
        ],
    };
    let mutate = |bytes: &[u8], read: &dyn Fn(&[u8]) -> Option<Vec<u8>>| {
        let mut variants: Vec<Vec<u8>> =
            (0..bytes.len()).map(|cut| bytes[..cut].to_vec()).collect();
        variants.extend((0..bytes.len() * 8).map(|bit| {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        }));
        variants.push([bytes, &[0]].concat());
        let accepted = variants.iter().filter(|variant| match read(variant) {
            Some(written) => {
                assert_eq!(written, **variant, "what is read is written back alike");
                true
            }
            None => false,
        });
        (accepted.count(), variants.len())
    };
    let (accepted, of) = mutate(&record, &|bytes| {
        Some(ObjectRecord::from_bytes(bytes).ok()?.to_bytes())
    });
    assert!(accepted < of / 2, "{accepted} of {of}");
    mutate(&page.to_bytes(SubjectKind::Direct), &|bytes| {
        Some(
            Page::from_bytes(bytes, SubjectKind::Direct, b"did:a")
                .ok()?
                .to_bytes(SubjectKind::Direct),
        )
    });
    assert!(
        Page::from_bytes(
            &page.to_bytes(SubjectKind::Direct),
            SubjectKind::Direct,
            b"did:b"
        )
        .is_err(),
        "a subject before the range"
    );
    assert!(
        Page::from_bytes(
            &page.to_bytes(SubjectKind::Direct),
            SubjectKind::Direct,
            b"did:z"
        )
        .is_err(),
        "an empty range"
    );
}

#[test]
fn keys_are_injective() {
    let mut keys = BTreeSet::new();
    let parts = ["", "a", "aa", "b", "ab"];
    let mut count = 0;
    for one in parts {
        for two in parts {
            keys.insert(object_key(one, two));
            keys.insert(policy::keys::collection_key(one, two));
            count += 2;
            for three in parts {
                for kind in [SubjectKind::Direct, SubjectKind::Sets] {
                    for first in parts {
                        keys.insert(page_key(one, two, three, kind, first.as_bytes()));
                        count += 1;
                    }
                }
            }
        }
    }
    assert_eq!(keys.len(), count);
    assert_eq!(INLINE_AGAIN_SUBJECTS_MAX * 2, INLINE_SUBJECTS_MAX);
}
