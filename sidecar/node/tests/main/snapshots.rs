//! A sidecar starts from the snapshot of its replica; without a good one, from the log.

use std::path::Path;
use std::sync::Arc;

use hub_types::policy::ChangeKind;
use node::metrics::Metrics;
use node::start::files;
use node::store::keys::policy_leaf;
use node::store::{Column, Identity, Store, Write};
use policy::{Actor, Context, Name, Relationship, Subject};

use crate::support::{eventually, key, Plant, Running};

const GRANTED: u32 = 1_200;

fn actor(number: u32) -> Actor {
    Actor::new(&format!("did:key:zMany{number}")).unwrap()
}

fn may_work(running: &Running, actor: &Actor) -> bool {
    let object = "cell:1".parse().unwrap();
    let answer = running.sidecar.authority.ask_object(
        &running.policy,
        object,
        actor,
        "operate",
        &Context::default(),
    );
    answer.unwrap().0.is_allow()
}

fn open(home: &Path, plant: &Plant) -> Option<Store> {
    let identity = Identity {
        chain_id: plant.hub.chain.to_string(),
        sidecar: key(101).did().to_string(),
    };
    let path = home.join(files::STORE);
    Store::open(&path, &identity, Arc::new(Metrics::default())).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_from_a_good_snapshot_and_from_the_log_where_there_is_none() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    for from in (0..GRANTED).step_by(100) {
        let grants: Vec<ChangeKind> = (from..from + 100)
            .map(|number| {
                ChangeKind::RelationshipSet(Relationship::new(
                    "cell:1".parse().unwrap(),
                    Name::new("operator").unwrap(),
                    Subject::Actor(actor(number)),
                ))
            })
            .collect();
        plant.hub.block(&grants);
    }
    plant.hub.block(&[]);
    let start = async || plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let a = start().await;
    assert!(may_work(&a, &actor(7)) && !may_work(&a, &actor(GRANTED)));
    let policy = a.policy;
    a.sidecar.stop().await.unwrap();
    let snapshot = home
        .path()
        .join(files::REPLICAS)
        .join(format!("{policy}.snapshot"));
    let good = std::fs::read(&snapshot).expect("it was written at the end");

    // A damaged one is passed over, and made anew.
    std::fs::write(&snapshot, &good[..good.len() / 2]).unwrap();
    let a = start().await;
    assert!(may_work(&a, &actor(7)));
    a.sidecar.stop().await.unwrap();
    assert_eq!(std::fs::read(&snapshot).unwrap().len(), good.len());

    // With a good one the revisions before it are not read.
    let spoil = async |revision| {
        let store = open(home.path(), &plant).unwrap();
        let key = policy_leaf(policy.as_bytes(), revision).to_vec();
        let put = (Column::Policies, key, Some(b"spoiled".to_vec()));
        let write = Write {
            puts: vec![put],
            ..Write::default()
        };
        store.submit(write).await.unwrap();
        drop(store);
        eventually("the store is let go", async || {
            open(home.path(), &plant).is_some()
        })
        .await;
    };
    spoil(1).await;
    plant.hub.grant("cell:1", "operator", &key(77).did());
    let a = start().await;
    a.caught_up(plant.hub.height()).await;
    let newest = Actor::new(key(77).did().as_str()).unwrap();
    assert!(may_work(&a, &actor(7)) && may_work(&a, &newest));
    let past = a.sidecar.authority.judge(&policy, |authority, reading| {
        let revision = reading.revision - 1;
        authority.view(revision).is_some()
    });
    assert!(past.unwrap(), "the past is in it");
    a.sidecar.stop().await.unwrap();
    // What followed the snapshot is in the log alone: too little to be worth a new one.
    let a = start().await;
    assert!(may_work(&a, &newest));
    a.sidecar.stop().await.unwrap();
}
