//! Snapshots of replicas: a sidecar with a million relationships starts by reading one file instead of
//! applying every change that ever was.
//!
//! A snapshot is this sidecar's own work and guarded by a checksum, as its store is. It names the state
//! of the policy's log that it was made of, and is taken only if what the log has beyond that leads to
//! the record that was proven. Whatever is wrong with it, the replica is made anew from the log; so it
//! may be deleted at any time.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hub_types::PolicyId;
use merkle::CompactRange;
use policy::History;

use super::{healed, Authority};

const MAGIC: &[u8] = b"holdfast/replica/1";

/// Changes that are worth a snapshot while running: some tenths of a second at the next start.
const CHANGES_WORTH_A_SNAPSHOT: u64 = 20_000;

/// The same at the end of a run, when nobody waits.
const CHANGES_WORTH_A_SNAPSHOT_AT_END: u64 = 1_000;

/// A history, and the state of the policy's log that it was made of.
pub struct Snapshot {
    pub(super) history: History,
    pub(super) range: CompactRange,
}

/// What is written.
pub(crate) struct Parts {
    pub history: Arc<History>,
    pub range: CompactRange,
    /// Changes that it has beyond the last snapshot.
    pub changes: u64,
}

fn damaged(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

fn file(folder: &Path, policy: &PolicyId) -> PathBuf {
    folder.join(format!("{policy}.snapshot"))
}

impl Snapshot {
    /// Reads the snapshot of a policy, if there is a good one.
    pub fn read(folder: &Path, policy: &PolicyId) -> Option<Self> {
        let path = file(folder, policy);
        let read = fs::read(&path).and_then(|bytes| Self::from_bytes(&bytes, policy));
        match read {
            Ok(snapshot) => Some(snapshot),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a snapshot cannot be used; the replica is made anew from the log");
                None
            }
        }
    }

    fn from_bytes(bytes: &[u8], policy: &PolicyId) -> io::Result<Self> {
        let ends = || damaged("it ends too early");
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| damaged("it begins otherwise, or is of another version"))?;
        let (id, rest) = rest.split_at_checked(32).ok_or_else(ends)?;
        if id != policy.as_bytes() {
            return Err(damaged("it is of another policy"));
        }
        let (length, rest) = rest.split_at_checked(4).ok_or_else(ends)?;
        let length = u32::from_be_bytes(length.try_into().map_err(damaged)?);
        let (range, rest) = rest.split_at_checked(length as usize).ok_or_else(ends)?;
        let range = CompactRange::from_bytes(range).map_err(damaged)?;
        let history = History::from_snapshot(rest).map_err(damaged)?;
        let revisions = history.latest().map_or(0, |latest| latest.revision + 1);
        if revisions != range.size() {
            return Err(damaged("its history is of another revision than its log"));
        }
        Ok(Self { history, range })
    }
}

impl Parts {
    /// Writes the snapshot beside the old one, and then in its place.
    fn write(&self, folder: &Path, policy: &PolicyId) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let range = self.range.to_bytes();
        let length = u32::try_from(range.len()).map_err(damaged)?;
        let path = file(folder, policy);
        let beside = path.with_extension("new");
        let mut out = File::create(&beside)?;
        out.write_all(MAGIC)?;
        out.write_all(policy.as_bytes())?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&range)?;
        out.write_all(&self.history.to_snapshot())?;
        out.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(folder)?.sync_all()
    }
}

impl Authority {
    /// Writes the snapshots that are due. Must be called after what they are made of is on disk. What
    /// fails is told in the log, and costs time at the next start, nothing else.
    pub(crate) fn keep_snapshots(&self, at_end: bool) {
        for policy in self.policies().into_values() {
            let Some(replica) = self.replica(&policy) else {
                continue;
            };
            let due = {
                let replica = healed(replica.read());
                let live = replica.history().memory().live as u64;
                replica.snapshot_due(match at_end {
                    true => CHANGES_WORTH_A_SNAPSHOT_AT_END,
                    // Each writes everything: only after a share of everything changed.
                    false => CHANGES_WORTH_A_SNAPSHOT.max(live / 4),
                })
            };
            let Some(parts) = due else { continue };
            match parts.write(&self.snapshots, &policy) {
                Ok(()) => healed(replica.write()).snapshot_kept(parts.changes),
                Err(error) => {
                    tracing::warn!(%error, %policy, folder = %self.snapshots.display(), "a snapshot could not be written; the next start takes longer");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Policy, Relationship};

    fn parts() -> Parts {
        let text =
            "name: x\nresources:\n- name: a\n  relations:\n  - name: r\n    types: [actor]\n";
        let fact: Relationship = "a:1#r@did:key:zAnn".parse().unwrap();
        let history = History::of(Policy::parse(text).unwrap(), [&fact]).unwrap();
        let mut range = CompactRange::default();
        range
            .append_leaf_hash(merkle::hash_leaf(b"leaf"), &mut |_, _, _| {})
            .unwrap();
        Parts {
            history: Arc::new(history),
            range,
            changes: 1,
        }
    }

    #[test]
    fn a_snapshot_comes_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("replicas");
        let policy = PolicyId::new([3; 32]);
        assert!(Snapshot::read(&folder, &policy).is_none());
        parts().write(&folder, &policy).unwrap();
        let read = Snapshot::read(&folder, &policy).unwrap();
        assert_eq!(read.range, parts().range);
        assert_eq!(read.history.to_snapshot(), parts().history.to_snapshot());

        let path = file(&folder, &policy);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let is_range = (54..54 + parts().range.to_bytes().len()).contains(&at);
            let read = Snapshot::from_bytes(&bad, &policy);
            // A changed range of the right size is found when the log is followed from it.
            assert!(read.is_err() || is_range, "byte {at}");
            assert!(Snapshot::from_bytes(&good[..at], &policy).is_err());
        }
        let other = PolicyId::new([4; 32]);
        assert!(Snapshot::from_bytes(&good, &other).is_err());
    }
}
