//! Between ABCI's protobuf and our types.

use hub_types::{BlockHash, Event, Height, QuantityError, Timestamp};
use prost::bytes::Bytes;
use tendermint_proto::google::protobuf::Timestamp as ProtoTimestamp;
use tendermint_proto::v0_38::abci::{
    Event as AbciEvent, EventAttribute, ExecTxResult, ResponseCheckTx,
};

use crate::chain::transaction::TransactionResult;

pub fn events(events: Vec<Event>) -> Vec<AbciEvent> {
    events
        .into_iter()
        .map(|event| AbciEvent {
            r#type: event.kind.to_owned(),
            attributes: event
                .attributes
                .into_iter()
                .map(|(key, value)| EventAttribute {
                    key: key.to_owned(),
                    value,
                    index: true,
                })
                .collect(),
        })
        .collect()
}

/// Gas limits are bounded by genesis to what fits.
fn gas(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

pub fn exec_tx_result(result: TransactionResult) -> ExecTxResult {
    ExecTxResult {
        code: result.code_number(),
        codespace: result.codespace().to_owned(),
        data: Bytes::from(result.data),
        log: result.log,
        info: String::new(),
        gas_wanted: gas(result.gas_wanted),
        gas_used: gas(result.gas_used),
        events: events(result.events),
    }
}

pub fn check_tx(result: TransactionResult) -> ResponseCheckTx {
    ResponseCheckTx {
        code: result.code_number(),
        codespace: result.codespace().to_owned(),
        data: Bytes::from(result.data),
        log: result.log,
        info: String::new(),
        gas_wanted: gas(result.gas_wanted),
        gas_used: gas(result.gas_used),
        events: events(result.events),
    }
}

pub fn timestamp(time: Option<&ProtoTimestamp>) -> Result<Timestamp, QuantityError> {
    let time = time.ok_or(QuantityError::Time)?;
    let nanos = u32::try_from(time.nanos).map_err(|_| QuantityError::Time)?;
    Timestamp::new(time.seconds, nanos)
}

pub fn height(height: i64) -> Result<Height, QuantityError> {
    Height::from_i64(height)
}

pub fn block_hash(hash: &[u8]) -> Option<BlockHash> {
    BlockHash::from_slice(hash).ok()
}
