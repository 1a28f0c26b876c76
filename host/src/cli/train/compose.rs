//! From the command line to an experiment: names or a file, then the options, then `--set`.

use std::path::Path;

use palaestra_plugin_api::{Error, Result};
use serde_json::Value;

use super::TrainArgs;
use crate::experiment::Experiment;

/// The experiment that the options stand for.
///
/// # Errors
/// A file that cannot be read or is no experiment, a name too few or too many, a wrong setting.
pub(super) fn experiment(args: &TrainArgs) -> Result<Experiment> {
    let mut experiment = named(args)?;
    experiment.wrappers.extend(args.wrappers.iter().cloned());
    for section in &mut experiment.algorithm {
        let wrappers = args.policy_wrappers.iter().cloned();
        section.wrappers.extend(wrappers);
        if let Some(device) = &args.device {
            let device = Value::String(device.clone());
            section.config.insert("device".into(), device);
        }
    }
    let training = &mut experiment.training;
    training.steps = args.steps.unwrap_or(training.steps);
    training.num_envs = args.num_envs.map_or(training.num_envs, |n| n as usize);
    training.threads = args.threads.map(usize::from).or(training.threads);
    experiment.apply(&args.settings)?;
    Ok(experiment)
}

fn named(args: &TrainArgs) -> Result<Experiment> {
    let file = Path::new(&args.what);
    let is_file = file
        .extension()
        .is_some_and(|ending| ending == "toml" || ending == "json");
    match (&args.algorithm, is_file) {
        (Some(algorithm), false) => Ok(Experiment::of_names(
            &args.what,
            algorithm,
            &args.coordination,
        )),
        (None, true) => {
            let mut experiment = Experiment::read(file)?;
            let named = Experiment::of_names("", "", &args.coordination);
            experiment.coordination.extend(named.coordination);
            Ok(experiment)
        }
        (Some(algorithm), true) => Err(Error::config(format!(
            "train {}: expected no algorithm beside an experiment file, found {algorithm}; \
             use --set algorithm.name={algorithm}",
            args.what
        ))),
        (None, false) => Err(Error::config(format!(
            "train {}: expected an algorithm after the environment, found none; \
             write for example: palaestra train {0} core/PPO-v0",
            args.what
        ))),
    }
}
