//! Puts the page together: one file that needs nothing else.

use std::{
    env, fs,
    io::{Error, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{engine::general_purpose::STANDARD, Engine};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// The page's scripts, in the order in which they are put together.
const SCRIPTS: &[&str] = &[
    "elements.js",
    "languages.js",
    "editor.js",
    "engine.js",
    "answers.js",
    "graph.js",
    "theorems.js",
    "share.js",
    "main.js",
];

/// The page in the target folder, built anew if something of it has changed.
///
/// # Errors
/// What cargo, `gzip` or the file system say.
pub fn build() -> Result<PathBuf, Error> {
    // Asked when it runs: a program built for another checkout may lie in a shared target folder.
    let crate_folder = env::var("CARGO_MANIFEST_DIR").map_err(Error::other)?;
    let crate_folder = Path::new(&crate_folder);
    let target = compile(crate_folder)?;
    let wasm = gzip(&fs::read(
        target.join("wasm32v1-none/playground/policy_playground.wasm"),
    )?)?;
    let page = assemble(crate_folder, &wasm)?;
    let to = target.join("playground.html");
    // Written beside and moved, so that nobody reads half of a page.
    let beside = target.join(format!("playground.html.{}", std::process::id()));
    fs::write(&beside, page)?;
    fs::rename(&beside, &to)?;
    Ok(to)
}

/// Compiles the wasm; gives the target folder.
fn compile(crate_folder: &Path) -> Result<PathBuf, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = crate_folder.join("../..");
    let built = Command::new(&cargo)
        .args(["build", "--locked", "--quiet", "--lib"])
        .args(["--package", "policy-playground", "--profile", "playground"])
        .args(["--target", "wasm32v1-none"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(Error::other(
            "the wasm does not build; cargo says why above",
        ));
    }
    let metadata = Command::new(&cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(&root)
        .output()?;
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    let target = metadata["target_directory"].as_str();
    Ok(target
        .ok_or_else(|| Error::other("cargo names no target folder"))?
        .into())
}

/// Browsers unpack gzip, and the page is a third as long.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut child = Command::new("gzip")
        .args(["-9", "-n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or_else(|| Error::other("no pipe"))?;
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let packed = child.wait_with_output()?.stdout;
    writer.join().map_err(|_| Error::other("no writer"))??;
    Ok(packed)
}

fn assemble(crate_folder: &Path, wasm: &[u8]) -> Result<String, Error> {
    let read = |name: &str| fs::read_to_string(crate_folder.join("page").join(name));
    let style = read("style.css")?;
    let script: String = SCRIPTS
        .iter()
        .map(|name| read(name))
        .collect::<Result<Vec<_>, _>>()?
        .join("\n");
    for text in [&style, &script, &read("worker.js")?] {
        assert!(!text.contains("</s"), "a script or style that ends itself");
    }
    // `<` stands in no JSON outside of a string, and in none of ours as itself.
    let samples = samples(crate_folder)?.to_string().replace('<', "\\u003c");
    let filled = [
        ("script-hash", hash(&script)),
        ("style-hash", hash(&style)),
        ("style", style),
        ("worker", read("worker.js")?),
        ("samples", samples),
        ("wasm", STANDARD.encode(wasm)),
        ("script", script),
    ];
    // One pass over the template, so that nothing within a text is taken for a place to fill.
    let template = read("page.html")?;
    let mut page = String::with_capacity(2 * wasm.len());
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a place closes");
        let (_, text) = filled
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a known place");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

/// What a content security policy calls a script.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// The samples of the documentation, with questions and theorems to them.
fn samples(crate_folder: &Path) -> Result<Value, Error> {
    let docs = |name: &str| fs::read_to_string(crate_folder.join("../../docs/samples").join(name));
    let own = |name: &str| fs::read_to_string(crate_folder.join("samples").join(name));
    Ok(json!([
        {
            "name": "Clinic",
            "policy": docs("clinic.yaml")?,
            "relationships": docs("clinic.relationships")?,
            "questions": own("clinic.questions")?,
            "theorems": own("clinic.theorems")?,
            "time": "2026-11-20T10:00:00Z",
        },
        {
            "name": "Drive, from SpiceDB",
            "notation": "spicedb",
            "model": docs("drive.zed")?,
            "tuples": docs("drive.relationships.zed")?,
            "questions": own("drive.questions")?,
            "theorems": own("drive.theorems")?,
        },
    ]))
}
