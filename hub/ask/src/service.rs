//! The gRPC service.

use std::sync::Arc;

use policy::{CheckError, Limits};
use rpc::permissions_server::{Permissions as Service, PermissionsServer};
use tonic::{async_trait, Request, Response, Status};
use wire::policy as proto;

use crate::failure::Unanswered;
use crate::limits::{
    CATCHING_UP_MAX, CATCHING_UP_WAITING_MAX, LISTS_MAX, LISTS_WAITING_MAX, LONG_QUESTIONS_MAX,
    LONG_QUESTIONS_WAITING_MAX, MESSAGE_BYTES_MAX, STEPS_AT_ONCE,
};
use crate::parts::Parts;
use crate::questions::check::Check;
use crate::questions::expand::Expand;
use crate::questions::explain::Explain;
use crate::questions::many::CheckMany;
use crate::questions::objects::LookupObjects;
use crate::questions::subjects::LookupSubjects;
use crate::questions::{Ask, Asking};
use crate::source::Source;
use crate::turns::Turns;

/// The service over one source.
pub struct Permissions<S> {
    source: Arc<S>,
    long: Turns,
    catching_up: Turns,
    lists: Turns,
}

/// The service, to be added to a server.
pub fn serve_on<S: Source>(source: Arc<S>) -> PermissionsServer<Permissions<S>> {
    PermissionsServer::new(Permissions::new(source)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

impl<S: Source> Permissions<S> {
    /// Over a source.
    pub fn new(source: Arc<S>) -> Self {
        Self {
            source,
            long: Turns::new(LONG_QUESTIONS_MAX, LONG_QUESTIONS_WAITING_MAX),
            catching_up: Turns::new(CATCHING_UP_MAX, CATCHING_UP_WAITING_MAX),
            lists: Turns::new(LISTS_MAX, LISTS_WAITING_MAX),
        }
    }

    /// Asks what is short as a rule: at once; where the replica has to catch up first, on another
    /// thread; and only what turns out to be long in its turn among long questions.
    async fn short<Q: Ask>(
        &self,
        question: Asking<Q>,
        limits: Limits,
    ) -> Result<Q::Answer, Unanswered> {
        let question = Arc::new(question);
        let at_once = Limits {
            steps_max: STEPS_AT_ONCE.min(limits.steps_max),
            ..limits
        };
        let mut answered = self
            .source
            .ask(question.policy(), |history, reading| {
                question.ask(history, reading, at_once)
            })
            .and_then(|answer| answer);
        if matches!(answered, Err(Unanswered::Later)) {
            let turns = &self.catching_up;
            answered = self.in_turn(turns, question.clone(), at_once).await;
        }
        match answered {
            Err(Unanswered::Check(CheckError::TooManySteps {
                limit: STEPS_AT_ONCE,
            })) => self.in_turn(&self.long, question, limits).await,
            answered => answered,
        }
    }

    /// Asks what may take long.
    async fn long<Q: Ask>(
        &self,
        question: Asking<Q>,
        limits: Limits,
    ) -> Result<Q::Answer, Unanswered> {
        self.in_turn(&self.long, Arc::new(question), limits).await
    }

    /// Asks on a thread of its own, when it is its turn. It goes on when whoever asked has gone away:
    /// its turn ends with it.
    async fn in_turn<Q: Ask>(
        &self,
        turns: &Turns,
        question: Arc<Asking<Q>>,
        limits: Limits,
    ) -> Result<Q::Answer, Unanswered> {
        let turn = turns.next().await.ok_or(Unanswered::TooMany)?;
        let source = self.source.clone();
        let answered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let (history, reading) = source.take(question.policy())?;
            question.ask(&history, &reading, limits)
        });
        answered
            .await
            .map_err(|error| Unanswered::Node(error.to_string()))?
    }

    async fn list<Q, T>(&self, question: Asking<Q>) -> Result<Response<Parts<T>>, Status>
    where
        Q: Ask<Answer = Vec<T>>,
        T: Send + 'static,
    {
        let place = self.lists.next().await.ok_or(Unanswered::TooMany)?;
        let parts = self.long(question, Limits::LOOKUP).await?;
        Ok(Response::new(Parts::of(parts, place)))
    }
}

#[async_trait]
impl<S: Source> Service for Permissions<S> {
    type ExpandPermissionStream = Parts<proto::ExpandPermissionResponse>;
    type LookupObjectsStream = Parts<proto::LookupObjectsResponse>;
    type LookupSubjectsStream = Parts<proto::LookupSubjectsResponse>;

    async fn check_permission(
        &self,
        request: Request<proto::CheckPermissionRequest>,
    ) -> Result<Response<proto::CheckPermissionResponse>, Status> {
        let question = Asking::<Check>::try_from(request.into_inner())?;
        Ok(Response::new(
            self.short(question, Limits::CONSENSUS).await?,
        ))
    }

    async fn check_permissions(
        &self,
        request: Request<proto::CheckPermissionsRequest>,
    ) -> Result<Response<proto::CheckPermissionsResponse>, Status> {
        let question = Asking::<CheckMany>::try_from(request.into_inner())?;
        Ok(Response::new(self.long(question, Limits::LOOKUP).await?))
    }

    async fn expand_permission(
        &self,
        request: Request<proto::ExpandPermissionRequest>,
    ) -> Result<Response<Self::ExpandPermissionStream>, Status> {
        self.list(Asking::<Expand>::try_from(request.into_inner())?)
            .await
    }

    async fn lookup_objects(
        &self,
        request: Request<proto::LookupObjectsRequest>,
    ) -> Result<Response<Self::LookupObjectsStream>, Status> {
        self.list(Asking::<LookupObjects>::try_from(request.into_inner())?)
            .await
    }

    async fn lookup_subjects(
        &self,
        request: Request<proto::LookupSubjectsRequest>,
    ) -> Result<Response<Self::LookupSubjectsStream>, Status> {
        self.list(Asking::<LookupSubjects>::try_from(request.into_inner())?)
            .await
    }

    async fn explain_permission(
        &self,
        request: Request<proto::ExplainPermissionRequest>,
    ) -> Result<Response<proto::ExplainPermissionResponse>, Status> {
        let question = Asking::<Explain>::try_from(request.into_inner())?;
        Ok(Response::new(self.long(question, Limits::CONSENSUS).await?))
    }
}
