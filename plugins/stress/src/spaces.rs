//! `stress/Spaces-v0`: every kind of space in one world, for what must handle all of them.
//!
//! | group | agents | observation | action |
//! |---|---|---|---|
//! | scouts | 2 | image 4 × 5 × 1 | 3 and 2 choices, masked |
//! | pilots | 1 | box, bounded and not | box: bounded, half-bounded, unbounded |
//! | switches | 3 | 4 and 3 choices | 3 bits |
//! | judges | 1 | 4 bits | 4 choices, masked, with no-op |
//!
//! Heat rises with what everybody does and with chance. Scouts end when it is theirs to end, and come back
//! after three steps under `respawn`.

use palaestra_plugin_api::prelude::*;

/// Settings of `stress/Spaces-v0`.
#[config]
pub struct SpacesConfig {
    /// Steps until truncation.
    #[config(default = 30, range = 1..=10_000)]
    pub max_episode_steps: u32,
    /// Whether scouts come back.
    #[config(default = false)]
    pub respawn: bool,
}

/// A world with every kind of space.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Spaces {
    heat: f64,
    /// Steps until a scout that is away comes back; 0 while it is there.
    away: [u32; 2],
    respawn: bool,
    pixel: u8,
    bits: u8,
}

const SCOUTS: usize = 0;
const PILOTS: usize = 1;
const SWITCHES: usize = 2;
const JUDGES: usize = 3;
/// Heat at which the episode ends.
const HOT: f64 = 60.0;

impl Environment for Spaces {
    const ID: &'static str = "stress/Spaces-v0";
    const DESCRIPTION: &'static str = "Four groups with every kind of space";
    type Config = SpacesConfig;

    fn spec(config: &SpacesConfig) -> Result<EnvironmentSpec> {
        let infinite = f64::INFINITY;
        let controls = Space::bounds(&[-1.0, 0.0, -infinite], &[1.0, infinite, infinite]);
        let sight = Space::bounds(&[0.0, -infinite], &[HOT, infinite]);
        let choices = |choices: &[usize]| Space::MultiDiscrete {
            choices: choices.to_vec(),
        };
        let bits = |n| Space::MultiBinary { n };
        let mut spec = EnvironmentSpec::new("scouts", 2, Space::image(4, 5, 1), choices(&[3, 2]));
        spec.groups.push(group("pilots", 1, sight, controls));
        spec.groups
            .push(group("switches", 3, choices(&[4, 3]), bits(3)));
        spec.groups
            .push(group("judges", 1, bits(4), Space::discrete(4)));
        spec.groups[SCOUTS].has_action_mask = true;
        spec.groups[JUDGES].has_action_mask = true;
        spec.groups[JUDGES].no_op = Some(vec![0.0]);
        spec.state = Some(Space::bounds(&[0.0; 3], &[HOT, 10.0, 10.0]));
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-1.0), None);
        spec.metrics = vec![
            Metric::sum("scouting"),
            Metric::last("heat"),
            Metric::mean("mean heat"),
            Metric::max("peak"),
        ];
        spec.flags.per_agent_end = true;
        spec.flags.respawn = config.respawn;
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &SpacesConfig) -> Result<Self> {
        Ok(Self {
            heat: 0.0,
            away: [0; 2],
            respawn: config.respawn,
            pixel: 0,
            bits: 0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.heat = rng.range(0.0, 5.0);
        self.away = [0; 2];
        self.chance(rng);
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let controls = actions.group(PILOTS).continuous(0);
        let bits: i32 = (0..3)
            .flat_map(|agent| actions.group(SWITCHES).choices(agent))
            .sum();
        self.heat += controls[0] + controls[1].min(3.0) + 0.1 * f64::from(bits) + rng.uniform();
        self.heat = self.heat.clamp(0.0, HOT);
        self.chance(rng);
        let verdict = actions.group(JUDGES).discrete(0);
        out.group(PILOTS).reward(0, controls[1].min(3.0));
        out.group(JUDGES).reward(0, verdict as f64 - 1.0);
        for scout in 0..2 {
            self.scout(scout, actions.group(SCOUTS).choices(scout), out);
        }
        self.observe(out);
        out.metric(1, self.heat);
        out.metric(2, self.heat);
        out.metric(3, self.heat);
        if self.heat >= HOT {
            out.terminate();
        }
    }

    fn render(&self, canvas: &mut Canvas) {
        canvas.caption(format!("heat {:.1}", self.heat));
    }
}

fn group(
    name: &str,
    agents: usize,
    observation: Space,
    action: Space,
) -> palaestra_plugin_api::spec::GroupSpec {
    palaestra_plugin_api::spec::GroupSpec::new(name, agents, observation, action)
}

impl Spaces {
    fn chance(&mut self, rng: &mut EnvRng) {
        (self.pixel, self.bits) = (rng.below(256) as u8, rng.below(16) as u8);
    }

    fn scout(&mut self, scout: usize, choices: &[i32], out: &mut StepWriter<'_>) {
        match self.away[scout] {
            0 if choices == [2, 1] && self.pixel.is_multiple_of(4) => {
                self.away[scout] = 3;
                out.group(SCOUTS).terminate(scout);
            }
            0 => {
                out.group(SCOUTS).reward(scout, f64::from(choices[0]) - 1.0);
                out.metric(0, 1.0);
            }
            // Under `respawn` only, the last step away brings the scout back.
            _ if !self.respawn => {}
            left => {
                self.away[scout] = left - 1;
                out.group(SCOUTS).set_alive(scout, left == 1);
            }
        }
    }

    fn observe(&self, out: &mut Observe<'_>) {
        for scout in (0..2).filter(|&scout| self.away[scout] == 0) {
            let mut group = out.group(SCOUTS);
            for (i, pixel) in group.pixels(scout).iter_mut().enumerate() {
                *pixel = self.pixel.wrapping_add((i * 13 + scout) as u8);
            }
            // The third of the first choices needs an even pixel.
            group.action_mask(scout)[2] = u8::from(self.pixel.is_multiple_of(2));
        }
        out.group(PILOTS)
            .observation(0)
            .copy_from_slice(&[self.heat as f32, f32::from(self.pixel) - 128.0]);
        for switch in 0..3 {
            let lamp = (usize::from(self.bits) + switch) % 4;
            out.group(SWITCHES)
                .observation(switch)
                .copy_from_slice(&[lamp as f32, (lamp % 3) as f32]);
        }
        let mut judges = out.group(JUDGES);
        for (bit, value) in judges.observation(0).iter_mut().enumerate() {
            *value = f32::from(self.bits >> bit & 1);
        }
        judges.action_mask(0)[3] = self.bits & 1;
        out.state()
            .copy_from_slice(&[self.heat as f32, self.away[0] as f32, self.away[1] as f32]);
    }
}
