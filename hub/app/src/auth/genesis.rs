//! The first accounts and the chain's parameters.

use hub_types::{
    auth::{self, Account, AccountCounter},
    bank::{self, Supply},
    Genesis, GenesisError, Record,
};

use crate::store::{Layer, Space, TreeId};

/// Writes genesis into a layer. Accounts are numbered in the order of the file; the fee collector
/// comes after them, so that paying a fee never makes an account.
///
/// # Errors
/// [`GenesisError::Supply`].
pub fn write(genesis: &Genesis, layer: &mut Layer) -> Result<(), GenesisError> {
    let mut put = |key: Vec<u8>, value: Vec<u8>| {
        layer.write(Space::Tree(TreeId::Main), key, Some(value));
    };
    let collector = auth::keys::fee_collector();
    let named = genesis
        .accounts
        .iter()
        .map(|account| (account.address, account.balance))
        .chain(
            (!genesis
                .accounts
                .iter()
                .any(|account| account.address == collector))
            .then_some((collector, hub_types::Amount(0))),
        );
    let mut next = 0;
    for (address, balance) in named {
        let account = Account {
            balance,
            ..Account::new(address, next)
        };
        put(auth::keys::account(&address), account.to_bytes());
        next += 1;
    }
    put(auth::keys::counter(), AccountCounter { next }.to_bytes());
    put(auth::keys::params(), genesis.params.to_bytes());
    let supply = Supply {
        total: genesis.supply()?,
    };
    put(bank::keys::supply(), supply.to_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::{Amount, GenesisAccount};
    use identity::AccountAddress;

    #[test]
    fn accounts_are_numbered_and_the_fee_collector_exists() {
        let address = AccountAddress::from([7; 20]);
        let genesis = Genesis::new(vec![GenesisAccount {
            address,
            balance: Amount(5),
        }]);
        let mut layer = Layer::default();
        write(&genesis, &mut layer).unwrap();
        let read = |address| {
            let space = Space::Tree(TreeId::Main);
            let bytes = layer.lookup(&space, &auth::keys::account(address)).unwrap();
            Account::from_bytes(bytes.unwrap()).unwrap()
        };
        assert_eq!(read(&address).balance, Amount(5));
        assert_eq!(read(&auth::keys::fee_collector()).number, 1);
    }
}
