//! `hubd genesis`.

use clap::Args;
use hub_types::{Genesis, GenesisAccount};
use identity::ChainId;

use crate::home::parse_account;

/// Arguments of `hubd genesis`.
#[derive(Args)]
pub struct GenesisCommand {
    /// The chain's id.
    #[arg(long)]
    chain_id: String,
    /// An account that exists from the start, ADDRESS=AMOUNT in uhold; repeat for several.
    #[arg(long = "account", value_parser = parse_account, required = true)]
    accounts: Vec<GenesisAccount>,
}

impl GenesisCommand {
    /// Prints the state.
    ///
    /// # Errors
    /// A wrong chain id, an account twice.
    pub fn run(self) -> anyhow::Result<()> {
        ChainId::parse(&self.chain_id)?;
        println!("{}", Genesis::new(self.accounts).to_json()?);
        Ok(())
    }
}
