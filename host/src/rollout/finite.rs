//! Rewards and observations must be finite: a cheap sum over all rows, and a careful search when it fails.

use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, Slabs, wide},
    spec::EnvironmentSpec,
};

/// One slab of real numbers.
struct Watched {
    /// `reward of players`, `state`.
    name: String,
    key: Key<f32>,
    /// Agents of the group; 0 for rows of whole instances.
    agents: usize,
    /// Who takes part: numbers of the others do not count.
    alive: Option<Key<u8>>,
}

/// Checks what a plugin has written.
pub(crate) struct FiniteCheck {
    watched: Vec<Watched>,
    first_instance: u64,
}

impl FiniteCheck {
    /// Watches the rewards, observations and states of a shard.
    pub(crate) fn new(spec: &EnvironmentSpec, slabs: &Slabs, first_instance: u64) -> Self {
        let mut watched = Vec::new();
        for (g, group) in spec.groups.iter().enumerate() {
            let (g, agents, alive) = (g as u32, group.agents, slabs.key(id::ALIVE, g as u32));
            for (what, id) in [("reward", id::REWARD), ("observation", id::OBSERVATION)] {
                let name = format!("{what} of {}", group.name);
                watched.extend(slabs.key(id, g).map(|key| Watched {
                    name,
                    key,
                    agents,
                    alive,
                }));
            }
        }
        let state = slabs.key(id::STATE, NO_GROUP);
        watched.extend(state.map(|key| Watched {
            name: "state".into(),
            key,
            agents: 0,
            alive: None,
        }));
        Self {
            watched,
            first_instance,
        }
    }

    /// Checks one slot, which `operation` has written.
    ///
    /// # Errors
    /// Kind `Plugin`, naming instance and agent, for a number that is not finite.
    #[inline]
    pub(crate) fn check(&self, shard: &ShardMut<'_>, slot: usize, operation: &str) -> Result<()> {
        for watched in &self.watched {
            if !all_finite(shard.rows(watched.key, slot)) {
                self.search(watched, shard, slot, operation)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn search(
        &self,
        watched: &Watched,
        shard: &ShardMut<'_>,
        slot: usize,
        operation: &str,
    ) -> Result<()> {
        let rows = shard.rows(watched.key, slot);
        let per_agent = rows.len() / shard.range().len() / watched.agents.max(1);
        for (i, number) in rows
            .iter()
            .enumerate()
            .filter(|(_, number)| !number.is_finite())
        {
            let row = i / per_agent;
            if watched
                .alive
                .is_some_and(|alive| shard.rows(alive, slot)[row] == 0)
            {
                continue;
            }
            let env = self.first_instance + (row / watched.agents.max(1)) as u64;
            let agent = if watched.agents == 0 {
                String::new()
            } else {
                format!("/{}", row % watched.agents)
            };
            let component = if per_agent == 1 {
                String::new()
            } else {
                format!("[{}]", i % per_agent)
            };
            return Err(Error::plugin(format!(
                "({operation}, env {env}): {}{agent}{component}: expected a finite number, found {number}",
                watched.name
            )));
        }
        Ok(())
    }
}

/// Whether every number is finite: the exponent of NaN and the infinities is all ones, and one more carries into the
/// place of the sign.
#[inline]
fn all_finite(numbers: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    const ONE: u32 = 0x0080_0000;
    let carry = |bad, x: &f32| bad | ((x.to_bits() & EXPONENT) + ONE);
    wide(|| numbers.iter().fold(0, carry)) >> 31 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_bad_number_is_seen_at_every_place() {
        let fine = [
            0.0,
            -0.0,
            f32::MIN_POSITIVE / 2.0,
            f32::MAX,
            f32::MIN,
            1.5,
            -3.25,
        ];
        let numbers: Vec<f32> = fine.iter().copied().cycle().take(45).collect();
        assert!(all_finite(&numbers) && all_finite(&[]));
        for place in 0..numbers.len() {
            for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut numbers = numbers.clone();
                numbers[place] = bad;
                assert!(!all_finite(&numbers), "{bad} at {place}");
            }
        }
    }
}
