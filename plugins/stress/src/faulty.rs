//! `stress/Faulty-v0`: a learner of one number that fails as its `fault` says.
//!
//! It acts at random, by the keys; learning counts fragments. Both are kept by snapshots, and the count is its one
//! weight, `policy/<first group>/count`.

use std::io::{Read, Write};

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::{
        Algorithm, AlgorithmCapabilities, Amount, Collect, Extra, LearnsFrom, Metrics, Setting,
    },
    prelude::*,
    rng::purpose,
    serde_json::{self, Value, json},
    table::Table,
};

use crate::{FaultKind, process};

/// What `stress/Faulty-v0` can do wrong.
#[config]
pub enum LearnerFault {
    /// Nothing.
    #[config(default)]
    None,

    /// Its capabilities have one recurrent width too many.
    RecurrentWidths,
    /// Its capabilities name an extra twice.
    ExtrasTwice,
    /// It learns, but neither on nor off policy.
    NeitherOnNorOffPolicy,
    /// It needs slabs that nobody knows.
    UnknownNeed,

    /// Asks for a fragment of no steps.
    NothingToCollect,
    /// Asks for a fragment without end.
    EndlessFragment,
    /// Asks for a task that nobody has listed.
    UnknownTask,
    /// Proposes an action outside its space: one more than the last choice, or NaN.
    ActionOutsideSpace,
    /// Reports a loss that is NaN, and one that is infinite.
    LossNotANumber,
    /// Writes snapshots that it refuses.
    SnapshotBroken,
    /// Writes weights that are no safetensors file.
    WeightsBroken,

    /// Panics when it is made.
    PanicInNew,
    /// Panics when it is asked what to collect.
    PanicInNext,
    /// Panics when it acts.
    PanicInAct,
    /// Panics when it learns.
    PanicInLearn,
    /// Panics when it is saved.
    PanicInSnapshot,
    /// Panics when it is restored.
    PanicInRestore,
    /// Panics when its weights are asked for.
    PanicInWeights,
    /// Panics when it is dropped.
    PanicInDrop,

    /// Reports an error when it acts.
    ErrorInAct,
    /// Reports an error when it learns.
    ErrorInLearn,
    /// Reports an error when it is saved.
    ErrorInSnapshot,
    /// Reports an error when it is restored.
    ErrorInRestore,

    /// Ends the process with exit code 7, in learning.
    Exit,
    /// Aborts the process, in learning.
    Abort,
    /// Recurses until the stack is used up, in learning.
    StackOverflow,
    /// Never returns from learning.
    EndlessLoop,
}

/// Settings of `stress/Faulty-v0`.
#[config]
pub struct FaultyConfig {
    /// What to do wrong.
    pub fault: LearnerFault,
    /// The call (of `act`, `learn`, `snapshot`, …) from which on it goes wrong.
    #[config(default = 1, range = 1..=1_000_000_000)]
    pub at_call: u64,
    /// Steps of a fragment.
    #[config(default = 8, range = 1..=1_000_000)]
    pub num_steps: usize,
}

/// Calls so far, of each function that may fail.
#[derive(Clone, Copy, Default)]
struct Calls {
    next: u64,
    act: u64,
    learn: u64,
    snapshot: u64,
    restore: u64,
    weights: u64,
}

/// A learner that fails.
pub struct Faulty {
    config: FaultyConfig,
    groups: Vec<(u32, GroupSpec)>,
    calls: Calls,
    /// Fragments learned from.
    count: u64,
}

/// A snapshot.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Saved {
    count: u64,
}

impl Faulty {
    /// Whether this is the fault, and the call that `calls` counts one at which it shows.
    fn fails(&mut self, fault: LearnerFault, calls: fn(&mut Calls) -> &mut u64) -> bool {
        self.config.fault == fault && *calls(&mut self.calls) >= self.config.at_call
    }

    /// Counts a call; panics or fails where that is the fault.
    fn enter(
        &mut self,
        name: &str,
        calls: fn(&mut Calls) -> &mut u64,
        (panics, errs): (LearnerFault, LearnerFault),
    ) -> Result<()> {
        *calls(&mut self.calls) += 1;
        assert!(!self.fails(panics, calls), "asked to panic in {name}");
        if errs != LearnerFault::None && self.fails(errs, calls) {
            return Err(Error::plugin(format!("asked to fail in {name}")));
        }
        Ok(())
    }
}

impl Algorithm for Faulty {
    const ID: &'static str = "stress/Faulty-v0";
    const DESCRIPTION: &'static str = "A learner of one number that fails as fault says";
    type Config = FaultyConfig;

    fn capabilities(config: &FaultyConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        let mut all = AlgorithmCapabilities {
            on_policy: true,
            off_policy: true,
            learns_from: LearnsFrom::Executed,
            trainable: true,
            needs: vec![id::KEY],
            likes: vec![id::ACTION_MASK],
            ..AlgorithmCapabilities::default()
        };
        match config.fault {
            LearnerFault::RecurrentWidths => all.recurrent = vec![1; setting.controlled.len() + 1],
            LearnerFault::ExtrasTwice => all.extras = vec![Extra::new("value", 1); 2],
            LearnerFault::NeitherOnNorOffPolicy => {
                (all.on_policy, all.off_policy) = (false, false);
            }
            LearnerFault::UnknownNeed => all.needs.push(9_999),
            _ => {}
        }
        Ok(all)
    }

    fn new(config: &FaultyConfig, setting: &Setting) -> Result<Self> {
        assert!(
            config.fault != LearnerFault::PanicInNew,
            "asked to panic in new"
        );
        let groups = setting.controlled_groups();
        Ok(Self {
            config: config.clone(),
            groups: groups.map(|(g, spec)| (g, spec.clone())).collect(),
            calls: Calls::default(),
            count: 0,
        })
    }

    fn next(&mut self) -> Result<Collect> {
        use LearnerFault::{EndlessFragment, None, NothingToCollect, PanicInNext, UnknownTask};
        self.enter("next", |c| &mut c.next, (PanicInNext, None))?;
        let mut collect = Collect::steps(self.config.num_steps);
        if self.fails(NothingToCollect, |c| &mut c.next) {
            collect.amount = Amount::Steps(0);
        }
        if self.fails(EndlessFragment, |c| &mut c.next) {
            collect.amount = Amount::Steps(usize::MAX);
        }
        if self.fails(UnknownTask, |c| &mut c.next) {
            collect.tasks = vec![u32::MAX];
        }
        Ok(collect)
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, _: bool) -> Result<()> {
        use LearnerFault::{ActionOutsideSpace, ErrorInAct, PanicInAct};
        self.enter("act", |c| &mut c.act, (PanicInAct, ErrorInAct))?;
        let outside = self.fails(ActionOutsideSpace, |c| &mut c.act);
        let keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?.to_vec();
        for (g, group) in &self.groups {
            act_group(rows, (*g, slot), group, &keys, outside)?;
        }
        Ok(())
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        use LearnerFault::{ErrorInLearn, LossNotANumber, PanicInLearn};
        self.enter("learn", |c| &mut c.learn, (PanicInLearn, ErrorInLearn))?;
        if self.calls.learn >= self.config.at_call {
            process::strike(match self.config.fault {
                LearnerFault::Exit => FaultKind::Exit,
                LearnerFault::Abort => FaultKind::Abort,
                LearnerFault::StackOverflow => FaultKind::StackOverflow,
                LearnerFault::EndlessLoop => FaultKind::EndlessLoop,
                _ => FaultKind::None,
            });
        }
        self.count += 1;
        let mut metrics = Metrics::from([
            ("count".to_owned(), self.count as f64),
            ("loss".to_owned(), 1.0 / self.count as f64),
            ("steps".to_owned(), fragment.steps()? as f64),
        ]);
        if self.fails(LossNotANumber, |c| &mut c.learn) {
            metrics.insert("loss".into(), f64::NAN);
            metrics.insert("value_loss".into(), f64::INFINITY);
        }
        Ok(metrics)
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        use LearnerFault::{ErrorInSnapshot, PanicInSnapshot, SnapshotBroken};
        self.enter(
            "snapshot",
            |c| &mut c.snapshot,
            (PanicInSnapshot, ErrorInSnapshot),
        )?;
        if self.fails(SnapshotBroken, |c| &mut c.snapshot) {
            return Ok(out.write_all(b"{\"cou")?);
        }
        serde_json::to_writer(out, &Saved { count: self.count })
            .map_err(|e| Error::plugin(format!("snapshot: {e}")))
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        use LearnerFault::{ErrorInRestore, PanicInRestore};
        self.enter(
            "restore",
            |c| &mut c.restore,
            (PanicInRestore, ErrorInRestore),
        )?;
        let saved: Saved =
            serde_json::from_reader(from).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        self.count = saved.count;
        Ok(())
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        use LearnerFault::{None, PanicInWeights, WeightsBroken};
        self.enter("weights", |c| &mut c.weights, (PanicInWeights, None))?;
        if self.fails(WeightsBroken, |c| &mut c.weights) {
            return Ok(out.write_all(b"weights")?);
        }
        let header = json!({self.weight(): {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}});
        let header = header.to_string();
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        Ok(out.write_all(&(self.count as f32).to_le_bytes())?)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let count = read_weight(&bytes, &self.weight());
        let count = count.ok_or_else(|| {
            let name = self.weight();
            Error::config(format!(
                "weights: expected one tensor {name:?}, found another file"
            ))
        })?;
        if groups.is_empty() || groups.contains(&self.groups[0].1.name) {
            self.count = count as u64;
        }
        Ok(())
    }
}

impl Faulty {
    /// Name of the one tensor.
    fn weight(&self) -> String {
        format!("policy/{}/count", self.groups[0].1.name)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        assert!(
            self.config.fault != LearnerFault::PanicInDrop,
            "asked to panic in drop"
        );
    }
}

/// The one number of a safetensors file with one tensor of this name.
fn read_weight(bytes: &[u8], name: &str) -> Option<f32> {
    let (length, rest) = bytes.split_at_checked(8)?;
    let length = u64::from_le_bytes(length.try_into().ok()?);
    let (header, data) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let header: Value = serde_json::from_slice(header).ok()?;
    header.get(name)?;
    Some(f32::from_le_bytes(data.try_into().ok()?))
}

/// Any allowed action of each agent of a group; the last one is `outside` its space.
fn act_group(
    rows: &mut Table<'_>,
    (g, slot): (u32, usize),
    group: &GroupSpec,
    keys: &[u64],
    outside: bool,
) -> Result<()> {
    let (width, per_row) = (group.action.width(), group.agents * group.action.width());
    let rngs = keys
        .iter()
        .map(|&key| EnvRng::new(key, 0, u64::from(g), purpose::ACTIONS));
    if group.action.is_box() {
        let actions = rows.rows_mut::<f32>(id::PROPOSED_ACTION, g, slot)?;
        for (row, mut rng) in actions.chunks_exact_mut(per_row).zip(rngs) {
            for (c, action) in row.iter_mut().enumerate() {
                let (low, high) = group.action.bounds_of(c % width);
                *action = rng.range(low.max(-1.0), high.min(1.0)) as f32;
            }
        }
        if let (true, Some(action)) = (outside, actions.last_mut()) {
            *action = f32::NAN;
        }
        return Ok(());
    }
    let choices = group.action.choices();
    let mask = match group.has_action_mask {
        true => rows.rows::<u8>(id::ACTION_MASK, g, slot)?.to_vec(),
        false => vec![1; keys.len() * group.agents * choices.iter().sum::<usize>()],
    };
    let mut allowed = mask.as_slice();
    let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, g, slot)?;
    for (row, mut rng) in actions.chunks_exact_mut(per_row).zip(rngs) {
        for (c, action) in row.iter_mut().enumerate() {
            let (own, rest) = allowed.split_at(choices[c % width]);
            allowed = rest;
            let all: Vec<usize> = (0..own.len()).filter(|&a| own[a] != 0).collect();
            let nth = rng.below(all.len().max(1) as u64) as usize;
            *action = all.get(nth).copied().unwrap_or(0) as i32;
        }
    }
    if let (true, Some(action)) = (outside, actions.last_mut()) {
        *action = choices[width - 1] as i32;
    }
    Ok(())
}
