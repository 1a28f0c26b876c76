//! Proves that checks, hosts and supervisors notice what they must: one environment that breaks a rule on
//! request, and sound ones that cover every kind of space; a learner and a channel that fail on request.
//!
//! | id | what |
//! |---|---|
//! | `stress/Misbehaving-v0` | does what `fault` says: fails one environment check, panics, or takes its process down |
//! | `stress/Sound-v0` | the smallest environment that keeps all rules |
//! | `stress/Spaces-v0` | four groups with images, bits, several choices, masks, boxes; agents end and may come back |
//! | `stress/Faulty-v0` | a learner of one number that does what `fault` says: wrong capabilities, NaN, errors, panics |
//! | `stress/FaultyExchange-v0` | a channel that does what `fault` says: wrong widths, NaN, errors, panics |
//! | `stress/Turns-v0` | agents take turns under masks; episodes may wait for a reset |
//!
//! Faults that the SDK makes impossible are not here: it checks actions itself, writes flags and counters,
//! lists what ended, and keeps panics of `drop` from the host.

mod fault;
mod faulty;
mod faulty_exchange;
mod misbehaving;
mod process;
mod sound;
mod spaces;
mod turns;

pub use fault::FaultKind;
pub use faulty::{Faulty, FaultyConfig, LearnerFault};
pub use faulty_exchange::{ExchangeFault, FaultyExchange, FaultyExchangeConfig};
pub use misbehaving::{Misbehaving, MisbehavingConfig};
pub use sound::{Sound, SoundConfig};
pub use spaces::{Spaces, SpacesConfig};
pub use turns::{Turns, TurnsConfig};

palaestra_plugin_api::export_plugin!(
    environments: [Misbehaving, Sound, Spaces, Turns],
    algorithms: [Faulty],
    mechanisms: [FaultyExchange],
);
