//! What a step does.

use super::{ACTIONS, EMPTY, Foraging, LOAD, MOVES, OUTSIDE, Outcome, State};
use crate::board::{EAST, NORTH, Place, SOUTH, WEST, moved};

impl Foraging {
    /// Moves and loads; pays each player.
    #[inline(always)]
    pub(super) fn advance(
        &mut self,
        action_of: impl Fn(usize) -> usize,
        pay: impl FnMut(usize, f64),
    ) -> Outcome {
        let mut anybody_loads = false;
        for player in 0..self.state.players.len() {
            let place = self.state.players[player].place;
            let (mut target, mut load) = (place, 0);
            match action_of(player) {
                LOAD => load = self.food_beside(place),
                action => {
                    let to = moved(place, MOVES[action]);
                    if self.field[to] == EMPTY {
                        target = to;
                    }
                }
            }
            self.claims[target] += 1;
            self.targets[player] = target;
            self.loads[player] = load;
            anybody_loads |= load != 0;
        }
        for (player, &target) in self.state.players.iter_mut().zip(&self.targets) {
            if self.claims[target] == 1 {
                player.place = target;
            }
        }
        for &target in &self.targets {
            self.claims[target] = 0;
        }
        if anybody_loads {
            self.load(pay)
        } else {
            Outcome::default()
        }
    }

    /// Index + 1 of the food next to a cell; 0 for none.
    #[inline(always)]
    pub(super) fn food_beside(&self, place: Place) -> u16 {
        let food = |beside: Place| {
            Some(self.field[moved(place, beside)]).filter(|&f| f != EMPTY && f != OUTSIDE)
        };
        food(NORTH)
            .or_else(|| food(SOUTH))
            .or_else(|| food(WEST))
            .or_else(|| food(EAST))
            .unwrap_or(0)
    }

    /// All loads of this step at once: whoever loads a food stands still beside it.
    fn load(&mut self, mut pay: impl FnMut(usize, f64)) -> Outcome {
        let Self {
            config,
            state:
                State {
                    players,
                    foods,
                    food_spawned,
                },
            loads,
            strengths,
            field,
            layers,
            ..
        } = self;
        let loading = || loads.iter().enumerate().filter(|&(_, &food)| food != 0);
        for (player, &food) in loading() {
            strengths[usize::from(food) - 1] += players[player].level;
        }
        let mut outcome = Outcome::default();
        for (player, &food) in loading() {
            let (needed, given) = (
                foods[usize::from(food) - 1].level,
                strengths[usize::from(food) - 1],
            );
            if given < needed {
                pay(player, -config.penalty);
                outcome.failed += 1;
                continue;
            }
            let share = f64::from(players[player].level * needed);
            pay(
                player,
                if config.normalize_reward {
                    share / f64::from(given * *food_spawned)
                } else {
                    share
                },
            );
        }
        for (food, strength) in foods.iter_mut().zip(strengths) {
            if *strength > 0 && *strength >= food.level {
                food.level = 0;
                field[food.place] = EMPTY;
                if let Some(layers) = layers {
                    layers.remove_food(food.place);
                }
                outcome.loaded += 1;
            }
            *strength = 0;
        }
        outcome.finished = foods.iter().all(|food| food.level == 0);
        outcome
    }

    /// The valid actions of a player on a cell.
    pub(super) fn valid(&self, place: Place) -> Vec<usize> {
        (0..ACTIONS)
            .filter(|&action| self.is_valid(place, action))
            .collect()
    }

    #[inline(always)]
    pub(super) fn is_valid(&self, place: Place, action: usize) -> bool {
        match action {
            0 => true,
            LOAD => self.food_beside(place) != 0,
            _ => self.field[moved(place, MOVES[action])] == EMPTY,
        }
    }
}
