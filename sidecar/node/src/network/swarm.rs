//! The shell around libp2p: TCP, Noise, yamux, one protocol, given peers.
//!
//! It knows connections and frames, nothing of documents. Questions of peers go to a
//! [`Respond`], events go to a channel, and whoever wants to ask a peer has an [`Asker`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::StreamExt as _;
use identity::{ChainId, SecretKey};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{self, OutboundRequestId, ProtocolSupport, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{noise, tcp, yamux, Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder};
use tokio::sync::{mpsc, oneshot};

use super::codec::Codec;
use super::messages::{Answer, Question};
use super::peer_identity::keypair;
use super::quota::Quotas;
use crate::clock::Clock;
use crate::limits::{
    CONNECTIONS_PER_PEER_MAX, INBOUND_CONNECTIONS_MAX, OUTBOUND_REQUESTS_MAX,
    PEER_REQUESTS_AT_ONCE_MAX, PEER_REQUEST_TIMEOUT, QUEUE_LENGTH, REDIAL_PAUSE_MAX,
    REDIAL_PAUSE_MIN,
};
use crate::metrics::Metrics;

/// How often lost peers are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Why the network cannot do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NetworkError {
    /// It cannot be started.
    #[error("the network cannot start: {0}")]
    Start(String),
    /// It cannot listen.
    #[error(
        "cannot listen for peers at {address}: {message}; choose another port in `listen.peers`"
    )]
    Listen {
        /// Where.
        address: Multiaddr,
        /// Why.
        message: String,
    },
    /// A peer's address names no peer.
    #[error(
        "the peer address {0} must end in /p2p/ and the peer's id, so that Noise can check it"
    )]
    NoPeerId(Multiaddr),
    /// A peer did not answer.
    #[error("the peer did not answer: {0}")]
    Unanswered(String),
    /// A peer refused to answer.
    #[error("the peer refused: {0}")]
    Refused(String),
    /// The answer is of another kind than the question.
    #[error("the peer answered something else than was asked")]
    WrongKind,
    /// The network was shut down.
    #[error("the network is shut down")]
    Stopped,
}

/// Answers peers' questions.
pub trait Respond: Send + Sync + 'static {
    /// The answer to `question` of `peer`. Must be bounded in time and size.
    fn respond(&self, peer: PeerId, question: Question) -> BoxFuture<'_, Answer>;
}

/// A connection came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// The first connection to this peer.
    Connected(PeerId),
    /// The last connection to this peer closed.
    Disconnected(PeerId),
}

enum Command {
    Ask {
        peer: PeerId,
        question: Box<Question>,
        reply: oneshot::Sender<Result<Answer, NetworkError>>,
    },
    Respond {
        peer: PeerId,
        channel: ResponseChannel<Answer>,
        answer: Box<Answer>,
    },
    Keep {
        address: Multiaddr,
        peer: PeerId,
    },
    Addresses {
        reply: oneshot::Sender<Vec<Multiaddr>>,
    },
}

/// Asks peers.
#[derive(Clone)]
pub struct Asker {
    commands: mpsc::Sender<Command>,
}

impl Asker {
    /// Asks `peer` and waits for its answer.
    ///
    /// # Errors
    /// [`NetworkError`]; a refusal of the peer is [`NetworkError::Refused`].
    pub async fn ask(&self, peer: PeerId, question: Question) -> Result<Answer, NetworkError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Ask {
            peer,
            question: Box::new(question),
            reply,
        };
        self.commands
            .send(command)
            .await
            .map_err(|_| NetworkError::Stopped)?;
        match answer.await.map_err(|_| NetworkError::Stopped)?? {
            Answer::Refused(why) => Err(NetworkError::Refused(why)),
            answer => Ok(answer),
        }
    }

    /// Keeps a connection to the peer at `address` from now on.
    ///
    /// # Errors
    /// [`NetworkError::NoPeerId`].
    pub async fn keep(&self, address: Multiaddr) -> Result<(), NetworkError> {
        let peer = peer_of(&address)?;
        self.commands
            .send(Command::Keep { address, peer })
            .await
            .map_err(|_| NetworkError::Stopped)
    }

    /// The addresses that are listened on.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, NetworkError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Addresses { reply })
            .await
            .map_err(|_| NetworkError::Stopped)?;
        answer.await.map_err(|_| NetworkError::Stopped)
    }
}

fn peer_of(address: &Multiaddr) -> Result<PeerId, NetworkError> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Ok(peer),
        _ => Err(NetworkError::NoPeerId(address.clone())),
    }
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    exchange: request_response::Behaviour<Codec>,
}

/// What the network needs.
pub struct Parts {
    /// The sidecar's network key.
    pub key: SecretKey,
    /// The chain, which the protocol's name carries: peers of other chains speak another protocol.
    pub chain: ChainId,
    /// Where to listen; `None` for a client that only asks.
    pub listen: Option<Multiaddr>,
    /// Peers to keep connected.
    pub peers: Vec<Multiaddr>,
    /// Who answers.
    pub responder: Arc<dyn Respond>,
    /// Where connections are told.
    pub events: mpsc::Sender<PeerEvent>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// For quotas.
    pub clock: Arc<dyn Clock>,
    /// Quotas, shared with whoever rejects commits.
    pub quotas: Arc<Quotas>,
}

/// The protocol's name: version and chain.
#[must_use]
pub fn protocol_name(chain: &ChainId) -> String {
    format!("/holdfast/{chain}/exchange/1")
}

fn swarm(parts: &Parts) -> Result<Swarm<Behaviour>, NetworkError> {
    let start = |error: &dyn std::fmt::Display| NetworkError::Start(error.to_string());
    let protocol =
        StreamProtocol::try_from_owned(protocol_name(&parts.chain)).map_err(|e| start(&e))?;
    let limits = ConnectionLimits::default()
        .with_max_established_incoming(Some(INBOUND_CONNECTIONS_MAX))
        .with_max_pending_incoming(Some(INBOUND_CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
    let config = request_response::Config::default()
        .with_request_timeout(PEER_REQUEST_TIMEOUT)
        .with_max_concurrent_streams(2 * PEER_REQUESTS_AT_ONCE_MAX as usize);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        exchange: request_response::Behaviour::with_codec(
            Codec::new(parts.metrics.clone()),
            [(protocol, ProtocolSupport::Full)],
            config,
        ),
    };
    let key = keypair(&parts.key).map_err(|e| start(&e))?;
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|e| start(&e))?
        .with_behaviour(|_| behaviour)
        .map_err(|e| start(&e))?
        .with_swarm_config(|config| {
            // A kept connection is closed by its peer or by the wire, not by silence.
            config.with_idle_connection_timeout(Duration::from_secs(24 * 3600))
        })
        .build();
    Ok(swarm)
}

/// Starts the network as a task of the current runtime.
///
/// # Errors
/// [`NetworkError::Start`], [`NetworkError::Listen`], [`NetworkError::NoPeerId`].
pub fn start(parts: Parts) -> Result<(Asker, tokio::task::JoinHandle<()>), NetworkError> {
    let mut swarm = swarm(&parts)?;
    if let Some(address) = &parts.listen {
        swarm
            .listen_on(address.clone())
            .map_err(|error| NetworkError::Listen {
                address: address.clone(),
                message: error.to_string(),
            })?;
    }
    let (commands, waiting) = mpsc::channel(QUEUE_LENGTH);
    let asker = Asker {
        commands: commands.clone(),
    };
    let mut shell = Shell {
        swarm,
        commands: commands.downgrade(),
        asked: HashMap::new(),
        kept: HashMap::new(),
        parts,
    };
    for address in shell.parts.peers.clone() {
        let peer = peer_of(&address)?;
        shell.keep(peer, address);
    }
    Ok((asker, tokio::spawn(shell.run(waiting))))
}

/// A peer that is to be connected.
struct Kept {
    address: Multiaddr,
    pause: Duration,
    next: Instant,
}

struct Shell {
    swarm: Swarm<Behaviour>,
    commands: mpsc::WeakSender<Command>,
    asked: HashMap<OutboundRequestId, (PeerId, oneshot::Sender<Result<Answer, NetworkError>>)>,
    kept: HashMap<PeerId, Kept>,
    parts: Parts,
}

impl Shell {
    fn keep(&mut self, peer: PeerId, address: Multiaddr) {
        if peer == *self.swarm.local_peer_id() {
            return;
        }
        let kept = Kept {
            address,
            pause: REDIAL_PAUSE_MIN,
            next: Instant::now(),
        };
        self.kept.insert(peer, kept);
    }

    /// Ends when every [`Asker`] is gone.
    async fn run(mut self, mut waiting: mpsc::Receiver<Command>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = waiting.recv() => match command {
                    Some(command) => self.command(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.event(event).await,
                _ = tick.tick() => self.redial(),
            }
        }
    }

    fn redial(&mut self) {
        let now = Instant::now();
        for (peer, kept) in &mut self.kept {
            if kept.next > now || self.swarm.is_connected(peer) {
                continue;
            }
            kept.next = now + kept.pause;
            kept.pause = (kept.pause * 2).min(REDIAL_PAUSE_MAX);
            let options = DialOpts::peer_id(*peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![kept.address.clone()])
                .build();
            // A dial that cannot even begin is tried again after the pause.
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%peer, %error, "dialling a peer did not begin");
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Ask {
                peer,
                question,
                reply,
            } => {
                let in_flight = self
                    .asked
                    .values()
                    .filter(|(asked, _)| *asked == peer)
                    .count();
                if !self.swarm.is_connected(&peer) {
                    let error = NetworkError::Unanswered("it is not connected".into());
                    let _ = reply.send(Err(error));
                } else if in_flight >= OUTBOUND_REQUESTS_MAX {
                    let error = NetworkError::Unanswered("too many questions wait already".into());
                    let _ = reply.send(Err(error));
                } else {
                    let exchange = &mut self.swarm.behaviour_mut().exchange;
                    let id = exchange.send_request(&peer, *question);
                    self.asked.insert(id, (peer, reply));
                }
            }
            Command::Respond {
                peer,
                channel,
                answer,
            } => {
                self.parts.quotas.request_ends(peer);
                // Fails when the peer has gone in between.
                let _ = self
                    .swarm
                    .behaviour_mut()
                    .exchange
                    .send_response(channel, *answer);
            }
            Command::Keep { address, peer } => self.keep(peer, address),
            Command::Addresses { reply } => {
                let _ = reply.send(self.swarm.listeners().cloned().collect());
            }
        }
    }

    async fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.exchange(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                num_established,
                ..
            } => {
                if let Some(kept) = self.kept.get_mut(&peer_id) {
                    kept.pause = REDIAL_PAUSE_MIN;
                }
                if num_established.get() == 1 {
                    self.parts.metrics.peers.inc();
                    let _ = self.parts.events.send(PeerEvent::Connected(peer_id)).await;
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.parts.metrics.peers.dec();
                self.parts.quotas.gone(&peer_id);
                if let Some(kept) = self.kept.get_mut(&peer_id) {
                    kept.next = Instant::now() + REDIAL_PAUSE_MIN;
                }
                let _ = self
                    .parts
                    .events
                    .send(PeerEvent::Disconnected(peer_id))
                    .await;
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let peer = self.swarm.local_peer_id();
                tracing::info!(address = %format!("{address}/p2p/{peer}"), "listening for peers");
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "a peer could not be reached");
            }
            _ => {}
        }
    }

    fn exchange(&mut self, event: request_response::Event<Question, Answer>) {
        use request_response::{Event, Message};
        match event {
            Event::Message {
                peer,
                message:
                    Message::Request {
                        request, channel, ..
                    },
                ..
            } => {
                self.request(peer, request, channel);
            }
            Event::Message {
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } => {
                if let Some((_, reply)) = self.asked.remove(&request_id) {
                    let _ = reply.send(Ok(response));
                }
            }
            Event::OutboundFailure {
                request_id, error, ..
            } => {
                if let Some((_, reply)) = self.asked.remove(&request_id) {
                    let _ = reply.send(Err(NetworkError::Unanswered(error.to_string())));
                }
            }
            Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "a peer's request failed");
            }
            Event::ResponseSent { .. } => {}
        }
    }

    fn request(&mut self, peer: PeerId, question: Question, channel: ResponseChannel<Answer>) {
        if !self
            .parts
            .quotas
            .request_starts(peer, self.parts.clock.monotone_ms())
        {
            self.parts.metrics.peer_requests_refused.inc();
            let refused = Answer::Refused("you ask for more than your quota".into());
            let _ = self
                .swarm
                .behaviour_mut()
                .exchange
                .send_response(channel, refused);
            return;
        }
        let Some(commands) = self.commands.upgrade() else {
            return;
        };
        let responder = self.parts.responder.clone();
        tokio::spawn(async move {
            let answer = Box::new(responder.respond(peer, question).await);
            let _ = commands
                .send(Command::Respond {
                    peer,
                    channel,
                    answer,
                })
                .await;
        });
    }
}
