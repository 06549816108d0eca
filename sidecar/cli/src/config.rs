//! `config.toml`: where the hub is, which block is trusted, and what things are called here.
//!
//! Names like `plant` are local: they mean something on this machine only, and the hub knows
//! ids. The file is for people, so what a command changes in it leaves their comments as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use hub_types::{LogId, PolicyId};
use serde::Deserialize;
use toml_edit::{value, Array, DocumentMut, Item, Table};

use crate::keyring::write_over;

/// The whole file. Every section may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The hub.
    #[serde(default)]
    pub hub: Hub,
    /// The sidecar that `hold doc` and `hold audit fetch` talk to.
    #[serde(default)]
    pub sidecar: Sidecar,
    /// Keys.
    #[serde(default)]
    pub keys: Keys,
    /// Names of policies: their ids.
    #[serde(default)]
    pub policies: BTreeMap<String, String>,
    /// Names of audit logs: their ids.
    #[serde(default)]
    pub logs: BTreeMap<String, String>,
}

/// `[hub]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// RPC addresses, tried in turn. None of them is trusted.
    #[serde(default)]
    pub rpc: Vec<String>,
    /// The chain's id.
    pub chain_id: Option<String>,
    /// The block that a person trusts, `HEIGHT:HASH`.
    pub trust: Option<String>,
    /// How old a trusted header may be, in hours. Shorter than the chain's unbonding time.
    pub trusting_period_hours: Option<u64>,
    /// What is paid for a million units of gas, in `uhold`.
    pub price_per_million_gas: Option<u64>,
}

/// `[sidecar]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    /// Its address.
    pub url: Option<String>,
}

/// `[keys]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The key that signs when no `--from` is given.
    pub default: Option<String>,
}

/// A name is a bare TOML key and never reads like an id.
const NAME_CHARS_MAX: usize = 40;

impl Config {
    /// The file in `home`.
    #[must_use]
    pub fn path(home: &Path) -> PathBuf {
        home.join("config.toml")
    }

    /// Reads the file in `home`; an absent one is an empty one.
    ///
    /// # Errors
    /// When it cannot be read or is not valid; the cause names line and column.
    pub fn read(home: &Path) -> anyhow::Result<Self> {
        let path = Self::path(home);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default())
            }
            other => other.with_context(|| format!("cannot read {}", path.display()))?,
        };
        toml_edit::de::from_str(&text)
            .with_context(|| format!("{} is not a valid configuration", path.display()))
    }

    /// The key that signs by default.
    #[must_use]
    pub fn default_key(&self) -> Option<&str> {
        self.keys.default.as_deref()
    }

    /// A policy as a person writes it: a local name or an id.
    ///
    /// # Errors
    /// When it is neither.
    pub fn policy(&self, text: &str) -> anyhow::Result<PolicyId> {
        let id = resolve(text, &self.policies, "policy", "hold hub alias NAME ID")?;
        PolicyId::parse(id).with_context(|| format!("the name \"{text}\" stands for a damaged id"))
    }

    /// An audit log as a person writes it: a local name or an id.
    ///
    /// # Errors
    /// When it is neither.
    pub fn log(&self, text: &str) -> anyhow::Result<LogId> {
        let id = resolve(
            text,
            &self.logs,
            "audit log",
            "hold hub alias --log NAME ID",
        )?;
        LogId::parse(id).with_context(|| format!("the name \"{text}\" stands for a damaged id"))
    }

    /// What a policy is called here.
    #[must_use]
    pub fn name_of(&self, policy: &PolicyId) -> Option<&str> {
        let id = policy.to_string();
        self.policies
            .iter()
            .find(|(_, each)| **each == id)
            .map(|(name, _)| name.as_str())
    }
}

fn resolve<'a>(
    text: &'a str,
    names: &'a BTreeMap<String, String>,
    what: &str,
    remedy: &str,
) -> anyhow::Result<&'a str> {
    if let Some(id) = names.get(text) {
        return Ok(id);
    }
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let known: Vec<&str> = names.keys().map(String::as_str).collect();
    let known = if known.is_empty() {
        "none is known here yet".to_owned()
    } else {
        format!("known here: {}", known.join(", "))
    };
    bail!(
        "no {what} is called \"{text}\" on this machine ({known}); \
         give its id of 64 hexadecimal digits, or name it: {remedy}"
    )
}

/// Checks a local name.
///
/// # Errors
/// When it could be taken for an id or is no bare word.
pub fn check_name(name: &str) -> anyhow::Result<()> {
    let word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !word || name.is_empty() || name.len() > NAME_CHARS_MAX {
        bail!("\"{name}\" cannot be a local name: use 1 to {NAME_CHARS_MAX} letters, digits, `-` and `_`");
    }
    Ok(())
}

/// Changes the file in `home`, keeping its comments, and writes it whole or not at all.
///
/// # Errors
/// When the file cannot be read, understood or written; it is then as it was.
pub fn edit(home: &Path, change: impl FnOnce(&mut DocumentMut)) -> anyhow::Result<()> {
    let path = Config::path(home);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let mut document: DocumentMut = text
        .parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))?;
    change(&mut document);
    create_private_directory(home)?;
    write_over(&path, document.to_string().as_bytes(), 0o600)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Creates `home` for its owner alone, where it is not there yet.
///
/// # Errors
/// Those of the file system.
pub fn create_private_directory(home: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)
        .with_context(|| format!("cannot create {}", home.display()))
}

/// Sets `[section] key`.
pub fn set(document: &mut DocumentMut, section: &str, key: &str, text: &str) {
    section_of(document, section)[key] = value(text);
}

/// Sets `[section] key` to a list.
pub fn set_list(document: &mut DocumentMut, section: &str, key: &str, texts: &[String]) {
    section_of(document, section)[key] = value(texts.iter().collect::<Array>());
}

fn section_of<'a>(document: &'a mut DocumentMut, section: &str) -> &'a mut Item {
    let item = document.entry(section).or_insert(Item::None);
    if !item.is_table_like() {
        *item = Item::Table(Table::new());
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_writes_keeps_what_a_person_wrote() {
        let home = tempfile::tempdir().unwrap();
        let path = Config::path(home.path());
        std::fs::write(
            &path,
            "# mine\n[hub]\nrpc = [\"http://a\"] # the old one\n\n[keys]\ndefault = \"alice\"\n",
        )
        .unwrap();
        edit(home.path(), |document| {
            set(document, "hub", "trust", "1:AB");
            set_list(document, "hub", "rpc", &["http://b".to_owned()]);
            set(document, "policies", "plant", &"0a".repeat(32));
        })
        .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# mine\n"), "{text}");
        let config = Config::read(home.path()).unwrap();
        assert_eq!(config.hub.rpc, ["http://b"]);
        assert_eq!(config.hub.trust.as_deref(), Some("1:AB"));
        assert_eq!(config.default_key(), Some("alice"));
        assert_eq!(config.policy("plant").unwrap(), PolicyId::new([10; 32]));
        assert_eq!(config.name_of(&PolicyId::new([10; 32])), Some("plant"));
    }

    #[test]
    fn unknown_names_and_settings_are_refused_with_the_next_step() {
        let home = tempfile::tempdir().unwrap();
        let error = Config::default().policy("plant").unwrap_err().to_string();
        assert!(error.contains("hold hub alias"), "{error}");
        std::fs::write(Config::path(home.path()), "[hub]\nrpcs = []\n").unwrap();
        assert!(Config::read(home.path()).is_err());
        for name in ["", "a b", "ä", &"a".repeat(41)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
