//! What each of the hub's error codes means for the person who sent the transaction, and what to
//! do next. The node's own words are shown beside it, because nothing vouches for them.

use hub_types::Code;

/// One sentence for a code.
#[must_use]
pub fn sentence(code: Code) -> &'static str {
    match code {
        Code::Malformed => "the bytes are no transaction; build it anew",
        Code::NotCanonical => "the transaction is not written canonically; build it anew with `hold` or a Cosmos signer",
        Code::TooLarge => "the transaction is too large; send fewer changes at once",
        Code::Signers => "the transaction must have exactly one signer",
        Code::SignMode => "the transaction must be signed with SIGN_MODE_DIRECT",
        Code::PublicKey => "the signer's key cannot sign transactions; use an ed25519 or secp256k1 key",
        Code::SignatureMalformed => "the signature is not 64 bytes",
        Code::Signature => "the signature does not match: another key, chain or account; look at the chain id",
        Code::Fee => "the fee must be a single coin in uhold",
        Code::FeePayer => "another fee payer is not supported; let the signer pay",
        Code::GasLimit => "the gas limit is zero or above what the chain allows",
        Code::Extensions => "extension options are not supported",
        Code::Memo => "the memo is too long",
        Code::Messages => "the transaction has no message, or too many",
        Code::UnknownMessage => "the hub does not know a message of this type; is it of another version?",
        Code::Message => "a field of a message is wrong",
        Code::Creator => "a message names another creator than the signer",
        Code::UnknownAccount => "the signer has no account yet; send it some uhold first",
        Code::Sequence => "the account's sequence has moved on; send again",
        Code::TimedOut => "the transaction came too late for its timeout height; send again",
        Code::FeeTooLow => "the fee is too low for the gas; raise the fee",
        Code::FeeFunds => "the account cannot pay the fee; send it some uhold first",
        Code::OutOfGas => "the execution needed more gas than the limit; raise it with --gas",
        Code::BlockGas => "the block had no gas left for the transaction; send again",
        Code::InsufficientFunds => "the sender does not hold that much",
        Code::UnknownPolicy => "the hub has no such policy; check its id",
        Code::Definition => "the policy does not compile; try `hold policy validate`",
        Code::NotPermitted => "the signer may not make this change under the policy",
        Code::Relationship => "the policy does not allow such a relationship",
        Code::Precondition => "a precondition does not hold; read the state again",
        Code::UnknownResource => "the policy defines no such resource",
        Code::AlreadyRegistered => "the object is registered already",
        Code::DocumentId => "the document's id is not derived from what was given",
        Code::NotAuthor => "only a document's author may register it",
        Code::UnknownCollection => "the policy has no such collection; define it first",
        Code::Collection => "the collection cannot be defined so",
        Code::Undecided => "a permission could not be decided within the engine's bounds; simplify the relationships",
        Code::RelationFull => "the relation of this object is full; put some subjects into a group",
        Code::NotRegistered => "the object is not registered; register it first",
        Code::TooManyChanges => "the policy has changed as often in this block as it may; send again",
        Code::UnknownLog => "the hub has no such audit log",
        Code::LogAlreadyOpen => "this operator has a log open for the policy already",
        Code::NotAnchoringKey => "only the log's anchoring key may anchor it",
        Code::LogSealed => "the log was sealed and takes no more anchors",
        Code::AnchorOldSize => "the anchor starts from another size than the last one; read the log's record again",
        Code::AnchorNotGrown => "the log has not grown since its last anchor",
        Code::AnchorInconsistent => "the anchor does not continue the log: it was rewritten or forked",
    }
}

/// A code's sentence by number; a number that this version does not know says so. Numbers from
/// 1000 on answer queries and are no part of consensus.
#[must_use]
pub fn sentence_of(number: u32) -> &'static str {
    match number {
        1000 => "the node does not know this question; is it of another version?",
        1001 => "the node has no such thing",
        1002 => "the node does not keep the state of that height any more",
        1003 => "the node failed to answer",
        number => Code::from_number(number).map_or(
            "the hub gave a code that this version does not know",
            sentence,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = sentence(*code);
            assert!(text.len() > 15 && !text.ends_with('.'), "{code}");
            assert!(seen.insert(text), "{code} shares its sentence");
        }
    }
}
