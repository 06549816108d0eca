//! The README's commands about policies, each run as it is written.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stands before a block of commands that is run here.
const MARK: &str = "<!-- tested: policies -->";

fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    Path::new(&package).join("../..").canonicalize().unwrap()
}

/// The groups of commands, which empty lines part.
fn groups() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, block) = readme.split_once(MARK).expect("the README has the block");
    let (_, block) = block.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let commands = |group: &str| {
        let lines = group.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    block.split("\n\n").map(commands).collect()
}

/// `# exit code N` behind a command; else 0.
fn expected(command: &str) -> i32 {
    let code = command.split_once("# exit code ").map(|(_, rest)| rest);
    let digits = code.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
    digits.map_or(0, |digits: String| digits.parse().unwrap())
}

#[test]
fn the_readmes_commands_about_policies_do_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (checkout, shared) = (folder.path().join("checkout"), folder.path().join("shared"));
    std::fs::create_dir(&checkout).unwrap();
    std::fs::create_dir(&shared).unwrap();
    symlink(root().join("docs"), checkout.join("docs")).unwrap();
    let suites = std::env::var_os("HOLDFAST_SUITES")
        .map_or_else(|| root().join("../shared/suites"), PathBuf::from);
    if suites.exists() {
        symlink(suites, shared.join("suites")).unwrap();
    }
    let hold = Path::new(env!("CARGO_BIN_EXE_hold")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut run = 0;
    for group in groups() {
        let needs_suite = group.iter().any(|command| command.contains("/suites/"));
        if needs_suite && !shared.join("suites/openfga-language").exists() {
            println!("skipped: suite folder openfga-language is absent");
            continue;
        }
        // A variable that one line sets stands for the lines after it.
        let mut set = String::new();
        for command in group {
            if command
                .split('=')
                .next()
                .unwrap()
                .chars()
                .all(|c| c.is_ascii_uppercase())
            {
                set = command;
                continue;
            }
            let done = Command::new("sh")
                .arg("-c")
                .arg(format!("{set}\n{command}"))
                .current_dir(&checkout)
                .env("PATH", format!("{}:{path}", hold.display()))
                .env("HOLDFAST_HOME", folder.path().join("home"))
                .output()
                .unwrap();
            assert_eq!(
                done.status.code(),
                Some(expected(&command)),
                "{command}\n{}{}",
                String::from_utf8_lossy(&done.stdout),
                String::from_utf8_lossy(&done.stderr)
            );
            run += 1;
        }
    }
    assert!(run > 15, "{run} commands were run");
    for drawn in ["clinic.svg", "people.svg"] {
        let picture = std::fs::read_to_string(checkout.join(drawn)).unwrap();
        assert!(
            picture.starts_with("<svg") || picture.starts_with("<?xml"),
            "{drawn}"
        );
    }
}
