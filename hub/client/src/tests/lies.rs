//! Each lie alone, told to a client that asks: named, with the node, and nothing of it used.

use std::sync::Arc;

use hub_types::audit::keys as audit_keys;
use hub_types::auth::keys as auth_keys;
use hub_types::document::Document;
use hub_types::Height;
use identity::AccountAddress;
use policy::Context;
use policy::{Actor, Name, Question};
use serde_json::{json, Value};
use wire::audit::QueryAnchorsResponse;
use wire::light::QueryStateResponse;
use wire::policy::{Decision, QueryChangesResponse, QueryCheckPermissionResponse};

use super::fake_hub::{alice, key_of, validators, FakeHub};
use super::node::{client, lie_in, names, Node};
use crate::{ClientError, HubClient, TrustPoint};

const STATE: &str = "/holdfast.light.v1.Query/State";
const CHECK: &str = "/holdfast.policy.v1.Query/CheckPermission";
const CHANGES: &str = "/holdfast.policy.v1.Query/Changes";
const ANCHORS: &str = "/holdfast.audit.v1.Query/Anchors";

fn hub() -> Arc<FakeHub> {
    Arc::new(FakeHub::new(12))
}

fn address() -> AccountAddress {
    AccountAddress::of(alice().public_key()).unwrap()
}

fn question(seed: u8) -> Question {
    let actor = Actor::new(key_of(seed).did().as_str()).unwrap();
    Question::new("cell:1".parse().unwrap(), "update", actor)
}

/// The one lie is named: the node, and these words.
fn assert_named(error: &ClientError, words: &str) {
    let ClientError::Nodes(attempts) = error else {
        panic!("{error}")
    };
    let named = names(attempts);
    assert_eq!(named.len(), 1);
    assert!(
        named["liar"].contains(words),
        "expected \"{words}\" in: {error}"
    );
    assert_eq!(error.lies().len(), 1, "{error}");
}

#[tokio::test]
async fn a_wrong_value_or_proof_is_named_and_not_used() {
    let hub = hub();
    let other = auth_keys::params();
    let other_proof = hub.state_proof(&other, 11).to_wire();
    let old_proof = hub
        .state_proof(&auth_keys::account(&address()), 10)
        .to_wire();
    let absence = hub.state_proof(b"nothing", 11).to_wire();
    type Change = Box<dyn Fn(&mut QueryStateResponse) + Send + Sync>;
    let lies: Vec<(&str, Change)> = vec![
        (
            "the value is not the one",
            Box::new(|it| it.value.as_mut().unwrap()[10] ^= 1),
        ),
        (
            "another value",
            Box::new(|it| {
                it.value.as_mut().unwrap()[10] ^= 1;
                it.state_proof.as_mut().unwrap().value.as_mut().unwrap()[10] ^= 1;
            }),
        ),
        (
            "presence",
            Box::new(|it| {
                it.value = None;
                it.state_proof.as_mut().unwrap().value = None;
            }),
        ),
        (
            "a key of the main tree",
            Box::new(|it| {
                let proof = it.state_proof.as_mut().unwrap();
                let last = proof.ics23.len() - 1;
                proof.ics23[last] ^= 1;
            }),
        ),
        (
            "another key",
            Box::new(move |it| it.state_proof = Some(other_proof.clone())),
        ),
        (
            "another key",
            Box::new(move |it| it.state_proof = Some(absence.clone())),
        ),
        (
            "header 11",
            Box::new(move |it| it.state_proof = Some(old_proof.clone())),
        ),
        ("missing", Box::new(|it| it.state_proof = None)),
        (
            "header",
            Box::new(|it| it.state_proof.as_mut().unwrap().header_height += 1),
        ),
    ];
    for (words, change) in lies {
        let liar = Node::lying("liar", &hub, lie_in(STATE, move |it| change(it)));
        let client = client(&hub, vec![liar]);
        assert_named(&client.account(&address()).await.unwrap_err(), words);
        assert_eq!(client.complaints().len(), 1);
    }
}

#[tokio::test]
async fn an_honest_node_is_asked_next_and_the_liar_is_reported() {
    let hub = hub();
    let lie = |it: &mut QueryStateResponse| it.value.as_mut().unwrap()[10] ^= 1;
    let nodes = vec![
        Node::lying("liar", &hub, lie_in(STATE, lie)),
        Node::honest("honest", &hub),
    ];
    let client = client(&hub, nodes);
    let account = client.account(&address()).await.unwrap();
    assert_eq!(account.value.unwrap().sequence, 3);
    let complaints = client.complaints();
    assert_eq!(complaints.len(), 1);
    assert_eq!(complaints[0].node, "liar");
}

/// A client of `hub` whose one node shows another commit at the newest height.
async fn with_header(hub: &Arc<FakeHub>, commit: Value) -> ClientError {
    let liar = Node::lying("liar", hub, move |method, params, result| {
        match method == "commit" && params["height"].is_null() {
            true => commit.clone(),
            false => result,
        }
    });
    let client = client(hub, vec![liar]);
    let error = client.latest().await.unwrap_err();
    // Nothing of it was used: at most the trust point is known.
    assert!(client
        .newest()
        .is_none_or(|newest| newest.height == Height(1)));
    error
}

fn commit_json(signed: &tendermint::block::signed_header::SignedHeader) -> Value {
    json!({"signed_header": serde_json::to_value(signed).unwrap(), "canonical": true})
}

#[tokio::test]
async fn too_little_power_is_named() {
    let hub = Arc::new(FakeHub::of("plant-1", 12, |_| validators(10..14)));
    let two = hub.signed_by(12, &validators(10..12));
    assert_named(
        &with_header(&hub, commit_json(&two)).await,
        "20 of 40 voting power",
    );
    let three = hub.signed_by(12, &validators(10..13));
    let liar = Node::lying("fine", &hub, move |method, params, result| {
        match method == "commit" && params["height"].is_null() {
            true => commit_json(&three),
            false => result,
        }
    });
    assert_eq!(
        client(&hub, vec![liar]).latest().await.unwrap().height,
        Height(12)
    );
}

#[tokio::test]
async fn a_commit_by_strangers_or_of_changed_bytes_is_named() {
    let hub = Arc::new(FakeHub::of("plant-1", 12, |_| validators(10..14)));
    let mut changed = hub.header(12).unwrap().clone();
    changed.header.app_hash = vec![9; 32].try_into().unwrap();
    assert_named(
        &with_header(&hub, commit_json(&changed)).await,
        "another header",
    );
    let mut unsigned = serde_json::to_value(hub.header(12).unwrap()).unwrap();
    let signature = &mut unsigned["commit"]["signatures"][0]["signature"];
    *signature = json!(base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        [7_u8; 64]
    ));
    let commit = json!({"signed_header": unsigned, "canonical": true});
    assert_named(&with_header(&hub, commit).await, "signature 0");
}

#[tokio::test]
async fn a_fork_by_other_validators_is_named() {
    let hub = Arc::new(FakeHub::of("plant-1", 12, |_| validators(10..14)));
    // Blocks 1 are the same in hash for nobody; the fork has its own from the start.
    let fork = Arc::new(FakeHub::of("plant-1", 12, |_| validators(50..54)));
    let trust = TrustPoint {
        height: Height(1),
        hash: hub.hash(1),
    };
    let mut options = super::node::options(&fork, vec![Node::honest("liar", &fork)]);
    options.trust = trust;
    let client = HubClient::open(options).unwrap();
    assert_named(
        &client.latest().await.unwrap_err(),
        "another chain, or the trust point is wrong",
    );
    assert!(client.newest().is_none());
}

#[tokio::test]
async fn headers_of_another_chain_are_named() {
    let hub = Arc::new(FakeHub::of("plant-1", 12, |_| validators(10..14)));
    let other = Arc::new(FakeHub::of("plant-2", 12, |_| validators(10..14)));
    let commit = commit_json(other.header(12).unwrap());
    assert_named(
        &with_header(&hub, commit).await,
        "chain plant-2, not of plant-1",
    );
    // Also from the very start, with a trust point of the other chain.
    let mut options = super::node::options(&other, vec![Node::honest("liar", &other)]);
    options.chain_id = hub.chain.clone();
    let error = HubClient::open(options)
        .unwrap()
        .latest()
        .await
        .unwrap_err();
    assert_named(&error, "chain plant-2, not of plant-1");
}

#[tokio::test]
async fn a_header_from_the_future_and_an_old_one_are_named() {
    let hub = hub();
    let mut options = super::node::options(&hub, vec![Node::honest("liar", &hub)]);
    let early = hub_types::Timestamp::new(hub.now().seconds() - 100, 0).unwrap();
    options.clock = Arc::new(super::node::Stopped(early));
    let error = HubClient::open(options)
        .unwrap()
        .latest()
        .await
        .unwrap_err();
    assert_named(&error, "ahead of this clock");

    let mut options = super::node::options(
        &hub,
        vec![Node {
            newest: 5,
            ..Node::honest("liar", &hub)
        }],
    );
    let late = hub_types::Timestamp::new(hub.now().seconds() + 120, 0).unwrap();
    options.clock = Arc::new(super::node::Stopped(late));
    let client = HubClient::open(options).unwrap();
    let error = client.account(&address()).await.unwrap_err();
    assert!(error.to_string().contains("liar is behind"), "{error}");
}

#[tokio::test]
async fn validators_that_are_not_the_headers_are_named() {
    let hub = hub();
    type Change = fn(&mut Value);
    let lies: [(Change, &str); 5] = [
        (
            |it| it["validators"][0]["voting_power"] = json!("1000"),
            "validators hash does not match",
        ),
        (
            |it| {
                it["validators"].as_array_mut().unwrap().pop();
                it["total"] = json!("3");
            },
            "validators",
        ),
        (
            |it| it["total"] = json!("20000"),
            "more validators than a commit can hold",
        ),
        (|it| it["validators"] = json!([]), "wrong length"),
        (
            |it| it["validators"][0]["voting_power"] = json!("9223372036854775807"),
            "power",
        ),
    ];
    for (change, words) in lies {
        let liar = Node::lying("liar", &hub, move |method, _, mut result| {
            if method == "validators" {
                change(&mut result);
            }
            result
        });
        assert_named(&client(&hub, vec![liar]).latest().await.unwrap_err(), words);
    }
}

#[tokio::test]
async fn garbage_is_named_and_never_a_panic() {
    let hub = hub();
    let whole = json!({"jsonrpc": "2.0", "id": 1, "result": commit_json(hub.header(12).unwrap())});
    let whole = whole.to_string().into_bytes();
    let mut bodies: Vec<Vec<u8>> = (0..whole.len())
        .step_by(97)
        .map(|end| whole[..end].to_vec())
        .collect();
    bodies.extend([
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{\"result\": null}".to_vec(),
        b"{\"result\": {}}".to_vec(),
        b"{\"result\": {}, \"error\": {\"message\": \"x\"}}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        vec![b'['; 100_000],
        [
            vec![b'{'; 1],
            br#""result":{"signed_header":{"header":{"height":-1}}}}"#.to_vec(),
        ]
        .concat(),
    ]);
    for body in bodies {
        let liar = Node {
            raw: Some(body.clone()),
            ..Node::honest("liar", &hub)
        };
        let error = client(&hub, vec![liar]).latest().await.unwrap_err();
        let ClientError::Nodes(attempts) = &error else {
            panic!("{error}")
        };
        assert_eq!(attempts.len(), 1);
        assert_eq!(
            error.lies().len(),
            1,
            "{error} for {}",
            String::from_utf8_lossy(&body)
        );
    }
    // What a node says is cut and cannot move the cursor.
    let said = json!({"error": {"message": format!("\u{1b}[2J{}", "x".repeat(10_000))}});
    let liar = Node {
        raw: Some(said.to_string().into_bytes()),
        ..Node::honest("liar", &hub)
    };
    let text = client(&hub, vec![liar])
        .latest()
        .await
        .unwrap_err()
        .to_string();
    assert!(text.len() < 600 && !text.contains('\u{1b}'), "{text}");
}

#[tokio::test]
async fn a_check_with_a_lie_gives_neither_allow_nor_deny() {
    let hub = hub();
    let old = hub.evidence(
        &"cell:1".parse().unwrap(),
        "update",
        key_of(4).did().as_str(),
        11,
        Some(2),
    );
    let of_other = hub.evidence(
        &"cell:1".parse().unwrap(),
        "update",
        key_of(3).did().as_str(),
        11,
        None,
    );
    let (old, of_other) = (old.evidence.to_wire(), of_other.evidence.to_wire());
    type Change = Box<dyn Fn(&mut QueryCheckPermissionResponse) + Send + Sync>;
    // Actor 4 was revoked at revision 4; actor 2 is allowed.
    let lies: Vec<(u8, &str, Change)> = vec![
        (
            4,
            "another decision",
            Box::new(|it| it.decision = Decision::Allow.into()),
        ),
        (
            2,
            "another decision",
            Box::new(|it| it.decision = Decision::Deny.into()),
        ),
        (
            2,
            "another decision",
            Box::new(|it| it.decision = Decision::Unspecified.into()),
        ),
        (
            4,
            "another revision",
            Box::new(move |it| {
                it.decision = Decision::Allow.into();
                it.evidence = Some(old.clone());
            }),
        ),
        (2, "missing", Box::new(|it| it.evidence = None)),
        (
            2,
            "does not verify",
            Box::new(|it| it.evidence.as_mut().unwrap().ics23.clear()),
        ),
        (
            2,
            "does not verify",
            Box::new(|it| {
                let bytes = &mut it.evidence.as_mut().unwrap().ics23;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }),
        ),
        (
            2,
            "another decision",
            Box::new(move |it| it.evidence = Some(of_other.clone())),
        ),
    ];
    for (number, (seed, words, change)) in lies.into_iter().enumerate() {
        let liar = Node::lying("liar", &hub, lie_in(CHECK, move |it| change(it)));
        let client = client(&hub, vec![liar]);
        let none = Context::default();
        let asked = question(seed);
        match client.check(&hub.policy, &asked, &none, None, &[]).await {
            // Evidence for another actor may decide this one's question as well: then it is the
            // truth, and what the node says must agree with it.
            Ok(checked) => {
                assert_eq!(number, 7);
                assert!(checked.value.answer.is_allow());
            }
            Err(error) if number == 7 => assert_eq!(error.lies().len(), 1, "{error}"),
            Err(error) => assert_named(&error, words),
        }
    }
}

/// Between the last block of a node and the header that the client has, something may end by time.
#[tokio::test]
async fn a_node_that_asked_at_an_earlier_time_is_behind_and_no_liar() {
    let hub = hub();
    let actor = |seed| Actor::new(key_of(seed).did().as_str()).unwrap();
    // Evidence about another cell decides nothing about this one, as evidence of an allow that has
    // ended decides nothing any more.
    let elsewhere = hub.evidence(
        &"cell:2".parse().unwrap(),
        "update",
        actor(2).as_str(),
        11,
        None,
    );
    let elsewhere = elsewhere.evidence.to_wire();
    let question = Question::new("cell:1".parse().unwrap(), "update", actor(2));
    let none = Context::default();
    for earlier in [true, false] {
        let elsewhere = elsewhere.clone();
        let change = move |it: &mut QueryCheckPermissionResponse| {
            it.evidence = Some(elsewhere.clone());
            if earlier {
                it.time.as_mut().unwrap().seconds -= 1;
            }
        };
        let client = client(&hub, vec![Node::lying("node", &hub, lie_in(CHECK, change))]);
        let asked = client.check(&hub.policy, &question, &none, None, &[]);
        let error = asked.await.unwrap_err();
        assert_eq!(error.lies().is_empty(), earlier, "{error}");
    }
}

/// A preimage that the node leaves out hides who owns the document and where it is.
#[tokio::test]
async fn a_document_left_out_of_the_evidence_is_named_and_decides_nothing() {
    let hub = hub();
    let document = Document {
        resource: Name::new("cell").unwrap(),
        collection: Name::new("cells").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: key_of(2).did(),
        nonce: [7; 16],
    };
    let object = document.object(&hub.chain, &hub.policy).unwrap();
    let actor = Actor::new(key_of(2).did().as_str()).unwrap();
    let none = Context::default();
    for permission in ["update", "owner"] {
        let question = Question::new(object.clone(), permission, actor.clone());
        // The fake hub never carries documents: given one, its evidence is the lie.
        let with_liar = client(&hub, vec![Node::honest("liar", &hub)]);
        let documents = std::slice::from_ref(&document);
        let error = with_liar.check(&hub.policy, &question, &none, None, documents);
        assert_named(
            &error.await.unwrap_err(),
            "not about the documents that were given",
        );
        // Not given any, the client decides nothing, and nobody lied.
        let without = client(&hub, vec![Node::honest("honest", &hub)]);
        let error = without
            .check(&hub.policy, &question, &none, None, &[])
            .await;
        match error.unwrap_err() {
            ClientError::Question(text) => assert!(text.contains("--document"), "{text}"),
            other => panic!("{other}"),
        }
        assert!(without.complaints().is_empty());
    }
}

#[tokio::test]
async fn changes_that_are_left_out_moved_or_altered_are_named() {
    let hub = hub();
    type Change = fn(&mut QueryChangesResponse);
    let lies: [(Change, &str); 6] = [
        (
            |it| {
                it.revisions.remove(0);
            },
            "revision",
        ),
        (|it| it.revisions.clear(), "revision"),
        (|it| it.revisions.reverse(), "revision"),
        (
            |it| {
                it.revisions[0].changes.clear();
            },
            "changes of revision 0",
        ),
        (|it| it.consistency.clear(), "path"),
        (
            |it| it.revisions[0].leaf.as_mut().unwrap().height += 1,
            "does not verify",
        ),
    ];
    for (change, words) in lies {
        let lie = move |it: &mut QueryChangesResponse| {
            if it
                .revisions
                .first()
                .and_then(|it| it.leaf.as_ref())
                .is_some_and(|it| it.revision == 0)
            {
                change(it);
            }
        };
        let liar = Node::lying("liar", &hub, lie_in(CHANGES, lie));
        assert_named(
            &client(&hub, vec![liar])
                .all_changes(&hub.policy)
                .await
                .unwrap_err(),
            words,
        );
    }
}

#[tokio::test]
async fn anchors_and_logs_that_are_left_out_are_named() {
    let hub = hub();
    type Change = fn(&mut QueryAnchorsResponse);
    let lies: [(Change, &str); 5] = [
        (
            |it| {
                it.anchors.remove(0);
            },
            "anchors of a log",
        ),
        (|it| it.anchors.clear(), "does not belong"),
        (|it| it.anchors[0].size += 1, "anchors of a log"),
        (|it| it.record = None, "missing"),
        (|it| it.consistency.push(vec![0; 32]), "anchors of a log"),
    ];
    for (change, words) in lies {
        let liar = Node::lying("liar", &hub, lie_in(ANCHORS, change));
        assert_named(
            &client(&hub, vec![liar])
                .all_anchors(&hub.log)
                .await
                .unwrap_err(),
            words,
        );
    }
    let liar = Node::lying(
        "liar",
        &hub,
        lie_in(
            "/holdfast.audit.v1.Query/Logs",
            |it: &mut wire::audit::QueryLogsResponse| {
                it.records.clear();
            },
        ),
    );
    assert_named(
        &client(&hub, vec![liar])
            .logs(&hub.policy)
            .await
            .unwrap_err(),
        "too few",
    );
    let hidden = Node::lying(
        "liar",
        &hub,
        lie_in(STATE, {
            let key = audit_keys::policy_logs(&hub.policy);
            move |it: &mut QueryStateResponse| {
                if it
                    .state_proof
                    .as_ref()
                    .is_some_and(|proof| proof.key == key)
                {
                    it.value = None;
                    it.state_proof.as_mut().unwrap().value = None;
                }
            }
        }),
    );
    assert_named(
        &client(&hub, vec![hidden])
            .logs(&hub.policy)
            .await
            .unwrap_err(),
        "presence",
    );
}
