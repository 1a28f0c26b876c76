//! How a game starts: its cards in order, who begins, and moves that have been made. A snapshot is the same.

use palaestra_plugin_api::{config::Config, prelude::*};

use super::{Hanabi, HanabiConfig, rules::MOST_KINDS};

/// A table as it is written: all follows from the order of the cards and the moves.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
pub(super) struct Saved {
    config: HanabiConfig,
    /// All cards in the order in which they are dealt.
    deck: Vec<String>,
    first_player: usize,
    choices: Vec<usize>,
}

/// `init` of the reset options.
#[derive(Default, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", default, deny_unknown_fields)]
pub(super) struct Init {
    /// The first cards in the order in which they are dealt.
    deck: Vec<String>,
    first_player: usize,
    choices: Vec<usize>,
}

impl From<Hanabi> for Saved {
    fn from(game: Hanabi) -> Self {
        let deck = game.position.deck(&game.rules).iter();
        Self {
            deck: deck
                .map(|&kind| game.rules.name(usize::from(kind)))
                .collect(),
            first_player: game.first_player,
            choices: game.choices.iter().map(|&c| usize::from(c)).collect(),
            config: game.config,
        }
    }
}

impl TryFrom<Saved> for Hanabi {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        saved.config.validate().map_err(Error::config)?;
        let mut game = Self::new(&saved.config)?;
        if saved.deck.len() != game.rules.cards() {
            return Err(Error::config(format!(
                "deck: expected all {} cards, found {}",
                game.rules.cards(),
                saved.deck.len()
            )));
        }
        game.stack(&saved.deck)?;
        game.replay(saved.first_player, &saved.choices)?;
        Ok(game)
    }
}

impl Hanabi {
    /// Starts a game as told, or with shuffled cards.
    pub(super) fn start(&mut self, rng: &mut EnvRng, init: Option<Init>) -> Result<()> {
        let Some(init) = init else {
            self.stack(&[])?;
            rng.shuffle(self.position.deck_mut(&self.rules));
            let first_player = if self.config.random_first_player {
                rng.below(self.rules.players as u64) as usize
            } else {
                0
            };
            return self.replay(first_player, &[]);
        };
        let given = self.stack(&init.deck)?;
        rng.shuffle(&mut self.position.deck_mut(&self.rules)[given..]);
        self.replay(init.first_player, &init.choices)?;
        if self.position.end(&self.rules).is_none() {
            return Ok(());
        }
        Err(Error::config(format!(
            "choices: expected a game that is not over, found {:?}",
            init.choices
        )))
    }

    /// Lays these cards onto the deck, and the others below them in order; how many there are.
    pub(super) fn stack(&mut self, names: &[String]) -> Result<usize> {
        let rules = self.rules;
        let mut left = [0; MOST_KINDS];
        (0..rules.kinds()).for_each(|kind| left[kind] = rules.copies(rules.rank(kind)));
        let deck = self.position.deck_mut(&rules);
        for (at, name) in names.iter().enumerate() {
            let found = rules.named(name).filter(|&kind| left[kind] > 0);
            let kind = found.ok_or_else(|| {
                Error::config(format!(
                    "deck: expected a card that is left at index {at}, found {name:?}"
                ))
            })?;
            left[kind] -= 1;
            deck[at] = kind as u8;
        }
        let rest = (0..rules.kinds()).flat_map(|kind| std::iter::repeat_n(kind as u8, left[kind]));
        for (to, kind) in deck[names.len()..].iter_mut().zip(rest) {
            *to = kind;
        }
        Ok(names.len())
    }

    /// Deals from the deck and makes the moves.
    pub(super) fn replay(&mut self, first_player: usize, choices: &[usize]) -> Result<()> {
        let rules = self.rules;
        if first_player >= rules.players {
            return Err(Error::config(format!(
                "first_player: expected below {}, found {first_player}",
                rules.players
            )));
        }
        self.first_player = first_player;
        self.position.begin(&rules, first_player);
        self.choices.clear();
        for (at, &choice) in choices.iter().enumerate() {
            let over = self.position.end(&rules).is_some();
            if over || choice >= rules.choices() || !self.position.is_legal(&rules, choice) {
                return Err(Error::config(format!(
                    "choices: expected a legal move at index {at}, found {choice}"
                )));
            }
            self.position.play(&rules, choice);
            self.choices.push(choice as u8);
        }
        Ok(())
    }
}
