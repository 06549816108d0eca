//! Test files, and the reports that running them gives: each `tests/runs/*.yaml` has its report beside
//! it, in `*.txt`. `HOLDFAST_BLESS=1` writes what comes out.

use std::path::PathBuf;

use policy::testing::{run, Setting};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/runs")
}

#[test]
fn every_file_gives_its_report() {
    let folder = folder();
    let read = |path: &str| {
        let found = std::fs::read_to_string(folder.join(path));
        found.map_err(|_| format!("there is no file {path}"))
    };
    let setting = Setting {
        now: "2026-11-20T00:00:00Z".parse().unwrap(),
        read: &read,
    };
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.strip_suffix(".yaml").unwrap();
        let name = name.strip_suffix(".fga").unwrap_or(name);
        let report = run(file, &read(file).unwrap(), &setting);
        let report = format!("{report}\n");
        let expected = format!("{name}.txt");
        if std::env::var_os("HOLDFAST_BLESS").is_some() {
            std::fs::write(folder.join(&expected), &report).unwrap();
        }
        if report != read(&expected).unwrap_or_default() {
            wrong.push(format!("{file} gives\n{report}"));
        }
    }
    println!(
        "test files: {} of {} give their report",
        files.len() - wrong.len(),
        files.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
