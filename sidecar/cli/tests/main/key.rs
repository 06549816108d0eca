//! `hold key`: what a person sees, what scripts get, and what never leaves.

use std::os::unix::fs::PermissionsExt as _;

use crate::hold::{text, Hold};

#[test]
fn a_key_is_made_listed_shown_and_carried_to_another_home() {
    let hold = Hold::new();
    let made = hold.json(&["key", "new", "alice"]).expect(0).json();
    let did = made["did"].as_str().unwrap().to_owned();
    assert!(did.starts_with("did:key:z6Mk"), "{did}");
    assert!(made["account"].as_str().unwrap().starts_with("hold1"));
    hold.run(&["key", "new", "bob", "--kind", "secp256k1"])
        .expect(0);
    hold.run(&["key", "new", "carol", "--kind", "p256"])
        .expect(0);

    let list = hold.json(&["key", "list"]).expect(0).json();
    let names: Vec<&str> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!(
        hold.run(&["key", "show", "alice", "--did"])
            .expect(0)
            .out
            .trim(),
        did
    );
    let carol = hold.run(&["key", "show", "carol", "--account"]).expect(2);
    assert!(carol.err.contains("no account"), "{}", carol.err);

    for flag in [&[][..], &["--unencrypted"][..]] {
        let out = hold.path(if flag.is_empty() { "sealed" } else { "plain" });
        let mut arguments = vec!["key", "export", "alice", "--out", text(&out)];
        arguments.extend(flag);
        hold.run(&arguments).expect(0);
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = Hold::new();
        let taken = other
            .json(&["key", "import", "alice", text(&out)])
            .expect(0)
            .json();
        assert_eq!(taken["did"].as_str(), Some(did.as_str()));
        // Never over a file that is there.
        hold.run(&arguments).expect(2);
    }
    let plain = std::fs::read_to_string(hold.path("plain")).unwrap();
    assert!(
        plain.starts_with("holdfast-key/1 ed25519 plain "),
        "{plain}"
    );
}

#[test]
fn a_wrong_passphrase_is_one_clear_sentence_and_exit_code_2() {
    let hold = Hold::new();
    hold.run(&["key", "new", "alice"]).expect(0);
    let out = hold.path("plain");
    let arguments = [
        "key",
        "export",
        "alice",
        "--unencrypted",
        "--out",
        text(&out),
    ];
    let wrong = hold
        .run_with(&arguments, Some("not the passphrase"))
        .expect(2);
    assert_eq!(
        wrong.err,
        "hold: wrong passphrase for key \"alice\" (or its file was changed)\n"
    );
    assert!(wrong.out.is_empty());
    assert!(!out.exists());
    let none = hold.run_with(&arguments, None).expect(2);
    assert!(none.err.contains("--passphrase-file"), "{}", none.err);
    let file = hold.file("passphrase", "correct horse battery\n");
    let mut with_file = vec!["--passphrase-file", text(&file)];
    with_file.extend(arguments);
    hold.run_with(&with_file, None).expect(0);
}

#[test]
fn short_passphrases_and_taken_names_are_refused_before_anything_is_written() {
    let hold = Hold::new();
    let short = hold
        .run_with(&["key", "new", "alice"], Some("short"))
        .expect(2);
    assert!(short.err.contains("at least 8"), "{}", short.err);
    assert_eq!(
        hold.json(&["key", "list"]).json()["keys"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    hold.run(&["key", "new", "alice"]).expect(0);
    let taken = hold.json(&["key", "new", "alice"]).expect(2).json();
    assert!(
        taken["error"].as_str().unwrap().contains("already"),
        "{taken}"
    );
    let bad = hold.run(&["key", "new", "../alice"]).expect(2);
    assert!(bad.err.contains("cannot name a key"), "{}", bad.err);
}

#[test]
fn no_output_of_any_command_holds_the_secret() {
    let hold = Hold::new();
    let seed = "0707070707070707070707070707070707070707070707070707070707070707";
    let file = hold.file("seed", seed);
    let passphrase = "correct horse battery";
    let mut shown = String::new();
    let plain = hold.path("plain");
    for arguments in [
        &["key", "import", "alice", text(&file), "--kind", "ed25519"][..],
        &["key", "import", "bob", text(&file)][..],
        &["key", "show", "alice"][..],
        &["key", "list"][..],
        &[
            "key",
            "export",
            "alice",
            "--unencrypted",
            "--out",
            text(&plain),
        ][..],
    ] {
        for form in ["text", "json"] {
            let mut all = vec!["--output", form];
            all.extend(arguments);
            let ran = hold.run(&all);
            shown.push_str(&ran.out);
            shown.push_str(&ran.err);
        }
    }
    assert!(shown.contains("does not say which kind"), "{shown}");
    for form in [seed, passphrase, "BwcHBwcHBwcHBwcHBwcH"] {
        assert!(!shown.contains(form), "{shown}");
    }
    let stored = std::fs::read_to_string(hold.path("home/keys/alice.json")).unwrap();
    assert!(!stored.contains("0707") && !stored.contains("BwcH"));
    assert!(std::fs::read_to_string(&plain).unwrap().contains(seed));
}
