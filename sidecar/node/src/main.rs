//! `sidecar`: `init` makes a home, `start` runs it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use identity::{AccountAddress, KeyKind, SecretKey};
use node::config::{AnchoringFile, File, HubFile, ListenFile, OperatorFile, FILE_NAME};
use node::network::peer_identity::keypair;
use node::secrets::{self, Passphrase};
use node::start::{files, start_at};
use serde_json::json;

/// A sidecar: a local-first database beside an application, with proven permissions and an
/// anchored audit log.
#[derive(Parser)]
#[command(name = "sidecar", version)]
struct Arguments {
    /// How answers are printed.
    #[arg(long, global = true, value_enum, default_value = "text")]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a home: keys and config.toml.
    Init(Box<Init>),
    /// Runs the sidecar of a home until SIGTERM or Ctrl-C.
    Start {
        /// The home folder.
        #[arg(long)]
        home: PathBuf,
    },
}

#[derive(clap::Args)]
struct Init {
    /// The home folder; made when absent.
    #[arg(long)]
    home: PathBuf,
    /// The chain.
    #[arg(long)]
    chain_id: String,
    /// RPC addresses of hub nodes; none is trusted.
    #[arg(long, required = true, num_args = 1..)]
    hub: Vec<String>,
    /// The block that you trust.
    #[arg(long, value_name = "HEIGHT:HASH")]
    trust: String,
    /// Policies to follow: `ID` or `ALIAS=ID`, ids in hex. The first one is anchored.
    #[arg(long, num_args = 1..)]
    policy: Vec<String>,
    /// Where the API listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: String,
    /// Where permission questions are answered over gRPC; nowhere when absent
    #[arg(long)]
    questions: Option<String>,
    /// Where peers are listened for.
    #[arg(long, default_value = "/ip4/127.0.0.1/tcp/4001")]
    p2p: String,
    /// Other sidecars, as /ip4/…/tcp/…/p2p/….
    #[arg(long, num_args = 1..)]
    peer: Vec<String>,
    /// The operator's key file; made when absent. Within the home it is named relative to it.
    #[arg(long)]
    operator_key: Option<PathBuf>,
    /// The kind of a key that is made for the operator.
    #[arg(long, default_value = "ed25519")]
    operator_kind: String,
    /// Time between two anchors in milliseconds.
    #[arg(long, default_value_t = 1000)]
    anchor_ms: u64,
    /// Keep no anchors.
    #[arg(long)]
    no_anchors: bool,
    /// Write keys in the clear (mode 0600): for networks on one machine. Without it a passphrase
    /// is taken from SIDECAR_PASSPHRASE_FILE or SIDECAR_PASSPHRASE.
    #[arg(long)]
    plain_keys: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Init(init) => run_init(&init, arguments.output),
        Command::Start { home } => run_start(&home),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sidecar: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn key_at(path: &Path, kind: KeyKind, seal: Option<&Passphrase>) -> anyhow::Result<SecretKey> {
    if path.exists() {
        return Ok(secrets::read(path, seal)?);
    }
    let key = secrets::generate(kind)?;
    secrets::write(path, &key, seal)?;
    Ok(key)
}

fn run_init(init: &Init, output: Output) -> anyhow::Result<()> {
    let config_path = init.home.join(FILE_NAME);
    anyhow::ensure!(
        !config_path.exists(),
        "{} exists already; choose another --home or remove it",
        config_path.display()
    );
    let passphrase = Passphrase::from_environment()?;
    anyhow::ensure!(
        init.plain_keys || passphrase.is_some(),
        "no passphrase for the keys: set {} to a file that holds one, or say --plain-keys",
        secrets::PASSPHRASE_FILE_VARIABLE
    );
    let seal = passphrase.as_ref().filter(|_| !init.plain_keys);
    let kind = secrets::kind_named(&init.operator_kind)
        .ok_or_else(|| anyhow::anyhow!("--operator-kind is ed25519, secp256k1 or p256"))?;
    std::fs::create_dir_all(init.home.join(files::KEYRING))?;
    let operator_path = match &init.operator_key {
        Some(path) if path.is_absolute() => path.clone(),
        Some(path) if path.exists() => std::path::absolute(path)?,
        Some(path) => init.home.join(path),
        None => init.home.join(files::OPERATOR_KEY),
    };
    let operator = key_at(&operator_path, kind, seal.or(passphrase.as_ref()))?;
    let network = key_at(&init.home.join(files::NETWORK_KEY), KeyKind::Ed25519, seal)?;
    let mut policies = std::collections::BTreeMap::new();
    for (number, policy) in init.policy.iter().enumerate() {
        let (alias, id) = match policy.split_once('=') {
            Some((alias, id)) => (alias.to_owned(), id.to_owned()),
            None if number == 0 => ("main".to_owned(), policy.clone()),
            None => (format!("policy{number}"), policy.clone()),
        };
        policies.insert(alias, id);
    }
    let anchored = init.policy.first().map(|policy| {
        policy
            .split_once('=')
            .map_or("main", |(alias, _)| alias)
            .to_owned()
    });
    let relative = operator_path
        .strip_prefix(&init.home)
        .unwrap_or(&operator_path);
    let file = File {
        chain_id: init.chain_id.clone(),
        hub: HubFile::new(init.hub.clone(), init.trust.clone()),
        listen: ListenFile {
            api: init.http.clone(),
            peers: init.p2p.clone(),
            questions: init.questions.clone(),
        },
        policies,
        operator: OperatorFile {
            did: operator.did().to_string(),
            key: Some(relative.display().to_string()),
            delegation: None,
            delegation_not_after: 0,
        },
        anchoring: AnchoringFile {
            enabled: !init.no_anchors,
            interval_ms: init.anchor_ms,
            policy: anchored,
            fee: 0,
        },
        peers: init.peer.clone(),
        log_reads: true,
    };
    // Refused now, by name, rather than at the first start.
    file.parse(&init.home)?;
    // Written beside and renamed, so that a home is whole or has no configuration.
    let unfinished = init.home.join(".config.toml.new");
    std::fs::write(&unfinished, file.text()?)?;
    std::fs::rename(&unfinished, &config_path)?;
    let peer_id = keypair(&network)?.public().to_peer_id();
    let account = AccountAddress::of(operator.public_key())
        .map(|account| account.to_string())
        .unwrap_or_default();
    match output {
        Output::Json => println!(
            "{}",
            json!({
                "home": init.home.display().to_string(),
                "peer_id": peer_id.to_base58(),
                "peer": format!("{}/p2p/{peer_id}", init.p2p),
                "actor": network.did().as_str(),
                "operator": operator.did().as_str(),
                "account": account,
            })
        ),
        Output::Text => {
            println!("A sidecar's home is at {}.", init.home.display());
            println!("  sidecar   {}", network.did());
            println!("  peer      {}/p2p/{peer_id}", init.p2p);
            println!("  operator  {}", operator.did());
            println!("  account   {account}   (pays for anchors)");
            println!("Next: sidecar start --home {}", init.home.display());
        }
    }
    Ok(())
}

fn run_start(home: &Path) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,libp2p=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let sidecar = start_at(home).await?;
        tracing::info!(api = %sidecar.api, questions = ?sidecar.questions, sidecar = %sidecar.did, peer_id = %sidecar.peer_id, "the sidecar is running");
        sidecar
            .run_until(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
                tracing::info!("stopping");
            })
            .await?;
        Ok(())
    })
}
