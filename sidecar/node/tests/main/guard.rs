//! Every door through which document data or heads leave, tried by an actor who may not
//! (Invariant 8).

use crdt::Cid;
use node::network::client::Client;
use node::network::messages::{FetchQuestion, Hello};
use node::network::peer_identity::delegate;
use serde_json::json;

use crate::support::{cid, key, leaves, Plant, Running};

async fn doors(running: &Running, plant: &Plant, document: &Cid) -> Vec<(String, u16)> {
    let (policy, collection) = (plant.policy(), plant.collection());
    let prepare_update =
        json!({"update": {"document": document.to_string(), "set": {"product": "x"}}});
    let prepare_rollback = json!({"rollback": {"document": document.to_string(), "to_anchor": 0}});
    let prepare_delete = json!({"delete": {"document": document.to_string()}});
    let none = String::new();
    let paths: Vec<(&str, String, String)> = vec![
        ("GET", format!("/v1/documents/{document}"), none.clone()),
        (
            "GET",
            format!("/v1/documents/{document}?at={document}"),
            none.clone(),
        ),
        (
            "GET",
            format!("/v1/documents/{document}?at_anchor=0"),
            none.clone(),
        ),
        (
            "GET",
            format!("/v1/documents/{document}/history"),
            none.clone(),
        ),
        ("GET", "/v1/trail".to_owned(), none.clone()),
        (
            "POST",
            format!("/v1/documents/{document}/update"),
            json!({"set": {"product": "x"}}).to_string(),
        ),
        (
            "POST",
            format!("/v1/documents/{document}/rollback"),
            json!({"to_anchor": 0}).to_string(),
        ),
        ("POST", "/v1/prepare".to_owned(), prepare_update.to_string()),
        (
            "POST",
            "/v1/prepare".to_owned(),
            prepare_rollback.to_string(),
        ),
        ("POST", "/v1/prepare".to_owned(), prepare_delete.to_string()),
        ("DELETE", format!("/v1/documents/{document}"), none.clone()),
    ];
    let mut answers = Vec::new();
    for (number, (method, path, body)) in paths.into_iter().enumerate() {
        let token = running.token(
            &plant.mallory,
            method,
            &path,
            &body,
            &format!("door-{number}"),
        );
        let (status, answer) = running.http(method, &path, Some(&token), &body).await;
        assert!(
            !answer.to_string().contains("secret-product"),
            "{method} {path} gave {answer}"
        );
        assert!(
            !answer.to_string().contains("bafyrei") || answer["kind"] == "denied",
            "{answer}"
        );
        answers.push((format!("{method} {path}"), status));
    }
    let path = format!("/v1/documents?policy={policy}&collection={collection}");
    let token = running.token(&plant.mallory, "GET", &path, "", "");
    let (status, answer) = running.http("GET", &path, Some(&token), "").await;
    assert_eq!(
        (status, answer["documents"].as_array().map(Vec::len)),
        (200, Some(0)),
        "{answer}"
    );
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_is_shut_for_a_denied_actor() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let created = a
        .create(&plant.alice, json!({"product": "secret-product"}))
        .await
        .unwrap();
    let document = cid(&created.document);
    for (door, status) in doors(&a, &plant, &document).await {
        assert_eq!(status, 403, "{door}");
    }
    // The denial of a preparation is in the log as every other.
    let denied = leaves(&a).into_iter().any(|leaf| {
        matches!(leaf, audit::content::Content::Decision(decision)
            if decision.action == "document.delete" && decision.permission == "read")
    });
    assert!(denied, "no leaf says that a deletion was refused");

    // A check tells a stranger nothing of what the kept document proves; the creator it does.
    let (creator, query) = (
        plant.alice.did(),
        format!("policy=plant&object=batch:{document}&permission=read"),
    );
    let path = format!("/v1/check?{query}&actor={creator}");
    for (asker, decision) in [(&plant.mallory, "deny"), (&plant.alice, "allow")] {
        let token = a.token(asker, "GET", &path, "", "");
        let (status, answer) = a.http("GET", &path, Some(&token), "").await;
        assert_eq!(
            (status, &answer["decision"]),
            (200, &json!(decision)),
            "{answer}"
        );
    }
    // The same doors open for her who may.
    let path = format!("/v1/documents/{document}");
    let token = a.token(&plant.alice, "GET", &path, "", "");
    let (status, answer) = a.http("GET", &path, Some(&token), "").await;
    assert_eq!(
        (status, &answer["fields"]["product"]),
        (200, &json!("secret-product"))
    );
    assert!(answer["hub"]["revision"].is_u64() && answer["hub"]["height"].is_u64());
    let (status, _) = a.http("GET", &path, None, "").await;
    assert_eq!(status, 401);
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_gets_what_its_operator_may_see_and_nothing_more() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let created = a
        .create(&plant.alice, json!({"product": "secret-product"}))
        .await
        .unwrap();
    let document = cid(&created.document);
    let network = key(88);
    let chain = plant.hub.chain.clone();
    let question = FetchQuestion {
        document: document.to_bytes().to_vec(),
        want: vec![cid(&created.commit).to_bytes().to_vec()],
        have: Vec::new(),
    };
    let stranger = Client::connect(key(88), chain.clone(), a.address().await)
        .await
        .unwrap();
    assert!(stranger.changes(None).await.unwrap().documents.is_empty());
    assert!(stranger
        .fetch(question.clone())
        .await
        .unwrap()
        .commits
        .is_empty());

    // A delegation that the operator did not sign changes nothing.
    let not_after = plant.clock_seconds() + 100;
    let forged = delegate(&plant.mallory, &chain, &network.did(), not_after);
    let claim = |operator: &identity::SecretKey, signature: identity::Signature| Hello {
        operator: operator.did().to_string(),
        not_after,
        delegation: signature.as_bytes().to_vec(),
        feed: None,
    };
    assert!(stranger
        .hello(claim(&plant.operator_b, forged))
        .await
        .is_err());
    assert!(stranger.changes(None).await.unwrap().documents.is_empty());

    let signed = delegate(&plant.operator_b, &chain, &network.did(), not_after);
    stranger
        .hello(claim(&plant.operator_b, signed))
        .await
        .unwrap();
    let changes = stranger.changes(None).await.unwrap();
    assert_eq!(changes.documents.len(), 1);
    let fetched = stranger.fetch(question).await.unwrap();
    assert_eq!(fetched.commits.len(), 1);
    assert!(fetched.commits[0].body.is_some());
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_token_works_once_also_across_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let body = json!({"policy": "plant", "collection": "batches", "scope": "cell:1", "fields": {"pieces": 3}})
        .to_string();
    let token = a.token(&plant.alice, "POST", "/v1/documents", &body, "once");
    let (status, answer) = a.http("POST", "/v1/documents", Some(&token), &body).await;
    assert_eq!(status, 200, "{answer}");
    let (status, _) = a.http("POST", "/v1/documents", Some(&token), &body).await;
    assert_eq!(status, 401);
    a.sidecar.stop().await.unwrap();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let (status, answer) = a.http("POST", "/v1/documents", Some(&token), &body).await;
    assert_eq!(status, 401, "{answer}");
    assert_eq!(answer["kind"], "unauthenticated");
    a.sidecar.stop().await.unwrap();
}
