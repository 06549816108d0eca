//! `config.toml`: what a person decides about a sidecar. Parsed strictly, once, at the start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use identity::{ChainId, Did};
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};

/// The configuration's file name within the home.
pub const FILE_NAME: &str = "config.toml";

/// Why a configuration does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path} cannot be read ({source}); run `sidecar init --home {}` first", .path.parent().unwrap_or(Path::new(".")).display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML of the expected shape.
    #[error("{path} cannot be understood: {message}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// A value makes no sense.
    #[error("{field} in {FILE_NAME} is wrong: {message}")]
    Value {
        /// Which.
        field: &'static str,
        /// Why, and what would be right.
        message: String,
    },
}

fn wrong(field: &'static str, message: impl std::fmt::Display) -> ConfigError {
    ConfigError::Value {
        field,
        message: message.to_string(),
    }
}

/// The file as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The chain that everything here belongs to.
    pub chain_id: String,
    /// The hub.
    pub hub: HubFile,
    /// Addresses to listen on.
    pub listen: ListenFile,
    /// Policies to follow: alias → id in hex.
    #[serde(default)]
    pub policies: BTreeMap<String, String>,
    /// Whom this sidecar acts for.
    pub operator: OperatorFile,
    /// The audit log's anchors.
    #[serde(default)]
    pub anchoring: AnchoringFile,
    /// Other sidecars, as `/ip4/…/tcp/…/p2p/…`.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Whether allowed reads get a leaf in the audit log, too. Writes and denials always do.
    #[serde(default = "yes")]
    pub log_reads: bool,
}

/// Section `[hub]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// CometBFT RPC addresses; none of them is trusted for anything but being reachable.
    pub rpc: Vec<String>,
    /// The block that a person trusts, `HEIGHT:HASH`.
    pub trust: String,
    /// How long a verified header can still vouch for later ones. Must be shorter than the time
    /// in which a validator's stake can be withdrawn.
    #[serde(default = "trusting_period")]
    pub trusting_period_seconds: u64,
}

impl HubFile {
    /// These nodes and this trust point, with the usual trusting period.
    #[must_use]
    pub fn new(rpc: Vec<String>, trust: String) -> Self {
        Self {
            rpc,
            trust,
            trusting_period_seconds: trusting_period(),
        }
    }
}

/// Section `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenFile {
    /// HTTP API.
    pub api: String,
    /// Other sidecars, as a multiaddress.
    pub peers: String,
    /// Permission questions over gRPC, for programs on this machine; not served when absent. Nobody
    /// is asked for a token there: what it tells, the hub tells everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questions: Option<String>,
}

/// Section `[operator]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFile {
    /// The operator's DID. Its permissions decide what peers give this sidecar.
    pub did: String,
    /// File with the operator's key, relative to the home. Needed to open a log and to anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The operator's signed delegation to this sidecar's key, hex; made from the key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// The last second at which that delegation holds.
    #[serde(default)]
    pub delegation_not_after: u64,
}

/// Section `[anchoring]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchoringFile {
    /// Whether to anchor at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Time between two anchors while the log grows.
    #[serde(default = "anchor_interval")]
    pub interval_ms: u64,
    /// The policy whose log is anchored: an alias of `[policies]`. The first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Fee of one anchor transaction in `uhold`.
    #[serde(default)]
    pub fee: u64,
}

impl Default for AnchoringFile {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: anchor_interval(),
            policy: None,
            fee: 0,
        }
    }
}

fn yes() -> bool {
    true
}

/// Two weeks, the usual choice for a three-week unbonding time.
fn trusting_period() -> u64 {
    14 * 24 * 3600
}

/// A second: an attestation then settles a commit within about two blocks.
fn anchor_interval() -> u64 {
    1000
}

/// A policy's id.
pub type PolicyId = [u8; 32];

/// The configuration after every value was parsed.
#[derive(Clone, Debug)]
pub struct Config {
    /// The home folder.
    pub home: PathBuf,
    /// The chain.
    pub chain_id: ChainId,
    /// RPC addresses.
    pub hub_rpc: Vec<String>,
    /// Trusted height and header hash.
    pub trust: (u64, [u8; 32]),
    /// Trusting period.
    pub trusting_period_seconds: u64,
    /// API address.
    pub api: SocketAddr,
    /// Peer address.
    pub listen: Multiaddr,
    /// Address of permission questions, if they are served.
    pub questions: Option<SocketAddr>,
    /// Followed policies by alias.
    pub policies: BTreeMap<String, PolicyId>,
    /// The operator.
    pub operator: Did,
    /// The operator's key file.
    pub operator_key: Option<PathBuf>,
    /// The delegation's signature and last second.
    pub delegation: Option<(Vec<u8>, u64)>,
    /// Anchoring.
    pub anchoring: AnchoringFile,
    /// Peers to keep connected.
    pub peers: Vec<Multiaddr>,
    /// Whether allowed reads get a leaf.
    pub log_reads: bool,
}

/// Parses `HEIGHT:HASH`.
///
/// # Errors
/// [`ConfigError::Value`] when it is not of that form.
pub fn parse_trust(text: &str) -> Result<(u64, [u8; 32]), ConfigError> {
    let parsed = text.split_once(':').and_then(|(height, hash)| {
        let height = height.parse().ok().filter(|height| *height > 0)?;
        Some((height, <[u8; 32]>::try_from(hex::decode(hash).ok()?).ok()?))
    });
    parsed.ok_or_else(|| wrong("hub.trust", "write HEIGHT:HASH, a height and 64 hex digits"))
}

/// Parses a policy id in hex.
///
/// # Errors
/// [`ConfigError::Value`] when it has not 64 hex digits.
pub fn parse_policy(text: &str) -> Result<PolicyId, ConfigError> {
    hex::decode(text)
        .ok()
        .and_then(|bytes| PolicyId::try_from(bytes).ok())
        .ok_or_else(|| wrong("policies", "a policy's id is 64 hex digits"))
}

impl File {
    /// Parses every value.
    ///
    /// # Errors
    /// [`ConfigError::Value`] naming the first field that is wrong.
    pub fn parse(&self, home: &Path) -> Result<Config, ConfigError> {
        if self.hub.rpc.is_empty() {
            return Err(wrong(
                "hub.rpc",
                "name at least one address such as http://127.0.0.1:26657",
            ));
        }
        let policies = self
            .policies
            .iter()
            .map(|(alias, id)| Ok((alias.clone(), parse_policy(id)?)))
            .collect::<Result<_, ConfigError>>()?;
        let delegation = match &self.operator.delegation {
            None => None,
            Some(text) => {
                let bytes = hex::decode(text)
                    .map_err(|_| wrong("operator.delegation", "it is not written in hex"))?;
                Some((bytes, self.operator.delegation_not_after))
            }
        };
        if self.anchoring.interval_ms < 10 {
            return Err(wrong(
                "anchoring.interval_ms",
                "a block takes longer than 10 ms",
            ));
        }
        if let Some(alias) = &self.anchoring.policy {
            if !self.policies.contains_key(alias) {
                return Err(wrong(
                    "anchoring.policy",
                    format!("{alias} is no alias in [policies]"),
                ));
            }
        }
        Ok(Config {
            home: home.to_owned(),
            chain_id: ChainId::parse(&self.chain_id).map_err(|error| wrong("chain_id", error))?,
            hub_rpc: self.hub.rpc.clone(),
            trust: parse_trust(&self.hub.trust)?,
            trusting_period_seconds: self.hub.trusting_period_seconds,
            api: self
                .listen
                .api
                .parse()
                .map_err(|_| wrong("listen.api", "write ADDRESS:PORT such as 127.0.0.1:8080"))?,
            listen: multiaddr("listen.peers", &self.listen.peers)?,
            questions: self
                .listen
                .questions
                .as_ref()
                .map(|address| address.parse())
                .transpose()
                .map_err(|_| {
                    wrong(
                        "listen.questions",
                        "write ADDRESS:PORT such as 127.0.0.1:9090",
                    )
                })?,
            policies,
            operator: Did::parse(&self.operator.did)
                .map_err(|error| wrong("operator.did", error))?,
            operator_key: self.operator.key.as_ref().map(|key| home.join(key)),
            delegation,
            anchoring: self.anchoring.clone(),
            peers: self
                .peers
                .iter()
                .map(|peer| multiaddr("peers", peer))
                .collect::<Result<_, _>>()?,
            log_reads: self.log_reads,
        })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`ConfigError::Parse`] when TOML cannot hold a value, such as a number above 2^63.
    pub fn text(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self).map_err(|error| ConfigError::Parse {
            path: FILE_NAME.into(),
            message: error.to_string(),
        })
    }
}

fn multiaddr(field: &'static str, text: &str) -> Result<Multiaddr, ConfigError> {
    text.parse().map_err(|_| {
        wrong(
            field,
            format!("{text} is no multiaddress such as /ip4/127.0.0.1/tcp/4001"),
        )
    })
}

/// Reads and parses the configuration of the sidecar at `home`.
///
/// # Errors
/// [`ConfigError`] naming file or field and what would be right.
pub fn load(home: &Path) -> Result<Config, ConfigError> {
    let path = home.join(FILE_NAME);
    let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read {
        path: path.clone(),
        source,
    })?;
    let file: File = toml::from_str(&text).map_err(|error| ConfigError::Parse {
        path,
        message: error.to_string(),
    })?;
    file.parse(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> File {
        let did = identity::SecretKey::from_seed(identity::KeyKind::Ed25519, [1; 32])
            .unwrap()
            .did();
        File {
            chain_id: "plant-1".into(),
            hub: HubFile {
                rpc: vec!["http://127.0.0.1:26657".into()],
                trust: format!("7:{}", "ab".repeat(32)),
                trusting_period_seconds: trusting_period(),
            },
            listen: ListenFile {
                api: "127.0.0.1:0".into(),
                peers: "/ip4/127.0.0.1/tcp/0".into(),
                questions: Some("127.0.0.1:0".into()),
            },
            policies: [("plant".to_owned(), "01".repeat(32))].into(),
            operator: OperatorFile {
                did: did.to_string(),
                key: Some("operator.key".into()),
                delegation: None,
                delegation_not_after: 0,
            },
            anchoring: AnchoringFile::default(),
            peers: vec![],
            log_reads: true,
        }
    }

    #[test]
    fn what_init_writes_start_reads() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE_NAME), example().text().unwrap()).unwrap();
        let config = load(home.path()).unwrap();
        assert_eq!(config.trust, (7, [0xab; 32]));
        assert_eq!(config.policies["plant"], [1; 32]);
    }

    #[test]
    fn a_wrong_value_is_named() {
        let check = |change: &dyn Fn(&mut File), expected: &str| {
            let mut file = example();
            change(&mut file);
            let error = file.parse(Path::new("/")).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&|f| f.hub.trust = "7".into(), "hub.trust");
        check(&|f| f.hub.rpc.clear(), "hub.rpc");
        check(&|f| f.listen.api = "nowhere".into(), "listen.api");
        check(&|f| f.listen.peers = "nowhere".into(), "listen.peers");
        check(&|f| f.operator.did = "did:web:x".into(), "operator.did");
        check(
            &|f| f.anchoring.policy = Some("other".into()),
            "anchoring.policy",
        );
        let parsed: Result<File, _> = toml::from_str("chain_id = 'x'\nextra = 1");
        assert!(parsed.is_err());
    }
}
