//! A server that was written against the stubs answers a client over a real connection.

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{transport::Server, Code, Request, Response, Status};
use wire::light::{
    Params, QueryBlockInclusionRequest, QueryBlockInclusionResponse, QueryParamsRequest,
    QueryParamsResponse, QueryStateRequest, QueryStateResponse,
};

use crate::{light_client::QueryClient, light_server, light_server::QueryServer};

struct Hub;

#[tonic::async_trait]
impl light_server::Query for Hub {
    async fn state(
        &self,
        request: Request<QueryStateRequest>,
    ) -> Result<Response<QueryStateResponse>, Status> {
        let key = request.into_inner().key;
        Ok(Response::new(QueryStateResponse {
            height: 7,
            value: Some(key),
            ..Default::default()
        }))
    }

    async fn block_inclusion(
        &self,
        _: Request<QueryBlockInclusionRequest>,
    ) -> Result<Response<QueryBlockInclusionResponse>, Status> {
        Err(Status::not_found("no such block"))
    }

    async fn params(
        &self,
        _: Request<QueryParamsRequest>,
    ) -> Result<Response<QueryParamsResponse>, Status> {
        let params = Params {
            fee_denom: "uhold".into(),
            ..Default::default()
        };
        Ok(Response::new(QueryParamsResponse {
            params: Some(params),
            ..Default::default()
        }))
    }
}

#[tokio::test]
async fn a_client_reads_what_a_server_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_service(QueryServer::new(Hub));
    let serving = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut client = QueryClient::connect(format!("http://{address}"))
        .await
        .unwrap();

    let request = QueryStateRequest {
        key: vec![1, 2],
        ..Default::default()
    };
    let answer = client.state(request).await.unwrap().into_inner();
    assert_eq!((answer.height, answer.value), (7, Some(vec![1, 2])));
    let params = client
        .params(QueryParamsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(params.params.unwrap().fee_denom, "uhold");
    let refused = client
        .block_inclusion(QueryBlockInclusionRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::NotFound, "no such block")
    );
    serving.abort();
}
