//! A whole network: its daemons, the links between them, and what it takes to break and mend it.
//!
//! Names, as `status`, `kill` and `cut` use them: `hub0`, `comet0` (a validator is the pair), `hub`
//! (the embedded engine), `sidecar-a`, and links `sidecar-a:hub`, `sidecar-a:sidecar-b`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use hub_client::{HttpTransport, Rpc};
use serde_json::Value;

use crate::binaries::{find_comet, Binaries};
use crate::comet::{self, Pace};
use crate::link::Link;
use crate::ports;
use crate::process::Process;

/// How long the first block may take: CometBFT dials its peers once a second at the start.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long CometBFT may take to notice that its application is gone, before it is killed.
const COMET_END_TIMEOUT: Duration = Duration::from_secs(3);

/// Which engine orders the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `hubd dev`: one process, one key, for development. Blocks are `block_ms` apart.
    Embedded {
        /// Milliseconds between two blocks.
        block_ms: u64,
    },
    /// Real CometBFT validators.
    Comet {
        /// How many, of equal power.
        validators: usize,
    },
}

/// What a hub starts from.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// The folder that holds everything the network writes.
    pub folder: PathBuf,
    /// The chain's id.
    pub chain_id: String,
    /// Who orders the blocks.
    pub engine: Engine,
    /// Account addresses (`hold1…`) and the `uhold` they have at genesis.
    pub accounts: Vec<(String, u64)>,
    /// CometBFT's times; the embedded engine ignores them.
    pub pace: Pace,
}

/// What a sidecar starts from.
#[derive(Clone, Debug)]
pub struct SidecarOptions {
    /// Its name: `sidecar-a`.
    pub name: String,
    /// The policies that it follows, by id.
    pub policies: Vec<String>,
    /// The trust point, `HEIGHT:HASH`.
    pub trust: String,
    /// Its operator's key file.
    pub operator_key: PathBuf,
    /// Names of sidecars that it dials, each through a link that can be cut.
    pub peers: Vec<String>,
    /// Milliseconds between two anchors.
    pub anchor_ms: u64,
}

/// Where a validator, or the embedded engine, answers.
#[derive(Clone, Debug)]
pub struct HubNode {
    /// CometBFT's RPC.
    pub rpc: SocketAddr,
    /// The application's gRPC.
    pub grpc: SocketAddr,
    /// Prometheus metrics and `/healthz`.
    pub metrics: SocketAddr,
}

/// Where a sidecar answers.
#[derive(Clone, Debug)]
pub struct SidecarNode {
    /// Its folder.
    pub home: PathBuf,
    /// Its HTTP API.
    pub http: SocketAddr,
    /// Its libp2p address.
    pub p2p: SocketAddr,
    /// What `sidecar init` said of it: peer id, actor, operator.
    pub identity: Value,
}

struct Daemon {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    process: Option<Process>,
}

/// A running network. Dropping it kills all of it.
pub struct Network {
    folder: PathBuf,
    chain_id: String,
    binaries: Binaries,
    daemons: BTreeMap<String, Daemon>,
    links: Vec<(String, Link)>,
    hubs: Vec<HubNode>,
    sidecars: BTreeMap<String, SidecarNode>,
    found: String,
    control_folder: Option<PathBuf>,
}

impl Network {
    /// Starts a hub and waits for its first blocks.
    ///
    /// # Errors
    /// When a program is missing, a daemon ends early (with the end of its log) or no block comes
    /// within a minute.
    pub async fn start(options: HubOptions) -> Result<Self> {
        let binaries = Binaries::find()?;
        std::fs::create_dir_all(options.folder.join("logs"))
            .with_context(|| format!("create {}", options.folder.display()))?;
        let mut network = Self {
            folder: options.folder.clone(),
            chain_id: options.chain_id.clone(),
            binaries,
            daemons: BTreeMap::new(),
            links: Vec::new(),
            hubs: Vec::new(),
            sidecars: BTreeMap::new(),
            found: "embedded engine".to_owned(),
            control_folder: None,
        };
        match options.engine {
            Engine::Embedded { block_ms } => network.start_embedded(&options, block_ms)?,
            Engine::Comet { validators } => network.start_comet(&options, validators)?,
        }
        network.wait_for_height(2).await?;
        Ok(network)
    }

    fn start_embedded(&mut self, options: &HubOptions, block_ms: u64) -> Result<()> {
        let node = HubNode {
            rpc: ports::free()?,
            grpc: ports::free()?,
            metrics: ports::free()?,
        };
        let mut arguments = strings(["dev", "--home"]);
        arguments.push(text(&self.folder.join("hub")));
        arguments.extend([
            "--rpc".into(),
            node.rpc.to_string(),
            "--grpc".into(),
            node.grpc.to_string(),
        ]);
        arguments.extend([
            "--metrics".into(),
            node.metrics.to_string(),
            "--block-ms".into(),
            block_ms.to_string(),
        ]);
        arguments.extend(["--chain-id".into(), options.chain_id.clone()]);
        for (address, amount) in &options.accounts {
            arguments.extend(["--account".into(), format!("{address}={amount}")]);
        }
        self.hubs.push(node);
        self.daemon("hub", self.binaries.hubd.clone(), arguments, Vec::new())
    }

    fn start_comet(&mut self, options: &HubOptions, validators: usize) -> Result<()> {
        let comet = find_comet()?;
        self.found = format!(
            "CometBFT {} ({}, {})",
            crate::binaries::COMETBFT_VERSION,
            comet.path.display(),
            comet.found
        );
        let mut genesis = Command::new(&self.binaries.hubd);
        genesis.args(["genesis", "--chain-id", &options.chain_id]);
        for (address, amount) in &options.accounts {
            genesis.args(["--account", &format!("{address}={amount}")]);
        }
        let output = genesis.output().context("run hubd genesis")?;
        if !output.status.success() {
            bail!(
                "`hubd genesis` failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let app_state: Value =
            serde_json::from_slice(&output.stdout).context("`hubd genesis` did not print JSON")?;

        let apps = (0..validators)
            .map(|_| ports::free())
            .collect::<Result<Vec<_>>>()?;
        let homes = comet::make_homes(
            &comet.path,
            &self.folder,
            validators,
            &options.chain_id,
            &app_state,
            options.pace,
            |index| format!("tcp://{}", apps[index]),
        )?;
        for (index, home) in homes.iter().enumerate() {
            let node = HubNode {
                rpc: home.rpc,
                grpc: ports::free()?,
                metrics: ports::free()?,
            };
            let hub_home = text(&self.folder.join(format!("validator{index}/hub")));
            let mut arguments = strings(["start", "--home", &hub_home, "--abci", &home.app]);
            arguments.extend([
                "--grpc".into(),
                node.grpc.to_string(),
                "--metrics".into(),
                node.metrics.to_string(),
            ]);
            self.daemon(
                &format!("hub{index}"),
                self.binaries.hubd.clone(),
                arguments,
                Vec::new(),
            )?;
            let arguments = strings(["start", "--home", &text(&home.path)]);
            self.daemon(
                &format!("comet{index}"),
                comet.path.clone(),
                arguments,
                Vec::new(),
            )?;
            self.hubs.push(node);
        }
        Ok(())
    }

    /// Initialises and starts a sidecar; all its ways to the hub and to its peers are links.
    ///
    /// # Errors
    /// When `sidecar init` refuses, or it does not become ready.
    pub async fn add_sidecar(&mut self, options: SidecarOptions) -> Result<SidecarNode> {
        let name = &options.name;
        let home = self.folder.join(name);
        let (http, p2p) = (ports::free()?, ports::free()?);
        let mut init = Command::new(&self.binaries.sidecar);
        init.args([
            "init",
            "--output",
            "json",
            "--plain-keys",
            "--home",
            &text(&home),
            "--chain-id",
            &self.chain_id,
            "--trust",
            &options.trust,
        ]);
        init.args([
            "--http",
            &http.to_string(),
            "--p2p",
            &format!("/ip4/{}/tcp/{}", p2p.ip(), p2p.port()),
        ]);
        init.args([
            "--operator-key",
            &text(&options.operator_key),
            "--anchor-ms",
            &options.anchor_ms.to_string(),
        ]);
        for policy in &options.policies {
            init.args(["--policy", policy]);
        }
        for (index, hub) in self.hubs.clone().into_iter().enumerate() {
            let link = Link::open(&format!("{name}:hub"), hub.rpc)
                .await
                .with_context(|| format!("the link from {name} to hub {index}"))?;
            init.args(["--hub", &format!("http://{}", link.listen())]);
            self.links.push((format!("{name}:hub"), link));
        }
        for peer in &options.peers {
            let other = self
                .sidecars
                .get(peer)
                .with_context(|| format!("{name} cannot dial {peer}: it is not there yet"))?;
            let link = Link::open(&format!("{name}:{peer}"), other.p2p).await?;
            let peer_id = other.identity["peer_id"]
                .as_str()
                .context("`sidecar init` gave no peer_id")?;
            init.args([
                "--peer",
                &format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer_id}", link.listen().port()),
            ]);
            self.links.push((format!("{name}:{peer}"), link));
        }
        let output = init.output().context("run sidecar init")?;
        if !output.status.success() {
            bail!(
                "`sidecar init` for {name} failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let identity =
            serde_json::from_slice(&output.stdout).context("`sidecar init` did not print JSON")?;
        let node = SidecarNode {
            home: home.clone(),
            http,
            p2p,
            identity,
        };
        self.sidecars.insert(name.clone(), node.clone());
        self.daemon(
            name,
            self.binaries.sidecar.clone(),
            strings(["start", "--home", &text(&home)]),
            Vec::new(),
        )?;
        self.wait_healthy(name, http).await?;
        Ok(node)
    }

    fn daemon(
        &mut self,
        name: &str,
        program: PathBuf,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
    ) -> Result<()> {
        self.daemons.insert(
            name.to_owned(),
            Daemon {
                program,
                arguments,
                environment,
                process: None,
            },
        );
        self.launch(name)
    }

    /// Sets a variable in the environment of a daemon, for its next start (`FAIL_TEST_INDEX`).
    ///
    /// # Errors
    /// When there is no such daemon.
    pub fn set_environment(&mut self, name: &str, key: &str, value: Option<&str>) -> Result<()> {
        let daemon = self.daemons.get_mut(name).with_context(|| unknown(name))?;
        daemon.environment.retain(|(existing, _)| existing != key);
        daemon
            .environment
            .extend(value.map(|value| (key.to_owned(), value.to_owned())));
        Ok(())
    }

    /// Starts a daemon that is not running; nothing happens if it is.
    ///
    /// # Errors
    /// When there is no such daemon or its program cannot be started.
    pub fn launch(&mut self, name: &str) -> Result<()> {
        let log = self.folder.join("logs").join(format!("{name}.log"));
        let daemon = self.daemons.get_mut(name).with_context(|| unknown(name))?;
        if daemon
            .process
            .as_mut()
            .is_some_and(|process| process.ended().is_none())
        {
            return Ok(());
        }
        let mut command = Command::new(&daemon.program);
        command
            .args(&daemon.arguments)
            .envs(daemon.environment.iter().map(|(key, value)| (key, value)));
        daemon.process = Some(Process::start(name, command, &log)?);
        self.write_pids()
    }

    /// Keeps the ids of all processes in `folder/pids.json` and the control socket beside it, so
    /// that `localnet down` finds them even when the supervisor was killed.
    pub fn set_control_folder(&mut self, folder: &Path) {
        self.control_folder = Some(folder.to_owned());
    }

    /// Where the control socket is.
    pub fn control_folder(&self) -> &Path {
        self.control_folder.as_deref().unwrap_or(&self.folder)
    }

    fn write_pids(&mut self) -> Result<()> {
        let pids: BTreeMap<String, u32> = self
            .daemons()
            .into_iter()
            .filter_map(|(name, pid)| Some((name, pid?)))
            .collect();
        let path = self.folder.join("pids.json");
        std::fs::write(
            &path,
            serde_json::to_vec(&pids).context("write the process ids")?,
        )
        .with_context(|| format!("write {}", path.display()))
    }

    /// Kills a daemon as a power cut would.
    ///
    /// # Errors
    /// When there is no such daemon.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let daemon = self.daemons.get_mut(name).with_context(|| unknown(name))?;
        if let Some(mut process) = daemon.process.take() {
            process.kill();
        }
        Ok(())
    }

    /// Brings back a daemon and what ended with it: CometBFT ends when its application does, and
    /// an application waits for nobody.
    ///
    /// # Errors
    /// When there is no such daemon or a program cannot be started.
    pub async fn revive(&mut self, name: &str) -> Result<()> {
        if let Some(index) = name
            .strip_prefix("hub")
            .or_else(|| name.strip_prefix("comet"))
            .filter(|index| !index.is_empty())
        {
            let (hub, comet) = (format!("hub{index}"), format!("comet{index}"));
            if name == hub && !self.is_running(&hub) {
                // CometBFT ends itself when it loses its application, in its own time: started
                // before that it would end after we looked.
                let deadline = Instant::now() + COMET_END_TIMEOUT;
                while self.is_running(&comet) && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                self.kill(&comet)?;
            }
            self.launch(&hub)?;
            return self.launch(&comet);
        }
        self.launch(name)
    }

    /// Whether a daemon runs now.
    pub fn is_running(&mut self, name: &str) -> bool {
        self.daemons
            .get_mut(name)
            .and_then(|daemon| daemon.process.as_mut())
            .is_some_and(|process| process.ended().is_none())
    }

    /// Cuts every link of that name.
    ///
    /// # Errors
    /// When there is none; lists those that there are.
    pub fn cut(&self, name: &str) -> Result<()> {
        self.named_links(name)?.for_each(Link::cut);
        Ok(())
    }

    /// Heals every link of that name.
    ///
    /// # Errors
    /// When there is none; lists those that there are.
    pub fn heal(&self, name: &str) -> Result<()> {
        self.named_links(name)?.for_each(Link::heal);
        Ok(())
    }

    fn named_links(&self, name: &str) -> Result<impl Iterator<Item = &Link>> {
        if !self.links.iter().any(|(link, _)| link == name) {
            let mut names: Vec<&str> = self.links.iter().map(|(link, _)| link.as_str()).collect();
            names.dedup();
            bail!("there is no link `{name}`; there are: {}", names.join(", "));
        }
        let name = name.to_owned();
        Ok(self
            .links
            .iter()
            .filter(move |(link, _)| *link == name)
            .map(|(_, link)| link))
    }

    /// The highest height that any hub node reports now. Unverified: for waiting, not for trust.
    pub async fn height(&self) -> u64 {
        let mut highest = 0;
        for index in 0..self.hubs.len() {
            highest = highest.max(self.height_of(index).await.unwrap_or(0));
        }
        highest
    }

    /// The height that one hub node reports; `None` while it does not answer.
    pub async fn height_of(&self, index: usize) -> Option<u64> {
        let transport =
            HttpTransport::new(&format!("http://{}", self.hubs.get(index)?.rpc)).ok()?;
        Rpc::new(&transport)
            .status()
            .await
            .ok()
            .map(|status| status.latest_height)
    }

    /// Waits until some node reports `height`.
    ///
    /// # Errors
    /// After a minute, or at once when a daemon has ended, with the end of its log.
    pub async fn wait_for_height(&mut self, height: u64) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while self.height().await < height {
            self.none_ended()?;
            if Instant::now() > deadline {
                bail!(
                    "the hub did not reach height {height} within {} s; logs are in {}",
                    READY_TIMEOUT.as_secs(),
                    self.folder.join("logs").display()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Waits until some node reports `height`, whoever is down.
    ///
    /// # Errors
    /// After a minute.
    pub async fn wait_for_blocks(&self, height: u64) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while self.height().await < height {
            if Instant::now() > deadline {
                bail!(
                    "the hub did not reach height {height} within {} s",
                    READY_TIMEOUT.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn none_ended(&mut self) -> Result<()> {
        for (name, daemon) in &mut self.daemons {
            if let Some(process) = &mut daemon.process {
                if let Some(status) = process.ended() {
                    bail!(
                        "{name} ended ({status}); the end of its log:\n{}",
                        process.log_tail(15)
                    );
                }
            }
        }
        Ok(())
    }

    async fn wait_healthy(&mut self, name: &str, address: SocketAddr) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            if let Ok((200, _)) = crate::http::get(address, "/healthz").await {
                return Ok(());
            }
            self.none_ended()?;
            if Instant::now() > deadline {
                let log =
                    crate::process::tail(&self.folder.join("logs").join(format!("{name}.log")), 15);
                bail!(
                    "{name} did not become ready within {} s; the end of its log:\n{log}",
                    READY_TIMEOUT.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a sidecar answers again after a restart.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn wait_for_sidecar(&mut self, name: &str) -> Result<()> {
        let http = self.sidecar(name)?.http;
        self.wait_healthy(name, http).await
    }

    /// The hub's nodes.
    pub fn hubs(&self) -> &[HubNode] {
        &self.hubs
    }

    /// A sidecar by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn sidecar(&self, name: &str) -> Result<&SidecarNode> {
        self.sidecars.get(name).with_context(|| unknown(name))
    }

    /// All sidecars by name.
    pub fn sidecars(&self) -> &BTreeMap<String, SidecarNode> {
        &self.sidecars
    }

    /// Names and states of all links.
    pub fn links(&self) -> BTreeMap<String, bool> {
        self.links
            .iter()
            .map(|(name, link)| (name.clone(), link.is_open()))
            .collect()
    }

    /// Names of all daemons, with the process id of those that run.
    pub fn daemons(&mut self) -> Vec<(String, Option<u32>)> {
        let state = |daemon: &mut Daemon| {
            daemon
                .process
                .as_mut()
                .and_then(|process| process.ended().is_none().then(|| process.pid()))
        };
        self.daemons
            .iter_mut()
            .map(|(name, daemon)| (name.clone(), state(daemon)))
            .collect()
    }

    /// The chain's id.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The programs that it runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Which engine runs, and where it was found.
    pub fn engine_found(&self) -> &str {
        &self.found
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops everything, sidecars first, and waits for it.
    pub fn stop(mut self) {
        let mut names: Vec<String> = self.daemons.keys().cloned().collect();
        // sidecars, then CometBFT, then the applications that it talks to.
        names.sort_by_key(|name| {
            (
                !name.starts_with("sidecar"),
                !name.starts_with("comet"),
                name.clone(),
            )
        });
        for name in names {
            if let Some(mut process) = self
                .daemons
                .get_mut(&name)
                .and_then(|daemon| daemon.process.take())
            {
                process.stop();
            }
        }
    }
}

fn unknown(name: &str) -> String {
    format!("there is no node `{name}`; `localnet status` lists them")
}

fn strings<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
