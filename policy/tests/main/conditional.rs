//! Conditional answers: what they read, cost and last is what the walks of docs/spec/policy.md §4 read,
//! cost and last; the names of what is missing come beside that.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use policy::{
    apply_all, check, check_counted, explain, fetch, gather, keys::object_key, replay, Answer,
    Change, CheckError, Circumstances, Decision, Limits, ObjectRef, Policy, Question, ReadError,
    RecordReader, Relationship, Time, TreeRelationships, Why,
};

const POLICY: &str = r#"
implicit_owner: false
conditions:
  a_holds: {parameters: {x: bool}, expr: x}
  b_holds: {parameters: {y: bool}, expr: y}
  fails: {parameters: {n: int}, expr: 1 / n > 0}
resources:
  folder:
    relations:
      v:
  doc:
    relations:
      parent: {types: [folder]}
      a: {types: [actor with a_holds]}
      l: {types: [actor with b_holds]}
      b: {types: [actor]}
      z: {types: [actor]}
      e: {types: [actor with expiration]}
      f: {types: [actor with fails]}
    permissions:
      skipped_arrow: {expr: "a & (b + parent->v)"}
      skipped_expiry: {expr: "a + (z & e)"}
      met_expiry: {expr: "a & e"}
      either: {expr: "a + l"}
      hopeless: {expr: "(l & z) + a"}
      taken: {expr: "(b - a) & l"}
      thrice: {expr: "a - a + f"}
"#;

/// A tree that counts what is looked up, and does not have some of it at hand.
#[derive(Default)]
struct Reader {
    tree: BTreeMap<Vec<u8>, Vec<u8>>,
    away: BTreeSet<Vec<u8>>,
    read: RefCell<BTreeSet<Vec<u8>>>,
    calls: Cell<usize>,
}

impl RecordReader for Reader {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read.borrow_mut().insert(key.to_vec());
        self.calls.set(self.calls.get() + 1);
        match self.away.contains(key) {
            true => Err(ReadError::Unavailable { key: key.to_vec() }),
            false => RecordReader::get(&self.tree, key),
        }
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        RecordReader::floor(&self.tree, from, to)
    }
}

fn world() -> (Policy, Reader) {
    let doc: ObjectRef = "doc:1".parse().unwrap();
    let folder: ObjectRef = "folder:1".parse().unwrap();
    let owner = policy::Actor::new("did:x:owner").unwrap();
    let mut changes = vec![Change::Defined {
        definition: POLICY.into(),
    }];
    for object in [doc, folder] {
        let owner = owner.clone();
        changes.push(Change::ObjectRegistered { object, owner });
    }
    let relationships = [
        "doc:1#parent@folder:1",
        "doc:1#a@did:x:ann with a_holds",
        "doc:1#l@did:x:ann with b_holds",
        "doc:1#b@did:x:ann",
        "doc:1#e@did:x:ann with expiration 2030-01-01T00:00:00Z",
        r#"doc:1#f@did:x:ann with fails {"n": 0}"#,
    ];
    let set = |text: &&str| Change::RelationshipSet(text.parse::<Relationship>().unwrap());
    changes.extend(relationships.iter().map(set));
    let mut tree = BTreeMap::new();
    for (key, value) in apply_all(&changes, &tree).unwrap() {
        tree.insert(key, value.unwrap());
    }
    let reader = Reader {
        tree,
        ..Reader::default()
    };
    (Policy::parse(POLICY).unwrap(), reader)
}

fn question(permission: &str) -> Question {
    let ann = policy::Actor::new("did:x:ann").unwrap();
    Question::new("doc:1".parse().unwrap(), permission, ann)
}

fn now() -> Circumstances {
    Circumstances::at("2026-11-20T10:00:00Z".parse::<Time>().unwrap())
}

/// Decides as consensus does.
fn counted(
    reader: &Reader,
    policy: &Policy,
    permission: &str,
    limits: Limits,
) -> (u64, Result<Answer, CheckError>) {
    let tree = TreeRelationships::new(policy, reader);
    check_counted(&tree, &question(permission), &now(), limits)
}

fn named(reader: &Reader, policy: &Policy, permission: &str) -> Answer {
    let tree = TreeRelationships::new(policy, reader);
    check(&tree, &question(permission), &now(), Limits::CONSENSUS).unwrap()
}

#[test]
fn only_what_a_walk_reads_is_read() {
    let (policy, reader) = world();
    let folder = object_key("folder", "1");
    let (_, answer) = counted(&reader, &policy, "skipped_arrow", Limits::CONSENSUS);
    let answer = answer.unwrap();
    assert_eq!(answer.decision, Decision::Conditional);
    assert!(answer.missing.is_empty(), "names are no part of consensus");
    assert!(!reader.read.borrow().contains(&folder));
    // Finding the names goes no further.
    let with_names = named(&reader, &policy, "skipped_arrow");
    assert_eq!(with_names.missing, ["x"]);
    assert!(!reader.read.borrow().contains(&folder));
    let missing = with_names.missing.clone();
    assert_eq!(with_names, Answer { missing, ..answer });
    let asked = question("skipped_arrow");
    let gathered = gather(&policy, &reader, &asked, &now(), &[], Limits::CONSENSUS).unwrap();
    assert!(!gathered.keys.contains(&folder));
}

#[test]
fn what_no_walk_reads_may_be_away() {
    let (policy, mut reader) = world();
    let here = named(&reader, &policy, "skipped_arrow");
    reader.away.insert(object_key("folder", "1"));
    assert_eq!(named(&reader, &policy, "skipped_arrow"), here);
    // Evidence gives the same names.
    let asked = question("skipped_arrow");
    let gathered = gather(&policy, &reader, &asked, &now(), &[], Limits::CONSENSUS).unwrap();
    assert_eq!(gathered.answer, here);
    let known = fetch(&reader, &gathered.keys).unwrap();
    let limits = Limits::CONSENSUS;
    let again = replay(&policy, &known, &asked, &now(), &[], limits).unwrap();
    assert_eq!(again, here);
}

#[test]
fn an_answer_stands_as_long_as_what_the_walks_met() {
    let (policy, reader) = world();
    let skipped = named(&reader, &policy, "skipped_expiry");
    assert_eq!(skipped.decision, Decision::Conditional);
    assert_eq!(skipped.stands_until, None);
    let met = named(&reader, &policy, "met_expiry");
    let expiry = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(met.stands_until, Some(expiry));
}

#[test]
fn names_cost_nothing_and_no_bound_on_the_answer_cuts_them() {
    let (policy, reader) = world();
    for (permission, missing) in [
        ("a", &["x"][..]),
        ("skipped_arrow", &["x"]),
        ("skipped_expiry", &["x"]),
        ("either", &["x", "y"]),
        ("hopeless", &["x"]),
        ("taken", &["x", "y"]),
    ] {
        let (steps, answer) = counted(&reader, &policy, permission, Limits::CONSENSUS);
        assert_eq!(answer.unwrap().steps, steps);
        let bounded = |steps_max| Limits {
            steps_max,
            ..Limits::CONSENSUS
        };
        let (_, answer) = counted(&reader, &policy, permission, bounded(steps - 1));
        assert!(matches!(answer, Err(CheckError::TooManySteps { .. })));
        reader.calls.set(0);
        let (_, answer) = counted(&reader, &policy, permission, bounded(steps));
        assert_eq!(answer.unwrap().decision, Decision::Conditional);
        let calls = reader.calls.get();
        assert!(calls as u64 <= steps, "{permission}: {calls} look-ups");
        let tree = TreeRelationships::new(&policy, &reader);
        let asked = question(permission);
        let answer = check(&tree, &asked, &now(), bounded(steps)).unwrap();
        assert_eq!(
            (answer.steps, &answer.missing[..]),
            (steps, &names(missing)[..])
        );
        let explained = explain(&tree, &asked, &now(), bounded(steps)).unwrap();
        assert_eq!(explained.answer, answer);
        let Why::Conditional { lacking } = explained.why else {
            panic!("{permission} is conditional")
        };
        assert!(!lacking.is_empty() && explained.is_all);
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The third walk goes on with what the second found: `a`, taken as failing on the right of `-` there,
/// is so taken on its left here.
#[test]
fn a_third_walk_keeps_what_the_second_found() {
    let (policy, reader) = world();
    let steps = |permission| counted(&reader, &policy, permission, Limits::CONSENSUS);
    let (twice, answer) = steps("a");
    assert_eq!(answer.unwrap().decision, Decision::Conditional);
    let a = twice / 2;
    let (f, answer) = steps("f");
    assert!(matches!(answer, Err(CheckError::Condition { .. })));
    let (whole, answer) = steps("thrice");
    assert!(matches!(answer, Err(CheckError::Condition { .. })));
    let first = 1 + a + 1 + f;
    let second = 1 + a + a;
    let third = 1 + 1 + f;
    assert_eq!(whole, first + second + third);
}
