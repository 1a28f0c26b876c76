use palaestra_plugin_api::serde_json::{from_value, json};

use super::*;

/// Output 5, renewables 4, demands 6 and 4; the storage holds 2 of 10.
fn grid(extra: Value) -> SmartGrid {
    let mut config = json!({
        "num_producers": 1, "num_consumers": 2, "consumer_demand": 10.0, "demand_swing": 0.0,
        "demand_noise": 0.0, "flexibility": 0.5, "storage_efficiency": 0.5,
    });
    for (name, value) in extra.as_object().unwrap() {
        config[name] = value.clone();
    }
    let mut grid = SmartGrid::new(&from_value(config).unwrap()).unwrap();
    let state = State {
        clock: 0,
        availability: 0.5,
        price: 0.5,
        imbalance: 0.0,
        outputs: vec![5.0],
        demands: vec![6.0, 4.0],
        responses: vec![0.0; 2],
        levels: vec![2.0],
    };
    grid.place(state).unwrap();
    grid
}

fn rewards(grid: &SmartGrid, producer: f64, consumers: [f64; 2], storage: f64) -> Vec<f64> {
    let one = |x: f64| vec![vec![x]];
    let joint = [
        one(producer),
        consumers.map(|x| vec![x]).to_vec(),
        one(storage),
    ];
    grid.counterfactual(&joint).unwrap().concat()
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    let near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(
        near && found.len() == expected.len(),
        "found {found:?}, expected {expected:?}"
    );
}

/// Output 8 by the ramp, renewables 4, discharge 2 of the 3 asked for; served 6 and 3: surplus 5, a quarter of 20.
#[test]
fn a_surplus_lowers_the_price_and_costs_everybody() {
    let mut grid = grid(json!({}));
    let (price, share) = (0.5 * 0.75, 0.5 * 5.0 / 4.0);
    let expected = [
        (price - 0.3) * 8.0 - share,
        (1.0 - price) * 6.0 - share,
        (1.0 - price) * 3.0 - 1.0 / 4.0 - share,
        price * 2.0 - share,
    ];
    assert_near(&rewards(&grid, 1.0, [0.0, 0.5], -1.0), &expected);
    let actions: [&[f64]; 3] = [&[1.0], &[0.0, 0.5], &[-1.0]];
    let balance = grid.settle(|group, agent| actions[group][agent]);
    assert_near(
        &[balance.supply, balance.renewable, balance.curtailed],
        &[14.0, 4.0, 1.0],
    );
    assert_near(&[grid.state.imbalance, grid.state.price], &[5.0, price]);
    assert_eq!(grid.state.levels, [0.0]);
}

/// Output 2 by the ramp, renewables 4, charge 3: shortage 7 of 20. Half of the charge is kept.
#[test]
fn a_shortage_raises_the_price() {
    let mut grid = grid(json!({}));
    let actions: [&[f64]; 3] = [&[0.0], &[0.0, 0.0], &[1.0]];
    grid.settle(|group, agent| actions[group][agent]);
    assert_near(&[grid.state.imbalance, grid.state.price], &[-7.0, 0.675]);
    assert_near(&grid.state.levels, &[3.5]);
    assert_eq!(grid.flows, [3.0]);
}

/// The slip of the notebooks: an empty storage earns nothing by asking to discharge.
#[test]
fn only_energy_that_flows_is_paid() {
    let mut grid = grid(json!({"imbalance_penalty": 0.0}));
    grid.state.levels[0] = 0.0;
    let empty = rewards(&grid, 0.5, [0.0, 0.0], -1.0);
    assert_eq!(empty, rewards(&grid, 0.5, [0.0, 0.0], 0.0));
    assert_eq!(empty[3], 0.0);
    grid.state.levels[0] = 10.0;
    assert_eq!(rewards(&grid, 0.5, [0.0, 0.0], 1.0)[3], 0.0);
}

#[test]
fn demand_follows_the_day_and_the_clock_starts_again() {
    let config = json!({"steps_per_day": 4, "demand_noise": 0.0, "renewable_noise": 0.0});
    let mut grid = SmartGrid::new(&from_value(config).unwrap()).unwrap();
    let mut rng = EnvRng::new(0, 0, 0, 0);
    grid.start(&mut rng);
    let balance = grid.state.outputs.iter().sum::<f64>() + 8.0 * grid.state.availability;
    assert_near(&[balance], &[18.0]);
    for expected in [3.6, 6.0, 8.4, 6.0, 3.6] {
        let before = grid.state.availability;
        grid.draw(&mut rng);
        assert_near(&grid.state.demands, &[expected; 3]);
        assert_near(&[grid.state.availability - 0.5], &[0.8 * (before - 0.5)]);
    }
    assert_eq!(grid.state.clock, 1);
}

#[test]
fn an_overfull_storage_is_no_start() {
    let mut grid = grid(json!({}));
    let mut state = grid.state.clone();
    state.levels[0] = 11.0;
    let error = grid.place(state).unwrap_err().to_string();
    assert_eq!(error, "start levels: expected 0 ≤ x ≤ 10, found 11");
}
