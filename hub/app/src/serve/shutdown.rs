//! Ending in order: SIGTERM and SIGINT ask, everybody who serves listens.

use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;

/// Held by everybody who serves; clones share one request.
#[derive(Clone, Debug)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
}

/// Asks everybody to end.
#[derive(Debug)]
pub struct ShutdownSender {
    sender: watch::Sender<bool>,
}

impl Shutdown {
    /// A pair: who asks, and who listens.
    pub fn pair() -> (ShutdownSender, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownSender { sender }, Shutdown { receiver })
    }

    /// Ends when shutdown was asked for, or its sender is gone.
    pub async fn requested(mut self) {
        // An error means that the sender is gone: nobody is left to wait for.
        let _ = self.receiver.wait_for(|asked| *asked).await;
    }

    /// Whether shutdown was asked for.
    pub fn is_requested(&self) -> bool {
        *self.receiver.borrow()
    }
}

impl ShutdownSender {
    /// Asks everybody to end.
    pub fn request(&self) {
        self.sender.send_replace(true);
    }
}

/// Waits for SIGTERM or SIGINT and names the one that came.
///
/// # Errors
/// When the handlers cannot be installed.
pub async fn signalled() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
