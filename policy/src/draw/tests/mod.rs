//! Drawings as a whole: the same bytes from the same facts, everything in its place, nothing that a
//! name could break.

mod bounds;
mod geometry;
mod random;
mod sameness;
mod snapshots;
mod xml;

use crate::Policy;

/// The policy of fifteen resources that must stay readable.
const HOSPITAL: &str = include_str!("../../../tests/draw/hospital.yaml");
const HOSPITAL_RELATIONSHIPS: &str = include_str!("../../../tests/draw/hospital.relationships");
/// Every construct of the language.
const CLINIC: &str = include_str!("../../../tests/draw/clinic.yaml");
const CLINIC_RELATIONSHIPS: &str = include_str!("../../../tests/draw/clinic.relationships");

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
