//! `hold hub`: transactions, and answers that are verified.

mod alias;
mod check;
mod client;
mod query;
mod send;
mod trust;
mod unverified;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use policy::ObjectRef;

use crate::context::Context;
use crate::reply::Reply;

pub(crate) use check::lacks;
pub(crate) use client::Connection;

/// What all commands about the hub take.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A node's RPC address; may be given several times. Overrides config.toml
    #[arg(long, global = true, value_name = "URL")]
    pub rpc: Vec<String>,

    /// The block that you trust. Overrides config.toml
    #[arg(long, global = true, value_name = "HEIGHT:HASH")]
    pub trust: Option<String>,

    /// The chain's id. Overrides config.toml
    #[arg(long, global = true, value_name = "ID")]
    pub chain_id: Option<String>,

    /// Believe the node: skip the light client, and say so
    #[arg(long, global = true)]
    pub unverified: bool,

    #[command(subcommand)]
    command: Command,
}

/// How a transaction is signed and paid.
#[derive(Debug, Args)]
pub struct Signing {
    /// The key that signs
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// The most gas; estimated when left out
    #[arg(long, value_name = "GAS")]
    pub gas: Option<u64>,
    /// What is paid, in uhold; the chain's price for the gas when left out
    #[arg(long, value_name = "UHOLD")]
    pub fee: Option<u64>,
    /// A text to go with the transaction
    #[arg(long, default_value = "", hide_default_value = true)]
    pub memo: String,
}

/// What `hold hub` can do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Set up the light client: show a header to confirm with somebody you trust, then keep it
    Trust {
        /// Believe the nodes given, without confirming the header out of band
        #[arg(long)]
        yes: bool,
    },
    /// Give a policy (or an audit log) a local name; without arguments, list the names
    Alias {
        /// The name
        #[arg(requires = "id")]
        name: Option<String>,
        /// The id, 64 hexadecimal digits
        id: Option<String>,
        /// The id is an audit log's
        #[arg(long)]
        log: bool,
    },
    /// Where the hub stands, verified
    Status,
    /// An account: its balance and sequence
    Account {
        /// An address (hold1…), a DID, or a key of this keyring
        who: String,
    },
    /// A policy: its record, what it defines, and with `history` every change of it
    Policy(PolicyArguments),
    /// Answer a permission question from hub state: allow (exit 0), deny or conditional (exit 1)
    Check {
        /// The policy: a local name or an id
        policy: String,
        /// Who: a DID, or a key of this keyring
        actor: String,
        /// What: a permission or relation of the object's resource
        permission: String,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        /// As of this revision; the newest when left out
        #[arg(long)]
        revision: Option<u64>,
        /// Say what the evidence is; with FILE, write it there
        #[arg(long, value_name = "FILE", num_args = 0..=1)]
        prove: Option<Option<PathBuf>>,
        /// For each document that the answer hangs on, registered or not: what its id is derived
        /// from, as `hold --output json doc get` shows it; several allowed
        #[arg(long = "document", value_name = "FILE")]
        documents: Vec<PathBuf>,
        /// Values for conditions, a JSON object such as {"zone":"ward"}
        #[arg(long = "context", value_name = "JSON")]
        given: Option<String>,
    },
    /// The audit logs of a policy, provably all
    Logs {
        /// The policy
        policy: String,
    },
    /// One audit log: whose it is, and what its last anchor says
    Log {
        /// The log: a local name or an id
        log: String,
    },
    /// The anchors of an audit log, provably all
    Anchors {
        /// The log: a local name or an id
        log: String,
    },
    /// A transaction and its result
    Tx {
        /// Its hash, 64 hexadecimal digits
        hash: String,
    },
    /// Create a policy from a YAML file
    CreatePolicy {
        /// The policy
        file: PathBuf,
        /// The local name to give it
        #[arg(long, value_name = "NAME")]
        alias: Option<String>,
        /// How many blocks after the height that it names an attestation may be anchored
        #[arg(long, value_name = "BLOCKS", default_value_t = 600)]
        anchor_lag: u64,
        /// How long a sidecar answers from the last block that it verified
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        max_staleness: u64,
        #[command(flatten)]
        signing: Signing,
    },
    /// Define a collection of documents, or the next version of its schema
    DefineCollection {
        /// The policy
        policy: String,
        /// The collection's name
        name: String,
        /// The resource of its documents
        #[arg(long)]
        resource: String,
        /// The relation that a document has to the object it is created in
        #[arg(long, value_name = "RELATION")]
        scope_relation: String,
        /// The schema, JSON
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
        #[command(flatten)]
        signing: Signing,
    },
    /// Set relationships, all or none; one that stands gets the terms that are given
    Relate(Relationships),
    /// Delete relationships, all or none, whatever their terms
    Unrelate(Relationships),
    /// Register an object; the signer owns it
    Register {
        /// The policy
        policy: String,
        /// The object, RESOURCE:ID
        object: ObjectRef,
        /// For a document: what its id is derived from, JSON
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Send coins
    Send {
        /// To an address (hold1…), a DID, or a key of this keyring
        to: String,
        /// How much, in uhold
        amount: u64,
        #[command(flatten)]
        signing: Signing,
    },
    /// Open an audit log for the signer
    OpenLog {
        /// The policy that it is about
        policy: String,
        /// The DID that will sign anchors; the signer's own when left out
        #[arg(long, value_name = "DID")]
        anchoring: Option<String>,
        /// The local name to give it
        #[arg(long, value_name = "NAME")]
        alias: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Which relationships of which policy.
#[derive(Debug, Args)]
struct Relationships {
    /// The policy
    policy: String,
    /// Each `resource:id#relation@subject`, and on what terms:
    /// `… with office_hours {"zone":"ward"} and expiration 2027-01-01T00:00:00Z`
    relationships: Vec<String>,
    /// Read more of them from FILE, one a line
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

/// `hold hub policy NAME`, or a word more.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct PolicyArguments {
    /// The policy: a local name or an id
    policy: Option<String>,
    #[command(subcommand)]
    command: Option<PolicyCommand>,
}

/// What `hold hub policy` can do.
#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Show a policy: its record, what it defines and its text
    Show {
        /// The policy
        policy: String,
    },
    /// Show every change of a policy, provably all
    History {
        /// The policy
        policy: String,
    },
}

/// Runs one of them.
///
/// # Errors
/// Whatever kept it from an answer that verifies.
pub fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Reply> {
    let runtime = runtime()?;
    if let Command::Alias { name, id, log } = &arguments.command {
        return alias::run(context, name.as_deref(), id.as_deref(), *log);
    }
    if let Command::Trust { yes } = arguments.command {
        return runtime.block_on(trust::run(context, &arguments, yes));
    }
    let connection = Connection::of(context, &arguments)?;
    runtime.block_on(dispatch(context, &connection, arguments.command))
}

/// The loop that network commands run on: one thread is enough for one question.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")
}

async fn dispatch(
    context: &Context,
    connection: &Connection,
    command: Command,
) -> anyhow::Result<Reply> {
    match command {
        Command::Trust { .. } | Command::Alias { .. } => unreachable!("answered before"),
        Command::Status => query::status(connection).await,
        Command::Account { who } => query::account(context, connection, &who).await,
        Command::Policy(asked) => match (asked.command, asked.policy) {
            (Some(PolicyCommand::History { policy }), _) => {
                query::history(context, connection, &policy).await
            }
            (Some(PolicyCommand::Show { policy }), _) | (None, Some(policy)) => {
                query::policy(context, connection, &policy).await
            }
            (None, None) => anyhow::bail!("say which policy: hold hub policy NAME"),
        },
        Command::Log { log } => query::log(context, connection, &log).await,
        Command::Check {
            policy,
            actor,
            permission,
            object,
            revision,
            prove,
            documents,
            given,
        } => {
            let asked = check::Asked {
                policy: &policy,
                actor: &actor,
                permission: &permission,
                object: &object,
                revision,
                prove: prove.as_ref().map(Option::as_deref),
                documents: &documents,
                given: given.as_deref(),
            };
            check::run(context, connection, asked).await
        }
        Command::Logs { policy } => query::logs(context, connection, &policy).await,
        Command::Anchors { log } => query::anchors(context, connection, &log).await,
        Command::Tx { hash } => query::transaction(connection, &hash).await,
        Command::CreatePolicy {
            file,
            alias,
            anchor_lag,
            max_staleness,
            signing,
        } => {
            let terms = send::NewPolicy {
                file: &file,
                alias: alias.as_deref(),
                anchor_lag,
                max_staleness,
            };
            send::create_policy(context, connection, &terms, &signing).await
        }
        Command::DefineCollection {
            policy,
            name,
            resource,
            scope_relation,
            schema,
            signing,
        } => {
            let collection = send::NewCollection {
                policy: &policy,
                name: &name,
                resource: &resource,
                scope_relation: &scope_relation,
                schema: &schema,
            };
            send::define_collection(context, connection, &collection, &signing).await
        }
        Command::Relate(it) => send::relate(context, connection, &it, true).await,
        Command::Unrelate(it) => send::relate(context, connection, &it, false).await,
        Command::Register {
            policy,
            object,
            document,
            signing,
        } => {
            send::register(
                context,
                connection,
                &policy,
                &object,
                document.as_deref(),
                &signing,
            )
            .await
        }
        Command::Send {
            to,
            amount,
            signing,
        } => send::coins(context, connection, &to, amount, &signing).await,
        Command::OpenLog {
            policy,
            anchoring,
            alias,
            signing,
        } => {
            send::open_log(
                context,
                connection,
                &policy,
                anchoring.as_deref(),
                alias.as_deref(),
                &signing,
            )
            .await
        }
    }
}
