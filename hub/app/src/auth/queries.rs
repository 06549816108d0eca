//! Accounts as Cosmos clients ask for them, and the cost of a transaction.

use hub_types::{
    auth::{self, Account},
    CODESPACE,
};
use identity::AccountAddress;
use wire::cosmos::{
    auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse},
    base::abci::v1beta1::{GasInfo, Result as SimulatedResult},
    tx::v1beta1::{SimulateRequest, SimulateResponse},
};
use wire::{Any, Message, Name};

use crate::query::{QueryContext, QueryError};

/// One account.
///
/// # Errors
/// [`QueryError::NotFound`] in gRPC's words, which CosmJS looks for.
pub fn account(
    context: &QueryContext<'_>,
    request: QueryAccountRequest,
) -> Result<QueryAccountResponse, QueryError> {
    let address = AccountAddress::parse(&request.address).map_err(QueryError::request)?;
    let account: Account = context
        .record(&auth::keys::account(&address))?
        .ok_or_else(|| QueryError::not_found(format!("account {address} not found")))?;
    let base = account.to_base_account();
    Ok(QueryAccountResponse {
        account: Some(Any {
            type_url: BaseAccount::type_url(),
            value: base.encode_to_vec(),
        }),
    })
}

/// What a transaction would cost. Its signature is not needed; all else is checked as in a block.
///
/// # Errors
/// [`QueryError::Request`] with the refusal.
pub fn simulate(
    context: &QueryContext<'_>,
    request: SimulateRequest,
) -> Result<SimulateResponse, QueryError> {
    let result = context
        .hub
        .simulate(&request.tx_bytes)
        .map_err(|error| QueryError::Node {
            reason: error.to_string(),
        })?;
    if let Some(code) = result.code {
        return Err(QueryError::Request {
            reason: format!("{CODESPACE}/{}: {}", code.number(), result.log),
        });
    }
    Ok(SimulateResponse {
        gas_info: Some(GasInfo {
            gas_wanted: result.gas_wanted,
            gas_used: result.gas_used,
        }),
        result: Some(SimulatedResult {
            data: result.data,
            ..SimulatedResult::default()
        }),
    })
}
