//! `hubd init`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use hub_types::{Genesis, GenesisAccount};
use identity::ChainId;

use super::node::now;
use crate::home::{parse_account, Config, GenesisFile, Home, HomeError};

/// Arguments of `hubd init`.
#[derive(Args)]
pub struct Init {
    /// The home folder to make.
    #[arg(long)]
    home: PathBuf,
    /// The chain's id: 1 to 50 letters, digits, dots, dashes, underscores.
    #[arg(long)]
    chain_id: String,
    /// An account that exists from the start, ADDRESS=AMOUNT in uhold; repeat for several.
    #[arg(long = "account", value_parser = parse_account, required = true)]
    accounts: Vec<GenesisAccount>,
}

impl Init {
    /// Makes the folder and says what to do next.
    ///
    /// # Errors
    /// When there is one already, or an argument is wrong; nothing is written then.
    pub fn run(self) -> anyhow::Result<()> {
        let home = Home::new(self.home);
        if home.config().exists() || home.genesis().exists() {
            let path = home.config();
            return Err(HomeError::Exists { path }.into());
        }
        let chain = ChainId::parse(&self.chain_id).context("--chain-id")?;
        let genesis = Genesis::new(self.accounts);
        let file = GenesisFile::new(&chain, now(), &genesis, &[])?;
        home.make_folders()?;
        file.save(&home.genesis())?;
        let config = Config {
            chain_id: chain.as_str().to_owned(),
            ..Config::default()
        };
        config.save(&home.config())?;
        println!(
            "Made {root} for chain {chain}.\n\
             \n\
             Next:\n\
             1. cometbft init --home COMET_HOME   makes keys and configuration for CometBFT 0.38\n\
             2. Copy {genesis} over COMET_HOME/config/genesis.json, and put into its `validators`\n\
             \x20  the public key that `cometbft show-validator --home COMET_HOME` prints, with a\n\
             \x20  power. All validators of a chain start from the same file.\n\
             3. hubd start --home {root}\n\
             4. cometbft start --home COMET_HOME --proxy_app tcp://{abci}\n\
             \n\
             `localnet up` does all of this for a network on one machine; `hubd dev` needs no\n\
             CometBFT at all.",
            root = home.root().display(),
            genesis = home.genesis().display(),
            abci = config.abci,
        );
        Ok(())
    }
}
