//! What an agent costs among many: where agents sense only what is near, a hundred of them should cost no more each
//! than ten do.

use crate::Result;
use crate::program::Program;

/// Agents of all instances together.
const AGENTS: usize = 10_000;

/// A world with ten agents and with a hundred, as many of them on the same space.
struct World {
    id: &'static str,
    /// Settings of both.
    common: &'static [&'static str],
    ten: &'static [&'static str],
    hundred: &'static [&'static str],
}

const WORLDS: &[World] = &[
    World {
        id: "grid/Foraging-v3",
        common: &["grid_observation=true", "sight=2"],
        ten: &["players=10", "field_size=[16, 16]", "max_num_food=5"],
        hundred: &["players=100", "field_size=[50, 50]", "max_num_food=50"],
    },
    World {
        id: "grid/Warehouse-v2",
        common: &[],
        ten: &["num_agents=10", "shelf_rows=2", "shelf_columns=5"],
        hundred: &["num_agents=100", "shelf_rows=7", "shelf_columns=15"],
    },
    World {
        id: "grid/TrafficJunction-v0",
        common: &["difficulty=hard"],
        ten: &["num_cars=10"],
        hundred: &["num_cars=100"],
    },
    World {
        id: "grid/PredatorPrey-v0",
        common: &["observation=local", "prey=flee"],
        ten: &["num_predators=10", "field_size=[10, 10]"],
        hundred: &["num_predators=100", "field_size=[32, 32]"],
    },
    World {
        id: "apps/Swarm-v0",
        common: &[],
        ten: &["num_robots=10", "size=10.0"],
        hundred: &["num_robots=100", "size=31.6"],
    },
    World {
        id: "apps/Swarm-v0",
        common: &["task=formation"],
        ten: &["num_robots=10", "size=10.0"],
        hundred: &["num_robots=100", "size=31.6"],
    },
    World {
        id: "apps/Swarm-v0",
        common: &["task=search"],
        ten: &["num_robots=10", "size=10.0", "num_targets=5"],
        hundred: &["num_robots=100", "size=31.6", "num_targets=50"],
    },
    World {
        id: "apps/Highway-v0",
        common: &[],
        ten: &["num_vehicles=10"],
        hundred: &["num_vehicles=100"],
    },
    World {
        id: "apps/Highway-v0",
        common: &["scenario=merge"],
        ten: &["num_vehicles=10"],
        hundred: &["num_vehicles=100"],
    },
    World {
        id: "apps/Highway-v0",
        common: &["scenario=platoon"],
        ten: &["num_vehicles=10"],
        hundred: &["num_vehicles=100"],
    },
];

/// The table, measured.
///
/// # Errors
/// A measurement that fails.
pub(super) fn section(program: &Program) -> Result<String> {
    let mut text = format!(
        "\n## An agent among many\n\nNanoseconds for a step of one agent, of ten and of a hundred as close together, \
         {AGENTS} agents in all, one thread. These are the worlds whose agents\nsense what is near; where everybody \
         sees everybody an observation grows with the number of agents, and so does its cost.\n\n\
         | environment | settings | of 10 [ns] | of 100 [ns] | ratio |\n|---|---|---|---|---|\n"
    );
    for world in WORLDS {
        eprintln!("measuring many agents of {}", world.id);
        let [ten, hundred] = [(10, world.ten), (100, world.hundred)]
            .map(|(agents, settings)| cost(program, world, agents, settings));
        let (ten, hundred) = (ten?, hundred?);
        text.push_str(&format!(
            "| `{}` | {} | {ten:.0} | {hundred:.0} | {:.2} |\n",
            world.id,
            world.common.join(", "),
            hundred / ten
        ));
    }
    Ok(text)
}

/// Nanoseconds for a step of one agent.
fn cost(program: &Program, world: &World, agents: usize, settings: &[&str]) -> Result<f64> {
    let instances = (AGENTS / agents).to_string();
    let mut arguments = vec!["bench", "environment", world.id, "--json"];
    arguments.extend(["--num-envs", &instances]);
    let settings = world.common.iter().chain(settings);
    arguments.extend(settings.flat_map(|setting| ["--set", setting]));
    let answer = program.ask(&arguments)?;
    let speed = answer["agent_steps_per_second"].as_f64();
    let speed = speed.ok_or_else(|| format!("{}: expected a speed, found {answer}", world.id))?;
    Ok(1e9 / speed)
}
