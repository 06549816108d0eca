//! `docs/ARCHITECTURE.md` is true: it names every crate.

#[test]
fn the_map_names_every_crate() {
    let map = std::fs::read_to_string(super::root().join("docs/ARCHITECTURE.md"))
        .expect("docs/ARCHITECTURE.md");
    for (name, folder, _) in super::crates() {
        assert!(
            map.contains(&format!("`{folder}`")),
            "docs/ARCHITECTURE.md does not name `{folder}` (crate {name})"
        );
    }
}
