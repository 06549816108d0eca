//! The scalars of CometBFT's JSON, each read in one form only: whole numbers as decimal strings,
//! bytes as base64, hashes as hexadecimal.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A whole number written as a string, as Go's `int64` is: `"12"`. No sign, no leading zero.
pub(crate) fn quoted_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_u64(&text).ok_or_else(|| D::Error::custom("expected a whole number as a string"))
}

/// The same where a zero may be left out or be written as a number.
pub(crate) fn loose_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u64),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => {
            parse_u64(&text).ok_or_else(|| D::Error::custom("expected a whole number"))
        }
    }
}

fn parse_u64(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}

/// Bytes as base64; `null` is empty, as Go writes a nil slice.
pub(crate) fn base64_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    STANDARD
        .decode(text)
        .map_err(|_| D::Error::custom("expected base64"))
}

/// 32 bytes as base64.
pub(crate) fn base64_hash<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; 32], D::Error> {
    base64_or_null(deserializer)?
        .try_into()
        .map_err(|_| D::Error::custom("expected 32 bytes as base64"))
}

/// A list of 32-byte hashes as base64; `null` is empty.
pub(crate) fn base64_hashes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<[u8; 32]>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer)?
        .unwrap_or_default()
        .into_iter()
        .map(|text| {
            STANDARD
                .decode(text)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| D::Error::custom("expected 32 bytes as base64"))
        })
        .collect()
}

/// 32 bytes as hexadecimal.
pub(crate) fn hex_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(&text, &mut hash)
        .map_err(|_| D::Error::custom("expected 64 hexadecimal digits"))?;
    Ok(hash)
}

/// Bytes as base64, for requests.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
