//! The table, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{
    LeducPoker, PLAYERS,
    betting::{Betting, FOLD, RAISE, ROUNDS},
    paid, returns, winner,
};
use crate::table;

const RANKS: [char; 3] = ['J', 'Q', 'K'];

/// A table with all cards that have been dealt open; for the onlooker, not for the players.
pub(super) fn draw(game: &LeducPoker, canvas: &mut Canvas) {
    let (betting, cards) = (&game.betting, game.deal.cards);
    let outcome = betting.outcome();
    let won = outcome.map(|outcome| returns(&game.config, game.deal, betting, outcome));
    let name = |card: usize| RANKS[card / 2];
    let paid = paid(&game.config, betting);
    table::felt(canvas);
    let (public, color) = match betting.round() {
        0 => ('-', Color::GREY),
        _ => (name(cards[PLAYERS]), Color::INK),
    };
    table::card(canvas, (0.0, 0.0), 0.8, public, color, false);
    let mut lines = vec![format!("public [{public}]  {}", betting.letters())];
    for player in 0..PLAYERS {
        let x = if player == 0 { -1.7 } else { 1.7 };
        let turn = outcome.is_none() && betting.player() == player;
        let color = Color::group(player);
        table::card(canvas, (x, 0.0), 1.0, name(cards[player]), color, turn);
        canvas.text((x, 1.1), 18.0, format!("player {player}"), Color::WHITE);
        let pot = format!("{} in the pot", paid[player]);
        canvas.text((x, -1.0), 16.0, words(betting, player), Color::WHITE);
        canvas.text((x, -1.4), 14.0, pot.clone(), Color::LIGHT);
        let mark = if turn { '>' } else { ' ' };
        let card = name(cards[player]);
        let chips = won.map_or(String::new(), |won| format!("  {:+} chips", won[player]));
        lines.push(format!("{mark} player {player}  [{card}]  {pot}{chips}"));
    }
    let pot = format!("pot {}", paid[0] + paid[1]);
    canvas.text((0.0, 1.1), 18.0, pot, Color::WHITE);
    canvas.caption(match outcome.map(|outcome| winner(game.deal, outcome)) {
        Some(Some(player)) => format!("player {player} wins {} chips", paid[1 - player]),
        Some(None) => "the pot is shared".to_owned(),
        None => format!("player {} to act", betting.player()),
    });
    canvas.text_frame(lines.join("\n"));
}

/// What one player did, in a poker player's words; a stroke between the rounds.
fn words(betting: &Betting, player: usize) -> String {
    let rounds = (0..=betting.round().min(ROUNDS - 1)).map(|round| {
        let actions = betting.actions_of(round);
        let word = |i: usize| match (actions[i], actions[..i].contains(&RAISE)) {
            (FOLD, _) => "folds",
            (RAISE, false) => "bets",
            (RAISE, true) => "raises",
            (_, true) => "calls",
            (_, false) => "checks",
        };
        let said = (player..actions.len()).step_by(PLAYERS).map(word);
        said.collect::<Vec<_>>().join(", ")
    });
    let spoken = rounds.filter(|said| !said.is_empty());
    spoken.collect::<Vec<_>>().join(" | ")
}
