//! One instance as JSON: snapshot, inspection and `init` of the reset options.

use palaestra_plugin_api::prelude::*;

use crate::{batch::MatrixGame, game::refused, tables::Tables};

/// An instance. All members may be left out of `init`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", default, deny_unknown_fields)]
pub(crate) struct Saved {
    /// Joint actions of the latest rounds, oldest first.
    pub(crate) history: Vec<Vec<usize>>,
    /// Stage of each of those rounds; empty where there is but one stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) history_stages: Vec<usize>,
    /// Rounds until the end, the coming one included.
    pub(crate) rounds_left: Option<u32>,
    /// Stage of the coming round.
    pub(crate) stage: usize,
}

impl Saved {
    pub(crate) fn of<P>(games: &MatrixGame<P>, instance: usize, rounds_left: u32) -> Self {
        let rounds = (0..games.kept()).rev();
        let played = rounds.filter_map(|age| games.tables.joint_action(games.cells(instance, age)));
        let (stages, history) = played.unzip();
        Self {
            history,
            history_stages: if games.tables.stages > 1 {
                stages
            } else {
                Vec::new()
            },
            rounds_left: Some(rounds_left),
            stage: games.stage_of(instance),
        }
    }

    /// Cells of the rounds, the last one first.
    pub(crate) fn cells(&self, tables: &Tables, kept: usize) -> Result<Vec<Vec<u32>>> {
        if self.history.len() > kept {
            let expected = format!("at most {kept} rounds, those that are seen or the last");
            return Err(refused("/history", &expected, self.history.len()));
        }
        let stages = self
            .history_stages
            .iter()
            .chain(std::iter::once(&self.stage));
        if let Some(&wrong) = { stages }.find(|&&stage| stage >= tables.stages) {
            let expected = format!("a stage below {}", tables.stages);
            return Err(refused("/stage", &expected, wrong));
        }
        let round = |(i, joint): (usize, &Vec<usize>)| {
            let legal = joint
                .iter()
                .zip(&tables.counts)
                .all(|(action, count)| action < count);
            if joint.len() != tables.players || !legal {
                let expected = format!("one action of each player, below {:?}", tables.counts);
                let found = format!("{joint:?}");
                return Err(refused(&format!("/history/{i}"), &expected, found));
            }
            let stage = self.history_stages.get(i).copied().unwrap_or(0);
            Ok(tables.cells(joint, stage))
        };
        self.history.iter().enumerate().rev().map(round).collect()
    }
}
