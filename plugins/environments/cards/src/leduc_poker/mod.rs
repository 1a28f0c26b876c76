//! Leduc poker: six cards, two rounds of betting and a public card in between.
//!
//! Source: Southey et al., "Bayes' bluff: opponent modelling in poker" (2005); rules and card numbers as in
//! OpenSpiel 2.0.2 (`leduc_poker`), whose games are replayed (`trace_of_leduc_poker`).
//!
//! Both players ante a chip and get one of two Jacks, two Queens and two Kings (cards 0 to 5, rank `card / 2`). In
//! each of two rounds they act in turn, beginning with player 0, until a bet is called or both check; a round has at
//! most two raises, of 2 chips in the first and 4 in the second. Between the rounds a public card is turned. At the
//! showdown a pair with the public card wins, else the higher rank; equal ranks share the pot.
//!
//! | observation | meaning |
//! |---|---|
//! | 0, 1 | the observing player, one-hot |
//! | 2 to 7 | own card, one-hot |
//! | 8 to 13 | public card, one-hot; zeros in the first round |
//! | 14 to 29 | call or raise, one-hot, for each of up to four actions of each of two rounds |
//!
//! Both players always observe: own card, public card and public history (the tensor of the information state).
//!
//! | action | meaning | legal |
//! |---|---|---|
//! | 0 | fold | after a raise that is not called |
//! | 1 | call, or check | always |
//! | 2 | raise | after fewer than two raises in the round |
//!
//! The acting mask names whose turn it is; the waiting player's mask has only the call, which is ignored.
//!
//! | | when |
//! |---|---|
//! | reward | at the end what is won or lost, in chips: at most ±13 |
//! | terminated | at the showdown or a fold, after two to eight steps |
//! | truncated | never |
//!
//! The value to player 0 is -0.0856064. Metrics: `first_player_wins`, `draw`, `moves`, `raises`, `showdown`.
//! `init` of the reset options deals: `{"cards": [a, b, public]}`. Game tree: the two cards, the actions of the first
//! round, the public card, the actions of the second; 5520 terminal histories, 936 information states. The scripted
//! baseline raises Kings and pairs, folds what is likely beaten, and bluffs at times.

mod betting;
mod picture;
mod strategy;
mod tree;

use palaestra_plugin_api::{
    game_tree::GameNode,
    prelude::*,
    serde_json::{Value, json},
    trace::{self, TraceCase},
};

use crate::turns;
use betting::{Betting, CALL, CHOICES, LONGEST, Outcome, RAISE, ROUNDS};

/// Cards of the deck: two of each rank.
const CARDS: usize = 6;
const PLAYERS: usize = 2;
/// Cards of a game: one for each player and a public one.
const DEALT: usize = PLAYERS + 1;
/// Observation: where the cards and the betting begin.
const OWN_AT: usize = PLAYERS;
const PUBLIC_AT: usize = OWN_AT + CARDS;
const BETTING_AT: usize = PUBLIC_AT + CARDS;
const OBSERVATION: usize = BETTING_AT + 2 * ROUNDS * LONGEST;
/// Metrics, in order.
const FIRST_PLAYER_WINS: usize = 0;
const DRAW: usize = 1;
const MOVES: usize = 2;
const RAISES: usize = 3;
const SHOWDOWN: usize = 4;

/// Settings of Leduc poker.
#[palaestra_plugin_api::config]
pub struct LeducPokerConfig {
    /// Chips that each player pays to be dealt a card.
    #[config(default = 1.0, range = 0.0..=1000.0)]
    pub ante: f64,
    /// Chips of a raise in the first round.
    #[config(default = 2.0, range = 0.0..=1000.0)]
    pub first_raise: f64,
    /// Chips of a raise in the second round.
    #[config(default = 4.0, range = 0.0..=1000.0)]
    pub second_raise: f64,
}

/// One table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct LeducPoker {
    config: LeducPokerConfig,
    deal: Deal,
    betting: Betting,
}

/// Cards of player 0, of player 1, and the public one: different ones. Also `init` of the reset options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Dealt",
    into = "Dealt"
)]
struct Deal {
    cards: [usize; DEALT],
}

/// A deal as it is written.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Dealt {
    cards: [usize; DEALT],
}

impl TryFrom<Dealt> for Deal {
    type Error = String;

    fn try_from(Dealt { cards }: Dealt) -> std::result::Result<Self, String> {
        let [a, b, public] = cards;
        if cards.iter().all(|&card| card < CARDS) && a != b && a != public && b != public {
            return Ok(Self { cards });
        }
        Err(format!(
            "cards: expected three different ones of 0 to 5, found {cards:?}"
        ))
    }
}

impl From<Deal> for Dealt {
    fn from(deal: Deal) -> Self {
        Self { cards: deal.cards }
    }
}

impl Deal {
    fn draw(rng: &mut EnvRng) -> Self {
        let mut deck = [0, 1, 2, 3, 4, 5];
        for i in 0..DEALT {
            deck.swap(i, i + rng.below((CARDS - i) as u64) as usize);
        }
        let [a, b, public, ..] = deck;
        Self {
            cards: [a, b, public],
        }
    }

    /// Who wins the showdown; nobody with equal ranks.
    fn winner(self) -> Option<usize> {
        let [a, b, public] = self.cards.map(|card| card / 2);
        let strength = |rank: usize| if rank == public { CARDS } else { rank };
        match strength(a).cmp(&strength(b)) {
            std::cmp::Ordering::Greater => Some(0),
            std::cmp::Ordering::Less => Some(1),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl Environment for LeducPoker {
    const ID: &'static str = "cards/LeducPoker-v0";
    const DESCRIPTION: &'static str =
        "Two players, six cards, two rounds of betting around a public card";
    const TRACES: &'static [&'static str] = &["Leduc poker (2 players)"];
    type Config = LeducPokerConfig;

    fn spec(config: &LeducPokerConfig) -> Result<EnvironmentSpec> {
        let observation = Space::bounded(OBSERVATION, 0.0, 1.0);
        let action = Space::discrete(CHOICES);
        let mut spec = EnvironmentSpec::new("players", PLAYERS, observation, action);
        spec.groups[0].has_action_mask = true;
        let most = config.ante + 2.0 * (config.first_raise + config.second_raise);
        spec.reward_range = (Some(-most), Some(most));
        spec.metrics = vec![
            Metric::last("first_player_wins"),
            Metric::last("draw"),
            Metric::sum("moves"),
            Metric::sum("raises"),
            Metric::last("showdown"),
        ];
        spec.flags.turn_based = true;
        spec.flags.game_tree = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Competitive, Tag::TurnBased];
        Ok(spec)
    }

    fn new(config: &LeducPokerConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            deal: Deal { cards: [0, 2, 4] },
            betting: Betting::default(),
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.deal = match options.init()? {
            Some(deal) => deal,
            None => Deal::draw(rng),
        };
        self.betting = Betting::default();
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let action = actions.discrete(self.betting.player()) as u8;
        self.betting.push(action);
        out.metric(MOVES, 1.0);
        out.metric(RAISES, f64::from(u8::from(action == RAISE)));
        if let Some(outcome) = self.betting.outcome() {
            let won = returns(&self.config, self.deal, &self.betting, outcome);
            (0..PLAYERS).for_each(|player| out.reward(player, won[player]));
            let flag = |is: bool| f64::from(u8::from(is));
            out.metric(
                FIRST_PLAYER_WINS,
                flag(winner(self.deal, outcome) == Some(0)),
            );
            out.metric(DRAW, flag(winner(self.deal, outcome).is_none()));
            out.metric(SHOWDOWN, flag(outcome == Outcome::Showdown));
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let acting = self.betting.outcome().is_none();
        let legal = (0..CHOICES).filter(|&choice| self.betting.is_legal(choice as u8));
        let known = [0, 1].map(|player| information_state(self.deal, &self.betting, player));
        json!({
            "cards": self.deal.cards,
            "betting": self.betting.actions(),
            "round": self.betting.round(),
            "player": acting.then(|| self.betting.player()),
            "legal": legal.collect::<Vec<_>>(),
            "paid": paid(&self.config, &self.betting),
            "information_state": known,
        })
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let action = strategy::choose(self.deal, &self.betting, rng);
        let [choice, wait] = [action, CALL].map(usize::from);
        Ok(turns::joint(PLAYERS, self.betting.player(), choice, wait))
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        tree::node(&self.config, history)
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::standard_cases(document, |case| case["config"].clone(), Self::spec)
    }
}

impl LeducPoker {
    /// Writes both observations, the masks, and whose turn it is.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        for player in 0..PLAYERS {
            let row = out.observation(player);
            row.fill(0.0);
            row[player] = 1.0;
            row[OWN_AT + self.deal.cards[player]] = 1.0;
            if self.betting.round() > 0 {
                row[PUBLIC_AT + self.deal.cards[PLAYERS]] = 1.0;
            }
            for round in 0..ROUNDS {
                for (i, &action) in self.betting.actions_of(round).iter().enumerate() {
                    if action >= CALL {
                        let at = BETTING_AT + 2 * (round * LONGEST + i);
                        row[at + usize::from(action - CALL)] = 1.0;
                    }
                }
            }
        }
        if self.betting.outcome().is_none() {
            let player = self.betting.player();
            turns::give_turn(out, PLAYERS, player, usize::from(CALL), |choice| {
                self.betting.is_legal(choice as u8)
            });
        }
    }
}

/// Chips that each player has put into the pot.
#[inline(always)]
fn paid(config: &LeducPokerConfig, betting: &Betting) -> [f64; PLAYERS] {
    let raise = [config.first_raise, config.second_raise];
    [0, 1].map(|player| {
        let raises = |round: usize| f64::from(betting.matched(round, player));
        config.ante + raise[0] * raises(0) + raise[1] * raises(1)
    })
}

/// Who takes the pot; nobody when it is shared.
#[inline(always)]
fn winner(deal: Deal, outcome: Outcome) -> Option<usize> {
    match outcome {
        Outcome::Fold { player } => Some(1 - player),
        Outcome::Showdown => deal.winner(),
    }
}

/// Chips that each player has won at the end.
#[inline(always)]
fn returns(
    config: &LeducPokerConfig,
    deal: Deal,
    betting: &Betting,
    outcome: Outcome,
) -> [f64; PLAYERS] {
    let paid = paid(config, betting);
    match winner(deal, outcome) {
        Some(0) => [paid[1], -paid[1]],
        Some(_) => [-paid[0], paid[0]],
        None => [0.0; PLAYERS],
    }
}

/// What a player knows: own card, public card (`-` in the first round) and actions, as `3|-|cr`.
fn information_state(deal: Deal, betting: &Betting, player: usize) -> String {
    let public = match betting.round() {
        0 => "-".to_owned(),
        _ => deal.cards[PLAYERS].to_string(),
    };
    format!("{}|{public}|{}", deal.cards[player], betting.letters())
}

#[cfg(test)]
mod tests;
