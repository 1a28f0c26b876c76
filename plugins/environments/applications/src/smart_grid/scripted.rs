//! A dispatcher who keeps the grid in balance.
//!
//! Producers share what renewables leave of the demand, as far as their ramps allow; storages take what is then too
//! much and give what is missing; consumers forgo what is missing still.

use super::SmartGrid;

/// Actions of producers, consumers and storages.
pub(super) fn joint(grid: &SmartGrid) -> Vec<Vec<Vec<f64>>> {
    let (config, state) = (&grid.config, &grid.state);
    let demand: f64 = state.demands.iter().sum();
    let mut missing = demand - state.availability * config.renewable_capacity;
    let (capacity, ramp) = (
        config.producer_capacity,
        config.ramp * config.producer_capacity,
    );
    let share = missing / config.num_producers as f64;
    let producers = state.outputs.iter().map(|output| {
        let output = share
            .clamp(output - ramp, output + ramp)
            .clamp(0.0, capacity);
        missing -= output;
        vec![output / capacity]
    });
    let producers = producers.collect();
    let storages = state.levels.iter().map(|level| {
        let (power, kept) = (config.storage_power, config.storage_efficiency);
        let room = (config.storage_capacity - level) / kept;
        let flow = (-missing).clamp(-power.min(*level), power.min(room));
        missing += flow;
        vec![if power > 0.0 { flow / power } else { 0.0 }]
    });
    let storages = storages.collect();
    let flexible = config.flexibility * demand;
    let response = if flexible > 0.0 {
        (missing / flexible).clamp(0.0, 1.0)
    } else {
        0.0
    };
    vec![
        producers,
        vec![vec![response]; state.demands.len()],
        storages,
    ]
}
