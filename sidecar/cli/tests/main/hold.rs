//! A home of its own and the binary, for one test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A temporary home with a passphrase in the environment.
pub(crate) struct Hold {
    directory: tempfile::TempDir,
}

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Fails the test unless the run ended with `code`.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }
}

impl Hold {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Where tests may put files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs `hold` with the passphrase that all keys of these tests have.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, Some("correct horse battery"))
    }

    /// The same with JSON output.
    pub(crate) fn json(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["--output", "json"];
        all.extend(arguments);
        self.run(&all)
    }

    /// Runs `hold` with this passphrase, or none.
    pub(crate) fn run_with(&self, arguments: &[&str], passphrase: Option<&str>) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hold"));
        command
            .arg("--home")
            .arg(self.path("home"))
            .args(arguments)
            .env_clear()
            .stdin(std::process::Stdio::null());
        if let Some(passphrase) = passphrase {
            command.env("HOLDFAST_PASSPHRASE", passphrase);
        }
        let output: Output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
