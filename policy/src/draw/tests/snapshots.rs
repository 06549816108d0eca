//! One small drawing of each kind, kept byte for byte. `HOLDFAST_BLESS=1` writes them anew; then look
//! at them.

use alloc::{format, string::String, vec::Vec};

use super::{
    super::{relationships, schema, DrawOptions},
    policy,
};
use crate::Relationship;

const POLICY: &str = "\
name: files
resources:
  file:
    relations:
      folder: {types: [folder]}
      reader: {types: [actor, group->member, '*'], manages: []}
      banned: {types: [actor]}
      admin: {types: [actor], manages: [reader, banned]}
    permissions:
      read: {expr: (reader + folder->read & reader) - banned}
      delete: {}
  folder:
    relations:
      parent: {types: [folder]}
      reader: {types: [group->member]}
    permissions:
      read: {expr: reader + parent->read + owner}
  group:
    relations:
      member: {types: [actor, group->member]}
";

const RELATIONSHIPS: &str = "\
file:plan#folder@folder:site
file:plan#banned@did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp
folder:site#parent@folder:all
folder:site#reader@group:crew#member
group:crew#member@did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK
file:plan#reader@*
";

fn compare(name: &str, found: &str) {
    // Asked for when the test runs: checkouts may share what is compiled.
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let path = format!("{folder}/tests/draw/{name}");
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == found,
        "{name} differs from what is kept; run with HOLDFAST_BLESS=1 and look at it"
    );
}

#[test]
fn small_drawings_are_as_they_were() {
    let policy = policy(POLICY);
    let picture = schema(&policy);
    compare("files.svg", &picture.to_svg());
    compare("files.mmd", &picture.to_mermaid());
    let facts: Vec<Relationship> = RELATIONSHIPS
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let picture = relationships(&policy, &facts, &DrawOptions::default()).unwrap();
    let svg: String = picture.to_svg();
    compare("files-relationships.svg", &svg);
    compare("files-relationships.mmd", &picture.to_mermaid());
}
