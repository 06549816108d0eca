//! The sample plant: its people, its policy on the hub, and sidecars that follow it. What
//! `localnet up` raises and where the story starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::comet::Pace;
use crate::hold::Hold;
use crate::network::{Engine, HubOptions, Network, SidecarOptions};
use crate::process;

/// The policy of the sample plant, in the native language.
pub const POLICY: &str = include_str!("../assets/plant.yaml");
/// The schema of its collection `batches`.
pub const SCHEMA: &str = include_str!("../assets/batch.json");
/// What everybody who needs an account has at genesis, in `uhold`.
const GRANT_UHOLD: u64 = 1_000_000_000_000;
/// Milliseconds between two anchors of a sidecar.
const ANCHOR_MS: u64 = 1_000;
/// Milliseconds between two blocks of the embedded engine.
const EMBEDDED_BLOCK_MS: u64 = 250;

/// Somebody with a keyring of their own.
#[derive(Clone, Debug)]
pub struct Person {
    /// The key's name in their keyring.
    pub name: String,
    /// Their DID.
    pub did: String,
    /// Their account on the hub.
    pub account: String,
    /// Their `hold`.
    pub hold: Hold,
}

/// A running plant.
pub struct Plant {
    /// Everything that runs.
    pub network: Network,
    /// Everybody, by name.
    pub people: BTreeMap<String, Person>,
    /// The policy's id.
    pub policy: String,
    /// The trust point that everybody started from, `HEIGHT:HASH`.
    pub trust: String,
}

/// The people of the story. The first runs the hub; `op-a` and `op-b` run the sidecars.
pub const PEOPLE: &[&str] = &[
    "opal", "op-a", "op-b", "alice", "bob", "carol", "mallory", "audrey",
];

/// What a plant starts from.
#[derive(Clone, Debug)]
pub struct PlantOptions {
    /// The folder that holds it.
    pub folder: PathBuf,
    /// Who orders blocks.
    pub engine: Engine,
    /// How many sidecars: `sidecar-a`, `sidecar-b`, …; each dials all before it.
    pub sidecars: usize,
}

/// Raises the plant in `folder/network` for `localnet up`.
///
/// # Errors
/// As [`Plant::raise`]'s.
pub async fn raise(folder: &Path, validators: usize, sidecars: usize) -> Result<Plant> {
    let engine = if validators == 0 {
        Engine::Embedded {
            block_ms: EMBEDDED_BLOCK_MS,
        }
    } else {
        Engine::Comet { validators }
    };
    let mut plant = Plant::raise(PlantOptions {
        folder: folder.join("network"),
        engine,
        sidecars,
    })
    .await?;
    plant.network.set_control_folder(folder);
    Ok(plant)
}

impl Plant {
    /// Makes keys, starts the hub with funded accounts, puts the policy on it, starts the sidecars.
    ///
    /// # Errors
    /// With the words of whatever refused.
    pub async fn raise(options: PlantOptions) -> Result<Self> {
        let mut plant = Self::found(&options).await?;
        plant.found_policy().await?;
        for index in 0..options.sidecars {
            plant.add_sidecar(index).await?;
        }
        Ok(plant)
    }

    /// The people and the hub alone.
    ///
    /// # Errors
    /// With the words of whatever refused.
    pub async fn found(options: &PlantOptions) -> Result<Self> {
        let binaries = crate::binaries::Binaries::find()?;
        let mut people = BTreeMap::new();
        let operators: Vec<String> = (0..options.sidecars)
            .map(|index| format!("op-{}", letter(index)))
            .collect();
        let mut names: Vec<&str> = PEOPLE.to_vec();
        names.extend(
            operators
                .iter()
                .map(String::as_str)
                .filter(|name| !PEOPLE.contains(name)),
        );
        for name in names {
            let home = options.folder.join("people").join(name);
            std::fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
            let hold = Hold::new(&binaries.hold, &home);
            let key = hold.run(&["key", "new", name]).await?;
            let person = Person {
                name: name.to_owned(),
                did: field(&key, "did")?,
                account: field(&key, "account")?,
                hold,
            };
            people.insert(name.to_owned(), person);
        }
        let chain_id = format!("plant-{}", random_word()?);
        let accounts = people
            .values()
            .map(|person| (person.account.clone(), GRANT_UHOLD))
            .collect();
        let network = Network::start(HubOptions {
            folder: options.folder.clone(),
            chain_id,
            engine: options.engine,
            accounts,
            pace: Pace::default(),
        })
        .await?;
        let mut plant = Self {
            network,
            people,
            policy: String::new(),
            trust: String::new(),
        };
        // Everybody starts from the same block, as they would from a printed one.
        let urls: Vec<String> = plant
            .network
            .hubs()
            .iter()
            .map(|hub| format!("http://{}", hub.rpc))
            .collect();
        for person in plant.people.values() {
            let mut arguments = vec!["hub", "trust"];
            arguments.extend(urls.iter().flat_map(|url| ["--rpc", url.as_str()]));
            arguments.push("--yes");
            if !plant.trust.is_empty() {
                arguments.extend(["--trust", &plant.trust]);
            }
            let answer = person.hold.run(&arguments).await?;
            if plant.trust.is_empty() {
                plant.trust = field(&answer, "trust")?;
            }
        }
        Ok(plant)
    }

    /// Puts policy, collection, cells and grants on the hub.
    ///
    /// # Errors
    /// With the hub's words.
    pub async fn found_policy(&mut self) -> Result<()> {
        let folder = self.network.folder().to_owned();
        let (policy_file, schema_file) = (folder.join("plant.yaml"), folder.join("batch.json"));
        std::fs::write(&policy_file, POLICY).context("write plant.yaml")?;
        std::fs::write(&schema_file, SCHEMA).context("write batch.json")?;
        let opal = self.person("opal")?.clone();
        let created = opal
            .hold
            .run(&[
                "hub",
                "create-policy",
                &policy_file.to_string_lossy(),
                "--from",
                "opal",
                "--alias",
                "plant",
            ])
            .await?;
        self.policy = field(&created, "policy")?;
        for person in self.people.values().filter(|person| person.name != "opal") {
            person
                .hold
                .run(&["hub", "alias", "plant", &self.policy])
                .await?;
        }
        let schema = schema_file.to_string_lossy().into_owned();
        opal.hold
            .run(&[
                "hub",
                "define-collection",
                "plant",
                "batches",
                "--resource",
                "batch",
                "--scope-relation",
                "parent",
                "--schema",
                &schema,
                "--from",
                "opal",
            ])
            .await?;
        for cell in ["cell:1", "cell:2"] {
            opal.hold
                .run(&["hub", "register", "plant", cell, "--from", "opal"])
                .await?;
        }
        let mut grants = vec![
            format!("cell:1#operator@{}", self.person("alice")?.did),
            format!("cell:1#operator@{}", self.person("bob")?.did),
            format!("cell:1#supervisor@{}", self.person("carol")?.did),
            format!("cell:1#auditor@{}", self.person("audrey")?.did),
        ];
        grants.extend(
            self.people
                .values()
                .filter(|person| person.name.starts_with("op-"))
                .map(|person| format!("cell:1#witness@{}", person.did)),
        );
        self.relate(&grants).await
    }

    /// Sets relationships as the policy's owner.
    ///
    /// # Errors
    /// With the hub's words.
    pub async fn relate(&self, relationships: &[String]) -> Result<()> {
        let mut arguments = vec!["hub", "relate", "plant"];
        arguments.extend(relationships.iter().map(String::as_str));
        arguments.extend(["--from", "opal"]);
        self.person("opal")?.hold.run(&arguments).await.map(|_| ())
    }

    /// Starts the sidecar with that index, run by `op-a`, `op-b`, ….
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn add_sidecar(&mut self, index: usize) -> Result<()> {
        let operator = self.person(&format!("op-{}", letter(index)))?.clone();
        let key = self.network.folder().join(format!("{}.key", operator.name));
        operator
            .hold
            .run(&[
                "key",
                "export",
                &operator.name,
                "--unencrypted",
                "--out",
                &key.to_string_lossy(),
            ])
            .await?;
        let peers = (0..index)
            .map(|peer| format!("sidecar-{}", letter(peer)))
            .collect();
        let options = SidecarOptions {
            name: format!("sidecar-{}", letter(index)),
            policies: vec![format!("plant={}", self.policy)],
            trust: self.trust.clone(),
            operator_key: key,
            peers,
            anchor_ms: ANCHOR_MS,
        };
        self.network.add_sidecar(options).await.map(|_| ())
    }

    /// Somebody by name.
    ///
    /// # Errors
    /// When there is nobody of that name.
    pub fn person(&self, name: &str) -> Result<&Person> {
        self.people
            .get(name)
            .with_context(|| format!("there is nobody called {name} in the plant"))
    }

    /// The address of a sidecar's HTTP API.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn sidecar_url(&self, name: &str) -> Result<String> {
        Ok(format!("http://{}", self.network.sidecar(name)?.http))
    }
}

/// Kills what a dead supervisor left: the processes whose ids it wrote down, if they still are
/// those programs. Gives how many.
pub fn kill_leftovers(folder: &Path) -> usize {
    let Ok(text) = std::fs::read_to_string(folder.join("network/pids.json")) else {
        return 0;
    };
    let pids: BTreeMap<String, u32> = serde_json::from_str(&text).unwrap_or_default();
    let marker = folder.to_string_lossy().into_owned();
    let ours = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&marker))
    };
    let left: Vec<u32> = pids.into_values().filter(ours).collect();
    left.iter()
        .for_each(|pid| process::signal(*pid, Signal::SIGKILL));
    left.len()
}

/// The text field `name` of a command's answer.
///
/// # Errors
/// When it is missing, with the whole answer.
pub fn field(answer: &Value, name: &str) -> Result<String> {
    answer[name]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no `{name}` in {answer}"))
}

fn letter(index: usize) -> char {
    char::from(b'a' + u8::try_from(index).unwrap_or(25).min(25))
}

/// Eight hexadecimal digits, so that no two networks share a chain id.
fn random_word() -> Result<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the operating system gave no randomness: {error}"))?;
    Ok(hex::encode(bytes))
}
