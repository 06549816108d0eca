//! Somebody with a key and the written protocol, and no sidecar to keep them honest: makes commits
//! that say whatever they please, correctly signed, and pushes them at a sidecar.

use anyhow::{anyhow, Context, Result};
use crdt::{
    Authority, Cid, CollectionPreimage, DocumentPreimage, DocumentRef, Draft, Operation, Schema,
    Scope, Value, DOCUMENT_NONCE_BYTES, SALT_BYTES,
};
use identity::{ChainId, SecretKey};
use node::network::client::Client;
use node::network::messages::{CommitBlocks, PushResult};

use crate::plant::{Person, SCHEMA};

/// A key, a chain, and claims.
pub(super) struct Scribe {
    key: SecretKey,
    chain: ChainId,
    policy: [u8; 32],
}

/// Where a forged commit is to stand.
pub(super) struct Place<'a> {
    /// The document that it changes; `None` creates one in `cell:1`.
    pub document: Option<&'a str>,
    /// The commits that it follows, with their DAG heights.
    pub parents: Vec<(String, u64)>,
    /// The hub state that it cites.
    pub authority: Authority,
    /// What it claims the time to be, in ms.
    pub claimed_time_ms: u64,
}

impl Scribe {
    /// Takes the key of `person` out of their keyring.
    pub async fn of(person: &Person, chain: &str, policy: &str) -> Result<Self> {
        let file = person.hold.home().join("exported.key");
        if !file.exists() {
            person
                .hold
                .run(&[
                    "key",
                    "export",
                    &person.name,
                    "--unencrypted",
                    "--out",
                    &file.to_string_lossy(),
                ])
                .await?;
        }
        let key = node::secrets::read(&file, None)
            .with_context(|| format!("the key of {}", person.name))?;
        let chain = ChainId::parse(chain).map_err(|error| anyhow!("{error}"))?;
        Ok(Self {
            key,
            chain,
            policy: policy_id(policy)?,
        })
    }

    /// The same person, citing another policy.
    pub fn with_policy(mut self, policy: [u8; 32]) -> Self {
        self.policy = policy;
        self
    }

    /// A signed commit that adds `pieces` to the counter and sets the station.
    pub fn commit(&self, place: Place<'_>, station: &str, pieces: i64) -> Result<CommitBlocks> {
        let schema = Schema::from_json(SCHEMA).map_err(|error| anyhow!("{error}"))?;
        let document = match place.document {
            Some(id) => DocumentRef::Known(
                id.parse()
                    .map_err(|error: crdt::Error| anyhow!("{error}"))?,
            ),
            None => DocumentRef::First(self.preimage()?),
        };
        let parents = place.parents.iter().map(|(cid, height)| {
            Ok((
                cid.parse::<Cid>().map_err(|error| anyhow!("{error}"))?,
                *height,
            ))
        });
        let draft = Draft {
            chain: self.chain.clone(),
            document,
            schema_version: 1,
            parents: parents.collect::<Result<_>>()?,
            author: self.key.did(),
            claimed_time_ms: place.claimed_time_ms,
            authority: place.authority,
            salt: random::<SALT_BYTES>()?,
            operations: vec![
                Operation::Set {
                    field: "station".into(),
                    value: Value::Text(station.into()),
                },
                Operation::Increment {
                    field: "pieces".into(),
                    by: pieces,
                },
            ],
        };
        let prepared = draft.prepare(&schema).map_err(|error| anyhow!("{error}"))?;
        let (commit, body) = prepared
            .sign(&self.key)
            .map_err(|error| anyhow!("{error}"))?;
        Ok(CommitBlocks {
            header: commit.header_bytes().to_vec(),
            signature: commit.signature().as_bytes().to_vec(),
            body: Some(body.bytes().to_vec()),
        })
    }

    /// Connects to the sidecar at `address` as a libp2p peer of its own and pushes one commit.
    pub async fn push(&self, address: &str, commit: CommitBlocks) -> Result<PushResult> {
        let address = address
            .parse()
            .with_context(|| format!("the address {address}"))?;
        // A libp2p identity is an ed25519 key; it need not be the author's.
        let identity = SecretKey::from_seed(identity::KeyKind::Ed25519, random()?)
            .map_err(|error| anyhow!("{error}"))?;
        let client = Client::connect(identity, self.chain.clone(), address).await?;
        let mut results = client.push(vec![commit]).await?;
        results.pop().context("no result of the push")
    }

    fn preimage(&self) -> Result<DocumentPreimage> {
        let failed = |error: crdt::Error| anyhow!("{error}");
        let collection =
            CollectionPreimage::new(self.chain.clone(), self.policy, "batch", "batches")
                .map_err(failed)?;
        Ok(DocumentPreimage {
            collection: collection.id(),
            scope: Scope::new("cell", "1").map_err(failed)?,
            author: self.key.did(),
            nonce: random::<DOCUMENT_NONCE_BYTES>()?,
        })
    }
}

/// A policy's id from its hexadecimal form.
pub(super) fn policy_id(text: &str) -> Result<[u8; 32]> {
    let mut id = [0; 32];
    hex::decode_to_slice(text, &mut id).with_context(|| format!("`{text}` is not a policy id"))?;
    Ok(id)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the operating system gave no randomness: {error}"))?;
    Ok(bytes)
}
