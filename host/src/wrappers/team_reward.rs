//! TeamReward: every agent gets the reward of its team, so that what helps one helps all.
//!
//! The reward of a team is the sum (or mean) over all its agents, those that no longer take part included:
//! they are credited too. Returns of ended episodes change alike, as both are linear.

use palaestra_plugin_api::{
    Result,
    abi::id,
    client::{Key, ShardMut, Slabs},
    spec::EnvironmentSpec,
};

use super::WorldWrapper;
use crate::rollout::{EndedList, Place};

/// Settings of TeamReward.
#[palaestra_plugin_api::config]
pub struct TeamRewardConfig {
    /// How the rewards of a team become one.
    pub reduction: Reduction,
    /// Who makes a team.
    pub team: Team,
}

/// How the rewards of a team become one.
#[palaestra_plugin_api::config]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

/// Who makes a team.
#[palaestra_plugin_api::config]
pub enum Team {
    /// The agents of one group.
    Group,
    /// All agents of the environment.
    All,
}

/// See the module.
pub struct TeamReward {
    config: TeamRewardConfig,
    ended: Option<EndedList>,
    groups: Vec<Group>,
    /// Reward of each instance's team.
    sums: Vec<f64>,
}

struct Group {
    reward: Key<f32>,
    agents: usize,
    index: usize,
}

impl TeamReward {
    /// Team rewards for one shard.
    pub fn new(config: TeamRewardConfig) -> Self {
        Self {
            config,
            ended: None,
            groups: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// The groups of each team: slices of `0..groups`.
    fn teams(
        config: &TeamRewardConfig,
        groups: &[Group],
    ) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let n = groups.len();
        let size = match config.team {
            Team::Group => 1,
            Team::All => n.max(1),
        };
        (0..n).step_by(size).map(move |start| start..start + size)
    }

    fn scale(config: &TeamRewardConfig, team: &[Group]) -> f64 {
        match config.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => 1.0 / team.iter().map(|group| group.agents).sum::<usize>() as f64,
        }
    }
}

impl WorldWrapper for TeamReward {
    fn compose(&mut self, mut spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        if self.config.reduction == Reduction::Sum {
            let sizes = spec.groups.iter().map(|group| group.agents as f64);
            let (low, high) = spec.reward_range;
            let bound = |bound: Option<f64>, outer: fn(f64, f64) -> f64| {
                let scaled = |size: f64| bound.map(|bound| bound * size);
                match self.config.team {
                    Team::Group => sizes.clone().filter_map(scaled).reduce(outer),
                    Team::All => scaled(sizes.clone().sum()),
                }
            };
            spec.reward_range = (bound(low, f64::min), bound(high, f64::max));
        }
        Ok(spec)
    }

    fn bind(&mut self, spec: &EnvironmentSpec, slabs: &Slabs, place: &Place, _: usize) {
        let group = |(index, group): (usize, &palaestra_plugin_api::spec::GroupSpec)| {
            Some(Group {
                reward: slabs.key(id::REWARD, index as u32)?,
                agents: group.agents,
                index,
            })
        };
        self.groups = spec.groups.iter().enumerate().filter_map(group).collect();
        self.ended = Some(EndedList::new(spec, slabs));
        self.sums = vec![0.0; place.range.len()];
    }

    fn after_step(&mut self, shard: &mut ShardMut<'_>, _: usize, write: usize) -> Result<()> {
        let Self {
            config,
            ended,
            groups,
            sums,
        } = self;
        let Some(ended) = ended else { return Ok(()) };
        let count = ended.rows(shard)?.len();
        for team in Self::teams(config, groups) {
            let team = &groups[team];
            let scale = Self::scale(config, team);
            sums.fill(0.0);
            for group in team {
                add(sums, shard.rows(group.reward, write), group.agents);
            }
            for group in team {
                let rows = shard
                    .rows_mut(group.reward, write)
                    .chunks_exact_mut(group.agents);
                rows.zip(&*sums)
                    .for_each(|(agents, sum)| agents.fill((sum * scale) as f32));
            }
            sums[..count].fill(0.0);
            for group in team {
                add(
                    &mut sums[..count],
                    ended.returns(shard, group.index),
                    group.agents,
                );
            }
            for group in team {
                let rows = ended
                    .returns_mut(shard, group.index)
                    .chunks_exact_mut(group.agents);
                rows.zip(&sums[..count])
                    .for_each(|(agents, sum)| agents.fill(sum * scale));
            }
        }
        Ok(())
    }
}

/// Adds the values of each row's agents to its sum.
fn add<T: Copy + Into<f64>>(sums: &mut [f64], rows: &[T], agents: usize) {
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(agents)) {
        *sum += row.iter().map(|&value| value.into()).sum::<f64>();
    }
}
