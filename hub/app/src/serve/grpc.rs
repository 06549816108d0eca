//! gRPC: the same queries as over ABCI, by the same functions.
//!
//! `x-cosmos-block-height` in the metadata asks for an earlier height, as in the Cosmos SDK.
//! Broadcasting and looking up transactions is the engine's: CometBFT's RPC does both.

use std::sync::Arc;
use std::time::Duration;

use hub_ask::{Turn, Turns};
use tonic::transport::server::TcpIncoming;
use tonic::{async_trait, Request, Response, Status};
use wire::cosmos::{auth::v1beta1 as auth_v1, bank::v1beta1 as bank_v1, tx::v1beta1 as tx_v1};
use wire::{audit as audit_v1, light as light_v1, policy as policy_v1};

use super::histories::Histories;
use super::shutdown::Shutdown;
use crate::chain::hub::Hub;
use crate::query::{light, QueryContext, QueryError};
use crate::{audit, auth, bank, policy};

/// How long running requests may take to end after the signal to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

const HEIGHT_HEADER: &str = "x-cosmos-block-height";

/// The most queries that prove at a time: the evidence for one check is up to 32 MB before it is
/// compressed, and more than there are cores would only be slower together.
const PROVING_MAX: usize = 4;

/// The most that wait for their turn to prove; half a minute's worth of the slowest.
const PROVING_WAITING_MAX: usize = 128;

/// The most simulations at a time. Each runs a transaction with all the gas that it names, which is
/// what a block's worth of execution costs, and asks nobody for a fee. They have turns of their own:
/// who wants to know the gas of a transfer does not stand behind proofs, nor the other way round.
const SIMULATING_MAX: usize = 2;

/// The most that wait for their turn to simulate. A usual one takes a millisecond or less.
const SIMULATING_WAITING_MAX: usize = 128;

/// All services over one application.
#[derive(Clone)]
struct Services {
    hub: Arc<Hub>,
    proving: Turns,
    simulating: Turns,
}

/// The next of `turns`, or an answer that says what this node has too much of.
async fn next_of(turns: &Turns, to_do: &str) -> Result<Turn, Status> {
    turns.next().await.ok_or_else(|| {
        Status::resource_exhausted(format!(
            "this node has more to {to_do} than it can; ask again in a while, or another node"
        ))
    })
}

impl Services {
    /// A query whose answer is, or can be, a proof.
    async fn prove<Req, Res>(
        &self,
        request: Request<Req>,
        query: for<'a> fn(&QueryContext<'a>, Req) -> Result<Res, QueryError>,
    ) -> Result<Response<Res>, Status>
    where
        Req: Send + 'static,
        Res: Send + 'static,
    {
        let turn = next_of(&self.proving, "prove").await?;
        self.run(request, query, Some(turn)).await
    }

    /// A query whose answer is small.
    async fn call<Req, Res>(
        &self,
        request: Request<Req>,
        query: for<'a> fn(&QueryContext<'a>, Req) -> Result<Res, QueryError>,
    ) -> Result<Response<Res>, Status>
    where
        Req: Send + 'static,
        Res: Send + 'static,
    {
        self.run(request, query, None).await
    }

    /// The store blocks, so each query runs on its own thread, which keeps the turn: it goes on when
    /// whoever asked has gone away.
    async fn run<Req, Res>(
        &self,
        request: Request<Req>,
        query: for<'a> fn(&QueryContext<'a>, Req) -> Result<Res, QueryError>,
        turn: Option<Turn>,
    ) -> Result<Response<Res>, Status>
    where
        Req: Send + 'static,
        Res: Send + 'static,
    {
        let height = match request.metadata().get(HEIGHT_HEADER) {
            None => 0,
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Status::invalid_argument("x-cosmos-block-height is no height"))?,
        };
        let hub = self.hub.clone();
        let message = request.into_inner();
        let answered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let context = QueryContext::new(&hub, height)?;
            Ok((query(&context, message)?, context.height))
        });
        let (answer, height) = answered
            .await
            .map_err(|error| Status::internal(error.to_string()))?
            .map_err(status)?;
        let mut response = Response::new(answer);
        response.metadata_mut().insert(HEIGHT_HEADER, height.into());
        Ok(response)
    }
}

fn status(error: QueryError) -> Status {
    let text = error.to_string();
    match error {
        QueryError::UnknownPath { .. } => Status::unimplemented(text),
        QueryError::Request { .. } => Status::invalid_argument(text),
        QueryError::NotFound { what } => Status::not_found(what),
        QueryError::Undecided { .. } => Status::failed_precondition(text),
        QueryError::Height(_) => Status::out_of_range(text),
        QueryError::Node { .. } => Status::internal(text),
    }
}

macro_rules! service {
    ($how:ident $service:path { $($method:ident($request:ty) -> $response:ty = $query:path;)* }) => {
        #[async_trait]
        impl $service for Services {
            $(async fn $method(
                &self,
                request: Request<$request>,
            ) -> Result<Response<$response>, Status> {
                self.$how(request, $query).await
            })*
        }
    };
}

service!(prove rpc::policy_server::Query {
    policy(policy_v1::QueryPolicyRequest) -> policy_v1::QueryPolicyResponse
        = policy::queries::policy;
    policies(policy_v1::QueryPoliciesRequest) -> policy_v1::QueryPoliciesResponse
        = policy::queries::policies;
    changes(policy_v1::QueryChangesRequest) -> policy_v1::QueryChangesResponse
        = policy::queries::changes;
    object(policy_v1::QueryObjectRequest) -> policy_v1::QueryObjectResponse
        = policy::queries::object;
    collection(policy_v1::QueryCollectionRequest) -> policy_v1::QueryCollectionResponse
        = policy::queries::collection;
    check_permission(policy_v1::QueryCheckPermissionRequest)
        -> policy_v1::QueryCheckPermissionResponse = policy::queries::check_permission;
});

service!(prove rpc::audit_server::Query {
    log(audit_v1::QueryLogRequest) -> audit_v1::QueryLogResponse = audit::queries::log;
    logs(audit_v1::QueryLogsRequest) -> audit_v1::QueryLogsResponse = audit::queries::logs;
    anchors(audit_v1::QueryAnchorsRequest) -> audit_v1::QueryAnchorsResponse
        = audit::queries::anchors;
    anchor_proof(audit_v1::QueryAnchorProofRequest) -> audit_v1::QueryAnchorProofResponse
        = audit::queries::anchor_proof;
});

service!(prove rpc::light_server::Query {
    state(light_v1::QueryStateRequest) -> light_v1::QueryStateResponse = light::state;
    block_inclusion(light_v1::QueryBlockInclusionRequest)
        -> light_v1::QueryBlockInclusionResponse = light::block_inclusion;
    params(light_v1::QueryParamsRequest) -> light_v1::QueryParamsResponse = light::params;
});

service!(call rpc::auth_server::Query {
    account(auth_v1::QueryAccountRequest) -> auth_v1::QueryAccountResponse
        = auth::queries::account;
});

service!(call rpc::bank_server::Query {
    balance(bank_v1::QueryBalanceRequest) -> bank_v1::QueryBalanceResponse
        = bank::queries::balance;
    all_balances(bank_v1::QueryAllBalancesRequest) -> bank_v1::QueryAllBalancesResponse
        = bank::queries::all_balances;
});

#[async_trait]
impl rpc::tx_server::Service for Services {
    async fn simulate(
        &self,
        request: Request<tx_v1::SimulateRequest>,
    ) -> Result<Response<tx_v1::SimulateResponse>, Status> {
        let turn = next_of(&self.simulating, "simulate").await?;
        self.run(request, auth::queries::simulate, Some(turn)).await
    }

    async fn get_tx(
        &self,
        _request: Request<tx_v1::GetTxRequest>,
    ) -> Result<Response<tx_v1::GetTxResponse>, Status> {
        Err(Status::unimplemented(
            "the application keeps no transactions; ask the RPC method `tx`",
        ))
    }

    async fn broadcast_tx(
        &self,
        _request: Request<tx_v1::BroadcastTxRequest>,
    ) -> Result<Response<tx_v1::BroadcastTxResponse>, Status> {
        Err(Status::unimplemented(
            "the application has no mempool; send to the RPC method `broadcast_tx_sync`",
        ))
    }
}

/// Serves until shutdown.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: std::net::TcpListener,
    hub: Arc<Hub>,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    // Small answers must not wait for the acknowledgement of the one before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let permissions = hub_ask::serve_on(Arc::new(Histories::new(hub.clone())?));
    let services = Services {
        hub,
        proving: Turns::new(PROVING_MAX, PROVING_WAITING_MAX),
        simulating: Turns::new(SIMULATING_MAX, SIMULATING_WAITING_MAX),
    };
    let serving = hub_ask::bounded()
        .add_service(permissions)
        .add_service(rpc::policy_server::QueryServer::new(services.clone()))
        .add_service(rpc::audit_server::QueryServer::new(services.clone()))
        .add_service(rpc::light_server::QueryServer::new(services.clone()))
        .add_service(rpc::auth_server::QueryServer::new(services.clone()))
        .add_service(rpc::bank_server::QueryServer::new(services.clone()))
        .add_service(rpc::tx_server::ServiceServer::new(services))
        .serve_with_incoming_shutdown(incoming, shutdown.clone().requested());
    // Whoever does not read what it asked for does not keep the node from ending.
    let too_long = async {
        shutdown.requested().await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        done = serving => done?,
        () = too_long => tracing::warn!("gRPC requests that did not end were given up"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rpc::tx_server::Service as _;
    use tonic::Code;

    use super::*;
    use crate::serve::metrics::Metrics;
    use crate::store::{Store, StoreOptions};

    #[tokio::test]
    async fn simulations_take_turns_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            retain_heights: 1,
            cache_megabytes: 8,
        };
        let store = Store::open(&folder.path().join("state"), Some("test-1"), options).unwrap();
        let services = Services {
            hub: Arc::new(Hub::new(Arc::new(store), Arc::new(Metrics::new()))),
            proving: Turns::new(0, 0),
            simulating: Turns::new(1, 0),
        };
        let simulate = || async {
            let request = Request::new(tx_v1::SimulateRequest::default());
            services.simulate(request).await.unwrap_err()
        };
        let turn = services.simulating.next().await.unwrap();
        let refused = simulate().await;
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains("simulate"), "{refused}");
        drop(turn);
        // No block has been made, which says that the turn came; and it ends with the answer.
        assert_ne!(simulate().await.code(), Code::ResourceExhausted);
        assert_ne!(simulate().await.code(), Code::ResourceExhausted);
    }
}
