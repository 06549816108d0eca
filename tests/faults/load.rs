//! Load that knows what was acknowledged: afterwards nothing of it may be missing or doubled.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use anyhow::{anyhow, Context, Result};
use hub_client::{HttpTransport, HubClient, Options, Transport};
use hub_types::bank::Send;
use hub_types::{Amount, Message};
use identity::{AccountAddress, ChainId, KeyKind, SecretKey};
use localnet::plant::Plant;
use tokio::task::JoinHandle;

/// What a writer was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Writes that were acknowledged.
    pub acknowledged: AtomicU64,
    /// Writes whose fate the writer was not told: they may stand or not, but not twice.
    pub unknown: AtomicU64,
}

/// A running writer.
pub(super) struct Writer {
    told: Arc<Told>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Writer {
    fn start<F: std::future::Future<Output = Result<()>> + std::marker::Send>(
        pause_ms: u64,
        write: impl Fn() -> F + std::marker::Send + 'static,
    ) -> Self {
        let (told, stop) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
        let (heard, stopped) = (told.clone(), stop.clone());
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let fate = if write().await.is_ok() {
                    &heard.acknowledged
                } else {
                    &heard.unknown
                };
                fate.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
            }
        });
        Self { told, stop, task }
    }

    /// Stops after the write that is under way; gives acknowledged and unknown writes.
    pub(super) async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.task.await;
        (
            self.told.acknowledged.load(Ordering::Relaxed),
            self.told.unknown.load(Ordering::Relaxed),
        )
    }
}

/// A client that knows all validators and believes none.
pub(super) fn client(plant: &Plant) -> Result<HubClient> {
    let chain = ChainId::parse(plant.network.chain_id()).map_err(|error| anyhow!("{error}"))?;
    let trust = plant.trust.parse().map_err(|error| anyhow!("{error}"))?;
    let transport = |hub: &localnet::network::HubNode| -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(HttpTransport::new(&format!(
            "http://{}",
            hub.rpc
        ))?))
    };
    let transports = plant
        .network
        .hubs()
        .iter()
        .map(transport)
        .collect::<Result<_>>()?;
    Ok(HubClient::open(Options::new(chain, trust, transports))?)
}

/// Where the load sends its coins.
pub(super) fn sink() -> Result<AccountAddress> {
    let key =
        SecretKey::from_seed(KeyKind::Ed25519, [0x51; 32]).map_err(|error| anyhow!("{error}"))?;
    AccountAddress::of(key.public_key()).map_err(|error| anyhow!("{error}"))
}

/// Sends one coin after another to [`sink`], as `who`.
pub(super) async fn senders(plant: &Plant, who: &str) -> Result<Writer> {
    let person = plant.person(who)?.clone();
    let file = person.hold.home().join("load.key");
    person
        .hold
        .run(&[
            "key",
            "export",
            who,
            "--unencrypted",
            "--out",
            &file.to_string_lossy(),
        ])
        .await?;
    let key = Arc::new(node::secrets::read(&file, None).context("the sender's key")?);
    let client = Arc::new(client(plant)?);
    let from = AccountAddress::of(key.public_key()).map_err(|error| anyhow!("{error}"))?;
    let to = sink()?;
    Ok(Writer::start(5, move || {
        let (client, key) = (client.clone(), key.clone());
        async move {
            let send = Message::Send(Send {
                from,
                to,
                amount: Amount(1),
            });
            client
                .submit(&key, vec![send])
                .await
                .map(|_| ())
                .map_err(Into::into)
        }
    }))
}

/// Adds one piece after another to `document` at a sidecar, as `who`.
pub(super) fn pieces(plant: &Plant, who: &str, sidecar: &str, document: &str) -> Result<Writer> {
    let hold = plant.person(who)?.hold.clone();
    let (url, document, who) = (
        plant.sidecar_url(sidecar)?,
        document.to_owned(),
        who.to_owned(),
    );
    Ok(Writer::start(20, move || {
        let (hold, url, document, who) = (hold.clone(), url.clone(), document.clone(), who.clone());
        async move {
            let update = [
                "doc",
                "update",
                &document,
                "--inc",
                "pieces=1",
                "--sidecar",
                &url,
                "--from",
                &who,
            ];
            hold.run(&update).await.map(|_| ())
        }
    }))
}
