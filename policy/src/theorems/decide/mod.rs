//! Decides statements about every set of relationships that a policy admits.
//!
//! A statement is false if there is a world (objects, owners, relationships), an object and a
//! subject for which its formula is false. The formula speaks of answers, so it is false where some
//! nodes are *true* there and others are not. Whether a world can meet such demands is decided by
//! taking them apart, object by object ([`ways`]), as a game ([`game`]); the winner's plan is the
//! world, which the engine's own walk then confirms ([`witness`]). If there is no such plan there
//! is no such world. `docs/spec/theorems.md` has the proof.

mod branch;
mod context;
mod effort;
mod game;
mod model;
mod obligation;
mod ways;
mod witness;
mod write;

use alloc::{boxed::Box, format, string::String, vec::Vec};

use crate::{
    limits::{STATEMENT_STEPS_MAX, WARNING_STEPS_MAX},
    relationships::{NodeId, ResourceId},
    schema::Policy,
    suggest::suggestion,
    theorems::{
        formula::Formula,
        text::Statement,
        verdict::{Failure, TheoremResult, Verdict},
    },
};

use effort::{Effort, Exhausted};
use game::{Game, World};
use model::{Audience, Model};
use obligation::{Kind, Obligation};

/// Those of `nodes` that are true of nobody but the owner, whatever is recorded. A node of which
/// that could not be told in the steps that all of them share is not among them.
pub(crate) fn never_true(policy: &Policy, nodes: &[NodeId]) -> Vec<NodeId> {
    let mut effort = Effort::new(WARNING_STEPS_MAX);
    let mut left = nodes.to_vec();
    let resources = (0..policy.resources.len() as u16).map(ResourceId);
    for audience in core::iter::once(Audience::Actors).chain(resources.map(Audience::Objects)) {
        if left.is_empty() {
            break;
        }
        let model = Model::new(policy, audience, &left);
        if effort.take(model.size()).is_err() {
            return Vec::new();
        }
        left.retain(|node| {
            let mut demands = alloc::vec![model.oblige(Kind::True, *node)];
            let owner = policy.body_node(*node).and_then(|found| {
                let resource = policy.resources.get(found.resource.0 as usize)?;
                // It is not in the model where no permission holds it by itself.
                model.body(resource.owner).map(|_| resource.owner)
            });
            demands.extend(owner.map(|owner| model.oblige(Kind::NotTrue, owner)));
            let world = Game::default().world(&model, demands, &mut effort);
            matches!(world, Ok(None))
        });
    }
    left
}

/// Names of a statement and the nodes behind them.
type Named<'a> = Vec<(&'a str, NodeId)>;

impl Statement {
    /// Decides the statement for every set of relationships that `policy` admits, in at most
    /// [`STATEMENT_STEPS_MAX`] steps.
    #[must_use]
    pub fn decide(&self, policy: &Policy) -> TheoremResult {
        self.decide_within(policy, STATEMENT_STEPS_MAX)
    }

    /// [`Statement::decide`] with another bound of steps.
    #[must_use]
    pub fn decide_within(&self, policy: &Policy, steps_max: u64) -> TheoremResult {
        let mut effort = Effort::new(steps_max);
        let (verdict, confirmed_in) = match self.resolve(policy) {
            Err(reason) => (Verdict::Undecided { reason }, 0),
            Ok((audience, nodes)) => {
                let ids: Vec<NodeId> = nodes.iter().map(|(_, node)| *node).collect();
                let model = Model::new(policy, audience, &ids);
                match counterworld(&self.formula, &model, &nodes, &mut effort) {
                    Ok(None) => (Verdict::Holds, 0),
                    Ok(Some(world)) => match witness::confirm(self, &model, &world) {
                        Ok((counterexample, steps)) => {
                            let failure = Failure::Counterexample(Box::new(counterexample));
                            (Verdict::Fails(failure), steps)
                        }
                        Err(reason) => (Verdict::Undecided { reason }, 0),
                    },
                    Err(Exhausted) => (
                        Verdict::Undecided {
                            reason: format!(
                                "not settled within {} steps; part the statement, or name parts of long expressions",
                                effort.max()
                            ),
                        },
                        0,
                    ),
                }
            }
        };
        TheoremResult {
            source: self.source.clone(),
            verdict,
            steps: effort.taken() + confirmed_in,
        }
    }

    /// Whose answers it speaks of, and the node behind each of its names.
    fn resolve<'a>(&'a self, policy: &Policy) -> Result<(Audience, Named<'a>), String> {
        let resource_of = |name: &str| {
            policy.resource(name).ok_or_else(|| {
                let near = suggestion(name, policy.resources());
                format!("the policy defines no resource {name:?}{near}")
            })
        };
        let audience = match &self.subject {
            None => Audience::Actors,
            Some(name) if name.as_str() == policy.actor_type() => Audience::Actors,
            Some(name) => Audience::Objects(resource_of(name.as_str())?),
        };
        let name = self.resource.as_str();
        let resource = resource_of(name)?;
        let mut nodes = Vec::new();
        for node in self.formula.names() {
            let id = policy.node(resource, node).ok_or_else(|| {
                let names = policy.permissions(name).chain(policy.relations(name));
                let near = suggestion(node, names);
                format!("resource {name:?} defines no relation or permission {node:?}{near}")
            })?;
            nodes.push((node, id));
        }
        Ok((audience, nodes))
    }
}

/// A world in which the formula is false of some object, where there is one.
fn counterworld(
    formula: &Formula,
    model: &Model<'_>,
    nodes: &[(&str, NodeId)],
    effort: &mut Effort,
) -> Result<Option<World>, Exhausted> {
    let mut game = Game::default();
    effort.take(model.size())?;
    // Answers that make the formula false, settled one name after the other as far as needed.
    let mut waiting: Vec<Vec<bool>> = alloc::vec![Vec::new()];
    while let Some(settled) = waiting.pop() {
        effort.take(1 + formula.size())?;
        let allowed = |name: &str| {
            let at = nodes.iter().position(|(other, _)| *other == name)?;
            settled.get(at).copied()
        };
        match formula.value(allowed) {
            Some(true) => {}
            Some(false) => {
                let demands = nodes.iter().zip(&settled).map(|((_, node), allowed)| {
                    let kind = if *allowed { Kind::True } else { Kind::NotTrue };
                    model.oblige(kind, *node)
                });
                let demands: Vec<Obligation> = demands.collect();
                if let Some(world) = game.world(model, demands, effort)? {
                    return Ok(Some(world));
                }
            }
            None => {
                for next in [true, false] {
                    let mut more = settled.clone();
                    more.push(next);
                    waiting.push(more);
                }
            }
        }
    }
    Ok(None)
}
