//! Checks over gRPC on loopback: the drive graph at ten thousand and a million relationships, half of
//! the questions denied, each asked once, nothing kept from one to the next; client and server share
//! the machine.
//!
//! `cargo bench -p hub-ask` prints requests a second and how long one takes, beside what others reached
//! on this kind of machine; and an empty call in the same run, which is what transport alone costs.
//! `--quick` leaves out the million.
#![allow(missing_docs, reason = "a benchmark")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

#[path = "../../../policy/benches/common/graphs/mod.rs"]
#[allow(dead_code, reason = "this bench uses a part of it")]
mod graphs;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use graphs::{history, questions, Drive, Graph, Random};
use hub_ask::{Reading, Source, Unanswered};
use hub_types::policy::convert::{object_to_wire, subject_to_wire};
use hub_types::PolicyId;
use policy::{History, Question, Time};
use rpc::permissions_client::PermissionsClient;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{server::TcpIncoming, Channel, Server};
use wire::policy as proto;

/// Requests on their way at a time, over so many connections.
const IN_FLIGHT: usize = 16;
const CONNECTIONS: usize = 4;

/// Questions of either answer.
const QUESTIONS: usize = 100_000;

const POLICY: [u8; 32] = [7; 32];

/// What others reached at this size: requests a second, uncached unless said.
const OTHERS: &[(usize, &str)] = &[
    (
        10_000,
        "SpiceDB in memory 1,294 (cached 9,300), OpenFGA on SQLite 240",
    ),
    (
        1_000_000,
        "SpiceDB on PostgreSQL 464 (cached 805 to 1,750), OpenFGA on SQLite 30 to 535",
    ),
];

struct One(Arc<History>);

impl One {
    fn reading(&self) -> Reading {
        Reading {
            revision: self.0.latest().unwrap().revision,
            height: 1,
            time: Time::new(1, 0).unwrap(),
            offline: false,
            age_seconds: 0,
        }
    }
}

impl Source for One {
    fn ask<T>(
        &self,
        _: &PolicyId,
        ask: impl FnOnce(&History, &Reading) -> T,
    ) -> Result<T, Unanswered> {
        Ok(ask(&self.0, &self.reading()))
    }

    fn take(&self, _: &PolicyId) -> Result<(Arc<History>, Reading), Unanswered> {
        Ok((self.0.clone(), self.reading()))
    }
}

fn request(question: &Question) -> proto::CheckPermissionRequest {
    proto::CheckPermissionRequest {
        asked: Some(proto::Asked {
            policy: POLICY.to_vec(),
            ..proto::Asked::default()
        }),
        question: Some(proto::Question {
            object: Some(object_to_wire(&question.object)),
            permission: question.permission.clone(),
            subject: Some(subject_to_wire(&question.subject)),
        }),
    }
}

/// What is asked, and the answer that must come; `None`: an error, for a call that does nothing.
type Asked = (proto::CheckPermissionRequest, Option<proto::Decision>);

/// Asks all, and gives the time that each took, sorted, and that of all.
async fn run(
    clients: &[PermissionsClient<Channel>],
    asked: Arc<Vec<Asked>>,
) -> (Vec<f64>, Duration) {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|task| {
            let mut client = clients[task % clients.len()].clone();
            let (next, asked) = (next.clone(), asked.clone());
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(asked.len() / IN_FLIGHT + 1);
                while let Some((request, expected)) =
                    asked.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let request = request.clone();
                    let began = Instant::now();
                    let answer = client.check_permission(request).await;
                    took.push(began.elapsed().as_secs_f64() * 1_000.0);
                    let decision = answer
                        .ok()
                        .map(|answer| answer.into_inner().decided.unwrap().decision());
                    assert_eq!(decision, *expected);
                }
                took
            })
        })
        .collect();
    let mut all = Vec::with_capacity(asked.len());
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    let whole = began.elapsed();
    all.sort_by(f64::total_cmp);
    (all, whole)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn main() {
    // `cargo test --benches` runs it small, for its answers.
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let sizes: &[usize] = match (is_test, is_quick) {
        (true, _) => &[2_000],
        (_, true) => &[10_000],
        _ => &[10_000, 1_000_000],
    };
    let count = if is_test { 200 } else { QUESTIONS };
    println!("drive over gRPC, {IN_FLIGHT} in flight   requests/s   median      p99 ms   aim: 15,000/s, p99 5 ms");
    for size in sizes {
        let mut random = Random::new(4);
        let graph = Drive::new(*size, &mut random);
        let mut asked: Vec<Asked> = Vec::new();
        for (allowed, decision) in [
            (true, proto::Decision::Allow),
            (false, proto::Decision::Deny),
        ] {
            let drawn = questions(&graph, allowed, count, &mut random);
            asked.extend(drawn.iter().map(|one| (request(one), Some(decision))));
        }
        // As many of one answer as of the other, in no order.
        let mut mixed = Vec::with_capacity(asked.len());
        while !asked.is_empty() {
            mixed.push(asked.swap_remove(random.below(asked.len())));
        }
        let serving = runtime();
        let asking = runtime();
        let source = Arc::new(One(Arc::new(history(&graph))));
        let clients = serving.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let server = Server::builder().add_service(hub_ask::serve_on(source));
            tokio::spawn(server.serve_with_incoming(incoming));
            address
        });
        let clients = asking.block_on(async {
            let mut all = Vec::new();
            for _ in 0..CONNECTIONS {
                let url = format!("http://{clients}");
                all.push(PermissionsClient::connect(url).await.unwrap());
            }
            all
        });
        let empty = vec![(proto::CheckPermissionRequest::default(), None); count];
        let questions = mixed.len();
        for (what, asked) in [("checks", mixed), ("a call that is refused", empty)] {
            let (took, whole) = asking.block_on(run(&clients, Arc::new(asked)));
            let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
            println!(
                "{size:>9} {what:<22} {:>12.0} {:>8.3} {:>11.3}",
                took.len() as f64 / whole.as_secs_f64(),
                at(0.5),
                at(0.99),
            );
        }
        if let Some((_, others)) = OTHERS.iter().find(|(of, _)| of == size) {
            println!("          for comparison, measured for others: {others}");
        }
        assert!(questions > 0);
        serving.shutdown_background();
        asking.shutdown_background();
    }
}
