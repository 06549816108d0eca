//! The encoding of leaves against vectors that another program made, and its strictness.

use audit::content::{AskedAt, Content, ContentError, Decision};
use audit::leaf::{Opening, Previous};

use crate::fixture::story::story;

/// Made by `tests/vectors/leaves.py`, which shares no code with this crate.
const VECTORS: &str = include_str!("../vectors/leaves.json");

fn field(vector: &serde_json::Value, name: &str) -> Vec<u8> {
    hex::decode(vector[name].as_str().expect("hexadecimal digits")).expect("hexadecimal digits")
}

#[test]
fn leaves_are_those_of_the_vectors() {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).expect("JSON");
    let mut kinds = Vec::new();
    let mut circumstances = Vec::new();
    for vector in &vectors {
        let previous = vector["previous"].as_object().map(|_| Previous {
            index: vector["previous"]["index"].as_u64().expect("an index"),
            leaf_hash: field(&vector["previous"], "leaf_hash")
                .try_into()
                .expect("32 bytes"),
        });
        let salt = field(vector, "salt").try_into().expect("16 bytes");
        let opening = Opening::from_parts(salt, field(vector, "content"), previous)
            .unwrap_or_else(|error| panic!("{}: {error}", vector["kind"]));
        let index = vector["index"].as_u64().expect("an index");
        assert_eq!(opening.content().kind(), vector["kind"]);
        assert_eq!(
            opening.content_commitment().to_vec(),
            field(vector, "content_commitment")
        );
        assert_eq!(opening.leaf(index).as_bytes(), field(vector, "leaf"));
        assert_eq!(
            opening.leaf(index).hash().to_vec(),
            field(vector, "leaf_hash")
        );
        assert_eq!(opening.link().leaf(index), opening.leaf(index));
        kinds.push(opening.content().kind());
        if let Content::Decision(decision) = opening.content() {
            circumstances.push((decision.asked_at, decision.context.clone()));
        }
    }
    let at = |seconds, nanos| Some(AskedAt { seconds, nanos });
    assert_eq!(
        circumstances,
        [
            (None, None),
            (
                at(1_795_000_027, 999_999_999),
                Some(r#"{"from":"10.0.0.1","number":7}"#.into())
            ),
            (at(0, 0), None),
        ]
    );
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "commit-held",
            "commit-refused",
            "decision",
            "decision",
            "decision",
            "denials-overflow",
            "rollback"
        ]
    );
}

#[test]
fn content_has_one_spelling() {
    let story = story(1);
    for opening in &story.a.openings {
        let bytes = opening.content_bytes();
        assert_eq!(Content::decode(bytes).as_ref(), Ok(opening.content()));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.to_vec();
                other[at] ^= 1 << bit;
                // Whatever reads is something else, and spelled as it would be written.
                if let Ok(content) = Content::decode(&other) {
                    assert_ne!(content, *opening.content());
                    assert_eq!(content.encode().as_deref(), Ok(&other[..]));
                }
            }
            assert!(Content::decode(&bytes[..at]).is_err());
        }
        assert!(Content::decode(&[bytes, &[0]].concat()).is_err());
    }
}

/// The circumstances of a decision have one spelling, as the rest of it has.
#[test]
fn circumstances_of_a_decision_have_one_spelling() {
    let story = story(1);
    let decisions = story.a.openings.iter().map(|opening| opening.content());
    let decision = decisions
        .filter_map(|content| match content {
            Content::Decision(decision) => Some(decision),
            _ => None,
        })
        .next()
        .expect("a decision");
    let with = |asked_at: Option<AskedAt>, context: Option<String>| {
        let content = Content::Decision(Decision {
            asked_at,
            context,
            ..decision.clone()
        });
        content.encode().map(|bytes| {
            assert_eq!(Content::decode(&bytes), Ok(content));
        })
    };
    let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    for (context, good) in [
        (r#"{"a":1}"#.into(), true),
        (r#"{"a":1,"b":[true,null,-1.5]}"#.into(), true),
        (long(1024), true),
        (long(1025), false),
        (r#"{"b":1,"a":1}"#.into(), false),
        (r#"{"a":1,"a":1}"#.into(), false),
        (r#"{"a": 1}"#.into(), false),
        (r#"{"a":1.50}"#.into(), false),
        (r#"{"a":1}x"#.into(), false),
        (r#"{"a":1"#.into(), false),
        ("{}".into(), false),
        ("[]".into(), false),
        ("null".into(), false),
        (String::new(), false),
    ] {
        let expected = match good {
            true => Ok(()),
            false => Err(ContentError::Circumstances),
        };
        assert_eq!(with(None, Some(context.clone())), expected, "{context}");
    }
    for (seconds, nanos, good) in [
        (0, 0, true),
        (0, 999_999_999, true),
        (0, 1_000_000_000, false),
        (i64::MIN, 0, false),
        (i64::MAX, 0, false),
        (253_402_300_799, 999_999_999, true),
        (253_402_300_800, 0, false),
    ] {
        let expected = match good {
            true => Ok(()),
            false => Err(ContentError::Circumstances),
        };
        let asked_at = Some(AskedAt { seconds, nanos });
        assert_eq!(with(asked_at, None), expected, "{seconds} {nanos}");
    }
}

#[test]
fn leaf_proves_its_place() {
    let story = story(1);
    let opening = &story.a.openings[1];
    assert_ne!(opening.leaf(1), opening.leaf(2));
    // Without a previous leaf of its document it is another leaf, too.
    let mut orphan = story.a.openings[3].clone();
    orphan.previous = None;
    assert_ne!(orphan.leaf(3), story.a.openings[3].leaf(3));
}
