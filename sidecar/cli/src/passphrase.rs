//! Where passphrases come from: a file, the environment, or a prompt. Never an argument, which
//! every other user of the machine could read.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use zeroize::Zeroizing;

/// The variable that holds a passphrase.
pub const VARIABLE: &str = "HOLDFAST_PASSPHRASE";

/// The shortest that a new key takes: short ones fall to guessing whatever the key derivation.
pub const CHARS_MIN: usize = 8;

/// A passphrase file is one line.
const FILE_BYTES_MAX: usize = 4096;

/// The source of passphrases of one run.
#[derive(Debug, Clone)]
pub struct Source {
    file: Option<PathBuf>,
}

impl Source {
    /// Reads from `file` if there is one, else the variable, else a prompt.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// The passphrase of the existing key `name`.
    ///
    /// # Errors
    /// When none of the sources has one.
    pub fn existing(&self, name: &str) -> anyhow::Result<Zeroizing<String>> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        prompt(&format!("Passphrase of key \"{name}\": "))
    }

    /// A passphrase for the new key `name`, asked for twice where a person types it.
    ///
    /// # Errors
    /// When none of the sources has one, it is too short, or the two differ.
    pub fn fresh(&self, name: &str) -> anyhow::Result<Zeroizing<String>> {
        let passphrase = match self.given()? {
            Some(given) => given,
            None => {
                let first = prompt(&format!("New passphrase for key \"{name}\": "))?;
                let second = prompt("Once more: ")?;
                if *first != *second {
                    bail!("the two passphrases differ; nothing was written");
                }
                first
            }
        };
        if passphrase.chars().count() < CHARS_MIN {
            bail!("a passphrase has at least {CHARS_MIN} characters; nothing was written");
        }
        Ok(passphrase)
    }

    fn given(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        if let Some(path) = &self.file {
            return read(path).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let bytes = Zeroizing::new(
        std::fs::read(path)
            .with_context(|| format!("cannot read the passphrase file {}", path.display()))?,
    );
    if bytes.len() > FILE_BYTES_MAX {
        bail!("the passphrase file {} is too long", path.display());
    }
    let text = std::str::from_utf8(&bytes)
        .ok()
        .with_context(|| format!("the passphrase file {} is not UTF-8", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!(
            "the passphrase file {} has an empty first line",
            path.display()
        );
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn prompt(question: &str) -> anyhow::Result<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "a passphrase is needed and nobody is there to type it; \
             use --passphrase-file FILE or set {VARIABLE}"
        );
    }
    rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .context("cannot read the passphrase from the terminal")
}
