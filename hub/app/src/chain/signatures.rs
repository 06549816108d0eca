//! Signatures of many transactions, verified on all cores.

use hub_types::Transaction;
use identity::{Batch, ChainId, PublicKey, Signature, Statement};
use rayon::prelude::*;

/// Ed25519 verifies faster in batches; beyond 64 little more is gained, and small batches spread
/// over the cores.
const BATCH_LENGTH: usize = 64;

/// A signature with what it is over.
pub struct Claim {
    key: PublicKey,
    sign_bytes: Vec<u8>,
    signature: Signature,
}

impl Claim {
    /// What `transaction` claims, for this chain and account number.
    pub fn of(transaction: &Transaction, chain: &ChainId, account_number: u64) -> Claim {
        Claim {
            key: transaction.signer().key,
            signature: *transaction.signature(),
            sign_bytes: transaction.sign_bytes(chain, account_number),
        }
    }
}

/// Says of each claim whether it is right.
pub fn verify_all(claims: &[Claim]) -> Vec<bool> {
    claims
        .par_chunks(BATCH_LENGTH)
        .flat_map_iter(verify_chunk)
        .collect()
}

fn verify_chunk(chunk: &[Claim]) -> Vec<bool> {
    let mut right = vec![false; chunk.len()];
    let mut batch = Batch::new();
    let mut queued = Vec::with_capacity(chunk.len());
    for (index, claim) in chunk.iter().enumerate() {
        if let Ok(statement) = Statement::transaction(&claim.sign_bytes) {
            batch.push(&claim.key, statement, &claim.signature);
            queued.push(index);
        }
    }
    for (index, result) in queued.into_iter().zip(batch.verify()) {
        right[index] = result.is_ok();
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::{auth::Params, bank::Send, Amount, Message, TransactionBuilder};
    use identity::{AccountAddress, KeyKind, SecretKey};

    fn claim(kind: KeyKind, seed: u8, number: u64) -> Claim {
        let chain = ChainId::parse("plant-1").unwrap();
        let key = SecretKey::from_seed(kind, [seed; 32]).unwrap();
        let from = AccountAddress::of(key.public_key()).unwrap();
        let send = Send {
            from,
            to: from,
            amount: Amount(1),
        };
        let bytes = TransactionBuilder::new(chain.clone(), 0, 0)
            .message(Message::Send(send))
            .sign(&key)
            .unwrap();
        let transaction = Transaction::parse(&bytes, &Params::default()).unwrap();
        Claim::of(&transaction, &chain, number)
    }

    #[test]
    fn a_block_is_verified_side_by_side_and_wrong_ones_are_found() {
        let kind = |seed: u8| match seed % 3 {
            0 => KeyKind::Secp256k1,
            _ => KeyKind::Ed25519,
        };
        let wrong = [39, 40, 98];
        let claims: Vec<Claim> = (1..=100)
            .map(|seed| claim(kind(seed), seed, u64::from(wrong.contains(&seed))))
            .collect();
        let right = verify_all(&claims);
        for (seed, right) in (1u8..).zip(right) {
            assert_eq!(right, !wrong.contains(&seed), "signature {seed}");
        }
    }
}
