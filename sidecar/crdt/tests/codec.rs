//! Our codec against another one, and against bytes that are nearly right.

use crdt::codec::{CodecError, Data};
use ipld_core::ipld::Ipld;
use proptest::prelude::*;

fn data() -> impl Strategy<Value = Data> {
    let number = prop_oneof![
        any::<u64>(),
        0..300_u64,
        prop::sample::select(vec![
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            u64::from(u32::MAX),
            1 << 32
        ]),
    ];
    let leaf = prop_oneof![
        Just(Data::Null),
        any::<bool>().prop_map(Data::Boolean),
        number.clone().prop_map(Data::Unsigned),
        number.prop_map(Data::Negative),
        any::<f64>()
            .prop_filter("DAG-CBOR has finite floats, and one zero", |float| {
                float.is_finite() && float.to_bits() != 1 << 63
            })
            .prop_map(|float| Data::Float(float.to_bits())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Data::Bytes),
        ".{0,12}".prop_map(Data::Text),
        any::<[u8; 8]>().prop_map(|seed| Data::Link(crdt::Cid::of(&seed).to_bytes().into())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Data::List),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| {
                let mut entries: Vec<(String, Data)> = map.into_iter().collect();
                entries.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
                Data::Map(entries)
            }),
        ]
    })
}

/// What the other codec makes of it: read, and written with the same bytes.
fn other_accepts(block: &[u8]) -> bool {
    match serde_ipld_dagcbor::from_slice::<Ipld>(block) {
        Ok(read) => serde_ipld_dagcbor::to_vec(&read).is_ok_and(|written| written == block),
        Err(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_we_write_another_codec_reads_and_writes_alike(data in data()) {
        let block = data.encode();
        prop_assert_eq!(Data::decode(&block), Ok(data));
        prop_assert!(other_accepts(&block));
    }

    #[test]
    fn what_we_read_we_write_and_another_codec_agrees(
        data in data(),
        edits in prop::collection::vec((any::<u16>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let mut block = data.encode();
        for (place, byte, edit) in edits {
            if block.is_empty() { break }
            let place = usize::from(place) % block.len();
            match edit {
                0 => block[place] = byte,
                1 => block[place] ^= 1 << (byte % 8),
                2 => { block.remove(place); }
                _ => block.insert(place, byte),
            }
        }
        let ours = Data::decode(&block);
        if let Ok(data) = &ours {
            prop_assert_eq!(&data.encode(), &block);
        }
        prop_assert_eq!(ours.is_ok(), other_accepts(&block), "{:?}", ours);
    }
}

#[test]
fn each_way_to_be_wrong_has_its_name() {
    for (block, expected) in [
        ("", CodecError::Truncated { at: 0 }),
        ("0001", CodecError::Trailing { at: 1 }),
        ("1817", CodecError::NotShortest { at: 0 }),
        ("1900ff", CodecError::NotShortest { at: 0 }),
        ("1a0000ffff", CodecError::NotShortest { at: 0 }),
        ("1b00000000ffffffff", CodecError::NotShortest { at: 0 }),
        ("9fff", CodecError::Head { at: 0, head: 0x9f }),
        ("f7", CodecError::Head { at: 0, head: 0xf7 }),
        ("f93c00", CodecError::Head { at: 0, head: 0xf9 }),
        ("fb7ff8000000000000", CodecError::NotANumber { at: 0 }),
        ("fb7ff0000000000000", CodecError::NotANumber { at: 0 }),
        ("fb8000000000000000", CodecError::NotANumber { at: 0 }),
        ("61ff", CodecError::NotUtf8 { at: 0 }),
        ("c001", CodecError::NotALink { at: 0 }),
        ("d82a4100", CodecError::NotALink { at: 0 }),
        (
            "a2616200616100",
            CodecError::KeyOrder {
                at: 4,
                key: "a".into(),
            },
        ),
        (
            "a2616100616100",
            CodecError::KeyTwice {
                at: 4,
                key: "a".into(),
            },
        ),
        ("9affffffff", CodecError::Truncated { at: 0 }),
        ("bbffffffffffffffff", CodecError::Truncated { at: 0 }),
        ("5bffffffffffffffff00", CodecError::Truncated { at: 0 }),
    ] {
        let bytes = hex::decode(block).unwrap();
        assert_eq!(Data::decode(&bytes), Err(expected), "{block}");
    }
    let deep = [vec![0x81; 65], vec![0]].concat();
    assert_eq!(
        Data::decode(&deep),
        Err(CodecError::Depth { at: 64, max: 64 })
    );
    assert!(Data::decode(&deep[1..]).is_ok());
}
