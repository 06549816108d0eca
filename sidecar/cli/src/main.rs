//! `hold`: all that a person types.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
