//! Tests of the whole crate against an oracle, naive models and published data.
#![allow(missing_docs, reason = "tests speak for themselves")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod cast;
mod conditional;
mod conditions;
mod conditions_random;
mod consistency;
mod difference;
mod expansions;
mod explanations;
mod generate;
mod hostile;
mod language;
mod lookups;
mod mutate;
mod naive;
mod notation;
mod openfga_answers;
mod openfga_cases;
mod openfga_export;
mod openfga_hostile;
mod openfga_import;
mod openfga_language;
mod openfga_models;
mod openfga_store;
mod openfga_workloads;
mod oracle;
mod outlined;
mod overlays;
mod policies;
mod random;
mod records;
mod runs;
mod shinzohub;
mod spicedb;
mod spicedb_answers;
mod statements;
mod statements_extended;
mod statements_random;
mod store;
mod suite;
mod terms;
mod test_files;
mod told;
mod yaml_aliases;
