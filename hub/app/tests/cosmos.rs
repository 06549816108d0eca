//! A transaction that an independent implementation (cosmrs) signed.

use cosmrs::bank::MsgSend;
use cosmrs::crypto::secp256k1;
use cosmrs::tx::{self, Fee, Msg, SignDoc, SignerInfo};
use cosmrs::{AccountId, Coin};
use identity::KeyKind;

use crate::support::{person, Chain, CHAIN};

fn signed_by_cosmrs(world: &Chain, chain_id: &str, sequence: u64) -> Vec<u8> {
    // Person 1 has a secp256k1 key.
    let person = &world.people[1];
    let key = secp256k1::SigningKey::from_slice(person.key.seed()).unwrap();
    let sender = key.public_key().account_id("hold").unwrap();
    assert_eq!(
        sender.to_string(),
        person.address.to_string(),
        "one address"
    );
    let receiver: AccountId = world.people[0].address.to_string().parse().unwrap();
    let coin = |amount| Coin {
        amount,
        denom: "uhold".parse().unwrap(),
    };
    let send = MsgSend {
        from_address: sender,
        to_address: receiver,
        amount: vec![coin(1_234)],
    };
    let body = tx::Body::new(vec![send.to_any().unwrap()], "signed elsewhere", 500_u32);
    let info = SignerInfo::single_direct(Some(key.public_key()), sequence);
    let auth = info.auth_info(Fee::from_amount_and_gas(coin(5_000), 300_000_u64));
    let chain_id = chain_id.parse().unwrap();
    let doc = SignDoc::new(&body, &auth, &chain_id, person.number).unwrap();
    doc.sign(&key).unwrap().to_bytes().unwrap()
}

#[test]
fn a_send_signed_by_cosmrs_is_executed() {
    let mut world = Chain::new(2);
    assert_eq!(world.people[1].key.kind(), KeyKind::Secp256k1);
    let tx = signed_by_cosmrs(&world, CHAIN, 0);
    let result = world.block(vec![tx.into()]).remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
    let kinds: Vec<_> = result
        .events
        .iter()
        .map(|event| event.r#type.as_str())
        .collect();
    assert_eq!(kinds, ["holdfast.auth.fee_paid", "transfer"]);
    let wrong = signed_by_cosmrs(&world, "another-1", 1);
    let result = world.block(vec![wrong.into()]).remove(0);
    assert_eq!(result.code, hub_types::Code::Signature.number());
}

#[test]
fn cosmos_queries_answer_as_clients_expect() {
    use prost::Message;
    use wire::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
    use wire::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
    let mut world = Chain::new(2);
    let tx = signed_by_cosmrs(&world, CHAIN, 0);
    world.block(vec![tx.into()]);
    let address = world.people[1].address.to_string();
    let request = QueryAccountRequest {
        address: address.clone(),
    };
    let path = "/cosmos.auth.v1beta1.Query/Account";
    let answer: QueryAccountResponse = world.query(path, &request, 0).unwrap();
    let any = answer.account.unwrap();
    assert_eq!(any.type_url, "/cosmos.auth.v1beta1.BaseAccount");
    let base = BaseAccount::decode(&any.value[..]).unwrap();
    assert_eq!((base.account_number, base.sequence), (1, 1));
    let stranger = QueryAccountRequest {
        address: person(KeyKind::Ed25519, 70).address.to_string(),
    };
    let missing = world.query::<_, QueryAccountResponse>(path, &stranger, 0);
    assert!(missing
        .unwrap_err()
        .starts_with("rpc error: code = NotFound"));
    let request = QueryBalanceRequest {
        address,
        denom: "uhold".to_owned(),
    };
    let answer: QueryBalanceResponse = world
        .query("/cosmos.bank.v1beta1.Query/Balance", &request, 0)
        .unwrap();
    let expected = (crate::support::RICH - 5_000 - 1_234).to_string();
    assert_eq!(answer.balance.unwrap().amount, expected);
    let unknown = world.query::<_, QueryBalanceResponse>("/nope", &request, 0);
    assert!(unknown.unwrap_err().contains("/nope"));
}
