//! Frames: four bytes of length, then that many bytes, then the end of the stream.
//!
//! A length above [`FRAME_BYTES_MAX`] is refused before a byte of it is read, and memory grows with
//! what has arrived, not with what was promised (Invariant 7). What counts as wrong is counted.

use std::io;
use std::sync::Arc;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{request_response, StreamProtocol};
use prost::Message;

use super::messages::{Answer, MessageError, Question, Request, Response};
use crate::limits::FRAME_BYTES_MAX;
use crate::metrics::Metrics;

/// How much is reserved before the first byte arrived.
const RESERVED_BYTES: usize = 64 * 1024;

/// Reads and writes the frames of one protocol.
#[derive(Clone)]
pub struct Codec {
    metrics: Arc<Metrics>,
}

impl Codec {
    /// A codec that counts refused frames in `metrics`.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics }
    }

    fn refused(&self, error: &MessageError) -> io::Error {
        self.metrics.frames_refused.inc();
        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
    }
}

/// Reads one frame.
///
/// # Errors
/// `InvalidData` when its length is above the bound, `UnexpectedEof` when it is cut.
pub async fn read_frame<T>(io: &mut T) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "a frame of {length} bytes was announced, at most {FRAME_BYTES_MAX} are allowed"
            ),
        ));
    }
    let mut bytes = Vec::with_capacity(length.min(RESERVED_BYTES));
    let read = io.take(length as u64).read_to_end(&mut bytes).await?;
    if read < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Writes one frame and ends the stream's sending side.
///
/// # Errors
/// `InvalidInput` when the frame is above the bound: the caller must split it.
pub async fn write_frame<T>(io: &mut T, bytes: &[u8]) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Question;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Question>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_frame(io).await.inspect_err(|_| {
            self.metrics.frames_refused.inc();
        })?;
        Request::parse(&bytes).map_err(|error| self.refused(&error))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_frame(io).await?;
        Response::parse(&bytes).map_err(|error| self.refused(&error))
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        question: Question,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(
            io,
            &Request {
                question: Some(question),
            }
            .encode_to_vec(),
        )
        .await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(
            io,
            &Response {
                answer: Some(answer),
            }
            .encode_to_vec(),
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn a_frame_returns_as_it_went() {
        let mut wire = Cursor::new(Vec::new());
        write_frame(&mut wire, b"heads").await.unwrap();
        assert_eq!(
            read_frame(&mut Cursor::new(wire.into_inner()))
                .await
                .unwrap(),
            b"heads"
        );
    }

    #[tokio::test]
    async fn an_endless_frame_is_refused_by_its_announced_length() {
        let error = read_frame(&mut Cursor::new(vec![0xff; 64]))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let cut = read_frame(&mut Cursor::new(vec![0, 0, 1, 0, 7]))
            .await
            .unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }
}
