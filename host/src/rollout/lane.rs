//! What the host keeps for one shard: wrappers, checks and books; and one shard's way through a fragment.

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    abi::{NO_GROUP, id},
    batch::Aligned,
    client::{Key, ShardMut, Slabs},
    layout::environment_slabs,
    spec::EnvironmentSpec,
};
use serde_json::Value;

use super::{
    Columns, EndedList, EpisodeSet, EpisodeTable, Place, Policy, Restart, Statistics,
    finite::FiniteCheck,
};
use crate::wrappers::{self, WorldWrapper, WrapperSpec};

/// Ended episodes that are read at once: their numbers stay in the nearest cache.
const ENTRIES: usize = 128;

/// The host's part of one shard.
pub(crate) struct Lane {
    place: Place,
    /// The first is closest to the environment.
    wrappers: Vec<Box<dyn WorldWrapper>>,
    finite: FiniteCheck,
    ended: EndedList,
    /// For environments whose ended instances wait for a reset.
    manual: Option<Restart>,
    /// Number of the episode of each instance.
    episode: Key<u64>,
    columns: Columns,
    /// Numbers of up to [`ENTRIES`] episodes, `[columns, episodes]`.
    numbers: Aligned<f64>,
    statistics: Statistics,
    episodes: Option<EpisodeTable>,
}

impl Lane {
    /// Composes the wrappers and finds the slabs; also gives the spec as the wrappers leave it.
    pub(crate) fn new(
        spec: &EnvironmentSpec,
        slabs: &Slabs,
        wrappers: &[WrapperSpec],
        place: Place,
    ) -> Result<(EnvironmentSpec, Self)> {
        let (composed, wrappers) = compose(spec, slabs, wrappers, &place)?;
        let columns = Columns::new(spec);
        let instances = place.range.len();
        let episode = slabs.key(id::EPISODE, NO_GROUP);
        let lane = Self {
            wrappers,
            finite: FiniteCheck::new(spec, slabs, place.instance(0)),
            ended: EndedList::new(spec, slabs),
            manual: spec
                .flags
                .manual_reset
                .then(|| Restart::new(spec, slabs, instances)),
            episode: episode.ok_or_else(|| {
                Error::new(
                    ErrorKind::Host,
                    "slabs: expected episode numbers, found none",
                )
            })?,
            numbers: Aligned::new(0.0, ENTRIES * columns.width()),
            statistics: Statistics::new(columns.clone(), instances),
            columns,
            episodes: None,
            place,
        };
        Ok((composed, lane))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    pub(crate) fn statistics_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }

    pub(crate) fn wrappers(&self) -> &[Box<dyn WorldWrapper>] {
        &self.wrappers
    }

    pub(crate) fn wrappers_mut(&mut self) -> &mut [Box<dyn WorldWrapper>] {
        &mut self.wrappers
    }

    pub(crate) fn clear_statistics(&mut self) {
        self.statistics.clear();
    }

    pub(crate) fn keep_episodes(&mut self, set: &EpisodeSet) {
        self.episodes = Some(EpisodeTable::new(
            self.columns.clone(),
            set,
            self.place.range.clone(),
        ));
    }

    pub(crate) fn episodes(&self) -> Option<&EpisodeTable> {
        self.episodes.as_ref()
    }

    /// Starts new episodes everywhere at slot 0.
    pub(crate) fn reset(&mut self, shard: &mut ShardMut<'_>, options: &Value) -> Result<()> {
        shard.reset(None, options, 0)?;
        self.finite.check(shard, 0, "reset")?;
        self.wrappers
            .iter_mut()
            .for_each(|wrapper| wrapper.after_reset(shard, 0));
        self.statistics.clear();
        self.episodes.iter_mut().for_each(EpisodeTable::clear);
        Ok(())
    }

    /// A whole fragment: carries slot `now` to slot 0 and steps.
    pub(crate) fn fragment<P: Policy>(
        &mut self,
        shard: &mut ShardMut<'_>,
        policy: &mut P,
        now: usize,
        steps: usize,
    ) -> Result<()> {
        if now != 0 && steps > 0 {
            shard.copy_slot(now, 0);
        }
        for slot in 0..steps {
            policy.act(shard, slot)?;
            self.step(shard, slot)?;
            policy.observe(shard, slot + 1)?;
        }
        Ok(())
    }

    /// One step with the actions at slot `read`; writes the slot after it.
    pub(crate) fn step(&mut self, shard: &mut ShardMut<'_>, read: usize) -> Result<()> {
        let write = read + 1;
        for wrapper in self.wrappers.iter_mut().rev() {
            wrapper.before_step(shard, read)?;
        }
        shard.step(read, write)?;
        self.finite.check(shard, write, "step")?;
        if let Some(restart) = &mut self.manual {
            restart_ended(&self.ended, restart, shard, write)?;
        }
        for wrapper in &mut self.wrappers {
            wrapper.after_step(shard, read, write)?;
        }
        self.record(shard, read)
    }

    /// Notes the episodes that ended in the step from slot `read`.
    #[inline]
    fn record(&mut self, shard: &ShardMut<'_>, read: usize) -> Result<()> {
        let Self {
            ended,
            columns,
            numbers,
            statistics,
            episodes,
            ..
        } = self;
        for (block, instances) in ended.rows(shard)?.chunks(ENTRIES).enumerate() {
            let numbers = &mut numbers[..instances.len() * columns.width()];
            columns.read(ended, shard, block * ENTRIES, numbers);
            statistics.add(instances, numbers);
            if let Some(table) = episodes {
                let episodes = shard.rows(self.episode, read);
                for (k, &instance) in instances.iter().enumerate() {
                    let row = numbers[k..].iter().step_by(instances.len());
                    table.keep(instance as usize, episodes[instance as usize], row);
                }
            }
        }
        Ok(())
    }
}

/// Restarts the instances whose episodes the environment has ended.
fn restart_ended(
    ended: &EndedList,
    restart: &mut Restart,
    shard: &mut ShardMut<'_>,
    write: usize,
) -> Result<()> {
    let rows = ended.rows(shard)?;
    if rows.is_empty() {
        return Ok(());
    }
    rows.iter()
        .for_each(|&row| restart.mask_mut()[row as usize] = 1);
    restart.run(shard, write)
}

/// Makes the wrappers of a shard, each from the spec that the one before it leaves.
fn compose(
    spec: &EnvironmentSpec,
    slabs: &Slabs,
    specs: &[WrapperSpec],
    place: &Place,
) -> Result<(EnvironmentSpec, Vec<Box<dyn WorldWrapper>>)> {
    let mut composed = spec.clone();
    let mut made = Vec::with_capacity(specs.len());
    for (position, of) in specs.iter().enumerate() {
        let named = |e: Error| e.within(format!("wrapper {}", of.name));
        let mut wrapper = wrappers::make(of)?;
        let next = wrapper.compose(composed.clone()).map_err(named)?;
        if environment_slabs(&next) != environment_slabs(spec) {
            return Err(named(Error::new(
                ErrorKind::Host,
                "expected the same slabs as the environment, found others",
            )));
        }
        wrapper.bind(&composed, slabs, place, position);
        composed = next;
        made.push(wrapper);
    }
    Ok((composed, made))
}
