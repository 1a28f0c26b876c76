//! `stress/Turns-v0`: three agents act in turns that chance decides.
//!
//! Whoever acts takes 1 to 3 stones from a heap of 10 to 20 (as many as there are); whoever takes the last
//! one wins 1, the others lose 0.5. Observation: stones left, own turn.

use palaestra_plugin_api::prelude::*;

/// Settings of `stress/Turns-v0`.
#[config]
pub struct TurnsConfig {
    /// Whether ended games wait for a reset.
    #[config(default = false)]
    pub manual_reset: bool,
}

/// A heap of stones.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Turns {
    stones: usize,
    turn: usize,
}

const AGENTS: usize = 3;

impl Environment for Turns {
    const ID: &'static str = "stress/Turns-v0";
    const DESCRIPTION: &'static str = "Three agents take stones in turns";
    type Config = TurnsConfig;

    fn spec(config: &TurnsConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new(
            "players",
            AGENTS,
            Space::bounds(&[0.0, 0.0], &[20.0, 1.0]),
            Space::discrete(4),
        );
        spec.groups[0].has_action_mask = true;
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.reward_range = (Some(-0.5), Some(1.0));
        spec.flags.turn_based = true;
        spec.flags.manual_reset = config.manual_reset;
        spec.tags = vec![Tag::Competitive, Tag::TurnBased];
        Ok(spec)
    }

    fn new(_: &TurnsConfig) -> Result<Self> {
        Ok(Self { stones: 0, turn: 0 })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.stones = 10 + rng.below(11) as usize;
        self.turn = rng.below(AGENTS as u64) as usize;
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.stones -= actions.discrete(self.turn);
        if self.stones == 0 {
            for agent in 0..AGENTS {
                out.reward(agent, if agent == self.turn { 1.0 } else { -0.5 });
            }
            out.terminate();
        }
        self.turn = (self.turn + 1 + rng.below(2) as usize) % AGENTS;
        self.observe(out);
    }

    fn render(&self, canvas: &mut Canvas) {
        canvas.caption(format!("{} stones", self.stones));
    }
}

impl Turns {
    /// Whoever does not act may only do nothing; nor may anybody when no stones are left.
    fn observe(&self, out: &mut Observe<'_>) {
        for agent in 0..AGENTS {
            let acts = agent == self.turn;
            out.observation(agent)
                .copy_from_slice(&[self.stones as f32, f32::from(u8::from(acts))]);
            let mask = out.action_mask(agent);
            mask.fill(0);
            if acts && self.stones > 0 {
                (1..=self.stones.min(3)).for_each(|n| mask[n] = 1);
            } else {
                mask[0] = 1;
            }
        }
        out.set_acting(self.turn);
    }
}
