//! Which call of the application answers which request.

use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    request, response, Request, Response, ResponseException, ResponseFlush,
};

/// Answers one request. One without a value gets ABCI's exception, which ends CometBFT with our
/// sentence: only a CometBFT of another ABCI version sends such a request.
pub fn dispatch(application: &impl Application, request: Request) -> Response {
    use request::Value as Ask;
    use response::Value as Answer;
    let answer = match request.value {
        Some(Ask::Echo(request)) => Answer::Echo(application.echo(request)),
        Some(Ask::Flush(_)) => Answer::Flush(ResponseFlush {}),
        Some(Ask::Info(request)) => Answer::Info(application.info(request)),
        Some(Ask::InitChain(request)) => Answer::InitChain(application.init_chain(request)),
        Some(Ask::Query(request)) => Answer::Query(application.query(request)),
        Some(Ask::CheckTx(request)) => Answer::CheckTx(application.check_tx(request)),
        Some(Ask::Commit(_)) => Answer::Commit(application.commit()),
        Some(Ask::ListSnapshots(_)) => Answer::ListSnapshots(application.list_snapshots()),
        Some(Ask::OfferSnapshot(request)) => {
            Answer::OfferSnapshot(application.offer_snapshot(request))
        }
        Some(Ask::LoadSnapshotChunk(request)) => {
            Answer::LoadSnapshotChunk(application.load_snapshot_chunk(request))
        }
        Some(Ask::ApplySnapshotChunk(request)) => {
            Answer::ApplySnapshotChunk(application.apply_snapshot_chunk(request))
        }
        Some(Ask::PrepareProposal(request)) => {
            Answer::PrepareProposal(application.prepare_proposal(request))
        }
        Some(Ask::ProcessProposal(request)) => {
            Answer::ProcessProposal(application.process_proposal(request))
        }
        Some(Ask::ExtendVote(request)) => Answer::ExtendVote(application.extend_vote(request)),
        Some(Ask::VerifyVoteExtension(request)) => {
            Answer::VerifyVoteExtension(application.verify_vote_extension(request))
        }
        Some(Ask::FinalizeBlock(request)) => {
            Answer::FinalizeBlock(application.finalize_block(request))
        }
        None => Answer::Exception(ResponseException {
            error: "hubd speaks ABCI 2.0 as CometBFT v0.38 does; this request has no value it knows: run the pinned CometBFT".to_owned(),
        }),
    };
    Response {
        value: Some(answer),
    }
}
