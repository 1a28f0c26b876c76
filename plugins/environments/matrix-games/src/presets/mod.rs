//! The games by name, one file each: settings and payoffs.

pub mod battle_of_sexes;
pub mod chicken;
pub mod climbing;
pub mod coordination;
pub mod iterated_prisoners_dilemma;
pub mod matching_pennies;
pub mod minority;
pub mod n_player_stag_hunt;
pub mod normal_form;
pub mod penalty;
pub mod prisoners_dilemma;
pub mod public_goods;
pub mod rock_paper_scissors;
pub mod stag_hunt;
pub mod two_step;
pub mod volunteers_dilemma;

pub use battle_of_sexes::BattleOfSexes;
pub use chicken::Chicken;
pub use climbing::Climbing;
pub use coordination::Coordination;
pub use iterated_prisoners_dilemma::IteratedPrisonersDilemma;
pub use matching_pennies::MatchingPennies;
pub use minority::Minority;
pub use n_player_stag_hunt::NPlayerStagHunt;
pub use normal_form::NormalForm;
pub use penalty::Penalty;
pub use prisoners_dilemma::PrisonersDilemma;
pub use public_goods::PublicGoods;
pub use rock_paper_scissors::RockPaperScissors;
pub use stag_hunt::StagHunt;
pub use two_step::TwoStep;
pub use volunteers_dilemma::VolunteersDilemma;
