//! Prometheus metrics of one node.
//!
//! Counters are filled by the shell from what the application returns; no algorithm knows them.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::{Registry, Unit};

/// Labels of a counter of results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CodeLabel {
    /// 0, or the error's code.
    pub code: u32,
}

/// Labels of a counter of ABCI calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MethodLabel {
    /// The call.
    pub method: &'static str,
}

/// The metrics, shared by everybody who counts.
pub struct Metrics {
    registry: Registry,
    /// The last committed height.
    pub height: Gauge,
    /// Transactions in committed blocks, by result code.
    pub transactions: Family<CodeLabel, Counter>,
    /// CheckTx answers, by result code.
    pub checked: Family<CodeLabel, Counter>,
    /// Queries, by method.
    pub queries: Family<MethodLabel, Counter>,
    /// Seconds that FinalizeBlock took.
    pub finalize_seconds: Histogram,
    /// Seconds that Commit took.
    pub commit_seconds: Histogram,
    /// Changed keys of a block.
    pub block_writes: Histogram,
    /// Signatures found in the cache.
    pub signature_hits: Counter,
    /// Signatures that had to be verified.
    pub signature_misses: Counter,
    /// The share of a second that the last commit began after 1970, to alert on a halted chain.
    pub last_commit_time: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers all metrics under `holdfast_hub_`.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("holdfast_hub");
        let seconds = || Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let metrics = Metrics {
            height: Gauge::default(),
            transactions: Family::default(),
            checked: Family::default(),
            queries: Family::default(),
            finalize_seconds: seconds(),
            commit_seconds: seconds(),
            block_writes: Histogram::new(exponential_buckets(1.0, 4.0, 10)),
            signature_hits: Counter::default(),
            signature_misses: Counter::default(),
            last_commit_time: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("height", "Last committed height", metrics.height.clone());
        registry.register(
            "transactions",
            "Transactions in committed blocks, by result code",
            metrics.transactions.clone(),
        );
        registry.register(
            "checked",
            "CheckTx answers, by result code",
            metrics.checked.clone(),
        );
        registry.register("queries", "Queries, by method", metrics.queries.clone());
        registry.register_with_unit(
            "finalize",
            "Time of FinalizeBlock",
            Unit::Seconds,
            metrics.finalize_seconds.clone(),
        );
        registry.register_with_unit(
            "commit",
            "Time of Commit",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        registry.register(
            "block_writes",
            "Changed keys of a block",
            metrics.block_writes.clone(),
        );
        registry.register(
            "signature_cache_hits",
            "Signatures that had been verified before",
            metrics.signature_hits.clone(),
        );
        registry.register(
            "signature_cache_misses",
            "Signatures that had to be verified",
            metrics.signature_misses.clone(),
        );
        registry.register(
            "last_block_time_unix",
            "Time of the last committed block",
            metrics.last_commit_time.clone(),
        );
        Metrics {
            registry,
            ..metrics
        }
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::new();
        metrics.height.set(9);
        metrics.checked.get_or_create(&CodeLabel { code: 3 }).inc();
        let text = metrics.text();
        assert!(text.contains("holdfast_hub_height 9"), "{text}");
        assert!(text.contains("holdfast_hub_checked_total{code=\"3\"} 1"));
    }
}
