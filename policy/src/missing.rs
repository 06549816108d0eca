//! Which parameters a conditional answer lacks: those of conditions that can matter to it.
//!
//! Goes from the question down through what the two walks found: a node, or a part of an
//! expression, matters if it is unknown as things stand and becomes what is wished for once the
//! lacking conditions do.
//!
//! It is no part of consensus: it comes after the answer, changes neither decision nor steps nor time,
//! and fails at nothing: what cannot be read is unknown here, and what goes beyond its own bound is left
//! out. It goes on where the walk would, so in the end it looks at what the walk read.

use alloc::{collections::BTreeSet, string::String, vec, vec::Vec};

use crate::{
    check::{arrow_target, Walk},
    lacking::{turns, Lacking},
    reader::ReadError,
    relationships::{MemberRef, NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Arrow, Body, Op},
    standing::{type_of, Standing},
    truth::Truth,
    types::{SubjectType, Types},
};

/// A relationship whose condition lacks parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lack {
    pub object: ObjectId,
    /// The node that records the relation.
    pub relation: NodeId,
    pub subject: SubjectRef,
    pub terms: TermsId,
    pub names: Vec<String>,
}

/// What may matter, and below which node.
enum Need {
    Lack(Lack),
    Node(ObjectId, NodeId, Lacking),
}

/// A part of an expression: its value as things stand, what it may become, and what that takes.
struct Part {
    plain: Truth,
    wished: Truth,
    needs: Vec<Need>,
}

impl Part {
    /// Forgets what it takes, where it is settled or cannot become what is wished for.
    fn only_if_it_matters(mut self, lacking: Lacking) -> Self {
        if self.plain != Truth::Unknown || self.wished != lacking.truth() {
            self.needs.clear();
        }
        self
    }
}

/// The names that the conditional answer of `walk` lacks, sorted.
pub(crate) fn names<R: Relationships + ?Sized>(walk: &mut Walk<'_, R>) -> Vec<String> {
    names_of(&lacks(walk))
}

/// The names that these lack together, sorted.
pub(crate) fn names_of(lacks: &[Lack]) -> Vec<String> {
    let names: BTreeSet<&String> = lacks.iter().flat_map(|lack| &lack.names).collect();
    names.into_iter().cloned().collect()
}

/// The relationships whose conditions lack what can matter to the conditional answer of `walk`, each
/// once. Some are left out where the walk [is looked out](Walk::is_looked_out) then.
pub(crate) fn lacks<R: Relationships + ?Sized>(walk: &mut Walk<'_, R>) -> Vec<Lack> {
    let (object, node) = walk.root();
    let mut search = Search { walk };
    let mut lacks = BTreeSet::new();
    let mut open = vec![Need::Node(object, node, Lacking::Holds)];
    let mut known = BTreeSet::new();
    while let Some(need) = open.pop() {
        match need {
            Need::Lack(lack) => drop(lacks.insert(lack)),
            Need::Node(object, node, lacking) => {
                let is_new = known.insert((object, node, lacking == Lacking::Holds));
                if is_new && search.walk.look_at(1) {
                    open.extend(search.needs(object, node, lacking));
                }
            }
        }
    }
    lacks.into_iter().collect()
}

struct Search<'w, 'a, R: ?Sized> {
    walk: &'w mut Walk<'a, R>,
}

impl<R: Relationships + ?Sized> Search<'_, '_, R> {
    fn needs(&mut self, object: ObjectId, node: NodeId, lacking: Lacking) -> Vec<Need> {
        let policy = self.walk.policy();
        match policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => vec![],
            Some(Body::Relation(types)) => self.relation(object, node, types, lacking),
            Some(Body::Computed(ops)) => self.computed(object, ops, lacking),
        }
    }

    fn relation(
        &mut self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
        lacking: Lacking,
    ) -> Vec<Need> {
        let relationships = self.walk.relationships();
        let mut needs = vec![];
        for (kind, member) in self.walk.asked().members().into_iter().flatten() {
            let Some(member) = member.filter(|_| types.admits_type(kind)) else {
                continue;
            };
            if let Ok(Some(terms)) = relationships.contains(object, node, member) {
                let place = (object, node, member);
                let part = self.member(place, types, kind, terms, None, lacking);
                needs.extend(part.map(|part| part.needs).unwrap_or_default());
            }
        }
        if !types.admits_usersets() {
            return needs;
        }
        let (members, _) = self.members(|into| relationships.usersets(object, node, into));
        for member in members {
            let (Some(kind), SetRef::Userset(of, relation)) = (type_of(member.set), member.set)
            else {
                continue;
            };
            let place = (object, node, SubjectRef::Userset(of, relation));
            let child = Some((of, relation));
            let part = self.member(place, types, kind, member.terms, child, lacking);
            needs.extend(part.map(|part| part.needs).unwrap_or_default());
        }
        needs
    }

    /// What a member gives, through its terms and the node behind it.
    fn member(
        &mut self,
        (object, relation, subject): (ObjectId, NodeId, SubjectRef),
        types: &Types,
        kind: SubjectType,
        terms: TermsId,
        child: Option<(ObjectId, NodeId)>,
        lacking: Lacking,
    ) -> Option<Part> {
        let found = self.standing(types, kind, terms);
        let plain = found.value?;
        let wished = match found.missing.is_empty() {
            true => plain,
            false => lacking.truth(),
        };
        let mut part = Part {
            plain,
            wished,
            needs: vec![],
        };
        if !found.missing.is_empty() {
            part.needs.push(Need::Lack(Lack {
                object,
                relation,
                subject,
                terms,
                names: found.missing,
            }));
        }
        if let Some((object, node)) = child.filter(|_| plain != Truth::False) {
            part.plain = plain.and(self.value(object, node, Lacking::Unknown));
            part.wished = wished.and(self.value(object, node, lacking));
            part.needs.push(Need::Node(object, node, lacking));
        }
        Some(part.only_if_it_matters(lacking))
    }

    fn computed(&mut self, object: ObjectId, ops: &[Op], lacking: Lacking) -> Vec<Need> {
        let turns = turns(ops);
        let mut stack: Vec<Part> = vec![];
        let mut next = 0;
        while let (Some(op), Some(turn)) = (ops.get(next), turns.get(next)) {
            next += 1;
            let lacking = lacking.turned_if(*turn);
            let part = match *op {
                Op::SkipIfTrue(to) | Op::SkipIfFalse(to) => {
                    let decides = Truth::from(matches!(op, Op::SkipIfTrue(_)));
                    if stack.last().is_some_and(|left| left.plain == decides) {
                        next = to as usize;
                    }
                    continue;
                }
                Op::Visit(node) => Part {
                    plain: self.value(object, node, Lacking::Unknown),
                    wished: self.value(object, node, lacking),
                    needs: vec![Need::Node(object, node, lacking)],
                },
                Op::Itself => {
                    let itself = Truth::from(self.walk.asked().is_object(object));
                    Part {
                        plain: itself,
                        wished: itself,
                        needs: vec![],
                    }
                }
                Op::Arrow(at) => match self.walk.policy().arrows.get(at as usize) {
                    Some(arrow) => self.arrow(object, arrow, lacking),
                    None => continue,
                },
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    let table = |left: Truth, right: Truth| match op {
                        Op::Union => left.or(right),
                        Op::Difference => left.and(right.not()),
                        _ => left.and(right),
                    };
                    let mut needs = left.needs;
                    needs.extend(right.needs);
                    Part {
                        plain: table(left.plain, right.plain),
                        wished: table(left.wished, right.wished),
                        needs,
                    }
                }
            };
            stack.push(part.only_if_it_matters(lacking));
        }
        stack.pop().map(|part| part.needs).unwrap_or_default()
    }

    fn arrow(&mut self, object: ObjectId, arrow: &Arrow, lacking: Lacking) -> Part {
        let policy = self.walk.policy();
        let mut whole = Part {
            plain: Truth::from(arrow.all),
            wished: Truth::from(arrow.all),
            needs: vec![],
        };
        let mut nobody = true;
        let body = policy.body_node(arrow.relation).map(|node| &node.body);
        if let Some(Body::Relation(types)) = body {
            let relationships = self.walk.relationships();
            let (members, is_all) =
                self.members(|into| relationships.targets(object, arrow.relation, into));
            if !is_all {
                // There may be one more, of which nothing is known.
                (whole.plain, whole.wished) = (Truth::Unknown, Truth::Unknown);
                nobody = false;
            }
            for member in members {
                if whole.plain == Truth::from(!arrow.all) {
                    break;
                }
                let child = arrow_target(policy, arrow, member.set);
                let subject = match member.set {
                    SetRef::Object(object, _) => SubjectRef::Object(object),
                    SetRef::Userset(object, node) => SubjectRef::Userset(object, node),
                    SetRef::Foreign => continue,
                };
                let Some(kind) = type_of(member.set) else {
                    continue;
                };
                let place = (object, arrow.relation, subject);
                let part = self.member(place, types, kind, member.terms, child, lacking);
                let Some(mut part) = part else {
                    continue;
                };
                nobody = false;
                if child.is_none() {
                    // It leads nowhere, so it does not grant.
                    (part.plain, part.wished) = (Truth::False, Truth::False);
                    part.needs.clear();
                }
                let table = match arrow.all {
                    true => Truth::and,
                    false => Truth::or,
                };
                whole.plain = table(whole.plain, part.plain);
                whole.wished = table(whole.wished, part.wished);
                whole.needs.extend(part.needs);
            }
        }
        if nobody {
            (whole.plain, whole.wished) = (Truth::False, Truth::False);
        }
        whole
    }

    /// The members that `read` lists, as far as there may be as many, and whether that is all.
    fn members(
        &mut self,
        read: impl FnOnce(&mut Vec<MemberRef>) -> Result<(), ReadError>,
    ) -> (Vec<MemberRef>, bool) {
        let mut members = vec![];
        let is_all = read(&mut members).is_ok();
        match self.walk.look_at(members.len()) {
            true => (members, is_all),
            false => (vec![], false),
        }
    }

    fn standing(&mut self, types: &Types, subject: SubjectType, terms: TermsId) -> Standing {
        self.walk.judge(types, subject, terms)
    }

    fn value(&mut self, object: ObjectId, node: NodeId, lacking: Lacking) -> Truth {
        let found = self.walk.look(object, node, lacking);
        found.unwrap_or(lacking.truth())
    }
}
