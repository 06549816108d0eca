//! Conditions and expiries on a chain: before, at and after, in messages, in queries and in evidence.

use hub_light::{CheckEvidence, Checked};
use hub_types::{
    policy::{CreatePolicy, Precondition, SetRelationships},
    Code, Message, PolicyId, Timestamp,
};
use policy::{Actor, Context, Decision, Question, Time};
use wire::policy::{
    MsgCreatePolicyResponse, MsgSetRelationshipsResponse, QueryCheckPermissionRequest,
    QueryCheckPermissionResponse,
};

use crate::support::{register, relate, response, Chain, GENESIS_SECONDS};

const WARD: &str = r#"
name: ward
conditions:
  in_zone:
    parameters:
      zone: string
      asked_zone: string
    expr: zone == asked_zone
  opened:
    parameters:
      now: clock
      opens: timestamp
    expr: now >= opens
resources:
  cell:
    relations:
      supervisor:
        types: [actor with expiration, actor with in_zone]
        manages: [operator]
      operator:
        types: [actor, actor with expiration, actor with in_zone, actor with opened and expiration]
    permissions:
      work:
        expr: operator + supervisor
"#;

/// Creates the policy and registers `cell:1`.
fn ward(world: &mut Chain) -> PolicyId {
    let create = CreatePolicy {
        creator: world.people[0].address,
        definition: WARD.to_owned(),
        anchor_lag: 20,
        max_staleness_seconds: 3600,
    };
    let result = world.done(0, Message::CreatePolicy(create));
    let created: MsgCreatePolicyResponse = response(&result);
    let policy = PolicyId::from_slice(&created.policy).unwrap();
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    policy
}

fn at(seconds: i64) -> Time {
    Timestamp::new(seconds, 0).unwrap().to_policy()
}

/// The time of the newest block.
fn now(world: &Chain) -> i64 {
    world.hub.store().committed().unwrap().time.0
}

fn question(world: &Chain, who: usize, permission: &str) -> Question {
    let actor = Actor::new(world.people[who].did.as_str()).unwrap();
    Question::new("cell:1".parse().unwrap(), permission, actor)
}

fn ask(
    world: &Chain,
    policy: PolicyId,
    question: &Question,
    context: &str,
    revision: Option<u64>,
    height: u64,
) -> Result<QueryCheckPermissionResponse, String> {
    let policy::Subject::Actor(actor) = &question.subject else {
        panic!("an actor asks")
    };
    let request = QueryCheckPermissionRequest {
        policy: policy.to_vec(),
        object: Some(wire::policy::Object {
            resource: question.object.resource().to_owned(),
            id: question.object.id().to_owned(),
        }),
        permission: question.permission.clone(),
        actor: actor.as_str().to_owned(),
        revision,
        prove: true,
        documents: vec![],
        context: context.to_owned(),
    };
    let path = "/holdfast.policy.v1.Query/CheckPermission";
    world.query(path, &request, height)
}

/// Asks about the state after block `height`, and verifies the evidence under the next header.
fn proven_at(
    world: &Chain,
    policy: PolicyId,
    question: &Question,
    context: &str,
    revision: Option<u64>,
    height: u64,
) -> Checked {
    let answer = ask(world, policy, question, context, revision, height).unwrap();
    let evidence = CheckEvidence::from_wire(answer.evidence.as_ref().unwrap()).unwrap();
    let trusted = world.trusted(height + 1);
    let given = Context::from_json(if context.is_empty() { "{}" } else { context }).unwrap();
    let checked = evidence
        .verify(&trusted, &policy, question, &given)
        .unwrap();
    let told = match answer.decision() {
        wire::policy::Decision::Allow => Decision::Allow,
        wire::policy::Decision::Deny => Decision::Deny,
        wire::policy::Decision::Conditional => Decision::Conditional,
        wire::policy::Decision::Unspecified => panic!("no decision"),
    };
    assert_eq!(told, checked.answer.decision, "the replay agrees");
    assert_eq!(answer.missing, checked.answer.missing);
    let time = checked.circumstances.time;
    let told = answer.time.unwrap();
    assert_eq!(
        (told.seconds, told.nanos as u32),
        (time.seconds(), time.nanos())
    );
    if revision.is_none() {
        assert_eq!(time, trusted.time.to_policy(), "asked at the header's time");
    }
    checked
}

/// As of the newest state that a header proves.
fn proven(world: &Chain, policy: PolicyId, question: &Question, context: &str) -> Checked {
    proven_at(world, policy, question, context, None, world.height() - 1)
}

fn text(time: i64) -> String {
    Timestamp::new(time, 0).unwrap().to_string()
}

#[test]
fn what_expires_permits_up_to_the_first_block_whose_time_has_reached_the_expiry() {
    let mut world = Chain::new(3);
    let policy = ward(&mut world);
    let expiry = now(&world) + 4;
    let worker = world.people[1].did.clone();
    let set = vec![format!(
        "cell:1#operator@{worker} with expiration {}",
        text(expiry)
    )];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);
    let set_at = world.height();
    for _ in 0..6 {
        world.block(vec![]);
    }
    let work = question(&world, 1, "work");
    let (mut allowed, mut denied) = (0, 0);
    for height in set_at..world.height() {
        let checked = proven_at(&world, policy, &work, "", None, height);
        let header_time = world.trusted(height + 1).time.seconds();
        if header_time < expiry {
            assert_eq!(checked.answer.decision, Decision::Allow, "{header_time}");
            assert_eq!(checked.answer.stands_until, Some(at(expiry)));
            allowed += 1;
        } else {
            assert_eq!(checked.answer.decision, Decision::Deny, "{header_time}");
            denied += 1;
        }
    }
    assert!(allowed >= 2 && denied >= 2, "{allowed} {denied}");

    // The same revision, the same keys: only the header's time is another.
    let early = ask(&world, policy, &work, "", None, set_at).unwrap();
    let evidence = CheckEvidence::from_wire(&early.evidence.unwrap()).unwrap();
    let late = world.trusted(world.height());
    let elsewhere = evidence.verify(&late, &policy, &work, &Context::default());
    assert!(elsewhere.is_err(), "{elsewhere:?}");

    // An earlier revision is asked at the time of the block that made it.
    let newest = vec![format!("cell:1#operator@{}", world.people[2].did)];
    let message = relate(&world.people[0], policy, &newest, &[]);
    world.done(0, message);
    world.block(vec![]);
    let before = proven_at(&world, policy, &work, "", Some(2), world.height() - 1);
    assert_eq!(before.answer.decision, Decision::Allow);
    let made = world.trusted(set_at).time.to_policy();
    assert_eq!(before.circumstances.time, made);
    let newest = proven_at(&world, policy, &work, "", Some(3), world.height() - 1);
    assert_eq!(newest.answer.decision, Decision::Deny);
}

#[test]
fn authority_that_expired_or_hangs_on_context_changes_nothing_and_says_why() {
    let mut world = Chain::new(5);
    let policy = ward(&mut world);
    let expiry = now(&world) + 3;
    let (boss, keeper) = (world.people[1].did.clone(), world.people[2].did.clone());
    let set = vec![
        format!("cell:1#supervisor@{boss} with expiration {}", text(expiry)),
        format!("cell:1#supervisor@{keeper} with in_zone {{\"zone\":\"east\"}}"),
    ];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);
    let operator = |world: &Chain| vec![format!("cell:1#operator@{}", world.people[3].did)];
    let message = relate(&world.people[1], policy, &operator(&world), &[]);
    world.done(1, message);
    // The block of this one reaches the expiry.
    let message = relate(&world.people[1], policy, &[], &operator(&world));
    let refused = world.refused(1, message);
    assert_eq!(now(&world), expiry);
    assert_eq!(refused.code, Code::NotPermitted.number());
    assert!(!refused.log.contains("context"), "{}", refused.log);
    let message = relate(&world.people[2], policy, &[], &operator(&world));
    let refused = world.refused(2, message);
    assert_eq!(refused.code, Code::NotPermitted.number());
    assert!(refused.log.contains("ask for context"), "{}", refused.log);
}

#[test]
fn conditions_are_asked_with_the_context_that_is_given_and_say_what_they_lack() {
    let mut world = Chain::new(4);
    let policy = ward(&mut world);
    let worker = world.people[1].did.clone();
    let later = world.people[2].did.clone();
    let opens = now(&world) + 4;
    let set = vec![
        format!("cell:1#operator@{worker} with in_zone {{\"zone\":\"east\"}}"),
        format!(
            "cell:1#operator@{later} with opened {{\"opens\":\"{}\"}} and expiration {}",
            text(opens),
            text(opens + 2)
        ),
    ];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);
    let set_at = world.height();
    for _ in 0..8 {
        world.block(vec![]);
    }
    let work = question(&world, 1, "work");
    let without = proven(&world, policy, &work, "");
    assert_eq!(without.answer.decision, Decision::Conditional);
    assert_eq!(without.answer.missing, ["asked_zone"]);
    let east = proven(&world, policy, &work, r#"{"asked_zone":"east"}"#);
    assert_eq!(east.answer.decision, Decision::Allow);
    assert_eq!(
        east.circumstances.context.to_json(),
        r#"{"asked_zone":"east"}"#
    );
    // What the relationship records wins over what is asked.
    let west = proven(
        &world,
        policy,
        &work,
        r#"{"asked_zone":"west","zone":"west"}"#,
    );
    assert_eq!(west.answer.decision, Decision::Deny);
    // Evidence for one context decides nothing false for another.
    let height = world.height() - 1;
    let answer = ask(
        &world,
        policy,
        &work,
        r#"{"asked_zone":"east"}"#,
        None,
        height,
    )
    .unwrap();
    let evidence = CheckEvidence::from_wire(&answer.evidence.unwrap()).unwrap();
    let trusted = world.trusted(height + 1);
    for (context, truth) in [
        ("{}", Decision::Conditional),
        (r#"{"asked_zone":"west"}"#, Decision::Deny),
    ] {
        let given = Context::from_json(context).unwrap();
        if let Ok(checked) = evidence.verify(&trusted, &policy, &work, &given) {
            assert_eq!(checked.answer.decision, truth, "{context}");
        }
    }
    for bad in ["[]", "{", "nonsense"] {
        assert!(
            ask(&world, policy, &work, bad, None, height).is_err(),
            "{bad}"
        );
    }

    // A condition on the clock begins, and the expiry ends it: each at a block's time.
    let mut seen = Vec::new();
    for height in set_at..world.height() {
        let asked = question(&world, 2, "work");
        let checked = proven_at(&world, policy, &asked, "", None, height);
        let time = world.trusted(height + 1).time.seconds();
        let expected = opens <= time && time < opens + 2;
        assert_eq!(checked.answer.is_allow(), expected, "{time}");
        seen.push(expected);
    }
    assert!(seen.starts_with(&[false]) && seen.ends_with(&[false]) && seen.contains(&true));
}

#[test]
fn preconditions_ask_what_is_recorded_with_terms_or_without() {
    let mut world = Chain::new(2);
    let policy = ward(&mut world);
    let expiry = GENESIS_SECONDS + 1_000_000;
    let worker = format!("cell:1#operator@{}", world.people[1].did);
    let on = |seconds: i64| format!("{worker} with expiration {}", text(seconds));
    let mut attempt = |set: &str, preconditions: Vec<Precondition>| {
        let message = Message::SetRelationships(SetRelationships {
            creator: world.people[0].address,
            policy,
            set: vec![set.parse().unwrap()],
            delete: vec![],
            preconditions,
        });
        let tx = world.sign(0, vec![message]);
        let result = world.block(vec![tx]).remove(0);
        match result.code {
            0 => {
                let answer: MsgSetRelationshipsResponse = response(&result);
                Ok(answer.changed)
            }
            code => Err(Code::from_number(code).unwrap()),
        }
    };
    let present = |text: &str| Precondition::Present(text.parse().unwrap());
    let absent = |text: &str| Precondition::Absent(text.parse().unwrap());
    let refused = Err(Code::Precondition);
    assert_eq!(attempt(&on(expiry), vec![present(&worker)]), refused);
    assert_eq!(attempt(&on(expiry), vec![absent(&worker)]), Ok(1));
    assert_eq!(
        attempt(&on(expiry), vec![present(&worker)]),
        Ok(0),
        "as it stands"
    );
    assert_eq!(attempt(&on(expiry), vec![present(&on(expiry))]), Ok(0));
    let other = expiry + 1;
    assert_eq!(attempt(&on(expiry), vec![present(&on(other))]), refused);
    assert_eq!(attempt(&on(expiry), vec![absent(&on(expiry))]), refused);
    // Other terms take the place of those that stood.
    assert_eq!(attempt(&on(other), vec![absent(&on(other))]), Ok(1));
    assert_eq!(attempt(&on(other), vec![present(&on(other))]), Ok(0));
    // Expired long ago, and recorded all the same.
    let past = on(GENESIS_SECONDS - 5);
    assert_eq!(attempt(&past, vec![present(&on(other))]), Ok(1));
    assert_eq!(
        attempt(&past, vec![present(&worker), present(&past)]),
        Ok(0)
    );
    assert_eq!(attempt(&worker, vec![present(&past)]), Ok(1));
    assert_eq!(attempt(&worker, vec![present(&past)]), refused);
}

#[test]
fn terms_that_the_policy_does_not_list_are_refused_by_name() {
    let mut world = Chain::new(2);
    let policy = ward(&mut world);
    let worker = world.people[1].did.clone();
    for (terms, word) in [
        (" with nowhere", "nowhere"),
        (" with in_zone {\"colour\":\"red\"}", "colour"),
        (" with in_zone {\"zone\":5}", "zone"),
        (" with opened", "operator"),
    ] {
        let set = vec![format!("cell:1#operator@{worker}{terms}")];
        let message = relate(&world.people[0], policy, &set, &[]);
        let refused = world.refused(0, message);
        assert_eq!(refused.code, Code::Relationship.number(), "{terms}");
        assert!(refused.log.contains(word), "{}", refused.log);
    }
}
