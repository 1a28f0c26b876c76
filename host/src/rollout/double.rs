//! Double buffering: one half of the instances acts while the other half steps.
//!
//! A learned policy acts on many rows at once, on this thread or a GPU, while the other threads would
//! wait. With two halves they step the other half meanwhile. The halves are instances of one run: seeds and
//! keys follow global indices, so their rows together are the bytes of a single batch.

use palaestra_plugin_api::{Error, ErrorKind, Result, client::MakeEnvironment};

use super::{Make, Rollout, RolloutOptions, Workers};

/// Two halves of one run.
pub struct DoubleBuffered {
    halves: [Rollout; 2],
    workers: Workers,
}

impl DoubleBuffered {
    /// Splits the instances of `options` into two halves (the first is the smaller one).
    ///
    /// # Errors
    /// Fewer than two instances, or what [`Rollout::new`] refuses.
    pub fn new(options: &RolloutOptions, workers: &Workers, make: &Make<'_>) -> Result<Self> {
        let n = options.environment.instances;
        if n < 2 {
            return Err(Error::config(format!(
                "num_envs: expected at least 2 for two halves, found {n}"
            )));
        }
        let half = |start: usize, end: usize| {
            let environment = MakeEnvironment {
                first_instance: options.environment.first_instance + start as u64,
                instances: end - start,
                ..options.environment.clone()
            };
            let shards = options.shards.map(|shards| shards.div_ceil(2));
            Rollout::new(
                &RolloutOptions {
                    environment,
                    shards,
                    ..options.clone()
                },
                workers,
                make,
            )
        };
        Self::of(half(0, n / 2)?, half(n / 2, n)?, workers)
    }

    /// Two rollouts of one run as halves.
    ///
    /// # Errors
    /// When the second does not continue the first: same spec and slots, the next instances.
    pub fn of(first: Rollout, second: Rollout, workers: &Workers) -> Result<Self> {
        let ((start, n), (next, _)) = (first.span(), second.span());
        let fit = first.spec() == second.spec()
            && first.plan().steps == second.plan().steps
            && start + n as u64 == next;
        if !fit {
            return Err(Error::new(
                ErrorKind::Host,
                format!(
                    "halves: expected the second to go on at instance {}, found {next}",
                    start + n as u64
                ),
            ));
        }
        Ok(Self {
            halves: [first, second],
            workers: workers.clone(),
        })
    }

    /// The halves, in instance order.
    pub fn halves(&self) -> &[Rollout; 2] {
        &self.halves
    }

    /// The halves, in instance order.
    pub fn halves_mut(&mut self) -> &mut [Rollout; 2] {
        &mut self.halves
    }

    /// Starts new episodes everywhere at slot 0.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn reset(&mut self) -> Result<()> {
        self.halves.iter_mut().try_for_each(Rollout::reset)
    }

    /// Collects a fragment of `steps` steps. `act(half, rollout)` writes the actions of a half at its present
    /// slot, [`Rollout::now`]; it is called in turn for the first and the second half, on one thread, while
    /// the other half steps.
    ///
    /// # Errors
    /// What `act` or the plugin reports.
    pub fn collect(
        &mut self,
        steps: usize,
        mut act: impl FnMut(usize, &mut Rollout) -> Result<()> + Send,
    ) -> Result<()> {
        let Self { halves, workers } = self;
        workers.install(|| {
            halves.iter_mut().try_for_each(Rollout::carry)?;
            if steps == 0 {
                return Ok(());
            }
            let [first, second] = halves;
            act(0, first)?;
            for step in 1..=steps {
                let (acted, stepped) = workers.join(|| act(1, second), || first.step());
                stepped.and(acted)?;
                let (acted, stepped) = workers.join(
                    || if step < steps { act(0, first) } else { Ok(()) },
                    || second.step(),
                );
                stepped.and(acted)?;
            }
            Ok(())
        })
    }
}
