//! Checks of the source tree itself.

mod arrows;
mod map;
mod names;
mod purity;

use std::path::{Path, PathBuf};

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .parent()
        .expect("tests/ lies in the checkout")
        .to_owned()
}

/// What `cargo metadata` says of our own crates: name, folder, names of our crates that it
/// depends on outside of tests.
fn crates() -> Vec<(String, String, Vec<String>)> {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--locked",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    packages
        .iter()
        .map(|package| {
            let folder = Path::new(package["manifest_path"].as_str().expect("a path"))
                .parent()
                .expect("a folder");
            let folder = folder
                .strip_prefix(root())
                .expect("inside the checkout")
                .to_string_lossy()
                .into_owned();
            let uses = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter();
            let uses = uses
                .filter(|dependency| dependency["kind"].is_null() && !dependency["path"].is_null());
            (
                text(&package["name"]),
                folder,
                uses.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}
