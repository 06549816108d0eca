//! The same facts give the same bytes.

use alloc::{string::String, vec::Vec};

use super::{
    super::{
        picture::{EdgeKind, Mark},
        relationships, schema, DrawOptions,
    },
    policy,
    random::{seeds, Draft, Random},
    xml::elements,
    CLINIC, CLINIC_RELATIONSHIPS, HOSPITAL, HOSPITAL_RELATIONSHIPS,
};
use crate::Relationship;

#[test]
fn order_and_repetition_of_the_input_change_nothing() {
    for seed in seeds(30) {
        let mut random = Random::new(seed);
        let mut draft = Draft::new(&mut random);
        let mut facts = draft.relationships(&mut random, 60);
        let first = policy(&draft.text());
        draft.shuffle(&mut random);
        let second = policy(&draft.text());
        let pictures = [schema(&first), schema(&second)];
        assert_eq!(pictures[0].to_svg(), pictures[1].to_svg(), "seed {seed}");
        assert_eq!(
            pictures[0].to_mermaid(),
            pictures[1].to_mermaid(),
            "seed {seed}"
        );

        let options = DrawOptions::default();
        let one = relationships(&first, &facts, &options).unwrap();
        random.shuffle(&mut facts);
        facts.extend_from_within(..10);
        let other = relationships(&second, &facts, &options).unwrap();
        assert_eq!(one.to_svg(), other.to_svg(), "seed {seed}");
        assert_eq!(one.to_mermaid(), other.to_mermaid(), "seed {seed}");
        for svg in [pictures[0].to_svg(), one.to_svg()] {
            elements(&svg).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    }
}

#[test]
fn the_hospital_shows_every_name_and_every_edge() {
    let policy = policy(HOSPITAL);
    let picture = schema(&policy);
    let (svg, chart) = (picture.to_svg(), picture.to_mermaid());
    for resource in policy.resources() {
        for text in [&svg, &chart] {
            assert!(text.contains(resource));
            for name in policy
                .permissions(resource)
                .chain(policy.relations(resource).filter(|name| *name != "owner"))
            {
                assert!(text.contains(name), "{resource}.{name}");
            }
        }
    }
    let tips = elements(&svg)
        .unwrap()
        .iter()
        .filter(|(_, attributes)| {
            attributes
                .iter()
                .any(|(name, value)| name == "class" && value.starts_with("tip"))
        })
        .count();
    // One in the legend for each of the two kinds that occur.
    assert_eq!(tips, picture.size().1 + 2);
    let facts: Vec<Relationship> = HOSPITAL_RELATIONSHIPS
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let drawn = relationships(&policy, &facts, &DrawOptions::default()).unwrap();
    let hints: Vec<String> = drawn.edges.iter().map(|edge| edge.hint.clone()).collect();
    assert_eq!(hints.len(), facts.len());
    assert!(hints
        .iter()
        .any(|hint| hint
            .contains("is ignored: resource \"invoice\" defines no relation \"reviewer\"")));
}

#[test]
fn every_construct_of_the_language_is_shown() {
    let policy = policy(CLINIC);
    let picture = schema(&policy);
    let count = |kind: EdgeKind, mark: Mark| {
        let edges = picture.edges.iter();
        edges
            .filter(|edge| edge.kind == kind && edge.mark == mark)
            .count()
    };
    assert_eq!(count(EdgeKind::Every, Mark::Intersected), 1);
    assert_eq!(count(EdgeKind::Any, Mark::Intersected), 1);
    assert_eq!(count(EdgeKind::Any, Mark::Subtracted), 1);
    // Of `everyone_above`, a relation that is computed, and of folder's recursion.
    assert_eq!(count(EdgeKind::Any, Mark::Plain), 2);
    let svg = picture.to_svg();
    elements(&svg).unwrap();
    for expected in [
        ">conditions<",
        ">office_hours<",
        ">expires<",
        "user:*",
        "+ self<",
        ">reader + writer<",
        "parent&amp;-&gt;`can-view`",
        "every one must grant",
        ">nobody<",
        "class=\"line dashed\"",
        "document.purge asks for folder.can-view of every one, through parent",
    ] {
        assert!(svg.contains(expected), "{expected}");
    }
    assert!(!svg.contains("owner: all"));
    let chart = picture.to_mermaid();
    for expected in ["==>|\"#38; every parent\"|", "-.->|\"minus parent\"|"] {
        assert!(chart.contains(expected), "{expected}\n{chart}");
    }

    let facts: Vec<Relationship> = CLINIC_RELATIONSHIPS
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let picture = relationships(&policy, &facts, &DrawOptions::default()).unwrap();
    let ignored = picture
        .edges
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Ignored);
    assert_eq!(ignored.count(), 0);
    let svg = picture.to_svg();
    elements(&svg).unwrap();
    for expected in [
        ">user:*<",
        ">* everyone<",
        ">office_hours {&quot;zone&quot;:&quot;ward&quot;}<",
        ">until 2027-01-31T12:00:00Z<",
    ] {
        assert!(svg.contains(expected), "{expected}");
    }
    assert!(picture
        .to_mermaid()
        .contains("|\"reader #91;from_inside#93; #91;until 2027-01-31T12:00:00Z#93;\"|"));
}

/// A list may name owners, which register objects: no relationship, but nothing that is refused.
#[test]
fn owners_of_a_list_are_not_called_ignored() {
    let policy = policy(HOSPITAL);
    let resource = policy.resources().next().unwrap();
    let owned: Relationship = alloc::format!("{resource}:1#owner@did:x:ann")
        .parse()
        .unwrap();
    let drawn = relationships(&policy, &[owned], &DrawOptions::default()).unwrap();
    let [edge] = drawn.edges.as_slice() else {
        panic!("{:?}", drawn.edges);
    };
    assert_eq!(edge.kind, EdgeKind::Holds);
    assert!(!edge.hint.contains("ignored"), "{}", edge.hint);
}
