//! What a game is: who may do what, and what a joint action pays.

use palaestra_plugin_api::prelude::{Error, Result, Tag};

/// Joint actions of a game that is written as a tensor, at most: every one is a row of a table.
pub const MAX_JOINT_ACTIONS: usize = 65_536;
/// Players of a game that is written as a tensor, at most.
pub const MAX_TENSOR_PLAYERS: usize = 16;

/// A game in normal form, or a few of them that lead to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Game {
    /// Names of each player's actions.
    pub actions: Vec<Vec<String>>,
    /// What joint actions pay.
    pub payoffs: Payoffs,
    /// How far each action of each player cooperates, 0 to 1; empty where the question makes no sense.
    pub cooperation: Vec<Vec<f64>>,
}

/// What joint actions pay.
#[derive(Clone, Debug, PartialEq)]
pub enum Payoffs {
    /// Any payoffs; the first stage is where an episode starts.
    Tensor(Vec<Stage>),
    /// A player's payoff depends on its own action and the sum of all: `[own][total]`. All players are alike.
    Anonymous(Vec<Vec<f64>>),
}

/// One payoff tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Name, shown in pictures where there are several.
    pub name: String,
    /// Payoff of each player, `[joint action][player]`; the last player's action varies fastest.
    pub payoffs: Vec<Vec<f64>>,
    /// The stage that each joint action leads to, none for the end; empty where the stage is repeated.
    pub next: Vec<Option<usize>>,
}

impl Game {
    /// Any two-player game: payoffs of the row player (player 0) and of the column player.
    pub fn bimatrix<const R: usize, const C: usize>(
        rows: [&str; R],
        columns: [&str; C],
        row_player: [[f64; C]; R],
        column_player: [[f64; C]; R],
    ) -> Self {
        let joint = (0..R).flat_map(|r| (0..C).map(move |c| (r, c)));
        Self {
            actions: vec![
                rows.map(str::to_owned).into(),
                columns.map(str::to_owned).into(),
            ],
            payoffs: Payoffs::repeated(
                joint
                    .map(|(r, c)| vec![row_player[r][c], column_player[r][c]])
                    .collect(),
            ),
            cooperation: Vec::new(),
        }
    }

    /// A two-player game in which both are in the same position: payoff `[own][other]`.
    pub fn symmetric<const A: usize>(actions: [&str; A], own: [[f64; A]; A]) -> Self {
        let other = std::array::from_fn(|r| std::array::from_fn(|c| own[c][r]));
        Self::bimatrix(actions, actions, own, other)
    }

    /// A two-player game in which both are paid the same.
    pub fn common<const A: usize>(actions: [&str; A], payoff: [[f64; A]; A]) -> Self {
        Self::bimatrix(actions, actions, payoff, payoff)
    }

    /// A game of any number of players, each paid `payoff(own action, sum of all actions)`.
    pub fn anonymous(
        players: usize,
        actions: Vec<String>,
        payoff: impl Fn(usize, usize) -> f64,
    ) -> Self {
        let highest = players * (actions.len() - 1);
        let row = |own: usize| (0..=highest).map(|total| payoff(own, total)).collect();
        Self {
            payoffs: Payoffs::Anonymous((0..actions.len()).map(row).collect()),
            actions: vec![actions; players],
            cooperation: Vec::new(),
        }
    }

    /// Counts the action of this name as cooperation, where a player has it.
    #[must_use]
    pub fn cooperating(mut self, label: &str) -> Self {
        let degrees = |names: &Vec<String>| -> Vec<f64> {
            names.iter().map(|name| f64::from(name == label)).collect()
        };
        let known = self.actions.iter().flatten().any(|name| name == label);
        self.cooperation = if known {
            self.actions.iter().map(degrees).collect()
        } else {
            Vec::new()
        };
        self
    }

    /// Number of players.
    pub fn players(&self) -> usize {
        self.actions.len()
    }

    /// Whether players are told apart only by what they do.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.payoffs, Payoffs::Anonymous(_))
    }

    /// Number of actions of each player.
    pub fn counts(&self) -> Vec<usize> {
        self.actions.iter().map(Vec::len).collect()
    }

    /// The stages of a tensor; none of an anonymous game.
    pub fn stages(&self) -> &[Stage] {
        match &self.payoffs {
            Payoffs::Tensor(stages) => stages,
            Payoffs::Anonymous(_) => &[],
        }
    }

    /// Refuses payoffs that are not numbers, or not one for every joint action.
    ///
    /// # Errors
    /// Kind `Config`, with the pointer of the first setting at fault.
    pub fn validate(&self) -> Result<()> {
        let finite = match &self.payoffs {
            Payoffs::Tensor(stages) => {
                let joint = joint_actions(&self.counts())?;
                let wrong = stages.iter().find(|stage| stage.payoffs.len() != joint);
                if let Some(stage) = wrong {
                    let found = stage.payoffs.len();
                    return Err(refused(
                        "/payoffs",
                        &format!("{joint} joint actions"),
                        found,
                    ));
                }
                let mut rows = stages.iter().flat_map(|stage| &stage.payoffs);
                rows.all(|row| row.iter().all(|x| x.is_finite()))
            }
            Payoffs::Anonymous(table) => table.iter().flatten().all(|x| x.is_finite()),
        };
        if finite {
            Ok(())
        } else {
            Err(refused("/payoffs", "finite numbers", "an overflow"))
        }
    }

    /// Payoffs that can happen, one row per joint action or, of an anonymous game, per total of the actions.
    fn outcomes(&self) -> Vec<Vec<f64>> {
        match &self.payoffs {
            Payoffs::Tensor(stages) => stages.iter().flat_map(|s| s.payoffs.clone()).collect(),
            Payoffs::Anonymous(table) => {
                let totals = 0..table[0].len();
                let at = |total| {
                    let possible = |own: &usize| is_possible(table, *own, total);
                    (0..table.len())
                        .filter(possible)
                        .map(|own| table[own][total])
                        .collect()
                };
                totals.map(at).collect()
            }
        }
    }

    /// Smallest and largest payoff of a player in a round.
    pub fn range(&self) -> (f64, f64) {
        let all = self.outcomes().into_iter().flatten();
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        })
    }

    /// Cooperative where all are always paid the same, competitive where two players' payoffs have a constant sum.
    pub fn tag(&self) -> Tag {
        let outcomes = self.outcomes();
        if outcomes.iter().all(|row| row.iter().all(|x| *x == row[0])) {
            return Tag::Cooperative;
        }
        let sum = |row: &Vec<f64>| row.iter().sum::<f64>();
        let tensor = matches!(self.payoffs, Payoffs::Tensor(_));
        if tensor && self.players() == 2 && outcomes.iter().all(|row| sum(row) == sum(&outcomes[0]))
        {
            return Tag::Competitive;
        }
        Tag::Mixed
    }
}

impl Payoffs {
    /// One tensor that is played again and again.
    pub fn repeated(payoffs: Vec<Vec<f64>>) -> Self {
        let (name, next) = (String::new(), Vec::new());
        Self::Tensor(vec![Stage {
            name,
            payoffs,
            next,
        }])
    }
}

/// Whether `total` can be the sum of all actions where one of them is `own`.
pub(crate) fn is_possible(table: &[Vec<f64>], own: usize, total: usize) -> bool {
    let highest = table[0].len() - 1;
    let others = highest - (table.len() - 1);
    total.checked_sub(own).is_some_and(|rest| rest <= others)
}

/// Number of joint actions.
///
/// # Errors
/// Kind `Config` when there are no or too many players or joint actions.
pub(crate) fn joint_actions(counts: &[usize]) -> Result<usize> {
    if counts.is_empty() || counts.len() > MAX_TENSOR_PLAYERS {
        let expected = format!("1 to {MAX_TENSOR_PLAYERS} players");
        return Err(refused("/actions", &expected, counts.len()));
    }
    if let Some(player) = counts.iter().position(|&n| n == 0) {
        return Err(refused(
            &format!("/actions/{player}"),
            "at least one action",
            "none",
        ));
    }
    let product = counts
        .iter()
        .try_fold(1_usize, |all, &n| all.checked_mul(n));
    product
        .filter(|&all| all <= MAX_JOINT_ACTIONS)
        .ok_or_else(|| {
            let expected = format!("at most {MAX_JOINT_ACTIONS} joint actions");
            refused(
                "/actions",
                &expected,
                format!("{counts:?} actions of the players"),
            )
        })
}

/// The error of a setting or a start state.
pub(crate) fn refused(at: &str, expected: &str, found: impl std::fmt::Display) -> Error {
    Error::config(format!("{at}: expected {expected}, found {found}"))
}
