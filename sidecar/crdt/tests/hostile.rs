//! Bytes from strangers: no panic, no growth, and nothing read that would be written differently.

use crdt::{
    decode_heads, encode_heads, Body, CollectionPreimage, DocumentPreimage, DocumentState,
    HeaderBlock, Schema,
};
use proptest::prelude::*;

use crate::{
    plan::{steps, Planned},
    world::{preimage, schema},
};

/// Reads bytes as everything that can be read, and checks that what is read is written alike.
fn read_all(bytes: &[u8]) {
    if let Ok(block) = HeaderBlock::decode(bytes.to_vec()) {
        let again = block.header().clone().into_block().unwrap();
        assert_eq!(again.bytes(), bytes);
    }
    if let Ok(body) = Body::decode(bytes) {
        assert_eq!(body.into_block().unwrap().bytes(), bytes);
    }
    if let Ok(schema) = Schema::decode(bytes) {
        assert_eq!(schema.encode(), bytes);
    }
    if let Ok(preimage) = DocumentPreimage::decode(bytes) {
        assert_eq!(preimage.encode(), bytes);
    }
    if let Ok(preimage) = CollectionPreimage::decode(bytes) {
        assert_eq!(preimage.encode(), bytes);
    }
    if let Ok(state) = DocumentState::decode(bytes) {
        assert_eq!(state.encode(), bytes);
    }
    if let Ok(heads) = decode_heads(bytes) {
        assert_eq!(encode_heads(&heads), bytes);
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = Schema::from_json(text);
        let _ = text.parse::<crdt::Cid>();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn blocks_that_are_nearly_right_never_panic(
        steps in steps(4),
        which in any::<u16>(),
        edits in prop::collection::vec((any::<u16>(), any::<u8>(), 0..5_u8), 1..5),
    ) {
        let planned = Planned::new(&steps);
        let mut blocks = vec![schema().encode(), preimage(1, 1).encode(), planned.world.state().encode()];
        for (commit, body) in &planned.commits {
            blocks.push(commit.header_bytes().to_vec());
            blocks.push(body.bytes().to_vec());
        }
        blocks.iter().for_each(|block| read_all(block));
        let other = blocks[usize::from(which >> 4) % blocks.len()].clone();
        let place = usize::from(which) % blocks.len();
        let mut block = blocks.swap_remove(place);
        for (place, byte, edit) in edits {
            if block.is_empty() { break }
            let place = usize::from(place) % block.len();
            match edit {
                0 => block[place] = byte,
                1 => block[place] ^= 1 << (byte % 8),
                2 => { block.remove(place); }
                3 => block.insert(place, byte),
                _ => block.splice(place.., other.iter().skip(place).copied()).for_each(drop),
            }
            read_all(&block);
        }
        block.truncate(block.len() / 2);
        read_all(&block);
    }
}
