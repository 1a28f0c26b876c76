//! A trainer as the parts of a checkpoint: one that reads them goes on as if it had never stopped.
//!
//! | part | holds |
//! |---|---|
//! | `trainer.json` | counters, metrics under way, self-play |
//! | `rollout` | every instance, world wrappers, present rows |
//! | `identity` | tasks, seats and keys of the present rows |
//! | `player/<i>/algorithm`, `…/view.json`, `…/rows` | learners and opponents: everything they are |
//! | `mechanism/<i>` | the state of a mechanism |
//! | `policy/<i>/policy.json`, `…/weights`, `…/statistics.json` | the learners' policy bundles, for evaluation and cross-play: algorithm, configuration, groups and spec; weights with mechanism parameters; wrapper statistics |
//! | `opponent/<i>/weights`, `…/statistics.json` | frozen opponents |

use std::collections::BTreeMap;

use palaestra_plugin_api::{Error, Result};
use serde_json::{Value, json};

use super::{policy_state::PolicyState, trainer::Trainer};
use crate::{
    exact,
    rollout::Moments,
    runs::{Checkpoint, PartsWriter},
};

impl Trainer {
    /// Writes everything, between two fragments.
    ///
    /// # Errors
    /// What a plugin reports, or a disk that is full.
    pub fn save(&mut self, parts: &mut PartsWriter<'_>) -> Result<()> {
        let state = json!({
            "counters": self.counters,
            "statistics": self.stage.statistics().save(0),
            "learned": save_moments(&self.learned),
            "self_play": self.self_play.as_ref().map(|play| play.counters()),
            "opponents": self.self_play.as_ref().map_or(0, |play| play.opponents()),
            "begun": self.stage.has_begun(),
        });
        parts.bytes("trainer.json", state.to_string().as_bytes())?;
        for (i, policy) in self.policies()?.iter().enumerate() {
            write_policy(parts, &format!("policy/{i}"), policy)?;
            let about = self.stage.players_mut()[i].about().to_string();
            parts.bytes(&format!("policy/{i}/policy.json"), about.as_bytes())?;
        }
        if let Some(play) = &self.self_play {
            for seat in 1..=play.opponents() as u32 {
                write_policy(parts, &format!("opponent/{seat}"), play.opponent(seat))?;
            }
        }
        for (i, player) in self.stage.players_mut().iter_mut().enumerate() {
            parts.part(&format!("player/{i}/algorithm"), |out| {
                let written = player.handle.snapshot(out);
                written.map_err(|e| player.blame(e))
            })?;
        }
        for (i, mechanism) in self.stage.mechanisms_mut().iter_mut().enumerate() {
            parts.part(&format!("mechanism/{i}"), |out| mechanism.snapshot(out))?;
        }
        if !self.stage.has_begun() {
            return Ok(());
        }
        parts.part("rollout", |out| self.stage.rollout_mut().save_state(out))?;
        let now = self.stage.rollout().now();
        let identity = self.stage.identity_mut().memory().save_slot(now);
        parts.bytes("identity", &identity)?;
        for (i, player) in self.stage.players_mut().iter_mut().enumerate() {
            let view = player.view.save().to_string();
            parts.bytes(&format!("player/{i}/view.json"), view.as_bytes())?;
            parts.bytes(&format!("player/{i}/rows"), &player.memory.save_slot(now))?;
        }
        Ok(())
    }

    /// Becomes what [`save`](Self::save) wrote; for a trainer that was made from the same experiment.
    ///
    /// # Errors
    /// Parts that are missing, damaged or of another experiment.
    pub fn load(&mut self, from: &mut Checkpoint) -> Result<()> {
        let state = read_json(from, "trainer.json")?;
        self.counters = serde_json::from_value(state["counters"].clone())
            .map_err(|e| Error::config(format!("checkpoint: trainer.json /counters: {e}")))?;
        let statistics = self.stage.statistics_mut();
        statistics.load(0, &state["statistics"])?;
        self.learned = load_moments(&state["learned"])?;
        self.load_opponents(&state, from)?;
        for (i, player) in self.stage.players_mut().iter_mut().enumerate() {
            let mut stream = from.part(&format!("player/{i}/algorithm"))?;
            let restored = player.handle.restore(&mut stream);
            restored.map_err(|e| player.blame(e))?;
        }
        for (i, mechanism) in self.stage.mechanisms_mut().iter_mut().enumerate() {
            mechanism.restore(&mut from.part(&format!("mechanism/{i}"))?)?;
        }
        if state["begun"] != true {
            return Ok(());
        }
        let rollout = self.stage.rollout_mut();
        rollout.load_state(&mut from.part("rollout")?)?;
        let now = rollout.now();
        let identity = from.bytes("identity")?;
        let memory = self.stage.identity_mut().memory_mut();
        memory.load_slot(now, &identity)?;
        for (i, player) in self.stage.players_mut().iter_mut().enumerate() {
            let view = read_json(from, &format!("player/{i}/view.json"))?;
            player.view.load(&view)?;
            let rows = from.bytes(&format!("player/{i}/rows"))?;
            player.memory.load_slot(now, &rows)?;
        }
        self.stage.set_begun();
        Ok(())
    }

    fn load_opponents(&mut self, state: &Value, from: &mut Checkpoint) -> Result<()> {
        let Some(play) = &mut self.self_play else {
            return Ok(());
        };
        let counters = serde_json::from_value(state["self_play"].clone())
            .map_err(|e| Error::config(format!("checkpoint: trainer.json /self_play: {e}")))?;
        let count = state["opponents"].as_u64().unwrap_or(0) as u32;
        let read = |seat: u32| read_policy(from, &format!("opponent/{seat}"));
        let opponents = (1..=count).map(read).collect::<Result<_>>()?;
        play.load(counters, opponents);
        (1..=count).try_for_each(|seat| self.seat(seat))
    }
}

/// The learners' policies in a checkpoint.
///
/// # Errors
/// Parts that are missing or damaged.
pub fn read_policies(from: &mut Checkpoint) -> Result<Vec<PolicyState>> {
    let count = (0..).take_while(|i| from.has(&format!("policy/{i}/weights")));
    let count = count.count();
    (0..count)
        .map(|i| read_policy(from, &format!("policy/{i}")))
        .collect()
}

fn write_policy(parts: &mut PartsWriter<'_>, name: &str, policy: &PolicyState) -> Result<()> {
    parts.bytes(&format!("{name}/weights"), &policy.weights)?;
    let statistics = policy.statistics.to_string();
    parts.bytes(&format!("{name}/statistics.json"), statistics.as_bytes())
}

fn read_policy(from: &mut Checkpoint, name: &str) -> Result<PolicyState> {
    Ok(PolicyState {
        weights: from.bytes(&format!("{name}/weights"))?,
        statistics: read_json(from, &format!("{name}/statistics.json"))?,
    })
}

fn read_json(from: &mut Checkpoint, name: &str) -> Result<Value> {
    serde_json::from_slice(&from.bytes(name)?)
        .map_err(|e| Error::config(format!("checkpoint: {name}: {e}")))
}

fn save_moments(moments: &BTreeMap<String, Moments>) -> Value {
    let one = |(name, m): (&String, &Moments)| {
        let numbers = exact::save(&[m.mean, m.deviations]);
        (name.clone(), json!({"count": m.count, "numbers": numbers}))
    };
    Value::Object(moments.iter().map(one).collect())
}

fn load_moments(saved: &Value) -> Result<BTreeMap<String, Moments>> {
    let saved = saved.as_object().into_iter().flatten();
    saved
        .map(|(name, value)| {
            let mut numbers = [0.0; 2];
            exact::load(value, "numbers", &mut numbers)?;
            let [mean, deviations] = numbers;
            let moments = Moments {
                count: value["count"].as_u64().unwrap_or(0),
                mean,
                deviations,
            };
            Ok((name.clone(), moments))
        })
        .collect()
}
