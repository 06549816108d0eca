//! A client asks over a real connection, and is told what the engine answers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, RwLock};

use hub_ask::{Reading, Source, Unanswered};
use hub_types::policy::convert::{object_to_wire, relationship_to_wire, subject_to_wire};
use hub_types::PolicyId;
use policy::{History, Policy, Relationship, Time};
use rpc::permissions_client::PermissionsClient;
use tokio::net::TcpListener;
use tonic::transport::{server::TcpIncoming, Channel, Server};
use tonic::{Code, Streaming};
use wire::policy as proto;
use wire::policy::expanded_node::Node;

const POLICY: &str = "
name: files
conditions:
- name: on-duty
  parameters: {ward: string}
  expr: ward == \"a\"
resources:
- name: folder
  relations:
  - name: viewer
    types: [actor, 'group->member', 'actor with on-duty', 'actor with expiration']
  - name: banned
    types: [actor]
  permissions:
  - name: view
    expr: viewer - banned
- name: group
  relations:
  - name: member
    types: [actor, 'group->member']
";

/// One policy, which may be away.
struct One {
    history: Arc<RwLock<Arc<History>>>,
    /// Whether a short question must wait.
    busy: bool,
}

const ID: [u8; 32] = [7; 32];

impl One {
    fn reading(&self, history: &History) -> Reading {
        Reading {
            revision: history.latest().unwrap().revision,
            height: 9,
            time: Time::new(1_000, 0).unwrap(),
            offline: true,
            age_seconds: 3,
        }
    }
}

impl Source for One {
    fn ask<T>(
        &self,
        policy: &PolicyId,
        ask: impl FnOnce(&History, &Reading) -> T,
    ) -> Result<T, Unanswered> {
        if self.busy {
            return Err(Unanswered::Later);
        }
        let (history, reading) = self.take(policy)?;
        Ok(ask(&history, &reading))
    }

    fn take(&self, policy: &PolicyId) -> Result<(Arc<History>, Reading), Unanswered> {
        if policy.as_bytes() != &ID {
            return Err(Unanswered::NoPolicy(policy.to_string()));
        }
        let history = self.history.read().unwrap().clone();
        let reading = self.reading(&history);
        Ok((history, reading))
    }
}

fn facts() -> Vec<Relationship> {
    let mut facts: Vec<String> = (0..2_500)
        .map(|number| format!("folder:f{number:04}#viewer@group:staff#member"))
        .collect();
    facts.extend(
        [
            "group:staff#member@group:nurses#member",
            "group:nurses#member@did:key:zAnn",
            "group:nurses#member@did:key:zBob",
            "folder:f0007#banned@did:key:zBob",
            "folder:f0008#viewer@did:key:zCat with on-duty",
            "folder:f0009#viewer@did:key:zDan with expiration 1970-01-01T00:20:00Z",
        ]
        .map(str::to_owned),
    );
    facts.iter().map(|fact| fact.parse().unwrap()).collect()
}

async fn client(busy: bool) -> PermissionsClient<Channel> {
    let history = History::of(Policy::parse(POLICY).unwrap(), &facts()).unwrap();
    let source = One {
        history: Arc::new(RwLock::new(Arc::new(history))),
        busy,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_service(hub_ask::serve_on(Arc::new(source)));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    PermissionsClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

fn asked() -> Option<proto::Asked> {
    Some(proto::Asked {
        policy: ID.to_vec(),
        ..proto::Asked::default()
    })
}

/// `object#permission@subject`.
fn question(text: &str) -> Option<proto::Question> {
    let one: Relationship = text.parse().unwrap();
    Some(proto::Question {
        object: Some(object_to_wire(&one.object)),
        permission: one.relation.to_string(),
        subject: Some(subject_to_wire(&one.subject)),
    })
}

fn check(text: &str) -> proto::CheckPermissionRequest {
    proto::CheckPermissionRequest {
        asked: asked(),
        question: question(text),
    }
}

async fn all<T>(mut stream: Streaming<T>) -> Vec<T> {
    let mut parts = Vec::new();
    while let Some(part) = stream.message().await.unwrap() {
        parts.push(part);
    }
    parts
}

#[tokio::test]
async fn checks_say_yes_no_and_what_they_hang_on() {
    for busy in [false, true] {
        let mut client = client(busy).await;
        for (text, decision, missing) in [
            ("folder:f0001#view@did:key:zAnn", proto::Decision::Allow, 0),
            ("folder:f0007#view@did:key:zBob", proto::Decision::Deny, 0),
            (
                "folder:f0008#view@did:key:zCat",
                proto::Decision::Conditional,
                1,
            ),
            ("folder:f0009#view@did:key:zDan", proto::Decision::Allow, 0),
        ] {
            let answer = client
                .check_permission(check(text))
                .await
                .unwrap()
                .into_inner();
            let decided = answer.decided.unwrap();
            assert_eq!(decided.decision(), decision, "{text}");
            assert_eq!(decided.missing.len(), missing, "{text}");
            let from = answer.from.unwrap();
            assert_eq!((from.revision, from.height, from.age_seconds), (0, 9, 3));
            assert!(from.offline && from.time.unwrap().seconds == 1_000);
        }
        // What ends by time has ended at a later one, and a condition is given what it lacks.
        let mut later = check("folder:f0009#view@did:key:zDan");
        later.asked.as_mut().unwrap().time = Some(wire::Timestamp {
            seconds: 1_200,
            nanos: 0,
        });
        let answer = client.check_permission(later).await.unwrap().into_inner();
        assert_eq!(answer.decided.unwrap().decision(), proto::Decision::Deny);
        let mut given = check("folder:f0008#view@did:key:zCat");
        given.asked.as_mut().unwrap().context = "{\"ward\": \"a\"}".into();
        let answer = client.check_permission(given).await.unwrap().into_inner();
        assert_eq!(answer.decided.unwrap().decision(), proto::Decision::Allow);
        // A relationship for this question only.
        let mut contextual = check("folder:f0008#view@did:key:zEve");
        let fact: Relationship = "folder:f0008#viewer@did:key:zEve".parse().unwrap();
        contextual.asked.as_mut().unwrap().contextual = vec![relationship_to_wire(&fact)];
        let answer = client.check_permission(contextual).await.unwrap();
        assert_eq!(
            answer.into_inner().decided.unwrap().decision(),
            proto::Decision::Allow
        );
    }
}

#[tokio::test]
async fn wrong_questions_are_refused_by_name() {
    let mut client = client(false).await;
    let other = |change: &dyn Fn(&mut proto::CheckPermissionRequest)| {
        let mut request = check("folder:f0001#view@did:key:zAnn");
        change(&mut request);
        request
    };
    let cases: [(proto::CheckPermissionRequest, Code, &str); 8] = [
        (other(&|r| r.asked = None), Code::InvalidArgument, "asked"),
        (
            other(&|r| r.question = None),
            Code::InvalidArgument,
            "question",
        ),
        (
            other(&|r| r.asked.as_mut().unwrap().policy = vec![1]),
            Code::InvalidArgument,
            "asked.policy",
        ),
        (
            other(&|r| r.asked.as_mut().unwrap().policy = vec![1; 32]),
            Code::NotFound,
            "not known here",
        ),
        (
            other(&|r| r.asked.as_mut().unwrap().revision = Some(4)),
            Code::NotFound,
            "revision 4",
        ),
        (
            other(&|r| r.question.as_mut().unwrap().permission = "vieww".into()),
            Code::InvalidArgument,
            "view",
        ),
        (
            other(&|r| r.asked.as_mut().unwrap().context = "[".into()),
            Code::InvalidArgument,
            "asked.context",
        ),
        (
            other(&|r| {
                let fact: Relationship = "folder:f0001#view@did:key:zEve".parse().unwrap();
                r.asked.as_mut().unwrap().contextual = vec![relationship_to_wire(&fact)];
            }),
            Code::InvalidArgument,
            "view",
        ),
    ];
    for (request, code, says) in cases {
        let status = client.check_permission(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(says), "{status}");
    }
    let many = proto::CheckPermissionsRequest {
        asked: asked(),
        questions: vec![question("folder:f#view@did:key:zAnn").unwrap(); 1_001],
    };
    let status = client.check_permissions(many).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("1000"), "{status}");
}

#[tokio::test]
async fn a_batch_answers_each_and_one_error_spoils_no_other() {
    let mut client = client(false).await;
    let questions = [
        "folder:f0001#view@did:key:zAnn",
        "folder:f0001#nothing@did:key:zAnn",
        "folder:f0007#view@did:key:zBob",
    ];
    let request = proto::CheckPermissionsRequest {
        asked: asked(),
        questions: questions.map(|text| question(text).unwrap()).to_vec(),
    };
    let answers = client
        .check_permissions(request)
        .await
        .unwrap()
        .into_inner()
        .answers;
    assert_eq!(answers.len(), 3);
    let decision = |at: usize| {
        answers[at]
            .decided
            .as_ref()
            .map(|decided| decided.decision())
    };
    assert_eq!(decision(0), Some(proto::Decision::Allow));
    assert!(decision(1).is_none() && answers[1].error.contains("nothing"));
    assert_eq!(decision(2), Some(proto::Decision::Deny));
}

#[tokio::test]
async fn lists_come_whole_in_parts_or_cut_with_a_cursor() {
    let mut client = client(false).await;
    let request = proto::LookupObjectsRequest {
        asked: asked(),
        subject: question("folder:x#view@did:key:zBob").unwrap().subject,
        permission: "view".into(),
        resource: "folder".into(),
        ..proto::LookupObjectsRequest::default()
    };
    let parts = all(client
        .lookup_objects(request.clone())
        .await
        .unwrap()
        .into_inner())
    .await;
    assert_eq!(parts.len(), 3, "a thousand a part");
    let found: Vec<&String> = parts.iter().flat_map(|part| &part.allowed).collect();
    assert_eq!(found.len(), 2_499, "all but the one that bans him");
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(parts[0].from.is_some() && parts[1].from.is_none());
    assert!(parts.iter().all(|part| part.next.is_empty()));

    // Page by page, the same.
    let (mut after, mut paged) = (String::new(), Vec::new());
    loop {
        let mut request = request.clone();
        (request.after, request.limit) = (after, 1_200);
        let parts = all(client.lookup_objects(request).await.unwrap().into_inner()).await;
        paged.extend(parts.iter().flat_map(|part| part.allowed.clone()));
        after = parts.last().unwrap().next.clone();
        if after.is_empty() {
            break;
        }
    }
    assert!(paged.iter().eq(found));

    let request = proto::LookupSubjectsRequest {
        asked: asked(),
        object: question("folder:f0008#view@did:key:zBob").unwrap().object,
        permission: "view".into(),
        ..proto::LookupSubjectsRequest::default()
    };
    let parts = all(client.lookup_subjects(request).await.unwrap().into_inner()).await;
    assert_eq!(parts[0].allowed, ["did:key:zAnn", "did:key:zBob"]);
    assert_eq!(parts[0].conditional[0].id, "did:key:zCat");
    assert_eq!(parts[0].conditional[0].missing, ["ward"]);
    let everyone = parts[0].everyone.as_ref().unwrap();
    assert_eq!(everyone.decision(), proto::Decision::Deny);
}

#[tokio::test]
async fn trees_and_reasons_are_told() {
    let mut client = client(false).await;
    let request = proto::ExpandPermissionRequest {
        asked: asked(),
        object: question("folder:f0007#view@did:key:zBob").unwrap().object,
        permission: "view".into(),
    };
    let parts = all(client
        .expand_permission(request)
        .await
        .unwrap()
        .into_inner())
    .await;
    let nodes: Vec<&Node> = parts
        .iter()
        .flat_map(|part| &part.nodes)
        .map(|node| node.node.as_ref().unwrap())
        .collect();
    assert!(matches!(nodes[0], Node::Named(named) if named.name == "view"));
    assert!(nodes.iter().any(|node| matches!(node, Node::Exclusion(_))));
    let names_bob = |members: &&proto::ExpandedMembers| format!("{members:?}").contains("zBob");
    let members = nodes.iter().filter_map(|node| match node {
        Node::Members(members) => Some(members),
        _ => None,
    });
    assert_eq!(
        members.filter(names_bob).count(),
        2,
        "the nurses, and the ban"
    );

    for (text, says, cites) in [
        (
            "folder:f0001#view@did:key:zAnn",
            "group:nurses#member@did:key:zAnn",
            3,
        ),
        ("folder:f0001#view@did:key:zEve", "would", 1),
    ] {
        let request = proto::ExplainPermissionRequest {
            asked: asked(),
            question: question(text),
        };
        let why = client
            .explain_permission(request)
            .await
            .unwrap()
            .into_inner();
        assert!(
            why.lines.iter().any(|line| line.contains(says)),
            "{:#?}",
            why.lines
        );
        assert_eq!(why.relationships.len(), cites, "{:#?}", why.lines);
    }
}
