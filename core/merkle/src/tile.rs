//! Names of tiles, as in C2SP tlog-tiles: a log served as files that never change.
//!
//! A tile of level L holds up to 256 nodes of tree level 8 L; the seven levels between are
//! computed from them. So whoever stores nodes by (level, index) can serve tiles, and whoever
//! has tiles can give [`crate::Nodes`].

use alloc::{format, string::String};
use core::{fmt, str::FromStr};

use crate::{MerkleError, SIZE_MAX};

/// Tree levels in a tile.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// The highest tile level of a log of [`SIZE_MAX`] leaves.
const TILE_LEVEL_MAX: u8 = 5;

/// The name of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// The level: its hashes are nodes of tree level `8 * level`.
    pub level: u8,
    /// The place within the level.
    pub index: u64,
    /// How many hashes it holds, 1 to 256. Below 256 the tile is partial.
    pub width: u16,
}

impl Tile {
    /// The tile, in a log of `size` leaves, from which the complete node (level, index) can be
    /// read or computed. `None` if the log has no such node.
    pub fn of_node(level: u8, index: u64, size: u64) -> Option<Self> {
        let end = index
            .checked_add(1)?
            .checked_mul(1u64.checked_shl(level.into())?)?;
        if size > SIZE_MAX || end > size {
            return None;
        }
        // The node spans `1 << below` hashes of the tile's own level.
        let below = level % TILE_HEIGHT;
        Self::at(level / TILE_HEIGHT, (index << below) >> TILE_HEIGHT, size)
    }

    /// The tile `index` of a tile level as it stands in a log of `size` leaves; `None` if it
    /// would be empty.
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        if level > TILE_LEVEL_MAX || size > SIZE_MAX {
            return None;
        }
        let hashes = size >> (level * TILE_HEIGHT);
        let left = hashes.checked_sub(index.checked_mul(TILE_WIDTH.into())?)?;
        let width = left.min(TILE_WIDTH.into()) as u16;
        (width > 0).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// Tree level and index of each hash of the tile, in order.
    pub fn nodes(self) -> impl Iterator<Item = (u8, u64)> {
        let first = self.index * u64::from(TILE_WIDTH);
        (first..first + u64::from(self.width)).map(move |index| (self.level * TILE_HEIGHT, index))
    }

    /// The path of the hashes, below the log's prefix: `tile/0/x001/234`, `tile/1/000.p/7`.
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, Name(self))
    }

    /// The path of the leaves of a tile of level 0: `tile/entries/x001/234`.
    pub fn entries_path(self) -> String {
        format!("tile/entries/{}", Name(self))
    }
}

/// Index and width, in groups of three digits with an `x` before all but the last.
struct Name(Tile);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tile { index, width, .. } = self.0;
        let groups = index.checked_ilog10().unwrap_or(0) / 3;
        for group in (1..=groups).rev() {
            write!(f, "x{:03}/", index / 1000u64.pow(group) % 1000)?;
        }
        write!(f, "{:03}", index % 1000)?;
        match width {
            TILE_WIDTH => Ok(()),
            width => write!(f, ".p/{width}"),
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl FromStr for Tile {
    type Err = MerkleError;

    /// Parses [`Tile::path`]; any other spelling is refused.
    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let parsed = parse(path).ok_or(MerkleError::TilePath)?;
        match parsed.path() == path {
            true => Ok(parsed),
            false => Err(MerkleError::TilePath),
        }
    }
}

fn parse(path: &str) -> Option<Tile> {
    let (level, name) = path.strip_prefix("tile/")?.split_once('/')?;
    let (name, width) = match name.split_once(".p/") {
        Some((name, width)) => (
            name,
            width
                .parse()
                .ok()
                .filter(|width| (1..TILE_WIDTH).contains(width))?,
        ),
        None => (name, TILE_WIDTH),
    };
    let index = name.split('/').try_fold(0u64, |index, group| {
        let digits = group
            .strip_prefix('x')
            .unwrap_or(group)
            .parse::<u16>()
            .ok()?;
        index.checked_mul(1000)?.checked_add(digits.into())
    })?;
    let level = level
        .parse()
        .ok()
        .filter(|level| *level <= TILE_LEVEL_MAX)?;
    Some(Tile {
        level,
        index,
        width,
    })
}
