//! Audit logs of operators: opening, anchoring, queries.

pub mod execute;
pub mod queries;
