//! Turns: how much work of one kind runs at a time, and how much waits for it (Invariant 7).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of one kind of work.
#[derive(Clone)]
pub struct Turns {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// Leave to run; the turn ends when this is dropped.
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Turns {
    /// So many at a time, and so many more that wait.
    pub fn new(running: usize, waiting: usize) -> Turns {
        Turns {
            places: Arc::new(Semaphore::new(running.saturating_add(waiting))),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Waits for a turn; `None` where as many wait as may.
    pub async fn next(&self) -> Option<Turn> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let running = self.running.clone().acquire_owned().await.ok()?;
        Some(Turn {
            _place: place,
            _running: running,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn some_run_some_wait_and_the_rest_are_refused() {
        let turns = Turns::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(turns.next());
        let Poll::Ready(Some(running)) = first.as_mut().poll(&mut context) else {
            panic!("the first has its turn at once");
        };
        let mut second = Box::pin(turns.next());
        assert!(second.as_mut().poll(&mut context).is_pending());
        let mut third = Box::pin(turns.next());
        assert!(matches!(
            third.as_mut().poll(&mut context),
            Poll::Ready(None)
        ));
        drop(running);
        assert!(matches!(
            second.as_mut().poll(&mut context),
            Poll::Ready(Some(_))
        ));
    }
}
