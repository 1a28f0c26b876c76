//! Grid worlds: agents on cells that forage, deliver, drive, queue, chase and meet.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `grid/Foraging-v3` | players | load food together (level-based foraging, version 3) |
//! | `grid/Warehouse-v2` | robots | deliver requested shelves (RWARE, version 2) |
//! | `grid/TrafficJunction-v0` | cars | cross without collisions (IC3Net: easy, medium, hard) |
//! | `grid/TrafficJunctionMaGym-v0` | cars | cross without being blocked (ma-gym) |
//! | `grid/Switch-v0` | 2 to 4 | change sides through a narrow corridor (ma-gym) |
//! | `grid/Checkers-v0` | 2 | one eats apples, the other clears lemons (ma-gym) |
//! | `grid/SwitchRiddle-v0` | prisoners | know by one lamp that all have been in its room |
//! | `grid/PredatorPrey-v0` | predators, prey | catch the prey by being near it together |
//! | `grid/CooperativeMeeting-v0` | a team | be at the goal at the same time |
//! | `grid/Doorway-v0` | 2 robots | change rooms through one narrow door |
//!
//! One file or folder an environment. The rest is common: [`board`] for places, moves and cells, `picture`
//! for what is drawn, `paths` for the ways of scripted baselines, `trace` and `ma_gym` for the forms of the reference traces, `state` for snapshots, starts
//! and joint actions given as numbers.

pub mod board;
pub mod checkers;
pub mod cooperative_meeting;
pub mod doorway;
pub mod foraging;
mod ma_gym;
mod paths;
mod picture;
pub mod predator_prey;
mod state;
pub mod switch;
pub mod switch_riddle;
mod trace;
pub mod traffic_junction;
pub mod traffic_junction_ma_gym;
pub mod warehouse;

pub use checkers::Checkers;
pub use cooperative_meeting::CooperativeMeeting;
pub use doorway::Doorway;
pub use foraging::Foraging;
pub use predator_prey::PredatorPrey;
pub use switch::Switch;
pub use switch_riddle::SwitchRiddle;
pub use traffic_junction::TrafficJunction;
pub use traffic_junction_ma_gym::TrafficJunctionMaGym;
pub use warehouse::Warehouse;

palaestra_plugin_api::export_plugin!(environments: [
    Foraging,
    Warehouse,
    TrafficJunction,
    TrafficJunctionMaGym,
    Switch,
    Checkers,
    SwitchRiddle,
    PredatorPrey,
    CooperativeMeeting,
    Doorway,
]);
