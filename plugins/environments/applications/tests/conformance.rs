//! Every environment keeps the contract, with its defaults and with settings that change its spaces.

use applications::{LinearTeam, MarketMaking, ResourceAllocation, SmartGrid, Swarm};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{Subject, assert_conformant, assert_conforms},
};

fn conforms<E: Environment>(config: Value) {
    assert_conforms(&Subject::of::<E>(config));
}

#[test]
fn resource_allocation() {
    assert_conformant::<ResourceAllocation>();
    conforms::<ResourceAllocation>(
        json!({"num_agents": 20, "utility": "linear", "reward": "nash"}),
    );
    conforms::<ResourceAllocation>(
        json!({"num_agents": 1, "utility": "satisfaction", "reward": "egalitarian"}),
    );
}

#[test]
fn linear_team() {
    assert_conformant::<LinearTeam>();
    conforms::<LinearTeam>(json!({"num_agents": 3, "reward": "competitive", "action_size": 1}));
    // It runs away and ends.
    conforms::<LinearTeam>(json!({"num_agents": 1, "decay": 1.3, "bound": 3.0}));
}

#[test]
fn smart_grid() {
    assert_conformant::<SmartGrid>();
    conforms::<SmartGrid>(json!({"num_producers": 5, "num_consumers": 8, "num_storages": 4}));
    conforms::<SmartGrid>(
        json!({"renewable_capacity": 0.0, "storage_power": 0.0, "energy_value": 0.1, "ramp": 1.0, "steps_per_day": 1}),
    );
}

#[test]
fn market_making() {
    assert_conformant::<MarketMaking>();
    conforms::<MarketMaking>(json!({
        "num_market_makers": 1, "num_arbitrageurs": 1, "num_trend_followers": 1, "num_noise_traders": 1,
        "price_levels": 10, "volatility": 5.0, "max_inventory": 3, "demand": 3, "session_steps": 7,
    }));
    conforms::<MarketMaking>(json!({
        "num_market_makers": 5, "max_offset": 1, "depth": 20, "reversion": 0.0, "maker_rebate": 0.05,
    }));
}

#[test]
fn swarm() {
    assert_conformant::<Swarm>();
    conforms::<Swarm>(json!({"task": "formation", "num_robots": 40, "failure_probability": 0.05}));
    conforms::<Swarm>(
        json!({"task": "search", "num_robots": 1, "num_targets": 1, "detection_range": 2.0}),
    );
}
