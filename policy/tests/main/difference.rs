//! What an edit of a live policy is said to do.

use policy::{difference, Change, Circumstances, History, Policy, Relationship, Revision};

const OLD: &str = "
implicit_owner: false
resources:
- name: group
  relations:
  - name: member
- name: document
  relations:
  - name: reader
    types: [actor, group->member, \"*\"]
  - name: writer
  permissions:
  - name: read
    expr: reader + writer
  - name: print
    expr: reader
";

fn facts() -> Vec<Relationship> {
    [
        "document:1#reader@did:u:ann",
        "document:1#writer@did:u:bob",
        "document:2#reader@*",
        "document:3#reader@group:g#member",
        "group:g#member@did:u:cid",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect()
}

fn said(new: &str) -> String {
    let facts = facts();
    let mut history = History::of(Policy::parse(OLD).unwrap(), &facts).unwrap();
    let about = Revision {
        revision: 1,
        height: 2,
        time_seconds: 0,
        time_nanos: 0,
    };
    let definition = new.into();
    history
        .apply(about, &[Change::Defined { definition }])
        .unwrap();
    let (before, after) = (history.at(0).unwrap(), history.at(1).unwrap());
    difference(&before, &after, &facts, &Circumstances::default(), 2)
        .unwrap()
        .to_string()
}

#[test]
fn what_an_edit_does_is_said_with_examples() {
    assert_eq!(said(OLD), "nothing changes for anybody");
    // Whoever reads may also write.
    let wider = OLD.replace("expr: reader\n", "expr: reader + writer\n");
    assert_eq!(
        said(&wider),
        "grows    document#print: 1\n         document:1#print@did:u:bob"
    );
    // Everyone is no longer a reader.
    let narrower = OLD.replace(", \"*\"", "");
    let text = said(&narrower);
    assert!(text.contains("invalid  document:2#reader@*\n         relation \"reader\" of resource \"document\" does not allow *; it allows actor, group->member"), "{text}");
    assert!(
        text.contains("shrinks  document#read: 1\n         document:2#read@*"),
        "{text}"
    );
    let renamed = OLD.replace("name: print", "name: copy");
    assert_eq!(
        said(&renamed),
        "added    document#copy\nremoved  document#print"
    );
}
