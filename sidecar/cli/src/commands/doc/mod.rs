//! `hold doc`: a sidecar's documents. The sidecar prepares, this process looks and signs, the
//! sidecar takes the commit: the key never leaves the machine that it is on.

mod client;
mod show;
mod token;
mod wanted;

use anyhow::{bail, Context as _};
use clap::{Args, Subcommand};
use crdt::{Cid, CollectionPreimage, DocumentId};
use identity::ChainId;
use serde_json::{json, Value};

pub(crate) use client::Sidecar;
use client::{Prepared, Target};
use wanted::{Change, Wanted};

use crate::context::Context;
use crate::reply::Reply;

/// What all commands about documents take.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The sidecar's address; otherwise `[sidecar] url` of config.toml
    #[arg(long, global = true, value_name = "URL")]
    pub sidecar: Option<String>,
    /// The key that acts
    #[arg(long, global = true, value_name = "NAME")]
    pub from: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// Changes of fields. A value is JSON where it reads as JSON, else text.
#[derive(Debug, Args)]
struct Setters {
    /// Give a register a value
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Add to a counter
    #[arg(long, value_name = "FIELD=NUMBER", allow_hyphen_values = true)]
    inc: Vec<String>,
    /// Add an element to a set
    #[arg(long, value_name = "FIELD=VALUE")]
    add: Vec<String>,
}

/// What `hold doc` can do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Create a document
    Create {
        /// The policy: a local name or an id
        #[arg(long)]
        policy: String,
        /// The collection's name
        #[arg(long)]
        collection: String,
        /// The resource of the collection's documents, where several have a collection of this name
        #[arg(long)]
        resource: Option<String>,
        /// The hub object that it is created in, RESOURCE:ID
        #[arg(long, value_name = "OBJECT")]
        scope: String,
        #[command(flatten)]
        setters: Setters,
    },
    /// Change a document's fields
    Update {
        /// The document's id
        document: String,
        #[command(flatten)]
        setters: Setters,
        /// Remove an element from a set
        #[arg(long, value_name = "FIELD=VALUE")]
        remove: Vec<String>,
    },
    /// Delete a document; its history stays
    Delete {
        /// The document's id
        document: String,
    },
    /// Show a document, now or as it was
    Get {
        /// The document's id
        document: String,
        /// As of these commits, separated by commas
        #[arg(
            long,
            value_name = "COMMIT",
            value_delimiter = ',',
            conflicts_with = "at_anchor"
        )]
        at: Vec<String>,
        /// As of this anchor of the sidecar's log
        #[arg(long, value_name = "ANCHOR")]
        at_anchor: Option<u64>,
    },
    /// List the documents of a collection that you may read
    List {
        /// The policy: a local name or an id
        #[arg(long)]
        policy: String,
        /// The collection's name
        #[arg(long)]
        collection: String,
        /// The resource of the collection's documents, where several have a collection of this name
        #[arg(long)]
        resource: Option<String>,
        /// Only those whose register has this value
        #[arg(long = "where", value_name = "FIELD=VALUE")]
        filter: Option<String>,
        /// Go on after a page, with what it gave as `next`
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
        /// The most to list
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show every commit of a document, with its verdict
    History {
        /// The document's id
        document: String,
    },
    /// Roll a document back: a new commit, history kept
    Rollback {
        /// The document's id
        document: String,
        /// To the state after these commits, separated by commas
        #[arg(
            long,
            value_name = "COMMIT",
            value_delimiter = ',',
            conflicts_with = "to_anchor",
            required_unless_present = "to_anchor"
        )]
        to: Vec<String>,
        /// To the state under this anchor of the sidecar's log
        #[arg(long, value_name = "ANCHOR")]
        to_anchor: Option<u64>,
    },
    /// Show how the sidecar is
    Status,
}

/// Runs one of them.
///
/// # Errors
/// When the sidecar cannot be reached or could not tell. A refusal is an answer: no.
pub fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Reply> {
    super::hub::runtime()?.block_on(dispatch(context, arguments))
}

async fn dispatch(context: &Context, arguments: Arguments) -> anyhow::Result<Reply> {
    let url = arguments.sidecar.as_deref();
    if matches!(arguments.command, Command::Status) {
        return client::status(context, url).await;
    }
    // What was typed is looked at before anybody is asked for a passphrase.
    let asked = Asked::parse(context, arguments.command)?;
    let sidecar = Sidecar::open(context, url, arguments.from.as_deref()).await?;
    match asked {
        Asked::Write(intent) => write(&sidecar, intent).await,
        Asked::Get {
            document,
            at,
            at_anchor,
        } => {
            let mut path = format!("/v1/documents/{document}");
            if !at.is_empty() {
                let heads: Vec<String> = at.iter().map(Cid::to_string).collect();
                path.push_str(&format!("?at={}", heads.join(",")));
            }
            if let Some(anchor) = at_anchor {
                path.push_str(&format!("?at_anchor={anchor}"));
            }
            sidecar.get(&path, show::document).await
        }
        Asked::History { document } => {
            let path = format!("/v1/documents/{document}/history");
            sidecar.get(&path, show::history).await
        }
        Asked::List(list) => {
            let mut path = format!(
                "/v1/documents?policy={}&collection={}&limit={}",
                list.collection.policy,
                client::percent(&list.collection.asked()),
                list.limit
            );
            if let Some((field, value)) = &list.filter {
                path.push_str(&format!(
                    "&field={}&equals={}",
                    client::percent(field),
                    client::percent(&wanted::to_json(value).to_string())
                ));
            }
            if let Some(after) = &list.after {
                path.push_str(&format!("&after={}", client::percent(after)));
            }
            sidecar.get(&path, show::list).await
        }
    }
}

/// A collection as it is typed.
struct CollectionName {
    policy: hub_types::PolicyId,
    name: String,
    resource: Option<String>,
}

impl CollectionName {
    /// As the API takes it.
    fn asked(&self) -> String {
        match &self.resource {
            Some(resource) => format!("{resource}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// What the collection's id is made of, once its resource is known.
    fn preimage(&self, chain: &ChainId, resource: &str) -> anyhow::Result<CollectionPreimage> {
        Ok(CollectionPreimage::new(
            chain.clone(),
            *self.policy.as_bytes(),
            resource,
            &self.name,
        )?)
    }
}

struct List {
    collection: CollectionName,
    filter: Option<(String, crdt::Value)>,
    after: Option<String>,
    limit: u32,
}

/// A write as it is typed.
enum Intent {
    Create {
        collection: CollectionName,
        scope: policy::ObjectRef,
        changes: Vec<Change>,
    },
    Update {
        document: DocumentId,
        changes: Vec<Change>,
    },
    Delete {
        document: DocumentId,
    },
    Rollback {
        document: DocumentId,
        target: Target,
    },
}

enum Asked {
    Write(Intent),
    Get {
        document: DocumentId,
        at: Vec<Cid>,
        at_anchor: Option<u64>,
    },
    History {
        document: DocumentId,
    },
    List(List),
}

impl Asked {
    fn parse(context: &Context, command: Command) -> anyhow::Result<Self> {
        Ok(match command {
            Command::Status => bail!("answered before"),
            Command::Create {
                policy,
                collection,
                resource,
                scope,
                setters,
            } => Self::Write(Intent::Create {
                collection: CollectionName {
                    policy: context.config.policy(&policy)?,
                    name: collection,
                    resource,
                },
                scope: scope.parse()?,
                changes: changes(&setters, &[])?,
            }),
            Command::Update {
                document,
                setters,
                remove,
            } => {
                let changes = changes(&setters, &remove)?;
                if changes.is_empty() {
                    bail!("nothing to change was given; use --set, --inc, --add or --remove");
                }
                Self::Write(Intent::Update {
                    document: document_id(&document)?,
                    changes,
                })
            }
            Command::Delete { document } => Self::Write(Intent::Delete {
                document: document_id(&document)?,
            }),
            Command::Rollback {
                document,
                to,
                to_anchor,
            } => Self::Write(Intent::Rollback {
                document: document_id(&document)?,
                target: match to_anchor {
                    Some(anchor) => Target::Anchor(anchor),
                    None => Target::Commits(commits(&to)?),
                },
            }),
            Command::Get {
                document,
                at,
                at_anchor,
            } => Self::Get {
                document: document_id(&document)?,
                at: commits(&at)?,
                at_anchor,
            },
            Command::History { document } => Self::History {
                document: document_id(&document)?,
            },
            Command::List {
                policy,
                collection,
                resource,
                filter,
                after,
                limit,
            } => Self::List(List {
                collection: CollectionName {
                    policy: context.config.policy(&policy)?,
                    name: collection,
                    resource,
                },
                filter: filter
                    .map(|text| wanted::parse_assignment(&text))
                    .transpose()?,
                after,
                limit,
            }),
        })
    }
}

fn changes(setters: &Setters, remove: &[String]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for text in &setters.set {
        let (field, value) = wanted::parse_assignment(text)?;
        changes.push(Change::Set(field, value));
    }
    for text in &setters.inc {
        let (field, by) = wanted::parse_increment(text)?;
        changes.push(Change::Increment(field, by));
    }
    for text in &setters.add {
        let (field, value) = wanted::parse_assignment(text)?;
        changes.push(Change::Add(field, value));
    }
    for text in remove {
        let (field, value) = wanted::parse_assignment(text)?;
        changes.push(Change::Remove(field, value));
    }
    Ok(changes)
}

fn document_id(text: &str) -> anyhow::Result<DocumentId> {
    // `batch:ID` as the hub writes it means the same document.
    let id = text.rsplit_once(':').map_or(text, |(_, id)| id);
    id.parse()
        .with_context(|| format!("\"{text}\" is no document's id"))
}

fn commits(texts: &[String]) -> anyhow::Result<Vec<Cid>> {
    texts
        .iter()
        .map(|text| {
            text.parse()
                .with_context(|| format!("\"{text}\" names no commit"))
        })
        .collect()
}

/// Prepare, look, sign, submit.
async fn write(sidecar: &Sidecar, intent: Intent) -> anyhow::Result<Reply> {
    let request = request(&intent)?;
    let prepared: Prepared = match sidecar.prepare(&request).await? {
        Ok(prepared) => prepared,
        Err(refusal) => return Ok(refusal),
    };
    let (wanted, did) = expected(sidecar, intent, prepared.resource.as_deref())?;
    let key = sidecar.key();
    let header = wanted::check(
        &wanted,
        &key.did(),
        sidecar.chain(),
        prepared.header,
        &prepared.body,
    )
    .with_context(|| {
        format!(
            "the sidecar at {} prepared something else than was asked for; nothing was signed",
            sidecar.url()
        )
    })?;
    let signature = key.sign_commit(sidecar.chain(), header.bytes());
    match sidecar
        .submit(header.bytes(), &prepared.body, &signature)
        .await?
    {
        Ok(answer) => Ok(show::written(did, answer)),
        Err(refusal) => Ok(refusal),
    }
}

/// What the sidecar is asked to prepare.
fn request(intent: &Intent) -> anyhow::Result<Value> {
    Ok(match intent {
        Intent::Create {
            collection,
            scope,
            changes,
        } => json!({"create": {
            "policy": collection.policy.to_string(),
            "collection": collection.asked(),
            "scope": scope.to_string(),
            "fields": wanted::creation_fields(changes)?,
        }}),
        Intent::Update { document, changes } => {
            let mut update = wanted::update_changes(changes)?;
            update["document"] = json!(document.to_string());
            json!({ "update": update })
        }
        Intent::Delete { document } => json!({"delete": {"document": document.to_string()}}),
        Intent::Rollback { document, target } => {
            let mut rollback = json!({"document": document.to_string()});
            match target {
                Target::Commits(commits) => {
                    let texts: Vec<String> = commits.iter().map(Cid::to_string).collect();
                    rollback["to_commits"] = json!(texts);
                }
                Target::Anchor(anchor) => rollback["to_anchor"] = json!(anchor),
            }
            json!({ "rollback": rollback })
        }
    })
}

/// What must come back to be signed, and the word for it.
///
/// A collection's id is a hash of chain, policy, resource and name. Where nobody typed the
/// resource, the sidecar names it: it can choose among collections of that name in that policy,
/// and nothing else.
fn expected(
    sidecar: &Sidecar,
    intent: Intent,
    resource: Option<&str>,
) -> anyhow::Result<(Wanted, &'static str)> {
    Ok(match intent {
        Intent::Create {
            collection,
            scope,
            changes,
        } => {
            let resource = collection.resource.as_deref().or(resource).context(
                "the sidecar does not say of which resource the collection is; give --resource",
            )?;
            let wanted = Wanted::Create {
                collection: collection.preimage(sidecar.chain(), resource)?,
                scope: scope.to_string(),
                changes,
            };
            (wanted, "Created")
        }
        Intent::Update { document, changes } => (Wanted::Update { document, changes }, "Updated"),
        Intent::Delete { document } => (Wanted::Delete { document }, "Deleted"),
        Intent::Rollback { document, target } => {
            let target = match target {
                Target::Commits(commits) => Some(commits),
                Target::Anchor(_) => None,
            };
            (Wanted::Rollback { document, target }, "Rolled back")
        }
    })
}

/// Moves `hub` to `decision`, the name that every command uses for what an answer rests on.
fn with_decision(mut answer: Value) -> Value {
    if let Some(object) = answer.as_object_mut() {
        if let Some(hub) = object.remove("hub") {
            object.insert("decision".to_owned(), hub);
        }
    }
    answer
}
