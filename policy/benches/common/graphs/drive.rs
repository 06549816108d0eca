//! Documents in folders five deep, shared with people and with groups inside of groups.

use super::{Fact, Graph, Pair, Random};

/// Folders lie in folders, this many levels, each twice as many as the one above.
const LEVELS: usize = 5;

/// Documents a folder of the lowest level, and a group.
const DOCUMENTS_PER_FOLDER: usize = 20;
const DOCUMENTS_PER_GROUP: usize = 50;
const DOCUMENTS_PER_USER: usize = 10;

/// Groups lie inside of groups: every group but each first of ten lies in one of those ten.
const GROUPS_PER_TREE: usize = 10;
const GROUPS_OF_A_USER: usize = 3;

/// Relationships that come with one document, ten times as many: an owner, a place, one and a half
/// readers or writers, its part of folders, groups and users, and every tenth a ban.
const RELATIONSHIPS_PER_TEN_DOCUMENTS: usize = 45;

pub struct Drive {
    folders: Vec<Folder>,
    documents: Vec<Document>,
    groups: Vec<Group>,
    groups_of: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    User(usize),
    Group(usize),
}

struct Folder {
    owner: usize,
    inside: Option<usize>,
    viewers: Vec<Who>,
}

struct Document {
    folder: usize,
    owner: usize,
    readers: Vec<Who>,
    writers: Vec<usize>,
    banned: Option<usize>,
}

struct Group {
    inside: Option<usize>,
    holds: Vec<usize>,
    members: Vec<usize>,
}

impl Drive {
    /// Whether somebody is in a group or in one inside of it.
    fn is_in(&self, user: usize, group: usize) -> bool {
        self.groups_of[user].iter().any(|own| {
            let mut at = Some(*own);
            while at.is_some_and(|at| at != group) {
                at = at.and_then(|at| self.groups[at].inside);
            }
            at.is_some()
        })
    }

    fn is_among(&self, user: usize, all: &[Who]) -> bool {
        all.iter().any(|who| match *who {
            Who::User(other) => other == user,
            Who::Group(group) => self.is_in(user, group),
        })
    }

    /// The folders above a document, the nearest first.
    fn above(&self, document: usize) -> impl Iterator<Item = &Folder> {
        let nearest = self.documents[document].folder;
        let up = |at: &usize| self.folders[*at].inside;
        std::iter::successors(Some(nearest), up).map(|at| &self.folders[at])
    }

    fn somebody(&self, who: Who, random: &mut Random) -> usize {
        match who {
            Who::User(user) => user,
            Who::Group(mut group) => loop {
                let Group { holds, members, .. } = &self.groups[group];
                if !holds.is_empty() && (members.is_empty() || random.chance(60)) {
                    group = *random.pick(holds);
                } else if members.is_empty() {
                    break 0;
                } else {
                    break *random.pick(members);
                }
            },
        }
    }
}

impl Graph for Drive {
    const NAME: &'static str = "drive";
    const PERMISSION: &'static str = "read";
    const RESOURCE: &'static str = "document";
    const POLICY: &'static str = "
name: drive
resources:
- name: document
  relations:
  - name: parent
    types: [folder]
  - name: reader
    types: [actor, group->member]
  - name: writer
    types: [actor, group->member]
  - name: banned
    types: [actor]
  permissions:
  - name: write
    expr: writer - banned
  - name: read
    expr: reader + writer + parent->view - banned
- name: folder
  relations:
  - name: parent
    types: [folder]
  - name: viewer
    types: [actor, group->member]
  permissions:
  - name: view
    expr: viewer + parent->view
- name: group
  relations:
  - name: member
    types: [actor, group->member]
";

    fn new(relationships: usize, random: &mut Random) -> Self {
        let documents = (relationships * 10 / RELATIONSHIPS_PER_TEN_DOCUMENTS).max(100);
        let groups = documents / DOCUMENTS_PER_GROUP;
        let users = documents / DOCUMENTS_PER_USER;
        let share = |random: &mut Random| match random.chance(50) {
            true => Who::User(random.below(users)),
            false => Who::Group(random.below(groups)),
        };

        let mut all_groups: Vec<Group> = (0..groups)
            .map(|at| Group {
                // One of those before it in its tree, so trees are some three deep.
                inside: (at % GROUPS_PER_TREE > 0)
                    .then(|| at - 1 - random.below(at % GROUPS_PER_TREE)),
                holds: vec![],
                members: vec![],
            })
            .collect();
        for at in 0..groups {
            if let Some(inside) = all_groups[at].inside {
                all_groups[inside].holds.push(at);
            }
        }
        let groups_of: Vec<Vec<usize>> = (0..users)
            .map(|user| {
                let mut own: Vec<usize> = (0..GROUPS_OF_A_USER)
                    .map(|_| random.below(groups))
                    .collect();
                own.sort_unstable();
                own.dedup();
                own.iter()
                    .for_each(|group| all_groups[*group].members.push(user));
                own
            })
            .collect();

        let lowest = documents.div_ceil(DOCUMENTS_PER_FOLDER);
        let mut folders: Vec<Folder> = vec![];
        let mut above = 0..0;
        for level in 0..LEVELS {
            let count = (lowest >> (LEVELS - 1 - level)).max(1);
            let first = folders.len();
            for _ in 0..count {
                let inside = (level > 0).then(|| above.start + random.below(above.len()));
                let viewers = (0..1 + random.below(2)).map(|_| share(random)).collect();
                folders.push(Folder {
                    owner: random.below(users),
                    inside,
                    viewers,
                });
            }
            above = first..folders.len();
        }
        let documents = (0..documents)
            .map(|_| Document {
                folder: above.start + random.below(above.len()),
                owner: random.below(users),
                readers: (0..random.below(3)).map(|_| share(random)).collect(),
                writers: (0..random.below(2)).map(|_| random.below(users)).collect(),
                banned: random.chance(10).then(|| random.below(users)),
            })
            .collect();
        Self {
            folders,
            documents,
            groups: all_groups,
            groups_of,
        }
    }

    fn relationships(&self) -> impl Iterator<Item = Fact> + '_ {
        let group = |(at, group): (usize, &Group)| {
            let first = group.members.first().copied().unwrap_or(0);
            let owner = Fact::Owner(format!("group:g{at}"), Self::actor(first));
            let held = group.holds.iter().map(|held| Who::Group(*held));
            let members = held.chain(group.members.iter().map(|user| Who::User(*user)));
            let members: Vec<Fact> = members
                .map(|who| fact("group:g", at, "member", who))
                .collect();
            std::iter::once(owner).chain(members)
        };
        let folder = |(at, folder): (usize, &Folder)| {
            let owner = Fact::Owner(format!("folder:f{at}"), Self::actor(folder.owner));
            let inside = folder
                .inside
                .map(|inside| Fact::Relationship(format!("folder:f{at}#parent@folder:f{inside}")));
            let viewers = folder.viewers.iter();
            let viewers: Vec<Fact> = viewers
                .map(|who| fact("folder:f", at, "viewer", *who))
                .collect();
            std::iter::once(owner).chain(inside).chain(viewers)
        };
        let document = |(at, document): (usize, &Document)| {
            let name = format!("document:{}", Self::object(at));
            let inside = format!("{name}#parent@folder:f{}", document.folder);
            let mut all = vec![
                Fact::Owner(name, Self::actor(document.owner)),
                Fact::Relationship(inside),
            ];
            let to = |relation, who| fact("document:d", at, relation, who);
            all.extend(document.readers.iter().map(|who| to("reader", *who)));
            all.extend(
                document
                    .writers
                    .iter()
                    .map(|user| to("writer", Who::User(*user))),
            );
            all.extend(document.banned.map(|user| to("banned", Who::User(user))));
            all
        };
        let groups = self.groups.iter().enumerate().flat_map(group);
        let folders = self.folders.iter().enumerate().flat_map(folder);
        let documents = self.documents.iter().enumerate().flat_map(document);
        groups.chain(folders).chain(documents)
    }

    fn draw(&self, allowed: bool, random: &mut Random) -> Pair {
        let object = random.below(self.documents.len());
        if !allowed {
            let actor = random.below(self.groups_of.len());
            return Pair { object, actor };
        }
        let document = &self.documents[object];
        let mut all = document.readers.clone();
        all.extend(document.writers.iter().map(|user| Who::User(*user)));
        all.extend(self.above(object).flat_map(|folder| folder.viewers.iter()));
        let actor = self.somebody(*random.pick(&all), random);
        Pair { object, actor }
    }

    fn allows(&self, Pair { object, actor }: Pair) -> bool {
        let document = &self.documents[object];
        let is_granted = document.writers.contains(&actor)
            || self.is_among(actor, &document.readers)
            || self
                .above(object)
                .any(|folder| folder.owner == actor || self.is_among(actor, &folder.viewers));
        document.owner == actor || is_granted && document.banned != Some(actor)
    }

    fn object(of: usize) -> String {
        format!("d{of}")
    }

    fn actor(of: usize) -> String {
        // As long as the DID of an ed25519 key.
        format!("did:key:z6Mk{of:0>44}")
    }
}

fn fact(object: &str, at: usize, relation: &str, who: Who) -> Fact {
    let subject = match who {
        Who::User(user) => Drive::actor(user),
        Who::Group(group) => format!("group:g{group}#member"),
    };
    Fact::Relationship(format!("{object}{at}#{relation}@{subject}"))
}
