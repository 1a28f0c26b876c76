//! `stress/Sound-v0`: the smallest environment that keeps all rules.
//!
//! A counter starts at 0 to 9; the agent adds -1 or +1, chance adds 0 or 1, and 20 ends the episode.

use palaestra_plugin_api::prelude::*;

/// Settings of `stress/Sound-v0`.
#[config]
pub struct SoundConfig {
    /// Steps until truncation.
    #[config(default = 50, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
}

/// A counter.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Sound {
    count: i32,
}

const END: i32 = 20;

impl Environment for Sound {
    const ID: &'static str = "stress/Sound-v0";
    const DESCRIPTION: &'static str = "A counter that keeps all rules";
    type Config = SoundConfig;

    fn spec(config: &SoundConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new(
            "counter",
            1,
            Space::bounded(1, -1e6, f64::from(END)),
            Space::discrete(2),
        );
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-1.0), Some(2.0));
        spec.tags = vec![Tag::SingleAgent];
        Ok(spec)
    }

    fn new(_: &SoundConfig) -> Result<Self> {
        Ok(Self { count: 0 })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.count = rng.below(10) as i32;
        out.observation(0)[0] = self.count as f32;
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let change = actions.discrete(0) as i32 * 2 - 1 + rng.below(2) as i32;
        self.count = (self.count + change).min(END);
        out.observation(0)[0] = self.count as f32;
        out.reward(0, f64::from(change));
        if self.count == END {
            out.terminate();
        }
    }

    fn render(&self, canvas: &mut Canvas) {
        canvas.caption(format!("count {}", self.count));
    }
}
