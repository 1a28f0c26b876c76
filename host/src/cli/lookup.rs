//! Resolving a name whose kind the user did not say.

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::{Kind, Registry, Resolution};

/// Finds what `name` means among environments, then algorithms, then coordination mechanisms.
///
/// # Errors
/// Where no kind has it: the error that says what was probably meant, if one does.
pub(crate) fn lookup<'a>(registry: &'a Registry, name: &str) -> Result<Resolution<'a>> {
    let mut errors: Vec<Error> = Vec::new();
    for kind in Kind::ALL {
        match registry.resolve(kind, name) {
            Ok(found) => return Ok(found),
            Err(error) => errors.push(error),
        }
    }
    // Ambiguity and conflicts are not misses: they go first, then whichever kind has a suggestion.
    let says = |text: &'static str| move |e: &Error| e.to_string().contains(text);
    let best = errors
        .iter()
        .position(|e| !says("not found")(e))
        .or_else(|| errors.iter().position(says("did you mean")));
    Err(errors.swap_remove(best.unwrap_or(0)))
}
