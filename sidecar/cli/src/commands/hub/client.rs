//! The way to the hub: which nodes, which chain, which trusted block.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context as _};
use hub_client::{HttpTransport, HubClient, Options, Rpc, Transport};
use hub_light::TrustPoint;
use identity::ChainId;

use super::Arguments;
use crate::config::create_private_directory;
use crate::context::Context;

/// The nodes to ask, and whether to believe them.
pub(crate) enum Connection {
    /// The light client decides.
    Verified(Box<HubClient>),
    /// The person said `--unverified`.
    Unverified(Vec<Arc<dyn Transport>>),
}

impl Connection {
    /// From the command line and `config.toml`, the command line first.
    pub(super) fn of(context: &Context, arguments: &Arguments) -> anyhow::Result<Self> {
        let transports = transports(context, arguments)?;
        if arguments.unverified {
            return Ok(Self::Unverified(transports));
        }
        let config = &context.config.hub;
        let chain_id = arguments
            .chain_id
            .as_ref()
            .or(config.chain_id.as_ref())
            .context(
                "the chain's id is not known; run `hold hub trust --rpc URL`, or give --chain-id",
            )?;
        let trust = arguments.trust.as_ref().or(config.trust.as_ref()).context(
            "no block is trusted yet; run `hold hub trust --rpc URL`, \
             compare what it shows with somebody you trust, and give --trust HEIGHT:HASH",
        )?;
        let chain_id = ChainId::parse(chain_id).context("the chain's id")?;
        let trust: TrustPoint = trust
            .parse()
            .with_context(|| format!("\"{trust}\" is no trust point; write HEIGHT:HASH"))?;
        let directory = context.home.join("light");
        create_private_directory(&directory)?;
        let mut options = Options::new(chain_id.clone(), trust, transports)
            .with_state_file(directory.join(format!("{chain_id}.json")));
        if let Some(hours) = config.trusting_period_hours {
            options.trusting_period = Duration::from_secs(hours.saturating_mul(3600));
        }
        Ok(Self::Verified(Box::new(HubClient::open(options)?)))
    }

    /// The verifying client; sending and proving need one.
    pub(super) fn verified(&self) -> anyhow::Result<&HubClient> {
        match self {
            Self::Verified(client) => Ok(client),
            Self::Unverified(_) => {
                bail!("this command proves what it says; leave out --unverified")
            }
        }
    }
}

/// The nodes from the command line, else from `config.toml`.
pub(super) fn transports(
    context: &Context,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Arc<dyn Transport>>> {
    let urls = if arguments.rpc.is_empty() {
        &context.config.hub.rpc
    } else {
        &arguments.rpc
    };
    if urls.is_empty() {
        bail!("no address of the hub is known; give --rpc URL, or run `hold hub trust --rpc URL`");
    }
    urls.iter()
        .map(|url| Ok(Arc::new(HttpTransport::new(url)?) as Arc<dyn Transport>))
        .collect()
}

/// What stands above every answer that nobody verified.
pub(super) const LOUD: &str =
    "!! UNVERIFIED: this is one node's word. Nothing below was checked. !!";

/// One unproven answer of the first node that gives one.
pub(super) async fn ask_unverified<A: prost::Message + Default>(
    transports: &[Arc<dyn Transport>],
    path: &str,
    request: &impl prost::Message,
) -> anyhow::Result<A> {
    let mut last = None;
    for transport in transports {
        let rpc = Rpc::new(&**transport);
        match rpc
            .abci_query(path, &request.encode_to_vec(), 0, false)
            .await
        {
            Ok(answer) if answer.code == 0 => {
                return A::decode(answer.value.as_slice())
                    .ok()
                    .with_context(|| format!("{} gave an answer that cannot be read", rpc.name()))
            }
            Ok(answer) => {
                last = Some(anyhow::anyhow!(
                    "{} says: {} ({})",
                    rpc.name(),
                    hub_client::sentence_of(answer.code),
                    answer.log
                ));
            }
            Err(error) => last = Some(anyhow::anyhow!("{} {error}", rpc.name())),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("no address of the hub is known; give --rpc URL")))
}
