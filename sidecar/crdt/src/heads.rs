//! The canonical bytes of a document's heads, for the tree whose root an anchor carries.

use alloc::vec::Vec;

use crate::{
    codec::{list_of, Reader, Writer},
    limits::HEADS_MAX,
    name::check_sorted,
    Cid, Error,
};

const BLOCK: &str = "list of heads";

/// The canonical bytes of a list of heads: a DAG-CBOR list of links, sorted, each once.
///
/// Takes the heads in any order, so that equal sets of heads give equal bytes.
pub fn encode_heads(heads: &[Cid]) -> Vec<u8> {
    let mut sorted = heads.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut writer = Writer::with_capacity(9 + 41 * sorted.len());
    writer.list(sorted.len());
    sorted.iter().for_each(|head| writer.link(head));
    writer.into_bytes()
}

/// Reads the canonical bytes of a list of heads.
///
/// # Errors
/// [`Error::Block`], [`Error::NotSorted`].
pub fn decode_heads(bytes: &[u8]) -> Result<Vec<Cid>, Error> {
    let mut reader = Reader::new(bytes);
    let heads = list_of(&mut reader, HEADS_MAX, Reader::link)
        .and_then(|heads| reader.end().map(|()| heads))
        .map_err(Error::block(BLOCK))?;
    check_sorted("heads", &heads)?;
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_one_encoding() {
        let (a, b) = (Cid::of(b"a"), Cid::of(b"b"));
        let bytes = encode_heads(&[a, b, a]);
        assert_eq!(bytes, encode_heads(&[b, a]));
        let mut sorted = [a, b];
        sorted.sort();
        assert_eq!(decode_heads(&bytes), Ok(sorted.to_vec()));
        assert_eq!(decode_heads(&encode_heads(&[])), Ok(Vec::new()));

        let mut reversed = Writer::new();
        reversed.list(2);
        sorted.iter().rev().for_each(|head| reversed.link(head));
        let reversed = reversed.into_bytes();
        assert_eq!(
            decode_heads(&reversed),
            Err(Error::NotSorted { what: "heads" })
        );
        assert!(decode_heads(&bytes[..bytes.len() - 1]).is_err());
    }
}
