//! The encoding of leaves against vectors that another program made, and its strictness.

use audit::content::Content;
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
    }
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "commit-held",
            "commit-refused",
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
