//! Free ports on the loopback interface.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{bail, Result};

/// Below the range from which Linux gives ports to outgoing connections (32768 to 60999): a port of
/// that range may be taken by any connection between being found free and being listened on, or
/// while its node is down and about to come back.
const RANGE: Range<u16> = 20_000..32_768;

/// Where the search goes on, so that no port is handed out twice before it is bound.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback address that nobody listens on now.
///
/// Networks started by different processes begin their search in different places; should another
/// program still take the port before it is used, then the one that was given it says so.
///
/// # Errors
/// When no port of the range is free.
pub fn free() -> Result<SocketAddr> {
    let span = RANGE.end - RANGE.start;
    let first = (u64::from(std::process::id()) * 397 % u64::from(span)) as u16;
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % span;
        let port = RANGE.start + (first + step) % span;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!(
        "no port from {} to {} is free on the loopback interface; stop what holds them",
        RANGE.start,
        RANGE.end - 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_handed_out_twice_nor_when_it_is_taken() {
        let first = free().unwrap();
        let held = TcpListener::bind(free().unwrap()).unwrap();
        let third = free().unwrap();
        assert_ne!(first, third);
        assert_ne!(third, held.local_addr().unwrap());
        assert!(RANGE.contains(&third.port()));
    }
}
