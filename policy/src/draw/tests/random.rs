//! Seeded random policies and relationships. Every resource has the same names, so that every arrow
//! and userset resolves.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::Relationship;

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

/// The seeds of a run: from `HOLDFAST_SEED` on where it is set, else from the time of day on; printed.
pub fn seeds(count: u64) -> core::ops::Range<u64> {
    let given = std::env::var("HOLDFAST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let first = given.unwrap_or_else(|| {
        let epoch = std::time::UNIX_EPOCH;
        let now = std::time::SystemTime::now().duration_since(epoch); // pure: a test's seed
        now.map_or(0, |since| since.as_secs() << 20)
    });
    std::println!("seed: HOLDFAST_SEED={first}");
    first..first + count
}

/// A policy as lines whose order means nothing, by resource.
pub struct Draft {
    resources: Vec<Resource>,
}

struct Resource {
    name: String,
    relations: Vec<String>,
    permissions: Vec<String>,
}

/// How many resources, relations and permissions there are.
#[derive(Clone, Copy)]
struct Shape {
    resources: usize,
    relations: usize,
    permissions: usize,
}

impl Draft {
    pub fn new(random: &mut Random) -> Self {
        let shape = Shape {
            resources: 1 + random.below(20),
            relations: 1 + random.below(5),
            permissions: random.below(6),
        };
        let resources = (0..shape.resources).map(|at| Resource {
            name: format!("t{at}"),
            relations: (0..shape.relations)
                .map(|r| format!("    r{r}: {{{}}}\n", relation(random, shape, at, r)))
                .collect(),
            permissions: (0..shape.permissions)
                .map(|p| format!("    p{p}: {{expr: {}}}\n", expression(random, shape)))
                .collect(),
        });
        Self {
            resources: resources.collect(),
        }
    }

    pub fn shuffle(&mut self, random: &mut Random) {
        random.shuffle(&mut self.resources);
        for resource in &mut self.resources {
            random.shuffle(&mut resource.relations);
            random.shuffle(&mut resource.permissions);
        }
    }

    pub fn text(&self) -> String {
        let mut text = String::from(
            "name: random\nconditions:\n c: {parameters: {x: int}, expr: x > 1}\nresources:\n",
        );
        for resource in &self.resources {
            let Resource {
                name,
                relations,
                permissions,
            } = resource;
            text.push_str(&format!(" {name}:\n   relations:\n{}", relations.concat()));
            if !permissions.is_empty() {
                text.push_str(&format!("   permissions:\n{}", permissions.concat()));
            }
        }
        text
    }

    /// Relationships between objects and actors of this policy; some that it does not admit.
    pub fn relationships(&self, random: &mut Random, count: usize) -> Vec<Relationship> {
        let objects = 1 + random.below(30);
        let object = |random: &mut Random| {
            let resource = &self.resources[random.below(self.resources.len())].name;
            format!("{resource}:o{}", random.below(objects))
        };
        let subject = |random: &mut Random| match random.below(7) {
            0..=2 => format!(
                "did:key:z6Mk{}aXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEG{}",
                random.below(9),
                random.below(12)
            ),
            3 => object(random),
            4 => format!("{}#r0", object(random)),
            5 => "t0:*".into(),
            _ => "*".into(),
        };
        (0..count)
            .map(|_| {
                let terms = ["", "", "", " with c {\"x\":2}"][random.below(4)];
                let text = format!(
                    "{}#r{}@{}{terms}",
                    object(random),
                    random.below(3),
                    subject(random)
                );
                text.parse().unwrap()
            })
            .collect()
    }
}

/// `r0` holds objects and leads to them; all relations hold actors, so that every type can match.
fn relation(random: &mut Random, shape: Shape, at: usize, r: usize) -> String {
    let mut types: Vec<String> = Vec::from(["actor".into()]);
    if r == 0 {
        types.push(format!("t{}", random.below(shape.resources)));
    }
    for _ in 0..random.below(4) {
        // Mostly one of the next few, as policies are, and sometimes any.
        let near = (at + 1 + random.below(3)) % shape.resources;
        let far = random.below(shape.resources);
        let target = if random.below(5) == 0 { far } else { near };
        let kind = match random.below(8) {
            0 => "'*'".into(),
            1 if r > 0 => format!("'t{target}:*'"),
            2..=4 => format!("t{target}"),
            5 => format!("t{target} with c"),
            6 => "actor with c and expiration".into(),
            _ => format!("t{target}->r{}", random.below(shape.relations)),
        };
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
    let mut text = format!("types: [{}]", types.join(", "));
    if random.below(4) == 0 {
        text.push_str(&format!(", manages: [r{}]", random.below(shape.relations)));
    }
    if random.below(6) == 0 {
        text.push_str(&format!(", expr: r{r} + {}", operand(random, shape)));
    }
    text
}

fn expression(random: &mut Random, shape: Shape) -> String {
    let mut text = operand(random, shape);
    for _ in 0..random.below(5) {
        text.push_str([" + ", " + ", " & ", " - "][random.below(4)]);
        text.push_str(&operand(random, shape));
    }
    text
}

fn operand(random: &mut Random, shape: Shape) -> String {
    let r = random.below(shape.relations);
    let p = random.below(shape.permissions);
    match random.below(9) {
        0..=2 => format!("r{r}"),
        3 | 4 => format!("r0->r{r}"),
        5 => format!("r0&->r{r}"),
        6 if shape.permissions > 0 => format!("r0->p{p}"),
        7 if shape.permissions > 0 => format!("p{p}"),
        _ => ["owner", "self"][random.below(2)].to_string(),
    }
}
