//! stub
use crate::{
    schema::{PolicyError, Position},
    time::Time,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context(BTreeMap<String, String>);
impl Context {
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
    pub fn decode(_: &[u8]) -> Result<Self, &'static str> {
        Ok(Self::default())
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn to_json(&self) -> String {
        String::new()
    }
    pub fn from_json(_: &str) -> Result<Self, ContextError> {
        Ok(Self::default())
    }
}
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct ContextError;
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct ConditionError;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterType;
impl core::str::FromStr for ParameterType {
    type Err = ConditionError;
    fn from_str(_: &str) -> Result<Self, ConditionError> {
        Ok(Self)
    }
}
#[derive(Clone, Debug)]
pub struct Condition;
pub enum Outcome {
    True,
    False,
    Missing(Vec<String>),
    Failed(ConditionError),
}
pub struct Evaluation {
    pub outcome: Outcome,
    pub cost: u64,
    pub stands_until: Option<Time>,
}
impl Condition {
    pub fn compile(
        _p: &[(String, ParameterType)],
        _e: &str,
        _s: Position,
    ) -> Result<Self, PolicyError> {
        Ok(Self)
    }
    pub fn admits(&self, _: &Context) -> Result<(), ConditionError> {
        Ok(())
    }
    pub fn evaluate(&self, _r: &Context, _a: &Context, _t: Time) -> Evaluation {
        Evaluation {
            outcome: Outcome::True,
            cost: 0,
            stands_until: None,
        }
    }
}
