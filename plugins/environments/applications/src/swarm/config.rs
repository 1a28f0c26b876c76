//! Settings of the swarm.

/// What the swarm is for.
#[palaestra_plugin_api::config]
pub enum Task {
    /// To stand so that much of the arena is sensed.
    Coverage,
    /// To keep a distance to the neighbours.
    Formation,
    /// To find hidden targets.
    Search,
}

/// Settings of Swarm.
#[palaestra_plugin_api::config]
pub struct SwarmConfig {
    /// What the swarm is for.
    pub task: Task,
    /// Number of robots.
    #[config(default = 10, range = 1..=10_000)]
    pub num_robots: usize,
    /// Side of the arena.
    #[config(default = 10.0, range = 0.1..=1e6)]
    pub size: f64,
    /// Largest way of a robot in a step.
    #[config(default = 0.3, range = 0.0..=1e6)]
    pub speed: f64,
    /// How far a robot senses others, targets and the arena.
    #[config(default = 2.0, range = 0.001..=1e6)]
    pub sensing_range: f64,
    /// So many of the nearest others are sensed.
    #[config(default = 4, range = 1..=16)]
    pub num_neighbors: usize,
    /// Probability that a robot fails in a step.
    #[config(default = 0.001, range = 0.0..=1.0)]
    pub failure_probability: f64,
    /// Robots nearer than this collide.
    #[config(default = 0.2, range = 0.0..=1e6)]
    pub collision_distance: f64,
    /// What a collision costs a robot in each step.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub collision_penalty: f64,
    /// Distance that a formation keeps.
    #[config(default = 1.0, range = 0.001..=1e6)]
    pub spacing: f64,
    /// Number of targets of a search.
    #[config(default = 5, range = 1..=1000)]
    pub num_targets: usize,
    /// A target nearer than this to a robot is found.
    #[config(default = 0.5, range = 0.0..=1e6)]
    pub detection_range: f64,
    /// What a step of a search costs each robot.
    #[config(default = 0.01, range = 0.0..=1e6)]
    pub step_cost: f64,
    /// Coverage is measured at this number of points a side.
    #[config(default = 20, range = 1..=1000)]
    pub points_per_side: usize,
    /// Steps until truncation.
    #[config(default = 200, range = 1..)]
    pub max_episode_steps: u32,
}
