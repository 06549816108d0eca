//! Where the programs are that a network is made of.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};

/// The only CometBFT that Holdfast is tested with (DESIGN §4).
pub const COMETBFT_VERSION: &str = "0.38.25";

/// The programs of a network, found once at the start so that a missing one is said at once.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The chain's daemon.
    pub hubd: PathBuf,
    /// The database's daemon.
    pub sidecar: PathBuf,
    /// The client for people and scripts.
    pub hold: PathBuf,
}

impl Binaries {
    /// Looks beside the running program, where `cargo build --workspace --bins` puts them all; a
    /// test binary sits one folder deeper.
    ///
    /// # Errors
    /// Names the first program that is missing and how to build it.
    pub fn find() -> Result<Self> {
        let here = std::env::current_exe().context("where this program is")?;
        let mut folders: Vec<&Path> = here.ancestors().skip(1).take(2).collect();
        let given = std::env::var_os("HOLDFAST_BIN").map(PathBuf::from);
        if let Some(given) = &given {
            folders.insert(0, given);
        }
        let find = |name: &str| -> Result<PathBuf> {
            folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()).with_context(|| {
                format!("`{name}` is not beside this program; build all of them with `cargo build --workspace --bins`, or name their folder in HOLDFAST_BIN")
            })
        };
        Ok(Self {
            hubd: find("hubd")?,
            sidecar: find("sidecar")?,
            hold: find("hold")?,
        })
    }
}

/// A CometBFT of the pinned version, and where it was found.
#[derive(Clone, Debug)]
pub struct Comet {
    /// The program.
    pub path: PathBuf,
    /// Where it was found, in words.
    pub found: &'static str,
}

/// Finds CometBFT: `COMETBFT`, then the cache that `make setup` fills, `PATH`, Go's own folder.
///
/// # Errors
/// When there is none, or only others than [`COMETBFT_VERSION`]; says the command that installs it.
pub fn find_comet() -> Result<Comet> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let cache = std::env::var_os("HOLDFAST_CACHE")
        .map_or_else(|| home.join(".cache/holdfast"), PathBuf::from);
    let mut candidates: Vec<(PathBuf, &'static str)> = Vec::new();
    if let Some(given) = std::env::var_os("COMETBFT") {
        candidates.push((given.into(), "named by COMETBFT"));
    }
    candidates.push((cache.join("bin/cometbft"), "installed by `make setup`"));
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        candidates.push((folder.join("cometbft"), "on PATH"));
    }
    candidates.push((home.join("go/bin/cometbft"), "in Go's folder"));

    let mut other = None;
    for (path, found) in candidates.into_iter().filter(|(path, _)| path.is_file()) {
        let Ok(output) = Command::new(&path).arg("version").output() else {
            continue;
        };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if version == COMETBFT_VERSION {
            return Ok(Comet { path, found });
        }
        other.get_or_insert((path, version));
    }
    let install = format!(
        "CGO_ENABLED=0 go install github.com/cometbft/cometbft/cmd/cometbft@v{COMETBFT_VERSION}"
    );
    match other {
        Some((path, version)) => {
            bail!("{} is CometBFT {version}, and Holdfast needs {COMETBFT_VERSION}; run `make setup`, or: {install}", path.display())
        }
        None => {
            bail!("CometBFT {COMETBFT_VERSION} is not installed; run `make setup`, or: {install}")
        }
    }
}
