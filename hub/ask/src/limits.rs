//! Bounds of the service, each with its reason (Invariant 7).

use std::time::Duration;

/// Largest request in bytes: a thousand questions about ids of ordinary length are a fifth of it.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Questions of one batch: what one page of an application asks about.
pub const QUESTIONS_MAX: usize = 1_000;

/// Steps of a question that is asked on the thread that read it: some hundred microseconds, for which
/// other requests of that thread wait.
pub(crate) const STEPS_AT_ONCE: u64 = 2_000;

/// Questions that run on threads of their own at a time; more than there are cores would only be
/// slower together. Each may hold a copy of a history that has changed since.
pub(crate) const LONG_QUESTIONS_MAX: usize = 4;

/// The most that wait for their turn: half a minute's worth of the slowest.
pub(crate) const LONG_QUESTIONS_WAITING_MAX: usize = 128;

/// Questions that wait for a replica to catch up with a block, at a time: each is a short one.
pub(crate) const CATCHING_UP_MAX: usize = 2;

/// The most that wait for that: what a busy second asks.
pub(crate) const CATCHING_UP_WAITING_MAX: usize = 16_384;

/// Lists that are being read at a time. Each is whole in memory, some tens of megabytes at most.
pub(crate) const LISTS_MAX: usize = 8;

/// The most that wait until another list has been read.
pub(crate) const LISTS_WAITING_MAX: usize = 64;

/// How long a list waits for its reader to take the next part.
pub(crate) const PART_TIMEOUT: Duration = Duration::from_secs(20);

/// Entries of a list in one part of a stream: some sixty kilobytes of ids.
pub(crate) const ENTRIES_PER_PART: usize = 1_000;

/// Entries of a tree in one part of a stream.
pub(crate) const NODES_PER_PART: usize = 500;
