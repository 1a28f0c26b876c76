//! The scripted baseline: teams that are strong enough go to the food they reach soonest, and load it together.

use palaestra_plugin_api::rng::EnvRng;

use super::{EMPTY, Food, Foraging, LOAD, MOVES};
use crate::{
    board::{EAST, Grid, NORTH, Place, SOUTH, WEST, moved},
    paths::{FAR, nearer, ways},
};

/// Probability of a step to any free cell where the way is blocked.
const STRAY: f64 = 0.5;

/// Players on their way to a food.
struct Team {
    food: Place,
    level: u32,
    members: Vec<usize>,
    /// Steps from every cell to a cell beside the food.
    ways: Grid<u32>,
}

impl Foraging {
    /// The action of every player.
    pub(super) fn script(&self, rng: &mut EnvRng) -> Vec<usize> {
        let players = &self.state.players;
        let mut actions = vec![0; players.len()];
        // Cells that are spoken for: where players are, and where those who chose before go.
        let mut taken: Vec<Place> = players.iter().map(|player| player.place).collect();
        for team in self.teams() {
            let beside = |player: &usize| team.ways[players[*player].place] == 0;
            let strength: u32 = team
                .members
                .iter()
                .filter(|player| beside(player))
                .map(|&player| players[player].level)
                .sum();
            for player in team.members.iter().copied() {
                let place = players[player].place;
                if beside(&player) {
                    // Another food beside the same cell may come first.
                    let loads = self.field[team.food] == self.food_beside(place);
                    actions[player] = if strength >= team.level && loads {
                        LOAD
                    } else {
                        0
                    };
                    continue;
                }
                let free = |to: Place| self.field[to] == EMPTY && !taken.contains(&to);
                let around = self.ways_to(team.food, |to| free(to) || to == place);
                let step = nearer(&around, place, &MOVES, free).or_else(|| {
                    let step = 1 + rng.below(MOVES.len() as u64 - 1) as usize;
                    (rng.bernoulli(STRAY) && free(moved(place, MOVES[step]))).then_some(step)
                });
                if let Some(step) = step {
                    actions[player] = step;
                    taken.push(moved(place, MOVES[step]));
                }
            }
        }
        actions
    }

    /// Teams for the foods that are left, as far as players suffice: the soonest first.
    fn teams(&self) -> Vec<Team> {
        let players = &self.state.players;
        let left = self.state.foods.iter().filter(|food| food.level > 0);
        let mut left: Vec<(&Food, Grid<u32>)> = left
            .map(|food| (food, self.ways_to(food.place, |to| self.field[to] == EMPTY)))
            .collect();
        let mut idle: Vec<usize> = (0..players.len()).collect();
        let mut teams = Vec::new();
        loop {
            let team = |(index, (food, ways)): (usize, &(&Food, Grid<u32>))| {
                let way = |player: usize| ways[players[player].place];
                let mut nearest = idle.clone();
                nearest.sort_by_key(|&player| way(player));
                let mut strength = 0;
                let enough = nearest.iter().position(|&player| {
                    strength += players[player].level;
                    strength >= food.level
                })?;
                let latest = way(nearest[enough]);
                nearest.truncate(enough + 1);
                (latest != FAR).then_some((latest, index, nearest))
            };
            let best = left.iter().enumerate().filter_map(team);
            let Some((_, index, members)) = best.min_by_key(|team| team.0) else {
                return teams;
            };
            let (food, ways) = left.remove(index);
            idle.retain(|player| !members.contains(player));
            teams.push(Team {
                food: food.place,
                level: food.level,
                members,
                ways,
            });
        }
    }

    /// Steps from every cell to one beside a food.
    fn ways_to(&self, food: Place, open: impl Fn(Place) -> bool) -> Grid<u32> {
        let beside = [NORTH, SOUTH, WEST, EAST].map(|side| moved(food, side));
        let goals = beside
            .into_iter()
            .filter(|&place| self.board.contains(place) && open(place));
        ways(self.board, goals, &open)
    }
}
