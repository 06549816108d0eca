//! Every bound of the sidecar, named, with its reason (Invariant 7).
//!
//! A bound that is not here is either a bound of a format (those stand with the format, in
//! `crdt`, `audit` and `policy`) or a mistake.

use std::time::Duration;

/// Most parents that a commit may name. Heads beyond this are merged by several commits.
pub const PARENTS_MAX: usize = 64;

/// Largest HTTP request body: a submitted header and body in base64 with their JSON around them.
pub const HTTP_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Longest time that one HTTP request may take. Everything but a trail export is answered from the
/// own disk in milliseconds; whoever waits longer is waiting for a stuck disk.
pub const HTTP_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest time that the export of a trail may take: the hub proves its anchors, and every leaf of
/// [`TRAIL_LEAVES_MAX`] is read, sealed and verified, with every signature and decision. `hold`
/// waits as long. A trail whose time is over, or for which nobody waits, is not made to its end.
pub const TRAIL_TIMEOUT: Duration = Duration::from_secs(300);

/// HTTP requests served at once. Each may hold [`HTTP_BODY_BYTES_MAX`]; together 512 MiB at worst.
pub const HTTP_REQUESTS_AT_ONCE_MAX: usize = 256;

/// Longest token accepted, in bytes. A DID of the longest kind, two ids and the claims take
/// less than 1 KiB.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// Longest time between a write token's issue and its end (DESIGN §7).
pub const WRITE_TOKEN_SECONDS_MAX: u64 = 300;

/// Longest time between a read token's issue and its end: a working day.
pub const READ_TOKEN_SECONDS_MAX: u64 = 24 * 3600;

/// By how much the clocks of client and sidecar may differ.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 30;

/// Single-use ids remembered. At five minutes a token this is 3,300 writes a second by HTTP
/// sustained; beyond it writes are refused, never the memory forgotten.
pub const REPLAY_IDS_MAX: usize = 1_000_000;

/// Longest single-use id of a token.
pub const TOKEN_ID_BYTES_MAX: usize = 64;

/// Largest frame between sidecars, requests and responses alike. It holds one header and one body
/// of the largest size with their signature, so whatever is legal can be sent.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Most commits in one fetch response. Together with [`FRAME_BYTES_MAX`] it bounds the work that
/// one frame can cause: 256 signatures are 8 ms.
pub const FETCH_COMMITS_MAX: usize = 256;

/// Most attestations in one frame; each is about 2.5 kB.
pub const FETCH_ATTESTATIONS_MAX: usize = 256;

/// Most documents whose heads one frame names: at one head each about 80 bytes, 320 kB.
pub const FRAME_DOCUMENTS_MAX: usize = 4096;

/// Most heads of one document in one frame: [`PARENTS_MAX`], since the next commit merges them.
pub const FRAME_HEADS_MAX: usize = 64;

/// Requests of one peer that may be in work at once; further ones are refused and counted.
pub const PEER_REQUESTS_AT_ONCE_MAX: u32 = 16;

/// Commits a peer may have in work or pending. 4,096 of the largest legal size would be 4 GiB, so
/// [`PEER_PENDING_BYTES_MAX`] holds as well.
pub const PEER_PENDING_COMMITS_MAX: usize = 4096;

/// Bytes of deferred commits kept for one peer.
pub const PEER_PENDING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of deferred commits kept in all.
pub const PENDING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Rejected commits that a peer may push in [`QUOTA_WINDOW`] before it is cut off until the window
/// ends. An honest peer never sends one knowingly; a clock skew of policies may cause a few.
pub const PEER_REJECTED_MAX: u32 = 256;

/// Receipts that wait for their header or their commit: 8,192 of the usual 2.5 kB are 20 MB.
pub const WAITING_RECEIPTS_MAX: usize = 8192;

/// Bytes of waiting receipts: a receipt may have 32 KiB, so their number alone bounds little.
pub const WAITING_RECEIPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Waiting receipts of one peer: four frames full of them, so that one peer cannot take the room
/// of all.
pub const PEER_WAITING_RECEIPTS_MAX: usize = 1024;

/// Bytes of waiting receipts of one peer.
pub const PEER_WAITING_RECEIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Headers that the hub is asked for in one pass over what waits, for the receipts of one peer.
pub const HEADERS_PER_PASS_MAX: usize = 8;

/// Headers fetched for one peer in one [`QUOTA_WINDOW`] under which its receipts did not verify. An
/// honest peer hands on what it verified itself.
pub const HEADERS_IN_VAIN_MAX: u32 = 8;

/// Headers remembered: the receipts of one anchor share one.
pub const HEADERS_KEPT_MAX: usize = 256;

/// Headers fetched in one look at the hub to find out when blocks were made. A search among a million
/// blocks takes twenty.
pub const HEADERS_PER_LOOK_MAX: usize = 32;

/// Times of blocks that are wanted at once. Most are moments at which something ended since the last
/// look, of which each policy has as many as it has relationships; those that peers may cause, by
/// citing blocks at which a check reaches its bounds, wait with them.
pub const WANTED_TIMES_MAX: usize = 1024;

/// Times of blocks that are kept on disk and in memory: those on which verdicts hung. Each moment at
/// which something ended takes two.
pub const KNOWN_TIMES_MAX: usize = 1 << 18;

/// Blocks whose times are remembered since this run verified their headers: seven minutes of blocks,
/// at ten a second, and what searches came upon.
pub const SEEN_BLOCKS_MAX: usize = 4096;

/// Late commits kept for one author. A late commit may still be settled by an attestation that is
/// on its way; somebody who hoards thousands is not on his way.
pub const AUTHOR_LATE_COMMITS_MAX: u64 = 4096;

/// The window over which quotas of peers and actors are counted.
pub const QUOTA_WINDOW: Duration = Duration::from_secs(60);

/// Denials of one actor that get a leaf of their own in one [`QUOTA_WINDOW`]; the rest of that
/// window becomes one leaf that states their number (DESIGN §7). Otherwise anybody could fill the
/// log and the disk by asking.
pub const ACTOR_DENIAL_LEAVES_MAX: u32 = 32;

/// Actors whose denials are counted apart in one window; those beyond share one counter.
pub const DENIAL_ACTORS_MAX: usize = 10_000;

/// Connections from peers that we did not dial.
pub const INBOUND_CONNECTIONS_MAX: u32 = 128;

/// Connections to one peer: one each way, plus one that is about to be closed.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 3;

/// Requests in flight to one peer that we started.
pub const OUTBOUND_REQUESTS_MAX: usize = 8;

/// Time after which a request to a peer counts as lost.
pub const PEER_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Time between two full exchanges of heads with a connected peer. Announcements carry what is new
/// at once; the exchange repairs whatever an announcement that was lost left open.
pub const HEADS_EXCHANGE_INTERVAL: Duration = Duration::from_secs(5);

/// Shortest and longest pause before a lost peer is dialled again.
pub const REDIAL_PAUSE_MIN: Duration = Duration::from_millis(200);
/// See [`REDIAL_PAUSE_MIN`].
pub const REDIAL_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Messages waiting between two tasks of the sidecar. A sender that finds the queue full waits;
/// an announcement that finds it full is dropped, since the next exchange of heads repeats it.
pub const QUEUE_LENGTH: usize = 1024;

/// Writes waiting for the store's writer thread. Writers beyond it wait for their turn.
pub const WRITER_QUEUE_LENGTH: usize = 4096;

/// Writes in one group, that is, under one fsync. At 25,000 a second and 0.5 ms a sync a group has
/// about a dozen; the bound keeps one group from starving those that wait.
pub const GROUP_WRITES_MAX: usize = 512;

/// Documents whose materialised state is kept in memory.
pub const STATE_CACHE_DOCUMENTS_MAX: usize = 4096;

/// Documents listed in one page of the API.
pub const LIST_PAGE_MAX: usize = 500;

/// Commits of one document that the sidecar keeps, those on their way to the disk among them.
/// Materialising reads them all, so this bounds the cost of one read; compaction is a later issue.
pub const DOCUMENT_COMMITS_MAX: u64 = 100_000;

/// Leaves in one exported trail. A bundle is one file that is verified in memory; at about 1.5 kB a
/// leaf with its commit this is 150 MB.
pub const TRAIL_LEAVES_MAX: u64 = 100_000;

/// Time between two looks at the hub.
pub const HUB_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Time between two attempts while the hub cannot be reached.
pub const HUB_RETRY_INTERVAL: Duration = Duration::from_millis(500);
