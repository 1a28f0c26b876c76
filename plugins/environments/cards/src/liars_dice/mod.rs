//! Liar's dice: everybody rolls under a cup, bids on all dice, and challenges a bid it does not believe.
//!
//! One round of the common-hand game, as in OpenSpiel 2.0.2 (`liars_dice`, whose games for two players are replayed by
//! `trace_of_liars_dice`), for any number of players.
//!
//! Every player rolls its dice and alone sees them. Beginning with player 0, players in turn bid a quantity and a
//! face, claiming that among the dice of *all* players at least so many show that face; a bid must raise the
//! quantity, or name a higher face at the same quantity. Instead of bidding, a player may challenge the last bid:
//! the dice are shown, and if the claim holds the bidder wins and the challenger loses, else the other way round.
//! With `wild`, dice of the highest face count as every face.
//!
//! | observation (n players, f faces, d dice in all) | meaning | range |
//! |---|---|---|
//! | 0 to n - 1 | the observing player, one-hot | 0, 1 |
//! | next f | share of own dice that show each face | 0 to 1 |
//! | next d·f | for each bid whether it was made, in the order of choices | 0, 1 |
//! | last | whether the last bid was challenged | 0, 1 |
//!
//! Bids only rise and turns rotate, so the bids that were made tell the whole history.
//!
//! | action | meaning | legal |
//! |---|---|---|
//! | (q - 1)·f + face - 1 | bid q dice of a face, 1 ≤ q ≤ d | above the last bid |
//! | d·f | challenge | after a bid |
//!
//! The acting mask names whose turn it is; the mask of those who wait has only choice 0, which is ignored.
//!
//! | | when |
//! |---|---|
//! | reward | at the end +1 for the winner, -1 for the loser, 0 for the others |
//! | terminated | after a challenge |
//! | truncated | never |
//!
//! Metrics: `first_player_wins`, `bid_held` (the challenged bid was true), `moves`. `init` of the reset options sets
//! the dice: `{"dice": [[3], [5]]}`. Game tree: all dice, player by player, as faces 0 to f - 1, then the choices; with
//! two dice of six faces 147,420 terminal histories and 24,576 information states. The scripted baseline says what is
//! most likely true, given its own dice.

mod bidding;
mod picture;
mod strategy;
mod tree;

use palaestra_plugin_api::{
    config::Config,
    game_tree::GameNode,
    prelude::*,
    serde_json::{Value, json},
    trace::{self, TraceCase},
};

use crate::turns;
use bidding::{Bidding, Rules};

/// Metrics, in order.
const FIRST_PLAYER_WINS: usize = 0;
const BID_HELD: usize = 1;
const MOVES: usize = 2;
/// The choice of those who wait.
const WAIT: usize = 0;

/// Settings of liar's dice.
#[palaestra_plugin_api::config]
pub struct LiarsDiceConfig {
    /// Number of players.
    #[config(default = 2, range = 2..=6)]
    pub players: usize,
    /// Dice of each player.
    #[config(default = 1, range = 1..=5)]
    pub dice: usize,
    /// Faces of a die.
    #[config(default = 6, range = 2..=6)]
    pub faces: usize,
    /// Whether dice of the highest face count as every face.
    #[config(default = true)]
    pub wild: bool,
}

/// One table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Saved",
    into = "Saved"
)]
pub struct LiarsDice {
    config: LiarsDiceConfig,
    rules: Rules,
    /// Dice of each player by face: `counts[player · faces + face]`.
    counts: Vec<usize>,
    bidding: Bidding,
}

/// A table as it is written.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Saved {
    config: LiarsDiceConfig,
    dice: Vec<Vec<usize>>,
    choices: Vec<usize>,
}

/// `init` of the reset options: the faces, 1 upwards, of each player's dice.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    dice: Vec<Vec<usize>>,
}

impl From<LiarsDice> for Saved {
    fn from(game: LiarsDice) -> Self {
        Self {
            dice: game.dice(),
            choices: game.bidding.choices(),
            config: game.config,
        }
    }
}

impl TryFrom<Saved> for LiarsDice {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        saved.config.validate().map_err(Error::config)?;
        let mut game = Self::new(&saved.config)?;
        game.set_dice(&saved.dice)?;
        for &choice in &saved.choices {
            if game.bidding.challenged() || !game.bidding.is_legal(&game.rules, choice) {
                return Err(Error::config(format!(
                    "choices: expected rising bids, found {:?}",
                    saved.choices
                )));
            }
            game.bidding.push(&game.rules, choice);
        }
        Ok(game)
    }
}

impl Environment for LiarsDice {
    const ID: &'static str = "cards/LiarsDice-v0";
    const DESCRIPTION: &'static str =
        "Players bid on everybody's hidden dice until one is challenged";
    const TRACES: &'static [&'static str] = &["Liar's dice"];
    type Config = LiarsDiceConfig;

    fn spec(config: &LiarsDiceConfig) -> Result<EnvironmentSpec> {
        let rules = Rules::of(config);
        let width = rules.players + rules.faces + rules.bids() + 1;
        let mut spec = EnvironmentSpec::new(
            "players",
            rules.players,
            Space::bounded(width, 0.0, 1.0),
            Space::discrete(rules.choices()),
        );
        spec.groups[0].has_action_mask = true;
        spec.reward_range = (Some(-1.0), Some(1.0));
        spec.metrics = vec![
            Metric::last("first_player_wins"),
            Metric::last("bid_held"),
            Metric::sum("moves"),
        ];
        spec.flags.turn_based = true;
        spec.flags.game_tree = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Competitive, Tag::TurnBased];
        Ok(spec)
    }

    fn new(config: &LiarsDiceConfig) -> Result<Self> {
        let rules = Rules::of(config);
        let mut counts = vec![0; rules.players * rules.faces];
        counts
            .iter_mut()
            .step_by(rules.faces)
            .for_each(|ones| *ones = rules.dice);
        Ok(Self {
            config: config.clone(),
            counts,
            bidding: Bidding::new(&rules),
            rules,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init::<Init>()? {
            Some(init) => self.set_dice(&init.dice)?,
            None => self.roll(rng),
        }
        self.bidding.clear();
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let choice = actions.discrete(self.bidding.player(&self.rules));
        self.bidding.push(&self.rules, choice);
        out.metric(MOVES, 1.0);
        if let Some((winner, loser)) = self.ends() {
            out.reward(winner, 1.0);
            out.reward(loser, -1.0);
            out.metric(FIRST_PLAYER_WINS, f64::from(u8::from(winner == 0)));
            let held = winner == self.bidding.bidder(&self.rules);
            out.metric(BID_HELD, f64::from(u8::from(held)));
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let acting = !self.bidding.challenged();
        let legal = |choice: &usize| acting && self.bidding.is_legal(&self.rules, *choice);
        json!({
            "dice": self.dice(),
            "choices": self.bidding.choices(),
            "player": acting.then(|| self.bidding.player(&self.rules)),
            "legal": (0..self.rules.choices()).filter(legal).collect::<Vec<_>>(),
        })
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let player = self.bidding.player(&self.rules);
        let choice = strategy::choose(&self.rules, &self.bidding, self.own(player));
        Ok(turns::joint(self.rules.players, player, choice, WAIT))
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        tree::node(&self.rules, history)
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::standard_cases(document, |case| case["config"].clone(), Self::spec)
    }
}

impl LiarsDice {
    fn roll(&mut self, rng: &mut EnvRng) {
        self.counts.fill(0);
        for player in 0..self.rules.players {
            for _ in 0..self.rules.dice {
                let face = rng.below(self.rules.faces as u64) as usize;
                self.counts[player * self.rules.faces + face] += 1;
            }
        }
    }

    fn set_dice(&mut self, dice: &[Vec<usize>]) -> Result<()> {
        let Rules {
            players,
            dice: each,
            faces,
            ..
        } = self.rules;
        let fits = |own: &Vec<usize>| {
            own.len() == each && own.iter().all(|face| (1..=faces).contains(face))
        };
        if dice.len() != players || !dice.iter().all(fits) {
            return Err(Error::config(format!(
                "dice: expected {each} faces of 1 to {faces} for each of {players} players, found {dice:?}"
            )));
        }
        self.counts.fill(0);
        for (player, own) in dice.iter().enumerate() {
            own.iter()
                .for_each(|face| self.counts[player * faces + face - 1] += 1);
        }
        Ok(())
    }

    fn own(&self, player: usize) -> &[usize] {
        &self.counts[player * self.rules.faces..][..self.rules.faces]
    }

    /// The faces, 1 upwards, of every player's dice, in order.
    fn dice(&self) -> Vec<Vec<usize>> {
        let faces = |player| {
            let sorted = self.own(player).iter().enumerate();
            sorted
                .flat_map(|(face, &count)| std::iter::repeat_n(face + 1, count))
                .collect()
        };
        (0..self.rules.players).map(faces).collect()
    }

    /// Winner and loser after a challenge.
    fn ends(&self) -> Option<(usize, usize)> {
        self.bidding.ends(&self.rules, |face| {
            (0..self.rules.players)
                .map(|player| self.own(player)[face])
                .sum()
        })
    }

    /// Whether a die with this face, from 0, is one of those that the last bid counts.
    fn counts_for_the_bid(&self, face: usize) -> bool {
        let bid = self.bidding.highest();
        bid.is_some_and(|bid| self.rules.counts(bid, face))
    }

    /// Writes everybody's observation, the masks, and whose turn it is.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let Rules {
            players,
            dice,
            faces,
            ..
        } = self.rules;
        for player in 0..players {
            let row = out.observation(player);
            row.fill(0.0);
            row[player] = 1.0;
            let (own, public) = row[players..].split_at_mut(faces);
            for (share, &count) in own.iter_mut().zip(self.own(player)) {
                *share = count as f32 / dice as f32;
            }
            for (seen, &made) in public.iter_mut().zip(self.bidding.made()) {
                *seen = f32::from(u8::from(made));
            }
        }
        if !self.bidding.challenged() {
            let player = self.bidding.player(&self.rules);
            turns::give_turn(out, players, player, WAIT, |choice| {
                self.bidding.is_legal(&self.rules, choice)
            });
        }
    }
}

#[cfg(test)]
mod tests;
