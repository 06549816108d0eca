//! People with friends, few of whom have very many; communities; posts that friends and members see,
//! except for those whom the author blocks.

use super::{Fact, Graph, Pair, Random};

const POSTS_PER_PERSON: usize = 10;
const PEOPLE_PER_COMMUNITY: usize = 50;
const COMMUNITIES_OF_A_PERSON: usize = 3;

/// Every person has at least so many friends; the most popular have a hundred times as many.
const FRIENDS_MIN: usize = 4;
const FRIENDS_MAX: usize = 100 * FRIENDS_MIN;

/// Relationships that come with one person: owner of the profile, some twenty friends, one whom they
/// block, three communities, and ten posts with owner, author and community.
const RELATIONSHIPS_PER_PERSON: usize = 54;

pub struct Social {
    people: Vec<Person>,
    communities: Vec<Vec<usize>>,
    posts: Vec<Post>,
}

struct Person {
    friends: Vec<usize>,
    blocked: usize,
    communities: Vec<usize>,
}

struct Post {
    author: usize,
    community: usize,
}

impl Graph for Social {
    const NAME: &'static str = "social";
    const PERMISSION: &'static str = "view";
    const RESOURCE: &'static str = "post";
    const POLICY: &'static str = "
name: social
resources:
- name: profile
  relations:
  - name: friend
    types: [actor]
  - name: blocked
    types: [actor]
  permissions:
  - name: see
    expr: friend - blocked
- name: community
  relations:
  - name: member
    types: [actor]
- name: post
  relations:
  - name: author
    types: [profile]
  - name: community
    types: [community]
  permissions:
  - name: view
    expr: author->see + community->member - author->blocked
";

    fn new(relationships: usize, random: &mut Random) -> Self {
        let count = (relationships / RELATIONSHIPS_PER_PERSON).max(2 * PEOPLE_PER_COMMUNITY);
        let mut communities = vec![vec![]; count / PEOPLE_PER_COMMUNITY];
        let people: Vec<Person> = (0..count)
            .map(|at| {
                let friends = FRIENDS_MIN * (100 / (1 + random.below(100)));
                let friends = friends.min(FRIENDS_MAX).min(count / 4);
                let mut own: Vec<usize> = (0..COMMUNITIES_OF_A_PERSON)
                    .map(|_| random.below(communities.len()))
                    .collect();
                own.sort_unstable();
                own.dedup();
                own.iter()
                    .for_each(|community| communities[*community].push(at));
                let mut friends: Vec<usize> = (0..friends).map(|_| random.below(count)).collect();
                friends.sort_unstable();
                friends.dedup();
                Person {
                    friends,
                    blocked: random.below(count),
                    communities: own,
                }
            })
            .collect();
        let posts = (0..count * POSTS_PER_PERSON)
            .map(|at| {
                let author = at / POSTS_PER_PERSON;
                let community = *random.pick(&people[author].communities);
                Post { author, community }
            })
            .collect();
        Self {
            people,
            communities,
            posts,
        }
    }

    fn relationships(&self) -> impl Iterator<Item = Fact> + '_ {
        let person = |(at, person): (usize, &Person)| {
            let to = |relation, other| {
                Fact::Relationship(format!("profile:p{at}#{relation}@{}", Self::actor(other)))
            };
            let mut all = vec![Fact::Owner(format!("profile:p{at}"), Self::actor(at))];
            all.extend(person.friends.iter().map(|friend| to("friend", *friend)));
            all.push(to("blocked", person.blocked));
            all
        };
        let community = |(at, members): (usize, &Vec<usize>)| {
            let owner = members.first().copied().unwrap_or(0);
            let mut all = vec![Fact::Owner(format!("community:c{at}"), Self::actor(owner))];
            all.extend(members.iter().map(|member| {
                Fact::Relationship(format!("community:c{at}#member@{}", Self::actor(*member)))
            }));
            all
        };
        let post = |(at, post): (usize, &Post)| {
            let name = format!("post:{}", Self::object(at));
            let author = format!("{name}#author@profile:p{}", post.author);
            let community = format!("{name}#community@community:c{}", post.community);
            [
                Fact::Owner(name, Self::actor(post.author)),
                Fact::Relationship(author),
                Fact::Relationship(community),
            ]
        };
        let people = self.people.iter().enumerate().flat_map(person);
        let communities = self.communities.iter().enumerate().flat_map(community);
        let posts = self.posts.iter().enumerate().flat_map(post);
        people.chain(communities).chain(posts)
    }

    fn draw(&self, allowed: bool, random: &mut Random) -> Pair {
        let object = random.below(self.posts.len());
        let Post { author, community } = self.posts[object];
        let actor = match allowed {
            false => random.below(self.people.len()),
            true if random.chance(50) => *random.pick(&self.people[author].friends),
            true => *random.pick(&self.communities[community]),
        };
        Pair { object, actor }
    }

    fn allows(&self, Pair { object, actor }: Pair) -> bool {
        let Post { author, community } = self.posts[object];
        let person = &self.people[author];
        let is_member = self.people[actor].communities.contains(&community);
        // The profile is its owner's, and so is what the owner sees of it.
        let sees = author == actor || person.friends.binary_search(&actor).is_ok();
        author == actor || (sees || is_member) && person.blocked != actor
    }

    fn object(of: usize) -> String {
        format!("m{of}")
    }

    fn actor(of: usize) -> String {
        format!("did:key:z6Mk{of:0>44}")
    }
}
