//! Which algorithm controls which agent groups.

use palaestra_plugin_api::{Error, Result, spec::EnvironmentSpec};
use palaestra_registry::suggest::nearest;

use super::Experiment;

impl Experiment {
    /// What can be said about groups without the environment.
    pub(super) fn check_groups(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::config(format!("config experiment: {what}")));
        if self.algorithm.is_empty() {
            return wrong("/algorithm: expected at least one, found none".into());
        }
        let open = |(a, _): &(usize, _)| self.algorithm[*a].groups.is_empty();
        if let Some((a, _)) = self.algorithm.iter().enumerate().filter(open).nth(1) {
            return wrong(format!(
                "/algorithm/{a}/groups: expected names, as another algorithm takes all groups that are not named, \
                 found none"
            ));
        }
        let mut named: Vec<(&str, usize)> = Vec::new();
        for (a, section) in self.algorithm.iter().enumerate() {
            for (i, group) in section.groups.iter().enumerate() {
                if let Some((_, other)) = named.iter().find(|(name, _)| name == group) {
                    return wrong(format!(
                        "/algorithm/{a}/groups/{i}: expected a group of one algorithm, found {group}, which \
                         /algorithm/{other} controls"
                    ));
                }
                named.push((group, a));
            }
        }
        Ok(())
    }

    /// The groups that each algorithm controls, by their index in the spec, in its order. An algorithm that names none
    /// takes all that no other names.
    ///
    /// # Errors
    /// Kind `Config` for a group that the environment does not have, that nobody controls, or an algorithm without
    /// any.
    pub fn controlled(&self, spec: &EnvironmentSpec) -> Result<Vec<Vec<usize>>> {
        let groups: Vec<_> = self.algorithm.iter().map(|a| a.groups.as_slice()).collect();
        share_out(&groups, spec)
    }
}

/// The groups that each algorithm controls, by their index in the spec, in its order, from the names that each lists. One
/// that lists none takes all that no other lists.
///
/// # Errors
/// As [`Experiment::controlled`].
pub fn share_out(algorithms: &[&[String]], spec: &EnvironmentSpec) -> Result<Vec<Vec<usize>>> {
    let wrong = |what: String| Err(Error::config(format!("config experiment: {what}")));
    let known: Vec<&str> = spec
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    let mut controlled = vec![Vec::new(); algorithms.len()];
    let mut taken = vec![false; known.len()];
    for (a, groups) in algorithms.iter().enumerate() {
        for (i, name) in groups.iter().enumerate() {
            let Some(group) = known.iter().position(|known| known == name) else {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("the environment has {}", known.join(", ")),
                };
                return wrong(format!(
                    "/algorithm/{a}/groups/{i}: expected a group of the environment, found {name}; {hint}"
                ));
            };
            controlled[a].push(group);
            taken[group] = true;
        }
        controlled[a].sort_unstable();
    }
    let left: Vec<usize> = (0..known.len()).filter(|&group| !taken[group]).collect();
    match algorithms.iter().position(|groups| groups.is_empty()) {
        Some(a) if left.is_empty() => wrong(format!(
            "/algorithm/{a}/groups: expected a group that no other algorithm controls, found none"
        )),
        Some(a) => {
            controlled[a] = left;
            Ok(controlled)
        }
        None => match left.first() {
            None => Ok(controlled),
            Some(&group) => wrong(format!(
                "/algorithm: expected an algorithm for group {}, found none; add one such as core/Random-v0",
                known[group]
            )),
        },
    }
}
