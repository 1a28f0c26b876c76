//! Where agents came from: the last positions of every agent, for pictures.
//!
//! A ring of [`LENGTH`] positions a world, in single precision, in the same blocks as the state.

use palaestra_plugin_api::{
    prelude::{Deserialize, Error, Result},
    serde_json::Value,
};

use crate::{
    batch::invalid,
    world::{LANES, Layout},
};

/// Positions that are kept.
pub(crate) const LENGTH: usize = 12;

/// The trails of all instances.
#[derive(Clone, Debug)]
pub(crate) struct Trails {
    /// `[blocks · LENGTH · agents · 2]`.
    columns: Vec<[f32; LANES]>,
    /// Positions known of each instance, `[blocks]`.
    known: Vec<[u32; LANES]>,
    /// Where in the rings the newest positions are.
    newest: usize,
    /// Columns of one moment of a block.
    width: usize,
}

impl Trails {
    /// Trails of worlds that have not begun.
    pub(crate) fn new(agents: usize, instances: usize) -> Self {
        let (blocks, width) = (instances.div_ceil(LANES), 2 * agents);
        Self {
            columns: vec![[0.0; LANES]; blocks * LENGTH * width],
            known: vec![[0; LANES]; blocks],
            newest: 0,
            width,
        }
    }

    fn moment(&self, block: usize, back: usize) -> usize {
        (block * LENGTH + (self.newest + LENGTH - back) % LENGTH) * self.width
    }

    /// Makes room for the positions of a step.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.newest = (self.newest + 1) % LENGTH;
    }

    /// Notes where the agents of a block are.
    #[inline(always)]
    pub(crate) fn record(&mut self, block: usize, layout: &Layout, columns: &[[f64; LANES]]) {
        let at = (block * LENGTH + self.newest) * self.width;
        for (agent, trail) in self.columns[at..at + self.width]
            .chunks_exact_mut(2)
            .enumerate()
        {
            let place = layout.agent(agent);
            for (to, from) in trail.iter_mut().zip(&columns[place..place + 2]) {
                for lane in 0..LANES {
                    to[lane] = from[lane] as f32;
                }
            }
        }
        for known in &mut self.known[block] {
            *known = (*known + 1).min(LENGTH as u32);
        }
    }

    /// Forgets the last episode of an instance and notes where its agents start.
    pub(crate) fn restart(&mut self, instance: usize, layout: &Layout, columns: &[[f64; 1]]) {
        let start = (0..layout.agents)
            .map(|a| [0, 1].map(|axis| columns[layout.agent(a) + axis][0] as f32));
        self.replace(instance, &[start.collect()]);
    }

    /// Where the agents of an instance were, oldest first: `[moments][agents]`.
    pub(crate) fn points(&self, instance: usize) -> Vec<Vec<[f32; 2]>> {
        let (block, lane) = (instance / LANES, instance % LANES);
        let moment = |back: usize| {
            let at = self.moment(block, back);
            self.columns[at..at + self.width]
                .chunks_exact(2)
                .map(|place| [place[0][lane], place[1][lane]])
                .collect()
        };
        (0..self.known[block][lane] as usize)
            .rev()
            .map(moment)
            .collect()
    }

    /// Makes the trail of an instance what [`points`](Self::points) gave.
    pub(crate) fn replace(&mut self, instance: usize, points: &[Vec<[f32; 2]>]) {
        let (block, lane) = (instance / LANES, instance % LANES);
        for (back, agents) in points.iter().rev().enumerate() {
            let at = self.moment(block, back);
            for (to, from) in self.columns[at..at + self.width]
                .iter_mut()
                .zip(agents.as_flattened())
            {
                to[lane] = *from;
            }
        }
        self.known[block][lane] = points.len() as u32;
    }

    /// Reads points from a snapshot.
    pub(crate) fn parse(&self, saved: &Value) -> Result<Vec<Vec<[f32; 2]>>> {
        let points = Vec::<Vec<[f32; 2]>>::deserialize(saved)
            .map_err(|e| Error::config(format!("snapshot /trail: {e}")))?;
        let agents = self.width / 2;
        if points.len() > LENGTH || points.iter().any(|moment| moment.len() != agents) {
            let expected = format!("at most {LENGTH} moments of {agents} places");
            return Err(invalid(
                "snapshot /trail",
                expected,
                format!("{} moments", points.len()),
            ));
        }
        Ok(points)
    }
}
