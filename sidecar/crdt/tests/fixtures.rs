//! The published fixtures `ipld-codec-fixtures`: blocks whose file name is their CID, and bytes to
//! refuse.

use std::{env, fs, path::PathBuf};

use crdt::codec::Data;

const SUITE: &str = "ipld-codec-fixtures";

/// A suite that is absent is named and counts as skipped, not as passed.
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

fn cid_of(block: &[u8]) -> String {
    crdt::Cid::of(block).to_string()
}

#[test]
fn each_block_decodes_and_encodes_to_the_name_of_its_file() {
    let Some(suite) = suite() else { return };
    let mut blocks = 0;
    for folder in fs::read_dir(suite.join("fixtures")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path
                .extension()
                .is_none_or(|extension| extension != "dag-cbor")
            {
                continue;
            }
            let block = fs::read(&path).unwrap();
            let data = Data::decode(&block).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert_eq!(cid_of(&data.encode()), name, "{path:?}");
            blocks += 1;
        }
    }
    assert!(blocks >= 120, "the suite has only {blocks} dag-cbor blocks");
}

#[test]
fn what_must_be_refused_is_refused() {
    let Some(suite) = suite() else { return };
    let mut cases = 0;
    for file in fs::read_dir(suite.join("negative-fixtures/dag-cbor/decode")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        for case in found.as_array().unwrap() {
            let bytes = hex::decode(case["hex"].as_str().unwrap()).unwrap();
            let result = Data::decode(&bytes);
            assert!(
                result.is_err(),
                "{path:?}: {} gives {result:?}",
                case["name"]
            );
            cases += 1;
        }
    }
    assert!(cases > 0);
}
