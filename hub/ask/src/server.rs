//! Bounds of a gRPC server that strangers reach.

use std::time::Duration;

use tonic::transport::Server;

/// Requests of one connection that are answered at a time; the rest waits.
const REQUESTS_OF_A_CONNECTION_MAX: usize = 128;

/// Streams that one connection may have open.
const STREAMS_OF_A_CONNECTION_MAX: u32 = 256;

/// A connection over which nothing comes is asked for a sign of life after this time, and closed when
/// none comes for as long.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A server with bounds on what one connection can hold.
pub fn bounded() -> Server {
    Server::builder()
        .concurrency_limit_per_connection(REQUESTS_OF_A_CONNECTION_MAX)
        .max_concurrent_streams(STREAMS_OF_A_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .tcp_keepalive(Some(KEEPALIVE))
        .tcp_nodelay(true)
}
