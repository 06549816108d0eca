//! Counters and gauges, in the text form of Prometheus. No label carries a DID, a document or
//! anything else that could be data (Invariant 9).

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// Settled.
    Settled,
    /// Provisional.
    Provisional,
    /// Late.
    Late,
    /// Waits for parents, or for the replica.
    Defer,
    /// Rejected.
    Reject,
    /// Known already.
    Known,
    /// Not kept: there is no room for it.
    Full,
}

impl Outcome {
    /// Whether the commit is kept.
    #[must_use]
    pub fn is_kept(self) -> bool {
        match self {
            Outcome::Settled | Outcome::Provisional | Outcome::Late | Outcome::Known => true,
            Outcome::Defer | Outcome::Reject | Outcome::Full => false,
        }
    }
}

/// Where a commit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Origin {
    /// Through this sidecar's API.
    Local,
    /// From a peer.
    Peer,
}

/// Labels of [`Metrics::commits`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CommitLabels {
    /// Where it came from.
    pub origin: Origin,
    /// What became of it.
    pub outcome: Outcome,
}

/// All metrics of one sidecar.
pub struct Metrics {
    registry: Registry,
    /// Commits by origin and outcome.
    pub commits: Family<CommitLabels, Counter>,
    /// Groups written, each under one fsync.
    pub groups: Counter,
    /// Writes in those groups.
    pub group_writes: Counter,
    /// Permission checks from the replica.
    pub checks: Counter,
    /// Denials.
    pub denials: Counter,
    /// Answers that could not be given because the replica is stale.
    pub stale_answers: Counter,
    /// Frames that broke a bound or were no message.
    pub frames_refused: Counter,
    /// Requests of peers refused by quota.
    pub peer_requests_refused: Counter,
    /// Commits of peers dropped by quota.
    pub peer_commits_dropped: Counter,
    /// Announcements dropped because a queue was full.
    pub announcements_dropped: Counter,
    /// Peers connected.
    pub peers: Gauge,
    /// Leaves in the log.
    pub log_size: Gauge<u64, AtomicU64>,
    /// Leaves under the last final anchor.
    pub anchored_size: Gauge<u64, AtomicU64>,
    /// Anchors that became final.
    pub anchors_final: Counter,
    /// Anchor attempts that failed.
    pub anchors_failed: Counter,
    /// Height of the last verified block.
    pub hub_height: Gauge<u64, AtomicU64>,
    /// Whether the hub is out of reach.
    pub hub_offline: Gauge,
    /// Answers of RPC nodes that did not verify.
    pub hub_lies: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sidecar"),
            commits: Family::default(),
            groups: Counter::default(),
            group_writes: Counter::default(),
            checks: Counter::default(),
            denials: Counter::default(),
            stale_answers: Counter::default(),
            frames_refused: Counter::default(),
            peer_requests_refused: Counter::default(),
            peer_commits_dropped: Counter::default(),
            announcements_dropped: Counter::default(),
            peers: Gauge::default(),
            log_size: Gauge::default(),
            anchored_size: Gauge::default(),
            anchors_final: Counter::default(),
            anchors_failed: Counter::default(),
            hub_height: Gauge::default(),
            hub_offline: Gauge::default(),
            hub_lies: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "commits",
            "Commits by origin and outcome",
            self.commits.clone(),
        );
        for (name, help, counter) in [
            (
                "groups",
                "Groups written, each under one fsync",
                &self.groups,
            ),
            ("group_writes", "Writes in those groups", &self.group_writes),
            ("checks", "Permission checks from the replica", &self.checks),
            ("denials", "Denied requests", &self.denials),
            (
                "stale_answers",
                "Answers withheld because the replica is stale",
                &self.stale_answers,
            ),
            (
                "frames_refused",
                "Frames that broke a bound",
                &self.frames_refused,
            ),
            (
                "peer_requests_refused",
                "Requests refused by quota",
                &self.peer_requests_refused,
            ),
            (
                "peer_commits_dropped",
                "Commits dropped by quota",
                &self.peer_commits_dropped,
            ),
            (
                "announcements_dropped",
                "Announcements dropped",
                &self.announcements_dropped,
            ),
            (
                "anchors_final",
                "Anchors that became final",
                &self.anchors_final,
            ),
            (
                "anchors_failed",
                "Anchor attempts that failed",
                &self.anchors_failed,
            ),
            (
                "hub_lies",
                "Answers of RPC nodes that did not verify",
                &self.hub_lies,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register("peers", "Peers connected", self.peers.clone());
        registry.register(
            "hub_offline",
            "1 while the hub is out of reach",
            self.hub_offline.clone(),
        );
        registry.register("log_size", "Leaves in the audit log", self.log_size.clone());
        registry.register(
            "anchored_size",
            "Leaves under the last anchor",
            self.anchored_size.clone(),
        );
        registry.register(
            "hub_height",
            "Height of the last verified block",
            self.hub_height.clone(),
        );
    }

    /// Counts a commit.
    pub fn count_commit(&self, origin: Origin, outcome: Outcome) {
        self.commits
            .get_or_create(&CommitLabels { origin, outcome })
            .inc();
    }

    /// The text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String fails only if an encoder does, and ours are the library's own.
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}
