//! Balances.

use hub_types::{
    auth::{self, Account},
    Amount, FEE_DENOM,
};
use identity::AccountAddress;
use wire::cosmos::{
    bank::v1beta1::{
        QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest,
        QueryBalanceResponse,
    },
    base::query::v1beta1::PageResponse,
};

use crate::query::{QueryContext, QueryError};

/// The balance of one denomination; zero for an account that does not exist, as in the Cosmos SDK.
///
/// # Errors
/// [`QueryError::Request`] for a wrong address.
pub fn balance(
    context: &QueryContext<'_>,
    request: QueryBalanceRequest,
) -> Result<QueryBalanceResponse, QueryError> {
    let held = held(context, &request.address)?;
    let mut coin = held.to_coin();
    if request.denom != FEE_DENOM {
        coin.denom = request.denom;
        coin.amount = "0".to_owned();
    }
    Ok(QueryBalanceResponse {
        balance: Some(coin),
    })
}

/// All balances: there is one denomination.
///
/// # Errors
/// [`QueryError::Request`] for a wrong address.
pub fn all_balances(
    context: &QueryContext<'_>,
    request: QueryAllBalancesRequest,
) -> Result<QueryAllBalancesResponse, QueryError> {
    let balances = match held(context, &request.address)? {
        Amount(0) => Vec::new(),
        held => vec![held.to_coin()],
    };
    Ok(QueryAllBalancesResponse {
        pagination: Some(PageResponse {
            next_key: Vec::new(),
            total: balances.len() as u64,
        }),
        balances,
    })
}

fn held(context: &QueryContext<'_>, address: &str) -> Result<Amount, QueryError> {
    let address = AccountAddress::parse(address).map_err(QueryError::request)?;
    let account: Option<Account> = context.record(&auth::keys::account(&address))?;
    Ok(account.map_or(Amount(0), |account| account.balance))
}
