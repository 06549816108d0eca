//! The `hold` binary, driven as a person would drive it.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde_json::Value;
use tokio::process::Command;

/// The passphrase of the keyrings that localnet makes. They guard nothing.
pub const PASSPHRASE: &str = "localnet only";

/// One person's `hold`: a home with a keyring and the hub that they trust.
#[derive(Clone, Debug)]
pub struct Hold {
    program: PathBuf,
    home: PathBuf,
}

/// What one command printed and how it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// 0 yes, 1 no, 2 could not tell.
    pub code: i32,
    /// The JSON it printed; null when it printed none.
    pub json: Value,
    /// What it printed on standard error.
    pub error: String,
}

impl Hold {
    /// A `hold` with its own home.
    pub fn new(program: &Path, home: &Path) -> Self {
        Self {
            program: program.to_owned(),
            home: home.to_owned(),
        }
    }

    /// Its home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Runs one command with `--output json`, whatever its exit code.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub async fn try_run(&self, arguments: &[&str]) -> Result<Outcome> {
        let mut command = Command::new(&self.program);
        command
            .args(["--home", &self.home.to_string_lossy(), "--output", "json"])
            .args(arguments);
        command
            .env("HOLDFAST_PASSPHRASE", PASSPHRASE)
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .with_context(|| format!("run {}", self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Outcome {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(text.trim()).unwrap_or(Value::Null),
            error: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// Runs one command that must succeed.
    ///
    /// # Errors
    /// With what it said, when it exits with anything but 0.
    pub async fn run(&self, arguments: &[&str]) -> Result<Value> {
        let outcome = self.try_run(arguments).await?;
        if outcome.code != 0 {
            bail!(
                "`hold {}` ended with {}: {} {}",
                arguments.join(" "),
                outcome.code,
                outcome.error,
                outcome.json
            );
        }
        Ok(outcome.json)
    }
}
