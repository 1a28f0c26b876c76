//! The table, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{LeducPoker, PLAYERS, paid, returns, winner};
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
    let public = if betting.round() > 0 {
        table::card(
            canvas,
            (0.0, 0.0),
            0.8,
            name(cards[PLAYERS]),
            Color::INK,
            false,
        );
        name(cards[PLAYERS])
    } else {
        '-'
    };
    let mut lines = vec![format!("public [{public}]  {}", betting.letters())];
    for player in 0..PLAYERS {
        let x = if player == 0 { -1.7 } else { 1.7 };
        let turn = outcome.is_none() && betting.player() == player;
        let color = Color::group(player);
        table::card(canvas, (x, 0.0), 1.0, name(cards[player]), color, turn);
        canvas.text((x, 1.1), 18.0, format!("player {player}"), Color::WHITE);
        let pot = format!("{} in the pot", paid[player]);
        canvas.text((x, -1.1), 18.0, pot.clone(), Color::WHITE);
        let mark = if turn { '>' } else { ' ' };
        let card = name(cards[player]);
        let chips = won.map_or(String::new(), |won| format!("  {:+} chips", won[player]));
        lines.push(format!("{mark} player {player}  [{card}]  {pot}{chips}"));
    }
    canvas.text((0.0, 1.5), 14.0, betting.letters(), Color::WHITE);
    canvas.caption(match outcome.map(|outcome| winner(game.deal, outcome)) {
        Some(Some(player)) => format!("player {player} wins {} chips", paid[1 - player]),
        Some(None) => "the pot is shared".to_owned(),
        None => format!("player {} to act", betting.player()),
    });
    canvas.text_frame(lines.join("\n"));
}
