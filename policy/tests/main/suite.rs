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

/// Every file below a folder of the suites, sorted; none, with a line that says so, where it is
/// absent.
pub fn list(folder: &str) -> Vec<String> {
    let root = root();
    let (mut files, mut folders) = (vec![], vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            println!("skipped: suite folder {} is absent", folder.display());
            continue;
        };
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(file) = path.strip_prefix(&root) {
                files.push(file.to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    files
}

/// The names in a folder of the suites, sorted; none where it is absent.
pub fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
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
