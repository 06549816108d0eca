//! Pure crates build where there is no operating system to reach for.

use std::process::Command;

/// The crates that DESIGN §3 calls pure.
const PURE: &[&str] = &[
    "identity",
    "merkle",
    "wire",
    "policy",
    "hub-types",
    "hub-light",
    "crdt",
    "audit",
];

#[test]
fn pure_crates_build_without_std() {
    for name in PURE {
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--locked",
                "--quiet",
                "--package",
                name,
                "--target",
                "wasm32v1-none",
            ])
            .current_dir(super::root())
            .output()
            .expect("cargo runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "`{name}` does not build for wasm32v1-none, so it is not pure:\n{errors}"
        );
    }
}

/// Words that a pure crate's own code must not use; the compiler finds std, this finds the rest.
/// `hashbrown` maps are allowed for look-ups only where the line says so.
const FORBIDDEN: &[&str] = &[
    "f32",
    "f64",
    "SystemTime",
    "Instant",
    "HashMap",
    "HashSet",
    "thread_rng",
    "getrandom",
];

#[test]
fn pure_crates_name_no_floats_clocks_or_hash_order() {
    let crates = super::crates();
    let mut found = Vec::new();
    for name in PURE {
        let (_, folder, _) = crates
            .iter()
            .find(|(package, ..)| package == name)
            .expect("a pure crate exists");
        visit(
            &super::root().join(folder).join("src"),
            &mut |path, text| {
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let mut excused_above = false;
                for (index, line) in code.lines().enumerate() {
                    let line_code = line.split("//").next().unwrap_or_default();
                    let words = || line_code.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let excused = excused_above || line.contains("// pure:");
                    excused_above = line.trim_start().starts_with("// pure:");
                    if !excused
                        && FORBIDDEN
                            .iter()
                            .any(|word| words().any(|found| found == *word))
                    {
                        found.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
                    }
                }
            },
        );
    }
    assert!(
        found.is_empty(),
        "pure crates use what they must not (`// pure: reason` excuses its line, or the next one):\n{}",
        found.join("\n")
    );
}

fn visit(folder: &std::path::Path, look: &mut dyn FnMut(&std::path::Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(
                &path,
                &std::fs::read_to_string(&path).expect("a source file"),
            );
        }
    }
}
