//! An algorithm that learns nothing and believes nothing: it checks every fragment against what it saw and did.
//!
//! `act` draws actions from the keys, writes a digest of each agent's observation as its extra, and counts steps in
//! the recurrent state. `learn` refuses a fragment that tells another story, naming row and slab.

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::{ActionKind, Algorithm, AlgorithmCapabilities, Collect, Extra, Metrics, Setting},
    prelude::*,
    rng::{key, purpose},
    spec::GroupSpec,
    table::Table,
};

/// What to ask for.
#[config]
pub struct AuditorConfig {
    /// Steps of a fragment; 0 asks for whole episodes.
    #[config(default = 7, range = 0..=100_000)]
    pub num_steps: usize,
    /// Whole episodes of a fragment, where `num_steps` is 0.
    #[config(default = 1, range = 1..=100)]
    pub num_episodes: usize,
    /// Whether the fragment's learning rewards are the environment's own.
    #[config(default = true)]
    pub plain_rewards: bool,
}

/// See the [module](self).
pub struct Auditor {
    config: AuditorConfig,
    run_seed: u64,
    groups: Vec<(u32, GroupSpec)>,
    /// Digests and recurrent states of the last slot of the fragment before, by group.
    last: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Algorithm for Auditor {
    const ID: &'static str = "trial/Auditor-v0";
    const DESCRIPTION: &'static str = "Checks every fragment against what it saw and did";
    type Config = AuditorConfig;

    fn capabilities(_: &AuditorConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        Ok(AlgorithmCapabilities {
            actions: vec![ActionKind::Discrete, ActionKind::Continuous],
            on_policy: true,
            trainable: true,
            recurrent: vec![1; setting.controlled.len()],
            extras: vec![Extra::new("digest", 1)],
            ..AlgorithmCapabilities::default()
        })
    }

    fn new(config: &AuditorConfig, setting: &Setting) -> Result<Self> {
        let groups = setting
            .controlled_groups()
            .map(|(g, spec)| (g, spec.clone()));
        Ok(Self {
            config: config.clone(),
            run_seed: setting.run_seed,
            groups: groups.collect(),
            last: Vec::new(),
        })
    }

    fn next(&mut self) -> Result<Collect> {
        Ok(match self.config.num_steps {
            0 => Collect::episodes(self.config.num_episodes),
            steps => Collect::steps(steps),
        })
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, _greedy: bool) -> Result<()> {
        for (g, group) in &self.groups {
            let seen = (id::OBSERVATION, *g, slot);
            let (seen, digests) = rows.read_write::<f32, f32>(seen, (id::EXTRAS, *g, slot))?;
            digest(seen, digests);
            let now = (id::RECURRENT, *g, slot);
            let (now, next) = rows.read_write::<f32, f32>(now, (id::RECURRENT, *g, slot + 1))?;
            next.iter_mut()
                .zip(now)
                .for_each(|(next, now)| *next = now + 1.0);
            draw(rows, *g, group, slot)?;
        }
        Ok(())
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        let mut audit = Audit::new(fragment, self.run_seed)?;
        audit.identity()?;
        let mut last = Vec::new();
        let fresh = self.next()?.fresh;
        for (position, (g, group)) in self.groups.iter().enumerate() {
            let before = self.last.get(position).filter(|_| !fresh);
            last.push(audit.group(*g, group, before, self.config.plain_rewards)?);
        }
        self.last = last;
        audit.ended(&self.groups)?;
        Ok(audit.metrics)
    }

    fn snapshot(&mut self, out: &mut dyn std::io::Write) -> Result<()> {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let last: Vec<_> = self.last.iter().map(|(d, r)| (bits(d), bits(r))).collect();
        let text = palaestra_plugin_api::serde_json::to_string(&last)
            .map_err(|e| Error::plugin(e.to_string()))?;
        Ok(out.write_all(text.as_bytes())?)
    }

    fn restore(&mut self, from: &mut dyn std::io::Read) -> Result<()> {
        let mut text = String::new();
        from.read_to_string(&mut text)?;
        let last: Vec<(Vec<u32>, Vec<u32>)> = palaestra_plugin_api::serde_json::from_str(&text)
            .map_err(|e| Error::plugin(e.to_string()))?;
        let values = |bits: Vec<u32>| bits.into_iter().map(f32::from_bits).collect::<Vec<_>>();
        let last = last.into_iter().map(|(d, r)| (values(d), values(r)));
        self.last = last.collect();
        Ok(())
    }
}

/// One number in [0, 1) per agent that tells observations apart.
fn digest(observations: &[f32], digests: &mut [f32]) {
    let width = observations.len() / digests.len();
    for (digest, row) in digests.iter_mut().zip(observations.chunks_exact(width)) {
        let mix = |h: u64, x: &f32| palaestra_plugin_api::rng::mix64(h ^ u64::from(x.to_bits()));
        *digest = (row.iter().fold(1, mix) >> 40) as f32 / (1 << 24) as f32;
    }
}

/// Draws what is allowed, from the keys.
fn draw(rows: &mut Table<'_>, g: u32, group: &GroupSpec, slot: usize) -> Result<()> {
    let keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?.to_vec();
    let (agents, width) = (group.agents, group.action.width());
    let generators = keys.iter().flat_map(|&key| {
        (0..agents).map(move |agent| EnvRng::new(key, agent as u64, 0, purpose::ACTIONS))
    });
    if group.action.is_box() {
        let actions = rows.rows_mut::<f32>(id::PROPOSED_ACTION, g, slot)?;
        for (action, mut rng) in actions.chunks_exact_mut(width).zip(generators) {
            for (component, value) in action.iter_mut().enumerate() {
                let (low, high) = group.action.bounds_of(component);
                *value = rng.range(low.max(-10.0), high.min(10.0)) as f32;
            }
        }
        return Ok(());
    }
    let choices = group.action.choices()[0];
    let masks = match group.has_action_mask {
        true => rows.rows::<u8>(id::ACTION_MASK, g, slot)?.to_vec(),
        false => vec![1; keys.len() * agents * choices],
    };
    let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, g, slot)?;
    let masks = masks.chunks_exact(choices);
    for ((action, mut rng), mask) in actions.iter_mut().zip(generators).zip(masks) {
        let start = rng.below(choices as u64) as usize;
        let mut tried = (0..choices).map(|k| (start + k) % choices);
        *action = tried.find(|&choice| mask[choice] != 0).unwrap_or(start) as i32;
    }
    Ok(())
}

/// One fragment under inspection.
struct Audit<'a> {
    fragment: &'a Table<'a>,
    run_seed: u64,
    steps: usize,
    instances: usize,
    /// Instances that ended in step `t`, as `t · instances + i`.
    ended: Vec<u32>,
    metrics: Metrics,
}

impl<'a> Audit<'a> {
    fn new(fragment: &'a Table<'a>, run_seed: u64) -> Result<Self> {
        let (steps, instances) = (fragment.steps()?, fragment.instances());
        let ended = fragment.ended()?.to_vec();
        let metrics = [
            ("steps", steps as f64),
            ("ended", ended.len() as f64),
            ("audited", 1.0),
        ];
        Ok(Self {
            fragment,
            run_seed,
            steps,
            instances,
            ended,
            metrics: metrics.map(|(name, value)| (name.to_owned(), value)).into(),
        })
    }

    fn at(&self, id: u32, slot: usize) -> Result<&[u8]> {
        self.fragment.rows(id, NO_GROUP, slot)
    }

    /// Keys, episodes and steps follow from one another; ends and beginnings meet.
    fn identity(&self) -> Result<()> {
        let rows = self.fragment;
        for slot in 0..=self.steps {
            let keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?;
            let instances = rows.rows::<u64>(id::INSTANCE, NO_GROUP, slot)?;
            let episodes = rows.rows::<u64>(id::EPISODE, NO_GROUP, slot)?;
            let steps = rows.rows::<u32>(id::STEP, NO_GROUP, slot)?;
            for i in 0..self.instances {
                let of = (instances[i], episodes[i], u64::from(steps[i]));
                let expected = key(self.run_seed, of.0, of.1, of.2, purpose::ACTIONS);
                agree("key", slot, i, keys[i], expected)?;
                agree("instance", slot, i, instances[i], i as u64)?;
                let first = self.at(id::FIRST, slot)?[i] != 0;
                agree("first", slot, i, first, steps[i] == 0)?;
                if slot == 0 {
                    continue;
                }
                let before = rows.rows::<u32>(id::STEP, NO_GROUP, slot - 1)?[i];
                let (terminated, truncated) = (
                    self.at(id::TERMINATED, slot)?[i],
                    self.at(id::TRUNCATED, slot)?[i],
                );
                agree("ended", slot, i, terminated | truncated != 0, first)?;
                let row = ((slot - 1) * self.instances + i) as u32;
                agree("ended_row", slot, i, self.ended.contains(&row), first)?;
                if !first {
                    agree("step", slot, i, steps[i], before + 1)?;
                }
            }
        }
        Ok(())
    }

    /// What one group saw, did and got.
    fn group(
        &mut self,
        g: u32,
        group: &GroupSpec,
        before: Option<&(Vec<f32>, Vec<f32>)>,
        plain_rewards: bool,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let rows = self.fragment;
        let (agents, mut counted) = (group.agents, 0);
        let mut digests = vec![0.0; self.instances * agents];
        for slot in 0..=self.steps {
            digest(rows.rows(id::OBSERVATION, g, slot)?, &mut digests);
            let counts = rows.rows::<f32>(id::RECURRENT, g, slot)?;
            let steps = rows.rows::<u32>(id::STEP, NO_GROUP, slot)?;
            let controlled = rows.rows::<u8>(id::CONTROLLED, g, slot)?;
            let seats = rows.rows::<u32>(id::SEAT, g, slot)?;
            for row in 0..self.instances * agents {
                let i = row / agents;
                agree("recurrent", slot, i, counts[row], steps[i] as f32)?;
                agree("controlled", slot, i, controlled[row] != 0, seats[row] == 0)?;
                if let Some((seen, state)) = before.filter(|_| slot == 0) {
                    agree("observation carried", slot, i, digests[row], seen[row])?;
                    agree("recurrent carried", slot, i, counts[row], state[row])?;
                }
                if slot == self.steps {
                    continue;
                }
                counted += usize::from(controlled[row]);
                let extras = rows.rows::<f32>(id::EXTRAS, g, slot)?;
                agree("extras", slot, i, extras[row], digests[row])?;
                if controlled[row] != 0 {
                    self.executed(g, group, slot, row)?;
                }
                let next_first = self.at(id::FIRST, slot + 1)?[i] != 0;
                if !next_first {
                    let next = rows.rows::<u32>(id::SEAT, g, slot + 1)?[row];
                    agree("seat", slot, i, next, seats[row])?;
                }
                if plain_rewards {
                    let reported = rows.rows::<f32>(id::REWARD, g, slot + 1)?[row];
                    let learned = rows.rows::<f32>(id::LEARNING_REWARD, g, slot + 1)?[row];
                    agree("learning_reward", slot, i, learned, reported)?;
                }
            }
        }
        let total = self.metrics.entry("controlled_rows".into()).or_default();
        *total += counted as f64;
        let counts = rows.rows::<f32>(id::RECURRENT, g, self.steps)?;
        Ok((digests, counts.to_vec()))
    }

    /// What was proposed was executed.
    fn executed(&self, g: u32, group: &GroupSpec, slot: usize, row: usize) -> Result<()> {
        let (width, i) = (group.action.width(), row / group.agents);
        let range = row * width..(row + 1) * width;
        if group.action.is_box() {
            let proposed = &self.fragment.rows::<f32>(id::PROPOSED_ACTION, g, slot)?[range.clone()];
            let done = &self.fragment.rows::<f32>(id::ACTION, g, slot)?[range];
            return agree("action", slot, i, done, proposed);
        }
        let proposed = &self.fragment.rows::<i32>(id::PROPOSED_ACTION, g, slot)?[range.clone()];
        let done = &self.fragment.rows::<i32>(id::ACTION, g, slot)?[range];
        agree("action", slot, i, done, proposed)
    }

    /// The lists of ended episodes agree with the rows.
    fn ended(&self, groups: &[(u32, GroupSpec)]) -> Result<()> {
        let rows = self.fragment;
        let lengths = rows.ended_rows::<u32>(id::EPISODE_LENGTH, NO_GROUP)?;
        let ascending = self.ended.windows(2).all(|pair| pair[0] < pair[1]);
        agree("ended ascending", 0, 0, ascending, true)?;
        for (entry, &row) in self.ended.iter().enumerate() {
            let (t, i) = (row as usize / self.instances, row as usize % self.instances);
            let length = rows.rows::<u32>(id::STEP, NO_GROUP, t)?[i] + 1;
            agree("episode_length", t, i, lengths[entry], length)?;
            for (g, group) in groups {
                let finals = rows.ended_rows::<f32>(id::FINAL_OBSERVATION, *g)?;
                let width = group.agents * group.observation.width();
                let seen = &finals[entry * width..(entry + 1) * width];
                agree(
                    "final finite",
                    t,
                    i,
                    seen.iter().all(|x| x.is_finite()),
                    true,
                )?;
                let Some(begin) = (t + 1).checked_sub(length as usize) else {
                    continue;
                };
                let returns = rows.ended_rows::<f64>(id::EPISODE_RETURN, *g)?;
                for agent in 0..group.agents {
                    let mut sum = 0.0;
                    for slot in begin..=t {
                        let rewards = rows.rows::<f32>(id::REWARD, *g, slot + 1)?;
                        sum += f64::from(rewards[i * group.agents + agent]);
                    }
                    let found = returns[entry * group.agents + agent];
                    let close = (found - sum).abs() <= 1e-4 * (1.0 + sum.abs());
                    agree("episode_return", t, i, close, true)?;
                }
            }
        }
        Ok(())
    }
}

fn agree<T: PartialEq + std::fmt::Debug>(
    what: &str,
    slot: usize,
    instance: usize,
    found: T,
    expected: T,
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::plugin(format!(
        "{what}, slot {slot}, instance {instance}: expected {expected:?}, found {found:?}"
    )))
}
