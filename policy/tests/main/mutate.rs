//! Texts that are nearly right: what a parser meets when somebody means it ill, or types badly.

use crate::random::Random;

/// Cut, double, swap and replace until it is something else.
pub fn mutate(random: &mut Random, text: &str) -> String {
    let alphabet: Vec<char> = "{}()[]<>|&+-.:#@*/\\\"'`,; \t\n\rauseé0".chars().collect();
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(4) {
        if characters.is_empty() {
            break;
        }
        let at = random.below(characters.len());
        let to = at + random.below(characters.len() - at).min(20);
        match random.below(5) {
            0 => characters[at] = *random.pick(&alphabet),
            1 => characters.insert(at, *random.pick(&alphabet)),
            2 => drop(characters.drain(at..to)),
            3 => {
                let part: Vec<char> = characters[at..to].to_vec();
                let into = random.below(characters.len());
                characters.splice(into..into, part);
            }
            _ => characters.truncate(at),
        }
    }
    characters.into_iter().collect()
}
