//! What players see.

use palaestra_plugin_api::prelude::{Observe, Space};

use super::{ACTIONS, Food, Foraging, Player};
use crate::board::{Board, Grid, Place};

/// Layers of the grid observation: players, food, where one could go.
const LAYERS: usize = 3;

/// The layers of the whole field, with a border as deep as players see.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    players: Grid<f32>,
    foods: Grid<f32>,
    free: Grid<f32>,
    /// Cells on which players are drawn.
    drawn: Vec<Place>,
}

impl Layers {
    pub(super) fn new(board: Board, sight: i32) -> Self {
        let grid = |inside| Grid::new(board, sight, inside, 0.0);
        Self {
            players: grid(0.0),
            foods: grid(0.0),
            free: grid(1.0),
            drawn: Vec::new(),
        }
    }

    /// A new episode: only food.
    pub(super) fn restart(&mut self, board: Board, foods: &[Food], players: usize) {
        self.players.fill(board, 0.0);
        self.foods.fill(board, 0.0);
        self.free.fill(board, 1.0);
        for food in foods.iter().filter(|food| food.level > 0) {
            self.foods[food.place] = food.level as f32;
            self.free[food.place] = 0.0;
        }
        self.drawn.clear();
        self.drawn.reserve(players);
    }

    pub(super) fn remove_food(&mut self, place: Place) {
        self.foods[place] = 0.0;
        self.free[place] = 1.0;
    }

    fn draw(&mut self, players: &[Player], levels: bool) {
        for place in self.drawn.drain(..) {
            self.players[place] = 0.0;
            self.free[place] = 1.0;
        }
        for player in players {
            self.players[player.place] = if levels { player.level as f32 } else { 1.0 };
            self.free[player.place] = 0.0;
            self.drawn.push(player.place);
        }
    }

    /// The windows of all layers around a cell, row after row.
    fn write(&self, [row, column]: Place, sight: i32, out: &mut [f32]) {
        let side = (2 * sight + 1) as usize;
        let windows =
            out.chunks_exact_mut(side * side)
                .zip([&self.players, &self.foods, &self.free]);
        for (window, layer) in windows {
            for (line, row) in window.chunks_exact_mut(side).zip(row - sight..) {
                line.copy_from_slice(layer.run([row, column - sight], side));
            }
        }
    }
}

impl Foraging {
    /// The highest level that food or a player may have.
    pub(super) fn max_level(&self) -> u32 {
        let config = &self.config;
        let three = config.players.min(3) as u32 * config.max_player_level;
        config
            .max_food_level
            .unwrap_or(three)
            .max(config.min_food_level)
            .max(config.max_player_level)
    }

    pub(super) fn space(&self) -> Space {
        let config = &self.config;
        let level = f64::from(self.max_level());
        if config.grid_observation {
            let side = (2 * self.sight + 1) as usize;
            return match Space::bounded(LAYERS * side * side, 0.0, level) {
                Space::Box {
                    low,
                    high,
                    element,
                    parts,
                    ..
                } => Space::Box {
                    shape: vec![LAYERS, side, side],
                    low,
                    high,
                    element,
                    parts,
                },
                other => other,
            };
        }
        let row = f64::from(self.board.rows - 1);
        let column = f64::from(self.board.columns - 1);
        let per_player = if config.observe_agent_levels { 3 } else { 2 };
        let mut low = [-1.0, -1.0, 0.0].repeat(config.max_num_food);
        let mut high = [row, column, level].repeat(config.max_num_food);
        low.extend([-1.0, -1.0, 0.0][..per_player].repeat(config.players));
        high.extend([row, column, level][..per_player].repeat(config.players));
        Space::bounds(&low, &high)
    }

    #[inline(always)]
    pub(super) fn observe(&mut self, out: &mut Observe<'_>) {
        if let Some(layers) = &mut self.layers {
            layers.draw(&self.state.players, self.config.observe_agent_levels);
            for (player, seer) in self.state.players.iter().enumerate() {
                layers.write(seer.place, self.sight, out.observation(player));
            }
        } else if self.config.observe_agent_levels {
            self.observe_lists::<3>(out);
        } else {
            self.observe_lists::<2>(out);
        }
        if self.config.action_mask {
            for player in 0..self.state.players.len() {
                let place = self.state.players[player].place;
                let mask = out.action_mask(player);
                for (action, allowed) in mask.iter_mut().enumerate().take(ACTIONS) {
                    *allowed = u8::from(self.is_valid(place, action));
                }
            }
        }
    }

    /// Lists of `[row, column, level]`; `N` of these numbers for players.
    #[inline(always)]
    fn observe_lists<const N: usize>(&self, out: &mut Observe<'_>) {
        let sight = self.sight;
        let (players, foods) = (&self.state.players, &self.state.foods);
        for (player, seer) in players.iter().enumerate() {
            // Top left corner of the window, cut off at the border.
            let corner = seer.place.map(|center| (center - sight).max(0));
            let observation = out.observation(player);
            let (food_part, player_part) = observation.split_at_mut(3 * self.config.max_num_food);
            let mut slots = food_part.chunks_exact_mut(3);
            let in_sight = |food: &&Food| {
                let [row, column] =
                    [0, 1].map(|axis| (food.place[axis] - seer.place[axis]).abs() <= sight);
                food.level > 0 && row && column
            };
            for (food, slot) in foods.iter().filter(in_sight).zip(&mut slots) {
                write(slot, food.place, corner, food.level);
            }
            slots.for_each(|slot| slot.copy_from_slice(&[-1.0, -1.0, 0.0]));
            let mut slots = player_part.chunks_exact_mut(N);
            if let Some(slot) = slots.next() {
                write(slot, seer.place, corner, seer.level);
            }
            let others = players[..player].iter().chain(&players[player + 1..]);
            let reach = 0..=2 * sight;
            let in_window = |other: &&Player| {
                reach.contains(&(other.place[0] - corner[0]))
                    && reach.contains(&(other.place[1] - corner[1]))
            };
            for other in others.filter(in_window) {
                if let Some(slot) = slots.next() {
                    write(slot, other.place, corner, other.level);
                }
            }
            slots.for_each(|slot| slot.copy_from_slice(&[-1.0, -1.0, 0.0][..N]));
        }
    }
}

#[inline(always)]
fn write(slot: &mut [f32], place: Place, corner: Place, level: u32) {
    slot[0] = (place[0] - corner[0]) as f32;
    slot[1] = (place[1] - corner[1]) as f32;
    if let Some(third) = slot.get_mut(2) {
        *third = level as f32;
    }
}
