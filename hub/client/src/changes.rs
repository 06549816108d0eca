//! Every change of a policy, proven complete.

use hub_light::{ChangesPage, Follower, LightError, Progress, RevisionChanges};
use hub_types::policy::{Change, PolicyLeaf};
use hub_types::PolicyId;
use tokio::sync::Mutex;
use wire::policy::{QueryChangesRequest, QueryChangesResponse};

use crate::block::Block;
use crate::client::{HubClient, Proven};
use crate::error::{ClientError, Fault};
use crate::query::query;
use crate::rpc::Rpc;
use crate::state::{explain, unverified};
use crate::transport::BoxFuture;

const WHAT: &str = "changes of a policy";

/// Pages that one call of [`HubClient::follow`] takes: a policy of ten million revisions.
const PAGES_MAX: usize = 10_000;

async fn page_under(
    rpc: Rpc<'_>,
    block: &Block,
    policy: &PolicyId,
    from: u64,
) -> Result<ChangesPage, Fault> {
    let request = QueryChangesRequest {
        policy: policy.to_vec(),
        from,
        limit: 0,
    };
    let answer: QueryChangesResponse = query(
        rpc,
        "/holdfast.policy.v1.Query/Changes",
        &request,
        block.trusted.state_height().0,
    )
    .await?;
    ChangesPage::from_wire(&answer).map_err(unverified(WHAT))
}

impl HubClient {
    /// Brings `follower` up to the newest verified header, page by page. It holds every revision
    /// of its policy up to there afterwards; after an error, what was proven before it.
    ///
    /// # Errors
    /// [`ClientError::Nodes`]; [`ClientError::Absent`] for a policy that provably does not exist.
    pub async fn follow(&self, follower: &mut Follower) -> Result<Proven<Progress>, ClientError> {
        self.follow_with(follower, |_| {}).await
    }

    /// The same, showing each page after it was verified and taken in.
    ///
    /// # Errors
    /// As [`HubClient::follow`].
    pub async fn follow_with(
        &self,
        follower: &mut Follower,
        seen: impl FnMut(&[RevisionChanges]) + Send,
    ) -> Result<Proven<Progress>, ClientError> {
        let shared = Mutex::new((follower, seen));
        let shared = &shared;
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let mut guard = shared.lock().await;
                let (follower, seen) = &mut *guard;
                let block = self.chain().latest(rpc).await?;
                for _ in 0..PAGES_MAX {
                    let before = follower.next_revision();
                    let page = match page_under(rpc, &block, follower.policy(), before).await {
                        Ok(page) => page,
                        Err(fault) => {
                            return Err(explain(rpc, &block, follower.policy(), fault).await)
                        }
                    };
                    let progress = match follower.apply(&block.trusted, &page) {
                        Ok(progress) => progress,
                        Err(LightError::Absent { what }) => {
                            return Err(Fault::Final(Box::new(ClientError::Absent {
                                what: what.to_owned(),
                                height: block.trusted.state_height(),
                            })))
                        }
                        Err(error) => return Err(unverified(WHAT)(error)),
                    };
                    seen(&page.revisions);
                    if progress.complete {
                        return Ok(Proven::under(&block, progress));
                    }
                    if follower.next_revision() == before {
                        return Err(Fault::unverified(WHAT, "a page brings nothing new"));
                    }
                }
                Err(Fault::unverified(WHAT, "the pages do not come to an end"))
            })
        })
        .await
    }

    /// Every revision of a policy with its changes, from the first to the newest.
    ///
    /// # Errors
    /// As [`HubClient::follow`].
    pub async fn all_changes(
        &self,
        policy: &PolicyId,
    ) -> Result<Proven<Vec<(PolicyLeaf, Vec<Change>)>>, ClientError> {
        let mut follower = Follower::new(*policy);
        let mut all = Vec::new();
        let progress = self
            .follow_with(&mut follower, |revisions| {
                all.extend(
                    revisions
                        .iter()
                        .map(|each| (each.leaf.clone(), each.changes.clone())),
                );
            })
            .await?;
        Ok(progress.map(|_| all))
    }
}
