//! A list on its way to whoever asked.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use crate::limits::PART_TIMEOUT;
use crate::turns::Turn;

/// Parts of a list that is whole already. It has its place until it is read, and ends in an error for
/// who does not read it: what ends without one is complete.
pub struct Parts<T> {
    parts: mpsc::Receiver<T>,
    is_cut: Arc<AtomicBool>,
}

impl<T: Send + 'static> Parts<T> {
    /// Hands parts out, one after another, while `place` is kept.
    pub(crate) fn of(all: Vec<T>, place: Turn) -> Self {
        let (sender, parts) = mpsc::channel(1);
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = is_cut.clone();
        tokio::spawn(async move {
            let _place = place;
            for part in all {
                match tokio::time::timeout(PART_TIMEOUT, sender.send(part)).await {
                    Ok(Ok(())) => {}
                    // Whoever asked has gone away.
                    Ok(Err(_)) => return,
                    Err(_) => return cut.store(true, Ordering::Release),
                }
            }
        });
        Self { parts, is_cut }
    }
}

impl<T> Stream for Parts<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.parts.poll_recv(context).map(|part| match part {
            Some(part) => Some(Ok(part)),
            None if self.is_cut.swap(false, Ordering::Acquire) => Some(Err(
                Status::deadline_exceeded("the list was not read in time; ask for it with a limit"),
            )),
            None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::turns::Turns;

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_not_read_gives_its_place_back_and_ends_in_an_error() {
        let turns = Turns::new(1, 0);
        let place = turns.next().await.unwrap();
        let mut parts = Parts::of(vec![1, 2, 3, 4], place);
        assert_eq!(parts.next().await.unwrap().unwrap(), 1);
        assert!(turns.next().await.is_none(), "it is being read");
        tokio::time::sleep(PART_TIMEOUT + Duration::from_secs(1)).await;
        let place = turns.next().await.expect("its place is free again");
        assert_eq!(parts.next().await.unwrap().unwrap(), 2);
        let end = parts.next().await.unwrap();
        assert!(end.is_err(), "{end:?}");
        assert!(parts.next().await.is_none());

        let whole = Parts::of(vec![1, 2], place);
        let read: Vec<_> = whole.map(Result::unwrap).collect().await;
        assert_eq!(read, [1, 2]);
    }
}
