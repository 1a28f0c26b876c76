//! Simple tag: slow adversaries catch fast prey among obstacles.
//!
//! Lowe et al. (2017); numbers as in MPE2 1.1 (`simple_tag_v3`). A adversaries (size 0.075, force 3, largest
//! speed 1) and G prey (size 0.05, force 4, largest speed 1.3) start uniform in \[−1, 1\]², O obstacles
//! (size 0.2) in \[−0.9, 0.9\]². Everything collides.
//!
//! | observation | meaning |
//! |---|---|
//! | 0–1 | own velocity |
//! | 2–3 | own position |
//! | then 2·O | obstacles, relative |
//! | then 2(A + G − 1) | other agents, relative, adversaries first |
//! | then 2 a prey | velocities of the (other) prey |
//!
//! With `num_agent_neighbors` and `num_landmark_neighbors` an agent sees that many of the others and of the
//! obstacles, the nearest first, zeros where there are fewer ([`neighbours`](crate::neighbours)); it then has a
//! velocity for each of the others it sees, zero that of an adversary.
//!
//! | action | |
//! |---|---|
//! | discrete | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y |
//! | continuous | \[unused, −x, +x, −y, +y\] in \[0, 1\] |
//!
//! | agent | reward, both generations |
//! |---|---|
//! | adversary | 10 for every pair of an adversary and a prey that overlap, the same for all |
//! | prey | −10 for every adversary that overlaps it, less the cost of leaving the square ([`bounds`]) |
//!
//! | | |
//! |---|---|
//! | terminated | never; with `terminate_on_success` when every prey is overlapped by an adversary |
//! | truncated | after `max_episode_steps` |
//! | `collisions` | overlapping pairs of an adversary and a prey, summed over steps |

use palaestra_plugin_api::{
    canvas::Color,
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    bounds,
    features::Features,
    legacy,
    neighbours::{push_nearest, push_places},
    physics::{Body, Physics},
    scripted::{INSIDE, Wish, ahead, danger, nearest_of, place},
    several,
    task::{Common, Group, Landmark, Legacy, Outcome, Scenario, Task},
    world::{View, add, below, distance},
};

const ADVERSARY: Body = Body {
    accel: 3.0,
    max_speed: Some(1.0),
    collides: true,
    ..Body::new(0.075)
};
const PREY: Body = Body {
    accel: 4.0,
    max_speed: Some(1.3),
    collides: true,
    ..Body::new(0.05)
};
const OBSTACLE: Landmark = Landmark {
    size: 0.2,
    collides: true,
    range: 0.9,
    label: "obstacle",
    color: Color::GREY,
};
/// Most agents of one side, and most obstacles: observations grow with all.
const MOST: usize = 128;
/// Reward of a catch.
const CATCH: f64 = 10.0;

/// Settings of simple tag.
#[config]
pub struct SimpleTagConfig {
    /// Number of adversaries.
    #[config(default = 3, range = 1..=MOST)]
    pub num_adversaries: usize,
    /// Number of prey.
    #[config(default = 1, range = 1..=MOST)]
    pub num_good: usize,
    /// Number of obstacles.
    #[config(default = 2, range = 0..=MOST)]
    pub num_obstacles: usize,
    /// Share of the prey's force and largest speed: MPE2's curriculum goes from 0.5 by 0.75 to 1.
    #[config(default = 1.0, range = 0.0..=1.0)]
    pub prey_speed: f64,
    /// Whether the episode ends when every prey is caught at once.
    #[config(default = false)]
    pub terminate_on_success: bool,
    /// Number of other agents that are seen, the nearest first; all, in order, unless given.
    #[config(range = 1..=MOST)]
    pub num_agent_neighbors: Option<usize>,
    /// Number of obstacles that are seen, the nearest first; all, in order, unless given.
    #[config(range = 1..=MOST)]
    pub num_landmark_neighbors: Option<usize>,
    /// Whether actions are forces and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
    /// Which generation of dynamics.
    pub physics: Physics,
}

/// The task.
pub struct SimpleTag {
    adversaries: usize,
    terminate_on_success: bool,
    /// Most other agents and obstacles that are seen.
    seen_agents: Option<usize>,
    seen_obstacles: Option<usize>,
}

impl Task for SimpleTag {
    const ID: &'static str = "mpe/SimpleTag-v3";
    const DESCRIPTION: &'static str = "Slow adversaries catch fast prey among obstacles";
    const TRACES: &'static [&'static str] = &["simple_tag_v3", several::NAME, legacy::NAME];
    const LEGACY: Option<Legacy> = Some(Legacy {
        scenario: "simple_tag",
        shares_reward: false,
    });
    type Config = SimpleTagConfig;

    fn common(config: &SimpleTagConfig) -> Common {
        let &SimpleTagConfig {
            physics,
            continuous_actions,
            max_episode_steps,
            ..
        } = config;
        Common {
            physics,
            continuous_actions,
            max_episode_steps,
        }
    }

    fn new(config: &SimpleTagConfig) -> Result<(Self, Scenario)> {
        let (adversaries, prey) = (config.num_adversaries, config.num_good);
        let (seen_agents, seen_obstacles) =
            (config.num_agent_neighbors, config.num_landmark_neighbors);
        let parts = |other_prey: usize| {
            let obstacles = seen_obstacles.unwrap_or(config.num_obstacles);
            let others = seen_agents.unwrap_or(adversaries + prey - 1);
            vec![
                ("velocity", 2),
                ("position", 2),
                ("obstacles", 2 * obstacles),
                ("others", 2 * others),
                ("prey_velocities", 2 * seen_agents.unwrap_or(other_prey)),
            ]
        };
        let slowed = Body {
            accel: PREY.accel * config.prey_speed,
            max_speed: PREY.max_speed.map(|speed| speed * config.prey_speed),
            ..PREY
        };
        let group = |name, agents, body, seen| Group {
            name,
            agents,
            body,
            symbols: 0,
            parts: parts(seen),
        };
        let scenario = Scenario {
            groups: vec![
                group("adversary", adversaries, ADVERSARY, prey),
                group("agent", prey, slowed, prey - 1),
            ],
            landmarks: vec![OBSTACLE; config.num_obstacles],
            goals: Vec::new(),
            metrics: vec![Metric::sum("collisions")],
            tag: Tag::Competitive,
            largest_reward: Some(CATCH * (adversaries * prey) as f64),
        };
        let task = Self {
            adversaries,
            terminate_on_success: config.terminate_on_success,
            seen_agents,
            seen_obstacles,
        };
        Ok((task, scenario))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        if self.seen_agents.is_none() && self.seen_obstacles.is_none() {
            self.write(world, None, None, out);
        } else {
            self.write(world, self.seen_agents, self.seen_obstacles, out);
        }
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let (adversaries, prey) = out.rewards.split_at_mut(self.adversaries);
        let (mut catches, mut free) = ([0.0; L], [false; L]);
        for (reward, agent) in prey.iter_mut().zip(self.adversaries..) {
            let own = world.position(agent);
            let mut caught = [0.0; L];
            for adversary in 0..self.adversaries {
                let hit = below(
                    &distance(own, world.position(adversary)),
                    ADVERSARY.size + PREY.size,
                );
                add(&mut caught, &hit);
            }
            add(&mut catches, &caught);
            free = std::array::from_fn(|lane| free[lane] | (caught[lane] == 0.0));
            let penalty = bounds::penalty(own);
            *reward = std::array::from_fn(|lane| -CATCH * caught[lane] - penalty[lane]);
        }
        adversaries.fill(catches.map(|count| CATCH * count));
        if self.terminate_on_success {
            *out.terminated = free.map(|free| !free);
        }
        out.metrics[0] = catches;
    }

    fn terminates(&self) -> bool {
        self.terminate_on_success
    }

    /// Adversaries go where the nearest prey will be; prey stays away from them and inside the square.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let prey = self.adversaries..world.agents();
        let chase = |adversary| {
            let near = nearest_of(
                place(world, adversary),
                prey.clone().map(|p| ahead(world, p)),
            );
            near.map_or_else(Wish::default, Wish::go)
        };
        let pursuers: Vec<_> = (0..self.adversaries).map(|a| ahead(world, a)).collect();
        let flee = |_| {
            let pursuers = pursuers.clone();
            Wish::least(move |at| {
                let outside = bounds::penalty([&[at[0]], &[at[1]]])[0];
                danger(at, &pursuers) + INSIDE * outside
            })
        };
        let adversaries = (0..self.adversaries).map(chase);
        adversaries.chain(prey.clone().map(flee)).collect()
    }
}

impl SimpleTag {
    /// Writes the features of every agent. Called with no limits, it is compiled without the code for partial sight.
    #[inline(always)]
    fn write<const L: usize>(
        &self,
        world: View<'_, L>,
        seen_agents: Option<usize>,
        seen_obstacles: Option<usize>,
        out: &mut Features<'_, L>,
    ) {
        for agent in 0..world.agents() {
            let own = world.position(agent);
            out.push_pair(world.velocity(agent));
            out.push_pair(own);
            let obstacles = (0..world.landmarks()).map(|obstacle| world.landmark(obstacle));
            push_places(seen_obstacles, own, obstacles, out);
            let others = (0..world.agents()).filter(|&other| other != agent);
            let places = others.clone().map(|other| world.position(other));
            push_places(seen_agents, own, places, out);
            match seen_agents {
                None => {
                    for prey in others.filter(|&other| other >= self.adversaries) {
                        out.push_pair(world.velocity(prey));
                    }
                }
                Some(count) => {
                    let velocity = |other| match world.velocity(other) {
                        [vx, vy] if other >= self.adversaries => [*vx, *vy],
                        _ => [[0.0; L]; 2],
                    };
                    let seen = others.map(|other| (world.position(other), velocity(other)));
                    push_nearest(count, own, seen, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::json;

    use crate::{
        SimpleTag,
        testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimpleTag>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimpleTag>("simple_tag", "mpe2", policy, false);
            check_baseline::<SimpleTag>("simple_tag", "openai_legacy", policy, false);
        }
    }

    #[test]
    fn a_catch_pays_every_adversary_and_costs_the_prey() {
        let init =
            json!({"agent_pos": [[0, 0], [0.9, 0], [0, 0.1], [0.9, 0.1]], "landmark_pos": []});
        let config = json!({"num_adversaries": 2, "num_good": 2, "num_obstacles": 0});
        let mut tag = world::<SimpleTag>(config, init);
        let (rewards, _) = exact(&mut tag, &[vec![vec![0.0]; 2], vec![vec![0.0]; 2]]);
        assert_eq!(rewards, [[20.0, 20.0], [-10.0, -10.0]]);
    }

    #[test]
    fn success_is_to_catch_all_prey_at_once() {
        let config = json!({"num_adversaries": 2, "num_good": 2, "num_obstacles": 0, "terminate_on_success": true});
        for (second, expected) in [(0.0, true), (0.5, false)] {
            let places = json!([[0, 0], [0.9, 0], [0, 0.1], [0.9, second + 0.1]]);
            let mut tag = world::<SimpleTag>(config.clone(), json!({"agent_pos": places}));
            let stay = [vec![vec![0.0]; 2], vec![vec![0.0]; 2]];
            let step = tag.locate(0).0.step_exact(&stay, 0).expect("steps");
            assert_eq!(step.terminated, expected);
        }
    }

    /// Against a random other side; the reference's full-information heuristic earns 54.9 an adversary.
    #[test]
    fn scripted_hunters_and_scripted_prey_beat_chance() {
        assert_scripted::<SimpleTag>(json!({}), 20.0 * 3.0, |group| group == 0);
        assert_scripted::<SimpleTag>(json!({}), 5.0, |group| group == 1);
    }
}
