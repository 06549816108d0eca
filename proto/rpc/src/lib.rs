//! The hub's gRPC services: servers to implement, clients to call. Messages are `wire`'s.
//!
//! The same methods answer over CometBFT's `abci_query`, whose path is the method's path
//! (`/holdfast.policy.v1.Query/Changes`) and whose data is the request; [`paths`] spells them.
//!
//! This crate knows no state and no proofs.

pub mod paths;
#[cfg(test)]
mod tests;

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    reason = "generated from the .proto files of `wire`, which hold the documentation"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/services.rs"));
}

pub use generated::{cosmos, holdfast};

/// The encoded descriptors of all services and messages, for reflection.
pub use wire::FILE_DESCRIPTOR_SET;

pub use cosmos::{
    auth::v1beta1::{query_client as auth_client, query_server as auth_server},
    bank::v1beta1::{query_client as bank_client, query_server as bank_server},
    tx::v1beta1::{service_client as tx_client, service_server as tx_server},
};
pub use holdfast::{
    audit::v1::{query_client as audit_client, query_server as audit_server},
    light::v1::{query_client as light_client, query_server as light_server},
    policy::v1::{
        permissions_client, permissions_server, query_client as policy_client,
        query_server as policy_server,
    },
};
