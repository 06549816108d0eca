//! The one form of a light block.

use std::{vec, vec::Vec};

use hub_types::Height;
use tendermint_proto::v0_38::types::{
    SignedHeader as RawSignedHeader, ValidatorSet as RawValidatorSet,
};
use wire::{light, Message};

use super::support::{at, validators, Block};
use crate::{forge::Validator, LightBlock, LightError, TrustPoint, Verifier};

#[test]
fn a_light_block_comes_back_as_it_was() {
    let set = validators(1..=4);
    let same = Block {
        signers: set[1..].to_vec(),
        ..Block::new(6, &set)
    }
    .light();
    let changing = Block {
        next: validators(2..=9),
        ..Block::new(6, &set)
    }
    .light();
    for block in [same, changing] {
        assert_eq!(LightBlock::from_bytes(&block.to_bytes()), Ok(block.clone()));
        assert!(block.next_validators().is_some());
    }
}

#[test]
fn no_changed_byte_of_a_light_block_is_trusted() {
    let set = validators(1..=4);
    let block = Block {
        signers: set[1..].to_vec(),
        next: validators(2..=5),
        ..Block::new(6, &set)
    }
    .light();
    let point = TrustPoint {
        height: Height(6),
        hash: block.hash(),
    };
    let good = block.to_bytes();
    let start = |bytes: &[u8]| {
        LightBlock::from_bytes(bytes).and_then(|block| Verifier::start(point, block))
    };
    assert!(start(&good).is_ok());
    let mut refused = 0;
    for at in 0..good.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= bit;
            assert!(start(&bytes).is_err(), "byte {at} bit {bit}");
        }
        // Without the next validators it is still a block, only one that leads nowhere.
        match start(&good[..at]) {
            Ok(cut) => assert_eq!(*cut.block(), block.clone().without_next_validators()),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(refused, good.len() - 1);
    assert!(start(&[&good[..], &[0]].concat()).is_err());
}

#[test]
fn what_nothing_covers_is_not_carried() {
    let set = validators(1..=4);
    let good = Block::new(6, &set).light().to_wire();
    let mut validators = RawValidatorSet::decode(&good.validators[..]).unwrap();
    let with = |validators: &RawValidatorSet| {
        let wire = light::LightBlock {
            validators: validators.encode_to_vec(),
            ..good.clone()
        };
        LightBlock::from_wire(&wire)
    };
    assert!(with(&validators).is_ok());
    let refused = |result: Result<LightBlock, LightError>| {
        assert!(
            matches!(result, Err(LightError::Malformed { .. })),
            "{result:?}"
        );
    };
    validators.validators[0].proposer_priority = 5;
    refused(with(&validators));
    validators.validators[0].proposer_priority = 0;
    validators.proposer = Some(validators.validators[0].clone());
    refused(with(&validators));
    validators.proposer = None;
    validators.total_voting_power = 40;
    refused(with(&validators));
    validators.total_voting_power = 0;
    validators.validators.swap(0, 1);
    refused(with(&validators));
    validators.validators.swap(0, 1);
    validators.validators[0].address = vec![1; 20];
    refused(with(&validators));

    // Votes for nil are dropped from what a node answers, and refused in the one form.
    let mut header = RawSignedHeader::decode(&good.signed_header[..]).unwrap();
    header.commit.as_mut().unwrap().signatures[0].block_id_flag = 3;
    refused(LightBlock::from_wire(&light::LightBlock {
        signed_header: header.encode_to_vec(),
        ..good.clone()
    }));
    // Next validators that the header says are the same are not written again.
    let twice = light::LightBlock {
        next_validators: good.validators.clone(),
        ..good
    };
    refused(LightBlock::from_wire(&twice));
}

#[test]
fn addresses_of_a_node_are_not_believed() {
    let set = validators(1..=4);
    let honest = Block::new(6, &set);
    let mut infos: Vec<_> = set.iter().map(Validator::info).collect();
    let addresses: Vec<_> = infos.iter().map(|info| info.address).collect();
    infos[0].address = addresses[1];
    infos[0].proposer_priority = 7.into();
    let block = LightBlock::new(honest.signed_header(), &infos, None).unwrap();
    assert_eq!(block, honest.light());
}

#[test]
fn more_validators_than_are_read_are_refused() {
    let set = validators(1..=4);
    let infos = vec![set[0].info(); 1_001];
    let refused = LightBlock::new(Block::new(6, &set).signed_header(), &infos, None);
    assert!(matches!(
        refused,
        Err(LightError::TooMany {
            what: "validators",
            ..
        })
    ));
    // Their powers are added without a panic.
    let huge: Vec<_> = (1..=4u8)
        .map(|seed| {
            let mut info = Validator::new([seed; 32], 1).info();
            info.power = (i64::MAX as u64 / 4).try_into().unwrap();
            info
        })
        .collect();
    let refused = LightBlock::new(
        Block {
            time: at(6),
            ..Block::new(6, &set)
        }
        .signed_header(),
        &huge,
        None,
    );
    assert!(matches!(
        refused,
        Err(LightError::Malformed {
            what: "validators",
            ..
        })
    ));
}
