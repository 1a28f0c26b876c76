//! Resolving a name whose kind the user did not say.

use palaestra_plugin_api::Result;
use palaestra_registry::{Kind, Registry, RegistryError, Resolution};

/// Finds what `name` means among environments, then algorithms, then coordination mechanisms.
///
/// # Errors
/// Where no kind has it: the error that says what was probably meant, if one does.
pub fn lookup<'a>(registry: &'a Registry, name: &str) -> Result<Resolution<'a>> {
    let mut errors: Vec<RegistryError> = Vec::new();
    for kind in Kind::ALL {
        match registry.resolve(kind, name) {
            Ok(found) => return Ok(found),
            Err(error) => errors.push(error),
        }
    }
    // Ambiguity and conflicts are not misses: they go first, then whichever kind has a suggestion.
    let misses = |e: &RegistryError| e.message().contains("not found");
    let suggests = |e: &RegistryError| e.message().contains("did you mean");
    let best = errors.iter().position(|e| !misses(e)).or_else(|| errors.iter().position(suggests));
    Err(errors.swap_remove(best.unwrap_or(0)).into())
}
