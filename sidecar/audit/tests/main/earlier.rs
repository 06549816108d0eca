//! Headers of earlier blocks in a bundle: what is spoiled in them is refused where it stands. No seal
//! is over these bundles, or it would refuse them for whatever reason.

use audit::bundle::{container, verify, Section, VerifyError};
use audit::report::Report;
use hub_light::EarlierBlocks;
use prost::Message;
use tendermint::block::Header;
use tendermint_proto::v0_38::types::{BlockId, Header as RawHeader};
use wire::light;

use crate::fixture::hub::{header, Hub};
use crate::fixture::timed::{Timed, STATE};
use crate::times::{usual, NEEDED};

/// The field of the policy's section that the headers stand in: its number and type, the last there.
const TAG: u8 = 3 << 3 | 2;

/// The bundle with these bytes for its headers, and a checksum that fits.
struct Spoiler {
    sections: [Vec<u8>; 9],
    before: usize,
    times: Vec<u8>,
}

impl Spoiler {
    fn of(story: &Timed) -> Spoiler {
        let trail = story.trail(&NEEDED);
        let file = trail.encode().expect("a bundle");
        let sections = container::split(&file).expect("a container");
        let sections = sections.map(<[u8]>::to_vec);
        let times = trail.times.expect("headers").to_wire().encode_to_vec();
        let policy = &sections[section(Section::Policy)];
        let before = policy.len() - field(&times).len();
        assert_eq!(policy[before..], field(&times));
        Spoiler {
            sections,
            before,
            times,
        }
    }

    fn with(&self, times: &[u8]) -> Vec<u8> {
        let mut sections = self.sections.clone();
        let policy = &mut sections[section(Section::Policy)];
        policy.truncate(self.before);
        policy.extend(field(times));
        let [first @ .., seal] = sections;
        container::end(container::begin(&first), &seal)
    }
}

fn section(section: Section) -> usize {
    let place = Section::ALL.iter().position(|one| *one == section);
    place.expect("a section")
}

fn field(times: &[u8]) -> Vec<u8> {
    let mut field = vec![TAG];
    prost::encoding::encode_varint(times.len() as u64, &mut field);
    field.extend(times);
    field
}

fn verified(story: &Timed, file: &[u8]) -> Result<Report, VerifyError> {
    verify(file, story.trust())
}

fn refused(story: &Timed, file: &[u8], what: &str) -> String {
    let error = verified(story, file).expect_err(what);
    assert_eq!(error.section, Section::Policy, "{what}: {error}");
    error.wrong.to_string()
}

/// `HOLDFAST_SOAK=1` flips every bit and cuts everywhere, else one bit of each byte.
#[test]
fn every_flipped_byte_of_a_header_or_its_proof_is_refused() {
    let story = usual();
    let spoiler = Spoiler::of(&story);
    verified(&story, &spoiler.with(&spoiler.times)).expect("it verifies as it is");
    let all = std::env::var_os("HOLDFAST_SOAK").is_some();
    for at in 0..spoiler.times.len() {
        for bit in (0..8).filter(|bit| all || *bit == at % 8) {
            let mut times = spoiler.times.clone();
            times[at] ^= 1 << bit;
            refused(
                &story,
                &spoiler.with(&times),
                &format!("byte {at}, bit {bit}"),
            );
        }
        if all || at % 16 == 0 {
            let cut = spoiler.with(&spoiler.times[..at]);
            refused(&story, &cut, &format!("cut at byte {at}"));
        }
    }
}

type Edit = fn(&mut light::EarlierBlocks);

#[test]
fn headers_out_of_place_are_refused_by_name() {
    const ORDER: &str = "there is none, or they are not by height, each once";
    let cases: &[(&str, Edit, &str)] = &[
        (
            "without 19",
            |all| drop(all.blocks.remove(0)),
            "first at or after",
        ),
        (
            "without 20",
            |all| drop(all.blocks.remove(1)),
            "first at or after",
        ),
        (
            "without 24",
            |all| drop(all.blocks.remove(3)),
            "first at or after",
        ),
        ("none", |all| all.blocks.clear(), ORDER),
        ("swapped", |all| all.blocks.swap(0, 1), ORDER),
        ("reversed", |all| all.blocks.reverse(), ORDER),
        (
            "twice",
            |all| all.blocks.insert(0, all.blocks[0].clone()),
            ORDER,
        ),
        (
            "again at the end",
            |all| all.blocks.push(all.blocks[0].clone()),
            ORDER,
        ),
        (
            "more than are read",
            |all| all.blocks = vec![all.blocks[0].clone(); 4097],
            "4097",
        ),
        (
            "each with the path of the other",
            |all| {
                let path = all.blocks[0].path.clone();
                all.blocks[0].path = std::mem::replace(&mut all.blocks[1].path, path);
            },
            "an earlier block",
        ),
        (
            "a path too short",
            |all| drop(all.blocks[0].path.pop()),
            "an earlier block",
        ),
        (
            "a path too long",
            |all| all.blocks[0].path.push(vec![0; 32]),
            "an earlier block",
        ),
        (
            "no path",
            |all| all.blocks[0].path.clear(),
            "an earlier block",
        ),
        (
            "no header",
            |all| all.blocks[0].header.clear(),
            "an earlier block",
        ),
        (
            "a header and a byte",
            |all| all.blocks[0].header.push(0),
            "an earlier block",
        ),
        (
            "a header and a field",
            |all| all.blocks[0].header.extend([0xfa, 0x3f, 1, 7]),
            "an earlier block",
        ),
        ("no record", |all| all.record = None, "block log's record"),
        (
            "a record of none",
            |all| all.record.as_mut().expect("there").value = None,
            "an earlier block",
        ),
        (
            "a record of another state",
            |all| {
                let record = all.record.as_mut().expect("there");
                record.state_height -= 1;
                record.header_height -= 1;
            },
            "an earlier block",
        ),
    ];
    let story = usual();
    let spoiler = Spoiler::of(&story);
    for (what, edit, named) in cases {
        let mut all = light::EarlierBlocks::decode(&*spoiler.times).expect("headers");
        edit(&mut all);
        let said = refused(&story, &spoiler.with(&all.encode_to_vec()), what);
        assert!(said.contains(named), "{what}: {said}");
    }
}

/// Each says another time, or is none of the blocks that the trusted header knows.
#[test]
fn headers_that_are_not_of_the_chain_are_refused_by_name() {
    let story = usual();
    let chain = story.hub.header(19).chain_id.clone();
    let of_19 = |change: fn(&mut Header)| {
        let mut header = story.hub.header(19).clone();
        change(&mut header);
        header
    };
    let cases = [
        (
            "earlier",
            of_19(|header| {
                header.time = (header.time - core::time::Duration::from_nanos(1)).expect("a time")
            }),
            19,
        ),
        (
            "later",
            of_19(|header| {
                header.time = (header.time + core::time::Duration::from_secs(2)).expect("a time")
            }),
            19,
        ),
        (
            "of another chain",
            of_19(|header| header.chain_id = "plant-other".parse().expect("an id")),
            19,
        ),
        (
            "of another state",
            of_19(|header| header.app_hash = vec![1; 32].try_into().expect("a hash")),
            19,
        ),
        (
            "of another height",
            of_19(|header| header.height = 18u32.into()),
            19,
        ),
        (
            "of the next block's place",
            story.hub.header(19).clone(),
            20,
        ),
        (
            "of the trusted block itself",
            story.hub.block.signed_header().header.clone(),
            19,
        ),
        (
            "of a block above it",
            header(chain.as_str(), STATE + 2, [1; 32]),
            19,
        ),
        (
            "of the highest block there can be",
            of_19(|header| header.height = (i64::MAX as u64).try_into().expect("a height")),
            19,
        ),
    ];
    for (what, header, place) in cases {
        let above = header.height.value() > STATE;
        let mut trail = story.trail(&NEEDED);
        let honest = [20, 23, 24].map(|height| {
            let header = story.hub.header(height).clone();
            let proof = story.hub.inclusion(height, &header);
            (header, proof)
        });
        let proof = story.hub.inclusion(place, &header);
        trail.times = EarlierBlocks::new(honest.into_iter().chain([(header, proof)]));
        let said = refused(&story, &trail.encode().expect("a bundle"), what);
        let named = match above {
            true => "the block log does not reach its height",
            false => "an earlier block",
        };
        assert!(said.contains(named), "{what}: {said}");
    }
}

/// All of them proven, but under another chain's header.
#[test]
fn headers_under_another_header_than_the_trusted_one_are_refused() {
    let story = usual();
    let cases = [
        (
            "another chain",
            Hub::new("plant-other", STATE, Vec::new(), 10),
        ),
        (
            "the same chain, forked",
            Hub::new("plant-test", STATE, Vec::new(), 11),
        ),
        (
            "a later state",
            Hub::new("plant-test", STATE + 1, Vec::new(), 10),
        ),
        (
            "an earlier state",
            Hub::new("plant-test", STATE - 1, Vec::new(), 10),
        ),
    ];
    for (what, other) in cases {
        let mut trail = story.trail(&NEEDED);
        trail.times = other.earlier(NEEDED);
        let said = refused(&story, &trail.encode().expect("a bundle"), what);
        assert!(
            said.contains("the proof of an earlier block does not verify"),
            "{what}: {said}"
        );
    }
}

/// The bytes are those that CometBFT writes, and no others that it would read alike.
#[test]
fn header_spelled_otherwise_is_refused() {
    let story = usual();
    let spoiler = Spoiler::of(&story);
    let mut all = light::EarlierBlocks::decode(&*spoiler.times).expect("headers");
    let block = &mut all.blocks[0];
    let mut raw = RawHeader::decode(&*block.header).expect("a header");
    // No block before it, and the id of none, are the same header with the same hash.
    assert!(raw.last_block_id.is_none());
    raw.last_block_id = Some(BlockId {
        hash: Vec::new(),
        part_set_header: Some(Default::default()),
    });
    let alike = Header::try_from(raw.clone()).expect("a header");
    assert_eq!(alike, *story.hub.header(19));
    block.header = raw.encode_to_vec();
    let said = refused(
        &story,
        &spoiler.with(&all.encode_to_vec()),
        "spelled otherwise",
    );
    assert!(
        said.contains("spelled otherwise than CometBFT does"),
        "{said}"
    );
}
