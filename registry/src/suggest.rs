//! "Did you mean": the nearest known word to a mistyped one.

use strsim::damerau_levenshtein;

/// The candidate nearest to `typed`, if it is near enough to be meant: at most a third of its letters
/// (and at least one) inserted, left out, changed or swapped, upper and lower case alike.
///
/// The first of equally near candidates wins, so the answer follows the order of `candidates`.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let allowed = (typed.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|word| (damerau_levenshtein(&typed, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_recognised_and_strangers_are_not() {
        let words = ["force", "length", "max_episode_steps"];
        for (typed, meant) in [
            ("forse", Some("force")),
            ("Force", Some("force")),
            ("lenght", Some("length")),
            ("max_episod_step", Some("max_episode_steps")),
            ("gravity", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
    }
}
