//! Any normal-form game: payoff tensor and names of actions come from the settings.
//!
//! `actions` names the actions of each player, and so says how many players and actions there are. `payoffs` has
//! one list per player, or one list for all in a common-payoff game; a list has one number per joint action, the
//! last player's action varying fastest. By default, a prisoner's dilemma:
//!
//! ```json
//! {"actions": [["cooperate", "defect"], ["cooperate", "defect"]], "payoffs": [[3, 0, 5, 1], [3, 5, 0, 1]]}
//! ```

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::{Game, Payoffs, joint_actions, refused},
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of NormalForm.
    NormalFormConfig {
        rounds: 25, memory: 0;
        /// Names of the actions of each player.
        #[config(default = vec![vec!["cooperate", "defect"], vec!["cooperate", "defect"]])]
        pub actions: Vec<Vec<String>>,
        /// Payoffs of each player, or of all: one per joint action, the last player's action varying fastest.
        #[config(default = vec![vec![3.0, 0.0, 5.0, 1.0], vec![3.0, 5.0, 0.0, 1.0]])]
        pub payoffs: Vec<Vec<f64>>,
        /// Name of the action that counts as cooperation, where there is one.
        #[config(default = "cooperate")]
        pub cooperative_action: String,
    }
}

/// `matrix/NormalForm-v0`.
#[derive(Debug)]
pub struct NormalForm;

impl Preset for NormalForm {
    const ID: &'static str = "matrix/NormalForm-v0";
    const DESCRIPTION: &'static str =
        "Any normal-form game: payoff tensor and action names come from the settings";
    type Config = NormalFormConfig;

    fn game(config: &NormalFormConfig) -> Result<Game> {
        let counts: Vec<usize> = config.actions.iter().map(Vec::len).collect();
        let (players, joint) = (counts.len(), joint_actions(&counts)?);
        for (player, names) in config.actions.iter().enumerate() {
            let again = |&action: &usize| names[..action].contains(&names[action]);
            if let Some(action) = (0..names.len()).find(again) {
                let at = format!("/actions/{player}/{action}");
                return Err(refused(&at, "a name of its own", &names[action]));
            }
        }
        let lists = &config.payoffs;
        if lists.len() != players && lists.len() != 1 {
            return Err(refused(
                "/payoffs",
                &format!("1 or {players} lists"),
                lists.len(),
            ));
        }
        if let Some(player) = lists.iter().position(|list| list.len() != joint) {
            let expected = format!("{joint} numbers, one per joint action of {counts:?} actions");
            return Err(refused(
                &format!("/payoffs/{player}"),
                &expected,
                lists[player].len(),
            ));
        }
        let row = |cell| {
            (0..players)
                .map(|player| lists[player % lists.len()][cell])
                .collect()
        };
        let game = Game {
            actions: config.actions.clone(),
            payoffs: Payoffs::repeated((0..joint).map(row).collect()),
            cooperation: Vec::new(),
        };
        Ok(game.cooperating(&config.cooperative_action))
    }

    fn rules(config: &NormalFormConfig) -> Rules {
        config.rules()
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::{prelude::Result, serde_json::json};

    use super::{NormalForm, NormalFormConfig};
    use crate::{batch::Preset, game::Game};

    fn game(settings: palaestra_plugin_api::serde_json::Value) -> Result<Game> {
        let config = palaestra_plugin_api::config::parse::<NormalFormConfig>(&settings.to_string());
        NormalForm::game(&config.expect("known settings"))
    }

    #[test]
    fn names_that_could_be_mistaken_for_each_other_are_refused() {
        let error = game(
            json!({"actions": [["a", "b"], ["c", "d", "c"]], "payoffs": [[0, 0, 0, 0, 0, 0]]}),
        );
        let message = error.expect_err("two names alike").to_string();
        assert!(
            message.contains("/actions/1/2: expected a name of its own, found c"),
            "{message}"
        );
        let fine = json!({"actions": [["a", "b"], ["a", "b"]], "payoffs": [[1, 2, 3, 4]]});
        assert_eq!(game(fine).expect("a game").players(), 2);
    }
}
