//! Kuhn poker: three cards, two players, one bet; the smallest game in which bluffing pays.
//!
//! Source: Kuhn, "A simplified two-person poker" (1950); encoding of OpenSpiel 2.0.2 (`kuhn_poker`).
//!
//! Both players ante a chip and get one of the cards J < Q < K. In turn, beginning with player 0, they pass
//! or bet a chip: pass-pass and bet-bet go to a showdown, where the higher card takes the pot; a pass that
//! answers a bet folds.
//!
//! | observation | meaning |
//! |---|---|
//! | 0, 1 | the observing player, one-hot |
//! | 2 to 4 | own card, one-hot |
//! | 5 to 10 | pass or bet, one-hot, for each of up to three actions |
//!
//! Both players always observe: own card and public history.
//!
//! | action | meaning |
//! |---|---|
//! | 0 | pass: check, or fold after a bet |
//! | 1 | bet, or call a bet |
//!
//! The acting mask names whose turn it is; the action mask leaves the waiting player only a pass, which is
//! ignored.
//!
//! | | when |
//! |---|---|
//! | reward | at the end what is won or lost, in chips: ±1 after two passes or a fold, ±2 after a called bet |
//! | terminated | at the showdown or the fold, after two or three steps |
//! | truncated | never |
//!
//! The value to player 0 is -1/18. Metrics: `bets`, actions 1 in the episode; `showdown`, 1 if cards were shown.
//! `init` of the reset options deals: `{"cards": [a, b]}`. Game tree: the two cards, then the actions; 30 terminal
//! histories, 12 information states (own card and actions, as `1pb`). The scripted baseline plays an [`equilibrium`].

pub mod equilibrium;
mod picture;
mod trace;
mod tree;

use palaestra_plugin_api::{
    game_tree::GameNode,
    prelude::*,
    serde_json::{Value, json},
    trace::TraceCase,
};

use crate::turns;

/// Ranks of the deck.
pub(crate) const RANKS: usize = 3;
const PLAYERS: usize = 2;
/// Longest betting: pass, bet, answer.
const LONGEST: usize = 3;
/// Players, cards, and two choices for each action.
const OBSERVATION: usize = PLAYERS + RANKS + 2 * LONGEST;
/// Each of the six deals is as likely.
const DEAL_PROBABILITY: f64 = 1.0 / 6.0;
const PASS: u8 = 0;
const BET: u8 = 1;
const METRIC_BETS: usize = 0;
const METRIC_SHOWDOWN: usize = 1;

/// Settings of Kuhn poker.
#[palaestra_plugin_api::config]
pub struct KuhnPokerConfig {
    /// Chips that each player pays to be dealt a card.
    #[config(default = 1.0, range = 0.0..=1000.0)]
    pub ante: f64,
    /// Chips of a bet.
    #[config(default = 1.0, range = 0.0..=1000.0)]
    pub bet: f64,
}

/// One table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct KuhnPoker {
    config: KuhnPokerConfig,
    deal: Deal,
    betting: Betting,
}

/// Cards of the two players: different ranks. Also `init` of the reset options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Dealt",
    into = "Dealt"
)]
struct Deal {
    cards: [usize; PLAYERS],
}

/// A deal as it is written.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Dealt {
    cards: [usize; PLAYERS],
}

impl TryFrom<Dealt> for Deal {
    type Error = String;

    fn try_from(Dealt { cards: [a, b] }: Dealt) -> std::result::Result<Self, String> {
        if a < RANKS && b < RANKS && a != b {
            return Ok(Self { cards: [a, b] });
        }
        Err(format!(
            "cards: expected two different ones of 0, 1 and 2, found {a} and {b}"
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
        let first = rng.below(RANKS as u64) as usize;
        let second = rng.below(RANKS as u64 - 1) as usize;
        // The second card is one of the two others.
        Self {
            cards: [first, second + usize::from(second >= first)],
        }
    }

    fn winner(self) -> usize {
        usize::from(self.cards[1] > self.cards[0])
    }
}

/// The actions so far, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Vec<u8>",
    into = "Vec<u8>"
)]
struct Betting {
    actions: [u8; LONGEST],
    len: usize,
}

impl TryFrom<Vec<u8>> for Betting {
    type Error = String;

    fn try_from(actions: Vec<u8>) -> std::result::Result<Self, String> {
        let mut betting = Self::default();
        for &action in &actions {
            if action > BET || betting.outcome().is_some() {
                return Err(format!(
                    "betting: expected passes and bets of one game, found {actions:?}"
                ));
            }
            betting.push(action);
        }
        Ok(betting)
    }
}

impl From<Betting> for Vec<u8> {
    fn from(betting: Betting) -> Self {
        betting.actions().to_vec()
    }
}

/// How a game ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The higher card wins; whether a bet was called.
    Showdown { called: bool },
    /// A player gives up before a bet.
    Fold { player: usize },
}

impl Betting {
    #[inline(always)]
    fn actions(&self) -> &[u8] {
        &self.actions[..self.len]
    }

    #[inline(always)]
    fn push(&mut self, action: u8) {
        self.actions[self.len] = action;
        self.len += 1;
    }

    /// Whose turn it is, or was last at the end.
    #[inline(always)]
    fn player(&self) -> usize {
        self.len % PLAYERS
    }

    #[inline(always)]
    fn outcome(&self) -> Option<Outcome> {
        match self.actions() {
            [PASS, PASS] => Some(Outcome::Showdown { called: false }),
            [.., BET, BET] => Some(Outcome::Showdown { called: true }),
            [.., BET, PASS] => Some(Outcome::Fold {
                player: (self.len - 1) % PLAYERS,
            }),
            _ => None,
        }
    }

    /// `p` and `b` for the actions.
    fn letters(&self) -> String {
        self.actions()
            .iter()
            .map(|&action| if action == BET { 'b' } else { 'p' })
            .collect()
    }
}

impl Environment for KuhnPoker {
    const ID: &'static str = "cards/KuhnPoker-v0";
    const DESCRIPTION: &'static str =
        "Two players, three cards, one bet: the smallest game in which bluffing pays";
    const TRACES: &'static [&'static str] = &["Kuhn poker (2 players)"];
    type Config = KuhnPokerConfig;

    fn spec(config: &KuhnPokerConfig) -> Result<EnvironmentSpec> {
        let observation = Space::bounded(OBSERVATION, 0.0, 1.0);
        let mut spec = EnvironmentSpec::new("players", PLAYERS, observation, Space::discrete(2));
        spec.groups[0].has_action_mask = true;
        spec.groups[0].no_op = Some(vec![f64::from(PASS)]);
        let most = config.ante + config.bet;
        spec.reward_range = (Some(-most), Some(most));
        spec.metrics = vec![Metric::sum("bets"), Metric::sum("showdown")];
        spec.flags.turn_based = true;
        spec.flags.game_tree = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Competitive, Tag::TurnBased];
        Ok(spec)
    }

    fn new(config: &KuhnPokerConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            deal: Deal { cards: [0, 1] },
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
        out.metric(METRIC_BETS, f64::from(action));
        if let Some(outcome) = self.betting.outcome() {
            let won = returns(&self.config, self.deal, outcome);
            (0..PLAYERS).for_each(|player| out.reward(player, won[player]));
            out.metric(
                METRIC_SHOWDOWN,
                f64::from(matches!(outcome, Outcome::Showdown { .. })),
            );
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let history = self.betting.letters();
        let acting = self
            .betting
            .outcome()
            .is_none()
            .then(|| self.betting.player());
        json!({
            "cards": self.deal.cards,
            "betting": self.betting.actions(),
            "player": acting,
            "information_state": {
                "0": format!("{}{history}", self.deal.cards[0]),
                "1": format!("{}{history}", self.deal.cards[1]),
            },
            "chance_probability": DEAL_PROBABILITY,
        })
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let player = self.betting.player();
        let card = self.deal.cards[player];
        let bets = equilibrium::bet_probability(&self.config, card, self.betting.actions());
        let action = if rng.bernoulli(bets) { BET } else { PASS };
        let [choice, wait] = [action, PASS].map(usize::from);
        Ok(turns::joint(PLAYERS, player, choice, wait))
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        tree::node(&self.config, history)
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

impl KuhnPoker {
    /// Writes both observations, the masks, and whose turn it is.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        for player in 0..PLAYERS {
            let row = out.observation(player);
            row.fill(0.0);
            row[player] = 1.0;
            row[PLAYERS + self.deal.cards[player]] = 1.0;
            for (i, &action) in self.betting.actions().iter().enumerate() {
                row[PLAYERS + RANKS + 2 * i + usize::from(action)] = 1.0;
            }
        }
        if self.betting.outcome().is_none() {
            turns::give_turn(
                out,
                PLAYERS,
                self.betting.player(),
                usize::from(PASS),
                |_| true,
            );
        }
    }
}

/// Chips that each player has won at the end.
#[inline(always)]
fn returns(config: &KuhnPokerConfig, deal: Deal, outcome: Outcome) -> [f64; PLAYERS] {
    let (winner, chips) = match outcome {
        Outcome::Fold { player } => (1 - player, config.ante),
        Outcome::Showdown { called: false } => (deal.winner(), config.ante),
        Outcome::Showdown { called: true } => (deal.winner(), config.ante + config.bet),
    };
    if winner == 0 {
        [chips, -chips]
    } else {
        [-chips, chips]
    }
}

#[cfg(test)]
mod tests;
