//! What verifies is given out, with the height that it was proven at.

use std::sync::Arc;

use hub_types::auth::{keys as auth_keys, Params};
use hub_types::Height;
use identity::AccountAddress;
use policy::Context;
use policy::{Actor, Decision, Question};

use super::fake_hub::{alice, key_of, FakeHub};
use super::node::{client, options, Node, Stopped};
use crate::{ClientError, Fault, HubClient};

fn hub() -> Arc<FakeHub> {
    Arc::new(FakeHub::new(30))
}

#[tokio::test]
async fn the_newest_header_is_reached_through_changing_validators() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let newest = client.latest().await.unwrap();
    assert_eq!((newest.height, newest.hash), (Height(30), hub.hash(30)));
    assert_eq!(client.newest().unwrap(), newest);
}

#[tokio::test]
async fn values_are_proven_present_and_absent() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let address = AccountAddress::of(alice().public_key()).unwrap();
    let account = client.account(&address).await.unwrap();
    assert_eq!(account.value.unwrap().sequence, 3);
    assert_eq!(
        (account.state_height, account.header.height),
        (Height(29), Height(30))
    );
    assert_eq!(client.params().await.unwrap().value, Params::default());
    let nobody = AccountAddress::of(key_of(9).public_key()).unwrap();
    assert_eq!(client.account(&nobody).await.unwrap().value, None);
    let absent = client.get(&auth_keys::account(&nobody)).await.unwrap();
    assert_eq!(absent.value, None);
}

#[tokio::test]
async fn a_policy_is_read_in_two_steps_and_followed_page_by_page() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let shown = client.policy_with_definition(&hub.policy).await.unwrap();
    let (record, definition) = shown.value.unwrap();
    assert_eq!(record.latest_revision(), Some(4));
    assert_eq!(definition, super::fake_hub::DEFINITION);
    let changes = client.all_changes(&hub.policy).await.unwrap();
    let heights: Vec<u64> = changes
        .value
        .iter()
        .map(|(leaf, _)| leaf.height.0)
        .collect();
    assert_eq!(heights, [2, 3, 4, 5, 6]);
    let missing = client.get_in_policy(&hub.policy, b"nothing").await.unwrap();
    assert_eq!(missing.value, None);
}

#[tokio::test]
async fn a_check_is_replayed_at_the_newest_and_at_an_earlier_revision() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    for (seed, revision, decision) in [
        (4, None, Decision::Deny),
        (4, Some(2), Decision::Allow),
        (1, None, Decision::Allow),
        (2, None, Decision::Allow),
        (2, Some(2), Decision::Deny),
        (3, None, Decision::Deny),
    ] {
        let actor = Actor::new(key_of(seed).did().as_str()).unwrap();
        let question = Question::new("cell:1".parse().unwrap(), "update", actor);
        let checked = client
            .check(&hub.policy, &question, &Context::default(), revision, &[])
            .await
            .unwrap();
        assert_eq!(
            checked.value.answer.decision, decision,
            "{seed} at {revision:?}"
        );
        assert_eq!(checked.value.revision, revision.unwrap_or(4));
    }
}

#[tokio::test]
async fn a_document_asked_without_its_preimage_is_no_deny() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let actor = Actor::new(key_of(4).did().as_str()).unwrap();
    let object = "cell:bafyreidvjr53ogmqmjkqzx2o36eorygsqerxyy6kgfpmke73bjmgfxmglq";
    let question = Question::new(object.parse().unwrap(), "update", actor);
    let error = client
        .check(&hub.policy, &question, &Context::default(), None, &[])
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Question(_)), "{error}");
    assert!(error.to_string().contains("--document"), "{error}");
}

#[tokio::test]
async fn logs_and_anchors_are_listed_whole() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    let logs = client.logs(&hub.policy).await.unwrap();
    assert_eq!(logs.value.len(), 1);
    assert_eq!(logs.value[0].id, hub.log);
    let anchors = client.all_anchors(&hub.log).await.unwrap();
    // Blocks 8 to 29; the state after 30 stands under a header that is not there yet.
    assert_eq!(anchors.value.len(), 22);
}

#[tokio::test]
async fn an_earlier_header_is_verified_by_the_block_log() {
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    client.latest().await.unwrap();
    for height in [2, 17, 29] {
        let block = client.at(Height(height)).await.unwrap();
        assert_eq!(block.hash, hub.hash(height));
        let light = client.light_block(Height(height)).await.unwrap();
        let light = hub_light::LightBlock::from_wire(&light.value).unwrap();
        assert_eq!(light.hash(), hub.hash(height));
    }
    assert!(client.at(Height(31)).await.is_err());
}

#[tokio::test]
async fn what_was_verified_outlives_the_process_and_a_node_that_goes_back_is_behind() {
    let hub = hub();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.json");
    let open = |nodes| HubClient::open(options(&hub, nodes).with_state_file(path.clone()));
    let first = open(vec![Node::honest("a", &hub)]).unwrap();
    first.latest().await.unwrap();
    drop(first);

    let second = open(vec![Node {
        newest: 20,
        ..Node::honest("old", &hub)
    }])
    .unwrap();
    assert_eq!(second.newest().unwrap().height, Height(30));
    let error = second.latest().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("old is behind") && text.contains("block 30 is verified"),
        "{text}"
    );
    // Another node helps.
    let third = open(vec![
        Node {
            newest: 20,
            ..Node::honest("old", &hub)
        },
        Node::honest("b", &hub),
    ])
    .unwrap();
    assert_eq!(third.latest().await.unwrap().height, Height(30));
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "no part is left"
    );

    std::fs::write(&path, b"{}").unwrap();
    let error = open(vec![Node::honest("a", &hub)]).err().unwrap();
    assert!(matches!(error, ClientError::StateFile { .. }), "{error}");
}

#[tokio::test]
async fn after_the_trusting_period_a_fresh_trust_point_is_asked_for() {
    let hub = hub();
    let mut options = options(&hub, vec![Node::honest("a", &hub), Node::honest("b", &hub)]);
    let later = hub.now().seconds() + 15 * 24 * 3600;
    options.clock = Arc::new(Stopped(hub_types::Timestamp::new(later, 0).unwrap()));
    let error = HubClient::open(options)
        .unwrap()
        .latest()
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::TrustExpired { .. }), "{error}");
}

#[tokio::test]
async fn a_chain_that_stands_still_is_behind_and_never_an_answer() {
    let hub = hub();
    let mut options = options(&hub, vec![Node::honest("a", &hub)]);
    let later = hub.now().seconds() + 3600;
    options.clock = Arc::new(Stopped(hub_types::Timestamp::new(later, 0).unwrap()));
    let error = HubClient::open(options)
        .unwrap()
        .latest()
        .await
        .unwrap_err();
    let ClientError::Nodes(attempts) = &error else {
        panic!("{error}")
    };
    assert!(matches!(attempts[0].fault, Fault::Behind(_)), "{error}");
    assert!(error.lies().is_empty());
}

#[test]
fn futures_can_cross_threads() {
    fn send<T: Send>(_: &T) {}
    let hub = hub();
    let client = client(&hub, vec![Node::honest("a", &hub)]);
    send(&client.latest());
    send(&client.logs(&hub.policy));
    send(&client.all_changes(&hub.policy));
    let key = alice();
    send(&client.submit(&key, Vec::new()));
}
