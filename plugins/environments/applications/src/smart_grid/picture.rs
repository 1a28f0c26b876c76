//! How a smart grid is drawn: one bar an agent, its energy over its largest.

use palaestra_plugin_api::prelude::*;

use super::{CONSUMERS, PRODUCERS, STORAGES, SmartGrid};

/// Room between the groups, in bars.
const GAP: f64 = 0.6;

pub(super) fn draw(grid: &SmartGrid, canvas: &mut Canvas) {
    let (config, state) = (&grid.config, &grid.state);
    let renewable = [state.availability * config.renewable_capacity];
    let served: Vec<f64> = (state.demands.iter().zip(&state.responses))
        .map(|(demand, response)| demand * (1.0 - config.flexibility * response))
        .collect();
    let bars: [(&str, &[f64], f64, Color); 4] = [
        (
            "producer",
            &state.outputs,
            config.producer_capacity,
            Color::group(PRODUCERS),
        ),
        (
            "renewable",
            &renewable,
            config.renewable_capacity,
            Color::group(STORAGES + 1),
        ),
        (
            "consumer",
            &served,
            config.largest_demand_of_one(),
            Color::group(CONSUMERS),
        ),
        (
            "storage",
            &state.levels,
            config.storage_capacity,
            Color::group(STORAGES),
        ),
    ];
    let width = config.agents() as f64 + 1.0 + 3.0 * GAP;
    canvas.view_stretched(-0.2, -0.05, width + 0.2, 1.05);
    let mut left = 0.0;
    let mut text = String::new();
    for (name, values, largest, color) in bars {
        for (i, value) in values.iter().enumerate() {
            let filled = if largest > 0.0 { value / largest } else { 0.0 };
            canvas.rect((left + 0.15, 0.0), (left + 0.85, 1.0), Color::LIGHT);
            canvas.rect((left + 0.15, 0.0), (left + 0.85, filled), color);
            text.push_str(&format!("{name:9} {i:3} {value:8.2} of {largest:8.2}\n"));
            left += 1.0;
        }
        left += GAP;
    }
    canvas.line((0.0, 0.0), (width, 0.0), Color::DARK.pen(2.0));
    canvas.legend(&bars.map(|(name, _, _, color)| (name, color)));
    let caption = format!(
        "step {} of the day, imbalance {:+.2}, price {:.3}",
        state.clock, state.imbalance, state.price
    );
    text.push_str(&caption);
    canvas.caption(caption);
    canvas.text_frame(text);
}
