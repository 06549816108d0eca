//! The `localnet` binary: raises and breaks whole networks on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use localnet::control::{self, Request};
use localnet::process::{self, Process};
use localnet::{bench, plant, story};
use serde_json::Value;

/// Raise and break whole Holdfast networks on this machine.
#[derive(Parser)]
#[command(name = "localnet", version, arg_required_else_help = true)]
struct Arguments {
    /// The folder that holds the network.
    #[arg(long, global = true, default_value = ".localnet")]
    folder: PathBuf,
    /// How answers are printed.
    #[arg(long, global = true, value_enum, default_value = "text")]
    output: Output,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Output {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Verb {
    /// Start validators and sidecars with the sample policy `plant`, and wait until they are ready.
    Up {
        /// CometBFT validators; 0 runs the embedded engine instead.
        #[arg(long, default_value_t = 4)]
        validators: usize,
        /// Sidecars.
        #[arg(long, default_value_t = 2)]
        sidecars: usize,
        /// Stay in the foreground; Ctrl-C stops everything.
        #[arg(long)]
        foreground: bool,
    },
    /// Show every node, link and address.
    Status,
    /// Print shell variables for the sample people's homes and the sidecars: `eval "$(localnet people)"`.
    People,
    /// Print the end of a node's log.
    Logs {
        /// The node, as `status` names it.
        node: String,
        /// How many lines.
        #[arg(long, default_value_t = 40)]
        lines: usize,
    },
    /// Kill a node as a power cut would.
    Kill {
        /// The node, as `status` names it.
        node: String,
    },
    /// Start a node that was killed.
    Start {
        /// The node, as `status` names it.
        node: String,
    },
    /// Cut a link: `sidecar-a:hub`, `sidecar-b:sidecar-a`.
    Cut {
        /// The link, as `status` names it.
        link: String,
    },
    /// Heal a link that was cut.
    Heal {
        /// The link, as `status` names it.
        link: String,
    },
    /// Stop everything.
    Down,
    /// Load a network of its own, and CometBFT's kvstore in the same run; print both and the ratio.
    Bench(bench::Options),
    /// Play the whole story on the embedded engine, step by step.
    Demo {
        /// Where the auditor's file is left.
        #[arg(long, default_value = "trail.hold")]
        out: PathBuf,
        /// Play it on this many CometBFT validators instead.
        #[arg(long)]
        validators: Option<usize>,
    },
    /// Own a network (what `up` starts).
    #[command(hide = true)]
    Supervise {
        #[arg(long)]
        validators: usize,
        #[arg(long)]
        sidecars: usize,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("localnet: cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("localnet: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let folder = std::path::absolute(&arguments.folder).context("the network's folder")?;
    let json = arguments.output == Output::Json;
    match arguments.command {
        Verb::Up {
            validators,
            sidecars,
            foreground,
        } => up(&folder, validators, sidecars, foreground, json).await,
        Verb::Status => print_status(&control::ask(&folder, &Request::Status).await?, json),
        Verb::People => print_people(&folder, &control::ask(&folder, &Request::Status).await?),
        Verb::Logs { node, lines } => {
            let log = folder.join("network/logs").join(format!("{node}.log"));
            if !log.is_file() {
                bail!("there is no log of `{node}`; `localnet status` lists the nodes");
            }
            println!("{}", process::tail(&log, lines));
            Ok(())
        }
        Verb::Kill { node } => tell(&folder, Request::Kill(node)).await,
        Verb::Start { node } => tell(&folder, Request::Start(node)).await,
        Verb::Cut { link } => tell(&folder, Request::Cut(link)).await,
        Verb::Heal { link } => tell(&folder, Request::Heal(link)).await,
        Verb::Down => down(&folder).await,
        Verb::Bench(options) => bench::run(options, json).await,
        Verb::Demo { out, validators } => story::demo(&out, validators).await,
        Verb::Supervise {
            validators,
            sidecars,
        } => supervise(&folder, validators, sidecars).await,
    }
}

async fn tell(folder: &Path, request: Request) -> Result<()> {
    control::ask(folder, &request).await.map(|_| ())
}

async fn up(
    folder: &Path,
    validators: usize,
    sidecars: usize,
    foreground: bool,
    json: bool,
) -> Result<()> {
    if control::ask(folder, &Request::Status).await.is_ok() {
        bail!(
            "a network runs already in {}; `localnet down` stops it",
            folder.display()
        );
    }
    if folder.join("network").exists() {
        std::fs::remove_dir_all(folder.join("network"))
            .context("clear the last network's files")?;
    }
    std::fs::create_dir_all(folder.join("logs"))
        .with_context(|| format!("create {}", folder.display()))?;
    if foreground {
        return supervise(folder, validators, sidecars).await;
    }
    let started = Instant::now();
    let mut command = Command::new(std::env::current_exe().context("where this program is")?);
    command.args(["--folder", &folder.to_string_lossy(), "supervise"]);
    command.args([
        "--validators",
        &validators.to_string(),
        "--sidecars",
        &sidecars.to_string(),
    ]);
    let log = folder.join("logs/supervisor.log");
    std::fs::write(&log, "").context("clear the supervisor's log")?;
    let mut supervisor = Process::start("supervisor", command, &log)?;
    let status = loop {
        if let Ok(status) = control::ask(folder, &Request::Status).await {
            break status;
        }
        if supervisor.ended().is_some() {
            bail!("the network did not start:\n{}", supervisor.log_tail(20));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            _ = tokio::signal::ctrl_c() => {
                supervisor.stop();
                bail!("interrupted; everything that had started is stopped");
            }
        }
    };
    // From here on it belongs to nobody but its control socket.
    std::mem::forget(supervisor);
    if !json {
        println!("ready after {:.1} s\n", started.elapsed().as_secs_f64());
    }
    print_status(&status, json)
}

async fn supervise(folder: &Path, validators: usize, sidecars: usize) -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("listen for SIGTERM")?;
    std::fs::write(
        folder.join("supervisor.pid"),
        std::process::id().to_string(),
    )
    .context("write supervisor.pid")?;
    let owned = async {
        let mut plant = plant::raise(folder, validators, sidecars).await?;
        println!("ready; `localnet status` shows everything, Ctrl-C or `localnet down` stops it");
        let served = control::serve(&mut plant.network).await;
        plant.network.stop();
        served
    };
    // Dropping the network kills what it started, so an interrupt at any moment leaves nothing.
    let ended = tokio::select! {
        ended = owned => ended,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    let _ = std::fs::remove_file(control::socket(folder));
    let _ = std::fs::remove_file(folder.join("supervisor.pid"));
    ended
}

async fn down(folder: &Path) -> Result<()> {
    let asked = control::ask(folder, &Request::Down).await;
    let pid_file = folder.join("supervisor.pid");
    let pid = std::fs::read_to_string(&pid_file)
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok());
    let deadline = Instant::now() + Duration::from_secs(60);
    while pid_file.exists() && pid.is_some_and(is_alive) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A supervisor that was killed could not stop its nodes: they are found by their pids.
    let left = plant::kill_leftovers(folder);
    match (asked, left) {
        (Ok(_), _) => println!("stopped; nothing is left running"),
        (Err(_), left) if left > 0 => {
            println!("the supervisor was gone; killed {left} processes that it had left")
        }
        (Err(error), _) => return Err(error),
    }
    Ok(())
}

/// The sample people's keyrings guard nothing; their passphrase is no secret.
fn print_people(folder: &Path, status: &Value) -> Result<()> {
    println!(
        "export HOLDFAST_PASSPHRASE='{}'",
        localnet::hold::PASSPHRASE
    );
    let people = folder.join("network/people");
    let mut homes: Vec<PathBuf> = std::fs::read_dir(&people)
        .with_context(|| format!("read {}", people.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    homes.sort();
    let variable = |name: &str| name.to_uppercase().replace('-', "_");
    for home in homes {
        let name = home
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("export HOLD_{}='{}'", variable(&name), home.display());
    }
    for (name, sidecar) in status["sidecars"].as_object().into_iter().flatten() {
        println!(
            "export {}='{}'",
            variable(name),
            sidecar["http"].as_str().unwrap_or_default()
        );
    }
    Ok(())
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn print_status(status: &Value, json: bool) -> Result<()> {
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(status).context("print the status")?
        );
        return Ok(());
    }
    let word = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    println!(
        "chain    {}\nengine   {}\nfolder   {}\n",
        word(&status["chain_id"]),
        word(&status["engine"]),
        word(&status["folder"])
    );
    println!("{:<12} {:>8}  address", "node", "pid");
    let hubs = status["hubs"].as_array().cloned().unwrap_or_default();
    for node in status["nodes"].as_array().into_iter().flatten() {
        let name = word(&node["name"]);
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let hub = hubs.get(digits.parse::<usize>().unwrap_or(0));
        let address = match hub {
            Some(hub) if name.starts_with("comet") || name == "hub" => {
                format!("{}  height {}", word(&hub["rpc"]), hub["height"])
            }
            Some(hub) if name.starts_with("hub") => word(&hub["grpc"]),
            _ => word(&status["sidecars"][&name]["http"]),
        };
        let pid = node["pid"]
            .as_u64()
            .map_or_else(|| "down".to_owned(), |pid| pid.to_string());
        println!("{name:<12} {pid:>8}  {address}");
    }
    for (link, open) in status["links"].as_object().into_iter().flatten() {
        println!(
            "link {link}: {}",
            if open == &Value::Bool(true) {
                "open"
            } else {
                "cut"
            }
        );
    }
    Ok(())
}
