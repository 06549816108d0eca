//! A chain in a folder, people with keys, and blocks on demand.

use std::path::Path;
use std::sync::Arc;

use hub_app::abci::HubApplication;
use hub_app::chain::hub::Hub;
use hub_app::home::{GenesisFile, GenesisValidator};
use hub_app::query;
use hub_app::serve::metrics::Metrics;
use hub_app::solo::{Engine, EngineOptions};
use hub_app::store::{Store, StoreOptions};
use hub_light::{LightBlock, TrustPoint, Trusted, Verifier};
use hub_types::{
    Amount, BlockHash, Genesis, GenesisAccount, Height, Message, PolicyId, Timestamp,
    TransactionBuilder,
};
use identity::{AccountAddress, ChainId, Did, KeyKind, SecretKey};
use prost::bytes::Bytes;
use tempfile::TempDir;
use tendermint::Time;
use tendermint_proto::v0_38::abci::ExecTxResult;
use wire::Message as _;

pub const CHAIN: &str = "plant-test-1";
pub const GENESIS_SECONDS: i64 = 1_700_000_000;
pub const VALIDATOR_SEED: [u8; 32] = [77; 32];

/// Rich enough for any test.
pub const RICH: u64 = 1_000_000_000_000;

pub const PLANT: &str = "
name: plant
resources:
- name: cell
  relations:
  - name: supervisor
    types: [actor]
    manages: [operator, banned]
  - name: operator
    types: [actor]
  - name: banned
    types: [actor]
  permissions:
  - name: create
    expr: operator + supervisor - banned
  - name: work
    expr: operator + supervisor - banned
- name: batch
  relations:
  - name: parent
    types: [cell]
  - name: editor
    types: [actor]
  permissions:
  - name: edit
    expr: editor + owner + parent->work
  - name: create
    expr: parent->create
";

pub struct Person {
    pub key: SecretKey,
    pub address: AccountAddress,
    pub did: Did,
    pub number: u64,
}

pub fn person(kind: KeyKind, number: u64) -> Person {
    let mut seed = [0x5a; 32];
    seed[..8].copy_from_slice(&(number + 1).to_be_bytes());
    let key = SecretKey::from_seed(kind, seed).unwrap();
    Person {
        address: AccountAddress::of(key.public_key()).unwrap(),
        did: key.did(),
        key,
        number,
    }
}

/// Alternating kinds of keys; all are in genesis with account number = index.
pub fn people(count: u64) -> Vec<Person> {
    (0..count)
        .map(|number| {
            let kind = if number % 2 == 0 {
                KeyKind::Ed25519
            } else {
                KeyKind::Secp256k1
            };
            person(kind, number)
        })
        .collect()
}

pub fn genesis_of(people: &[Person]) -> GenesisFile {
    let accounts = people
        .iter()
        .map(|person| GenesisAccount {
            address: person.address,
            balance: Amount(RICH),
        })
        .collect();
    let validator = hub_light::forge::Validator::new(VALIDATOR_SEED, 10);
    let mut public_key = [0; 32];
    public_key.copy_from_slice(&validator.public_key().to_bytes());
    GenesisFile::new(
        &ChainId::parse(CHAIN).unwrap(),
        Timestamp::new(GENESIS_SECONDS, 0).unwrap(),
        &Genesis::new(accounts),
        &[GenesisValidator {
            public_key,
            power: 10,
        }],
    )
    .unwrap()
}

pub fn chain() -> ChainId {
    ChainId::parse(CHAIN).unwrap()
}

pub fn hub_in(folder: &Path, retain_heights: u64) -> Arc<Hub> {
    let options = StoreOptions {
        retain_heights,
        cache_megabytes: 8,
    };
    let store = Store::open(&folder.join("state"), Some(CHAIN), options).unwrap();
    Arc::new(Hub::new(Arc::new(store), Arc::new(Metrics::new())))
}

/// A chain that makes blocks when it is told to.
pub struct Chain {
    pub folder: TempDir,
    pub people: Vec<Person>,
    pub hub: Arc<Hub>,
    pub engine: Engine,
    sequences: Vec<u64>,
    now: i64,
}

impl Chain {
    pub fn new(people_count: u64) -> Chain {
        Chain::retaining(people_count, 0)
    }

    pub fn retaining(people_count: u64, retain_heights: u64) -> Chain {
        let folder = tempfile::tempdir().unwrap();
        let people = people(people_count);
        let hub = hub_in(folder.path(), retain_heights);
        let engine = open_engine(folder.path(), &people, hub.clone());
        Chain {
            sequences: vec![0; people.len()],
            now: GENESIS_SECONDS + 1,
            folder,
            people,
            hub,
            engine,
        }
    }

    /// The same chain after a restart of its process.
    pub fn restarted(self) -> Chain {
        let Chain {
            folder,
            people,
            hub,
            engine,
            sequences,
            now,
        } = self;
        drop(engine);
        drop(hub);
        let hub = hub_in(folder.path(), 0);
        let engine = open_engine(folder.path(), &people, hub.clone());
        Chain {
            folder,
            people,
            hub,
            engine,
            sequences,
            now,
        }
    }

    pub fn builder(&self, who: usize) -> TransactionBuilder {
        TransactionBuilder::new(chain(), self.people[who].number, self.sequences[who])
            .fee(Amount(1_000_000), 50_000_000)
    }

    /// Signs messages of `who` with the next sequence.
    pub fn sign(&mut self, who: usize, messages: Vec<Message>) -> Bytes {
        let mut builder = self.builder(who);
        for message in messages {
            builder = builder.message(message);
        }
        self.sequences[who] += 1;
        Bytes::from(builder.sign(&self.people[who].key).unwrap())
    }

    /// A sequence that was signed for and not used.
    pub fn give_back(&mut self, who: usize) {
        self.sequences[who] -= 1;
    }

    pub fn block(&mut self, txs: Vec<Bytes>) -> Vec<ExecTxResult> {
        let count = txs.len();
        self.now += 1;
        let now = Time::from_unix_timestamp(self.now, 0).unwrap();
        let height = self.engine.make_block_of(txs, now).unwrap();
        let results = self.engine.blocks().results(height).unwrap().unwrap();
        assert_eq!(results.tx_results.len(), count, "nothing was dropped");
        results.tx_results
    }

    /// One transaction in a block of its own, which succeeds.
    pub fn done(&mut self, who: usize, message: Message) -> ExecTxResult {
        let tx = self.sign(who, vec![message]);
        let result = self.block(vec![tx]).remove(0);
        assert_eq!(result.code, 0, "{}", result.log);
        result
    }

    /// One transaction in a block of its own, which is refused in execution.
    pub fn refused(&mut self, who: usize, message: Message) -> ExecTxResult {
        let tx = self.sign(who, vec![message]);
        let result = self.block(vec![tx]).remove(0);
        assert_ne!(result.code, 0, "it must be refused");
        assert!(!result.log.is_empty(), "a refusal has a sentence");
        result
    }

    /// Creates the policy `plant` as person `who`.
    pub fn plant(&mut self, who: usize) -> PolicyId {
        let create = hub_types::policy::CreatePolicy {
            creator: self.people[who].address,
            definition: PLANT.to_owned(),
            anchor_lag: 20,
            max_staleness_seconds: 3600,
        };
        let result = self.done(who, Message::CreatePolicy(create));
        let response: wire::policy::MsgCreatePolicyResponse = response(&result);
        PolicyId::from_slice(&response.policy).unwrap()
    }

    pub fn query<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        path: &str,
        request: &Req,
        height: u64,
    ) -> Result<Res, String> {
        let bytes = request.encode_to_vec();
        let (value, _) =
            query::answer(&self.hub, path, &bytes, height).map_err(|error| error.to_string())?;
        Ok(Res::decode(&value[..]).unwrap())
    }

    pub fn height(&self) -> u64 {
        self.engine.height()
    }

    pub fn app_hash(&self) -> [u8; 32] {
        self.hub.store().committed().unwrap().app_hash
    }

    /// The header at a height, verified from itself as trust point.
    pub fn trusted(&self, height: u64) -> Trusted {
        let light = light_block(&self.engine, height);
        let point = TrustPoint {
            height: Height(height),
            hash: light.hash(),
        };
        Verifier::start(point, light).unwrap().trusted().clone()
    }
}

pub fn light_block(engine: &Engine, height: u64) -> LightBlock {
    let stored = engine.blocks().block(height).unwrap().unwrap();
    let header =
        tendermint::block::Header::try_from(stored.block.unwrap().header.unwrap()).unwrap();
    let commit = tendermint::block::Commit::try_from(stored.commit.unwrap()).unwrap();
    let signed = hub_light::forge::signed_header(header, commit);
    let validator = hub_light::forge::Validator::new(VALIDATOR_SEED, 10);
    LightBlock::new(signed, &[validator.info()], None).unwrap()
}

pub fn open_engine(folder: &Path, people: &[Person], hub: Arc<Hub>) -> Engine {
    Engine::open(
        EngineOptions {
            blocks: folder.join("blocks"),
            genesis: genesis_of(people),
            validator_seed: VALIDATOR_SEED,
        },
        HubApplication::new(hub),
    )
    .unwrap()
}

/// The first message's response.
pub fn response<M: prost::Message + Default>(result: &ExecTxResult) -> M {
    let data = wire::cosmos::base::abci::v1beta1::TxMsgData::decode(&result.data[..]).unwrap();
    M::decode(&data.msg_responses[0].value[..]).unwrap()
}

pub fn send(from: &Person, to: &Person, amount: u64) -> Message {
    Message::Send(hub_types::bank::Send {
        from: from.address,
        to: to.address,
        amount: Amount(amount),
    })
}

pub fn register(who: &Person, policy: PolicyId, object: &str) -> Message {
    Message::RegisterObject(hub_types::policy::RegisterObject {
        creator: who.address,
        policy,
        object: object.parse().unwrap(),
        document: None,
    })
}

pub fn relate(who: &Person, policy: PolicyId, set: &[String], delete: &[String]) -> Message {
    let parse = |list: &[String]| list.iter().map(|text| text.parse().unwrap()).collect();
    Message::SetRelationships(hub_types::policy::SetRelationships {
        creator: who.address,
        policy,
        set: parse(set),
        delete: parse(delete),
        preconditions: Vec::new(),
    })
}

/// A block by its parts, for driving an application without an engine.
pub fn block_hash(height: u64) -> BlockHash {
    let mut hash = [0xb1; 32];
    hash[..8].copy_from_slice(&height.to_be_bytes());
    BlockHash::new(hash)
}
