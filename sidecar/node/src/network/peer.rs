//! One task a connected peer: says hello, asks what changed, fetches what is missing; and one task
//! that tells peers of what is new here.
//!
//! After a cut both sides ask anew from where they stopped, so they converge by themselves: what
//! one has and may show, the other asks for (DESIGN §7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crdt::Cid;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{broadcast, mpsc, watch};

use super::messages::{
    Announcement, Answer, ChangesQuestion, Cursor, DocumentHeads, FetchAnswer, FetchQuestion,
    Question,
};
use super::serve::Exchange;
use super::swarm::{Asker, NetworkError, PeerEvent};
use crate::documents::named;
use crate::failure::{Failure, Kind};
use crate::guard::Sight;
use crate::limits::{
    FETCH_ATTESTATIONS_MAX, FRAME_DOCUMENTS_MAX, FRAME_HEADS_MAX, HEADS_EXCHANGE_INTERVAL,
    QUEUE_LENGTH,
};
use crate::metrics::Metrics;
use crate::store::keys::Digest;
use crate::store::Changed;

/// Time for which new heads are gathered before they are told, so that a burst of writes is one
/// announcement.
const GATHER: Duration = Duration::from_millis(20);

/// Questions for one document before the rest is left to the next exchange. One answer holds
/// hundreds of commits, so this is a history of tens of thousands.
const FETCHES_MAX: usize = 256;

/// Commits remembered of which one peer was asked for the body, 32 bytes each; beyond it they are
/// asked for once more.
const ASKED_MAX: usize = 65_536;

/// Documents remembered of which one peer left bodies out; further ones are asked for when they
/// change or the peer's epoch does.
const LEFT_OUT_MAX: usize = 4096;

/// Longest pause before left out bodies are asked for again, in exchanges: about five minutes.
const PAUSE_MAX: u32 = 64;

/// Pages of changes asked for in a row.
const PAGES_MAX: usize = 1024;

/// The running network.
pub struct Network {
    asker: Asker,
    exchange: Arc<Exchange>,
}

impl Network {
    /// The addresses that are listened on, without the peer id.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, NetworkError> {
        self.asker.addresses().await
    }

    /// Keeps a connection to one more peer.
    ///
    /// # Errors
    /// [`NetworkError::NoPeerId`].
    pub async fn keep(&self, address: Multiaddr) -> Result<(), NetworkError> {
        self.asker.keep(address).await
    }

    /// The exchange, with what is known of connected peers.
    #[must_use]
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }
}

/// Why a round with a peer ended early.
enum RoundError {
    Network(NetworkError),
    Local(Failure),
}

impl From<NetworkError> for RoundError {
    fn from(error: NetworkError) -> Self {
        RoundError::Network(error)
    }
}

impl From<Failure> for RoundError {
    fn from(failure: Failure) -> Self {
        RoundError::Local(failure)
    }
}

impl From<crate::store::StoreError> for RoundError {
    fn from(error: crate::store::StoreError) -> Self {
        RoundError::Local(error.into())
    }
}

/// Starts the tasks over a started swarm.
#[must_use]
pub fn start(
    asker: Asker,
    exchange: Arc<Exchange>,
    events: mpsc::Receiver<PeerEvent>,
    metrics: Arc<Metrics>,
    stop: watch::Receiver<bool>,
) -> Network {
    let changes = exchange.documents().store().changes();
    tokio::spawn(announce(
        asker.clone(),
        exchange.clone(),
        changes,
        metrics,
        stop.clone(),
    ));
    tokio::spawn(peers(asker.clone(), exchange.clone(), events, stop));
    Network { asker, exchange }
}

/// Starts a task for each peer that connects, and ends it when the peer goes away.
async fn peers(
    asker: Asker,
    exchange: Arc<Exchange>,
    mut events: mpsc::Receiver<PeerEvent>,
    mut stop: watch::Receiver<bool>,
) {
    // A driver whose peer goes away is not aborted: it ends by itself when its questions fail and
    // its queue is closed. Stopped between two writes it would leave an attestation on disk that
    // nothing in memory knows of.
    let mut tasks = tokio::task::JoinSet::new();
    // Where each peer's feed was left, also across a cut.
    let cursors = Cursors::default();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = stop.changed() => None,
        };
        match event {
            None => break,
            Some(PeerEvent::Connected(peer)) => {
                let (sender, announcements) = mpsc::channel(QUEUE_LENGTH);
                if let Err(error) = exchange.connected(peer, sender) {
                    tracing::warn!(%peer, %error, "a peer is not talked to");
                    continue;
                }
                let driver = Driver {
                    asker: asker.clone(),
                    exchange: exchange.clone(),
                    peer,
                    cursors: cursors.clone(),
                    asked: BTreeSet::new(),
                    left_out: BTreeMap::new(),
                    no_room: BTreeMap::new(),
                };
                tasks.spawn(driver.run(announcements));
            }
            Some(PeerEvent::Disconnected(peer)) => exchange.disconnected(&peer),
        }
        while tasks.try_join_next().is_some() {}
    }
    // Dropping the set ends the rest, as the end of the process does.
}

/// The cursor of each peer's feed, and how many policies were followed when it was given. What lies
/// before it may be of a policy that is followed since, so then it holds no more.
type Cursors = Arc<tokio::sync::Mutex<BTreeMap<PeerId, (Cursor, usize)>>>;

struct Driver {
    asker: Asker,
    exchange: Arc<Exchange>,
    peer: PeerId,
    cursors: Cursors,
    /// Commits whose bodies this peer was asked for in vain or not, since it connected or its
    /// epoch changed: who has no body either is not asked for it with each change.
    asked: BTreeSet<Digest>,
    /// Documents of which it left bodies out. It may have them, or give them, by and by: a grant
    /// that begins by time, a body that it got itself.
    left_out: BTreeMap<Digest, Pause>,
    /// Documents of which commits were not kept for want of room. Room comes back, by attestations
    /// for example, and the feed does not tell of them again.
    no_room: BTreeMap<Digest, NoRoom>,
}

/// What is fetched again, and when.
struct NoRoom {
    heads: Vec<Cid>,
    pause: Pause,
}

/// When something is asked for again, in exchanges of changes.
#[derive(Clone, Copy)]
struct Pause {
    length: u32,
    left: u32,
}

impl Pause {
    fn of(length: u32) -> Self {
        Self {
            length,
            left: length,
        }
    }

    /// Begins anew, twice as long.
    fn longer(self) -> Self {
        Self::of((2 * self.length).min(PAUSE_MAX))
    }

    /// One more exchange has passed; whether the pause is over.
    fn passes(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }
}

impl Driver {
    async fn run(mut self, mut announcements: mpsc::Receiver<Announcement>) {
        let mut introduced = false;
        let mut tick = tokio::time::interval(HEADS_EXCHANGE_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let round = tokio::select! {
                _ = tick.tick() => {
                    if !introduced {
                        introduced = self.introduce().await;
                    }
                    self.exchange().await
                }
                announcement = announcements.recv() => match announcement {
                    Some(announcement) => {
                        self.take(announcement.documents, announcement.attestations).await
                    }
                    None => return,
                },
            };
            match round {
                Ok(()) => {}
                Err(RoundError::Network(error)) => {
                    tracing::debug!(peer = %self.peer, %error, "a round with a peer ended early");
                }
                Err(RoundError::Local(failure)) => {
                    tracing::warn!(peer = %self.peer, %failure, "what a peer gave could not be taken");
                }
            }
        }
    }

    async fn introduce(&self) -> bool {
        match self
            .asker
            .ask(self.peer, Question::Hello(self.exchange.hello()))
            .await
        {
            Ok(Answer::Hello(hello)) => match self.exchange.introduced(&self.peer, &hello) {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(peer = %self.peer, %error, "the peer acts for itself only");
                    true
                }
            },
            Ok(_) => false,
            Err(error) => {
                tracing::debug!(peer = %self.peer, %error, "the peer did not say hello");
                false
            }
        }
    }

    async fn exchange(&mut self) -> Result<(), RoundError> {
        self.exchange_changes().await?;
        self.ask_again().await?;
        self.fetch_again().await
    }

    async fn exchange_changes(&mut self) -> Result<(), RoundError> {
        for _ in 0..PAGES_MAX {
            let followed = self.exchange.documents().authority().followed();
            let cursor = self.cursors.lock().await.get(&self.peer).copied();
            let cursor = cursor
                .filter(|(_, then)| *then == followed)
                .map(|(cursor, _)| cursor);
            let question = Question::Changes(ChangesQuestion { cursor });
            let Answer::Changes(answer) = self.asker.ask(self.peer, question).await? else {
                return Err(NetworkError::WrongKind.into());
            };
            let (more, next) = (answer.more, answer.cursor);
            if next.map(|next| next.epoch) != cursor.map(|cursor| cursor.epoch) {
                // It may show something else now.
                self.asked.clear();
                self.left_out.clear();
                self.no_room.clear();
            }
            self.take(answer.documents, answer.attestations).await?;
            // Only now: what was not taken must be told again.
            if let Some(next) = next {
                let mut cursors = self.cursors.lock().await;
                cursors.insert(self.peer, (next, followed));
            }
            if !more || next == cursor {
                break;
            }
        }
        Ok(())
    }

    /// Fetches what is named and not here, then takes the attestations.
    async fn take(
        &mut self,
        documents: Vec<DocumentHeads>,
        attestations: Vec<Vec<u8>>,
    ) -> Result<(), RoundError> {
        for offered in documents {
            let Ok(document) = Cid::from_bytes(&offered.document) else {
                continue;
            };
            let heads: Vec<Cid> = offered
                .heads
                .iter()
                .filter_map(|head| Cid::from_bytes(head).ok())
                .collect();
            if self.fetch(document, heads.clone()).await? {
                self.no_room.remove(document.digest());
            } else {
                self.remember_no_room(document, heads, Pause::of(1))?;
            }
            self.fetch_bodies(document, false).await?;
        }
        self.exchange
            .attestations()
            .receive(&self.peer.to_base58(), attestations)
            .await?;
        Ok(())
    }

    /// Documents that had no room are few, or the feed waits: what it tells is told once.
    fn remember_no_room(
        &mut self,
        document: Cid,
        heads: Vec<Cid>,
        pause: Pause,
    ) -> Result<(), RoundError> {
        let known = self.no_room.contains_key(document.digest());
        if !known && self.no_room.len() >= LEFT_OUT_MAX {
            return Err(RoundError::Local(Failure::new(
                Kind::TooMany,
                format!("{LEFT_OUT_MAX} documents of this peer have no room here"),
                "wait until their commits are attested",
            )));
        }
        self.no_room
            .insert(*document.digest(), NoRoom { heads, pause });
        Ok(())
    }

    /// Fetches again what had no room, after a pause that doubles with each time.
    async fn fetch_again(&mut self) -> Result<(), RoundError> {
        let mut due = Vec::new();
        for (document, no_room) in &mut self.no_room {
            if no_room.pause.passes() {
                due.push((*document, no_room.heads.clone(), no_room.pause.longer()));
            }
        }
        for (document, heads, pause) in due {
            // Also where this round ends early.
            self.remember_no_room(Cid::from_digest(document), heads.clone(), pause)?;
            if self.fetch(Cid::from_digest(document), heads).await? {
                self.no_room.remove(&document);
            }
        }
        Ok(())
    }

    /// Whether there was room for all that the peer gave.
    async fn fetch(&self, document: Cid, heads: Vec<Cid>) -> Result<bool, RoundError> {
        let mut had_room = true;
        let documents = self.exchange.documents();
        let mut want = documents.unknown(document.digest(), &heads)?;
        for _ in 0..FETCHES_MAX {
            if want.is_empty() {
                want = documents.missing(document.digest());
                want.truncate(FRAME_HEADS_MAX);
            }
            if want.is_empty() {
                return Ok(had_room);
            }
            let answer = self.ask_for(document, &want).await?;
            if answer.commits.is_empty() {
                return Ok(had_room);
            }
            let received = self
                .exchange
                .received(self.peer, answer.commits, answer.attestations)
                .await?;
            had_room &= !received
                .iter()
                .any(|received| received.outcome == crate::metrics::Outcome::Full);
            let progress = received.iter().any(|received| {
                use crate::metrics::Outcome;
                !matches!(
                    received.outcome,
                    Outcome::Known | Outcome::Reject | Outcome::Full
                )
            });
            let left = documents.unknown(document.digest(), &want)?;
            if !progress || (left.is_empty() && documents.missing(document.digest()).is_empty()) {
                return Ok(had_room);
            }
            want = left;
        }
        Ok(had_room)
    }

    /// Asks for commits of a document, saying which are here.
    async fn ask_for(&self, document: Cid, want: &[Cid]) -> Result<FetchAnswer, RoundError> {
        let bytes = |commits: &[Cid]| commits.iter().map(|one| one.to_bytes().to_vec()).collect();
        let have = self.exchange.documents().have(document.digest())?;
        let question = FetchQuestion {
            document: document.to_bytes().to_vec(),
            want: bytes(want),
            have: bytes(&have),
        };
        match self.asker.ask(self.peer, Question::Fetch(question)).await? {
            Answer::Fetch(answer) => Ok(answer),
            _ => Err(NetworkError::WrongKind.into()),
        }
    }

    /// Asks again for bodies that were left out, after a pause that doubles with each time.
    async fn ask_again(&mut self) -> Result<(), RoundError> {
        let mut due = Vec::new();
        for (document, pause) in &mut self.left_out {
            if pause.passes() {
                due.push(Cid::from_digest(*document));
            }
        }
        for document in due {
            self.fetch_bodies(document, true).await?;
        }
        Ok(())
    }

    /// Asks for the bodies of commits that are kept without them, for each once or `again`.
    async fn fetch_bodies(&mut self, document: Cid, again: bool) -> Result<(), RoundError> {
        let documents = self.exchange.documents().clone();
        let mut wanted = documents.bodyless(document.digest())?;
        wanted.retain(|commit| again || !self.asked.contains(commit.digest()));
        if wanted.is_empty() {
            if again {
                self.left_out.remove(document.digest());
            }
            return Ok(());
        }
        self.fetch_wanted(document, wanted).await?;
        let known = self.left_out.get(document.digest());
        if documents.bodyless(document.digest())?.is_empty() {
            self.left_out.remove(document.digest());
        } else if known.is_some() || self.left_out.len() < LEFT_OUT_MAX {
            let pause = known.map_or(Pause::of(1), |known| match again {
                true => known.longer(),
                false => Pause::of(known.length),
            });
            self.left_out.insert(*document.digest(), pause);
        }
        Ok(())
    }

    async fn fetch_wanted(
        &mut self,
        document: Cid,
        mut wanted: Vec<Cid>,
    ) -> Result<(), RoundError> {
        for _ in 0..FETCHES_MAX {
            if wanted.is_empty() {
                return Ok(());
            }
            let want = &wanted[..wanted.len().min(FRAME_HEADS_MAX)];
            let answer = self.ask_for(document, want).await?;
            let more = answer.more;
            let received = self
                .exchange
                .received(self.peer, answer.commits, answer.attestations)
                .await?;
            let answered: BTreeSet<Cid> = received
                .iter()
                .filter_map(|received| received.commit)
                .filter(|commit| want.contains(commit))
                .collect();
            if self.asked.len() >= ASKED_MAX {
                self.asked.clear();
            }
            // What had no room in the frame is asked for again, as long as something had.
            let whole = !more || answered.is_empty();
            let done = want
                .iter()
                .filter(|commit| whole || answered.contains(*commit));
            let done: BTreeSet<Cid> = done.copied().collect();
            self.asked
                .extend(done.iter().map(|commit| *commit.digest()));
            wanted.retain(|commit| !done.contains(commit));
        }
        Ok(())
    }
}

/// Tells connected peers of new heads and attestations, each only of what it may see.
async fn announce(
    asker: Asker,
    exchange: Arc<Exchange>,
    mut changes: broadcast::Receiver<Changed>,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let first = tokio::select! {
            change = changes.recv() => change,
            _ = stop.changed() => return,
        };
        let mut documents: BTreeSet<Digest> = BTreeSet::new();
        match first {
            Ok(change) => documents.extend(change.documents),
            // Who lags starts over from the feed with the next exchange.
            Err(broadcast::error::RecvError::Lagged(_)) => {
                metrics.announcements_dropped.inc();
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
        tokio::time::sleep(GATHER).await;
        while let Ok(change) = changes.try_recv() {
            documents.extend(change.documents);
        }
        let mut attestations = exchange.attestations().take_new();
        for (peer, identity) in exchange.connected_peers() {
            let mut announcement = Announcement::default();
            for document in documents.iter().take(FRAME_DOCUMENTS_MAX) {
                let permit =
                    exchange
                        .documents()
                        .permit_peer(document, identity.actor(), Sight::Headers);
                let Ok(Some(permit)) = permit else { continue };
                if let Ok(offered) = exchange.documents().heads(&permit) {
                    announcement.documents.push(named(&offered));
                }
                let of_document = attestations.iter().filter(|(about, _)| about == document);
                let room = FETCH_ATTESTATIONS_MAX - announcement.attestations.len();
                announcement
                    .attestations
                    .extend(of_document.take(room).map(|(_, raw)| raw.clone()));
            }
            if announcement.documents.is_empty() {
                continue;
            }
            let asker = asker.clone();
            let metrics = metrics.clone();
            tokio::spawn(async move {
                // A lost announcement costs one exchange interval, nothing else.
                if asker
                    .ask(peer, Question::Announcement(announcement))
                    .await
                    .is_err()
                {
                    metrics.announcements_dropped.inc();
                }
            });
        }
        attestations.clear();
    }
}
