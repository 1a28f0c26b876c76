//! Which agents share networks, and the way between their slabs and the rows of one network.
//!
//! A [`Unit`] is a set of agents with networks of their own. Its rows are `[…, members]`: for each instance all
//! members, in the order of groups and agents, whatever slabs they are in.

use std::ops::Range;

use palaestra_plugin_api::{
    Error, Result,
    abi::{SlabElement, id},
    algorithm::Setting,
    spec::{Element, GroupSpec, Space},
    table::Table,
};

/// Which agents share networks.
#[palaestra_plugin_api::config]
#[derive(Hash)]
pub enum Share {
    /// The agents of each group.
    Group,
    /// All agents of all groups, whose spaces must be the same.
    All,
    /// Nobody: every agent has its own.
    None,
}

/// One agent of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Number of its group's slabs.
    pub group: u32,
    /// Index within the group.
    pub agent: usize,
    /// Index among all controlled agents, in the order of groups: its place in a row of messages.
    pub joint: usize,
    /// Agents of its group.
    size: usize,
}

/// Agents that share networks.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Name in weights: the group's, `shared`, or `<group>/<agent>`.
    pub name: String,
    /// The groups that its members are of.
    pub groups: Vec<String>,
    /// The agents.
    pub members: Vec<Member>,
    /// The spaces of each of them, and what it does when it does nothing.
    pub spec: GroupSpec,
}

impl Unit {
    /// The units of a setting.
    ///
    /// # Errors
    /// `share` is all and the groups' spaces differ.
    pub fn all(setting: &Setting, share: Share) -> Result<Vec<Self>> {
        let mut joint = 0;
        let mut units: Vec<Self> = Vec::new();
        for (index, spec) in setting.controlled_groups() {
            let members = (0..spec.agents).map(|agent| Member {
                group: index,
                agent,
                joint: joint + agent,
                size: spec.agents,
            });
            let unit = |name: String, members: Vec<Member>| Self {
                name,
                groups: vec![spec.name.clone()],
                members,
                spec: spec.clone(),
            };
            match (share, units.first_mut()) {
                (Share::None, _) => {
                    units.extend(
                        members.map(|m| unit(format!("{}/{}", spec.name, m.agent), vec![m])),
                    );
                }
                (Share::Group, _) => units.push(unit(spec.name.clone(), members.collect())),
                (Share::All, None) => units.push(unit("shared".into(), members.collect())),
                (Share::All, Some(shared)) => {
                    same_spaces(&shared.spec, spec)?;
                    shared.members.extend(members);
                    shared.groups.push(spec.name.clone());
                }
            }
            joint += spec.agents;
        }
        Ok(units)
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never: a unit has members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether all members are those of one group, in order: then rows are slabs.
    fn is_one_group(&self) -> bool {
        self.members[0].size == self.members.len() && self.groups.len() == 1
    }

    /// Whether the slabs of all members are there.
    #[must_use]
    pub fn has(&self, table: &Table<'_>, id: u32) -> bool {
        self.members.iter().all(|m| table.has(id, m.group))
    }

    /// Appends some slots of the members' slabs, `[slots, instances, members, width]`.
    ///
    /// # Errors
    /// As for [`Table::rows`].
    pub fn gather<T: SlabElement>(
        &self,
        table: &Table<'_>,
        id: u32,
        slots: Range<usize>,
        out: &mut Vec<T>,
    ) -> Result<()> {
        for slot in slots {
            self.append(
                |group| table.rows(id, group, slot),
                table,
                id,
                |x: T| x,
                out,
            )?;
        }
        Ok(())
    }

    /// Appends the entries of a list of ended episodes, `[ended, members, width]`.
    ///
    /// # Errors
    /// As for [`Table::ended_rows`].
    pub fn gather_ended<T: SlabElement>(
        &self,
        table: &Table<'_>,
        id: u32,
        out: &mut Vec<T>,
    ) -> Result<()> {
        self.append(
            |group| table.ended_rows(id, group),
            table,
            id,
            |x: T| x,
            out,
        )
    }

    /// Appends what the members see at some slots, `[slots, instances, members, width]`; bytes become 0 to 1.
    ///
    /// # Errors
    /// As for [`Table::rows`].
    pub fn gather_observations(
        &self,
        table: &Table<'_>,
        slots: Range<usize>,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let id = id::OBSERVATION;
        if self.spec.observation.element() == Element::F32 {
            return self.gather(table, id, slots, out);
        }
        for slot in slots {
            self.append(
                |group| table.rows(id, group, slot),
                table,
                id,
                brightness,
                out,
            )?;
        }
        Ok(())
    }

    /// Appends what the members saw last in each ended episode, `[ended, members, width]`.
    ///
    /// # Errors
    /// As for [`Table::ended_rows`].
    pub fn gather_final_observations(&self, table: &Table<'_>, out: &mut Vec<f32>) -> Result<()> {
        let id = id::FINAL_OBSERVATION;
        match self.spec.observation.element() {
            Element::F32 => self.gather_ended(table, id, out),
            Element::U8 => self.append(
                |group| table.ended_rows(id, group),
                table,
                id,
                brightness,
                out,
            ),
        }
    }

    /// Appends 1 where all of these flags are set (an absent slab is), `[slots, instances, members]`.
    ///
    /// # Errors
    /// As for [`Table::rows`].
    pub fn gather_flags(
        &self,
        table: &Table<'_>,
        ids: &[u32],
        slots: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (start, n) = (out.len(), table.instances() * self.len());
        out.resize(start + slots.len() * n, 1);
        for &id in ids.iter().filter(|id| self.has(table, **id)) {
            for (slot, flags) in slots.clone().zip(out[start..].chunks_exact_mut(n)) {
                for (k, member) in self.members.iter().enumerate() {
                    let from = table.rows::<u8>(id, member.group, slot)?;
                    let from = from[member.agent..].iter().step_by(member.size);
                    let to = flags[k..].iter_mut().step_by(self.len());
                    to.zip(from)
                        .for_each(|(to, &from)| *to &= u8::from(from != 0));
                }
            }
        }
        Ok(())
    }

    fn append<'t, T: SlabElement, U: Copy>(
        &self,
        rows: impl Fn(u32) -> Result<&'t [T]>,
        table: &Table<'_>,
        id: u32,
        map: impl Fn(T) -> U,
        out: &mut Vec<U>,
    ) -> Result<()> {
        if self.is_one_group() {
            out.extend(rows(self.members[0].group)?.iter().map(|&x| map(x)));
            return Ok(());
        }
        let width = |m: &Member| table.row(id, m.group).unwrap_or(0) / m.size;
        let first = &self.members[0];
        let count = rows(first.group)?.len() / (width(first) * first.size).max(1);
        for row in 0..count {
            for member in &self.members {
                let width = width(member);
                let from =
                    &rows(member.group)?[(row * member.size + member.agent) * width..][..width];
                out.extend(from.iter().map(|&x| map(x)));
            }
        }
        Ok(())
    }

    /// Writes one slot of the members' slabs from `[instances, members, width]`, where `only` is not 0.
    ///
    /// # Errors
    /// As for [`Table::rows_mut`], or values of another size.
    pub fn scatter<T: SlabElement>(
        &self,
        table: &mut Table<'_>,
        id: u32,
        slot: usize,
        values: &[T],
        only: Option<&[u8]>,
    ) -> Result<()> {
        let rows = table.instances() * self.len();
        let width = values.len() / rows.max(1);
        for (k, member) in self.members.iter().enumerate() {
            let to = table.rows_mut::<T>(id, member.group, slot)?;
            if to.len() * self.len() != values.len() * member.size {
                return Err(Error::plugin(format!(
                    "scatter: expected {} values for slab {id}, found {}",
                    to.len() * self.len() / member.size,
                    values.len()
                )));
            }
            let from = values.chunks_exact(width).skip(k).step_by(self.len());
            let to = to
                .chunks_exact_mut(width)
                .skip(member.agent)
                .step_by(member.size);
            for (row, (to, from)) in to.zip(from).enumerate() {
                if only.is_none_or(|only| only[row * self.len() + k] != 0) {
                    to.copy_from_slice(from);
                }
            }
        }
        Ok(())
    }
}

/// An image's byte as a number from 0 to 1.
fn brightness(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

fn same_spaces(a: &GroupSpec, b: &GroupSpec) -> Result<()> {
    let shape = |s: &Space| (s.width(), s.choices(), s.element());
    let kind = |g: &GroupSpec| (shape(&g.observation), shape(&g.action), g.has_action_mask);
    if kind(a) == kind(b) {
        return Ok(());
    }
    Err(Error::config(format!(
        "/share: expected groups with the same spaces, found {:?} and {:?} that differ",
        a.name, b.name
    ))
    .with_next("use share = \"group\""))
}

#[cfg(test)]
mod tests;
