//! `hold policy`, `hold completion`, names and errors: what needs no network.

use crate::hold::{text, Hold};

const POLICY: &str = "\
name: plant
resources:
  cell:
    relations:
      operator:
        types: [actor]
      banned:
        types: [actor]
    permissions:
      update:
        expr: operator - banned
";

const ALICE: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

#[test]
fn a_policy_file_is_validated_and_a_mistake_names_its_place() {
    let hold = Hold::new();
    let good = hold.file("plant.yaml", POLICY);
    let valid = hold
        .json(&["policy", "validate", text(&good)])
        .expect(0)
        .json();
    assert_eq!(
        valid["resources"]["cell"]["permissions"][0], "update",
        "{valid}"
    );
    let bad = hold.file(
        "bad.yaml",
        POLICY.replace("operator - banned", "operater - banned"),
    );
    let invalid = hold
        .json(&["policy", "validate", text(&bad)])
        .expect(1)
        .json();
    assert_eq!(invalid["valid"], false);
    assert!(invalid["line"].as_u64().unwrap() > 1, "{invalid}");
    hold.run(&["policy", "validate", "/nowhere.yaml"]).expect(2);
}

#[test]
fn a_check_from_files_says_yes_no_or_cannot_tell() {
    let hold = Hold::new();
    let policy = hold.file("plant.yaml", POLICY);
    let ban = format!("cell:1#banned@{ALICE}\n");
    let let_in = format!("# comment\ncell:1#operator@{ALICE}\n\n");
    for (relationships, permission, object, code) in [
        (let_in.clone(), "update", "cell:1", 0),
        (let_in.clone(), "update", "cell:2", 1),
        (format!("{let_in}{ban}"), "update", "cell:1", 1),
        (String::new(), "update", "cell:1", 1),
        (format!("cell:1#owner@{ALICE}"), "owner", "cell:1", 0),
        (let_in.clone(), "destroy", "cell:1", 2),
        (let_in, "update", "bell:1", 2),
        (
            "cell:1#operater@did:key:z".to_owned(),
            "update",
            "cell:1",
            2,
        ),
    ] {
        let file = hold.file("relationships", &relationships);
        hold.json(&[
            "policy",
            "check",
            text(&policy),
            ALICE,
            permission,
            object,
            "--relationships",
            text(&file),
        ])
        .expect(code);
    }
}

#[test]
fn every_shell_gets_its_completion() {
    let hold = Hold::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = hold.run(&["completion", shell]).expect(0).out;
        assert!(script.contains("create-policy"), "{shell}");
    }
}

#[test]
fn names_are_local_and_what_is_missing_is_said_with_the_next_step() {
    let hold = Hold::new();
    let id = "ab".repeat(32);
    hold.run(&["hub", "alias", "plant", &id]).expect(0);
    let listed = hold.json(&["hub", "alias"]).expect(0).json();
    assert_eq!(listed["policies"]["plant"], id.as_str());
    hold.run(&["hub", "alias", "plant", "xyz"]).expect(2);

    let no_node = hold.run(&["hub", "status"]).expect(2);
    assert!(no_node.err.contains("hold hub trust"), "{}", no_node.err);
    let no_trust = hold
        .run(&["hub", "status", "--rpc", "http://127.0.0.1:1"])
        .expect(2);
    assert!(no_trust.err.contains("hold hub trust"), "{}", no_trust.err);
    let trust = format!("1:{}", "AB".repeat(32));
    let dead = hold
        .run(&[
            "hub",
            "status",
            "--rpc",
            "http://127.0.0.1:1",
            "--chain-id",
            "plant-1",
            "--trust",
            &trust,
        ])
        .expect(2);
    assert!(dead.err.contains("cannot be reached"), "{}", dead.err);
    let loud = hold.run(&[
        "hub",
        "--unverified",
        "status",
        "--rpc",
        "http://127.0.0.1:1",
    ]);
    assert!(loud.out.contains("UNVERIFIED"), "{}", loud.out);
}

#[test]
fn usage_errors_are_2_and_help_is_0() {
    let hold = Hold::new();
    hold.run(&["--help"]).expect(0);
    hold.run(&["hub", "check", "--help"]).expect(0);
    hold.run(&["nonsense"]).expect(2);
    hold.run(&["hub", "check", "plant"]).expect(2);
}
