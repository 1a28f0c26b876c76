//! Evaluation: a fixed set of episodes, on seeds of its own, with fixed weights.

use palaestra_plugin_api::{
    Result,
    algorithm::{Collect, Role},
    client::MakeEnvironment,
    rng::purpose,
};

use super::{
    composition::{Composition, Parts},
    policy_state::PolicyState,
    stage::{Stage, StageOptions},
};
use crate::rollout::{EpisodeReport, EpisodeSet, Rollout, RolloutOptions, Workers, run_episodes};

/// Steps between two looks at whether all episodes have ended.
const STEPS: usize = 16;

/// Which episodes, and how the policies act in them.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationPlan {
    /// Seed of the run that is evaluated.
    pub run_seed: u64,
    /// Number of episodes: the first ones of each instance.
    pub episodes: usize,
    /// Instances.
    pub num_envs: usize,
    /// Whether policies choose their best actions.
    pub greedy: bool,
}

/// Plays the episodes with the given policies, or untrained ones without. The same plan and policies give the same report, however often and on
/// any number of threads.
///
/// # Errors
/// What a plugin reports.
pub fn evaluate(
    parts: &Parts,
    composition: &Composition,
    policies: Option<&[PolicyState]>,
    plan: &EvaluationPlan,
    workers: &Workers,
) -> Result<EpisodeReport> {
    let mut stage = stage(parts, composition, policies, plan, workers)?;
    play(&mut stage, plan, |_| {})
}

/// A fresh stage for the episodes of a plan.
///
/// # Errors
/// What a plugin refuses, or weights that do not fit.
pub fn stage(
    parts: &Parts,
    composition: &Composition,
    policies: Option<&[PolicyState]>,
    plan: &EvaluationPlan,
    workers: &Workers,
) -> Result<Stage> {
    let options = StageOptions {
        run_seed: plan.run_seed,
        instances: instances(plan),
        shards: None,
        steps: STEPS,
        purpose: purpose::EVALUATION,
        role: Role::Evaluator,
    };
    let mut stage = Stage::new(parts, &composition.groups, &options, workers)?;
    if let Some(policies) = policies {
        PolicyState::give(policies, &mut stage)?;
    }
    Ok(stage)
}

/// Plays the episodes of a plan on a fresh stage; `progress` is told how many have ended.
///
/// # Errors
/// What a plugin reports.
pub fn play(
    stage: &mut Stage,
    plan: &EvaluationPlan,
    mut progress: impl FnMut(usize),
) -> Result<EpisodeReport> {
    let set = EpisodeSet::new(plan.episodes, instances(plan));
    stage.rollout_mut().keep_episodes(&set);
    let mut patience = crate::rollout::Patience::default();
    let collect = Collect {
        greedy: plan.greedy,
        ..Collect::steps(STEPS)
    };
    let mut kept = 0;
    while kept < set.episodes() {
        stage.collect(&collect)?;
        kept = stage.rollout().episodes_kept();
        patience.wait(kept, STEPS)?;
        progress(kept);
    }
    let rows = stage.rollout().tables().flat_map(|table| table.rows());
    Ok(EpisodeReport::new(stage.spec(), rows))
}

/// The same episodes with random actions: the baseline beside every result.
///
/// # Errors
/// What the environment's plugin reports.
pub fn random_baseline(
    parts: &Parts,
    plan: &EvaluationPlan,
    workers: &Workers,
) -> Result<EpisodeReport> {
    let environment = MakeEnvironment {
        run_seed: plan.run_seed,
        instances: instances(plan),
        purpose: purpose::EVALUATION,
        ..parts.environment.request()
    };
    let options = RolloutOptions {
        wrappers: parts.wrappers.clone(),
        ..RolloutOptions::new(environment, parts.environment.plugin())
    };
    let make = |what: &MakeEnvironment| parts.environment.make(what);
    let mut rollout = Rollout::new(&options, workers, &make)?;
    let mut policies = rollout.random();
    let set = EpisodeSet::new(plan.episodes, instances(plan));
    run_episodes(&mut rollout, &mut policies, &set, |_| {})
}

/// An instance without an episode would only cost time.
fn instances(plan: &EvaluationPlan) -> usize {
    plan.num_envs.clamp(1, plan.episodes.max(1))
}
