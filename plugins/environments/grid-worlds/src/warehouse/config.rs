//! Settings.

/// How many shelves stand where.
#[palaestra_plugin_api::config]
pub enum Size {
    /// 1 row of 3 columns.
    Tiny,
    /// 2 rows of 3 columns.
    Small,
    /// 2 rows of 5 columns.
    Medium,
    /// 3 rows of 5 columns.
    Large,
}

/// How many shelves are requested at a time.
#[palaestra_plugin_api::config]
pub enum Difficulty {
    /// Two per robot.
    Easy,
    /// One per robot.
    #[config(default)]
    Normal,
    /// One per two robots.
    Hard,
}

/// Who is paid, and when.
#[palaestra_plugin_api::config]
pub enum RewardType {
    /// Who delivers, 1.
    #[config(default)]
    Individual,
    /// Everybody, 1.
    Global,
    /// Who delivers, 0.5, and 0.5 for the shelf that it puts down then.
    TwoStage,
}

/// Settings of Warehouse; the defaults are those of `rware-tiny-2ag-v2`.
#[palaestra_plugin_api::config]
pub struct WarehouseConfig {
    /// Rows and columns of shelf blocks.
    pub size: Size,
    /// Rows of shelf blocks, if not those of the size.
    #[config(range = 1..=100)]
    pub shelf_rows: Option<u32>,
    /// Columns of shelf blocks, an odd number, if not those of the size.
    #[config(range = 1..=99)]
    pub shelf_columns: Option<u32>,
    /// Cells from top to bottom of a shelf block.
    #[config(default = 8, range = 1..=100)]
    pub column_height: u32,
    /// Number of robots.
    #[config(default = 2, range = 1..=1000)]
    pub num_agents: usize,
    /// How many shelves are requested at a time.
    pub difficulty: Difficulty,
    /// How many shelves are requested at a time, if not by difficulty.
    #[config(range = 1..)]
    pub request_queue_size: Option<usize>,
    /// Who is paid, and when.
    pub reward_type: RewardType,
    /// How far robots see, in cells.
    #[config(default = 1, range = 1..=50)]
    pub sensor_range: u32,
    /// Whether robots see their place as parts of the warehouse's sides.
    #[config(default = false)]
    pub normalised_coordinates: bool,
    /// Steps until truncation.
    #[config(default = 500, range = 1..)]
    pub max_episode_steps: u32,
    /// Steps without delivery until truncation, if any.
    #[config(range = 0..)]
    pub max_inactivity_steps: Option<u32>,
}
