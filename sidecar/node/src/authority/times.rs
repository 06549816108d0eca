//! When blocks were made: what verdicts know of it, and how what they lack is proven.
//!
//! Between two revisions of a policy a permission begins or ends by block time alone. Verdicts then
//! hang on which block was the first at or after some moment. They say so ([`Wanted`]); the loop that
//! follows the hub finds that block among verified headers, and keeps its time and that of the block
//! before it on disk. Verdicts know these and no others, beside the policy's revisions and the newest
//! header: so what a sidecar once could tell, it can tell after a restart, without the hub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use audit::times::{Block, BlockTimes, Wanted};
use prost::Message;
use tokio::sync::Notify;

use super::healed;
use super::hub::{Hub, HubError};
use crate::limits::{HEADERS_PER_LOOK_MAX, KNOWN_TIMES_MAX, SEEN_BLOCKS_MAX, WANTED_TIMES_MAX};
use crate::store::keys::meta;
use crate::store::records::decode;
use crate::store::{Column, Put, Store, StoreError};

/// A block's time as it is kept.
#[derive(Clone, PartialEq, Eq, Message)]
struct Kept {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

fn kept(block: Block) -> Option<Put> {
    let wire = hub_types::policy::convert::time_to_wire(block.time);
    let kept = Kept {
        seconds: wire.seconds,
        nanos: u32::try_from(wire.nanos).ok()?,
    };
    let key = meta::block_time(block.height);
    Some((Column::Meta, key, Some(kept.encode_to_vec())))
}

/// The times that are known, and those that are wanted.
#[derive(Default)]
pub(super) struct Times {
    known: RwLock<BlockTimes>,
    /// Times of headers that were verified in this run: where a search starts, and what a writer may
    /// cite.
    seen: Mutex<BTreeMap<u64, Block>>,
    wanted: Mutex<BTreeSet<Wanted>>,
    /// Told when something is wanted.
    news: Notify,
}

impl Times {
    /// What the store holds.
    pub fn restore(store: &Store) -> Result<Self, StoreError> {
        let mut known = BlockTimes::default();
        store.scan(Column::Meta, meta::BLOCK_TIME, &[], |key, value| {
            let wrong = || StoreError::Record(Column::Meta.name());
            let height = key.get(meta::BLOCK_TIME.len()..);
            let height = height.and_then(|height| height.try_into().ok());
            let kept: Kept = decode(Column::Meta, value)?;
            let time = hub_types::Timestamp::new(kept.seconds, kept.nanos).map_err(|_| wrong())?;
            known.insert(Block {
                height: u64::from_be_bytes(height.ok_or_else(wrong)?),
                time: time.to_policy(),
            });
            Ok::<bool, StoreError>(true)
        })?;
        Ok(Self {
            known: RwLock::new(known),
            ..Self::default()
        })
    }

    /// What verdicts may use.
    pub fn known(&self) -> RwLockReadGuard<'_, BlockTimes> {
        healed(self.known.read())
    }

    /// How many blocks verdicts know the times of. It only grows, and tells when they know more.
    pub fn count(&self) -> usize {
        self.known().len()
    }

    /// Takes the time of a verified header.
    pub fn see(&self, block: Block) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(block.height, block);
        while seen.len() > SEEN_BLOCKS_MAX {
            seen.pop_first();
        }
    }

    /// The highest block at or below `height` whose header was verified in this run.
    pub fn seen_at_or_below(&self, height: u64) -> Option<Block> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.range(..=height).next_back().map(|(_, block)| *block)
    }

    /// Asks for what verdicts lack.
    pub fn want(&self, wanted: BTreeSet<Wanted>) {
        if wanted.is_empty() {
            return;
        }
        let mut all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        for one in wanted {
            // Beyond the bound it is wanted again by whoever looks again.
            if all.len() < WANTED_TIMES_MAX {
                all.insert(one);
            }
        }
        if all.len() > before {
            self.news.notify_one();
        }
    }

    /// The heights of the blocks that answer what is wanted, if all are known; what is not is looked
    /// for from now on.
    pub fn heights(&self, wanted: &[Wanted]) -> Option<BTreeSet<u64>> {
        let mut heights = BTreeSet::new();
        let mut missing = BTreeSet::new();
        {
            let known = self.known();
            for one in wanted {
                let found = match one {
                    Wanted::At(height) => known.at_or_below(*height).map(|block| (block, None)),
                    Wanted::From(moment) => known.reached(*moment).map(|by| {
                        let before = by.height.checked_sub(1);
                        (by, before.and_then(|before| known.at_or_below(before)))
                    }),
                };
                match (one, found) {
                    (Wanted::At(height), Some((block, _))) if block.height == *height => {
                        heights.insert(block.height);
                    }
                    (Wanted::From(_), Some((by, Some(before))))
                        if before.height + 1 == by.height =>
                    {
                        heights.extend([before.height, by.height]);
                    }
                    _ => {
                        missing.insert(*one);
                    }
                }
            }
        }
        let whole = missing.is_empty();
        self.want(missing);
        whole.then_some(heights)
    }

    /// Waits until something new is wanted.
    pub async fn wanted(&self) {
        self.news.notified().await;
    }

    fn forget(&self, wanted: &Wanted) {
        let mut all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(wanted);
    }

    /// Proves what is wanted, as far as some headers reach; gives what must be written before it is
    /// known ([`Times::learn`]), and whether the hub could be reached. A header that a node does not
    /// give leaves what hangs on it wanted, and nothing else. `near` gives blocks around a moment whose
    /// times are proven otherwise.
    pub async fn prove(
        &self,
        hub: &dyn Hub,
        tip: Block,
        near: impl Fn(policy::Time) -> Vec<Block>,
    ) -> (Proved, Result<(), HubError>) {
        let wanted: Vec<Wanted> = {
            let all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().copied().collect()
        };
        let mut proved = Proved::default();
        let mut headers = HEADERS_PER_LOOK_MAX;
        for one in wanted {
            if self.known().len() + proved.blocks.len() >= KNOWN_TIMES_MAX {
                tracing::warn!(wanted = %one, "no more times of blocks are kept; what hangs on them waits");
                self.forget(&one);
                continue;
            }
            let found = match one {
                Wanted::At(height) if height > tip.height => Ok(None),
                Wanted::At(height) => {
                    let block = self.block(hub, height, &mut headers).await;
                    block.map(|block| Some(vec![block]))
                }
                Wanted::From(moment) => {
                    let near = near(moment);
                    self.first_from(hub, moment, tip, &near, &mut headers).await
                }
            };
            match found {
                // Not reached by the chain yet, so nothing hangs on it.
                Ok(None) => self.forget(&one),
                Ok(Some(found)) if found.contains(&None) => break,
                Ok(Some(found)) => proved.take(one, found.into_iter().flatten()),
                Err(error @ HubError::Unreachable(_)) => return (proved, Err(error)),
                Err(error) => {
                    tracing::debug!(%error, wanted = %one, "a header cannot be had; it is asked for again");
                }
            }
        }
        (proved, Ok(()))
    }

    /// The first block at or after `moment`, and the one before it. A `None` within where the headers
    /// of this look are used up; none at all where no block has reached the moment.
    async fn first_from(
        &self,
        hub: &dyn Hub,
        moment: policy::Time,
        tip: Block,
        near: &[Block],
        headers: &mut usize,
    ) -> Result<Option<Vec<Option<Block>>>, HubError> {
        if tip.time < moment {
            return Ok(None);
        }
        // Blocks at or below `low` are earlier, those at or above `high` are not.
        let (mut low, mut high) = (0, tip);
        {
            let known = self.known();
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let near = near.iter().copied();
            for block in known.iter().chain(seen.values().copied()).chain(near) {
                if block.time < moment {
                    low = low.max(block.height);
                } else if block.height < high.height {
                    high = block;
                }
            }
        }
        while low + 1 < high.height {
            let middle = low + (high.height - low) / 2;
            match self.block(hub, middle, headers).await? {
                None => return Ok(Some(vec![None])),
                Some(block) if block.time < moment => low = block.height,
                Some(block) => high = block,
            }
        }
        let before = match low {
            0 => None,
            low => Some(self.block(hub, low, headers).await?),
        };
        Ok(Some(before.into_iter().chain([Some(high)]).collect()))
    }

    /// The time of a block; none where the headers of this look are used up.
    async fn block(
        &self,
        hub: &dyn Hub,
        height: u64,
        headers: &mut usize,
    ) -> Result<Option<Block>, HubError> {
        let known = self.known().at_or_below(height);
        let seen = self.seen_at_or_below(height);
        let here = known.into_iter().chain(seen);
        if let Some(block) = here.into_iter().find(|block| block.height == height) {
            return Ok(Some(block));
        }
        let trusted = match hub.at_hand(height) {
            Some(trusted) => trusted,
            None if *headers == 0 => return Ok(None),
            None => {
                *headers -= 1;
                hub.header(height).await?
            }
        };
        let block = Block {
            height,
            time: trusted.time.to_policy(),
        };
        self.see(block);
        Ok(Some(block))
    }

    /// Takes what was proven and is on disk.
    pub fn learn(&self, proved: &Proved) {
        let mut known = healed(self.known.write());
        for block in &proved.blocks {
            known.insert(*block);
        }
        drop(known);
        for one in &proved.answers {
            self.forget(one);
        }
    }
}

/// Times that were proven.
#[derive(Default)]
pub(super) struct Proved {
    blocks: Vec<Block>,
    answers: Vec<Wanted>,
}

impl Proved {
    fn take(&mut self, answer: Wanted, blocks: impl Iterator<Item = Block>) {
        self.blocks.extend(blocks);
        self.answers.push(answer);
    }

    /// Whether nothing was proven.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// What must be on disk before it is known.
    pub fn puts(&self) -> impl Iterator<Item = Put> + '_ {
        self.blocks.iter().filter_map(|block| kept(*block))
    }
}
