//! `hubd`: a hub's node.

use std::process::ExitCode;

use clap::Parser;
use hub_app::command::Command;

/// A hub's node: who may do what, and commitments to what was done.
#[derive(Parser)]
#[command(name = "hubd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    hub_app::serve::panic::end_process_on_panic();
    let arguments = Arguments::parse();
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence, with its reasons behind it.
            eprintln!("hubd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
