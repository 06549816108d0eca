//! When blocks were made, as far as that is proven.
//!
//! Expiry and conditions end and begin by block time, and a verdict must say at which height. Times
//! rise with heights (each block is later than the one before it, CometBFT's rule), so a few proven
//! blocks tell for most heights on which side of a moment they lie. Where they do not, the answer is
//! a block that has to be proven first ([`Wanted`]), never a guess (Invariant 4).

use alloc::collections::BTreeMap;

use policy::Time;

/// A block whose time is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time: Time,
}

/// What has to be proven before something can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The first block whose time has reached this one, and the block before it.
    From(Time),
    /// The block at this height.
    At(u64),
}

impl core::fmt::Display for Wanted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Wanted::From(time) => write!(f, "which block is the first at or after {time}"),
            Wanted::At(height) => write!(f, "the time of block {height}"),
        }
    }
}

/// Where the first block from a moment on is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBlock {
    /// No block that is known has reached the moment.
    NotYet,
    /// It is this one.
    Is(Block),
    /// Above `after`, whose time is earlier, and at or below `by`, which has reached it.
    Between {
        /// The last block that is known to be earlier; none where even the first known one is not.
        after: Option<u64>,
        /// The first block that is known to have reached it.
        by: Block,
    },
}

/// When a block was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeAt {
    /// At this time.
    Exactly(Time),
    /// After the first and, where there is a second, before that.
    Within(Time, Option<Time>),
}

impl MadeAt {
    /// The earliest time that the block can have: times rise, so one that comes after another is later
    /// than that.
    pub fn earliest(self) -> Time {
        match self {
            MadeAt::Exactly(time) => time,
            MadeAt::Within(after, _) => after.next().unwrap_or(after),
        }
    }
}

/// Proven times of blocks by height.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockTimes(BTreeMap<u64, Time>);

impl BlockTimes {
    /// Times that were proven one by one.
    pub fn of(blocks: impl IntoIterator<Item = Block>) -> BlockTimes {
        BlockTimes(
            blocks
                .into_iter()
                .map(|block| (block.height, block.time))
                .collect(),
        )
    }

    /// Adds a proven block; whether it was unknown.
    pub fn insert(&mut self, block: Block) -> bool {
        self.0.insert(block.height, block.time).is_none()
    }

    /// How many blocks are known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by height.
    pub fn iter(&self) -> impl Iterator<Item = Block> + '_ {
        self.0.iter().map(block)
    }

    /// The highest known block at or below `height`.
    pub fn at_or_below(&self, height: u64) -> Option<Block> {
        self.0.range(..=height).next_back().map(block)
    }

    /// The lowest known block at or above `height`.
    pub fn at_or_above(&self, height: u64) -> Option<Block> {
        self.0.range(height..).next().map(block)
    }

    /// The lowest known block whose time has reached `time`. Cost: O(log n), since times rise with
    /// heights: the search is over heights.
    pub fn reached(&self, time: Time) -> Option<Block> {
        let (mut low, mut high) = (self.0.keys().next().copied()?, self.last()?.height);
        if self.last()?.time < time {
            return None;
        }
        // The answer lies within low..=high.
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at_or_below(middle) {
                Some(known) if known.time >= time => high = known.height,
                _ => low = self.at_or_above(middle + 1)?.height,
            }
        }
        self.at_or_above(low)
    }

    /// The highest known block.
    pub fn last(&self) -> Option<Block> {
        self.0.iter().next_back().map(block)
    }
}

fn block((height, time): (&u64, &Time)) -> Block {
    Block {
        height: *height,
        time: *time,
    }
}

/// Where the first block from `time` on is, given the highest known block that is earlier and the
/// lowest that has reached it.
pub fn first_block(earlier: Option<Block>, reached: Option<Block>) -> FirstBlock {
    match (earlier, reached) {
        (_, None) => FirstBlock::NotYet,
        (Some(earlier), Some(reached)) if earlier.height + 1 >= reached.height => {
            FirstBlock::Is(reached)
        }
        (earlier, Some(by)) => FirstBlock::Between {
            after: earlier.map(|block| block.height),
            by,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn at(seconds: i64) -> Time {
        Time::new(seconds, 0).expect("a time")
    }

    fn times(known: &[(u64, i64)]) -> BlockTimes {
        BlockTimes::of(known.iter().map(|(height, seconds)| Block {
            height: *height,
            time: at(*seconds),
        }))
    }

    /// Against going through all of them.
    #[test]
    fn blocks_are_found_by_height_and_by_time() {
        let sets: [&[(u64, i64)]; 5] = [
            &[],
            &[(5, 50)],
            &[(5, 50), (6, 51)],
            &[(1, 10), (2, 20), (9, 90), (100, 1000)],
            &[
                (3, 7),
                (4, 8),
                (5, 9),
                (6, 10),
                (7, 11),
                (8, 12),
                (1000, 13),
            ],
        ];
        for set in sets {
            let known = times(set);
            let all: Vec<Block> = known.0.iter().map(block).collect();
            for height in 0..1005 {
                let below = all.iter().rfind(|block| block.height <= height);
                assert_eq!(known.at_or_below(height), below.copied());
                let above = all.iter().find(|block| block.height >= height);
                assert_eq!(known.at_or_above(height), above.copied());
            }
            for seconds in 0..1005 {
                let reached = all.iter().find(|block| block.time >= at(seconds));
                assert_eq!(
                    known.reached(at(seconds)),
                    reached.copied(),
                    "{seconds} of {set:?}"
                );
            }
        }
    }

    #[test]
    fn the_first_block_from_a_moment_on_is_known_by_its_neighbour() {
        let block = |height, seconds| {
            Some(Block {
                height,
                time: at(seconds),
            })
        };
        assert_eq!(first_block(block(4, 40), None), FirstBlock::NotYet);
        let five = block(5, 50);
        assert_eq!(
            Some(first_block(block(4, 40), five)),
            five.map(FirstBlock::Is)
        );
        for after in [None, block(3, 30)] {
            let between = FirstBlock::Between {
                after: after.map(|block| block.height),
                by: five.expect("there"),
            };
            assert_eq!(first_block(after, five), between);
        }
    }
}
