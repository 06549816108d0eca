//! `hold audit verify`: what is no trail gets a no with its reason, what cannot be read a 2.

use crate::hold::{text, Hold};

#[test]
fn what_is_no_trail_is_refused_by_name_and_what_is_not_there_cannot_be_told() {
    let hold = Hold::new();
    let trust = format!("7:{}", "ab".repeat(32));
    let garbage = hold.file("garbage.hold", [0xff_u8; 4096]);
    let refused = hold
        .json(&["audit", "verify", text(&garbage), "--trust", &trust])
        .expect(1)
        .json();
    assert_eq!(refused["verified"], false);
    assert!(
        refused["error"].as_str().unwrap().contains("no bundle"),
        "{refused}"
    );
    let cut = hold.file("cut.hold", b"holdfast trail 1\n");
    hold.run(&["audit", "verify", text(&cut), "--trust", &trust])
        .expect(1);
    hold.run(&["audit", "report", text(&cut), "--trust", &trust])
        .expect(1);
    let missing = hold.path("missing.hold");
    hold.run(&["audit", "verify", text(&missing), "--trust", &trust])
        .expect(2);
    for bad in ["7", "7:ab", "x:y", ":"] {
        let ran = hold
            .run(&["audit", "verify", text(&garbage), "--trust", bad])
            .expect(2);
        assert!(ran.err.contains("HEIGHT:HASH"), "{}", ran.err);
    }
}

#[test]
fn verifying_opens_no_socket() {
    let hold = Hold::new();
    let garbage = hold.file("garbage.hold", [0_u8; 64]);
    let trust = format!("7:{}", "ab".repeat(32));
    let isolated = std::process::Command::new("unshare")
        .args(["-n", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !isolated {
        eprintln!("skipped: this user may not cut off the network here");
        return;
    }
    let output = std::process::Command::new("unshare")
        .arg("-n")
        .arg(env!("CARGO_BIN_EXE_hold"))
        .arg("--home")
        .arg(hold.path("home"))
        .args(["audit", "verify", text(&garbage), "--trust", &trust])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
