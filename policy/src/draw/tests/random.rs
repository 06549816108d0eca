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
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |since| since.as_secs() << 20)
    });
    std::println!("seed: HOLDFAST_SEED={first}");
    first..first + count
}

/// A policy as blocks of text, one a resource, each of them as parts whose order means nothing.
pub struct Draft {
    resources: Vec<(String, Vec<String>, Vec<String>)>,
}

impl Draft {
    pub fn new(random: &mut Random) -> Self {
        let count = 1 + random.below(20);
        let relations = 1 + random.below(5);
        let permissions = random.below(6);
        let resources = (0..count)
            .map(|at| {
                let types = |random: &mut Random| {
                    let mut types: Vec<String> = (0..1 + random.below(3))
                        .map(|_| {
                            // Mostly one of the next few, as policies are, and sometimes any.
                            let near = (at + 1 + random.below(3)) % count;
                            let target = if random.below(5) == 0 {
                                random.below(count)
                            } else {
                                near
                            };
                            match random.below(6) {
                                0 | 1 => "actor".into(),
                                2 => "'*'".into(),
                                3 | 4 => format!("t{target}"),
                                _ => format!("t{target}->r{}", random.below(relations)),
                            }
                        })
                        .collect();
                    types.sort();
                    types.dedup();
                    types.join(", ")
                };
                let relations_text: Vec<String> = (0..relations)
                    .map(|r| {
                        let objects = if r == 0 {
                            format!("t{}, ", random.below(count))
                        } else {
                            String::new()
                        };
                        let types: Vec<String> = format!("{objects}{}", types(random))
                            .split(", ")
                            .map(String::from)
                            .collect();
                        let mut unique: Vec<String> = Vec::new();
                        types.into_iter().for_each(|one| {
                            if !unique.contains(&one) {
                                unique.push(one);
                            }
                        });
                        let manages = if random.below(4) == 0 {
                            format!(", manages: [r{}]", random.below(relations))
                        } else {
                            String::new()
                        };
                        format!("    r{r}: {{types: [{}]{manages}}}\n", unique.join(", "))
                    })
                    .collect();
                let permissions_text = (0..permissions)
                    .map(|p| {
                        let mut expression = String::new();
                        for operand in 0..1 + random.below(5) {
                            if operand > 0 {
                                expression.push_str([" + ", " + ", " & ", " - "][random.below(4)]);
                            }
                            expression.push_str(&match random.below(6) {
                                0..=2 => format!("r{}", random.below(relations)),
                                3 => format!("r0->r{}", random.below(relations)),
                                4 => format!("r0->p{}", random.below(permissions)),
                                _ => [
                                    "owner".to_string(),
                                    format!("p{}", random.below(permissions)),
                                ][random.below(2)]
                                .clone(),
                            });
                        }
                        format!("    p{p}: {{expr: {expression}}}\n")
                    })
                    .collect();
                (format!("t{at}"), relations_text, permissions_text)
            })
            .collect();
        Self { resources }
    }

    pub fn shuffle(&mut self, random: &mut Random) {
        random.shuffle(&mut self.resources);
        for (_, relations, permissions) in &mut self.resources {
            random.shuffle(relations);
            random.shuffle(permissions);
        }
    }

    pub fn text(&self) -> String {
        let mut text = String::from("name: random\nresources:\n");
        for (name, relations, permissions) in &self.resources {
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
            format!(
                "{}:o{}",
                self.resources[random.below(self.resources.len())].0,
                random.below(objects)
            )
        };
        (0..count)
            .map(|_| {
                let subject = match random.below(6) {
                    0..=2 => format!(
                        "did:key:z6Mk{}aXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEG{}",
                        random.below(9),
                        random.below(12)
                    ),
                    3 => object(random),
                    4 => format!("{}#r0", object(random)),
                    _ => "*".into(),
                };
                format!("{}#r{}@{subject}", object(random), random.below(3))
                    .parse()
                    .unwrap()
            })
            .collect()
    }
}
