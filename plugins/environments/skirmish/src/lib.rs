//! Skirmishes: unit micro-management in the manner of SMAC (the StarCraft multi-agent challenge), without
//! StarCraft.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `skirmish/Battle-v0` | allied units | kill all enemies, which a script commands |
//!
//! `units` says what each unit type can do, `scenario` who fights where, `combat` what orders do, `crowd` how bodies
//! part, `script` what enemies order, `observation` how what is seen is laid out, `sight` who sees what, `lanes` how
//! several are compared at a time, `picture` what is drawn; [`battle`] is the environment.

pub mod battle;
mod combat;
mod crowd;
mod lanes;
mod observation;
mod picture;
mod scenario;
mod script;
mod sight;
mod tactics;
mod units;

pub use battle::Battle;

palaestra_plugin_api::export_plugin!(environments: [Battle]);
