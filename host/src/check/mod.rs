//! `palaestra check`: what must hold of a plugin's library and of its environments, out of process.
//!
//! Every check that runs plugin code has a process of its own: this program again, with a hidden
//! subcommand ([`worker`]) that runs one check and prints one line. The parent ([`supervise`]) gives it a
//! time limit, names the signal or exit code that ended it, and kills its whole process group. Checks of the
//! file itself ([`library`]) run nothing and stay in the parent.

pub mod command;
mod fuzz;
pub mod library;
mod loading;
mod plan;
mod report;
mod schema;
pub mod supervise;
pub mod worker;

pub use command::{CheckArgs, run};
pub use report::{PluginReport, SubjectReport};
pub use worker::WorkerArgs;
