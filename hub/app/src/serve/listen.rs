//! Binding ports, with a sentence when that fails.

use std::net::{SocketAddr, TcpListener};

/// Why a port could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process listens there.
    #[error("{what}: the address {address} is in use by another process; stop that one, or choose another with {setting}")]
    InUse {
        /// What was to be served.
        what: &'static str,
        /// The address.
        address: String,
        /// The flag or configuration entry to change.
        setting: &'static str,
    },
    /// Something else is wrong with it.
    #[error(
        "{what}: cannot listen on {address} ({reason}); choose another address with {setting}"
    )]
    Failed {
        /// What was to be served.
        what: &'static str,
        /// The address.
        address: String,
        /// The system's own words.
        reason: String,
        /// The flag or configuration entry to change.
        setting: &'static str,
    },
}

/// Takes an address (`host:port`, also written `tcp://host:port`).
///
/// All ports are taken before anything is served, so a busy one ends the process with one
/// sentence and leaves no half-started node.
///
/// # Errors
/// [`ListenError`], naming the setting to change.
pub fn listen(
    what: &'static str,
    address: &str,
    setting: &'static str,
) -> Result<TcpListener, ListenError> {
    let bare = strip_scheme(address);
    TcpListener::bind(bare).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => ListenError::InUse {
            what,
            address: bare.to_owned(),
            setting,
        },
        _ => ListenError::Failed {
            what,
            address: bare.to_owned(),
            reason: error.to_string(),
            setting,
        },
    })
}

/// CometBFT writes addresses as `tcp://host:port`.
pub fn strip_scheme(address: &str) -> &str {
    address.strip_prefix("tcp://").unwrap_or(address)
}

/// The address that a listener really has (port 0 asks for a free one).
pub fn bound(listener: &TcpListener) -> Option<SocketAddr> {
    listener.local_addr().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_named_with_the_setting_to_change() {
        let held = listen("gRPC", "127.0.0.1:0", "--grpc").unwrap();
        let address = bound(&held).unwrap().to_string();
        let error = listen("gRPC", &format!("tcp://{address}"), "--grpc").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&address) && text.contains("in use") && text.contains("--grpc"));
    }
}
