//! What `hubd` can be told to do.

mod dev;
mod genesis;
mod init;
mod node;
mod start;

use clap::Subcommand;

/// A command.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a home folder with configuration and genesis.
    Init(init::Init),
    /// Prints the `app_state` of a genesis, to be put into CometBFT's genesis file.
    Genesis(genesis::GenesisCommand),
    /// Serves CometBFT over ABCI.
    Start(start::Start),
    /// Runs a whole chain in this process, without CometBFT: for development and tests.
    Dev(dev::Dev),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// One sentence for the person who typed it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Init(init) => init.run(),
            Command::Genesis(genesis) => genesis.run(),
            Command::Start(start) => start.run(),
            Command::Dev(dev) => dev.run(),
        }
    }
}
