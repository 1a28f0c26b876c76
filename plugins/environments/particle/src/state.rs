//! One world as JSON: what `inspect` and snapshots show, and what a start may prescribe.

use palaestra_plugin_api::{
    prelude::{Deserialize, Error, Result, Serialize},
    serde,
    serde_json::{self, Value},
};

use crate::{
    batch::invalid,
    task::Scenario,
    world::{Layout, View},
};

/// One world, with the names of the reference traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub struct State {
    /// Where the agents are.
    pub(crate) pos: Vec<[f64; 2]>,
    /// How fast they move.
    pub(crate) vel: Vec<[f64; 2]>,
    /// Where the landmarks are.
    pub(crate) landmark_pos: Vec<[f64; 2]>,
    /// What each agent said last, zeros of the silent; none where nobody speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) comm: Vec<Vec<f64>>,
    /// Indices drawn for the episode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) goals: Vec<usize>,
}

/// A prescribed start: `init` of the reset options. What is left out is drawn, velocities are 0.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(crate = "serde", default, deny_unknown_fields)]
pub(crate) struct Init {
    /// Where the agents start.
    agent_pos: Option<Vec<[f64; 2]>>,
    /// How fast they start.
    agent_vel: Option<Vec<[f64; 2]>>,
    /// Where the landmarks are.
    landmark_pos: Option<Vec<[f64; 2]>>,
    /// The one index of the episode.
    goal: Option<usize>,
    /// The indices of the episode.
    goals: Option<Vec<usize>>,
}

impl State {
    /// Reads one world.
    pub(crate) fn read(scenario: &Scenario, layout: &Layout, world: View<'_, 1>) -> Self {
        let value = |pair: [&[f64; 1]; 2]| [pair[0][0], pair[1][0]];
        let symbols = scenario.symbols();
        let message = |agent: usize| {
            let mut row: Vec<_> = world
                .message(agent)
                .iter()
                .map(|column| column[0])
                .collect();
            row.resize(symbols, 0.0);
            row
        };
        Self {
            pos: (0..layout.agents)
                .map(|a| value(world.position(a)))
                .collect(),
            vel: (0..layout.agents)
                .map(|a| value(world.velocity(a)))
                .collect(),
            landmark_pos: (0..layout.landmarks)
                .map(|m| value(world.landmark(m)))
                .collect(),
            comm: if symbols > 0 {
                (0..layout.agents).map(message).collect()
            } else {
                Vec::new()
            },
            goals: (0..layout.goals)
                .map(|g| world.goal(g)[0] as usize)
                .collect(),
        }
    }

    /// The world as JSON.
    pub(crate) fn to_json(&self) -> Value {
        // Numbers, lists and string keys: nothing that JSON could refuse.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// A world from JSON.
    pub(crate) fn from_json(value: &Value) -> Result<Self> {
        Self::deserialize(value).map_err(|e| Error::config(format!("snapshot: {e}")))
    }

    /// Writes the world into columns, after checking that it is one of this scenario.
    pub(crate) fn write(
        &self,
        scenario: &Scenario,
        layout: &Layout,
        columns: &mut [[f64; 1]],
    ) -> Result<()> {
        columns.fill([0.0]);
        put_places("snapshot /pos", &self.pos, layout.agents, columns, |a| {
            layout.agent(a)
        })?;
        put_places("snapshot /vel", &self.vel, layout.agents, columns, |a| {
            layout.agent(a) + 2
        })?;
        put_places(
            "snapshot /landmark_pos",
            &self.landmark_pos,
            layout.landmarks,
            columns,
            |m| layout.landmark(m),
        )?;
        put_goals("snapshot /goals", &self.goals, scenario, layout, columns)?;
        let symbols = scenario.symbols();
        let speakers = if symbols > 0 { layout.agents } else { 0 };
        if self.comm.len() != speakers || self.comm.iter().any(|row| row.len() != symbols) {
            let expected = format!("{speakers} rows of {symbols} numbers");
            return Err(invalid("snapshot /comm", expected, self.comm.len()));
        }
        for (agent, message) in self.comm.iter().enumerate() {
            for (column, value) in columns[layout.message(agent)].iter_mut().zip(message) {
                *column = [*value];
            }
        }
        Ok(())
    }
}

impl Init {
    /// Overwrites what was drawn.
    pub(crate) fn write(
        &self,
        scenario: &Scenario,
        layout: &Layout,
        columns: &mut [[f64; 1]],
    ) -> Result<()> {
        if let Some(places) = &self.agent_pos {
            put_places("init /agent_pos", places, layout.agents, columns, |a| {
                layout.agent(a)
            })?;
        }
        if let Some(velocities) = &self.agent_vel {
            put_places("init /agent_vel", velocities, layout.agents, columns, |a| {
                layout.agent(a) + 2
            })?;
        }
        if let Some(places) = &self.landmark_pos {
            put_places(
                "init /landmark_pos",
                places,
                layout.landmarks,
                columns,
                |m| layout.landmark(m),
            )?;
        }
        if let Some(goal) = self.goal {
            put_goals("init /goal", &[goal], scenario, layout, columns)?;
        }
        if let Some(goals) = &self.goals {
            put_goals("init /goals", goals, scenario, layout, columns)?;
        }
        Ok(())
    }
}

fn put_places(
    what: &str,
    places: &[[f64; 2]],
    count: usize,
    columns: &mut [[f64; 1]],
    column: impl Fn(usize) -> usize,
) -> Result<()> {
    if places.len() != count {
        return Err(invalid(what, format!("{count} pairs"), places.len()));
    }
    for (i, &[x, y]) in places.iter().enumerate() {
        columns[column(i)] = [x];
        columns[column(i) + 1] = [y];
    }
    Ok(())
}

fn put_goals(
    what: &str,
    goals: &[usize],
    scenario: &Scenario,
    layout: &Layout,
    columns: &mut [[f64; 1]],
) -> Result<()> {
    if goals.len() != scenario.goals.len() {
        return Err(invalid(
            what,
            format!("{} indices", scenario.goals.len()),
            goals.len(),
        ));
    }
    for (g, (&index, goal)) in goals.iter().zip(&scenario.goals).enumerate() {
        if index >= goal.choices {
            return Err(invalid(
                what,
                format!("an index below {}", goal.choices),
                index,
            ));
        }
        columns[layout.goal(g)] = [index as f64];
    }
    Ok(())
}
