//! Answers to peers' questions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use identity::{ChainId, Did};
use libp2p::PeerId;
use tokio::sync::mpsc;

use super::messages::{
    Announcement, Answer, CommitBlocks, Heard, Hello, PushAnswer, PushResult, Question,
};
use super::peer_identity::{PeerIdentity, PeerIdentityError};
use super::quota::Quotas;
use super::swarm::Respond;
use crate::attestations::{Attestations, Looked};
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
    /// Connected peers, and where their announcements go.
    peers: Mutex<BTreeMap<PeerId, mpsc::Sender<Announcement>>>,
    /// Delegations that were proven, with their last second. A delegation is bound to the key in
    /// the peer id, so it holds across connections, and in whatever order events come.
    delegated: Mutex<BTreeMap<PeerId, (PeerIdentity, u64)>>,
}

/// Delegations remembered, each of one operator's sidecar; beyond it some say hello again.
const DELEGATED_MAX: usize = 4096;

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
            delegated: Mutex::default(),
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

    /// Which cursors of `actor` hold: any change of a followed policy may change what it sees, and
    /// a peer that is proven to act for somebody else sees something else.
    fn epoch(&self, actor: &Did) -> u64 {
        let hash = identity::hash("holdfast/cursor/1", &[actor.as_str().as_bytes()]);
        let mut of_actor = [0; 8];
        of_actor.copy_from_slice(&hash[..8]);
        let epoch = self
            .epoch_base
            .wrapping_add(self.authority.status().borrow().epoch);
        epoch ^ u64::from_be_bytes(of_actor)
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, BTreeMap<PeerId, mpsc::Sender<Announcement>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delegated(&self) -> std::sync::MutexGuard<'_, BTreeMap<PeerId, (PeerIdentity, u64)>> {
        self.delegated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A peer connected; its announcements go to `announcements`.
    ///
    /// # Errors
    /// [`PeerIdentityError`] for a peer whose key is no ed25519 key.
    pub fn connected(
        &self,
        peer: PeerId,
        announcements: mpsc::Sender<Announcement>,
    ) -> Result<(), PeerIdentityError> {
        PeerIdentity::of(&peer)?;
        self.peers().insert(peer, announcements);
        Ok(())
    }

    /// A peer went away.
    pub fn disconnected(&self, peer: &PeerId) {
        self.peers().remove(peer);
    }

    /// Who a peer is, as far as it was proven: Noise proves its key, a delegation its operator.
    ///
    /// # Errors
    /// [`PeerIdentityError`] for a peer whose key is no ed25519 key.
    pub fn identity(&self, peer: &PeerId) -> Result<PeerIdentity, PeerIdentityError> {
        let now = self.clock.wall_ms() / 1000;
        match self.delegated().get(peer) {
            Some((identity, not_after)) if *not_after >= now => Ok(identity.clone()),
            _ => PeerIdentity::of(peer),
        }
    }

    /// Connected peers.
    #[must_use]
    pub fn connected_peers(&self) -> Vec<(PeerId, PeerIdentity)> {
        let peers: Vec<PeerId> = self.peers().keys().copied().collect();
        peers
            .into_iter()
            .filter_map(|peer| Some((peer, self.identity(&peer).ok()?)))
            .collect()
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
        let mut delegated = self.delegated();
        delegated.insert(*peer, (proven, hello.not_after));
        while delegated.len() > DELEGATED_MAX {
            delegated.pop_first();
        }
        Ok(())
    }

    async fn answer(&self, peer: PeerId, question: Question) -> Result<Answer, Failure> {
        let identity = self
            .identity(&peer)
            .map_err(|error| Failure::invalid(error.to_string(), "use an ed25519 key"))?;
        match question {
            Question::Hello(hello) => match self.introduced(&peer, &hello) {
                Ok(()) => Ok(Answer::Hello(self.hello())),
                Err(error) => Ok(Answer::Refused(error.to_string())),
            },
            Question::Changes(question) => {
                let actor = identity.actor();
                let epoch = self.epoch(actor);
                let changes = self
                    .documents
                    .changes_since(actor, question.cursor, epoch)?;
                Ok(Answer::Changes(changes))
            }
            Question::Fetch(question) => Ok(Answer::Fetch(
                self.documents.fetch(identity.actor(), &question)?,
            )),
            Question::Push(push) => {
                let results = self.received(peer, push.commits, push.attestations).await?;
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
                let sender = self.peers().get(&peer).cloned();
                let heard = sender.is_some_and(|sender| sender.try_send(announcement).is_ok());
                if !heard {
                    // The next exchange repeats what it said.
                    self.metrics.announcements_dropped.inc();
                }
                Ok(Answer::Heard(Heard {}))
            }
        }
    }

    /// Takes commits of a peer with the receipts that came along, and counts the rejected ones
    /// against it. Receipts whose headers are at hand are verified first, since a commit that one
    /// settles is not late, and kept last, when their commits are. The hub is asked for no header
    /// here: commits never wait for it.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn received(
        &self,
        peer: PeerId,
        commits: Vec<CommitBlocks>,
        receipts: Vec<Vec<u8>>,
    ) -> Result<Vec<Received>, Failure> {
        let name = peer.to_base58();
        let mut looked = Looked::default();
        let results = self
            .documents
            .receive_attested(&name, commits, |coming| {
                looked = self.attestations.look(&name, receipts, coming)?;
                Ok(looked.attested())
            })
            .await?;
        self.attestations.settle(&name, looked).await?;
        let rejected = results
            .iter()
            .filter(|received| received.outcome == Outcome::Reject)
            .count();
        self.quotas
            .rejected(peer, u32::try_from(rejected).unwrap_or(u32::MAX));
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
