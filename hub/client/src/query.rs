//! One question to the application, as protobuf over `abci_query`.
//!
//! The path is the gRPC method's. The height is the block after which the state is asked: always
//! the one before a header that is verified already, so that the proof can stand under it.

use prost::Message;

use crate::error::Fault;
use crate::rpc::Rpc;

/// Asks `path`, whose method is called `what` in reports, for the state after block `height`.
///
/// # Errors
/// [`Fault::Says`] where the application refuses, [`Fault::Unverified`] for bytes that are no
/// such answer.
pub(crate) async fn query<A: Message + Default>(
    rpc: Rpc<'_>,
    path: &'static str,
    request: &impl Message,
    height: u64,
) -> Result<A, Fault> {
    let what = path.rsplit('/').next().unwrap_or(path);
    let answer = rpc
        .abci_query(path, &request.encode_to_vec(), height, true)
        .await?;
    if answer.code != 0 {
        return Err(Fault::Says {
            what,
            code: answer.code,
            log: answer.log,
        });
    }
    A::decode(answer.value.as_slice())
        .map_err(|_| Fault::unverified(what, "it is not the protobuf of the expected answer"))
}
