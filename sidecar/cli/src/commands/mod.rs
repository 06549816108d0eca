//! One module a first word.

pub(crate) mod audit;
pub(crate) mod doc;
pub(crate) mod hub;
pub(crate) mod key;
pub(crate) mod policy;

use clap::CommandFactory as _;
use serde_json::json;

use crate::args::{Arguments, Command};
use crate::context::Context;
use crate::passphrase::Source;
use crate::reply::Reply;

/// Runs one command.
///
/// # Errors
/// Whatever kept the command from an answer; its causes say why, its text what to do.
pub fn run(arguments: Arguments) -> anyhow::Result<Reply> {
    if let Command::Completion { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "hold", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        return Ok(Reply::yes(script.clone(), json!({ "script": script })));
    }
    let context = Context::new(
        arguments.home,
        Source::new(arguments.passphrase_file),
        arguments.output,
    )?;
    match arguments.command {
        Command::Key(command) => key::run(&context, command),
        Command::Policy(command) => policy::run(&context, command),
        Command::Hub(arguments) => hub::run(&context, arguments),
        Command::Doc(arguments) => doc::run(&context, arguments),
        Command::Audit(command) => audit::run(&context, command),
        Command::Completion { .. } => unreachable!("answered above"),
    }
}
