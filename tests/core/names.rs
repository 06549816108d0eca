//! Names that one crate repeats of another, because it must not know it.

use crdt::{CollectionPreimage, Scope};
use identity::ChainId;
use policy::{Name, ObjectRef};

/// Whatever can stand in a policy can stand in a commit, and nothing else.
#[test]
fn commits_and_policies_take_the_same_names() {
    let chain = ChainId::parse("plant-1").expect("a chain id");
    let long = |length| "a".repeat(length);
    let (longest, too_long) = (long(128), long(129));
    let mut names: Vec<String> = ["", "a", "_", "a_1", "A.b/c-d", "1a", "-a", "a-", "a.", "/a"]
        .into_iter()
        .chain([
            "a b", "a:b", "a#b", "a@b", "ä", "a\"b", "*", "`a`", &longest, &too_long,
        ])
        .map(str::to_owned)
        .collect();
    // Every byte, at each place of a name.
    for byte in 0..128u8 {
        let byte = char::from(byte);
        names.extend([
            format!("{byte}"),
            format!("{byte}a"),
            format!("a{byte}"),
            format!("a{byte}a"),
        ]);
    }
    let mut taken = 0;
    for name in &names {
        let of_policy = Name::new(name).is_ok();
        let collection = CollectionPreimage::new(chain.clone(), [0; 32], name, "batches");
        assert_eq!(collection.is_ok(), of_policy, "{name:?}");
        assert_eq!(Scope::new(name, "1").is_ok(), of_policy, "{name:?}");
        taken += u32::from(of_policy);
    }
    assert!(taken > 200, "{taken}");
}

#[test]
fn commits_and_policies_take_the_same_object_ids() {
    let long = |length| "a".repeat(length);
    let mut ids: Vec<String> = ["", "*", "**", "a*", "a:b", "a@b", "did:key:z", "ä"]
        .into_iter()
        .map(str::to_owned)
        .chain([long(1024), long(1025)])
        .collect();
    for byte in 0..128u8 {
        let byte = char::from(byte);
        ids.extend([format!("{byte}"), format!("a{byte}a")]);
    }
    for id in &ids {
        let of_policy = ObjectRef::new("cell", id).is_ok();
        assert_eq!(Scope::new("cell", id).is_ok(), of_policy, "{id:?}");
    }
}
