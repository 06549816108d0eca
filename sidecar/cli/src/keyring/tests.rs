//! Round trips, wrong passphrases, modes, and writes that happen whole or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use identity::{KeyKind, SecretKey};

use super::*;

fn secret(kind: KeyKind) -> SecretKey {
    SecretKey::from_seed(kind, [7; 32]).unwrap()
}

fn keyring() -> (tempfile::TempDir, Keyring) {
    let directory = tempfile::tempdir().unwrap();
    let keyring = Keyring::at(directory.path().join("keys"));
    (directory, keyring)
}

#[test]
fn each_kind_of_key_comes_back_and_only_with_its_passphrase() {
    let (_guard, keyring) = keyring();
    for kind in KeyKind::ALL {
        let secret = secret(kind);
        keyring.add(kind.name(), &secret, "correct horse").unwrap();
        let sealed = keyring.get(kind.name()).unwrap();
        let opened = sealed.open("correct horse", kind.name()).unwrap();
        assert_eq!(opened.did(), secret.did());
        assert_eq!(opened.seed(), secret.seed());
        let error = sealed.open("correct  horse", kind.name()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("wrong passphrase for key \"{kind}\" (or its file was changed)")
        );
    }
    assert_eq!(keyring.names().unwrap(), ["ed25519", "p256", "secp256k1"]);
}

#[test]
fn files_and_directory_are_for_the_owner_alone_and_others_are_refused() {
    let (_guard, keyring) = keyring();
    keyring
        .add("alice", &secret(KeyKind::Ed25519), "correct horse")
        .unwrap();
    let path = keyring.path("alice");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&keyring.directory), 0o700);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = keyring.get("alice").unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn a_key_is_never_overwritten_and_no_part_is_left_behind() {
    let (_guard, keyring) = keyring();
    keyring
        .add("alice", &secret(KeyKind::Ed25519), "correct horse")
        .unwrap();
    let before = fs::read(keyring.path("alice")).unwrap();
    let again = keyring.add("alice", &secret(KeyKind::P256), "another one");
    assert!(matches!(again, Err(KeyringError::Taken { .. })));
    // Also where the name is taken between the look and the write.
    let raced = write_new(&keyring.path("alice"), b"other", 0o600).unwrap_err();
    assert_eq!(raced.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(keyring.path("alice")).unwrap(), before);
    let files: Vec<_> = fs::read_dir(&keyring.directory).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn a_write_that_fails_leaves_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    write_over(&path, b"first", 0o600).unwrap();
    write_over(&path, b"second", 0o600).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    // A directory cannot be replaced by a file.
    let taken = directory.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(write_over(&taken, b"third", 0o600).is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn every_changed_field_is_refused_and_never_opens_another_key() {
    let sealed = Sealed::seal(&secret(KeyKind::Ed25519), "correct horse").unwrap();
    let other = Sealed::seal(
        &SecretKey::from_seed(KeyKind::Ed25519, [8; 32]).unwrap(),
        "correct horse",
    )
    .unwrap();
    type Change = fn(&mut Sealed, &Sealed);
    let changes: [(&str, Change); 9] = [
        ("format", |s, _| s.format.push('x')),
        ("kind", |s, _| s.kind = "p256".to_owned()),
        ("did", |s, o| s.did.clone_from(&o.did)),
        ("algorithm", |s, _| s.kdf.algorithm.push('x')),
        ("passes", |s, _| s.kdf.passes -= 1),
        ("memory", |s, _| s.kdf.memory_kib = u32::MAX),
        ("salt", |s, o| s.kdf.salt.clone_from(&o.kdf.salt)),
        ("nonce", |s, o| s.seal.nonce.clone_from(&o.seal.nonce)),
        ("ciphertext", |s, o| {
            s.seal.ciphertext.clone_from(&o.seal.ciphertext)
        }),
    ];
    for (field, change) in changes {
        let mut changed = sealed.clone();
        change(&mut changed, &other);
        assert_ne!(changed, sealed, "{field}");
        assert!(changed.open("correct horse", "alice").is_err(), "{field}");
    }
}

#[test]
fn damaged_files_and_bad_names_get_a_sentence_without_their_content() {
    let (_guard, keyring) = keyring();
    for name in ["", "../alice", "Alice", ".alice", "a/b", &"a".repeat(65)] {
        assert!(matches!(keyring.get(name), Err(KeyringError::Name { .. })));
    }
    assert!(matches!(
        keyring.get("nobody"),
        Err(KeyringError::Missing { .. })
    ));
    for text in ["", "{}", "null", "{\"format\":\"hunter2\"}"] {
        let error = parse("alice", text).unwrap_err();
        assert!(matches!(error, KeyringError::Damaged { .. }));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
