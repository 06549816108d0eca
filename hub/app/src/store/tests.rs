//! The store against a model: maps by version, whatever was written, deleted and pruned.

use std::collections::BTreeMap;

use super::*;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Writes = TreeWrites;

/// A small generator (xorshift64*), so that a failing seed is one line to replay.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// Keys are prefixes of each other and hold zeros, which the layout must bear.
    fn key(&mut self) -> Vec<u8> {
        let length = 1 + self.below(4);
        (0..length)
            .map(|_| [0, 1, 255][self.below(3) as usize])
            .collect()
    }

    fn writes(&mut self, deletions: bool) -> Writes {
        (0..1 + self.below(6))
            .map(|_| {
                let value = [self.below(256) as u8, self.below(256) as u8, 7];
                let delete = deletions && self.below(3) == 0;
                (self.key(), (!delete).then(|| value.to_vec()))
            })
            .collect()
    }
}

fn open(folder: &std::path::Path, retain_heights: u64) -> Store {
    let options = StoreOptions {
        retain_heights,
        cache_megabytes: 8,
    };
    Store::open(folder, None, options).unwrap()
}

fn committed(height: u64, app_hash: [u8; 32], lowest_height: u64) -> Committed {
    Committed {
        chain_id: "model-1".to_owned(),
        initial_height: 1,
        height,
        app_hash,
        time: (height as i64, 0),
        lowest_height,
    }
}

/// Writes a height: the main tree, and a policy's tree at a revision where there is one.
fn write(store: &Store, height: u64, main: Writes, policy: Option<(u64, Writes)>) -> [u8; 32] {
    let view = store.view().unwrap();
    let lowest = view
        .committed()
        .map_or(1, |committed| committed.lowest_height);
    let update = TreeUpdate::compute(&view, TreeId::Main, height, main, None).unwrap();
    let root = update.root;
    let mut staged = StagedBlock::new(committed(height, root, lowest));
    staged.add_tree(&view, &update, None).unwrap();
    if let Some((revision, writes)) = policy {
        let update = TreeUpdate::compute(&view, POLICY, revision, writes, None).unwrap();
        staged.add_tree(&view, &update, None).unwrap();
    }
    drop(view);
    store.commit(staged).unwrap();
    root
}

const POLICY: TreeId = TreeId::Policy([9; 32]);

fn apply(model: &mut Model, writes: &Writes) {
    for (key, value) in writes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

/// Every way of reading `tree` at `version` agrees with the model.
fn agree(view: &View<'_>, tree: &TreeId, version: u64, model: &Model, random: &mut Random) {
    for _ in 0..12 {
        let (key, other) = (random.key(), random.key());
        let expected = model.get(&key).cloned();
        assert_eq!(view.at_version(tree, &key, version).unwrap(), expected);
        let (value, proof) = view.prove(tree, &key, version).unwrap();
        assert_eq!(value, expected);
        let root = view.root(tree, version).unwrap().unwrap();
        let spec = jmt::ics23_spec();
        let holds = match &expected {
            Some(value) => ics23::verify_membership::<ics23::HostFunctionsManager>(
                &proof,
                &spec,
                &root.to_vec(),
                &key,
                value,
            ),
            None => ics23::verify_non_membership::<ics23::HostFunctionsManager>(
                &proof,
                &spec,
                &root.to_vec(),
                &key,
            ),
        };
        assert!(holds, "the proof of {key:?} at {version}");
        let (from, to) = if key < other {
            (key, other)
        } else {
            (other, key)
        };
        let floor = model
            .range(from.clone()..=to.clone())
            .next_back()
            .map(|(key, value)| (key.clone(), value.clone()));
        assert_eq!(
            view.floor_at_version(tree, &from, &to, version).unwrap(),
            floor
        );
    }
}

fn agree_latest(view: &View<'_>, tree: &TreeId, model: &Model, random: &mut Random) {
    for _ in 0..12 {
        let (key, other) = (random.key(), random.key());
        assert_eq!(view.latest(tree, &key).unwrap(), model.get(&key).cloned());
        let (from, to) = if key < other {
            (key, other)
        } else {
            (other, key)
        };
        // Every key, every key but the last two, none.
        for skipped in [0, 2, usize::MAX] {
            let mut range = model.range(from.clone()..=to.clone()).rev();
            let expected = range.by_ref().nth(skipped);
            let expected = expected.map(|(key, value)| (key.clone(), value.clone()));
            let mut left = skipped;
            let mut skip = |_: &[u8]| {
                let skips = left > 0;
                left = left.saturating_sub(1);
                skips
            };
            assert_eq!(
                Base::floor(view, tree, &from, &to, &mut skip).unwrap(),
                expected
            );
        }
    }
}

#[test]
fn every_retained_version_reads_as_it_was_written() {
    for seed in 1..=6 {
        let folder = tempfile::tempdir().unwrap();
        let retain = if seed % 2 == 0 { 0 } else { 8 };
        let mut store = open(folder.path(), retain);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed << 17));
        let (mut main, mut policy) = (Model::new(), Model::new());
        let mut mains = BTreeMap::new();
        // At each height: the newest revision then, and what it holds.
        let mut policies: BTreeMap<u64, (u64, Model)> = BTreeMap::new();
        let mut revision = None;
        for height in 1..=40_u64 {
            let mut writes = random.writes(height % 2 == 0);
            // A block always writes something: its own log.
            writes.insert(b"block".to_vec(), Some(height.to_be_bytes().to_vec()));
            apply(&mut main, &writes);
            let change = (random.below(3) == 0).then(|| {
                let next = revision.map_or(0, |revision: u64| revision + 1);
                revision = Some(next);
                let mut writes = random.writes(true);
                // A policy's tree is never empty: it holds the definition.
                writes.insert(b"definition".to_vec(), Some(b"d".to_vec()));
                apply(&mut policy, &writes);
                (next, writes)
            });
            write(&store, height, writes, change);
            mains.insert(height, main.clone());
            if let Some(revision) = revision {
                policies.insert(height, (revision, policy.clone()));
            }
            if height % 13 == 0 {
                drop(store);
                store = open(folder.path(), retain);
            }
            let view = store.view().unwrap();
            agree_latest(&view, &TreeId::Main, &main, &mut random);
            agree_latest(&view, &POLICY, &policy, &mut random);
            let lowest = if retain == 0 {
                1
            } else {
                (height + 1).saturating_sub(retain).max(1)
            };
            for kept in [lowest, height.max(2) - 1, height] {
                if kept < lowest {
                    continue;
                }
                assert_eq!(view.check_height(kept).unwrap(), kept);
                agree(&view, &TreeId::Main, kept, &mains[&kept], &mut random);
                if let Some((revision, model)) = policies.get(&kept) {
                    agree(&view, &POLICY, *revision, model, &mut random);
                }
            }
            if lowest > 1 {
                assert!(view.check_height(lowest - 1).is_err());
            }
        }
        if retain > 0 {
            let view = store.view().unwrap();
            assert!(
                view.root(&TreeId::Main, 30).unwrap().is_none(),
                "old roots are gone"
            );
        }
    }
}

#[test]
fn batched_insertion_gives_the_same_roots_as_one_by_one() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let stores: Vec<Store> = folders
        .iter()
        .map(|folder| open(folder.path(), 0))
        .collect();
    let mut random = Random(77);
    for height in 1..=30 {
        let writes = random.writes(false);
        let batched = write(&stores[0], height, writes.clone(), None);
        // A deletion of what is not there takes the other path and changes nothing.
        let mut with_deletion = writes;
        with_deletion.insert(b"never there".to_vec(), None);
        let single = write(&stores[1], height, with_deletion, None);
        assert_eq!(batched, single, "at {height}");
    }
}

#[test]
fn work_left_over_from_a_longer_window_is_worked_off_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 0);
    for height in 1..=60_u64 {
        let writes = (0..50_u64)
            .map(|key| {
                (
                    key.to_be_bytes().to_vec(),
                    Some(height.to_be_bytes().to_vec()),
                )
            })
            .collect();
        write(&store, height, writes, None);
    }
    drop(store);
    let store = open(folder.path(), 5);
    let count = |store: &Store| {
        let view = store.view().unwrap();
        view.side_range(Column::Stale, &[], &[], usize::MAX)
            .unwrap()
            .len()
    };
    let before = count(&store);
    let mut height = 60;
    let mut steps = 0;
    while count(&store) > 1_500 {
        height += 1;
        steps += 1;
        write(
            &store,
            height,
            [(b"k".to_vec(), Some(vec![1]))].into(),
            None,
        );
        assert!(steps < 20, "the work list shrinks");
    }
    assert!(
        before > 5_000 && steps > 1,
        "{before} marks in {steps} blocks"
    );
}

/// A deletion hides the value that it replaced. Where pruning stops between the two, the value
/// must not come back.
#[test]
fn pruning_in_pieces_never_brings_a_deleted_value_back() {
    // Where pruning stops hangs on how many marks there are.
    for count in 1_500..1_504_u64 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 2);
        let keys: Vec<Vec<u8>> = (0..count).map(|key| key.to_be_bytes().to_vec()).collect();
        let all = |value: Option<Vec<u8>>| -> Writes {
            keys.iter()
                .map(|key| (key.clone(), value.clone()))
                .collect()
        };
        for height in 1..=8_u64 {
            let mut writes = match height {
                1 => all(Some(vec![1])),
                2 => all(None),
                _ => Writes::new(),
            };
            writes.insert(b"block".to_vec(), Some(height.to_be_bytes().to_vec()));
            write(&store, height, writes, None);
            if height < 3 {
                continue;
            }
            let view = store.view().unwrap();
            for kept in [height - 1, height] {
                for key in &keys {
                    let value = view.at_version(&TreeId::Main, key, kept).unwrap();
                    assert_eq!(value, None, "{key:?} at {kept} in height {height}");
                }
            }
        }
    }
}

#[test]
fn no_mark_is_left_behind_by_pruning() {
    for retain in 1..=3 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), retain);
        for height in 1..=40_u64 {
            let value = (height % 2 == 1).then(|| vec![1]);
            let writes = [
                (b"a".to_vec(), Some(height.to_be_bytes().to_vec())),
                (b"b".to_vec(), value.clone()),
                (b"z".to_vec(), value),
            ];
            write(&store, height, writes.into(), None);
        }
        let view = store.view().unwrap();
        let marks = view.side_range(Column::Stale, &[], &[], usize::MAX);
        let oldest = marks.unwrap().first().map(|(mark, _)| mark[..8].to_vec());
        let oldest = u64::from_be_bytes(oldest.unwrap().try_into().unwrap());
        assert!(oldest >= 40 - retain, "{oldest} with {retain} kept");
        let values = view.side_range(Column::Values, &[], &[], usize::MAX);
        assert!(values.unwrap().len() < 3 * (retain as usize + 3));
    }
}

#[test]
fn logs_prove_what_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 0);
    let name = LogName::Anchors([4; 32]);
    let mut range = merkle::CompactRange::new();
    for height in 1..=20_u64 {
        let view = store.view().unwrap();
        let mut layer = Layer::default();
        let mut state = State::new(&view, None, &mut layer);
        append_to_log(&mut state, name, &mut range, &height.to_be_bytes()).unwrap();
        state.put_tree(
            TreeId::Main,
            b"k".to_vec(),
            Some(height.to_be_bytes().to_vec()),
        );
        state.keep();
        let (mut trees, sides) = layer.split();
        let writes = trees.remove(&TreeId::Main).unwrap();
        let update = TreeUpdate::compute(&view, TreeId::Main, height, writes, None).unwrap();
        let mut staged = StagedBlock::new(committed(height, update.root, 1));
        staged.add_tree(&view, &update, None).unwrap();
        for (column, key, value) in sides {
            staged.put_side(&view, column, &key, value.as_deref());
        }
        drop(view);
        store.commit(staged).unwrap();
    }
    let view = store.view().unwrap();
    let reader = LogReader::new(&view, name);
    for size in 1..=20 {
        let root = merkle::root_at(&reader, size).unwrap();
        for index in 0..size {
            let proof = merkle::inclusion_proof(&reader, index, size).unwrap();
            let leaf = merkle::hash_leaf(&reader.leaf(index).unwrap());
            merkle::verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
        }
    }
    assert_eq!(merkle::root_at(&reader, 20).unwrap(), range.root());
    assert!(reader.leaf(20).is_err());
}
