//! The story on four real CometBFT validators, the auditor's file under a mutator, lying nodes.

mod liars;
mod trail;
