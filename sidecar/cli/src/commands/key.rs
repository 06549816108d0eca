//! `hold key`: make, list, show, export and import keys.
//!
//! A secret leaves this process in two ways only: sealed, or into a new file of mode 0600 when a
//! person says `--unencrypted`. None is ever printed (Invariant 9).

use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use clap::Subcommand;
use identity::{AccountAddress, Did, KeyKind, SecretKey};
use serde_json::{json, Value};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::keyring::{self, Sealed};
use crate::reply::{fields, table, Reply};

/// What an unencrypted key file begins with; `sidecar init --operator-key` reads it.
const PLAIN_TAG: &str = "holdfast-key/1";

/// What `hold key` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key and keep it under a passphrase
    New {
        /// What to call it here
        name: String,
        /// The kind of key; p256 keys sign documents but no hub transactions
        #[arg(long, default_value = "ed25519", value_name = "ed25519|secp256k1|p256")]
        kind: KeyKind,
    },
    /// List the keys of this keyring
    List,
    /// Show a key's DID, hub account and public key
    Show {
        /// The key
        name: String,
        /// Print the DID alone
        #[arg(long, conflicts_with = "account")]
        did: bool,
        /// Print the hub account alone
        #[arg(long)]
        account: bool,
    },
    /// Write a key to a file, sealed as it is kept
    Export {
        /// The key
        name: String,
        /// The file to make; it is never overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write it in the clear, as `sidecar init --operator-key` takes it
        #[arg(long, alias = "unsafe")]
        unencrypted: bool,
    },
    /// Take a key from a file that `export` wrote, or that holds a seed of 64 hexadecimal digits
    Import {
        /// What to call it here
        name: String,
        /// The file
        file: PathBuf,
        /// The kind of key, for a file that does not say
        #[arg(long, value_name = "ed25519|secp256k1|p256")]
        kind: Option<KeyKind>,
    },
}

/// Runs one of them.
///
/// # Errors
/// Those of the keyring and of passphrases.
pub fn run(context: &Context, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::New { name, kind } => new(context, &name, kind),
        Command::List => list(context),
        Command::Show { name, did, account } => show(context, &name, did, account),
        Command::Export {
            name,
            out,
            unencrypted,
        } => export(context, &name, &out, unencrypted),
        Command::Import { name, file, kind } => import(context, &name, &file, kind),
    }
}

fn new(context: &Context, name: &str, kind: KeyKind) -> anyhow::Result<Reply> {
    let keyring = context.keyring();
    keyring.vacant(name)?;
    let passphrase = context.passphrases.fresh(name)?;
    let secret = generate(kind)?;
    keyring.add(name, &secret, &passphrase)?;
    Ok(described(
        &format!("Made key \"{name}\"."),
        name,
        &secret.did(),
    ))
}

/// Draws seeds until one is a key: the first, but for a chance of 2^-32 on P-256.
fn generate(kind: KeyKind) -> anyhow::Result<SecretKey> {
    for _ in 0..16 {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(|_| keyring::KeyringError::Entropy)?;
        if let Ok(secret) = SecretKey::from_seed(kind, *seed) {
            return Ok(secret);
        }
    }
    Err(keyring::KeyringError::Entropy.into())
}

fn list(context: &Context) -> anyhow::Result<Reply> {
    let keyring = context.keyring();
    let mut rows = vec![["NAME", "KIND", "DID"].map(str::to_owned).to_vec()];
    let mut values = Vec::new();
    for name in keyring.names()? {
        match keyring.get(&name) {
            Ok(sealed) => {
                values.push(json!({"name": name, "kind": sealed.kind, "did": sealed.did}));
                rows.push(vec![name, sealed.kind, sealed.did]);
            }
            Err(error) => {
                values.push(json!({"name": name, "error": error.to_string()}));
                rows.push(vec![name, "?".to_owned(), format!("({error})")]);
            }
        }
    }
    let text = if values.is_empty() {
        format!(
            "No keys in {}. Make one: hold key new NAME",
            context.home.join("keys").display()
        )
    } else {
        table(&rows)
    };
    Ok(Reply::yes(text, json!({ "keys": values })))
}

fn show(context: &Context, name: &str, did_only: bool, account: bool) -> anyhow::Result<Reply> {
    let sealed = context.keyring().get(name)?;
    let did =
        Did::parse(&sealed.did).with_context(|| format!("the DID of key \"{name}\" is damaged"))?;
    let mut reply = described("", name, &did);
    if did_only {
        reply.text = did.to_string();
    }
    if account {
        reply.text = AccountAddress::of(did.public_key())
            .with_context(|| format!("key \"{name}\" has no hub account"))?
            .to_string();
    }
    Ok(reply)
}

/// A key's public face, as text and JSON.
fn described(headline: &str, name: &str, did: &Did) -> Reply {
    let public = did.public_key();
    let account = AccountAddress::of(public).ok().map(|it| it.to_string());
    let public_hex = hex::encode(public.as_bytes());
    let mut text = String::new();
    if !headline.is_empty() {
        text.push_str(headline);
        text.push('\n');
    }
    text.push_str(&fields(&[
        ("name", name.to_owned()),
        ("kind", public.kind().to_string()),
        ("did", did.to_string()),
        (
            "account",
            account
                .clone()
                .unwrap_or_else(|| "none (p256 keys sign no transactions)".to_owned()),
        ),
        ("public key", public_hex.clone()),
    ]));
    Reply::yes(
        text,
        json!({
            "name": name,
            "kind": public.kind().name(),
            "did": did.to_string(),
            "account": account.map_or(Value::Null, Value::String),
            "public_key": public_hex,
        }),
    )
}

fn export(context: &Context, name: &str, out: &Path, unencrypted: bool) -> anyhow::Result<Reply> {
    let sealed = context.keyring().get(name)?;
    let text = if unencrypted {
        let passphrase = context.passphrases.existing(name)?;
        let secret = sealed.open(&passphrase, name)?;
        let seed = Zeroizing::new(hex::encode(secret.seed()));
        Zeroizing::new(format!("{PLAIN_TAG} {} plain {}\n", secret.kind(), *seed))
    } else {
        Zeroizing::new(serde_json::to_string_pretty(&sealed)?)
    };
    keyring::write_new(out, text.as_bytes(), 0o600).with_context(|| {
        format!(
            "cannot write {} (an existing file is never overwritten)",
            out.display()
        )
    })?;
    let (how, warning) = if unencrypted {
        (
            "in the clear",
            "\nWhoever reads this file has the key. Move it where it is needed and delete it here.",
        )
    } else {
        ("sealed under its passphrase", "")
    };
    Ok(Reply::yes(
        format!("Wrote key \"{name}\" to {}, {how}.{warning}", out.display()),
        json!({
            "name": name,
            "did": sealed.did,
            "file": out.display().to_string(),
            "encrypted": !unencrypted,
        }),
    ))
}

fn import(
    context: &Context,
    name: &str,
    file: &Path,
    kind: Option<KeyKind>,
) -> anyhow::Result<Reply> {
    let keyring = context.keyring();
    keyring.vacant(name)?;
    let text = Zeroizing::new(
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
    );
    if text.trim_start().starts_with('{') {
        let sealed: Sealed = keyring::parse(name, &text)?;
        // Opened once, so that a key whose passphrase is lost is not taken in.
        let passphrase = context.passphrases.existing(name)?;
        let secret = sealed.open(&passphrase, name)?;
        keyring.store(name, &sealed)?;
        return Ok(described(
            &format!("Imported key \"{name}\"."),
            name,
            &secret.did(),
        ));
    }
    let secret = parse_plain(&text, kind, file)?;
    let passphrase = context.passphrases.fresh(name)?;
    keyring.add(name, &secret, &passphrase)?;
    Ok(described(
        &format!("Imported key \"{name}\"."),
        name,
        &secret.did(),
    ))
}

/// `holdfast-key/1 KIND plain HEX`, or a bare seed. Errors never repeat the text.
fn parse_plain(text: &str, kind: Option<KeyKind>, file: &Path) -> anyhow::Result<SecretKey> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (kind, digits) = match words.as_slice() {
        [PLAIN_TAG, stated, "plain", digits] => {
            let stated: KeyKind = stated.parse()?;
            if kind.is_some_and(|kind| kind != stated) {
                bail!("{} holds a key of kind {stated}", file.display());
            }
            (stated, *digits)
        }
        [PLAIN_TAG, _, "sealed", ..] => bail!(
            "{} is a sidecar's sealed key; it opens only where its sidecar is",
            file.display()
        ),
        [digits] => match kind {
            Some(kind) => (kind, *digits),
            None => bail!(
                "{} does not say which kind of key it holds; add --kind",
                file.display()
            ),
        },
        _ => bail!(
            "{} is no key file: expected what `hold key export` wrote, or 64 hexadecimal digits",
            file.display()
        ),
    };
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(digits, seed.as_mut())
        .ok()
        .with_context(|| {
            format!(
                "the seed in {} is not 64 hexadecimal digits",
                file.display()
            )
        })?;
    Ok(SecretKey::from_seed(kind, *seed)?)
}
