//! The lists of ended episodes of a fragment, joined from those of its steps.

use super::missing;
use crate::{
    abi::{DType, NO_GROUP, SlabElement, id},
    client::{EnvironmentBatch, SlabMemory},
    error::Result,
    layout::{SlabLayout, environment_slabs},
    spec::EnvironmentSpec,
};

/// Runs the body with the type of a slab's elements.
macro_rules! by_type {
    ($dtype:expr, $T:ident => $body:block) => {
        match $dtype {
            $crate::abi::DType::U8 => {
                type $T = u8;
                $body
            }
            $crate::abi::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::abi::DType::U32 => {
                type $T = u32;
                $body
            }
            $crate::abi::DType::U64 => {
                type $T = u64;
                $body
            }
            $crate::abi::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::abi::DType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(super) use by_type;

/// What has ended so far; the values of each list as their bytes.
pub(super) struct Lists {
    lists: Vec<(SlabLayout, Vec<u8>)>,
    count: usize,
}

impl Lists {
    pub(super) fn new(spec: &EnvironmentSpec) -> Self {
        let lists = environment_slabs(spec).into_iter().filter(|l| l.ended);
        Self {
            lists: lists.map(|layout| (layout, Vec::new())).collect(),
            count: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.lists.iter_mut().for_each(|(_, bytes)| bytes.clear());
        self.count = 0;
    }

    /// Adds what ended in step `step`; gives the instance and the agents' mean return of each episode.
    pub(super) fn append(
        &mut self,
        world: &EnvironmentBatch,
        step: usize,
    ) -> Result<Vec<(usize, f64)>> {
        let of_step = |id| -> Result<&[u32]> {
            let key = world.slabs().key::<u32>(id, NO_GROUP);
            Ok(world.rows(key.ok_or_else(|| missing(id))?, 0))
        };
        let ended = of_step(id::ENDED_COUNT)?[0] as usize;
        let rows = &of_step(id::ENDED_ROW)?[..ended];
        self.count += ended;
        for (layout, bytes) in &mut self.lists {
            match layout.id {
                id::ENDED_COUNT => {}
                id::ENDED_ROW => {
                    let all = rows
                        .iter()
                        .map(|row| (step * world.instances()) as u32 + row);
                    bytes.extend(all.flat_map(u32::to_ne_bytes));
                }
                _ => by_type!(layout.dtype, T => {
                    let key = world.slabs().key::<T>(layout.id, layout.group);
                    let key = key.ok_or_else(|| missing(layout.id))?;
                    let values = &world.rows(key, 0)[..ended * layout.row()];
                    bytes.extend(values.iter().flat_map(|value| value.to_ne_bytes()));
                }),
            }
        }
        let mut totals = vec![0.0; ended];
        for (g, group) in world.spec().groups.iter().enumerate() {
            let key = world.slabs().key::<f64>(id::EPISODE_RETURN, g as u32);
            let returns = world.rows(key.ok_or_else(|| missing(id::EPISODE_RETURN))?, 0);
            for (total, agents) in totals.iter_mut().zip(returns.chunks(group.agents)) {
                *total += agents.iter().sum::<f64>() / world.spec().agents() as f64;
            }
        }
        Ok(rows.iter().map(|&row| row as usize).zip(totals).collect())
    }

    /// The lists as a fragment shows them, with room for `room` entries.
    pub(super) fn memory(&self, room: usize) -> SlabMemory {
        let layouts = self.lists.iter().map(|(layout, _)| layout.clone());
        let mut memory = SlabMemory::new(layouts.collect(), 1, room.max(1));
        for (layout, bytes) in &self.lists {
            if layout.id == id::ENDED_COUNT {
                let count = self.count as u32;
                write(
                    &mut memory,
                    layout,
                    &count.to_ne_bytes(),
                    u32::from_ne_bytes,
                );
                continue;
            }
            match layout.dtype {
                DType::U8 => write(&mut memory, layout, bytes, u8::from_ne_bytes),
                DType::I32 => write(&mut memory, layout, bytes, i32::from_ne_bytes),
                DType::U32 => write(&mut memory, layout, bytes, u32::from_ne_bytes),
                DType::U64 => write(&mut memory, layout, bytes, u64::from_ne_bytes),
                DType::F32 => write(&mut memory, layout, bytes, f32::from_ne_bytes),
                DType::F64 => write(&mut memory, layout, bytes, f64::from_ne_bytes),
            }
        }
        memory
    }
}

fn write<T: SlabElement, const SIZE: usize>(
    memory: &mut SlabMemory,
    layout: &SlabLayout,
    bytes: &[u8],
    value: fn([u8; SIZE]) -> T,
) {
    if let Some(key) = memory.slabs().key::<T>(layout.id, layout.group) {
        let to = memory.rows_mut(key, 0).iter_mut();
        let from = bytes.as_chunks::<SIZE>().0;
        to.zip(from).for_each(|(to, from)| *to = value(*from));
    }
}
