//! `hold`: the one client for people and scripts.
//!
//! `hold key` keeps keys, `hold policy` works on policy files, `hold hub` sends transactions and
//! asks the hub, `hold doc` talks to a sidecar, `hold audit` verifies what others claim. Whatever
//! it says about hub state was verified by the light client, unless the person asked for
//! `--unverified`, and then it says so loudly.
//!
//! Every command answers as text or, with `--output json`, as one JSON value, and exits with 0
//! for yes, 1 for no and 2 for "could not tell"; errors say the next step.
//!
//! This crate knows no storage and no consensus: it is a client of what the other crates decide.

mod args;
mod commands;
pub mod config;
pub mod context;
mod convert;
pub mod http;
pub mod keyring;
pub mod passphrase;
pub mod reply;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs one command line and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap prints them to standard output.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let form = arguments.output;
    match commands::run(arguments) {
        Ok(reply) => {
            reply.print(form);
            reply.verdict.into()
        }
        Err(error) => {
            reply::print_error(&error, form);
            reply::Verdict::Unknown.into()
        }
    }
}
