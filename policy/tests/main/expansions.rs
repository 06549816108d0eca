//! A tree that is shown must mean what `check` says: it is evaluated here, node by node.

use policy::{
    expand, CheckError, Expanded, ExpandedMember, Expansion, Outcome, Policy, Subject, Time,
};

use crate::{
    agreement::Scene,
    cast::{ask, circumstances, object, question, subject, when, Asked},
    naive::Naive,
    oracle::Answers,
    random::{rounds, seed, Random},
    told::Told,
};

pub struct Evaluation<'a> {
    pub policy: &'a Policy,
    pub tree: &'a Expansion,
    pub asked: Subject,
    pub circumstances: policy::Circumstances,
}

/// 0 is false, 1 unknown, 2 true.
impl Evaluation<'_> {
    pub fn run(&self) -> u8 {
        let mut values = vec![1; self.tree.nodes.len()];
        loop {
            let next: Vec<u8> = self
                .tree
                .nodes
                .iter()
                .map(|node| self.node(node, &values))
                .collect();
            if next == values {
                return values[0];
            }
            values = next;
        }
    }

    fn node(&self, node: &Expanded, values: &[u8]) -> u8 {
        let is_asked = |object: &policy::ObjectRef, name: &str| match &self.asked {
            Subject::Userset {
                object: o,
                relation,
            } => o == object && relation.as_str() == name,
            _ => false,
        };
        let all = |all: &[usize]| all.iter().map(|at| values[*at]).collect::<Vec<u8>>();
        match node {
            Expanded::Named { object, name, .. } | Expanded::Again { object, name, .. }
                if is_asked(object, name) =>
            {
                2
            }
            Expanded::Named { value: at, .. } | Expanded::Again { node: at, .. } => values[*at],
            Expanded::Owner { owner, .. } => match (owner, &self.asked) {
                (Some(owner), Subject::Actor(actor)) => 2 * u8::from(owner == actor),
                _ => 0,
            },
            Expanded::Members { members, .. } => {
                let members = members.iter();
                let values = members.map(|m| self.terms(m).min(self.stands(m, values)));
                values.max().unwrap_or(0)
            }
            Expanded::Union(nodes) => all(nodes).into_iter().max().unwrap(),
            Expanded::Intersection(nodes) => all(nodes).into_iter().min().unwrap(),
            Expanded::Exclusion(left, right) => values[*left].min(2 - values[*right]),
            Expanded::Arrow {
                all, through: over, ..
            } => {
                let now = self.circumstances.time;
                let over = over.iter().filter(|member| !member.terms.has_expired(now));
                let values = over.map(|member| {
                    self.terms(member)
                        .min(member.leads_to.map_or(0, |at| values[at]))
                });
                match all {
                    true => values.min().unwrap_or(0),
                    false => values.max().unwrap_or(0),
                }
            }
            Expanded::Itself { object } => {
                2 * u8::from(self.asked == Subject::Object(object.clone()))
            }
            Expanded::Nobody => 0,
        }
    }

    fn stands(&self, member: &ExpandedMember, values: &[u8]) -> u8 {
        match (&member.subject, &self.asked) {
            (subject, asked) if subject == asked => 2,
            (Subject::Everyone, Subject::Actor(_)) => 2,
            (Subject::Every(resource), Subject::Object(object)) => {
                2 * u8::from(object.resource() == resource.as_str())
            }
            _ => member.leads_to.map_or(0, |at| values[at]),
        }
    }

    fn terms(&self, member: &ExpandedMember) -> u8 {
        let time: Time = self.circumstances.time;
        if member.terms.has_expired(time) {
            return 0;
        }
        let Some(used) = &member.terms.condition else {
            return 2;
        };
        let (condition, _) = self.policy.condition(used.name.as_str()).unwrap();
        let given = &self.circumstances.context;
        match condition.evaluate(&used.context, given, time).outcome {
            Outcome::True => 2,
            Outcome::False => 0,
            Outcome::Missing(_) | Outcome::Failed(_) => 1,
        }
    }
}

fn one_question(random: &mut Random, scene: &Scene) {
    let at = random.below(scene.past.len());
    let world = &scene.past[at].0;
    let asked = ask(random, &scene.schema, &scene.cast, world);
    let _told = Told(|| format!("{}\n{}\n{world:#?}", question(&asked), scene.text));
    let view = scene.history.at(at as u64).unwrap();
    let tree = match expand(&view, &object(&asked.object), &asked.name) {
        // So tangled that nobody could look at it.
        Err(CheckError::TooManySteps { .. }) => return,
        tree => tree.unwrap(),
    };
    if scene.cast.actors.len() <= 4 {
        let naive = Naive::new(&scene.policy, world);
        let same = expand(&naive, &object(&asked.object), &asked.name).unwrap();
        assert_eq!(same, tree, "the order is that of names");
    }
    let _told = Told(|| format!("{tree}"));
    for _ in 0..4 {
        let (who, when) = (
            ask(random, &scene.schema, &scene.cast, world).who,
            when(random),
        );
        let _told = Told(|| {
            format!(
                "{} When {{ {when:?}",
                question(&Asked {
                    who: who.clone(),
                    ..asked.clone()
                })
            )
        });
        let evaluation = Evaluation {
            policy: &scene.policy,
            tree: &tree,
            asked: subject(&who),
            circumstances: circumstances(&when),
        };
        let answers = Answers::new(&scene.schema, world, &when, &who, &asked.object);
        let expected = answers.value(&asked.object, &asked.name);
        assert_eq!(evaluation.run(), expected);
    }
}

#[test]
fn expansions_mean_what_check_says() {
    let seed = seed();
    for round in 0..rounds(60) {
        let seed = seed.wrapping_add(round);
        let _told = Told(|| format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1"));
        let mut random = Random::new(seed);
        if let Some(scene) = Scene::new(&mut random) {
            for _ in 0..4 {
                one_question(&mut random, &scene);
            }
        }
    }
}

#[test]
fn a_tree_reads_from_top_to_bottom() {
    let text = "
resources:
- name: document
  relations:
  - name: parent
    types: [folder]
  - name: reader
    types: [actor, '*', 'group->member', 'actor with expiration']
  - name: banned
  permissions:
  - name: read
    expr: (reader + parent->view) - banned
- name: folder
  relations:
  - name: parent
    types: [folder]
  - name: viewer
    types: ['group->member']
  permissions:
  - name: view
    expr: viewer + parent->view
- name: group
  relations:
  - name: member
    types: [actor, 'group->member']
";
    let facts = [
        "document:1#parent@folder:a",
        "document:1#reader@*",
        "document:1#reader@group:eng#member",
        "document:1#reader@did:key:zAnn with expiration 2027-01-01T00:00:00Z",
        "document:1#banned@did:key:zBob",
        "folder:a#parent@folder:a",
        "folder:a#viewer@group:eng#member",
        "group:eng#member@did:key:zCid",
    ];
    let facts: Vec<policy::Relationship> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    let history = policy::History::of(Policy::parse(text).unwrap(), &facts).unwrap();
    let view = history.at(0).unwrap();
    let tree = expand(&view, &"document:1".parse().unwrap(), "read").unwrap();
    let expected = "\
document:1#read
  any of
    document:1#owner
      owner: nobody
    the first without the second
      any of
        document:1#reader
          members
            did:key:zAnn with expiration 2027-01-01T00:00:00Z
            *
            group:eng#member
              group:eng#member
                members
                  did:key:zCid
        parent->view
          folder:a
            folder:a#view
              any of
                folder:a#owner
                  owner: nobody
                folder:a#viewer
                  members
                    group:eng#member
                      group:eng#member (shown above)
                parent->view
                  folder:a
                    folder:a#view (a circle: hangs on itself)
      document:1#banned
        members
          did:key:zBob
";
    assert_eq!(tree.to_string(), expected, "{tree}");
}
