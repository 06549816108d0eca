//! From a path to a module's query.

use prost::bytes::Bytes;
use prost::Message;
use tendermint_proto::v0_38::abci::{RequestQuery, ResponseQuery};

use super::answer::{QueryContext, QueryError};
use crate::chain::hub::Hub;
use crate::serve::metrics::MethodLabel;
use crate::{audit, auth, bank, policy};

macro_rules! methods {
    ($($path:literal => $query:path,)*) => {
        /// All paths.
        pub const METHODS: &[&str] = &[$($path),*];

        /// The path as the table spells it, for labels.
        fn known(path: &str) -> Option<&'static str> {
            match path {
                $($path => Some($path),)*
                _ => None,
            }
        }

        fn route(
            context: &QueryContext<'_>,
            path: &str,
            data: &[u8],
        ) -> Result<Vec<u8>, QueryError> {
            match path {
                $($path => {
                    let request = Message::decode(data).map_err(QueryError::request)?;
                    Ok($query(context, request)?.encode_to_vec())
                })*
                _ => Err(QueryError::UnknownPath { path: path.chars().take(100).collect() }),
            }
        }
    };
}

methods! {
    "/holdfast.policy.v1.Query/Policy" => policy::queries::policy,
    "/holdfast.policy.v1.Query/Policies" => policy::queries::policies,
    "/holdfast.policy.v1.Query/Changes" => policy::queries::changes,
    "/holdfast.policy.v1.Query/Object" => policy::queries::object,
    "/holdfast.policy.v1.Query/Collection" => policy::queries::collection,
    "/holdfast.policy.v1.Query/CheckPermission" => policy::queries::check_permission,
    "/holdfast.audit.v1.Query/Log" => audit::queries::log,
    "/holdfast.audit.v1.Query/Logs" => audit::queries::logs,
    "/holdfast.audit.v1.Query/Anchors" => audit::queries::anchors,
    "/holdfast.audit.v1.Query/AnchorProof" => audit::queries::anchor_proof,
    "/holdfast.light.v1.Query/State" => super::light::state,
    "/holdfast.light.v1.Query/BlockInclusion" => super::light::block_inclusion,
    "/holdfast.light.v1.Query/Params" => super::light::params,
    "/cosmos.auth.v1beta1.Query/Account" => auth::queries::account,
    "/cosmos.bank.v1beta1.Query/Balance" => bank::queries::balance,
    "/cosmos.bank.v1beta1.Query/AllBalances" => bank::queries::all_balances,
    "/cosmos.tx.v1beta1.Service/Simulate" => auth::queries::simulate,
}

/// Answers one query at a height (0 is the newest), with the height that it is about.
///
/// # Errors
/// [`QueryError`].
pub fn answer(
    hub: &Hub,
    path: &str,
    data: &[u8],
    height: u64,
) -> Result<(Vec<u8>, u64), QueryError> {
    if let Some(method) = known(path) {
        hub.metrics()
            .queries
            .get_or_create(&MethodLabel { method })
            .inc();
    }
    // Before the first block there is no state to speak of, but a wrong path is wrong already.
    if known(path).is_none() {
        return route_unknown(path);
    }
    let context = QueryContext::new(hub, height)?;
    let value = route(&context, path, data)?;
    Ok((value, context.height))
}

fn route_unknown(path: &str) -> Result<(Vec<u8>, u64), QueryError> {
    Err(QueryError::UnknownPath {
        path: path.chars().take(100).collect(),
    })
}

/// The same for ABCI's Query.
pub fn abci(hub: &Hub, request: &RequestQuery) -> ResponseQuery {
    let height = u64::try_from(request.height).unwrap_or(0);
    match answer(hub, &request.path, &request.data, height) {
        Ok((value, height)) => ResponseQuery {
            value: Bytes::from(value),
            // CosmJS takes an answer at height 0 for no answer.
            height: height as i64,
            ..ResponseQuery::default()
        },
        Err(error) => ResponseQuery {
            code: error.code(),
            codespace: error.codespace().to_owned(),
            log: error.to_string(),
            height: hub
                .store()
                .committed()
                .map_or(0, |committed| committed.height as i64),
            ..ResponseQuery::default()
        },
    }
}
