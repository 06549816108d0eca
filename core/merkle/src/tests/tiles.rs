//! Names of tiles, against the examples of C2SP tlog-tiles and against the tree.

use alloc::{string::ToString, vec::Vec};
use proptest::prelude::*;

use super::naive;
use crate::{root_of_leaf_hashes, MemoryLog, MerkleError, Nodes, Tile, SIZE_MAX};

#[test]
fn names_are_those_of_the_specification() {
    let name = |level, index, width| {
        Tile {
            level,
            index,
            width,
        }
        .path()
    };
    assert_eq!(name(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(name(0, 0, 256), "tile/0/000");
    assert_eq!(name(1, 999, 7), "tile/1/999.p/7");
    assert_eq!(name(2, 1000, 255), "tile/2/x001/000.p/255");
    let entries = Tile {
        level: 0,
        index: 273,
        width: 112,
    };
    assert_eq!(entries.entries_path(), "tile/entries/273.p/112");
}

/// The specification's example: a tree of 70,000 leaves has 273 full tiles and a partial one at
/// level 0, one full and one partial at level 1, and a partial one at level 2.
#[test]
fn a_tree_of_70000_leaves_has_the_tiles_of_the_example() {
    let all = |level| {
        (0..)
            .map_while(|index| Tile::at(level, index, 70_000))
            .collect::<Vec<_>>()
    };
    let level_0 = all(0);
    assert_eq!(level_0.len(), 274);
    assert!(level_0[..273].iter().all(|tile| tile.width == 256));
    assert_eq!(level_0[273].path(), "tile/0/273.p/112");
    let paths = |level| {
        all(level)
            .iter()
            .map(|tile| tile.path())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(1), ["tile/1/000", "tile/1/001.p/17"]);
    assert_eq!(paths(2), ["tile/2/000.p/1"]);
    assert!(all(3).is_empty());
}

#[test]
fn every_node_is_computed_from_the_tile_that_is_said_to_hold_it() {
    let leaves = naive::leaves(1300);
    let log: MemoryLog = leaves.iter().collect();
    for level in 0..11u8 {
        for index in 0..1300 >> level {
            let tile = Tile::of_node(level, index, 1300).unwrap();
            let below = level - 8 * tile.level;
            let first = index << below;
            let covered = tile
                .nodes()
                .filter(|(_, at)| (first..first + (1 << below)).contains(at))
                .map(|(level, at)| log.node(level, at).unwrap());
            let covered: Vec<_> = covered.collect();
            assert_eq!(covered.len(), 1 << below);
            assert_eq!(
                root_of_leaf_hashes(covered),
                log.node(level, index).unwrap()
            );
        }
        assert_eq!(Tile::of_node(level, 1300 >> level, 1300), None);
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/00/000",
        "tile/6/000",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/067",
        "tile/0/x001",
        "tile/0/x1/067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/+00",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/-1/000",
        "tile/entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(MerkleError::TilePath), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paths_are_read_back(level in 0u8..6, index in 0..SIZE_MAX, width in 1u16..=256) {
        let tile = Tile { level, index, width };
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }

    #[test]
    fn no_question_panics(level in any::<u8>(), index in any::<u64>(), size in any::<u64>(), text in "(tile/)?[0-9x/.p]{0,30}") {
        let _ = Tile::at(level, index, size);
        let _ = Tile::of_node(level, index, size);
        let _ = text.parse::<Tile>();
    }
}
