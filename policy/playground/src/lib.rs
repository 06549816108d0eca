//! The engine in a page: one function from JSON to JSON, and what the browser needs to call it.
//!
//! [`answer`] takes what a person typed (a policy, relationships, questions) and gives what there is
//! to show: what is wrong and where, answers with their explanations, drawings, theorems, imports. It
//! is what `hold policy` does, on texts instead of files, and answers as that does: both only call
//! the crate `policy`.
//!
//! It keeps nothing between calls and, like the engine, knows no clock and no network. `exports` is
//! its door in the browser, the one place with unsafe code; `page/` is the page around it.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod answers;
#[cfg(target_arch = "wasm32")]
mod exports;
mod import;
mod pictures;
mod problems;
mod question;
mod reply;
mod request;
mod theorems;
mod world;

pub use request::REQUEST_BYTES_MAX;

use alloc::string::{String, ToString};

use serde_json::json;

use request::Request;

/// Answers a request; README.md beside this crate says of which form both are.
///
/// What is wrong with a text of the person's stands in the answer under `problems`, with its place. A
/// request that is not of the form is answered by `{"refused": why}`.
#[must_use]
pub fn answer(request: &str) -> String {
    let reply = match Request::read(request) {
        Ok(Request::Ask(ask)) => reply::ask(&ask),
        Ok(Request::Import(wanted)) => import::import(&wanted),
        Ok(Request::Format { policy }) => reply::format(&policy),
        Err(refused) => json!({ "refused": refused }),
    };
    reply.to_string()
}
