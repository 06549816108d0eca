//! Answers to peers' questions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use identity::ChainId;
use libp2p::PeerId;
use tokio::sync::mpsc;

use super::messages::{
    Announcement, Answer, CommitBlocks, Heard, Hello, PushAnswer, PushResult, Question,
};
use super::peer_identity::{PeerIdentity, PeerIdentityError};
use super::quota::Quotas;
use super::swarm::Respond;
use crate::attestations::Attestations;
use crate::authority::Authority;
use crate::clock::Clock;
use crate::documents::{Documents, Received};
use crate::failure::Failure;
use crate::metrics::{Metrics, Outcome};

/// What peers may ask of this sidecar, and how it introduces itself.
pub struct Exchange {
    documents: Arc<Documents>,
    attestations: Arc<Attestations>,
    authority: Arc<Authority>,
    clock: Arc<dyn Clock>,
    quotas: Arc<Quotas>,
    metrics: Arc<Metrics>,
    chain: ChainId,
    hello: Hello,
    /// Differs at each start, so that cursors of another run start over.
    epoch_base: u64,
    peers: Mutex<BTreeMap<PeerId, Known>>,
}

struct Known {
    identity: PeerIdentity,
    announcements: mpsc::Sender<Announcement>,
}

/// What the exchange works with.
pub struct Parts {
    /// The documents.
    pub documents: Arc<Documents>,
    /// The attestations.
    pub attestations: Arc<Attestations>,
    /// The replicas, whose changes end cursors.
    pub authority: Arc<Authority>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// What each peer may cost.
    pub quotas: Arc<Quotas>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The chain.
    pub chain: ChainId,
    /// Operator and delegation of this sidecar.
    pub hello: Hello,
    /// A number that differs at each start.
    pub epoch_base: u64,
}

impl Exchange {
    /// An exchange without peers.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            documents: parts.documents,
            attestations: parts.attestations,
            authority: parts.authority,
            clock: parts.clock,
            quotas: parts.quotas,
            metrics: parts.metrics,
            chain: parts.chain,
            hello: parts.hello,
            epoch_base: parts.epoch_base,
            peers: Mutex::default(),
        }
    }

    /// The documents.
    #[must_use]
    pub fn documents(&self) -> &Arc<Documents> {
        &self.documents
    }

    /// The attestations.
    #[must_use]
    pub fn attestations(&self) -> &Arc<Attestations> {
        &self.attestations
    }

    /// How this sidecar introduces itself.
    #[must_use]
    pub fn hello(&self) -> Hello {
        self.hello.clone()
    }

    /// Which cursors hold: any change of a followed policy may change what a peer sees.
    fn epoch(&self) -> u64 {
        self.epoch_base.wrapping_add(self.authority.status().borrow().epoch)
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, BTreeMap<PeerId, Known>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A peer connected: what Noise proves of it, and where its announcements go.
    ///
    /// # Errors
    /// [`PeerIdentityError`] for a peer whose key is no ed25519 key.
    pub fn connected(
        &self,
        peer: PeerId,
        announcements: mpsc::Sender<Announcement>,
    ) -> Result<(), PeerIdentityError> {
        let identity = PeerIdentity::of(&peer)?;
        self.peers().insert(peer, Known { identity, announcements });
        Ok(())
    }

    /// A peer went away.
    pub fn disconnected(&self, peer: &PeerId) {
        self.peers().remove(peer);
    }

    /// Who a connected peer is, as far as it was proven.
    #[must_use]
    pub fn identity(&self, peer: &PeerId) -> Option<PeerIdentity> {
        self.peers().get(peer).map(|known| known.identity.clone())
    }

    /// Connected peers.
    #[must_use]
    pub fn connected_peers(&self) -> Vec<(PeerId, PeerIdentity)> {
        self.peers().iter().map(|(peer, known)| (*peer, known.identity.clone())).collect()
    }

    /// Takes a peer's introduction.
    ///
    /// # Errors
    /// [`PeerIdentityError`] naming what its delegation lacks.
    pub fn introduced(&self, peer: &PeerId, hello: &Hello) -> Result<(), PeerIdentityError> {
        if hello.operator.is_empty() {
            return Ok(());
        }
        let now = self.clock.wall_ms() / 1000;
        let proven = PeerIdentity::of(peer)?.delegated(
            &self.chain,
            &hello.operator,
            hello.not_after,
            &hello.delegation,
            now,
        )?;
        if let Some(known) = self.peers().get_mut(peer) {
            known.identity = proven;
        }
        Ok(())
    }

    async fn answer(&self, peer: PeerId, question: Question) -> Result<Answer, Failure> {
        let unknown = || Failure::invalid("the peer is not known", "connect again");
        let identity = match self.identity(&peer) {
            Some(identity) => identity,
            // The question may overtake the event that tells of the connection.
            None => PeerIdentity::of(&peer).map_err(|_| unknown())?,
        };
        match question {
            Question::Hello(hello) => match self.introduced(&peer, &hello) {
                Ok(()) => Ok(Answer::Hello(self.hello())),
                Err(error) => Ok(Answer::Refused(error.to_string())),
            },
            Question::Changes(question) => {
                let epoch = self.epoch();
                let changes =
                    self.documents.changes_since(identity.actor(), question.cursor, epoch)?;
                Ok(Answer::Changes(changes))
            }
            Question::Fetch(question) => {
                Ok(Answer::Fetch(self.documents.fetch(identity.actor(), &question)?))
            }
            Question::Push(push) => {
                let results = self.received(peer, push.commits).await?;
                self.attestations.receive(push.attestations).await?;
                let results = results
                    .into_iter()
                    .map(|received| PushResult {
                        commit: received
                            .commit
                            .map(|commit| commit.to_bytes().to_vec())
                            .unwrap_or_default(),
                        verdict: received.verdict().to_owned(),
                        reason: received.reason,
                    })
                    .collect();
                Ok(Answer::Push(PushAnswer { results }))
            }
            Question::Announcement(announcement) => {
                let sender =
                    self.peers().get(&peer).map(|known| known.announcements.clone());
                let heard = sender.is_some_and(|sender| sender.try_send(announcement).is_ok());
                if !heard {
                    // The next exchange repeats what it said.
                    self.metrics.announcements_dropped.inc();
                }
                Ok(Answer::Heard(Heard {}))
            }
        }
    }

    /// Takes commits of a peer, and counts the rejected ones against it.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn received(
        &self,
        peer: PeerId,
        commits: Vec<CommitBlocks>,
    ) -> Result<Vec<Received>, Failure> {
        let results = self.documents.receive(&peer.to_base58(), commits).await?;
        let rejected =
            results.iter().filter(|received| received.outcome == Outcome::Reject).count();
        self.quotas.rejected(peer, u32::try_from(rejected).unwrap_or(u32::MAX));
        Ok(results)
    }
}

impl Respond for Exchange {
    fn respond(&self, peer: PeerId, question: Question) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            match self.answer(peer, question).await {
                Ok(answer) => answer,
                Err(failure) => {
                    tracing::debug!(%peer, %failure, "a peer's question was not answered");
                    Answer::Refused(failure.error.chars().take(512).collect())
                }
            }
        })
    }
}

