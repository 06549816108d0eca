//! What the published validation files of SpiceDB assert, run as a person runs them.

use policy::{
    outline::Outline,
    spicedb::{import, ImportOptions, ValidationFile},
    testing::{run, Report, Setting, Verdict},
    Relationship,
};

use crate::suite;

/// When everything is asked. The files hold relationships that expired before, and such that do not
/// expire within this century.
pub const NOW: &str = "2026-11-20T00:00:00Z";

/// A validation file, its policy and its relationships.
pub struct World {
    pub name: String,
    pub file: ValidationFile,
    pub outline: Outline,
    pub relationships: Vec<Relationship>,
}

/// The validation files of a folder of the suites, with their texts.
fn files(folder: &str) -> Vec<(String, String)> {
    suite::list(folder)
        .into_iter()
        .filter(|file| file.contains(".yaml"))
        .filter_map(|file| Some((file.clone(), suite::read(&file)?)))
        .collect()
}

/// The validation files of a folder of the suites.
pub fn worlds(folder: &str) -> Vec<World> {
    let files = files(folder);
    files.iter().map(|(name, text)| world(name, text)).collect()
}

fn world(name: &str, text: &str) -> World {
    let file = ValidationFile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let schema = &file.schema.as_ref().unwrap().text;
    let options = ImportOptions {
        name: "suite",
        actor: None,
    };
    let outline = import(schema, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let native = file.relationships.iter().map(|relationship| {
        let native = relationship.to_native(None).unwrap();
        native.parse::<Relationship>().unwrap()
    });
    World {
        name: name.into(),
        relationships: native.collect(),
        outline,
        file,
    }
}

fn run_all(folder: &str, files_expected: usize, asked_expected: usize) {
    let files = files(folder);
    if files.is_empty() {
        return;
    }
    let read = |path: &str| Err(format!("no file names another, but this one {path}"));
    let setting = Setting {
        now: NOW.parse().unwrap(),
        read: &read,
    };
    let mut report = Report::default();
    for (name, text) in &files {
        report.append(run(name, text, &setting));
    }
    let totals = report.to_string();
    println!(
        "{folder}, {} files: {}",
        files.len(),
        totals.lines().last().unwrap()
    );
    assert_eq!(report.count(Verdict::Failed), 0, "{report}");
    assert_eq!(report.count(Verdict::Skipped), 0);
    let asked = (files.len(), report.count(Verdict::Passed));
    assert_eq!(asked, (files_expected, asked_expected));
}

#[test]
fn testconfigs_of_spicedb_pass() {
    run_all("spicedb/testconfigs", 74, 415);
}

#[test]
fn benchmarks_of_spicedb_pass() {
    run_all("workloads/spicedb-bench", 9, 27);
}
