//! YAML anchors and aliases written out: the workloads of OpenFGA use them for whole tuples and whole
//! lists of them, and our reader knows neither.

use std::collections::BTreeMap;

/// The text with what anchors name in the place of their aliases.
pub fn without_aliases(text: &str) -> String {
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut written = String::new();
    // The names that go on, each with its indentation and whether it names an item of a list.
    let mut naming: Vec<(&str, usize, bool)> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let is_item = line.trim_start().starts_with("- ");
        naming.retain(|(_, base, item)| indent > *base || (indent == *base && is_item && !item));
        let (before, reference) = line.rsplit_once(' ').unwrap_or((line, ""));
        let lines: Vec<&str> = match reference.strip_prefix('*') {
            Some(name) => [before].into_iter().chain(named[name].clone()).collect(),
            None if reference.starts_with('&') => vec![before],
            None => vec![line],
        };
        for (name, ..) in &naming {
            named.entry(name).or_default().extend(&lines);
        }
        if let Some(name) = reference.strip_prefix('&') {
            naming.push((name, indent, is_item));
        }
        for line in lines {
            written += line;
            written += "\n";
        }
    }
    written
}
