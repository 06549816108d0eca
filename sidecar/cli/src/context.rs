//! What every command can reach: the home, its configuration, its keys.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use identity::{Did, SecretKey};

use crate::config::Config;
use crate::keyring::Keyring;
use crate::passphrase::Source;
use crate::reply::Form;

/// One run's surroundings.
#[derive(Debug)]
pub struct Context {
    /// The home directory; need not exist yet.
    pub home: PathBuf,
    /// `config.toml` as it stands.
    pub config: Config,
    /// Where passphrases come from.
    pub passphrases: Source,
    /// The form of the answer.
    pub form: Form,
}

impl Context {
    /// Finds the home and reads its configuration.
    ///
    /// # Errors
    /// When there is no home to find, or the configuration cannot be understood.
    pub fn new(home: Option<PathBuf>, passphrases: Source, form: Form) -> anyhow::Result<Self> {
        let home = match home {
            Some(home) => home,
            None => match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
                Some(home) => Path::new(&home).join(".holdfast"),
                None => bail!("no home directory is known; give one with --home DIR"),
            },
        };
        let config = Config::read(&home)?;
        Ok(Self {
            home,
            config,
            passphrases,
            form,
        })
    }

    /// The keyring of this home.
    #[must_use]
    pub fn keyring(&self) -> Keyring {
        Keyring::at(self.home.join("keys"))
    }

    /// The name of the key to sign with: `asked`, the configured default, or the only one.
    ///
    /// # Errors
    /// When none of them names a key.
    pub fn key_name(&self, asked: Option<&str>) -> anyhow::Result<String> {
        if let Some(name) = asked.or(self.config.default_key()) {
            return Ok(name.to_owned());
        }
        let names = self.keyring().names()?;
        match names.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!("there is no key to sign with; make one: hold key new NAME"),
            several => bail!(
                "there are {} keys ({}); say which with --from NAME, or set [keys] default in {}",
                several.len(),
                several.join(", "),
                Config::path(&self.home).display()
            ),
        }
    }

    /// Opens the key to sign with, asking for its passphrase.
    ///
    /// # Errors
    /// As [`Context::key_name`], and when the key does not open.
    pub fn key(&self, asked: Option<&str>) -> anyhow::Result<SecretKey> {
        let name = self.key_name(asked)?;
        let sealed = self.keyring().get(&name)?;
        let passphrase = self.passphrases.existing(&name)?;
        Ok(sealed.open(&passphrase, &name)?)
    }

    /// The DID of the key to sign with, without opening it.
    ///
    /// # Errors
    /// As [`Context::key_name`].
    pub fn key_did(&self, asked: Option<&str>) -> anyhow::Result<Did> {
        let name = self.key_name(asked)?;
        self.did_of(&name)
    }

    /// An actor as a person writes it: a DID, or the name of a key in this keyring.
    ///
    /// # Errors
    /// When it is neither.
    pub fn actor(&self, text: &str) -> anyhow::Result<Did> {
        if text.starts_with("did:") {
            return Did::parse(text).with_context(|| format!("{text} is no actor"));
        }
        self.did_of(text).with_context(|| {
            format!("\"{text}\" is neither a DID (did:key:…) nor a key in this keyring")
        })
    }

    fn did_of(&self, name: &str) -> anyhow::Result<Did> {
        let sealed = self.keyring().get(name)?;
        Did::parse(&sealed.did).with_context(|| format!("the DID of key \"{name}\" is damaged"))
    }

    /// A word to standard error while something takes its time; nothing for scripts.
    pub fn note(&self, text: &str) {
        if self.form == Form::Text {
            eprintln!("{text}");
        }
    }
}
