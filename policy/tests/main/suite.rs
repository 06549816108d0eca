//! Data that others published, read from where `HOLDFAST_SUITES` says or from beside the checkout.
//! A suite that is absent is named and skipped.

use std::path::PathBuf;

fn root() -> PathBuf {
    let beside = format!(
        "{}/../../shared/suites",
        std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")
    );
    std::env::var_os("HOLDFAST_SUITES").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

/// The names of the files in a folder of the suites, sorted; none, with a line that says so, where
/// it is absent.
pub fn files(folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else {
        println!("skipped: suite folder {folder} is absent");
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| name.contains(".yaml"))
        .collect();
    names.sort();
    names
}

/// A file of the suites; `None`, with a line that says so, where it is absent.
pub fn read(file: &str) -> Option<String> {
    match std::fs::read_to_string(root().join(file)) {
        Ok(text) => Some(text),
        Err(_) => {
            println!("skipped: suite file {file} is absent");
            None
        }
    }
}
