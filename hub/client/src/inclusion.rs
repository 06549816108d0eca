//! Whether a transaction is in a block, and what came of it: proven, not believed.
//!
//! `data_hash` of a header is the root of an RFC 6962 tree over SHA-256 of each transaction;
//! `last_results_hash` of the *next* header is that of a tree over each result's code, data, gas
//! wanted and gas used, and nothing else (CometBFT v0.38, `types/tx.go`, `types/results.go`). So
//! the code is as certain as the transaction, and the log is not.

use merkle::{hash_leaf, root_of, verify_inclusion, Hash};
use prost::Message as _;
use tendermint_proto::v0_38::abci::ExecTxResult;

use crate::rpc::{TxAnswer, TxProof, TxResult};

/// More results than a block can hold: a block has at most 100 MB, a transaction at least 100 B.
const RESULTS_MAX: usize = 1 << 20;

/// Checks that `answer` is the transaction with `hash` and stands in the block whose header has
/// `data_hash`.
///
/// # Errors
/// What is wrong, for a person.
pub(crate) fn verify_transaction(
    answer: &TxAnswer,
    hash: &Hash,
    data_hash: Option<&Hash>,
) -> Result<(), String> {
    if hub_types::TransactionHash::of(&answer.bytes).as_bytes() != hash {
        return Err("the transaction's bytes do not have the hash that was asked for".to_owned());
    }
    let data_hash = data_hash.ok_or("its block holds no transactions")?;
    let proof = answer
        .proof
        .as_ref()
        .ok_or("the proof of inclusion is missing")?;
    let TxProof {
        total,
        index,
        leaf_hash,
        aunts,
    } = proof;
    if *leaf_hash != hash_leaf(hash) {
        return Err("the proof of inclusion is for another transaction".to_owned());
    }
    if *index != answer.index {
        return Err("the proof of inclusion is for another place in the block".to_owned());
    }
    verify_inclusion(&hash_leaf(hash), *index, *total, aunts, data_hash)
        .map_err(|error| format!("its place in the block: {error}"))
}

/// The verified result of transaction `index`, from all results of its block and
/// `last_results_hash` of the header after it.
///
/// # Errors
/// What is wrong, for a person.
pub(crate) fn verify_result(
    results: &[TxResult],
    index: u64,
    last_results_hash: Option<&Hash>,
) -> Result<TxResult, String> {
    if results.len() > RESULTS_MAX {
        return Err("more results than a block can hold".to_owned());
    }
    let root = root_of(results.iter().map(encode));
    // A header leaves the field out, or holds the root of nothing, where there were none.
    if last_results_hash != Some(&root) {
        return Err("the results do not have the hash that the next header names".to_owned());
    }
    usize::try_from(index)
        .ok()
        .and_then(|index| results.get(index))
        .cloned()
        .ok_or_else(|| "the block has fewer results than transactions".to_owned())
}

fn encode(result: &TxResult) -> Vec<u8> {
    ExecTxResult {
        code: result.code,
        data: result.data.clone().into(),
        // Wire numbers are signed; a result beyond them is nobody's and fails to verify.
        gas_wanted: i64::try_from(result.gas_wanted).unwrap_or(-1),
        gas_used: i64::try_from(result.gas_used).unwrap_or(-1),
        ..ExecTxResult::default()
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use merkle::MemoryLog;

    fn block() -> (Vec<Vec<u8>>, MemoryLog) {
        let transactions: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 20]).collect();
        let mut log = MemoryLog::default();
        for transaction in &transactions {
            log.append(hub_types::TransactionHash::of(transaction).as_bytes())
                .unwrap();
        }
        (transactions, log)
    }

    fn answer(index: usize) -> (TxAnswer, Hash, Hash) {
        let (transactions, log) = block();
        let hash = *hub_types::TransactionHash::of(&transactions[index]).as_bytes();
        let answer = TxAnswer {
            height: 3,
            index: index as u64,
            result: TxResult::default(),
            bytes: transactions[index].clone(),
            proof: Some(TxProof {
                total: 5,
                index: index as u64,
                leaf_hash: hash_leaf(&hash),
                aunts: log.inclusion_proof(index as u64, 5).unwrap(),
            }),
        };
        (answer, hash, log.root())
    }

    #[test]
    fn a_transaction_is_believed_only_under_the_data_hash() {
        for index in 0..5 {
            let (good, hash, root) = answer(index);
            assert_eq!(verify_transaction(&good, &hash, Some(&root)), Ok(()));
            let refuse = |change: &dyn Fn(&mut TxAnswer)| {
                let mut bad = good.clone();
                change(&mut bad);
                assert!(verify_transaction(&bad, &hash, Some(&root)).is_err());
            };
            refuse(&|bad| bad.bytes.push(0));
            refuse(&|bad| bad.index += 1);
            refuse(&|bad| bad.proof = None);
            refuse(&|bad| bad.proof.as_mut().unwrap().index += 1);
            refuse(&|bad| bad.proof.as_mut().unwrap().total = 9);
            refuse(&|bad| bad.proof.as_mut().unwrap().leaf_hash[0] ^= 1);
            refuse(&|bad| bad.proof.as_mut().unwrap().aunts[0][0] ^= 1);
            refuse(&|bad| {
                bad.proof.as_mut().unwrap().aunts.pop();
            });
            assert!(verify_transaction(&good, &hash, None).is_err());
            assert!(verify_transaction(&good, &hash, Some(&[0; 32])).is_err());
        }
    }

    #[test]
    fn a_result_is_believed_only_under_the_next_header() {
        let results: Vec<TxResult> = (0..4_u32)
            .map(|code| TxResult {
                code,
                data: vec![1; code as usize],
                gas_wanted: 200_000,
                gas_used: 12_345,
                ..TxResult::default()
            })
            .collect();
        let root = root_of(results.iter().map(encode));
        assert_eq!(verify_result(&results, 2, Some(&root)).unwrap().code, 2);
        assert!(verify_result(&results, 4, Some(&root)).is_err());
        assert!(verify_result(&results, 2, None).is_err());
        assert!(verify_result(&results[..3], 2, Some(&root)).is_err());
        let changes: [fn(&mut TxResult); 4] = [
            |result| result.code = 0,
            |result| result.data.push(0),
            |result| result.gas_used += 1,
            |result| result.gas_wanted += 1,
        ];
        for change in changes {
            let mut changed = results.clone();
            change(&mut changed[2]);
            assert!(verify_result(&changed, 2, Some(&root)).is_err());
        }
        // The log is not committed to: a client must not act on it.
        let mut chatty = results;
        chatty[2].log = "all is well".to_owned();
        assert!(verify_result(&chatty, 2, Some(&root)).is_ok());
    }

    #[test]
    fn results_are_encoded_as_cometbft_encodes_them() {
        // Fields 1 (varint), 2 (bytes), 5 and 6 (varint) of tendermint.abci.ExecTxResult.
        let result = TxResult {
            code: 1,
            data: vec![0xaa],
            gas_wanted: 2,
            gas_used: 3,
            log: "not in it".to_owned(),
            ..TxResult::default()
        };
        assert_eq!(encode(&result), [8, 1, 0x12, 1, 0xaa, 0x28, 2, 0x30, 3]);
        assert!(encode(&TxResult::default()).is_empty());
    }
}
