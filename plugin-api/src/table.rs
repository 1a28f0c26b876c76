//! The slabs of a call as typed slices.
//!
//! A [`Table`] names slabs by [id] and agent group. Every slab is `[slots, instances, …]`; a
//! row is one instance at one slot. What a slab's elements are is said with its id:
//!
//! ```
//! use palaestra_plugin_api::{abi::id, table::Table};
//!
//! let (seen, mut done) = ([0.5f32, -0.5], [0i32, 0]);
//! let mut table = Table::new();
//! table.add(id::OBSERVATION, 0, &[1, 2, 1, 1], &seen)?; // 1 slot, 2 instances, 1 agent, width 1
//! table.add_mut(id::PROPOSED_ACTION, 0, &[1, 2, 1, 1], &mut done)?;
//! let (seen, actions) = table.read_write::<f32, i32>(
//!     (id::OBSERVATION, 0, 0),
//!     (id::PROPOSED_ACTION, 0, 0),
//! )?;
//! for (action, x) in actions.iter_mut().zip(seen) {
//!     *action = i32::from(*x > 0.0);
//! }
//! # drop(table);
//! # assert_eq!(done, [1, 0]);
//! # Ok::<(), palaestra_plugin_api::Error>(())
//! ```
//!
//! # Fragments
//!
//! A fragment is time-major. Slot `t` holds what the policy saw and did at step `t`; what a step led to
//! (`REWARD`, `LEARNING_REWARD`, `TERMINATED`, `TRUNCATED`, `FIRST`, the next `OBSERVATION`) is at slot
//! `t + 1`, so that a fragment of [`steps`](Table::steps) `T` has `T + 1` slots of the latter and at least `T` of the
//! former.
//!
//! The final observations of episodes that ended within the fragment are lists (`ENDED_…`, `FINAL_…`,
//! `EPISODE_…`): one slot, as many entries as [`ended`](Table::ended) has, and entry `k` belongs to step
//! `t` of instance `i` where `ended()[k] = t · instances + i`. `act` is shown no such lists.

use crate::{
    abi::{NO_GROUP, Slab, SlabElement, id},
    error::{Error, ErrorKind, Result},
    sdk::{extent, span::Span},
};

/// Slabs by id and group, borrowed for `'a`.
#[derive(Default)]
pub struct Table<'a> {
    spans: Vec<Span<'a>>,
}

impl<'a> Table<'a> {
    /// A table without slabs.
    pub const fn new() -> Self {
        Self { spans: Vec::new() }
    }

    /// A table of checked slabs, all over the same instances.
    pub(crate) fn from_spans(spans: Vec<Span<'a>>) -> Result<Self> {
        let mut table = Self::new();
        spans.into_iter().try_for_each(|span| table.push(span))?;
        Ok(table)
    }

    /// Adds read-only memory of shape `[slots, instances, …]`, row-major; `group` may be [`NO_GROUP`].
    ///
    /// # Errors
    /// A shape of other than `data.len()` elements or of less than two axes, other instances than the slabs
    /// before, or a second slab of one id and group.
    pub fn add<T: SlabElement>(
        &mut self,
        id: u32,
        group: u32,
        shape: &[usize],
        data: &'a [T],
    ) -> Result<()> {
        self.push(Span::of((id, group), shape, data)?)
    }

    /// Adds memory to write; as [`Table::add`].
    pub fn add_mut<T: SlabElement>(
        &mut self,
        id: u32,
        group: u32,
        shape: &[usize],
        data: &'a mut [T],
    ) -> Result<()> {
        self.push(Span::of_mut((id, group), shape, data)?)
    }

    fn push(&mut self, span: Span<'a>) -> Result<()> {
        let slab = *span.slab();
        if self.find(slab.id, slab.group).is_some() {
            return Err(extent::wrong(&slab, "one slab of this id and group", "two"));
        }
        let n = self.instances();
        let counted = !id::is_ended_list(slab.id) && self.spans.iter().any(is_counted);
        if counted && span.extent().instances != n {
            // Slabs that we do not know are none of our business.
            return match id::name(slab.id) {
                Some(_) => Err(extent::wrong(
                    &slab,
                    &format!("{n} instances"),
                    span.extent().instances,
                )),
                None => Ok(()),
            };
        }
        self.spans.push(span);
        Ok(())
    }

    fn find(&self, id: u32, group: u32) -> Option<&Span<'a>> {
        self.spans.iter().find(|s| s.is(id, group))
    }

    fn get(&self, id: u32, group: u32) -> Result<&Span<'a>> {
        self.find(id, group).ok_or_else(|| missing(id, group))
    }

    /// Instances of every slab but the lists of ended episodes; 0 without slabs.
    pub fn instances(&self) -> usize {
        let counted = self.spans.iter().find(|s| is_counted(s));
        counted.map_or(0, |s| s.extent().instances)
    }

    /// Slots that every slab has; 0 without slabs. See [`Table::steps`] for fragments.
    pub fn slots(&self) -> usize {
        let slots = self.spans.iter().filter(|s| is_counted(s));
        let least = slots.map(|s| s.extent().slots).min().unwrap_or(0);
        // One slot that repeats for ever is one slot.
        if least == usize::MAX { 1 } else { least }
    }

    /// Steps of a fragment: slots of `TERMINATED` less one.
    ///
    /// # Errors
    /// There is no such slab: the table is not a fragment.
    pub fn steps(&self) -> Result<usize> {
        let slots = self.get(id::TERMINATED, NO_GROUP)?.slab().shape[0];
        Ok(slots as usize - 1)
    }

    /// Whether there is such a slab.
    pub fn has(&self, id: u32, group: u32) -> bool {
        self.find(id, group).is_some()
    }

    /// Axes of a slab: `[slots, instances, …]`.
    pub fn shape(&self, id: u32, group: u32) -> Option<&[u64]> {
        let slab = self.find(id, group)?.slab();
        Some(&slab.shape[..slab.rank as usize])
    }

    /// Elements of one instance of a slab.
    pub fn row(&self, id: u32, group: u32) -> Option<usize> {
        Some(self.find(id, group)?.extent().row)
    }

    /// All instances of a slab at a slot, `[instances, …]`.
    ///
    /// # Errors
    /// No such slab, another element type, or a slot beyond the last.
    pub fn rows<T: SlabElement>(&self, id: u32, group: u32, slot: usize) -> Result<&[T]> {
        self.get(id, group)?.slot(slot)
    }

    /// All instances of a slab at a slot, to write.
    ///
    /// # Errors
    /// As for [`Table::rows`], or a read-only slab.
    pub fn rows_mut<T: SlabElement>(
        &mut self,
        id: u32,
        group: u32,
        slot: usize,
    ) -> Result<&mut [T]> {
        let found = self.spans.iter_mut().find(|s| s.is(id, group));
        found.ok_or_else(|| missing(id, group))?.slot_mut(slot)
    }

    /// Rows to read and rows to write, each named by id, group and slot.
    ///
    /// # Errors
    /// As for [`Table::rows`] and [`Table::rows_mut`], or when the two share memory.
    pub fn read_write<R: SlabElement, W: SlabElement>(
        &mut self,
        read: (u32, u32, usize),
        write: (u32, u32, usize),
    ) -> Result<(&[R], &mut [W])> {
        let at = |id, group| self.spans.iter().position(|s| s.is(id, group));
        let (Some(r), Some(w)) = (at(read.0, read.1), at(write.0, write.1)) else {
            let (id, group, _) = if self.has(read.0, read.1) {
                write
            } else {
                read
            };
            return Err(missing(id, group));
        };
        if r == w {
            return self.spans[r].pair(read.2, write.2);
        }
        let from = self.spans[r].addresses(read.2)?;
        let to = self.spans[w].addresses(write.2)?;
        let apart = from.end <= to.start || to.end <= from.start;
        match self.spans.get_disjoint_mut([r, w]) {
            Ok([from, to]) if apart => Ok((from.slot(read.2)?, to.slot_mut(write.2)?)),
            _ => {
                let subject = extent::subject(read.0, read.1);
                Err(Error::plugin(format!(
                    "{subject}: expected rows apart from those to write, found the same memory"
                )))
            }
        }
    }

    /// All slots of a slab, `[slots, instances, …]`, where the host keeps them without gaps (fragments).
    ///
    /// # Errors
    /// No such slab, another element type, or gaps between slots.
    pub fn all<T: SlabElement>(&self, id: u32, group: u32) -> Result<&[T]> {
        self.get(id, group)?.all()
    }

    /// A read-only table of one slot: what an exchange mechanism is given as its context.
    ///
    /// Slabs with fewer slots, and lists of ended episodes, are left out.
    pub fn at_slot(&self, slot: usize) -> Table<'_> {
        let there = |s: &&Span<'a>| is_counted(s) && slot < s.extent().slots;
        let spans = self.spans.iter().filter(there);
        Table {
            spans: spans.filter_map(|s| s.only(slot).ok()).collect(),
        }
    }

    /// Where each ended episode ended, oldest first; see [the module](self) for what the numbers mean.
    ///
    /// # Errors
    /// `ENDED_COUNT` or `ENDED_ROW` is missing, or counts more entries than there is room for.
    pub fn ended(&self) -> Result<&[u32]> {
        self.ended_rows(id::ENDED_ROW, NO_GROUP)
    }

    /// The entries of a list of ended episodes, `[ended, …]`.
    ///
    /// # Errors
    /// As for [`Table::rows`] and [`Table::ended`].
    pub fn ended_rows<T: SlabElement>(&self, id: u32, group: u32) -> Result<&[T]> {
        let counts = self.rows::<u32>(id::ENDED_COUNT, NO_GROUP, 0)?;
        let count = counts.first().map_or(0, |&count| count as usize);
        let list = self.get(id, group)?;
        let extent = list.extent();
        if count > extent.instances {
            return Err(extent::wrong(
                list.slab(),
                &format!("room for {count} entries"),
                extent.instances,
            ));
        }
        Ok(&list.slot(0)?[..count * extent.row])
    }

    /// What crosses the boundary.
    pub(crate) fn slabs(&self) -> Vec<Slab> {
        self.spans.iter().map(|s| *s.slab()).collect()
    }
}

impl Span<'_> {
    fn is(&self, id: u32, group: u32) -> bool {
        self.slab().id == id && self.slab().group == group
    }
}

/// Whether a slab has the slots and instances of its table.
fn is_counted(span: &Span<'_>) -> bool {
    !id::is_ended_list(span.slab().id)
}

fn missing(id: u32, group: u32) -> Error {
    let subject = extent::subject(id, group);
    Error::new(
        ErrorKind::Host,
        format!("{subject}: expected in the table, found none"),
    )
}
