//! A random policy: valid actions of every kind, the same whatever the shards and threads.
//!
//! | space | drawn |
//! |---|---|
//! | discrete, multi-discrete, bits | uniform over the choices that the mask allows |
//! | box, bounded on both sides | uniform |
//! | box, bounded on one side | the bound and a standard exponential away from it |
//! | box, unbounded | standard normal |
//!
//! An agent that does not act (dead, or not its turn) in a group with masks gets the group's no-op where
//! there is one. Every value is a pure function of (run seed, group, time, global instance, agent,
//! component), so nothing depends on who fills which rows, or in which order.
//!
//! An unmasked discrete group is filled by a counter hash of 32-bit words that vectorises; everything
//! else by 64-bit words, row by row.

use super::{Key, ShardMut, Slabs, wide};
use crate::{
    abi::id,
    error::{Error, Result},
    math,
    rng::{key, mix64, purpose},
    spec::{EnvironmentSpec, GroupSpec},
};

/// Fills the actions of a shard. Holds scratch memory, so that filling allocates nothing after the first
/// time: one per thread (clones are equal).
#[derive(Clone)]
pub struct RandomPolicy {
    run_seed: u64,
    purpose: u64,
    first_instance: u64,
    groups: Vec<Group>,
}

#[derive(Clone)]
struct Group {
    agents: usize,
    sampler: Sampler,
}

#[derive(Clone)]
enum Sampler {
    /// One choice without mask.
    Free { n: u32, action: Key<i32> },
    /// Several choices, or choices under a mask.
    Choices(Choices),
    /// Real numbers within bounds per component.
    Real {
        bounds: Vec<(f64, f64)>,
        action: Key<f32>,
    },
}

#[derive(Clone)]
struct Choices {
    choices: Vec<usize>,
    action: Key<i32>,
    mask: Option<Key<u8>>,
    alive: Option<Key<u8>>,
    acting: Option<Key<u8>>,
    no_op: Option<Vec<i32>>,
    /// Scratch: 1 where an agent is alive and its turn.
    active: Vec<u8>,
}

/// What decides the actions of one group at one time, but for the row.
#[derive(Clone, Copy)]
struct Stream {
    base: u64,
    first_row: u64,
}

impl RandomPolicy {
    /// A policy for environments of `spec` in `slabs`, whose row 0 is global instance `first_instance`.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs, run_seed: u64, first_instance: u64) -> Self {
        let group = |(g, group): (usize, &GroupSpec)| Group {
            agents: group.agents,
            sampler: Sampler::new(g as u32, group, slabs),
        };
        let groups = spec.groups.iter().enumerate().map(group).collect();
        Self {
            run_seed,
            purpose: purpose::ACTIONS,
            first_instance,
            groups,
        }
    }

    /// The same policy with other random numbers: `purpose` is one of [`crate::rng::purpose`].
    #[must_use]
    pub fn with_purpose(mut self, purpose: u64) -> Self {
        self.purpose = purpose;
        self
    }

    /// Writes the actions of slot `slot`, as far as masks at that slot allow. `time` counts the steps of the
    /// run: the same time gives the same actions.
    ///
    /// # Errors
    /// Kind `Plugin` when an agent that acts has no allowed choice; that agent gets choice 0.
    #[inline]
    pub fn fill(&mut self, shard: &mut ShardMut<'_>, slot: usize, time: u64) -> Result<()> {
        let first = self.first_instance + shard.range().start as u64;
        let mut filled = Ok(());
        for (g, group) in self.groups.iter_mut().enumerate() {
            // No instance has this number: the words are those of all instances.
            let base = key(self.run_seed, u64::MAX, g as u64, time, self.purpose);
            let stream = Stream {
                base,
                first_row: first.wrapping_mul(group.agents as u64),
            };
            match &mut group.sampler {
                Sampler::Free { n, action } => free(shard.rows_mut(*action, slot), *n, stream),
                Sampler::Real { bounds, action } => {
                    real(shard.rows_mut(*action, slot), bounds, stream)
                }
                Sampler::Choices(choices) => {
                    if let Err(row) = choices.fill(shard, slot, stream) {
                        filled = filled.and(Err(no_choice(
                            g,
                            first + (row / group.agents) as u64,
                            row % group.agents,
                        )));
                    }
                }
            }
        }
        filled
    }
}

#[cold]
fn no_choice(group: usize, instance: u64, agent: usize) -> Error {
    Error::plugin(format!(
        "action mask of env {instance}, group {group}, agent {agent}: expected an allowed choice, found none"
    ))
}

impl Sampler {
    fn new(g: u32, group: &GroupSpec, slabs: &Slabs) -> Self {
        let of = |id| slabs.key::<u8>(id, g);
        if group.action.is_box() {
            #[allow(clippy::expect_used)] // both the layout and this follow the spec
            let action = slabs
                .key(id::ACTION, g)
                .expect("a box has an f32 action slab");
            let bounds = (0..group.action.width())
                .map(|c| group.action.bounds_of(c))
                .collect();
            return Self::Real { bounds, action };
        }
        #[allow(clippy::expect_used)] // as above
        let action = slabs
            .key(id::ACTION, g)
            .expect("choices have an i32 action slab");
        let choices = group.action.choices();
        match (choices.as_slice(), of(id::ACTION_MASK)) {
            ([n], None) => Self::Free {
                n: *n as u32,
                action,
            },
            (_, mask) => Self::Choices(Choices {
                choices,
                action,
                mask,
                alive: of(id::ALIVE),
                acting: of(id::ACTING),
                no_op: group
                    .no_op
                    .as_deref()
                    .and_then(|values| no_op(group, values)),
                active: Vec::new(),
            }),
        }
    }
}

/// The no-op as choices; none when the space does not hold it.
fn no_op(group: &GroupSpec, values: &[f64]) -> Option<Vec<i32>> {
    let choice =
        |(&value, n): (&f64, usize)| (0.0..n as f64).contains(&value).then_some(value as i32);
    values
        .iter()
        .zip(group.action.choices())
        .map(choice)
        .collect()
}

impl Choices {
    /// The first row whose agent acts without an allowed choice is the error.
    fn fill(
        &mut self,
        shard: &mut ShardMut<'_>,
        slot: usize,
        stream: Stream,
    ) -> std::result::Result<(), usize> {
        let Some(mask) = self.mask else {
            self.unmasked(shard.rows_mut(self.action, slot), stream);
            return Ok(());
        };
        let rows = shard.rows(self.action, slot).len() / self.choices.len();
        self.active.clear();
        self.active.resize(rows, 1);
        for flags in [self.alive, self.acting].into_iter().flatten() {
            for (active, flag) in self.active.iter_mut().zip(shard.rows(flags, slot)) {
                *active &= u8::from(*flag != 0);
            }
        }
        match shard.read_write((mask, slot), (self.action, slot)) {
            Some((masks, actions)) => self.masked(actions, masks, stream),
            // Masks and actions are two slabs.
            None => Ok(()),
        }
    }

    fn unmasked(&self, actions: &mut [i32], stream: Stream) {
        for (row, agent) in actions.chunks_exact_mut(self.choices.len()).enumerate() {
            for (c, (to, &n)) in agent.iter_mut().zip(&self.choices).enumerate() {
                *to = scale(stream.word(row, c), n) as i32;
            }
        }
    }

    fn masked(
        &self,
        actions: &mut [i32],
        masks: &[u8],
        stream: Stream,
    ) -> std::result::Result<(), usize> {
        let per_agent: usize = self.choices.iter().sum();
        let mut filled = Ok(());
        let rows = actions
            .chunks_exact_mut(self.choices.len())
            .zip(masks.chunks_exact(per_agent));
        for (row, ((agent, mask), &active)) in rows.zip(&self.active).enumerate() {
            if let (0, Some(no_op)) = (active, &self.no_op) {
                agent.copy_from_slice(no_op);
                continue;
            }
            let mut rest = mask;
            for (c, (to, &n)) in agent.iter_mut().zip(&self.choices).enumerate() {
                let (allowed, others) = rest.split_at(n);
                rest = others;
                match pick(allowed, stream.word(row, c)) {
                    Some(choice) => *to = choice as i32,
                    None => {
                        *to = 0;
                        if active != 0 && filled.is_ok() {
                            filled = Err(row);
                        }
                    }
                }
            }
        }
        filled
    }
}

/// One of the allowed choices, each as likely.
fn pick(allowed: &[u8], word: u64) -> Option<usize> {
    let count = allowed.iter().filter(|&&a| a != 0).count();
    if count == 0 {
        return None;
    }
    let nth = scale(word, count);
    allowed
        .iter()
        .enumerate()
        .filter(|(_, a)| **a != 0)
        .nth(nth)
        .map(|(choice, _)| choice)
}

impl Stream {
    /// 64 random bits for a component of a row of the shard.
    #[inline(always)]
    fn word(self, row: usize, component: usize) -> u64 {
        let row = mix64(self.base ^ mix64(self.first_row.wrapping_add(row as u64)));
        mix64(row.wrapping_add((component as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

/// 0..n from 64 random bits; the bias is at most n/2⁶⁴.
#[inline]
fn scale(word: u64, n: usize) -> usize {
    ((u128::from(word) * n as u128) >> 64) as usize
}

fn real(actions: &mut [f32], bounds: &[(f64, f64)], stream: Stream) {
    if let [(low, high)] = *bounds
        && low.is_finite()
        && high.is_finite()
        && bounded(actions, low, high, stream)
    {
        return;
    }
    for (row, agent) in actions.chunks_exact_mut(bounds.len()).enumerate() {
        for (c, (to, &(low, high))) in agent.iter_mut().zip(bounds).enumerate() {
            let word = stream.word(row, c);
            let value = match (low.is_finite(), high.is_finite()) {
                (true, true) => between(low, high, word),
                (true, false) => low - math::ln(1.0 - uniform(word)),
                (false, true) => high + math::ln(1.0 - uniform(word)),
                (false, false) => normal(word),
            };
            *to = within(value, low, high);
        }
    }
}

/// Draws one component between two bounds, the most common real action, a vector of rows at a time. Says whether all are
/// within the bounds as they are: rounding to f32 may leave them.
fn bounded(actions: &mut [f32], low: f64, high: f64, stream: Stream) -> bool {
    let rows = actions.iter_mut().enumerate();
    let draw = |beyond, (row, to): (usize, &mut f32)| {
        *to = between(low, high, stream.word(row, 0)) as f32;
        beyond | u64::from(f64::from(*to) < low) | u64::from(f64::from(*to) > high)
    };
    wide(|| rows.fold(0, draw)) == 0
}

/// Not low + (high - low)·u: the difference may overflow.
#[inline(always)]
fn between(low: f64, high: f64, word: u64) -> f64 {
    low * (1.0 - uniform(word)) + high * uniform(word)
}

/// Uniform over the multiples of 2⁻⁵³ in [0, 1).
#[inline(always)]
fn uniform(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Standard normal, by Box and Muller.
fn normal(word: u64) -> f64 {
    let (radius, angle) = (1.0 - uniform(word), uniform(mix64(word)));
    (-2.0 * math::ln(radius)).sqrt() * math::cos(std::f64::consts::TAU * angle)
}

/// The nearest f32 that is still within the bounds.
fn within(value: f64, low: f64, high: f64) -> f32 {
    let value = value as f32;
    if f64::from(value) < low {
        value.next_up()
    } else if f64::from(value) > high {
        value.next_down()
    } else {
        value
    }
}

/// Fills a discrete group without masks.
#[inline]
fn free(actions: &mut [i32], n: u32, stream: Stream) {
    // Rows are counted modulo 2³².
    let (first_row, keys) = (
        stream.first_row as u32,
        (stream.base as u32, (stream.base >> 32) as u32),
    );
    wide(|| free_rows(actions, n, first_row, keys));
}

#[inline(always)]
fn free_rows(actions: &mut [i32], n: u32, first_row: u32, keys: (u32, u32)) {
    let rows = (0..actions.len() as u32).map(|row| first_row.wrapping_add(row));
    let drawn = actions.iter_mut().zip(rows.map(|row| scramble(row, keys)));
    // The high half of the product. Where it is a shift, the shift costs a third less.
    if n.is_power_of_two() && n > 1 {
        let shift = n.leading_zeros() + 1;
        drawn.for_each(|(action, bits)| *action = (bits >> shift) as i32);
    } else {
        let high = |bits| (u64::from(bits) * u64::from(n)) >> 32;
        drawn.for_each(|(action, bits)| *action = high(bits) as i32);
    }
}

/// 32 random bits for a counter, under a key of 64 bits: the multiply and xor-shift rounds of Wellons' `triple32`
/// (2018), the key's second half entering between them.
#[inline(always)]
const fn scramble(counter: u32, keys: (u32, u32)) -> u32 {
    let mut x = counter.wrapping_add(keys.0);
    x ^= x >> 17;
    x = x.wrapping_mul(0xed5a_d4bb);
    x ^= x >> 11;
    x ^= keys.1;
    x = x.wrapping_mul(0xac4c_1b51);
    x ^= x >> 15;
    x = x.wrapping_mul(0x3184_8bab);
    x ^ (x >> 14)
}

#[cfg(test)]
mod tests;
