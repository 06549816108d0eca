//! Texts in bytewise order, many of which begin alike.

use alloc::{borrow::Cow, vec::Vec};

/// Sorts by text. Ids of one resource mostly share their beginning, so what follows it is compared
/// first, eight bytes at a time, and whole texts only where these are equal.
pub(super) fn sort_by_text<T>(all: Vec<(Cow<'_, str>, T)>) -> Vec<(Cow<'_, str>, T)> {
    let shared = match all.split_first() {
        None => 0,
        Some(((first, _), others)) => others.iter().fold(first.len(), |shared, (text, _)| {
            let same = first.bytes().zip(text.bytes()).take(shared);
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
    let keyed = all.into_iter().map(|(text, of)| (head(&text), text, of));
    let mut keyed: Vec<(u64, Cow<'_, str>, T)> = keyed.collect();
    keyed.sort_unstable_by(|(a, x, _), (b, y, _)| a.cmp(b).then_with(|| x.cmp(y)));
    keyed.into_iter().map(|(_, text, of)| (text, of)).collect()
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
            let given = texts.iter().enumerate().rev();
            let given = given
                .map(|(at, text)| (Cow::Borrowed(text.as_str()), at))
                .collect();
            let sorted: Vec<usize> = sort_by_text(given).into_iter().map(|(_, at)| at).collect();
            assert!(
                sorted.is_sorted() && sorted.len() == texts.len(),
                "{sorted:?}"
            );
        }
    }
}
