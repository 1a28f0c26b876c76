//! Starts: drawn, injected, or taken from a snapshot.

use palaestra_plugin_api::{
    Result,
    prelude::{Deserialize, EnvRng},
    saved_as, serde,
};

use super::{EMPTY, Food, Foraging, ForagingConfig, Player, State};
use crate::{
    board::{Place, moved},
    state::{misplaced, require_count, require_on_board},
};

/// Tries at a cell before a player takes any free one and food is left out.
const ATTEMPTS: usize = 1000;

/// `init`: a start in place of a drawn one, `[row, column, level]` each.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(super) struct Init {
    players: Vec<(i32, i32, u32)>,
    foods: Vec<(i32, i32, u32)>,
}

impl From<Init> for State {
    fn from(init: Init) -> Self {
        let players = init.players.into_iter().map(|(row, column, level)| Player {
            place: [row, column],
            level,
        });
        let foods = init.foods.into_iter().map(|(row, column, level)| Food {
            place: [row, column],
            level,
        });
        let foods: Vec<Food> = foods.collect();
        // Too large a level is refused later; here it must not overflow.
        let food_spawned = foods
            .iter()
            .fold(0_u32, |sum, food| sum.saturating_add(food.level));
        Self {
            players: players.collect(),
            foods,
            food_spawned,
        }
    }
}

saved_as!(Foraging, ForagingConfig, State);

impl Foraging {
    /// Starts from a given state, after checking that it can be one.
    pub(super) fn place(&mut self, mut state: State) -> Result<()> {
        state.foods.sort_by_key(|food| food.place);
        self.check(&state)?;
        self.state = state;
        self.settle();
        Ok(())
    }

    fn check(&self, state: &State) -> Result<()> {
        require_count("players", self.config.players, state.players.len())?;
        if state.foods.len() > self.config.max_num_food {
            return Err(misplaced(
                "foods",
                format_args!("at most {}", self.config.max_num_food),
                state.foods.len(),
            ));
        }
        let most = self.max_level();
        for player in &state.players {
            require_on_board("players", self.board, player.place)?;
            if !(1..=most).contains(&player.level) {
                return Err(misplaced(
                    "players",
                    format_args!("a level of 1 to {most}"),
                    player.level,
                ));
            }
        }
        for (i, food) in state.foods.iter().enumerate() {
            require_on_board("foods", self.board, food.place)?;
            if food.level > most {
                return Err(misplaced(
                    "foods",
                    format_args!("a level of at most {most}"),
                    food.level,
                ));
            }
            let taken = food.level > 0
                && state
                    .players
                    .iter()
                    .any(|player| player.place == food.place);
            if taken || i > 0 && state.foods[i - 1].place == food.place {
                return Err(misplaced(
                    "foods",
                    "a cell of its own",
                    format_args!("{:?}", food.place),
                ));
            }
        }
        let highest = most.saturating_mul(state.foods.len() as u32);
        if state.food_spawned > highest {
            return Err(misplaced(
                "food_spawned",
                format_args!("at most {highest}"),
                state.food_spawned,
            ));
        }
        Ok(())
    }

    /// A drawn start: players on any cells, then food inside the border and apart from other food.
    pub(super) fn draw(&mut self, rng: &mut EnvRng) {
        let mut state = std::mem::take(&mut self.state);
        state.players.clear();
        state.foods.clear();
        for _ in 0..self.config.players {
            let place = self.draw_player_place(&state, rng);
            let level = between(
                rng,
                self.config.min_player_level,
                self.config.max_player_level,
            );
            state.players.push(Player { place, level });
        }
        let highest = self
            .config
            .max_food_level
            .unwrap_or_else(|| three_lowest(&state.players));
        let lowest = if self.config.force_coop {
            highest
        } else {
            self.config.min_food_level
        };
        let inside = |side: i32, rng: &mut EnvRng| 1 + rng.below(side as u64 - 2) as i32;
        for _ in 0..ATTEMPTS {
            if state.foods.len() == self.config.max_num_food {
                break;
            }
            let place = [
                inside(self.board.rows, rng),
                inside(self.board.columns, rng),
            ];
            if state.foods.iter().any(|food| too_near(food.place, place)) || is_taken(&state, place)
            {
                continue;
            }
            state.foods.push(Food {
                place,
                level: between(rng, lowest, highest),
            });
        }
        state.foods.sort_unstable_by_key(|food| food.place);
        state.food_spawned = state.foods.iter().map(|food| food.level).sum();
        self.state = state;
        self.settle();
    }

    fn draw_player_place(&self, state: &State, rng: &mut EnvRng) -> Place {
        let drawn = (0..ATTEMPTS)
            .map(|_| self.board.draw(rng))
            .find(|&place| !is_taken(state, place));
        let free = || self.board.places().find(|&place| !is_taken(state, place));
        // `new` has seen to it that there are more cells than players.
        drawn.or_else(free).unwrap_or_default()
    }

    /// Rebuilds what follows from the state.
    fn settle(&mut self) {
        self.field.fill(self.board, EMPTY);
        for (i, food) in self
            .state
            .foods
            .iter()
            .enumerate()
            .filter(|(_, food)| food.level > 0)
        {
            self.field[food.place] = i as u16 + 1;
        }
        if let Some(layers) = &mut self.layers {
            layers.restart(self.board, &self.state.foods, self.config.players);
        }
    }
}

/// Uniform over `low..=high`; `low` where that is empty (levels of players may be below `min_food_level`).
fn between(rng: &mut EnvRng, low: u32, high: u32) -> u32 {
    low + rng.below(u64::from(high.max(low) - low) + 1) as u32
}

/// The highest level of food: the sum of the three lowest levels of players.
fn three_lowest(players: &[Player]) -> u32 {
    let mut lowest = [u32::MAX; 3];
    for player in players {
        let last = &mut lowest[2];
        *last = player.level.min(*last);
        lowest.sort_unstable();
    }
    lowest.iter().filter(|&&level| level != u32::MAX).sum()
}

fn is_taken(state: &State, place: Place) -> bool {
    state.players.iter().any(|player| player.place == place)
}

/// Whether two foods would be neighbours, or two cells apart in a straight line.
fn too_near(a: Place, b: Place) -> bool {
    let [rows, columns] = moved(a, b.map(|x| -x)).map(i32::abs);
    rows.max(columns) <= 1 || rows + columns == 2 && rows * columns == 0
}
