//! `hold policy`: work on policy files, offline.

mod ask;
mod edit;
mod explain;
mod files;
mod picture;
mod testing;
mod translate;
mod validate;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use policy::{ObjectRef, Time};

use crate::context::Context;
use crate::reply::Reply;

pub(crate) use files::{parse_actor, parse_given, read_definition, word};
pub(crate) use validate::describe;

/// What `hold policy` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether a policy file compiles, and what it defines
    Validate {
        /// The policy, YAML
        file: PathBuf,
    },
    /// Rewrite a policy file as everybody writes them; its comments stay
    Fmt {
        /// The policy, YAML
        file: PathBuf,
        /// Only say whether it is written so: exit code 1 if not
        #[arg(long)]
        check: bool,
    },
    /// Answer a permission question from a policy file and a file of relationships
    Check {
        /// The policy, YAML
        file: PathBuf,
        /// Who: a DID, the name of a key in this keyring, or an object such as user:anne
        actor: String,
        /// What: a permission or relation of the object's resource
        permission: String,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
    },
    /// Say why a permission question is answered as it is: one shortest reason for an allow; for a
    /// deny what was tried, what would be needed and what excludes
    Explain {
        /// The policy, YAML
        file: PathBuf,
        /// Who: a DID, the name of a key in this keyring, or an object such as user:anne
        actor: String,
        /// What: a permission or relation of the object's resource
        permission: String,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
    },
    /// List the objects on which somebody has a permission, or who has it on an object
    Lookup {
        #[command(subcommand)]
        what: Lookup,
    },
    /// List all that somebody may do on an object
    Permissions {
        /// The policy, YAML
        file: PathBuf,
        /// Who
        actor: String,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
    },
    /// List the relations that can ever influence a permission, and which way
    Reachable {
        /// The policy, YAML
        file: PathBuf,
        /// RESOURCE#PERMISSION
        permission: String,
    },
    /// Draw a policy, or the relationships under it
    Draw {
        /// The policy, YAML
        file: PathBuf,
        /// Draw these relationships instead of the schema
        #[arg(long, value_name = "FILE")]
        relationships: Option<PathBuf>,
        /// Only what is near this object or actor
        #[arg(long, value_name = "SUBJECT", requires = "relationships")]
        around: Option<String>,
        /// How many relationships away is near
        #[arg(long, value_name = "N", default_value_t = 2, requires = "around")]
        steps: usize,
        /// Mermaid instead of SVG
        #[arg(long)]
        mermaid: bool,
        /// Where to write it; to standard output when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say what replacing one policy by another does to relationships that are there
    Diff {
        /// The policy in force, YAML
        old: PathBuf,
        /// The one that shall replace it, YAML
        new: PathBuf,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
        /// How many examples to show of each kind
        #[arg(long, value_name = "N", default_value_t = 3)]
        examples: usize,
    },
    /// Translate an OpenFGA model or a SpiceDB schema to a policy, or its relationships
    Import {
        /// What it is written in
        #[arg(value_enum)]
        from: Notation,
        /// The model or schema; OpenFGA's also as JSON, or several modules
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The type whose objects become actors; their ids must be DIDs then
        #[arg(long, value_name = "TYPE")]
        actor: Option<String>,
        /// The files hold relationships: OpenFGA tuples (YAML, JSON, CSV), or SpiceDB lines
        #[arg(long)]
        relationships: bool,
        /// Where to write it; to standard output when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Run test files: our own, OpenFGA stores, SpiceDB validation files, or acp's theorems
    Test {
        /// Test files, recognised by what stands in them
        files: Vec<PathBuf>,
        /// Ask theorems of this policy
        #[arg(long, value_name = "FILE", requires_all = ["relationships", "theorems"], conflicts_with = "files")]
        policy: Option<PathBuf>,
        /// Under these relationships
        #[arg(long, value_name = "FILE", requires = "policy")]
        relationships: Option<PathBuf>,
        /// Theorems in the notation of acp
        #[arg(long, value_name = "FILE", requires = "policy")]
        theorems: Option<PathBuf>,
        /// When to ask what names no time, as in RFC 3339; now when left out
        #[arg(long, value_name = "TIME")]
        time: Option<Time>,
    },
    /// Translate a policy to an OpenFGA model or a SpiceDB schema, where that can express it
    Export {
        /// What to write it in
        #[arg(value_enum)]
        to: Notation,
        /// The policy, YAML
        file: PathBuf,
        /// Leave out who manages which relation, which neither can express
        #[arg(long)]
        drop_management: bool,
        /// Where to write it; to standard output when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What to list.
#[derive(Debug, Subcommand)]
pub enum Lookup {
    /// The objects of a resource on which somebody has a permission
    Objects {
        /// The policy, YAML
        file: PathBuf,
        /// Who
        actor: String,
        /// RESOURCE#PERMISSION
        permission: String,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
        #[command(flatten)]
        page: Page,
    },
    /// Who has a permission on an object
    Subjects {
        /// The policy, YAML
        file: PathBuf,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        /// What
        permission: String,
        /// Objects of this resource, or usersets RESOURCE#RELATION, instead of actors
        #[arg(long, value_name = "RESOURCE[#RELATION]")]
        of: Option<String>,
        #[command(flatten)]
        world: WorldFile,
        #[command(flatten)]
        asked: AskedAt,
        #[command(flatten)]
        page: Page,
    },
}

/// Where relationships are.
#[derive(Debug, Args)]
pub struct WorldFile {
    /// Lines `resource:id#relation@subject`, with terms behind them; `resource:id#owner@did:…`
    /// registers an object
    #[arg(long, value_name = "FILE")]
    relationships: PathBuf,
}

/// When and with what a question is asked.
#[derive(Debug, Args)]
pub struct AskedAt {
    /// Values for conditions, a JSON object such as {"zone":"ward"}
    #[arg(long = "context", value_name = "JSON")]
    given: Option<String>,
    /// When to ask, as in RFC 3339; now when left out
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
}

/// Which part of a list.
#[derive(Debug, Args)]
pub struct Page {
    /// Only what follows this in the list: `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    most: usize,
}

/// Notations of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Notation {
    /// OpenFGA: DSL 1.1 and 1.2, JSON, modules
    Openfga,
    /// SpiceDB's schema language
    Spicedb,
}

/// Runs one of them.
///
/// # Errors
/// When a file cannot be read or a question has no answer. A policy that does not compile is an
/// answer: no.
pub fn run(context: &Context, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::Validate { file } => validate::validate(&file),
        Command::Fmt { file, check } => translate::format(&file, check),
        Command::Check {
            file,
            actor,
            permission,
            object,
            world,
            asked,
        } => {
            let question = ask::question(context, &actor, &permission, object)?;
            ask::check(&file, &world, &asked, &question)
        }
        Command::Explain {
            file,
            actor,
            permission,
            object,
            world,
            asked,
        } => {
            let question = ask::question(context, &actor, &permission, object)?;
            explain::explain(&file, &world, &asked, &question)
        }
        Command::Lookup { what } => ask::lookup(context, what),
        Command::Permissions {
            file,
            actor,
            object,
            world,
            asked,
        } => ask::permissions(context, &file, &actor, &object, &world, &asked),
        Command::Reachable { file, permission } => ask::reachable(&file, &permission),
        Command::Draw {
            file,
            relationships,
            around,
            steps,
            mermaid,
            out,
        } => {
            let around = around.map(|text| files::parse_subject(context, &text));
            let near = around.transpose()?.map(|center| (center, steps));
            picture::draw(
                &file,
                relationships.as_deref(),
                near,
                mermaid,
                out.as_deref(),
            )
        }
        Command::Diff {
            old,
            new,
            world,
            asked,
            examples,
        } => edit::diff(&old, &new, &world, &asked, examples),
        Command::Import {
            from,
            files,
            actor,
            relationships,
            out,
        } => {
            let actor = actor.as_deref();
            match relationships {
                true => translate::import_relationships(from, &files, actor, out.as_deref()),
                false => translate::import(from, &files, actor, out.as_deref()),
            }
        }
        Command::Test {
            files,
            policy,
            relationships,
            theorems,
            time,
        } => match (policy, relationships, theorems) {
            (Some(policy), Some(relationships), Some(theorems)) => {
                testing::theorems(&policy, &relationships, &theorems)
            }
            _ => testing::test(&files, time),
        },
        Command::Export {
            to,
            file,
            drop_management,
            out,
        } => translate::export(to, &file, drop_management, out.as_deref()),
    }
}
