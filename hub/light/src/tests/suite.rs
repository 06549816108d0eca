//! The published vectors of `ics23-cosmos`: IAVL, Tendermint's and sparse trees, through the same
//! functions as our own proofs.

use std::{env, format, fs, path::PathBuf, println, string::String, vec::Vec};

use ics23::{CommitmentProof, ProofSpec};
use serde_json::Value;
use wire::Message;

use crate::{jmt_spec, verify_absence, verify_presence, LightError};

const SUITE: &str = "ics23-cosmos";

/// The suite's folder. A suite that is absent is named and counts as skipped, not as passed.
fn suite() -> Option<PathBuf> {
    let beside = PathBuf::from(format!(
        "{}/../../../shared/suites",
        env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")
    ));
    let folder = env::var_os("HOLDFAST_SUITES")
        .map_or(beside, PathBuf::from)
        .join(SUITE);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {SUITE}");
    None
}

struct Vector {
    name: String,
    root: [u8; 32],
    proof: CommitmentProof,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl Vector {
    fn read(path: &std::path::Path) -> Self {
        let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let bytes = |field: &str| hex::decode(json[field].as_str().unwrap_or_default()).unwrap();
        let value = bytes("value");
        Self {
            name: format!("{}", path.display()),
            root: bytes("root").try_into().unwrap(),
            proof: CommitmentProof::decode(&bytes("proof")[..]).unwrap(),
            key: bytes("key"),
            value: (!value.is_empty()).then_some(value),
        }
    }

    fn verify(&self, spec: &ProofSpec, root: &[u8; 32], key: &[u8]) -> Result<(), LightError> {
        match &self.value {
            Some(value) => verify_presence(spec, root, &self.proof, key, value, "it"),
            None => verify_absence(spec, root, &self.proof, key, "it"),
        }
    }
}

#[test]
fn published_proofs_verify_and_only_as_published() {
    let Some(folder) = suite() else { return };
    let mut count = 0;
    for (tree, spec) in [
        ("iavl", ics23::iavl_spec()),
        ("tendermint", ics23::tendermint_spec()),
        ("smt", ics23::smt_spec()),
    ] {
        for entry in fs::read_dir(folder.join("testdata").join(tree)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let vector = Vector::read(&path);
            assert_eq!(
                vector.verify(&spec, &vector.root, &vector.key),
                Ok(()),
                "{}",
                vector.name
            );
            let mut root = vector.root;
            root[31] ^= 1;
            assert_eq!(
                vector.verify(&spec, &root, &vector.key),
                Err(LightError::Root { what: "it" })
            );
            let other = [&vector.key[..], b"x"].concat();
            assert_eq!(
                vector.verify(&spec, &vector.root, &other),
                Err(LightError::Key { what: "it" })
            );
            // None of them passes for a proof of our own trees.
            assert!(vector
                .verify(&jmt_spec(), &vector.root, &vector.key)
                .is_err());
            count += 1;
        }
    }
    assert_eq!(count, 18, "{SUITE} has six proofs for each of three trees");
}
