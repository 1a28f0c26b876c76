//! Settings, and what follows from the difficulty and the curriculum.

/// The curriculum's steps of `add_rate`.
const RATE_STEP: f64 = 0.01;

/// Which roads.
#[palaestra_plugin_api::config]
pub enum Difficulty {
    /// Two one-way roads.
    Easy,
    /// Two roads of two lanes.
    Medium,
    /// Four roads of two lanes.
    Hard,
}

/// Settings of TrafficJunction; what is not given is that of the difficulty.
#[palaestra_plugin_api::config]
pub struct TrafficJunctionConfig {
    /// Which roads.
    pub difficulty: Difficulty,
    /// Most cars on the road.
    #[config(range = 1..=1000)]
    pub num_cars: Option<usize>,
    /// Length of the roads, in cells; easy roads are one cell longer.
    #[config(range = 4..=200)]
    pub dim: Option<u32>,
    /// How far cars see, in cells; 0 for their own cell alone.
    #[config(default = 1, range = 0..=20)]
    pub vision: u32,
    /// Probability that a car enters at an arrival point, at the end of the curriculum.
    #[config(range = 0.0..=1.0)]
    pub add_rate: Option<f64>,
    /// The same at the start of the curriculum.
    #[config(range = 0.0..=1.0)]
    pub add_rate_min: Option<f64>,
    /// Epoch in which the curriculum starts.
    #[config(default = 250)]
    pub curriculum_start: u32,
    /// Epoch in which the curriculum is at its end.
    #[config(default = 1250)]
    pub curriculum_end: u32,
    /// Steps until truncation.
    #[config(range = 1..)]
    pub max_episode_steps: Option<u32>,
}

/// What depends on the difficulty.
pub(super) struct Preset {
    pub(super) cars: usize,
    pub(super) dim: u32,
    pub(super) steps: u32,
    pub(super) add_rate: [f64; 2],
}

impl Difficulty {
    pub(super) fn preset(self) -> Preset {
        match self {
            Self::Easy => Preset {
                cars: 5,
                dim: 6,
                steps: 20,
                add_rate: [0.1, 0.3],
            },
            Self::Medium => Preset {
                cars: 10,
                dim: 14,
                steps: 40,
                add_rate: [0.05, 0.2],
            },
            Self::Hard => Preset {
                cars: 20,
                dim: 18,
                steps: 80,
                add_rate: [0.02, 0.05],
            },
        }
    }
}

impl TrafficJunctionConfig {
    /// `add_rate` at the start and at the end of the curriculum.
    pub(super) fn rates(&self) -> [f64; 2] {
        let [low, high] = self.difficulty.preset().add_rate;
        let high = self.add_rate.unwrap_or(high);
        [self.add_rate_min.unwrap_or(low.min(high)), high]
    }

    /// `add_rate` in an epoch: the original adds once an epoch from the start to the end of the curriculum.
    pub(super) fn rate_in(&self, epoch: u32) -> f64 {
        let [low, high] = self.rates();
        let epochs = self.curriculum_end.saturating_sub(self.curriculum_start);
        let passed = epoch
            .saturating_add(1)
            .saturating_sub(self.curriculum_start)
            .min(epochs);
        if epochs == 0 || passed == epochs {
            return high;
        }
        let exact = low + (high - low) * f64::from(passed) / f64::from(epochs);
        if passed == 0 {
            low
        } else {
            RATE_STEP * (exact / RATE_STEP).floor()
        }
    }
}
