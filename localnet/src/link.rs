//! A link between two parts that can be cut and healed.
//!
//! It is a TCP proxy on the loopback interface. Cutting closes every connection at once and
//! refuses new ones, as a pulled cable with a firewall behind it would; healing accepts again.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One link. Dropping it closes it for good.
#[derive(Debug)]
pub struct Link {
    name: String,
    listen: SocketAddr,
    target: SocketAddr,
    open: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl Link {
    /// Opens a link named `name` from a free port to `target`.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn open(name: &str, target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .with_context(|| format!("open the link {name}"))?;
        let listen = listener.local_addr().context("the link's own port")?;
        let (sender, receiver) = watch::channel(true);
        let task = tokio::spawn(serve(listener, target, receiver));
        Ok(Self {
            name: name.to_owned(),
            listen,
            target,
            open: Arc::new(sender),
            task,
        })
    }

    /// What it is called in `cut` and `heal`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address that the near side connects to.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The address behind it.
    pub fn target(&self) -> SocketAddr {
        self.target
    }

    /// Closes all connections and refuses new ones until [`Link::heal`].
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Accepts connections again.
    pub fn heal(&self) {
        self.open.send_replace(true);
    }

    /// Whether it is open now.
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.open.send_replace(false);
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, open: watch::Receiver<bool>) {
    loop {
        let Ok((near, _)) = listener.accept().await else {
            continue;
        };
        if !*open.borrow() {
            continue; // Dropping the connection is the refusal.
        }
        tokio::spawn(carry(near, target, open.clone()));
    }
}

async fn carry(mut near: TcpStream, target: SocketAddr, mut open: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(target).await else {
        return;
    };
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// An echo server, and whether a byte sent to `address` comes back.
    async fn echoes(address: SocketAddr) -> bool {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return false;
        };
        let mut byte = [7_u8];
        stream.write_all(&byte).await.is_ok() && stream.read_exact(&mut byte).await.is_ok()
    }

    #[tokio::test]
    async fn a_cut_link_drops_what_it_carries_and_heals() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = server.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                });
            }
        });
        let link = Link::open("a-b", target).await.unwrap();
        assert!(echoes(link.listen()).await);

        let mut held = TcpStream::connect(link.listen()).await.unwrap();
        held.write_all(&[1]).await.unwrap();
        held.read_exact(&mut [0]).await.unwrap();
        link.cut();
        assert_eq!(
            held.read(&mut [0]).await.unwrap_or(0),
            0,
            "the connection it carried is closed"
        );
        assert!(!echoes(link.listen()).await);
        link.heal();
        assert!(echoes(link.listen()).await);
    }
}
