//! The published vectors of `rfc6962-merkle-transparency-dev`.
//!
//! Its folders `subtree…` hold proofs of an extension (draft-ietf-plants-merkle-tree-certs):
//! those over a subtree that starts at leaf 0 and is not empty are proofs of RFC 6962 and are run as
//! such, the others are counted as skipped.

use alloc::{format, string::String, vec::Vec};
use base64::{engine::general_purpose::STANDARD, Engine};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    println,
};

use crate::{hash_leaf, verify_consistency, verify_inclusion, CompactRange, Hash, MemoryLog};

const SUITE: &str = "rfc6962-merkle-transparency-dev";

/// The suite's folder. A suite that is absent is named and counts as skipped, not as passed.
fn suite() -> Option<PathBuf> {
    let root = env::var_os("HOLDFAST_SUITES").map_or_else(
        || {
            PathBuf::from(format!(
                "{}/../../../shared/suites",
                env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")
            ))
        },
        PathBuf::from,
    );
    let folder = root.join(SUITE);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {SUITE}");
    None
}

/// All vectors below a folder, with their paths.
fn vectors(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(vectors(&path)),
            false => {
                let value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                all.push((path, value));
            }
        }
    }
    all
}

/// A hash, or `None` where the vector holds something that is no hash (a refusal: in
/// this crate no other length can be said).
fn hash(value: &Value) -> Option<Hash> {
    STANDARD.decode(value.as_str()?).unwrap().try_into().ok()
}

/// A root of a proof of consistency. Some vectors have a few words there that are only compared:
/// a hash of them stands in, equal for equal words.
fn opaque(value: &Value) -> Hash {
    let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
    (&bytes[..])
        .try_into()
        .unwrap_or_else(|_| hash_leaf(&bytes))
}

fn proof(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().into_iter().flatten().map(hash).collect()
}

fn accepted(vector: &Value) -> Option<()> {
    let number = |name: &str| vector[name].as_u64().unwrap();
    let proof = proof(&vector["proof"])?;
    if vector["leafIdx"].is_null() {
        let (old, new) = match vector["size1"].is_null() {
            true => (number("end"), number("size")),
            false => (number("size1"), number("size2")),
        };
        let (old_root, new_root) = (opaque(&vector["root1"]), opaque(&vector["root2"]));
        verify_consistency(old, &old_root, new, &new_root, &proof).ok()
    } else {
        let size = if vector["end"].is_null() {
            "treeSize"
        } else {
            "end"
        };
        let (leaf, root) = (hash(&vector["leafHash"])?, hash(&vector["root"])?);
        verify_inclusion(&leaf, number("leafIdx"), number(size), &proof, &root).ok()
    }
}

#[test]
fn published_proofs_are_accepted_and_refused_as_published() {
    let Some(folder) = suite() else { return };
    let (mut passed, mut wrong, mut other) = (0, 0, 0);
    let mut failures: Vec<String> = Vec::new();
    for (path, vector) in vectors(&folder.join("testdata")) {
        let zero = |name: &str| vector[name].as_u64() == Some(0);
        if !vector["start"].is_null() && (!zero("start") || zero("end")) {
            other += 1;
            continue;
        }
        let refuse = vector["wantErr"].as_bool().unwrap();
        match accepted(&vector).is_none() == refuse {
            true => passed += 1,
            false => failures.push(format!("{}", path.display())),
        }
        wrong += u32::from(refuse);
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(
        passed >= 196,
        "the suite has at least 196 proofs of RFC 6962, found {passed}"
    );
    println!("suite rfc6962: {passed} passed ({wrong} of them wrong on purpose), {other} of the subtree extension skipped");
}

#[test]
fn published_leaves_have_the_published_roots() {
    let Some(folder) = suite() else { return };
    let file = fs::read(folder.join("canonical-leaves-and-roots.json")).unwrap();
    let data: Value = serde_json::from_slice(&file).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let leaves: Vec<_> = data["leaves_hex"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    let roots: Vec<_> = data["roots_hex_by_size"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    assert_eq!(roots.len(), leaves.len() + 1);

    let mut range = CompactRange::new();
    let mut log = MemoryLog::new();
    assert_eq!(range.root()[..], roots[0]);
    for (leaf, root) in leaves.iter().zip(&roots[1..]) {
        range
            .append_leaf_hash(hash_leaf(leaf), &mut |_, _, _| {})
            .unwrap();
        log.append(leaf).unwrap();
        assert_eq!(range.root()[..], root[..]);
        assert_eq!(log.root()[..], root[..]);
    }
    println!("suite rfc6962: {} canonical roots passed", roots.len());
}
