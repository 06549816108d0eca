//! Crate dependencies point downwards only (DESIGN §3).

use std::collections::BTreeMap;

/// What each crate may use of ours. A crate that is missing here, or an arrow that is not listed,
/// fails the test: adding one is a decision, made here and in `docs/ARCHITECTURE.md`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("identity", &[]),
    ("merkle", &[]),
    ("wire", &[]),
    ("policy", &[]),
    ("policy-playground", &["policy"]),
    ("rpc", &["wire"]),
    ("hub-types", &["policy", "wire", "identity", "merkle"]),
    (
        "hub-light",
        &["hub-types", "policy", "wire", "identity", "merkle"],
    ),
    (
        "hub-client",
        &[
            "hub-light",
            "hub-types",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    ("hub-ask", &["hub-types", "rpc", "policy", "wire"]),
    (
        "hub-app",
        &[
            "hub-ask",
            "hub-light",
            "hub-types",
            "rpc",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    ("crdt", &["identity", "merkle"]),
    (
        "audit",
        &[
            "crdt",
            "hub-light",
            "hub-types",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    (
        "node",
        &[
            "audit",
            "crdt",
            "hub-ask",
            "hub-client",
            "hub-light",
            "hub-types",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    (
        "cli",
        &[
            "audit",
            "crdt",
            "hub-client",
            "hub-light",
            "hub-types",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    (
        "localnet",
        &[
            "audit",
            "crdt",
            "node",
            "hub-client",
            "hub-light",
            "hub-types",
            "policy",
            "wire",
            "identity",
            "merkle",
        ],
    ),
    ("tests", &[]),
];

#[test]
fn crate_dependencies_point_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let crates = super::crates();
    assert!(
        crates.len() >= ALLOWED.len(),
        "cargo metadata lists {} crates",
        crates.len()
    );
    for (name, folder, uses) in crates {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| {
            panic!("{folder}: crate `{name}` has no row in tests/core/arrows.rs")
        });
        for used in uses {
            assert!(
                may.contains(&used.as_str()),
                "{folder}: `{name}` must not depend on `{used}`: that arrow points upwards"
            );
        }
    }
}
