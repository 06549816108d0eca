//! Free ports on the loopback interface.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use anyhow::{Context, Result};

/// Ports handed out by this process, so that two askers never get the same one before either binds.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A loopback address that nobody listens on now.
///
/// The kernel picks it; between this call and the use somebody else may still take it, and then
/// the program that was given it says so.
///
/// # Errors
/// When the kernel has no port left.
pub fn free() -> Result<SocketAddr> {
    loop {
        let listener =
            TcpListener::bind("127.0.0.1:0").context("no free port on the loopback interface")?;
        let address = listener
            .local_addr()
            .context("the port that was just bound")?;
        let mut taken = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if taken.insert(address.port()) {
            return Ok(address);
        }
    }
}
