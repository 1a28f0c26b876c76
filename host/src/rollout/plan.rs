//! How a batch is cut: shards, threads, and steps of a fragment.

use palaestra_plugin_api::{layout::environment_slabs, spec::EnvironmentSpec};

/// Bytes of one shard's fragment: about a usual L2 cache. Measured: SimpleSpread makes 9.7 M steps/s in shards of 256,
/// 8.6 M in shards of 114.
const FRAGMENT_BYTES: usize = 1 << 20;
/// Steps of a fragment when nobody asks for a number.
const STEPS: usize = 16;
/// Fewest instances of a shard that is worth a call; only rows of kilobytes ask for so few. Measured: skirmishes of 27
/// against 30 make 1.5 times the steps in shards of 8 that they make in shards of 256.
const SMALLEST_SHARD: usize = 8;
/// Most instances of a shard: what a step keeps of each instance stays in an L1 cache. Measured: 8,192 CartPoles make
/// 1.06 times the steps in shards of 256 that they make in shards of 1,024, matrix games of five players 1.15 times.
const LARGEST_SHARD: usize = 256;

/// Shards, threads and slots of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Instances of the batch.
    pub instances: usize,
    /// Threads that step it.
    pub threads: usize,
    /// Shards: environment objects.
    pub shards: usize,
    /// Steps of a fragment.
    pub steps: usize,
}

impl Plan {
    /// Chooses what is not given, so that one shard's fragment stays in the cache of a core and every
    /// thread has as many shards as the others.
    pub fn new(
        spec: &EnvironmentSpec,
        instances: usize,
        threads: usize,
        shards: Option<usize>,
        steps: Option<usize>,
    ) -> Self {
        let (instances, threads, steps) = (
            instances.max(1),
            threads.max(1),
            steps.unwrap_or(STEPS).max(1),
        );
        let shards = shards.unwrap_or_else(|| {
            let fits = FRAGMENT_BYTES / (row_bytes(spec) * (steps + 1)).max(1);
            let count = instances.div_ceil(fits.clamp(SMALLEST_SHARD, LARGEST_SHARD));
            count.next_multiple_of(threads)
        });
        Self {
            instances,
            threads,
            shards: shards.clamp(1, instances),
            steps,
        }
    }

    /// Slots of every slab: one more than steps.
    pub fn slots(&self) -> usize {
        self.steps + 1
    }
}

/// Bytes of all rows of one instance at one slot.
pub(crate) fn row_bytes(spec: &EnvironmentSpec) -> usize {
    let bytes = |slab: &palaestra_plugin_api::layout::SlabLayout| slab.row() * slab.dtype.size();
    environment_slabs(spec)
        .iter()
        .filter(|slab| !slab.ended)
        .map(bytes)
        .sum()
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::Space;

    use super::*;

    fn cart_pole() -> EnvironmentSpec {
        EnvironmentSpec::new("players", 1, Space::real(4), Space::discrete(2))
    }

    #[test]
    fn a_shard_fits_the_cache_and_threads_share_evenly() {
        assert_eq!(row_bytes(&cart_pole()), 16 + 4 + 4 + 3 + 8 + 4);
        for (instances, threads) in [(8192, 1), (8192, 2), (100, 3), (1, 8), (100_000, 16)] {
            let plan = Plan::new(&cart_pole(), instances, threads, None, None);
            assert!(plan.shards >= 1 && plan.shards <= instances, "{plan:?}");
            assert!(
                plan.shards.is_multiple_of(threads) || plan.shards == instances,
                "{plan:?}"
            );
            let largest = instances.div_ceil(plan.shards);
            assert!(
                largest <= LARGEST_SHARD
                    && largest * plan.slots() * 39 <= FRAGMENT_BYTES + SMALLEST_SHARD * 39 * 17,
                "{plan:?}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_kept_within_reason() {
        let plan = Plan::new(&cart_pole(), 10, 2, Some(7), Some(128));
        assert_eq!((plan.shards, plan.steps, plan.slots()), (7, 128, 129));
        assert_eq!(Plan::new(&cart_pole(), 3, 1, Some(50), None).shards, 3);
    }
}
