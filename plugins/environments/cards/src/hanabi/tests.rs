//! Rules, hints and the encoding by hand.

use palaestra_plugin_api::serde_json::from_value;

use super::*;

/// A deck that starts with these cards, the others below in order, after some moves.
fn game(config: HanabiConfig, deck: &str, choices: &[usize]) -> Hanabi {
    let names: Vec<String> = deck.split_whitespace().map(str::to_owned).collect();
    let mut game = Hanabi::new(&config).unwrap();
    game.stack(&names).unwrap();
    game.replay(0, choices).unwrap();
    game
}

fn variant(variant: Variant, players: usize) -> HanabiConfig {
    HanabiConfig {
        variant,
        players,
        ..HanabiConfig::default()
    }
}

/// Hands of player 0 and player 1, then the first cards to draw.
const DECK: &str = "R1 R2 Y1 B5 R1  R3 G1 W1 G1 B2  W4 W5 Y5";

fn full(choices: &[usize]) -> Hanabi {
    game(HanabiConfig::default(), DECK, choices)
}

fn names(game: &Hanabi, player: usize) -> String {
    let kinds = game.position.hand(player).kinds();
    let names: Vec<String> = kinds.map(|kind| game.rules.name(kind)).collect();
    names.join(" ")
}

fn hints(game: &Hanabi, player: usize) -> String {
    let known = game.position.hand(player).knowledge().iter();
    let texts: Vec<String> = known.map(|known| known.text(&game.rules)).collect();
    texts.join(" ")
}

fn seen(game: &Hanabi, player: usize) -> Vec<f32> {
    let mut row = vec![f32::NAN; observation::width(&game.rules)];
    observation::write(&game.rules, &game.position, player, &mut row);
    row
}

/// The bits that are 1 in a section of an observation, by name.
fn bits(game: &Hanabi, player: usize, section: &str) -> Vec<usize> {
    let sections = observation::sections(&game.rules);
    let at = sections.iter().position(|s| s.0 == section).unwrap();
    let start: usize = sections[..at].iter().map(|s| s.1).sum();
    let row = &seen(game, player)[start..start + sections[at].1];
    (0..row.len()).filter(|&i| row[i] == 1.0).collect()
}

/// Widths of the Learning Environment's encoding, by the formula of the module's doc; 658 is that of Bard et al.
#[test]
fn golden_widths_of_observations() {
    let width = |config: HanabiConfig| observation::width(&Rules::of(&config).unwrap());
    let of = |kind, players| width(variant(kind, players));
    assert_eq!(
        [2, 3, 4, 5].map(|players| of(Variant::Full, players)),
        [658, 956, 1041, 1280]
    );
    // By hand: hands 20 + 2, deck 16, fireworks 10, tokens 3 + 1, discards 20, last action 31, knowledge 4 · 17.
    assert_eq!(of(Variant::Small, 2), 22 + 30 + 20 + 31 + 68);
    // Hands 10 + 2, deck 6, fireworks 5, tokens 3 + 1, discards 10, last action 25, knowledge 4 · 11.
    assert_eq!(of(Variant::VerySmall, 2), 12 + 15 + 10 + 25 + 44);
    let minimal = HanabiConfig {
        card_knowledge: false,
        ..HanabiConfig::default()
    };
    assert_eq!(width(minimal), 658 - 350);
    let widths: Vec<usize> = observation::sections(&Rules::of(&HanabiConfig::default()).unwrap())
        .iter()
        .map(|section| section.1)
        .collect();
    assert_eq!(widths, [125, 2, 40, 25, 8, 3, 50, 55, 350]);
}

/// 20 choices for two players, 48 for five; the order of the Learning Environment.
#[test]
fn golden_order_of_actions() {
    let rules = Rules::of(&HanabiConfig::default()).unwrap();
    assert_eq!(rules.choices(), 20);
    assert_eq!(rules.meaning(4), Move::Discard(4));
    assert_eq!(rules.meaning(5), Move::Play(0));
    assert_eq!(
        rules.meaning(11),
        Move::Color {
            offset: 1,
            color: 1
        }
    );
    assert_eq!(rules.meaning(19), Move::Rank { offset: 1, rank: 4 });
    let rules = Rules::of(&variant(Variant::Full, 5)).unwrap();
    assert_eq!(rules.choices(), 48);
    assert_eq!(
        rules.meaning(8 + 19),
        Move::Color {
            offset: 4,
            color: 4
        }
    );
    assert_eq!(rules.meaning(8 + 26), Move::Rank { offset: 2, rank: 1 });
    assert!((0..48).all(|choice| rules.choice(rules.meaning(choice)) == choice));
}

/// By hand: player 0 plays R1, player 1 fails with R3, player 0 plays R2 (now its oldest), player 1 discards G1.
#[test]
fn plays_build_fireworks_and_wrong_ones_cost_lives() {
    let start = full(&[]);
    assert_eq!(names(&start, 0), "R1 R2 Y1 B5 R1");
    assert_eq!(names(&start, 1), "R3 G1 W1 G1 B2");
    let table = |game: &Hanabi| {
        let p = &game.position;
        (p.score(&game.rules), p.lives, p.information, p.player)
    };
    let game = full(&[5]);
    assert_eq!(names(&game, 0), "R2 Y1 B5 R1 W4");
    assert_eq!(table(&game), (1, 3, 8, 1));
    let game = full(&[5, 5]);
    assert_eq!(names(&game, 1), "G1 W1 G1 B2 W5");
    assert_eq!(table(&game), (1, 2, 8, 0));
    let game = full(&[5, 5, 5]);
    assert_eq!(table(&game), (2, 2, 8, 1));
    let r3 = game.rules.named("R3").unwrap();
    assert_eq!(game.position.discarded(r3), 1);
    // All tokens are there: nothing may be discarded until one was spent.
    assert!(!game.position.is_legal(&game.rules, 0));
    let game = full(&[5, 5, 5, 10]);
    assert_eq!(table(&game), (2, 2, 7, 0));
    assert!(game.position.is_legal(&game.rules, 0));
    assert_eq!(table(&full(&[5, 5, 5, 10, 0])), (2, 2, 8, 1));
}

/// By hand: rank 1 names three of player 1's cards and tells of the others that they are no 1; then green names two.
#[test]
fn hints_name_cards_and_tell_of_the_others_what_they_are_not() {
    let game = full(&[15, 10, 12]);
    assert_eq!(hints(&game, 1), "?? G1 ?1 G1 ??");
    // Player 0 was told of its red cards in between.
    assert_eq!(hints(&game, 0), "R? R? ?? ?? R?");
    let known = game.position.hand(1).knowledge();
    let kinds = |slot: usize| -> Vec<String> {
        let possible = (0..25).filter(|&kind| known[slot].allows(&game.rules, kind));
        possible.map(|kind| game.rules.name(kind)).collect()
    };
    assert_eq!(kinds(1), ["G1"]);
    assert_eq!(kinds(2), ["R1", "Y1", "W1", "B1"]);
    assert_eq!(kinds(0).len(), 16, "neither green nor a 1");
    assert_eq!(game.position.information, 5);
    let last = game.position.last.unwrap();
    assert_eq!((last.player, last.named), (0, 0b01010));
    // A hint must name a card, and nobody has yellow or rank 4.
    let legal = |choice| full(&[]).position.is_legal(&game.rules, choice);
    assert!(!legal(11) && !legal(18) && legal(12) && legal(16));
    // A card that was drawn later was not named.
    let game = full(&[15, 10, 12, 5]);
    assert_eq!(hints(&game, 0), "R? R? ?? ?? R?");
    assert_eq!(hints(&game, 1), "G1 ?1 G1 ?? ??");
}

/// Bit by bit after player 0 has named rank 1 to player 1 and player 1 has played its W1.
#[test]
fn golden_encoding_by_hand() {
    let game = full(&[15, 7]);
    let kind = |name: &str| game.rules.named(name).unwrap();
    let cards = |names: &str| -> Vec<usize> {
        let slots = names.split_whitespace().enumerate();
        slots.map(|(slot, name)| 25 * slot + kind(name)).collect()
    };
    assert_eq!(bits(&game, 0, "hands"), cards("R3 G1 G1 B2 W4"));
    assert_eq!(bits(&game, 1, "hands"), cards("R1 R2 Y1 B5 R1"));
    assert!(bits(&game, 0, "missing cards").is_empty());
    assert_eq!(bits(&game, 0, "deck"), (0..39).collect::<Vec<_>>());
    assert_eq!(bits(&game, 0, "fireworks"), [15]);
    assert_eq!(bits(&game, 0, "information tokens").len(), 7);
    assert_eq!(bits(&game, 0, "life tokens"), [0, 1, 2]);
    assert!(bits(&game, 0, "discards").is_empty());
    // Who 2, move 4, whose hand 2, colour 5, rank 5, named 5, place 5, kind 25, fitted, token.
    let place_and_kind = [23 + 2, 28 + kind("W1"), 53];
    assert_eq!(
        bits(&game, 0, "last action"),
        [[1, 2].as_slice(), &place_and_kind].concat()
    );
    assert_eq!(
        bits(&game, 1, "last action"),
        [[0, 2].as_slice(), &place_and_kind].concat()
    );
    // Of 35 bits a card: kinds 25, colour 5, rank 5. Player 1: R3, G1, G1, B2 after the hint, and a new card.
    let own = bits(&game, 1, "card knowledge");
    let ranks = |first: usize| -> Vec<usize> {
        let of = |color: usize| {
            (0..5)
                .filter(move |r| (*r == 0) == (first == 0))
                .map(move |r| 5 * color + r)
        };
        (0..5).flat_map(of).collect()
    };
    let of_slot = |slot: usize| -> Vec<usize> {
        let of = own.iter().filter(|&&bit| bit / 35 == slot);
        of.map(|bit| bit % 35).collect()
    };
    assert_eq!(of_slot(0), ranks(1));
    assert_eq!(of_slot(1), [ranks(0), vec![30]].concat());
    assert_eq!(of_slot(2), of_slot(1));
    assert_eq!(of_slot(3), ranks(1));
    assert_eq!(of_slot(4), (0..25).collect::<Vec<_>>());
    // What is known is common: player 0 sees the same after its own five cards.
    let theirs = bits(&game, 0, "card knowledge");
    let shifted: Vec<usize> = theirs
        .iter()
        .filter(|b| **b >= 175)
        .map(|b| b - 175)
        .collect();
    assert_eq!(shifted[..], own[..shifted.len()]);
    let game = full(&[15]);
    // Player 0, a rank, to player 1, rank 1, cards 1 to 3.
    assert_eq!(bits(&game, 0, "last action"), [0, 5, 7, 13, 19, 20, 21]);
    assert_eq!(bits(&game, 1, "last action"), [1, 5, 6, 13, 19, 20, 21]);
    let game = full(&[15, 0]);
    // Player 1 discards R3: two copies of R3, the first after R1's three and R2's two.
    assert_eq!(bits(&game, 0, "discards"), [5]);
    assert_eq!(bits(&game, 0, "last action"), [1, 3, 23, 28 + kind("R3")]);
    assert!(bits(&full(&[]), 0, "last action").is_empty());
}

/// Two players see all but their own hands: exchanging an own card changes nothing one sees.
#[test]
fn nobody_sees_an_own_card() {
    let other = game(
        HanabiConfig::default(),
        &DECK.replacen("R1 R2 Y1 B5 R1", "G5 W3 Y3 B4 R1", 1),
        &[15],
    );
    assert_eq!(seen(&full(&[15]), 0), seen(&other, 0));
    assert_ne!(seen(&full(&[15]), 1), seen(&other, 1));
}

/// Hanabi-Very-Small: one colour, 10 cards, hands of two.
const SMALL_DECK: &str = "R1 R2  R3 R4  R5 R1 R1 R2 R3 R4";

fn very_small(loss: Loss, choices: &[usize]) -> Hanabi {
    let config = HanabiConfig {
        loss,
        ..variant(Variant::VerySmall, 2)
    };
    game(config, SMALL_DECK, choices)
}

/// By hand: choices 2 and 3 play; 4 names red, 5 to 9 name the ranks.
#[test]
fn a_complete_firework_gives_a_token_back_and_ends_the_game() {
    // R1 by player 0, a hint, R2 (the oldest now), R3, a hint, R4, R5 (player 0's card after R2 went).
    let moves = [2, 4, 2, 2, 4, 2, 2];
    let before = very_small(Loss::Zero, &moves[..6]);
    assert_eq!(before.position.information, 1);
    assert_eq!(before.position.end(&before.rules), None);
    let game = very_small(Loss::Zero, &moves);
    assert_eq!(game.position.end(&game.rules), Some(End::Complete));
    assert_eq!(
        (game.position.score(&game.rules), game.position.information),
        (5, 2)
    );
    assert_eq!(
        bits(&game, 1, "last action").last(),
        Some(&24),
        "it gave a token"
    );
    let again = Hanabi::new(&game.config).unwrap().replay(0, &[2; 9]);
    assert!(again.is_err(), "nothing follows the end");
}

/// By hand: R1, R3 fails: with a single life all is over.
#[test]
fn losing_the_last_life_takes_the_score_unless_it_is_kept() {
    for (loss, score) in [(Loss::Zero, 0), (Loss::Keep, 1)] {
        let game = very_small(loss, &[2, 2]);
        assert_eq!(game.position.end(&game.rules), Some(End::LivesLost));
        assert_eq!(game.position.score(&game.rules), score);
    }
}

/// By hand: player 0 names red, player 1 discards, until it has drawn all six cards; then both have one more turn.
#[test]
fn everybody_has_one_more_turn_when_the_deck_is_empty() {
    let moves = [4, 0].repeat(7);
    let after = |count: usize| very_small(Loss::Zero, &moves[..count]);
    let end = |game: &Hanabi| {
        (
            game.position.undealt(&game.rules),
            game.position.end(&game.rules),
        )
    };
    assert_eq!(end(&after(11)), (1, None));
    assert_eq!(end(&after(12)), (0, None));
    assert_eq!(end(&after(13)), (0, None));
    let last = after(14);
    assert_eq!(end(&last), (0, Some(End::DeckEmpty)));
    assert_eq!(last.position.hand(1).len(), 1);
    assert_eq!(bits(&last, 0, "missing cards"), [1]);
    assert_eq!(bits(&last, 1, "missing cards"), [0]);
}

#[test]
fn cards_that_are_not_there_and_moves_that_nobody_can_make_are_refused() {
    let refused = |deck: &[&str], first_player: usize, choices: &[usize]| {
        let mut game = Hanabi::new(&variant(Variant::VerySmall, 2)).unwrap();
        let names: Vec<String> = deck.iter().map(|&name| name.to_owned()).collect();
        let stacked = game.stack(&names);
        let replayed = stacked.and_then(|_| game.replay(first_player, choices));
        replayed.unwrap_err().message
    };
    assert_eq!(
        refused(&["R5", "R5"], 0, &[]),
        "deck: expected a card that is left at index 1, found \"R5\""
    );
    assert!(refused(&["Y1"], 0, &[]).contains("index 0, found \"Y1\""));
    assert_eq!(
        refused(&[], 2, &[]),
        "first_player: expected below 2, found 2"
    );
    assert!(refused(&[], 0, &[0]).contains("a legal move at index 0, found 0"));
    assert!(refused(&[], 0, &[10]).contains("found 10"));
    let saved = json!({"config": {}, "deck": ["R1"], "first_player": 0, "choices": []});
    let error = from_value::<Hanabi>(saved).unwrap_err().to_string();
    assert!(error.contains("expected all 50 cards, found 1"), "{error}");
}

#[test]
fn settings_that_make_no_game_are_refused() {
    let refused = |config: HanabiConfig| Rules::of(&config).unwrap_err().message;
    let config = HanabiConfig::default;
    assert_eq!(
        refused(HanabiConfig {
            colors: Some(6),
            ..config()
        }),
        "config /colors: expected 1 to 5, found 6"
    );
    assert_eq!(
        refused(HanabiConfig {
            colors: Some(1),
            hand_size: Some(8),
            ..config()
        }),
        "config /hand_size: expected hands out of 10 cards, found 2 players with 8"
    );
    assert!(
        refused(HanabiConfig {
            hand_size: Some(0),
            ..config()
        })
        .contains("/hand_size: expected 1")
    );
    assert!(
        refused(HanabiConfig {
            max_life_tokens: Some(0),
            ..config()
        })
        .contains("/max_life_tokens")
    );
}

/// A card that the table and the hints leave no doubt about is played; so is one that a hint makes certain.
#[test]
fn the_convention_plays_what_is_certain_and_names_what_can_be_played() {
    let choice = |game: &Hanabi| convention::choose(&game.rules, &game.position);
    // Player 1 holds G1, W1, G1: rank 1 makes all of them certain.
    assert_eq!(choice(&full(&[])), 15);
    // Player 1 now knows: it plays the oldest of them.
    assert_eq!(choice(&full(&[15])), 6);
}
