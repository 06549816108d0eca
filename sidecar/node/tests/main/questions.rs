//! Permission questions over gRPC, from the proven replica: as fresh as it is, and not at all when it
//! is too old.

use std::time::Duration;

use hub_types::policy::convert::{object_to_wire, subject_to_wire};
use policy::Relationship;
use rpc::permissions_client::PermissionsClient;
use tonic::transport::Channel;
use tonic::Code;
use wire::policy as proto;

use crate::support::{Plant, Running};

async fn connect(running: &Running) -> PermissionsClient<Channel> {
    let address = running.sidecar.questions.unwrap();
    PermissionsClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

async fn decide(
    client: &mut PermissionsClient<Channel>,
    running: &Running,
    text: &str,
) -> Result<(proto::Decision, proto::AnsweredFrom), tonic::Status> {
    let one: Relationship = text.parse().unwrap();
    let request = proto::CheckPermissionRequest {
        asked: Some(proto::Asked {
            policy: running.policy.as_bytes().to_vec(),
            ..proto::Asked::default()
        }),
        question: Some(proto::Question {
            object: Some(object_to_wire(&one.object)),
            permission: one.relation.to_string(),
            subject: Some(subject_to_wire(&one.subject)),
        }),
    };
    let answer = client.check_permission(request).await?.into_inner();
    Ok((answer.decided.unwrap().decision(), answer.from.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_answers_from_what_it_proved_until_that_is_too_old() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    a.caught_up(plant.hub.height()).await;
    let mut client = connect(&a).await;
    let question = format!("cell:1#operate@{}", plant.mallory.did());

    let (decision, _) = decide(&mut client, &a, &question).await.unwrap();
    assert_eq!(decision, proto::Decision::Deny);
    plant.hub.grant("cell:1", "operator", &plant.mallory.did());
    a.caught_up(plant.hub.height()).await;
    let (decision, from) = decide(&mut client, &a, &question).await.unwrap();
    assert_eq!(decision, proto::Decision::Allow);
    assert_eq!(
        from.height + 1,
        plant.hub.height(),
        "what the newest header proves"
    );
    plant.hub.revoke("cell:1", "operator", &plant.mallory.did());
    a.caught_up(plant.hub.height()).await;
    let (decision, _) = decide(&mut client, &a, &question).await.unwrap();
    assert_eq!(decision, proto::Decision::Deny);

    plant.clock.advance(Duration::from_secs(700));
    let stale = decide(&mut client, &a, &question).await.unwrap_err();
    assert_eq!(stale.code(), Code::Unavailable, "{stale}");
    assert!(stale.message().contains("seconds old"), "{stale}");
    a.sidecar.stop().await.unwrap();
}
