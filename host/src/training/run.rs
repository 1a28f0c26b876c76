//! One training run: the loop around a trainer that logs, evaluates, saves and stops.
//!
//! Everything that decides what happens next is in the checkpoint; clocks only reach `timing.csv` and the bar.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    composition::{Composition, Parts},
    evaluation::{self, EvaluationPlan, random_baseline},
    stage::Split,
    trainer::{Trainer, TrainingPlan},
};
use crate::{
    rollout::{EpisodeReport, Workers},
    runs::{
        Checkpoint, CheckpointStore, EventWriter, Interrupt, MetricsLog, Position, Progress,
        RunFolder, Warning,
    },
};

/// How long to train, and what to do on the way.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// What to train with.
    pub training: TrainingPlan,
    /// Env steps, over all instances.
    pub steps: u64,
    /// Env steps between two rows of metrics.
    pub log_every: u64,
    /// Env steps between two checkpoints.
    pub checkpoint_every: u64,
    /// Checkpoints that are kept beside the best.
    pub keep: usize,
    /// Env steps between two evaluations; only at the end when none.
    pub evaluate_every: Option<u64>,
    /// Episodes of an evaluation.
    pub evaluation: EvaluationPlan,
}

/// When things are due next, and the last evaluation: the run's own part of a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Schedule {
    next_log: u64,
    next_checkpoint: u64,
    next_evaluation: u64,
    metrics: Position,
    /// Mean return of random actions in the evaluation episodes.
    random: Option<f64>,
}

/// What a run has come to.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Env steps, over all instances.
    pub steps: u64,
    /// Time of this process.
    pub wall: Duration,
    /// Where that time went.
    pub split: Split,
    /// The last evaluation; none when interrupted before one.
    pub evaluation: Option<EpisodeReport>,
    /// Mean return of random actions in the same episodes.
    pub random: Option<f64>,
    /// Whether somebody asked to stop.
    pub interrupted: bool,
}

/// A run and its files.
pub struct Run<'a> {
    parts: &'a Parts,
    composition: &'a Composition,
    plan: &'a RunPlan,
    workers: Workers,
    trainer: Trainer,
    schedule: Schedule,
    metrics: MetricsLog,
    timing: MetricsLog,
    events: EventWriter,
    checkpoints: CheckpointStore,
    progress: Progress,
    warnings: Vec<Warning>,
    latest: Option<EpisodeReport>,
    split: Split,
    began: Instant,
    first_step: u64,
}

impl<'a> Run<'a> {
    /// A new run in an empty folder.
    ///
    /// # Errors
    /// What a plugin refuses, or a folder that cannot be written.
    pub fn start(
        (parts, composition): (&'a Parts, &'a Composition),
        plan: &'a RunPlan,
        folder: &RunFolder,
        workers: &Workers,
        progress: Progress,
    ) -> Result<Self> {
        let schedule = Schedule {
            next_log: plan.log_every,
            next_checkpoint: plan.checkpoint_every,
            next_evaluation: plan.evaluate_every.unwrap_or(u64::MAX),
            metrics: Position::default(),
            random: None,
        };
        let of = (parts, composition);
        let mut run = Self::new(of, plan, folder, workers, progress, schedule, None)?;
        let random = random_baseline(parts, &plan.evaluation, workers)?;
        run.schedule.random = Some(random.total.mean_return);
        Ok(run)
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// What a plugin refuses, or a checkpoint of another experiment.
    pub fn resume(
        of: (&'a Parts, &'a Composition),
        plan: &'a RunPlan,
        folder: &RunFolder,
        workers: &Workers,
        progress: Progress,
        from: &mut Checkpoint,
    ) -> Result<Self> {
        let schedule: Schedule = serde_json::from_slice(&from.bytes("run.json")?)
            .map_err(|e| Error::config(format!("checkpoint: run.json: {e}")))?;
        let step = Some(from.step());
        let mut run = Self::new(of, plan, folder, workers, progress, schedule, step)?;
        run.trainer.load(from)?;
        run.first_step = run.trainer.counters().steps;
        run.checkpoints.rewind(from.step())?;
        let (metrics, warning) = MetricsLog::resume(&folder.metrics(), &run.schedule.metrics)?;
        run.metrics = metrics;
        run.warnings.extend(warning);
        Ok(run)
    }

    fn new(
        (parts, composition): (&'a Parts, &'a Composition),
        plan: &'a RunPlan,
        folder: &RunFolder,
        workers: &Workers,
        progress: Progress,
        schedule: Schedule,
        resumed: Option<u64>,
    ) -> Result<Self> {
        Ok(Self {
            trainer: Trainer::new(parts, composition, &plan.training, workers)?,
            schedule,
            metrics: MetricsLog::create(&folder.metrics()),
            timing: MetricsLog::create(&folder.timing()),
            events: EventWriter::new(folder.path(), resumed),
            checkpoints: CheckpointStore::open(&folder.checkpoints(), plan.keep)?,
            workers: workers.clone(),
            warnings: Vec::new(),
            latest: None,
            split: Split::default(),
            began: Instant::now(),
            first_step: 0,
            parts,
            composition,
            plan,
            progress,
        })
    }

    /// Trains until all steps are made or somebody asks to stop.
    ///
    /// # Errors
    /// What a plugin reports; the last checkpoint stays as it is.
    pub fn train(mut self, interrupt: &Interrupt) -> Result<Finished> {
        let mut interrupted = false;
        while self.trainer.counters().steps < self.plan.steps && !interrupted {
            self.trainer.advance()?;
            interrupted = interrupt.requested();
            self.book()?;
        }
        if interrupted && self.trainer.counters().steps < self.plan.steps {
            self.checkpoint(None)?;
        } else if self.latest.is_none() {
            // Resumed after the last step: nothing was left to train.
            self.latest = Some(self.evaluate()?);
            interrupted = false;
        }
        self.tell();
        self.progress.finish();
        Ok(Finished {
            steps: self.trainer.counters().steps,
            wall: self.began.elapsed(),
            split: self.split,
            evaluation: self.latest,
            random: self.schedule.random,
            interrupted,
        })
    }

    /// Rows, evaluation and checkpoint, where they are due.
    fn book(&mut self) -> Result<()> {
        let steps = self.trainer.counters().steps;
        self.progress.advance(steps);
        let finished = steps >= self.plan.steps;
        let evaluates = finished || steps >= self.schedule.next_evaluation;
        if evaluates || steps >= self.schedule.next_log {
            let mut row = self.trainer.take_row();
            let trained = row.get("train/return_mean").copied();
            let mut score = None;
            if evaluates {
                let report = self.evaluate()?;
                score = Some(report.total.mean_return);
                row.extend(evaluation_row(&report));
                if let Some(random) = self.schedule.random {
                    row.insert("evaluation/random_return_mean".into(), random);
                }
                self.latest = Some(report);
                let every = self.plan.evaluate_every.unwrap_or(u64::MAX);
                self.schedule.next_evaluation = next(steps, every);
            }
            self.schedule.next_log = next(steps, self.plan.log_every);
            self.log(steps, &row);
            self.progress.log(steps, score.or(trained));
            if evaluates {
                self.checkpoint(score)?;
            }
        }
        if steps >= self.schedule.next_checkpoint && !evaluates {
            self.checkpoint(None)?;
        }
        self.tell();
        Ok(())
    }

    fn evaluate(&mut self) -> Result<EpisodeReport> {
        let policies = self.trainer.policies()?;
        let plan = &self.plan.evaluation;
        let of = (self.parts, self.composition);
        let stage = evaluation::stage(of.0, of.1, Some(&policies), plan, &self.workers);
        // Weights of the same algorithm, in the same world: if they do not fit, it is nobody else's fault.
        let mut stage = stage.map_err(|error| match error.kind {
            ErrorKind::Config => Error::plugin(error.message),
            _ => error,
        })?;
        evaluation::play(&mut stage, plan, |_| {})
    }

    fn log(&mut self, steps: u64, row: &BTreeMap<String, f64>) {
        let named = row.iter().map(|(name, &value)| (name.as_str(), value));
        let named: Vec<_> = named.collect();
        self.warnings.extend(self.metrics.row(steps, &named));
        let split = self.trainer.take_split();
        let wall = self.began.elapsed();
        let per_second = (steps - self.first_step) as f64 / wall.as_secs_f64();
        let times = [
            ("time/wall_seconds", wall.as_secs_f64()),
            ("time/steps_per_second", per_second),
            ("time/environment_seconds", split.environment.as_secs_f64()),
            ("time/inference_seconds", split.inference.as_secs_f64()),
            ("time/learning_seconds", split.learning.as_secs_f64()),
        ];
        self.split.environment += split.environment;
        self.split.inference += split.inference;
        self.split.learning += split.learning;
        self.warnings.extend(self.timing.row(steps, &times));
        let both: Vec<_> = named.into_iter().chain(times).collect();
        self.warnings.extend(self.events.scalars(steps, &both));
    }

    /// Saves everything; a disk that is full ends no training, a plugin that cannot be saved does.
    fn checkpoint(&mut self, score: Option<f64>) -> Result<()> {
        let steps = self.trainer.counters().steps;
        self.schedule.next_checkpoint = next(steps, self.plan.checkpoint_every);
        self.schedule.metrics = self.metrics.position();
        let (trainer, schedule) = (&mut self.trainer, json!(self.schedule).to_string());
        let saved = self.checkpoints.save(steps, score, |parts| {
            parts.bytes("run.json", schedule.as_bytes())?;
            trainer.save(parts)
        });
        match saved {
            Ok(saved) => self.warnings.extend(saved.warnings),
            Err(error) if error.kind == ErrorKind::Io => {
                let text = format!("{error}; training goes on");
                self.progress.remark("warning", &text);
            }
            Err(error) => return Err(error.with_next("earlier checkpoints are intact")),
        }
        Ok(())
    }

    fn tell(&mut self) {
        for warning in self.warnings.drain(..) {
            self.progress.remark("warning", &warning.to_string());
        }
    }
}

/// The first multiple of `every` after `steps`.
fn next(steps: u64, every: u64) -> u64 {
    (steps / every).saturating_add(1).saturating_mul(every)
}

/// What an evaluation adds to a row of metrics.
fn evaluation_row(report: &EpisodeReport) -> Vec<(String, f64)> {
    let total = &report.total;
    let mut row = vec![
        ("evaluation/return_mean".to_owned(), total.mean_return),
        ("evaluation/standard_error".to_owned(), total.standard_error),
        ("evaluation/length_mean".to_owned(), total.mean_length),
    ];
    if report.groups.len() > 1 {
        let groups = report.groups.iter();
        row.extend(groups.map(|(name, group)| {
            let name = format!("evaluation/{name}/return_mean");
            (name, group.outcome.mean_return)
        }));
    }
    let metrics = total.metrics.iter();
    row.extend(metrics.map(|(name, spread)| (format!("evaluation/metric/{name}"), spread.mean)));
    row
}

/// The final evaluation as people and programs read it.
pub fn summary(report: &EpisodeReport, random: Option<f64>) -> Value {
    let mut summary = json!(report);
    if let Some(random) = random {
        summary["random_return_mean"] = json!(random);
    }
    summary
}
