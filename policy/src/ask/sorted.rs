//! Texts in bytewise order, many of which begin alike.

use alloc::{borrow::Cow, vec::Vec};

/// The places of all, in the order of their texts. Ids of one resource mostly share their beginning, so
/// what follows it is compared first, eight bytes at a time, and whole texts only where these are equal.
pub(super) fn order_of<T>(all: &[(Cow<'_, str>, T)]) -> Vec<u32> {
    let shared = match all.split_first() {
        None => 0,
        Some(((first, _), others)) => others.iter().fold(first.len(), |shared, (text, _)| {
            let (first, text) = (first.as_bytes(), text.as_bytes());
            if text.get(..shared) == first.get(..shared) {
                return shared;
            }
            let same = first.iter().zip(text).take(shared);
            same.take_while(|(a, b)| a == b).count()
        }),
    };
    let head = |text: &str| {
        let mut bytes = [0; 8];
        let rest = text.as_bytes().get(shared..).unwrap_or_default();
        bytes
            .iter_mut()
            .zip(rest)
            .for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(bytes)
    };
    let texts = all.iter().map(|(text, _)| head(text));
    let mut keyed: Vec<(u64, u32)> = texts.zip(0..).collect();
    let text = |at: u32| all.get(at as usize).map(|(text, _)| text.as_bytes());
    keyed.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| text(*x).cmp(&text(*y))));
    keyed.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bytewise() {
        let texts = [
            "",
            "a",
            "aa",
            "ab",
            "document",
            "document0",
            "document00000001",
            "document00000001x",
            "document00000002",
            "documentx",
            "é",
        ];
        for shared in ["", "folder", "0123456789"] {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| alloc::format!("{shared}{text}"))
                .collect();
            let given = texts.iter().rev();
            let given: Vec<_> = given
                .map(|text| (Cow::Borrowed(text.as_str()), ()))
                .collect();
            let order = order_of(&given);
            let sorted = order.iter().map(|at| &*given[*at as usize].0);
            assert!(sorted.eq(texts.iter().map(|text| &**text)), "{order:?}");
        }
    }
}
