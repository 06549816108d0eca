//! Permission questions over gRPC while blocks are made: as `Query.CheckPermission` answers them, and
//! what only the history in memory can answer.

use hub_app::serve::grpc;
use hub_app::serve::shutdown::Shutdown;
use hub_types::policy::convert::{object_to_wire, subject_to_wire};
use hub_types::PolicyId;
use policy::{ObjectRef, Relationship, Subject};
use rpc::permissions_client::PermissionsClient;
use tonic::transport::Channel;
use tonic::Code;
use wire::policy as proto;

use crate::support::{register, relate, Chain};

struct Asker {
    runtime: tokio::runtime::Runtime,
    client: PermissionsClient<Channel>,
    policy: PolicyId,
}

impl Asker {
    fn asked(&self, revision: Option<u64>) -> Option<proto::Asked> {
        Some(proto::Asked {
            policy: self.policy.to_vec(),
            revision,
            ..proto::Asked::default()
        })
    }

    /// `object#permission@subject`
    #[allow(clippy::result_large_err, reason = "gRPC's own error, in a test")]
    fn check(
        &mut self,
        text: &str,
        revision: Option<u64>,
    ) -> Result<proto::CheckPermissionResponse, tonic::Status> {
        let one: Relationship = text.parse().unwrap();
        let request = proto::CheckPermissionRequest {
            asked: self.asked(revision),
            question: Some(proto::Question {
                object: Some(object_to_wire(&one.object)),
                permission: one.relation.to_string(),
                subject: Some(subject_to_wire(&one.subject)),
            }),
        };
        let answer = self.runtime.block_on(self.client.check_permission(request));
        answer.map(tonic::Response::into_inner)
    }

    fn objects(&mut self, subject: &Subject, permission: &str, resource: &str) -> Vec<String> {
        let request = proto::LookupObjectsRequest {
            asked: self.asked(None),
            subject: Some(subject_to_wire(subject)),
            permission: permission.to_owned(),
            resource: resource.to_owned(),
            ..proto::LookupObjectsRequest::default()
        };
        self.runtime.block_on(async {
            let answer = self.client.lookup_objects(request).await.unwrap();
            let mut parts = answer.into_inner();
            let mut found = Vec::new();
            while let Some(part) = parts.message().await.unwrap() {
                found.extend(part.allowed);
            }
            found
        })
    }
}

fn decision(answer: &proto::CheckPermissionResponse) -> proto::Decision {
    answer.decided.as_ref().unwrap().decision()
}

#[test]
fn questions_are_answered_of_every_revision_while_the_chain_goes_on() {
    let mut world = Chain::new(3);
    let policy = world.plant(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (_sender, shutdown) = Shutdown::pair();
    runtime.spawn(grpc::serve(listener, world.hub.clone(), shutdown));
    let client = runtime.block_on(PermissionsClient::connect(url)).unwrap();
    let mut asker = Asker {
        runtime,
        client,
        policy,
    };

    let worker = world.people[1].did.to_string();
    let question = format!("cell:1#work@{worker}");
    for cell in ["cell:1", "cell:2"] {
        let message = register(&world.people[0], policy, cell);
        world.done(0, message);
    }
    let before = asker.check(&question, None).unwrap();
    assert_eq!(decision(&before), proto::Decision::Deny);
    let set = vec![
        format!("cell:1#operator@{worker}"),
        format!("cell:2#operator@{worker}"),
    ];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);
    let granted = asker.check(&question, None).unwrap();
    assert_eq!(
        decision(&granted),
        proto::Decision::Allow,
        "the next block is seen at once"
    );
    let (granted_at, height) = {
        let from = granted.from.as_ref().unwrap();
        (from.revision, from.height)
    };
    assert_eq!(height, world.height());
    let subject = Subject::Actor(policy::Actor::new(&worker).unwrap());
    assert_eq!(asker.objects(&subject, "work", "cell"), ["1", "2"]);

    let message = relate(&world.people[0], policy, &[], &set[..1]);
    world.done(0, message);
    world.block(vec![]);
    let revoked = asker.check(&question, None).unwrap();
    assert_eq!(decision(&revoked), proto::Decision::Deny);
    assert_eq!(asker.objects(&subject, "work", "cell"), ["2"]);
    // Blocks that change nothing move the height alone.
    let from = revoked.from.unwrap();
    assert_eq!(
        (from.revision, from.height),
        (granted_at + 1, world.height())
    );

    // The past, as the tree answers it.
    for revision in 0..=granted_at + 1 {
        let asked = wire::policy::QueryCheckPermissionRequest {
            policy: policy.to_vec(),
            object: Some(object_to_wire(&"cell:1".parse::<ObjectRef>().unwrap())),
            permission: "work".into(),
            actor: worker.clone(),
            revision: Some(revision),
            ..wire::policy::QueryCheckPermissionRequest::default()
        };
        let path = "/holdfast.policy.v1.Query/CheckPermission";
        let of_tree: wire::policy::QueryCheckPermissionResponse =
            world.query(path, &asked, 0).unwrap();
        let of_history = asker.check(&question, Some(revision)).unwrap();
        assert_eq!(
            decision(&of_history),
            of_tree.decision(),
            "revision {revision}"
        );
        if revision <= granted_at {
            assert_eq!(
                of_history.from.unwrap().time,
                of_tree.time,
                "revision {revision}"
            );
        }
    }
    let beyond = asker.check(&question, Some(granted_at + 2)).unwrap_err();
    assert_eq!(beyond.code(), Code::NotFound, "{beyond}");
    asker.policy = PolicyId::new([9; 32]);
    for _ in 0..2 {
        let unknown = asker.check(&question, None).unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    }
}
