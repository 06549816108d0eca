//! What became of a transaction is told only as far as it is proven.

use std::sync::Arc;

use hub_types::{Height, TransactionHash};
use serde_json::json;

use super::fake_hub::{alice, FakeHub};
use super::node::{client, Node};
use crate::{ClientError, Terms};

fn hash(hub: &FakeHub, index: usize) -> TransactionHash {
    TransactionHash::of(&hub.contents[5].txs[index])
}

#[tokio::test]
async fn inclusion_and_result_are_verified() {
    let hub = Arc::new(FakeHub::new(12));
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    for (index, code) in [(0, 0), (1, 52), (2, 0)] {
        let found = client.find(hash(&hub, index)).await.unwrap().unwrap();
        assert_eq!((found.height, found.code), (Height(5), code));
        assert_eq!(found.index, index as u64);
    }
    assert_eq!(
        client.find(TransactionHash::of(b"other")).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_node_cannot_turn_a_failure_into_a_success_nor_move_a_transaction() {
    let hub = Arc::new(FakeHub::new(12));
    type Change = fn(&str, &mut serde_json::Value);
    let lies: [(&str, Change); 6] = [
        ("code", |method, it| {
            if method == "block_results" {
                it["txs_results"][1]["code"] = json!(0);
            }
        }),
        ("gas", |method, it| {
            if method == "block_results" {
                it["txs_results"][1]["gas_used"] = json!("1");
            }
        }),
        ("results", |method, it| {
            if method == "block_results" {
                it["txs_results"].as_array_mut().unwrap().pop();
            }
        }),
        ("height", |method, it| {
            if method == "tx" {
                it["height"] = json!("6");
            }
        }),
        ("index", |method, it| {
            if method == "tx" {
                it["index"] = json!(0);
                it["proof"]["proof"]["index"] = json!("0");
            }
        }),
        ("proof", |method, it| {
            if method == "tx" {
                it.as_object_mut().unwrap().remove("proof");
            }
        }),
    ];
    for (what, change) in lies {
        let liar = Node::lying("liar", &hub, move |method, _, mut result| {
            change(method, &mut result);
            result
        });
        let error = client(&hub, vec![liar])
            .find(hash(&hub, 1))
            .await
            .unwrap_err();
        assert_eq!(error.lies().len(), 1, "{what}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_before_inclusion_names_the_node_and_the_meaning() {
    let hub = Arc::new(FakeHub::new(12));
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let terms = Terms {
        gas_limit: Some(1),
        ..Terms::default()
    };
    let error = client
        .submit_with(&alice(), Vec::new(), &terms)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Refused { code: 52, .. }),
        "{error}"
    );
    assert!(error.is_refusal());
    let text = error.to_string();
    assert!(
        text.contains("may not make this change") && text.contains("a says"),
        "{text}"
    );
}
