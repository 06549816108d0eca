//! A peer without a sidecar: connects with its own key and speaks the protocol.
//!
//! It is what tests use to be a stranger, and what shows that a peer needs no more than the
//! written protocol (`docs/spec/network.md`).

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use identity::{ChainId, SecretKey};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

use super::messages::{
    Answer, ChangesAnswer, ChangesQuestion, CommitBlocks, Cursor, FetchAnswer, FetchQuestion,
    Hello, Push, PushResult, Question,
};
use super::quota::Quotas;
use super::swarm::{self, Asker, NetworkError, Parts, PeerEvent, Respond};
use crate::clock::SystemClock;
use crate::metrics::Metrics;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

struct Silent;

impl Respond for Silent {
    fn respond(&self, _: PeerId, _: Question) -> BoxFuture<'_, Answer> {
        Box::pin(async { Answer::Refused("this peer only asks".into()) })
    }
}

/// A connection to one sidecar.
pub struct Client {
    asker: Asker,
    peer: PeerId,
}

impl Client {
    /// Connects to the sidecar at `address` (`/ip4/…/tcp/…/p2p/…`) as the did:key of `key`.
    ///
    /// # Errors
    /// [`NetworkError`] when there is nobody at the address within ten seconds.
    pub async fn connect(
        key: SecretKey,
        chain: ChainId,
        address: Multiaddr,
    ) -> Result<Self, NetworkError> {
        let peer = match address.iter().last() {
            Some(Protocol::P2p(peer)) => peer,
            _ => return Err(NetworkError::NoPeerId(address)),
        };
        let (events, mut happened) = mpsc::channel(8);
        let (asker, _) = swarm::start(Parts {
            key,
            chain,
            listen: None,
            peers: vec![address],
            responder: Arc::new(Silent),
            events,
            metrics: Arc::new(Metrics::default()),
            clock: Arc::new(SystemClock::default()),
            quotas: Arc::new(Quotas::default()),
        })?;
        let connected = async {
            while let Some(event) = happened.recv().await {
                if event == PeerEvent::Connected(peer) {
                    return true;
                }
            }
            false
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connected).await {
            Ok(true) => {
                // Keeps the event channel drained for as long as the client lives.
                tokio::spawn(async move { while happened.recv().await.is_some() {} });
                Ok(Self { asker, peer })
            }
            _ => Err(NetworkError::Unanswered(
                "nobody was reached within ten seconds".into(),
            )),
        }
    }

    /// Asks anything.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn ask(&self, question: Question) -> Result<Answer, NetworkError> {
        self.asker.ask(self.peer, question).await
    }

    /// Introduces itself, with a delegation if it has one, and returns who the sidecar says it is.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn hello(&self, hello: Hello) -> Result<Hello, NetworkError> {
        match self.ask(Question::Hello(hello)).await? {
            Answer::Hello(hello) => Ok(hello),
            _ => Err(NetworkError::WrongKind),
        }
    }

    /// Pushes commits, parents before children, and reads what became of each.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn push(&self, commits: Vec<CommitBlocks>) -> Result<Vec<PushResult>, NetworkError> {
        let push = Push {
            commits,
            attestations: Vec::new(),
        };
        match self.ask(Question::Push(push)).await? {
            Answer::Push(answer) => Ok(answer.results),
            _ => Err(NetworkError::WrongKind),
        }
    }

    /// Asks what changed since `cursor`.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn changes(&self, cursor: Option<Cursor>) -> Result<ChangesAnswer, NetworkError> {
        match self
            .ask(Question::Changes(ChangesQuestion { cursor }))
            .await?
        {
            Answer::Changes(answer) => Ok(answer),
            _ => Err(NetworkError::WrongKind),
        }
    }

    /// Fetches commits of a document.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn fetch(&self, question: FetchQuestion) -> Result<FetchAnswer, NetworkError> {
        match self.ask(Question::Fetch(question)).await? {
            Answer::Fetch(answer) => Ok(answer),
            _ => Err(NetworkError::WrongKind),
        }
    }
}
