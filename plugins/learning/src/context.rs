//! Slabs of a fragment that a mechanism wants to see beside the messages, by rows: positions, adjacency, state.

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, SlabElement, id},
    table::Table,
};

use crate::buffers::gather;

/// Numbers of one slab.
#[derive(Clone, Debug, PartialEq)]
enum Numbers {
    U8(Vec<u8>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
}

#[derive(Clone, Debug, PartialEq)]
struct Slab {
    id: u32,
    group: u32,
    /// Axes behind slot and instance.
    shape: Vec<usize>,
    numbers: Numbers,
}

/// Some slabs of a fragment, or some of its rows, `[rows, …]` each; row t·n + i is instance i at slot t.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    slabs: Vec<Slab>,
    rows: usize,
}

impl Context {
    /// The slabs of these ids that the table has, at its first `slots` slots; of all `groups`.
    ///
    /// # Errors
    /// As for [`Table::rows`].
    pub fn read(table: &Table<'_>, ids: &[u32], groups: u32, slots: usize) -> Result<Self> {
        let mut slabs: Vec<Slab> = Vec::new();
        for &id in ids {
            let all = match id::is_of_group(id) {
                true => 0..groups,
                false => NO_GROUP..NO_GROUP,
            };
            let one = (!id::is_of_group(id)).then_some(NO_GROUP);
            for group in all.chain(one) {
                let is_new = !slabs.iter().any(|s| s.id == id && s.group == group);
                if let Some(numbers) = read(table, id, group, slots)?.filter(|_| is_new) {
                    let shape = table.shape(id, group).unwrap_or(&[]);
                    let shape = shape.iter().skip(2).map(|&axis| axis as usize).collect();
                    slabs.push(Slab {
                        id,
                        group,
                        shape,
                        numbers,
                    });
                }
            }
        }
        let rows = slots * table.instances();
        Ok(Self { slabs, rows })
    }

    /// Some of the rows, in the given order.
    ///
    /// # Errors
    /// A row is outside.
    pub fn gather(&self, rows: &[usize]) -> Result<Self> {
        let slab = |slab: &Slab| {
            let width: usize = slab.shape.iter().product();
            let numbers = match &slab.numbers {
                Numbers::U8(all) => Numbers::U8(gather(all, width, rows)?),
                Numbers::I32(all) => Numbers::I32(gather(all, width, rows)?),
                Numbers::U32(all) => Numbers::U32(gather(all, width, rows)?),
                Numbers::U64(all) => Numbers::U64(gather(all, width, rows)?),
                Numbers::F32(all) => Numbers::F32(gather(all, width, rows)?),
            };
            Ok(Slab {
                numbers,
                shape: slab.shape.clone(),
                ..*slab
            })
        };
        Ok(Self {
            slabs: self.slabs.iter().map(slab).collect::<Result<_>>()?,
            rows: rows.len(),
        })
    }

    /// The rows as a table of one slot.
    ///
    /// # Errors
    /// Never for what [`read`](Self::read) gave.
    pub fn table(&self) -> Result<Table<'_>> {
        let mut table = Table::new();
        for slab in &self.slabs {
            let shape = [&[1, self.rows], slab.shape.as_slice()].concat();
            match &slab.numbers {
                Numbers::U8(all) => table.add(slab.id, slab.group, &shape, all)?,
                Numbers::I32(all) => table.add(slab.id, slab.group, &shape, all)?,
                Numbers::U32(all) => table.add(slab.id, slab.group, &shape, all)?,
                Numbers::U64(all) => table.add(slab.id, slab.group, &shape, all)?,
                Numbers::F32(all) => table.add(slab.id, slab.group, &shape, all)?,
            }
        }
        Ok(table)
    }
}

/// The numbers of a slab, whatever their type; none when there is no such slab.
fn read(table: &Table<'_>, id: u32, group: u32, slots: usize) -> Result<Option<Numbers>> {
    if !table.has(id, group) {
        return Ok(None);
    }
    let numbers = match table.rows::<f32>(id, group, 0) {
        Ok(_) => Numbers::F32(all(table, id, group, slots)?),
        Err(_) if table.rows::<u8>(id, group, 0).is_ok() => {
            Numbers::U8(all(table, id, group, slots)?)
        }
        Err(_) if table.rows::<i32>(id, group, 0).is_ok() => {
            Numbers::I32(all(table, id, group, slots)?)
        }
        Err(_) if table.rows::<u32>(id, group, 0).is_ok() => {
            Numbers::U32(all(table, id, group, slots)?)
        }
        Err(_) => Numbers::U64(all(table, id, group, slots)?),
    };
    Ok(Some(numbers))
}

fn all<T: SlabElement>(table: &Table<'_>, id: u32, group: u32, slots: usize) -> Result<Vec<T>> {
    let mut numbers = Vec::new();
    for slot in 0..slots {
        numbers.extend_from_slice(table.rows::<T>(id, group, slot)?);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_rows_are_a_table_of_one_slot() {
        let (seen, alive) = ([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1u8, 0, 1, 1]);
        let mut table = Table::new();
        table.add(id::OBSERVATION, 0, &[2, 2, 1, 2], &seen).unwrap();
        table
            .add(id::TERMINATED, NO_GROUP, &[2, 2], &alive)
            .unwrap();
        let ids = [id::OBSERVATION, id::TERMINATED, id::OBSERVATION, id::STATE];
        let context = Context::read(&table, &ids, 1, 2).unwrap();
        let rows = context.gather(&[3, 1]).unwrap();
        let found = rows.table().unwrap();
        assert_eq!(
            found.rows::<f32>(id::OBSERVATION, 0, 0).unwrap(),
            [7.0, 8.0, 3.0, 4.0]
        );
        assert_eq!(
            found.rows::<u8>(id::TERMINATED, NO_GROUP, 0).unwrap(),
            [1, 0]
        );
        assert_eq!(found.shape(id::OBSERVATION, 0).unwrap(), [1, 2, 1, 2]);
        assert!(!found.has(id::STATE, NO_GROUP));
        assert!(context.gather(&[4]).is_err());
    }
}
