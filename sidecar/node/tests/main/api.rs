//! The API as clients meet it: external signers, lists and filters, time travel, the operator's
//! requests, errors that say the next step.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::support::{key, Plant, Running};

async fn ask(
    running: &Running,
    actor: u8,
    method: &str,
    path: &str,
    body: &Value,
    id: &str,
) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let token = running.token(&key(actor), method, path, &body, id);
    running.http(method, path, Some(&token), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_signer_prepares_signs_and_submits() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    // Eve's key lies nowhere near the sidecar.
    let eve = key(30);
    plant.hub.grant("cell:1", "operator", &eve.did());
    a.caught_up(plant.hub.height()).await;
    let create = json!({"create": {"policy": "plant", "collection": "batches", "scope": "cell:1",
        "fields": {"product": "valve", "pieces": 2}}});
    let (status, refused) = ask(&a, 30, "POST", "/v1/documents", &create["create"], "1").await;
    assert_eq!(
        (status, &refused["kind"]),
        (409, &json!("conflict")),
        "{refused}"
    );
    assert!(refused["next_step"]
        .as_str()
        .unwrap()
        .contains("/v1/prepare"));
    let (status, prepared) = ask(&a, 30, "POST", "/v1/prepare", &create, "2").await;
    assert_eq!(status, 200, "{prepared}");
    assert_eq!(prepared["resource"], "batch");
    let header = STANDARD
        .decode(prepared["header"].as_str().unwrap())
        .unwrap();
    let signature = eve.sign_commit(&plant.hub.chain, &header);
    let submit = |signature: &[u8]| {
        json!({"header": prepared["header"], "body": prepared["body"],
            "signature": STANDARD.encode(signature)})
    };
    let mut wrong = signature.as_bytes().to_vec();
    wrong[5] ^= 1;
    let (status, answer) = ask(&a, 30, "POST", "/v1/submit", &submit(&wrong), "3").await;
    assert_eq!(
        (status, &answer["kind"]),
        (400, &json!("invalid")),
        "{answer}"
    );
    let right = submit(signature.as_bytes());
    let (status, answer) = ask(&a, 10, "POST", "/v1/submit", &right, "4").await;
    assert_eq!(status, 400, "somebody else's commit: {answer}");
    let (status, answer) = ask(&a, 30, "POST", "/v1/submit", &right, "5").await;
    assert_eq!(
        (status, &answer["verdict"], &answer["known"]),
        (200, &json!("provisional"), &json!(false))
    );
    assert_eq!(answer["commit"], prepared["commit"]);
    let (_, again) = ask(&a, 30, "POST", "/v1/submit", &right, "6").await;
    assert_eq!(again["known"], true, "a commit is kept once: {again}");
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_listed_filtered_and_seen_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let mut first = Value::Null;
    for (number, product) in ["valve", "pump", "valve"].iter().enumerate() {
        let body = json!({"policy": "plant", "collection": "batch/batches", "scope": "cell:1",
            "fields": {"product": product, "pieces": number, "defects": ["dent"]}});
        let (status, created) = ask(
            &a,
            10,
            "POST",
            "/v1/documents",
            &body,
            &format!("c{number}"),
        )
        .await;
        assert_eq!(status, 200, "{created}");
        if number == 0 {
            first = created;
        }
    }
    let list = async |query: &str| {
        let path = format!("/v1/documents?policy=plant&collection=batches{query}");
        let (status, listed) = ask(&a, 10, "GET", &path, &Value::Null, "").await;
        assert_eq!(status, 200, "{listed}");
        listed
    };
    let count = |listed: &Value| listed["documents"].as_array().unwrap().len();
    assert_eq!(count(&list("").await), 3);
    assert_eq!(count(&list("&field=product&equals=valve").await), 2);
    assert_eq!(count(&list("&field=defects&equals=%22dent%22").await), 3);
    assert_eq!(count(&list("&field=pieces&equals=1").await), 1);
    let page = list("&limit=2").await;
    assert_eq!(count(&page), 2);
    let rest = list(&format!(
        "&limit=2&after={}",
        page["next"].as_str().unwrap()
    ))
    .await;
    assert_eq!(count(&rest), 1);

    let document = first["document"].as_str().unwrap().to_owned();
    let path = format!("/v1/documents/{document}/update");
    let (status, updated) = ask(
        &a,
        11,
        "POST",
        &path,
        &json!({"set": {"product": "gauge"}}),
        "u",
    )
    .await;
    assert_eq!(status, 200, "{updated}");
    let created = first["commit"].as_str().unwrap();
    let then = format!("/v1/documents/{document}?at={created}");
    let (_, view) = ask(&a, 10, "GET", &then, &Value::Null, "").await;
    assert_eq!(view["fields"]["product"], "valve");
    assert_eq!(view["preimage"]["collection"], "batches");
    let now = format!("/v1/documents/{document}");
    let (_, view) = ask(&a, 10, "GET", &now, &Value::Null, "").await;
    assert_eq!(view["fields"]["product"], "gauge");
    let (_, history) = ask(&a, 10, "GET", &format!("{now}/history"), &Value::Null, "").await;
    assert_eq!(history["commits"].as_array().unwrap().len(), 2);
    assert_eq!(history["commits"][1]["author"], key(11).did().as_str());

    let (status, _) = ask(&a, 10, "DELETE", &now, &Value::Null, "d").await;
    assert_eq!(status, 200);
    assert_eq!(count(&list("").await), 2);
    let (_, view) = ask(&a, 10, "GET", &now, &Value::Null, "").await;
    assert_eq!(view["deleted"], true);
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sidecar_says_how_it_is_and_what_to_do_next() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let (status, health) = a.http("GET", "/healthz", None, "").await;
    assert_eq!((status, &health["healthy"]), (200, &json!(true)));
    let (status, said) = a.http("GET", "/v1/status", None, "").await;
    assert_eq!(status, 200);
    assert_eq!(said["chain_id"], plant.hub.chain.as_str());
    assert!(
        said["policies"]["plant"]["proven"]["revision"].is_u64(),
        "{said}"
    );
    let (status, metrics) = a.http("GET", "/metrics", None, "").await;
    assert_eq!(status, 200);
    assert!(
        metrics.as_str().unwrap().contains("sidecar_groups_total"),
        "{metrics}"
    );
    let check = |permission: &str, actor: u8| {
        let did = key(actor).did();
        format!("/v1/check?policy=plant&object=cell:1&permission={permission}&actor={did}")
    };
    let (_, allow) = ask(&a, 10, "GET", &check("operate", 10), &Value::Null, "").await;
    assert_eq!(allow["decision"], "allow");
    let (_, deny) = ask(&a, 10, "GET", &check("operate", 66), &Value::Null, "").await;
    assert_eq!(deny["decision"], "deny");
    assert!(deny["hub"]["height"].is_u64());
    for (path, expected) in [
        (check("fly", 10), 400),
        (
            "/v1/check?policy=nobody&object=cell:1&permission=operate".to_owned(),
            404,
        ),
        ("/v1/check?policy=plant".to_owned(), 400),
        ("/v1/documents/nonsense".to_owned(), 400),
        (format!("/v1/documents/{}", crdt::Cid::of(b"nothing")), 404),
        ("/v1/nowhere".to_owned(), 404),
    ] {
        let (status, answer) = ask(&a, 10, "GET", &path, &Value::Null, "").await;
        assert_eq!(status, expected, "{path}: {answer}");
        for field in ["kind", "error", "next_step"] {
            assert!(
                answer[field].as_str().is_some_and(|text| !text.is_empty()),
                "{path}: {answer}"
            );
        }
    }
    let follow = json!({"alias": "other", "policy": "07".repeat(32)});
    let (status, _) = ask(&a, 10, "POST", "/v1/policies", &follow, "f1").await;
    assert_eq!(status, 403);
    let (status, answer) = ask(&a, 2, "POST", "/v1/policies", &follow, "f2").await;
    assert_eq!(status, 200, "{answer}");
    let (status, health) = a.http("GET", "/healthz", None, "").await;
    assert_eq!(
        status, 503,
        "nothing is proven of the other policy: {health}"
    );
    assert!(health["reason"].as_str().unwrap().contains("other"));
    let large = "x".repeat(node::limits::HTTP_BODY_BYTES_MAX + 1);
    let token = a.token(&key(10), "POST", "/v1/documents", &large, "l");
    let (status, answer) = a.http("POST", "/v1/documents", Some(&token), &large).await;
    assert_eq!((status, &answer["kind"]), (413, &json!("too_large")));
    a.sidecar.stop().await.unwrap();
}
