//! A hash index over entries that lie elsewhere: it holds their numbers only, so that it can be
//! written and read as it is.
//!
//! Beside each number lies a byte of its entry's hash. A probe reads the entry itself only where that
//! byte fits, so whoever looks for what is not there (most questions of a check) reads a few bytes in a
//! row and hardly ever an entry, which lies anywhere in memory.
//!
//! Linear probing, with deletion by backward shift (Knuth, TAOCP 3, §6.4, algorithm R). Nothing
//! iterates over it, so no order can be seen (Invariant 1).

use alloc::{vec, vec::Vec};

/// Numbers of entries, found by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// An entry's number plus one; 0 where there is none.
    places: Vec<u32>,
    /// A byte of its hash for each place; 0 where there is no entry.
    tags: Vec<u8>,
    len: usize,
}

/// The lowest bit of each of eight bytes.
const LOW: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each byte that is zero. Above the lowest of them, that of a byte that is one may
/// be set too (Warren, Hacker's Delight, §6-1).
#[inline]
fn zeros(bytes: u64) -> u64 {
    bytes.wrapping_sub(LOW) & !bytes & (LOW << 7)
}

/// Other bits than those that decide where the probe begins.
#[inline]
fn tag(hash: u64) -> u8 {
    ((hash >> 24) as u8).max(1)
}

impl Index {
    /// Where the probe for a hash begins: the hash's high half scaled to the table, so that the
    /// table can have any size.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.places.len() as u64) >> 32) as usize
    }

    /// Where an entry stands for which `is` holds.
    #[inline]
    fn place(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<usize> {
        let size = self.tags.len();
        let tag = tag(hash);
        let is = |at: usize| {
            let entry = self.places.get(at).and_then(|entry| entry.checked_sub(1));
            entry.is_some_and(&is)
        };
        let mut at = self.home(hash);
        loop {
            // Eight at once, as long as they do not pass the end of the table.
            while let Some(eight) = self.tags.get(at..).and_then(|tags| tags.first_chunk::<8>()) {
                let eight = u64::from_le_bytes(*eight);
                let free = zeros(eight);
                // Up to the first free place.
                let probed = (free & free.wrapping_neg()).wrapping_sub(1);
                let mut same = zeros(eight ^ (u64::from(tag) * LOW)) & probed;
                while same != 0 {
                    let place = at + same.trailing_zeros() as usize / 8;
                    if is(place) {
                        return Some(place);
                    }
                    same &= same - 1;
                }
                if free != 0 {
                    return None;
                }
                at += 8;
            }
            match self.tags.get(at) {
                None if size == 0 => return None,
                None => at = 0,
                Some(0) => return None,
                Some(found) if *found == tag && is(at) => return Some(at),
                Some(_) => at += 1,
            }
        }
    }

    /// The entry with this hash for which `is` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let at = self.place(hash, is)?;
        self.places.get(at).map(|entry| entry - 1)
    }

    /// Adds an entry that is not there. `hash_of` gives the hash of every entry, this one included.
    pub(super) fn insert(&mut self, entry: u32, hash_of: impl Fn(u32) -> u64) {
        // Never fuller than four fifths, else grown by half: six bytes an entry on the average.
        if (self.len + 1) * 5 > self.places.len() * 4 {
            let grown = (self.places.len() * 3 / 2).max(16);
            let before = core::mem::replace(&mut self.places, vec![0; grown]);
            self.tags = vec![0; grown];
            for entry in before.into_iter().filter(|entry| *entry != 0) {
                self.put(entry, hash_of(entry - 1));
            }
        }
        self.put(entry + 1, hash_of(entry));
        self.len += 1;
    }

    fn put(&mut self, entry: u32, hash: u64) {
        let size = self.places.len();
        let mut at = self.home(hash);
        while self.tags.get(at).is_some_and(|tag| *tag != 0) {
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        if let (Some(place), Some(mark)) = (self.places.get_mut(at), self.tags.get_mut(at)) {
            *place = entry;
            *mark = tag(hash);
        }
    }

    /// Puts another entry of the same hash in the place of `entry`.
    pub(super) fn replace(&mut self, hash: u64, entry: u32, other: u32) {
        if let Some(at) = self.place(hash, |found| found == entry) {
            self.places[at] = other + 1;
        }
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, hash: u64, entry: u32, hash_of: impl Fn(u32) -> u64) {
        let Some(mut hole) = self.place(hash, |found| found == entry) else {
            return;
        };
        let size = self.places.len();
        self.len -= 1;
        let mut at = hole;
        loop {
            at = if at + 1 == size { 0 } else { at + 1 };
            let entry = self.places[at];
            if entry == 0 {
                break;
            }
            // An entry moves into the hole unless its home lies between the hole and itself.
            let home = self.home(hash_of(entry - 1));
            let stays = match hole <= at {
                true => hole < home && home <= at,
                false => hole < home || home <= at,
            };
            if !stays {
                self.places[hole] = entry;
                self.tags[hole] = self.tags[at];
                hole = at;
            }
        }
        self.places[hole] = 0;
        self.tags[hole] = 0;
    }

    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<u32>() + self.tags.capacity()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn parts(&self) -> (&[u32], &[u8]) {
        (&self.places, &self.tags)
    }

    /// Puts a written index together again; `None` if it cannot be one of `entries` entries.
    pub(super) fn from_parts(places: Vec<u32>, tags: Vec<u8>, entries: usize) -> Option<Self> {
        let len = places.iter().filter(|entry| **entry != 0).count();
        let within = places.iter().all(|entry| *entry as usize <= entries);
        // As full as `insert` leaves it at most, so that every probe ends soon.
        let has_room = len * 5 <= places.len() * 4;
        let fits = places.len() == tags.len()
            && places
                .iter()
                .zip(&tags)
                .all(|(entry, tag)| (*entry == 0) == (*tag == 0));
        (within && has_room && fits).then_some(Self { places, tags, len })
    }
}

/// Mixes handles: they count up, so nobody chooses them (Knuth, TAOCP 3, §6.4).
#[inline]
pub(super) fn mix(words: &[u32]) -> u64 {
    let mut state = 0u64;
    for word in words {
        state = (state.rotate_left(23) ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
    }
    state.wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn it_holds_what_a_set_holds() {
        let mut state = 11u64;
        let mut draw = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        // Few hashes, so that runs get long and wrap round.
        let hash = |entry: u32| mix(&[entry % 40]);
        let (mut index, mut set) = (Index::default(), BTreeSet::new());
        for _ in 0..20_000 {
            let entry = draw(300) as u32;
            if set.contains(&entry) {
                index.remove(hash(entry), entry, hash);
                set.remove(&entry);
            } else {
                index.insert(entry, hash);
                set.insert(entry);
            }
            let asked = draw(300) as u32;
            let found = index.find(hash(asked), |entry| entry == asked);
            assert_eq!(found.is_some(), set.contains(&asked));
        }
        for entry in 0..300 {
            let found = index.find(hash(entry), |found| found == entry);
            assert_eq!(found.is_some(), set.contains(&entry));
        }
    }
}
