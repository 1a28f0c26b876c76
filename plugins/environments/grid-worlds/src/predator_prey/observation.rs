//! What agents see.

use palaestra_plugin_api::prelude::{Observe, Space};

use super::{Observation, PREY, PredatorPrey, PredatorPreyConfig, PreyPolicy, State};
use crate::board::Place;

/// Layers of a local observation.
const LAYERS: usize = 3;

pub(super) fn space(config: &PredatorPreyConfig) -> Space {
    let predators = config.num_predators;
    match config.observation {
        Observation::Global => {
            let others = 2 * predators;
            Space::bounds(
                &[vec![0.0; 2], vec![-1.0; others]].concat(),
                &vec![1.0; 2 + others],
            )
        }
        Observation::Local => {
            let window = (2 * config.sight as usize + 1).pow(2);
            let high = [
                vec![1.0; 2 + window],
                vec![predators as f64; window],
                vec![1.0; window],
            ]
            .concat();
            Space::bounds(&vec![0.0; high.len()], &high)
        }
    }
}

impl PredatorPrey {
    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let State {
            predators, prey, ..
        } = &self.state;
        let learned = self.config.prey == PreyPolicy::Learned;
        match self.config.observation {
            Observation::Global => {
                for (i, &own) in predators.iter().enumerate() {
                    let others = predators[..i]
                        .iter()
                        .chain(&predators[i + 1..])
                        .chain([prey]);
                    self.write_global(out.observation(i), own, others);
                }
                if learned {
                    self.write_global(out.group(PREY).observation(0), *prey, predators.iter());
                }
            }
            Observation::Local => {
                for (i, &own) in predators.iter().enumerate() {
                    self.write_local(out.observation(i), own);
                }
                if learned {
                    self.write_local(out.group(PREY).observation(0), *prey);
                }
            }
        }
    }

    #[inline(always)]
    fn write_global<'a>(
        &self,
        row: &mut [f32],
        own: Place,
        others: impl Iterator<Item = &'a Place>,
    ) {
        let (first, rest) = row.split_at_mut(2);
        first[0] = own[0] as f32 * self.scale[0];
        first[1] = own[1] as f32 * self.scale[1];
        for (pair, other) in rest.chunks_exact_mut(2).zip(others) {
            pair[0] = (other[0] - own[0]) as f32 * self.scale[0];
            pair[1] = (other[1] - own[1]) as f32 * self.scale[1];
        }
    }

    #[inline(always)]
    pub(super) fn write_local(&self, row: &mut [f32], own: Place) {
        let sight = self.config.sight as i32;
        let side = 2 * sight as usize + 1;
        let (first, layers) = row.split_at_mut(2);
        first[0] = own[0] as f32 * self.scale[0];
        first[1] = own[1] as f32 * self.scale[1];
        let (grids, prey) = layers.split_at_mut((LAYERS - 1) * side * side);
        for (layer, grid) in grids
            .chunks_exact_mut(side * side)
            .zip([&self.outside, &self.crowd])
        {
            for (line, row) in layer.chunks_exact_mut(side).zip(own[0] - sight..) {
                line.copy_from_slice(grid.run([row, own[1] - sight], side));
            }
        }
        prey.fill(0.0);
        let [row, column] = [0, 1].map(|axis| self.state.prey[axis] - own[axis] + sight);
        let reach = 0..=2 * sight;
        if reach.contains(&row) && reach.contains(&column) {
            prey[row as usize * side + column as usize] = 1.0;
        }
    }
}
