//! Trust points, sequential and skipping verification, and forged headers.

use core::time::Duration;
use std::{string::ToString, vec::Vec};

use hub_types::{BlockHash, Height};
use tendermint::block::CommitSig;

use super::support::{at, validators, Block};
use crate::{
    forge::Validator, LightBlock, LightError, Options, SkippingPath, TrustPoint, Verifier,
};

fn verifier() -> Verifier {
    let trusting_period = Duration::from_secs(1_000);
    Verifier::new(Options {
        trusting_period,
        clock_drift: Duration::from_secs(10),
    })
}

/// Verifies `block` from `trusted`, a little after its time.
fn verify(trusted: &Block, block: &Block) -> Result<(), LightError> {
    verifier()
        .verify(
            &trusted.trusted(),
            block.light(),
            at(block.height as i64 + 1),
        )
        .map(drop)
}

#[test]
fn the_next_block_verifies() {
    let set = validators(1..=4);
    assert_eq!(verify(&Block::new(5, &set), &Block::new(6, &set)), Ok(()));
    let verified = verifier()
        .verify(
            &Block::new(5, &set).trusted(),
            Block::new(6, &set).light(),
            at(7),
        )
        .unwrap();
    assert_eq!(verified.trusted().height, Height(6));
    assert_eq!(verified.trusted().app_hash, [6; 32]);
    assert_eq!(verified.trusted().state_height(), Height(5));
    assert_eq!(verified.trusted().chain_id.as_str(), super::support::CHAIN);
}

#[test]
fn three_of_four_are_enough_and_two_are_not() {
    let set = validators(1..=4);
    let signed_by = |count: usize| Block {
        signers: set[..count].to_vec(),
        ..Block::new(6, &set)
    };
    let trusted = Block::new(5, &set);
    assert_eq!(verify(&trusted, &signed_by(3)), Ok(()));
    assert_eq!(
        verify(&trusted, &signed_by(2)),
        Err(LightError::Power {
            signed: 20,
            total: 40
        })
    );
    let block = signed_by(2).light();
    let point = TrustPoint {
        height: block.height(),
        hash: block.hash(),
    };
    assert_eq!(
        Verifier::start(point, block).unwrap_err(),
        LightError::Power {
            signed: 20,
            total: 40
        }
    );
}

#[test]
fn exactly_two_thirds_are_too_few() {
    let set = validators(1..=3);
    let block = Block {
        signers: set[..2].to_vec(),
        ..Block::new(6, &set)
    };
    assert_eq!(
        verify(&Block::new(5, &set), &block),
        Err(LightError::Power {
            signed: 20,
            total: 30
        })
    );
}

#[test]
fn skipping_needs_a_third_of_those_trusted_before() {
    let old = validators(1..=4);
    let skip = |kept: usize| {
        let set: Vec<Validator> = [&old[..kept], &validators(11..=14)[kept..]].concat();
        verify(&Block::new(5, &old), &Block::new(50, &set))
    };
    assert_eq!(skip(4), Ok(()));
    assert_eq!(skip(2), Ok(()));
    assert_eq!(
        skip(1),
        Err(LightError::NotEnoughTrust {
            signed: 10,
            total: 40
        })
    );
    assert_eq!(
        skip(0),
        Err(LightError::NotEnoughTrust {
            signed: 0,
            total: 40
        })
    );
}

#[test]
fn a_path_asks_for_blocks_in_between_where_validators_changed() {
    // One of four changes every ten blocks: after forty, none is left.
    let at_height = |height: u64| {
        let first = 1 + (height / 10) as u8;
        let next = 1 + ((height + 1) / 10) as u8;
        Block {
            next: validators(next..next + 4),
            ..Block::new(height, &validators(first..first + 4))
        }
    };
    let mut path = SkippingPath::new(at_height(1).trusted(), Height(49)).unwrap();
    let mut fetched = std::vec![];
    while let Some(height) = path.wants() {
        fetched.push(height.0);
        path.offer(&verifier(), at_height(height.0).light(), at(60))
            .unwrap();
    }
    assert_eq!(path.verified().trusted().height, Height(49));
    assert!(fetched.len() > 1 && fetched.len() < 8, "{fetched:?}");
    let refused = SkippingPath::new(at_height(5).trusted(), Height(5)).unwrap_err();
    assert_eq!(
        refused,
        LightError::NotLater {
            trusted: Height(5),
            found: Height(5)
        }
    );
}

#[test]
fn a_path_refuses_another_block_than_it_asked_for() {
    let set = validators(1..=4);
    let mut path = SkippingPath::new(Block::new(1, &set).trusted(), Height(9)).unwrap();
    let refused = path
        .offer(&verifier(), Block::new(8, &set).light(), at(20))
        .unwrap_err();
    assert_eq!(
        refused,
        LightError::Height {
            expected: Height(9),
            found: Height(8)
        }
    );
}

#[test]
fn a_path_that_can_skip_no_further_says_so() {
    // The validators of 6 are not those that 5 announced; halving ends next to the trusted block.
    let old = validators(1..=4);
    let mut path = SkippingPath::new(Block::new(5, &old).trusted(), Height(7)).unwrap();
    let strangers = validators(11..=14);
    path.offer(&verifier(), Block::new(7, &strangers).light(), at(20))
        .unwrap();
    assert_eq!(path.wants(), Some(Height(6)));
    let refused = path
        .offer(&verifier(), Block::new(6, &strangers).light(), at(20))
        .unwrap_err();
    assert_eq!(refused, LightError::AnnouncedValidators);
}

#[test]
fn headers_that_lie_are_named() {
    let set = validators(1..=4);
    let trusted = Block::new(5, &set);
    let good = Block::new(6, &set);
    let refused = |block: &Block| verify(&trusted, block).unwrap_err();

    let other_chain = Block {
        chain: "plant-2".into(),
        ..good.clone()
    };
    assert!(
        matches!(refused(&other_chain), LightError::ChainId { found, .. } if found == "plant-2")
    );
    let older = Block {
        time: at(5),
        ..good.clone()
    };
    assert!(matches!(refused(&older), LightError::NotLater { .. }));
    let lower = Block {
        time: at(6),
        ..Block::new(4, &set)
    };
    assert!(matches!(refused(&lower), LightError::NotLater { .. }));
    let strangers = Block::new(6, &validators(11..=14));
    assert_eq!(refused(&strangers), LightError::AnnouncedValidators);
    let short = Block {
        app_hash: std::vec![1; 31],
        ..good.clone()
    };
    assert_eq!(refused(&short), LightError::AppHash { found: 31 });

    // Signed by strangers in the name of the set.
    let block = good.light();
    let mut forged = Block {
        signers: validators(11..=14),
        ..good.clone()
    }
    .signed_header();
    forged.commit.signatures = Block {
        validators: validators(11..=14),
        signers: validators(11..=14),
        ..good.clone()
    }
    .signed_header()
    .commit
    .signatures;
    let infos: Vec<_> = set.iter().map(Validator::info).collect();
    let forged = LightBlock::new(forged, &infos, None).unwrap();
    let result = verifier()
        .verify(&trusted.trusted(), forged, at(7))
        .unwrap_err();
    assert_eq!(result, LightError::Signer { index: 0 });

    // Another set of validators beside the right header.
    let strange: Vec<_> = validators(11..=14).iter().map(Validator::info).collect();
    let swapped = LightBlock::new(block.signed_header().clone(), &strange, None).unwrap();
    assert_eq!(
        verifier()
            .verify(&trusted.trusted(), swapped, at(7))
            .unwrap_err(),
        LightError::Validators
    );
    let fewer = LightBlock::new(block.signed_header().clone(), &infos[..3], None).unwrap();
    assert_eq!(
        verifier()
            .verify(&trusted.trusted(), fewer, at(7))
            .unwrap_err(),
        LightError::Validators
    );
}

#[test]
fn a_commit_of_another_header_or_with_a_wrong_signature_is_named() {
    let set = validators(1..=4);
    let trusted = Block::new(5, &set).trusted();
    let infos: Vec<_> = set.iter().map(Validator::info).collect();
    let good = Block::new(6, &set).signed_header();
    let other = Block {
        app_hash: std::vec![9; 32],
        ..Block::new(6, &set)
    }
    .signed_header();

    let mut mixed = good.clone();
    mixed.header = other.header.clone();
    let mixed = LightBlock::new(mixed, &infos, None).unwrap();
    assert_eq!(
        verifier().verify(&trusted, mixed, at(7)).unwrap_err(),
        LightError::Commit
    );

    // The last of four: three would be enough, and it is found all the same.
    let mut wrong = good.clone();
    let CommitSig::BlockIdFlagCommit { signature, .. } = &mut wrong.commit.signatures[3] else {
        panic!()
    };
    let mut bytes = signature.as_ref().unwrap().as_bytes().to_vec();
    bytes[40] ^= 1;
    *signature = Some(bytes.try_into().unwrap());
    let wrong = LightBlock::new(wrong, &infos, None).unwrap();
    assert_eq!(
        verifier().verify(&trusted, wrong, at(7)).unwrap_err(),
        LightError::Signature { index: 3 }
    );

    let mut cut = good.clone();
    cut.commit.signatures.pop();
    let cut = LightBlock::new(cut, &infos, None).unwrap();
    assert_eq!(
        verifier().verify(&trusted, cut, at(7)).unwrap_err(),
        LightError::CommitLength {
            signatures: 3,
            validators: 4
        }
    );

    // One validator counted twice.
    let mut twice = good;
    twice.commit.signatures[1] = twice.commit.signatures[0].clone();
    let twice = LightBlock::new(twice, &infos, None).unwrap();
    assert_eq!(
        verifier().verify(&trusted, twice, at(7)).unwrap_err(),
        LightError::Signer { index: 1 }
    );
}

#[test]
fn trust_ends_with_its_period_and_the_future_is_refused() {
    let set = validators(1..=4);
    let (trusted, next) = (Block::new(5, &set).trusted(), Block::new(6, &set));
    let verify_at = |seconds| {
        verifier()
            .verify(&trusted, next.light(), at(seconds))
            .map(drop)
    };
    assert_eq!(verify_at(1_004), Ok(()));
    assert!(matches!(verify_at(1_005), Err(LightError::Expired { .. })));
    assert_eq!(verify_at(-3), Ok(()), "ten seconds of drift are allowed");
    assert!(matches!(verify_at(-4), Err(LightError::Future { .. })));
}

#[test]
fn a_trust_point_is_one_block() {
    let set = validators(1..=4);
    let block = Block::new(6, &set);
    let point = TrustPoint {
        height: Height(6),
        hash: block.light().hash(),
    };
    assert_eq!(point.to_string().parse(), Ok(point));
    assert_eq!(point.to_string().to_uppercase().parse(), Ok(point));
    assert!(Verifier::start(point, block.light()).is_ok());
    let other = TrustPoint {
        hash: BlockHash::new([1; 32]),
        ..point
    };
    assert!(matches!(
        Verifier::start(other, block.light()),
        Err(LightError::TrustPointHash { .. })
    ));
    let higher = TrustPoint {
        height: Height(7),
        ..point
    };
    assert!(matches!(
        Verifier::start(higher, block.light()),
        Err(LightError::Height { .. })
    ));
    let digits = &point.to_string()[2..];
    for text in [
        "",
        "6",
        "6:",
        ":",
        &std::format!("0:{digits}"),
        &std::format!("+6:{digits}"),
        &std::format!("6:{digits}0"),
        &std::format!("6:x{}", &digits[1..]),
    ] {
        assert_eq!(
            text.parse::<TrustPoint>(),
            Err(LightError::TrustPointText),
            "{text:?}"
        );
    }
}

#[test]
fn a_block_without_its_next_validators_leads_nowhere() {
    let (old, new) = (validators(1..=4), validators(2..=5));
    let changing = Block {
        next: new.clone(),
        ..Block::new(5, &old)
    };
    let block = changing.light().without_next_validators();
    let start = Verifier::start(
        TrustPoint {
            height: Height(5),
            hash: block.hash(),
        },
        block,
    )
    .unwrap();
    let refused = verifier()
        .verify(&start, Block::new(6, &new).light(), at(7))
        .unwrap_err();
    assert_eq!(refused, LightError::NoNextValidators);
    assert_eq!(verify(&changing, &Block::new(6, &new)), Ok(()));
    // The announced set is checked against the header when trust starts.
    let infos = |set: &[Validator]| set.iter().map(Validator::info).collect::<Vec<_>>();
    let lie = LightBlock::new(changing.signed_header(), &infos(&old), Some(&infos(&old))).unwrap();
    let point = TrustPoint {
        height: Height(5),
        hash: lie.hash(),
    };
    assert_eq!(
        Verifier::start(point, lie).unwrap_err(),
        LightError::NextValidators
    );
}
