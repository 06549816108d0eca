//! The command line: what every command shares, and the first word.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::{audit, doc, hub, key, policy};
use crate::reply::Form;

/// Holdfast's client for people and scripts.
#[derive(Debug, Parser)]
#[command(
    name = "hold",
    version,
    about = "Keys, policies, the hub, documents and audits of Holdfast",
    long_about = "Holdfast's client for people and scripts.\n\n\
        Answers about the hub are verified by a light client from a block that you trust; \
        `hold hub trust` sets it up. Exit codes: 0 yes or done, 1 no, 2 could not tell.",
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// Where keys, configuration and trusted headers are kept [default: ~/.holdfast]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "HOLDFAST_HOME",
        hide_env_values = true
    )]
    pub home: Option<PathBuf>,

    /// The form of the answer
    #[arg(long, global = true, value_enum, default_value_t = Form::Text)]
    pub output: Form,

    /// Read the passphrase from the first line of FILE; otherwise HOLDFAST_PASSPHRASE, or a prompt
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The first word.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keys: make, list, show, export, import
    #[command(subcommand)]
    Key(key::Command),
    /// Policy files, offline: validate, check
    #[command(subcommand)]
    Policy(policy::Command),
    /// The hub: transactions, and answers that are verified
    Hub(hub::Arguments),
    /// A sidecar's documents: create, update, delete, get, list, history, rollback
    Doc(doc::Arguments),
    /// Audit trails: fetch, verify, report
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print the completion script of a shell
    Completion {
        /// Which shell
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_a_passphrase_or_a_secret() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(
                    !["passphrase", "password", "seed", "secret", "mnemonic"].contains(&name),
                    "{name} of {}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }
}
