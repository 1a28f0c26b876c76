//! Who acts, on what terms, component by component: what both policies have in common.
//!
//! Only agents whose seat is controlled are written. An agent that is dead, or whose turn it is not, idles.

use palaestra_plugin_api::{
    abi::id,
    algorithm::{AlgorithmCapabilities, Setting},
    prelude::*,
    table::Table,
};

/// Acts anywhere, has nothing to learn; looks at masks, turns and seats where there are any.
pub(crate) fn capabilities() -> AlgorithmCapabilities {
    AlgorithmCapabilities {
        likes: vec![id::ACTION_MASK, id::ALIVE, id::ACTING, id::CONTROLLED],
        ..AlgorithmCapabilities::default()
    }
}

/// One component of one agent's action.
pub(crate) struct Component<'a> {
    /// What an idle agent does.
    idle: f64,
    pub(crate) domain: Domain<'a>,
}

/// The values that a component may have.
pub(crate) enum Domain<'a> {
    /// A choice: 1 where it is allowed.
    Choice(&'a [u8]),
    /// A real number within bounds, which may be infinite.
    Real(f64, f64),
}

impl Component<'_> {
    /// The idle value; where the mask forbids it, the first allowed choice.
    pub(crate) fn idle(&self) -> f64 {
        match self.domain {
            Domain::Choice(allowed) if allowed.get(self.idle as usize) != Some(&1) => {
                allowed.iter().position(|&a| a != 0).unwrap_or(0) as f64
            }
            _ => self.idle,
        }
    }

    fn is_impossible(&self) -> bool {
        matches!(self.domain, Domain::Choice(allowed) if !allowed.contains(&1))
    }

    /// The nearest f32 that is still within the bounds.
    fn real(&self, value: f64) -> f32 {
        let near = value as f32;
        match self.domain {
            Domain::Real(low, _) if f64::from(near) < low => near.next_up(),
            Domain::Real(_, high) if f64::from(near) > high => near.next_down(),
            _ => near,
        }
    }
}

/// One controlled group, with what its rows say at the present slot.
pub(crate) struct Group {
    /// Number of its slabs.
    pub(crate) index: u32,
    spec: GroupSpec,
    idle: Vec<f64>,
    /// Choices of each component, and where they start in an agent's mask; empty for a box.
    choices: Vec<(usize, usize)>,
    /// `[instances, agents]`: 1 where this object acts.
    controlled: Vec<u8>,
    /// `[instances, agents]`: 1 where the action counts.
    active: Vec<u8>,
    /// `[instances, agents, choices]`.
    allowed: Vec<u8>,
}

impl Group {
    /// The controlled groups of a setting.
    pub(crate) fn all(setting: &Setting) -> Vec<Self> {
        let group = |(index, spec): (u32, &GroupSpec)| Self {
            index,
            spec: spec.clone(),
            idle: spec.idle_action(),
            choices: spec
                .action
                .choices()
                .iter()
                .scan(0, |start, &n| {
                    *start += n;
                    Some((*start - n, n))
                })
                .collect(),
            controlled: Vec::new(),
            active: Vec::new(),
            allowed: Vec::new(),
        };
        setting.controlled_groups().map(group).collect()
    }

    /// Writes the proposals of a slot; `agent(row, agent)` gives what chooses an active agent's components,
    /// in order.
    ///
    /// # Errors
    /// A missing slab; an active agent without any allowed choice.
    pub(crate) fn act<C: FnMut(&Component<'_>) -> f64>(
        &mut self,
        rows: &mut Table<'_>,
        slot: usize,
        agent: impl Fn(usize, usize) -> C,
    ) -> Result<()> {
        self.look(rows, slot)?;
        if self.spec.action.is_box() {
            let actions = rows.rows_mut::<f32>(id::PROPOSED_ACTION, self.index, slot)?;
            self.fill(actions, agent, |component, value| component.real(value))
        } else {
            let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, self.index, slot)?;
            self.fill(actions, agent, |_, value| value as i32)
        }
    }

    /// Copies flags and masks, so that the actions can be written.
    fn look(&mut self, rows: &Table<'_>, slot: usize) -> Result<()> {
        let each = rows.instances() * self.spec.agents;
        reset(&mut self.controlled, each);
        reset(&mut self.active, each);
        for (flags, ids) in [
            (&mut self.controlled, &[id::CONTROLLED][..]),
            (&mut self.active, &[id::ALIVE, id::ACTING]),
        ] {
            for &id in ids.iter().filter(|id| rows.has(**id, self.index)) {
                let read = rows.rows::<u8>(id, self.index, slot)?;
                let both = flags.iter_mut().zip(read);
                both.for_each(|(flag, &read)| *flag &= u8::from(read != 0));
            }
        }
        let choices = each * self.per_agent();
        reset(&mut self.allowed, choices);
        if self.spec.has_action_mask {
            let masks = rows.rows::<u8>(id::ACTION_MASK, self.index, slot)?;
            let all = self.allowed.iter_mut().zip(masks);
            all.for_each(|(allowed, &mask)| *allowed = u8::from(mask != 0));
        }
        Ok(())
    }

    /// Choices of one agent.
    fn per_agent(&self) -> usize {
        self.choices.iter().map(|(_, n)| n).sum()
    }

    fn fill<T, C: FnMut(&Component<'_>) -> f64>(
        &self,
        actions: &mut [T],
        agent: impl Fn(usize, usize) -> C,
        write: fn(&Component<'_>, f64) -> T,
    ) -> Result<()> {
        let all = actions.chunks_exact_mut(self.idle.len()).enumerate();
        for (i, action) in all.filter(|(i, _)| self.controlled[*i] != 0) {
            let (row, a) = (i / self.spec.agents, i % self.spec.agents);
            let mut choose = (self.active[i] != 0).then(|| agent(row, a));
            for (c, to) in action.iter_mut().enumerate() {
                let component = self.component(i, c);
                let value = match &mut choose {
                    Some(_) if component.is_impossible() => return Err(self.no_choice(row, a)),
                    Some(choose) => choose(&component),
                    None => component.idle(),
                };
                *to = write(&component, value);
            }
        }
        Ok(())
    }

    fn component(&self, agent: usize, c: usize) -> Component<'_> {
        let domain = match self.choices.get(c) {
            Some((start, n)) => {
                let start = agent * self.per_agent() + start;
                Domain::Choice(&self.allowed[start..start + n])
            }
            None => {
                let (low, high) = self.spec.action.bounds_of(c);
                Domain::Real(low, high)
            }
        };
        let idle = self.idle[c];
        Component { idle, domain }
    }

    #[cold]
    fn no_choice(&self, row: usize, agent: usize) -> Error {
        let group = &self.spec.name;
        Error::plugin(format!(
            "action mask of instance {row}, group {group:?}, agent {agent}: expected an allowed choice, found none"
        ))
    }
}

/// So many ones.
fn reset(flags: &mut Vec<u8>, len: usize) {
    flags.clear();
    flags.resize(len, 1);
}
