//! The newest verified block, in a file: so that a client does not walk from its trust point
//! again, and notices a node that goes back.
//!
//! The file is this machine's own memory and is trusted like it. It names chain and trust point,
//! and is passed over when a person has given others. It is replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use hub_light::{LightBlock, TrustPoint, VerifiedBlock, Verifier};
use identity::ChainId;
use serde::{Deserialize, Serialize};

use crate::error::ClientError;

const FORMAT: &str = "holdfast-light-client/1";

/// A light block of 1,000 validators is 300 kB, and a third more as base64.
const BYTES_MAX: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    chain_id: String,
    trust: String,
    newest: String,
    block: String,
}

/// Where it is.
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The block that was written for this chain and trust point.
    pub(crate) fn read(
        &self,
        chain_id: &ChainId,
        trust: TrustPoint,
    ) -> Result<Option<VerifiedBlock>, ClientError> {
        let mut text = String::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error(format!("cannot be opened ({error})"))),
            Ok(file) => file
                .take(BYTES_MAX)
                .read_to_string(&mut text)
                .map_err(|error| self.error(format!("cannot be read ({error})")))?,
        };
        let damaged = || self.error("is damaged".to_owned());
        let form: Form = serde_json::from_str(&text).map_err(|_| damaged())?;
        if form.format != FORMAT {
            return Err(self.error("is of another version".to_owned()));
        }
        if form.chain_id != chain_id.as_str() || form.trust != trust.to_string() {
            return Ok(None);
        }
        let point: TrustPoint = form.newest.parse().map_err(|_| damaged())?;
        let bytes = STANDARD.decode(&form.block).map_err(|_| damaged())?;
        let block = LightBlock::from_bytes(&bytes).map_err(|_| damaged())?;
        let verified = Verifier::start(point, block).map_err(|_| damaged())?;
        Ok(Some(verified))
    }

    pub(crate) fn write(
        &self,
        chain_id: &ChainId,
        trust: TrustPoint,
        newest: &VerifiedBlock,
    ) -> Result<(), ClientError> {
        let form = Form {
            format: FORMAT.to_owned(),
            chain_id: chain_id.as_str().to_owned(),
            trust: trust.to_string(),
            newest: newest.trusted().point().to_string(),
            block: STANDARD.encode(newest.block().to_bytes()),
        };
        let text = serde_json::to_vec(&form)
            .map_err(|error| self.error(format!("cannot be written ({error})")))?;
        self.replace(&text)
            .map_err(|error| self.error(format!("cannot be written ({error})")))
    }

    /// After a power cut the file is the one before or this one, and either is true.
    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let tag = format!(
            ".{}.{}.part",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(tag);
        let temporary: &Path = &self.path.with_file_name(name);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(temporary)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(temporary, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(temporary);
        }
        written
    }

    fn error(&self, reason: String) -> ClientError {
        ClientError::StateFile {
            path: self.path.display().to_string(),
            reason,
        }
    }
}
