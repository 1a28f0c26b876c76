//! Simple world comm: a led pack hunts prey that eat and hide in forests.
//!
//! Lowe et al. (2017); numbers as in MPE2 1.1 (`simple_world_comm_v3`). A leader and other adversaries (size
//! 0.075, force 3, largest speed 1) and prey (size 0.045, force 4, largest speed 1.3) start uniform in
//! \[−1, 1\]²; obstacles (size 0.2), food (0.03) and forests (0.3) in \[−0.9, 0.9\]². Agents and obstacles
//! collide. A agents, G of them prey; O obstacles, F food, R forests, which is the order of the landmarks.
//!
//! | observation | meaning |
//! |---|---|
//! | 0–1, 2–3 | own velocity, own position |
//! | then 2(O + F + R) | landmarks, relative |
//! | then 2(A − 1) | other agents, relative, leader and adversaries first; 0 where hidden |
//! | then, adversaries | velocities of the prey (2G, 0 where hidden), own forests (R), the leader's message (4) |
//! | then, prey | own forests (R), velocities of the other prey (2(G − 1), 0 where hidden) |
//!
//! Own forests: 1 for each the agent overlaps, else −1. Two agents see each other inside a common forest or
//! both outside all; the leader sees everybody.
//!
//! | agent | discrete | continuous, in \[0, 1\] |
//! |---|---|---|
//! | leader | move + 5 · symbol (4 symbols) | \[unused, −x, +x, −y, +y, message of 4\] |
//! | others | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y | \[unused, −x, +x, −y, +y\] |
//!
//! | agent | reward, both generations |
//! |---|---|
//! | leader, adversary | 5 for every overlapping pair of an adversary and a prey, −0.1 · distance to the nearest prey |
//! | prey | −5 for every overlapping adversary, 2 for every overlapped food, −0.05 · distance to the nearest food, −2 · cost of leaving the square ([`bounds`]) |
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `collisions` | overlapping pairs of an adversary and a prey, summed over steps |
//! | `meals` | overlapping pairs of a prey and a piece of food, summed over steps |

use palaestra_plugin_api::{
    canvas::Color,
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    bounds,
    features::Features,
    physics::{Body, Physics},
    scripted::{INSIDE, Wish, ahead, apart, danger, landmark, nearest_of, place},
    several,
    task::{Common, Group, Landmark, Outcome, Scenario, Task},
    world::{View, add, below, distance, nearest},
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
    ..Body::new(0.045)
};
const OBSTACLE: Landmark = Landmark {
    size: 0.2,
    collides: true,
    range: 0.9,
    label: "obstacle",
    color: Color::GREY,
};
const FOOD: Landmark = Landmark {
    size: 0.03,
    collides: false,
    range: 0.9,
    label: "food",
    color: Color::rgb(0x25, 0x35, 0xa6),
};
const FOREST: Landmark = Landmark {
    size: 0.3,
    collides: false,
    range: 0.9,
    label: "forest",
    color: Color::rgb(0xa8, 0xd8, 0xa8),
};
const SYMBOLS: usize = 4;
const LEADER: usize = 0;
/// Reward of a catch, of food, and of being near.
const CATCH: f64 = 5.0;
const MEAL: f64 = 2.0;
const HUNT: f64 = 0.1;
const HUNGER: f64 = 0.05;
/// Weight of the cost of leaving the square.
const OUTSIDE: f64 = 2.0;
/// What distance to food weighs beside danger, to prey of the scripted baseline.
const HUNGRY: f64 = 1.0;

/// Most agents of one side, and most forests: those of an agent are the bits of a u32.
const MOST: usize = 32;
const MAX_AGENTS: usize = 2 * MOST;

/// Settings of simple world comm.
#[config]
pub struct SimpleWorldCommConfig {
    /// Number of adversaries, the leader included.
    #[config(default = 4, range = 2..=MOST)]
    pub num_adversaries: usize,
    /// Number of prey.
    #[config(default = 2, range = 1..=MOST)]
    pub num_good: usize,
    /// Number of obstacles.
    #[config(default = 1, range = 0..=MOST)]
    pub num_obstacles: usize,
    /// Number of pieces of food.
    #[config(default = 2, range = 1..=MOST)]
    pub num_food: usize,
    /// Number of forests.
    #[config(default = 2, range = 0..=MOST)]
    pub num_forests: usize,
    /// Whether actions are forces and messages of real numbers, and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
    /// Which generation of dynamics.
    pub physics: Physics,
}

/// The task.
pub struct SimpleWorldComm {
    adversaries: usize,
    first_food: usize,
    first_forest: usize,
}

/// Metrics, in order.
const COLLISIONS: usize = 0;
const MEALS: usize = 1;

impl Task for SimpleWorldComm {
    const ID: &'static str = "mpe/SimpleWorldComm-v3";
    const DESCRIPTION: &'static str = "A led pack hunts prey that eat and hide in forests";
    const TRACES: &'static [&'static str] = &["simple_world_comm_v3", several::NAME];
    type Config = SimpleWorldCommConfig;

    fn common(config: &SimpleWorldCommConfig) -> Common {
        let &SimpleWorldCommConfig {
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

    fn new(config: &SimpleWorldCommConfig) -> Result<(Self, Scenario)> {
        let &SimpleWorldCommConfig {
            num_adversaries: adversaries,
            num_good: prey,
            num_forests: forests,
            ..
        } = config;
        let counts = [
            (OBSTACLE, config.num_obstacles),
            (FOOD, config.num_food),
            (FOREST, forests),
        ];
        let landmarks: Vec<_> = counts
            .into_iter()
            .flat_map(|(kind, n)| std::iter::repeat_n(kind, n))
            .collect();
        let seen = [
            ("velocity", 2),
            ("position", 2),
            ("landmarks", 2 * landmarks.len()),
            ("others", 2 * (adversaries + prey - 1)),
        ];
        let hunter = [
            ("prey_velocities", 2 * prey),
            ("own_forests", forests),
            ("leader", SYMBOLS),
        ];
        let hunted = [
            ("own_forests", forests),
            ("prey_velocities", 2 * (prey - 1)),
        ];
        let group = |name, agents, body, symbols, more: &[(&'static str, usize)]| {
            let parts = seen.iter().chain(more).copied().collect();
            Group {
                name,
                agents,
                body,
                symbols,
                parts,
            }
        };
        let scenario = Scenario {
            groups: vec![
                group("lead_adversary", 1, ADVERSARY, SYMBOLS, &hunter),
                group("adversary", adversaries - 1, ADVERSARY, 0, &hunter),
                group("agent", prey, PREY, 0, &hunted),
            ],
            landmarks,
            goals: Vec::new(),
            metrics: vec![Metric::sum("collisions"), Metric::sum("meals")],
            tag: Tag::Competitive,
            largest_reward: None,
        };
        let first_food = config.num_obstacles;
        Ok((
            Self {
                adversaries,
                first_food,
                first_forest: first_food + config.num_food,
            },
            scenario,
        ))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        let mut inside = [[0; L]; MAX_AGENTS];
        for (agent, forests) in inside.iter_mut().enumerate().take(world.agents()) {
            *forests = self.forests(world, agent);
        }
        for agent in 0..world.agents() {
            let own = world.position(agent);
            out.push_pair(world.velocity(agent));
            out.push_pair(own);
            for landmark in 0..world.landmarks() {
                out.push_relative(world.landmark(landmark), own);
            }
            for other in (0..world.agents()).filter(|&other| other != agent) {
                let (place, sees) = (
                    world.position(other),
                    visible(agent, &inside[agent], &inside[other]),
                );
                for axis in 0..2 {
                    out.push_with(|lane| {
                        if sees[lane] {
                            place[axis][lane] - own[axis][lane]
                        } else {
                            0.0
                        }
                    });
                }
            }
            if agent < self.adversaries {
                self.observe_prey(world, agent, &inside, out);
                self.observe_forests(world, &inside[agent], out);
                for symbol in world.message(LEADER) {
                    out.push(symbol);
                }
            } else {
                self.observe_forests(world, &inside[agent], out);
                self.observe_prey(world, agent, &inside, out);
            }
        }
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let (hunters, hunted) = out.rewards.split_at_mut(self.adversaries);
        let prey = self.adversaries..world.agents();
        let food = self.first_food..self.first_forest;
        let (mut catches, mut meals) = ([0.0; L], [0.0; L]);
        for (reward, agent) in hunted.iter_mut().zip(prey.clone()) {
            let own = world.position(agent);
            let (mut caught, mut eaten) = ([0.0; L], [0.0; L]);
            for adversary in 0..self.adversaries {
                let hit = below(
                    &distance(own, world.position(adversary)),
                    ADVERSARY.size + PREY.size,
                );
                add(&mut caught, &hit);
            }
            for piece in food.clone() {
                add(
                    &mut eaten,
                    &below(&distance(own, world.landmark(piece)), PREY.size + FOOD.size),
                );
            }
            add(&mut catches, &caught);
            add(&mut meals, &eaten);
            let hunger = nearest(own, food.clone().map(|piece| world.landmark(piece)));
            let penalty = bounds::penalty(own);
            *reward = std::array::from_fn(|lane| {
                -CATCH * caught[lane] - OUTSIDE * penalty[lane] + MEAL * eaten[lane]
                    - HUNGER * hunger[lane]
            });
        }
        for (hunter, reward) in hunters.iter_mut().enumerate() {
            let near = nearest(
                world.position(hunter),
                prey.clone().map(|agent| world.position(agent)),
            );
            *reward = std::array::from_fn(|lane| CATCH * catches[lane] - HUNT * near[lane]);
        }
        out.metrics[COLLISIONS] = catches;
        out.metrics[MEALS] = meals;
    }

    /// Adversaries go where the nearest prey will be, and the leader says whom it follows; prey goes to food, away
    /// from adversaries, and stays inside the square.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let prey = self.adversaries..world.agents();
        let food = move |first: usize, last: usize| (first..last).map(move |l| landmark(world, l));
        let chase = |adversary| {
            let own = place(world, adversary);
            let ways = prey.clone().map(|p| (apart(own, ahead(world, p)), p));
            let near = ways.min_by(|a, b| a.0.total_cmp(&b.0));
            near.map_or_else(Wish::default, |(_, p)| {
                Wish::go(ahead(world, p)).saying((p - self.adversaries) % SYMBOLS)
            })
        };
        let pursuers: Vec<_> = (0..self.adversaries).map(|a| ahead(world, a)).collect();
        let (first, last) = (self.first_food, self.first_forest);
        let flee = |_| {
            let pursuers = pursuers.clone();
            Wish::least(move |at| {
                let meal = nearest_of(at, food(first, last)).map_or(0.0, |f| apart(at, f));
                let outside = bounds::penalty([&[at[0]], &[at[1]]])[0];
                danger(at, &pursuers) + HUNGRY * meal + INSIDE * outside
            })
        };
        let adversaries = (0..self.adversaries).map(chase);
        adversaries.chain(prey.clone().map(flee)).collect()
    }
}

impl SimpleWorldComm {
    /// The forests an agent overlaps, one bit each.
    #[inline(always)]
    fn forests<const L: usize>(&self, world: View<'_, L>, agent: usize) -> [u32; L] {
        let body = if agent < self.adversaries {
            ADVERSARY
        } else {
            PREY
        };
        let mut inside = [0; L];
        for (bit, forest) in (self.first_forest..world.landmarks()).enumerate() {
            let apart = distance(world.position(agent), world.landmark(forest));
            inside = std::array::from_fn(|lane| {
                inside[lane] | u32::from(apart[lane] < body.size + FOREST.size) << bit
            });
        }
        inside
    }

    #[inline(always)]
    fn observe_prey<const L: usize>(
        &self,
        world: View<'_, L>,
        agent: usize,
        inside: &[[u32; L]; MAX_AGENTS],
        out: &mut Features<'_, L>,
    ) {
        for prey in (self.adversaries..world.agents()).filter(|&prey| prey != agent) {
            let sees = visible(agent, &inside[agent], &inside[prey]);
            for axis in world.velocity(prey) {
                out.push_with(|lane| if sees[lane] { axis[lane] } else { 0.0 });
            }
        }
    }

    #[inline(always)]
    fn observe_forests<const L: usize>(
        &self,
        world: View<'_, L>,
        inside: &[u32; L],
        out: &mut Features<'_, L>,
    ) {
        for bit in 0..world.landmarks() - self.first_forest {
            out.push_with(|lane| {
                if inside[lane] & (1 << bit) != 0 {
                    1.0
                } else {
                    -1.0
                }
            });
        }
    }
}

/// Whether an agent sees another, by the forests each is in.
#[inline(always)]
fn visible<const L: usize>(agent: usize, own: &[u32; L], other: &[u32; L]) -> [bool; L] {
    let leads = agent == LEADER;
    std::array::from_fn(|lane| {
        leads | (own[lane] & other[lane] != 0) | (own[lane] | other[lane] == 0)
    })
}

#[cfg(test)]
mod tests;
