//! Long identifiers, shortened so that they can still be told apart.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

/// Characters that an identifier may have and still be shown whole.
const WHOLE: usize = 28;
/// Characters kept at the front and at the end of what is cut; more if two would look alike.
const FRONT: usize = 8;
const END: usize = 4;

/// The short form of each of `names`, in their order; different names have different short forms.
///
/// A DID keeps its method (`did:key:z6MkhaXg…2doK`), of an object the resource is not part of the
/// name. All names are ASCII.
pub(crate) fn shorten(names: &[&str]) -> Vec<String> {
    let mut short: Vec<String> = names.iter().map(|name| cut(name, FRONT)).collect();
    // Twice as much of those that collide, until none do; whole names never do.
    let longest = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut front = FRONT * 2;
    while front <= 2 * longest {
        let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, text) in short.iter().enumerate() {
            seen.entry(text).or_default().push(at);
        }
        let alike = |places: &Vec<usize>| {
            places
                .iter()
                .any(|at| names.get(*at) != places.first().and_then(|first| names.get(*first)))
        };
        let colliding: Vec<usize> = seen.into_values().filter(alike).flatten().collect();
        if colliding.is_empty() {
            break;
        }
        for at in colliding {
            short[at] = cut(names[at], front);
        }
        front *= 2;
    }
    short
}

/// `front` characters behind what all names of a kind begin with, and the last four.
fn cut(name: &str, front: usize) -> String {
    // Of a DID, the method and all but the last part of what it identifies.
    let kept = if name.starts_with("did:") {
        name.rfind(':').map_or(0, |at| at + 1)
    } else {
        0
    };
    let front = kept + front;
    if name.len() <= WHOLE || name.len() <= front + END + 1 {
        return name.into();
    }
    match (name.get(..front), name.get(name.len() - END..)) {
        (Some(start), Some(end)) => format!("{start}…{end}"),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_keeps_what_tells_it_apart() {
        for (name, short) in [
            ("did:user:anna", "did:user:anna"),
            (
                "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
                "did:key:z6MkhaXg…2doK",
            ),
            (
                "did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a",
                "did:pkh:eip155:1:0xb9c571…6e8a",
            ),
            (
                "bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje",
                "bafyreig…5yje",
            ),
            ("building/north/wing-3/room-12", "building…m-12"),
        ] {
            assert_eq!(shorten(&[name]), [short]);
        }
    }

    #[test]
    fn short_forms_differ_as_names_do() {
        let names: Vec<String> = (0..50)
            .map(|at| format!("did:key:z6MkhaXgBZDvotDkL5257faizti{at:02}GiC2QtKLGpbnnEGta2doK"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut short = shorten(&names);
        short.sort();
        short.dedup();
        assert_eq!(short.len(), names.len());
        assert_eq!(shorten(&[names[0], names[0]])[0].chars().count(), 21);
    }
}
