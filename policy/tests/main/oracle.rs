//! The naive evaluator: the meaning of docs/spec/policy.md, written from the page and sharing
//! nothing with the engine. It fills a table with *unknown* and sweeps it until nothing changes.

use std::collections::{BTreeMap, BTreeSet};

pub type Object = (String, String);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Actor(String),
    Everyone,
    Every(String),
    Object(Object),
    Userset(Object, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Actor,
    Everyone,
    Every(String),
    Object(String),
    Userset(String, String),
}

/// An entry of `types`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    pub kind: Kind,
    pub condition: Option<String>,
    pub expires: bool,
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            condition: None,
            expires: false,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Expr {
    Name(String),
    Itself,
    /// A target ends in `?` where not all resources need to define it.
    Arrow(String, String),
    /// The intersection arrow.
    All(String, String),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Minus(Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug, Default)]
pub struct Relation {
    pub types: Vec<Type>,
    pub manages: BTreeSet<String>,
    /// Its own bare name in it means its recorded members. Without that it records nobody.
    pub expr: Option<Expr>,
}

#[derive(Clone, Debug, Default)]
pub struct Resource {
    pub relations: BTreeMap<String, Relation>,
    pub permissions: BTreeMap<String, Option<Expr>>,
}

#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub resources: BTreeMap<String, Resource>,
    pub without_owner: bool,
    pub conditions: BTreeMap<String, Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Int(i64),
    Bool(bool),
}

pub type Values = BTreeMap<String, Value>;

/// A condition over parameters whose names begin with `n` (int) or `b` (bool), and the time.
#[derive(Clone, Debug)]
pub struct Condition {
    pub parameters: BTreeSet<String>,
    pub test: Test,
}

#[derive(Clone, Debug)]
pub enum Test {
    Flag(String),
    Less(String, i64),
    /// `12 / n > m`: fails where n is zero. Stands alone.
    Ratio(String, i64),
    Before(i64),
    Not(Box<Test>),
    Or(Box<Test>, Box<Test>),
    And(Box<Test>, Box<Test>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Terms {
    pub condition: Option<(String, Values)>,
    pub expires: Option<i64>,
}

/// A document: object, author (unless creation is asked about), scope relation, scope.
pub type Document = (Object, Option<String>, String, Object);

pub type Facts = BTreeMap<(Object, String), BTreeMap<Who, Terms>>;

#[derive(Clone, Debug, Default)]
pub struct World {
    pub owners: BTreeMap<Object, String>,
    pub archived: BTreeSet<Object>,
    pub facts: Facts,
    pub documents: Vec<Document>,
    /// Laid over the facts for one question.
    pub contextual: Facts,
}

/// What a question is asked under, beside the world.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub time: i64,
    pub context: Values,
}

/// What a condition that lacks context counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lacking {
    Unknown,
    Holds,
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Allow,
    Deny,
    Conditional,
}

/// A condition used by a relationship: object, relation, subject.
pub type Use = (Object, String, Who);

/// 0 is false, 1 unknown, 2 true.
type Table = BTreeMap<(Object, String, Lacking), u8>;

struct Oracle<'a> {
    schema: &'a Schema,
    world: &'a World,
    when: &'a When,
    asked: &'a Who,
    /// How conditions that lack context or fail come out, where that is assumed.
    assumed: &'a BTreeMap<Use, bool>,
}

/// All that is so for one subject.
pub struct Answers(Table);

impl Answers {
    pub fn new(schema: &Schema, world: &World, when: &When, asked: &Who, about: &Object) -> Self {
        Self::assuming(schema, world, when, asked, about, &BTreeMap::new())
    }

    pub fn assuming(
        schema: &Schema,
        world: &World,
        when: &When,
        asked: &Who,
        about: &Object,
        assumed: &BTreeMap<Use, bool>,
    ) -> Self {
        let oracle = Oracle {
            schema,
            world,
            when,
            asked,
            assumed,
        };
        let mut objects = universe(world);
        objects.insert(about.clone());
        if let Who::Object(object) | Who::Userset(object, _) = asked {
            objects.insert(object.clone());
        }
        let mut table = Table::new();
        loop {
            let next = objects.iter().flat_map(|o| oracle.sweep(o, &table));
            let next: Table = next.collect();
            if next == table {
                return Self(table);
            }
            table = next;
        }
    }

    /// The value of a node as things stand: 0 is false, 1 unknown, 2 true.
    pub fn value(&self, object: &Object, name: &str) -> u8 {
        get(&self.0, object, name, Lacking::Unknown)
    }

    /// What is decided, where no condition fails.
    pub fn says(&self, object: &Object, name: &str) -> Says {
        match self.value(object, name) {
            2 => Says::Allow,
            1 if get(&self.0, object, name, Lacking::Holds) == 2 => Says::Conditional,
            _ => Says::Deny,
        }
    }
}

/// All objects that a world speaks of.
pub fn universe(world: &World) -> BTreeSet<Object> {
    let mut objects: BTreeSet<Object> = world.owners.keys().cloned().collect();
    for ((object, _), members) in world.facts.iter().chain(&world.contextual) {
        objects.insert(object.clone());
        for who in members.keys() {
            if let Who::Object(object) | Who::Userset(object, _) = who {
                objects.insert(object.clone());
            }
        }
    }
    for (document, _, _, scope) in &world.documents {
        objects.extend([document.clone(), scope.clone()]);
    }
    objects
}

fn get(table: &Table, object: &Object, name: &str, lacking: Lacking) -> u8 {
    let value = table.get(&(object.clone(), name.into(), lacking));
    value.copied().unwrap_or(1)
}

/// Who owns an object, where no name says it.
const OWNER: &str = " owner";

/// What a relation's own name means in its own expression.
fn recorded(relation: &str) -> String {
    format!(" {relation}")
}

/// What a condition comes to; `None` is unknown for good: it failed.
enum Outcome {
    Is(bool),
    Lacks,
    Fails,
}

impl Oracle<'_> {
    /// All nodes of one object, from the table of the round before.
    fn sweep(&self, o: &Object, table: &Table) -> Vec<((Object, String, Lacking), u8)> {
        let Some(resource) = self.schema.resources.get(&o.0) else {
            return vec![];
        };
        let mut all = vec![];
        for lacking in [Lacking::Unknown, Lacking::Holds, Lacking::Fails] {
            let get = |name: &str| get(table, o, name, lacking);
            let name = if self.schema.without_owner {
                OWNER
            } else {
                "owner"
            };
            let owner = get(name);
            let always = if self.schema.without_owner { 0 } else { owner };
            let mut values = vec![(name.to_string(), self.owns(o))];
            for (name, relation) in &resource.relations {
                let members = self.members(o, name, lacking).into_iter();
                let members = members.map(|(who, on)| on.min(self.stands(&who, table, lacking)));
                let members = members.max().unwrap_or(0);
                values.push((recorded(name), members));
                values.push((
                    name.clone(),
                    match &relation.expr {
                        None => members,
                        Some(expr) => self.eval(o, expr, table, lacking, Some(name)),
                    },
                ));
            }
            for (permission, expr) in &resource.permissions {
                let value = expr
                    .as_ref()
                    .map_or(0, |expr| self.eval(o, expr, table, lacking, None));
                values.push((permission.clone(), always.max(value)));
            }
            let implicit = Some("owner".to_string()).filter(|_| !self.schema.without_owner);
            for managed in resource.relations.keys().chain(&implicit) {
                let managers = resource.relations.iter();
                let managers = managers.filter(|(_, manager)| manager.manages.contains(managed));
                let value = managers.map(|(manager, _)| get(manager)).max();
                values.push((format!("manage({managed})"), owner.max(value.unwrap_or(0))));
            }
            let is_asked = |name: &str| *self.asked == Who::Userset(o.clone(), name.into());
            all.extend(values.into_iter().map(|(name, value)| {
                let value = if is_asked(&name) { 2 } else { value };
                ((o.clone(), name, lacking), value)
            }));
        }
        all
    }

    /// Whether it is asked if the document may be created: then it has no record, whatever is recorded.
    fn creating(&self, o: &Object) -> bool {
        let mut documents = self.world.documents.iter();
        documents.any(|d| d.0 == *o && d.1.is_none())
    }

    fn owns(&self, o: &Object) -> u8 {
        if self.creating(o) {
            return 0;
        }
        let author = || self.world.documents.iter().find(|d| d.0 == *o)?.1.clone();
        let owner = self.world.owners.get(o).cloned().or_else(author);
        let owns = owner.is_some_and(|owner| *self.asked == Who::Actor(owner));
        2 * u8::from(owns && !self.world.archived.contains(o))
    }

    /// Who stands in a relation, as far as its types allow, and what their terms say.
    fn members(&self, o: &Object, relation: &str, lacking: Lacking) -> Vec<(Who, u8)> {
        let creating = self.creating(o);
        if self.world.archived.contains(o) && !creating {
            return vec![];
        }
        let mut all: BTreeMap<Who, Terms> = BTreeMap::new();
        for facts in [&self.world.facts, &self.world.contextual] {
            let here = facts.get(&(o.clone(), relation.into()));
            let here = here.filter(|_| !creating).into_iter().flatten();
            all.extend(here.map(|(who, terms)| (who.clone(), terms.clone())));
        }
        let documents = self.world.documents.iter();
        let scopes = documents.filter(|d| d.0 == *o && d.2 == relation);
        let scopes = scopes.map(|d| (Who::Object(d.3.clone()), Terms::default()));
        let stands = |(who, terms): (Who, Terms)| {
            let on = self.on_terms(o, relation, &who, &terms, lacking)?;
            Some((who, on))
        };
        all.into_iter().chain(scopes).filter_map(stands).collect()
    }

    /// What a member's terms say; `None` where nobody stands there.
    fn on_terms(
        &self,
        o: &Object,
        relation: &str,
        who: &Who,
        terms: &Terms,
        lacking: Lacking,
    ) -> Option<u8> {
        let kind = match who {
            Who::Actor(_) => Kind::Actor,
            Who::Everyone => Kind::Everyone,
            Who::Every(resource) => Kind::Every(resource.clone()),
            Who::Object(o) => Kind::Object(o.0.clone()),
            Who::Userset(o, relation) => Kind::Userset(o.0.clone(), relation.clone()),
        };
        let entry = Type {
            kind,
            condition: terms.condition.as_ref().map(|(name, _)| name.clone()),
            expires: terms.expires.is_some(),
        };
        let relation_types = &self.schema.resources[&o.0].relations[relation].types;
        if !relation_types.contains(&entry) {
            return None;
        }
        if terms.expires.is_some_and(|end| end <= self.when.time) {
            return None;
        }
        let Some((name, given)) = &terms.condition else {
            return Some(2);
        };
        let condition = &self.schema.conditions[name];
        if !given
            .iter()
            .all(|(name, value)| fits(condition, name, *value))
        {
            return None;
        }
        let mut values = self.when.context.clone();
        values.extend(given.clone());
        let used = (o.clone(), relation.to_string(), who.clone());
        Some(match condition.outcome(&values, self.when.time) {
            Outcome::Is(holds) => 2 * u8::from(holds),
            Outcome::Lacks | Outcome::Fails if self.assumed.contains_key(&used) => {
                2 * u8::from(self.assumed[&used])
            }
            Outcome::Fails => 1,
            Outcome::Lacks => match lacking {
                Lacking::Unknown => 1,
                Lacking::Holds => 2,
                Lacking::Fails => 0,
            },
        })
    }

    fn stands(&self, who: &Who, table: &Table, lacking: Lacking) -> u8 {
        match (who, self.asked) {
            _ if who == self.asked => 2,
            (Who::Everyone, Who::Actor(_)) => 2,
            (Who::Every(resource), Who::Object(object)) if object.0 == *resource => 2,
            (Who::Userset(object, relation), _) => get(table, object, relation, lacking),
            _ => 0,
        }
    }

    fn eval(
        &self,
        o: &Object,
        expr: &Expr,
        table: &Table,
        lacking: Lacking,
        own: Option<&str>,
    ) -> u8 {
        let eval = |expr: &Expr| self.eval(o, expr, table, lacking, own);
        let turned = match lacking {
            Lacking::Unknown => Lacking::Unknown,
            Lacking::Holds => Lacking::Fails,
            Lacking::Fails => Lacking::Holds,
        };
        match expr {
            Expr::Name(name) if Some(name.as_str()) == own => {
                get(table, o, &recorded(name), lacking)
            }
            Expr::Name(name) => get(table, o, name, lacking),
            Expr::Itself => 2 * u8::from(*self.asked == Who::Object(o.clone())),
            Expr::Arrow(relation, target) => {
                let reached = self.reached(o, relation, target, table, lacking);
                reached.into_iter().max().unwrap_or(0)
            }
            Expr::All(relation, target) => {
                let reached = self.reached(o, relation, target, table, lacking);
                reached.into_iter().min().unwrap_or(0)
            }
            Expr::Or(a, b) => eval(a).max(eval(b)),
            Expr::And(a, b) => eval(a).min(eval(b)),
            Expr::Minus(a, b) => eval(a).min(2 - self.eval(o, b, table, turned, own)),
        }
    }

    fn reached(
        &self,
        o: &Object,
        relation: &str,
        target: &str,
        table: &Table,
        lacking: Lacking,
    ) -> Vec<u8> {
        let target = target.trim_end_matches('?');
        let defines = |resource: &str| {
            let resource = &self.schema.resources[resource];
            let named = resource.relations.contains_key(target)
                || resource.permissions.contains_key(target);
            named || (target == "owner" && !self.schema.without_owner)
        };
        let members = self.members(o, relation, lacking).into_iter();
        let reached = members.filter_map(|(who, on)| match who {
            Who::Object(o) | Who::Userset(o, _) if defines(&o.0) => {
                Some(on.min(get(table, &o, target, lacking)))
            }
            Who::Object(_) | Who::Userset(..) => Some(0),
            Who::Actor(_) | Who::Everyone | Who::Every(_) => None,
        });
        reached.collect()
    }
}

fn fits(condition: &Condition, name: &str, value: Value) -> bool {
    condition.parameters.contains(name)
        && match value {
            Value::Int(_) => name.starts_with('n'),
            Value::Bool(_) => name.starts_with('b'),
        }
}

impl Condition {
    fn outcome(&self, values: &Values, time: i64) -> Outcome {
        self.test.outcome(values, time)
    }
}

impl Test {
    fn outcome(&self, values: &Values, time: i64) -> Outcome {
        use Outcome::{Fails, Is, Lacks};
        match self {
            Self::Flag(name) => match values.get(name) {
                Some(Value::Bool(value)) => Is(*value),
                _ => Lacks,
            },
            Self::Less(name, bound) => match values.get(name) {
                Some(Value::Int(value)) => Is(value < bound),
                _ => Lacks,
            },
            Self::Ratio(name, bound) => match values.get(name) {
                Some(Value::Int(0)) => Fails,
                Some(Value::Int(value)) => Is(12 / value > *bound),
                _ => Lacks,
            },
            Self::Before(end) => Is(time < *end),
            Self::Not(test) => match test.outcome(values, time) {
                Is(value) => Is(!value),
                other => other,
            },
            Self::Or(a, b) => match (a.outcome(values, time), b.outcome(values, time)) {
                (Is(true), _) | (_, Is(true)) => Is(true),
                (Is(false), other) | (other, _) => other,
            },
            Self::And(a, b) => match (a.outcome(values, time), b.outcome(values, time)) {
                (Is(false), _) | (_, Is(false)) => Is(false),
                (Is(true), other) | (other, _) => other,
            },
        }
    }
}

/// The conditions in use that lack context, and those that fail.
pub fn undecided(schema: &Schema, world: &World, when: &When) -> (Vec<Use>, Vec<Use>) {
    let (mut lack, mut fail) = (vec![], vec![]);
    let all = world.facts.iter().chain(&world.contextual);
    for ((object, relation), members) in all {
        for (who, terms) in members {
            let Some((name, given)) = &terms.condition else {
                continue;
            };
            let Some(condition) = schema.conditions.get(name) else {
                continue;
            };
            let mut values = when.context.clone();
            values.extend(given.clone());
            let used = (object.clone(), relation.clone(), who.clone());
            match condition.outcome(&values, when.time) {
                Outcome::Is(_) => {}
                Outcome::Lacks => lack.push(used),
                Outcome::Fails => fail.push(used),
            }
        }
    }
    (lack, fail)
}

/// Whether a world without conditions allows: for the bench.
#[allow(dead_code, reason = "the bench uses it")]
pub fn allows(schema: &Schema, world: &World, object: &Object, name: &str, asked: &Who) -> bool {
    let answers = Answers::new(schema, world, &When::default(), asked, object);
    answers.says(object, name) == Says::Allow
}
