//! Whether a world's scripted baseline is worth having: whole episodes of it beside random ones.

use serde_json::json;

use super::Subject;
use crate::{
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, MakeEnvironment, RandomPolicy, ScriptedPolicy},
    error::Result,
    rng::purpose,
};

/// One episode as it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// Return of each agent, `[group][agent]`.
    pub returns: Vec<Vec<f64>>,
    /// Metrics, in the order of the spec.
    pub metrics: Vec<f64>,
    /// Steps.
    pub length: u32,
}

impl Played {
    /// Sum of the returns of all agents of one group.
    pub fn group(&self, group: usize) -> f64 {
        self.returns[group].iter().sum()
    }

    /// Sum of the returns of all agents.
    pub fn total(&self) -> f64 {
        self.returns.iter().flatten().sum()
    }
}

/// Plays the first episode of each of `episodes` instances. The agents (group, agent) that `scripted` names follow the
/// scripted baseline, the others act at random.
///
/// # Errors
/// Kind `Unsupported` when the environment offers no baseline; what environment and baseline report.
pub fn play(
    subject: &Subject<'_>,
    episodes: usize,
    seed: u64,
    scripted: impl Fn(usize, usize) -> bool,
) -> Result<Vec<Played>> {
    let what = MakeEnvironment {
        instances: episodes,
        ..subject.request(seed)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 2, |part| subject.make(part))?;
    let mut baseline = ScriptedPolicy::new(batch.spec(), batch.slabs())?;
    let mut random =
        RandomPolicy::new(batch.spec(), batch.slabs(), seed, 0).with_purpose(purpose::CHECK);
    let mut played = vec![None; episodes];
    batch.reset(&json!({}), 0)?;
    for time in 0.. {
        let (read, write) = ((time % 2) as usize, (1 - time % 2) as usize);
        for mut shard in batch.shards_mut() {
            random.fill(&mut shard, read, time)?;
            baseline.fill_where(&mut shard, read, &scripted)?;
            shard.step(read, write)?;
        }
        for (instance, end) in ended(&batch) {
            played[instance].get_or_insert(end);
        }
        if played.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(played.into_iter().flatten().collect())
}

/// The episodes that ended in the last step, with their instances.
pub(super) fn ended(batch: &EnvironmentBatch) -> Vec<(usize, Played)> {
    let slabs = batch.slabs();
    let (Some(count), Some(row), Some(length)) = (
        slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP),
        slabs.key::<u32>(id::ENDED_ROW, NO_GROUP),
        slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP),
    ) else {
        return Vec::new();
    };
    let entry = |entry: usize| {
        let returns = batch.spec().groups.iter().enumerate().map(|(g, group)| {
            let of_group =
                |key| batch.rows::<f64>(key, 0)[entry * group.agents..][..group.agents].to_vec();
            slabs
                .key(id::EPISODE_RETURN, g as u32)
                .map_or_else(Vec::new, of_group)
        });
        let width = batch.spec().metrics.len();
        let metrics = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP);
        Played {
            returns: returns.collect(),
            metrics: metrics.map_or_else(Vec::new, |key| {
                batch.rows(key, 0)[entry * width..][..width].to_vec()
            }),
            length: batch.rows(length, 0)[entry],
        }
    };
    let listed = batch.rows(count, 0)[0] as usize;
    (0..listed)
        .map(|i| (batch.rows(row, 0)[i] as usize, entry(i)))
        .collect()
}

/// Mean and standard error of what `measure` says of each episode.
///
/// # Panics
/// Without episodes.
pub fn mean_and_error(played: &[Played], measure: impl Fn(&Played) -> f64) -> [f64; 2] {
    assert!(!played.is_empty(), "episodes: expected some, found none");
    let n = played.len() as f64;
    let mean = played.iter().map(&measure).sum::<f64>() / n;
    let squares: f64 = played.iter().map(|p| (measure(p) - mean).powi(2)).sum();
    [mean, (squares / (n - 1.0).max(1.0) / n).sqrt()]
}

/// Checks that the agents named by `scripted` do better by their baseline than by chance, the others acting at random
/// both times: by `measure`, by at least `margin`, and by five standard errors of the difference. Gives both means.
///
/// # Panics
/// When they do not, or an episode cannot be played.
pub fn assert_beats_random(
    subject: &Subject<'_>,
    episodes: usize,
    margin: f64,
    scripted: impl Fn(usize, usize) -> bool,
    measure: impl Fn(&Played) -> f64,
) -> [f64; 2] {
    let run = |which: &dyn Fn(usize, usize) -> bool| {
        let played = play(subject, episodes, 0, which);
        mean_and_error(
            &played.unwrap_or_else(|e| panic!("{}: {e}", subject.id)),
            &measure,
        )
    };
    let ([chance, chance_error], [script, script_error]) = (run(&|_, _| false), run(&scripted));
    let error = chance_error.hypot(script_error);
    assert!(
        script - chance >= margin && script - chance >= 5.0 * error,
        "{}: expected the scripted baseline to beat chance by {margin} and five standard errors ({error:.4}), \
         found {script:.4} and {chance:.4}",
        subject.id
    );
    [chance, script]
}
