//! ABCI's frames: a protobuf message behind its length as a varint
//! (CometBFT v0.38, `spec/abci/abci++_client_server.md`, "Socket").

use prost::bytes::{Buf as _, Bytes, BytesMut};

/// The largest request that is read, in bytes: CometBFT's own bound of a message on this socket
/// (`maxMsgSize`), above which its blocks (100 MB at most) do not go.
pub const FRAME_BYTES_MAX: usize = 104_857_600;

/// A varint of a `u64` has at most ten bytes.
const LENGTH_BYTES_MAX: usize = 10;

/// Why the bytes on the socket are no ABCI.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No varint where a length should be.
    #[error("a frame's length is no varint; only CometBFT v0.38 may connect here")]
    Length,
    /// The frame is above the bound.
    #[error("a frame of {0} bytes is above the bound of {FRAME_BYTES_MAX}; only CometBFT v0.38 may connect here")]
    Oversize(u64),
}

/// Takes the first frame, if it is there whole. Copies nothing: the frame shares the buffer, and
/// so do the transactions that are decoded from it.
///
/// # Errors
/// [`FrameError`]: nothing after it can be read.
pub fn take_frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
    let mut rest = &buffer[..];
    let before = rest.len();
    let length = match prost::encoding::decode_varint(&mut rest) {
        Ok(length) => length,
        Err(_) if before < LENGTH_BYTES_MAX => return Ok(None),
        Err(_) => return Err(FrameError::Length),
    };
    let bytes = usize::try_from(length)
        .ok()
        .filter(|bytes| *bytes <= FRAME_BYTES_MAX)
        .ok_or(FrameError::Oversize(length))?;
    if rest.len() < bytes {
        return Ok(None);
    }
    let header = before - rest.len();
    buffer.advance(header);
    Ok(Some(buffer.split_to(bytes).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use tendermint_proto::v0_38::abci::{request, Request, RequestEcho};

    fn echo(message: &str) -> Vec<u8> {
        let value = request::Value::Echo(RequestEcho {
            message: message.to_owned(),
        });
        Request { value: Some(value) }.encode_length_delimited_to_vec()
    }

    #[test]
    fn frames_come_out_whole_however_they_were_cut() {
        let stream = [echo("one"), echo(&"two".repeat(200)), echo("")].concat();
        for step in [1, 2, 7, stream.len()] {
            let mut buffer = BytesMut::new();
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = take_frame(&mut buffer).unwrap() {
                    found.extend(
                        Request::decode(frame)
                            .unwrap()
                            .encode_length_delimited_to_vec(),
                    );
                }
            }
            assert_eq!(found, stream, "in steps of {step}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_before_memory_is_taken_for_it() {
        let mut endless = BytesMut::from(&[0xff; 11][..]);
        assert_eq!(take_frame(&mut endless), Err(FrameError::Length));
        let mut huge = BytesMut::new();
        prost::encoding::encode_varint(FRAME_BYTES_MAX as u64 + 1, &mut huge);
        assert_eq!(
            take_frame(&mut huge),
            Err(FrameError::Oversize(FRAME_BYTES_MAX as u64 + 1))
        );
    }
}
