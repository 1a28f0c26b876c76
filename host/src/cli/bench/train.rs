//! `palaestra bench train`: where the time of training goes.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use palaestra_plugin_api::{Result, algorithm::Role};
use serde::Serialize;

use crate::{
    cli::{
        Common,
        output::{Ink, Paint, Table, print, print_json, remark},
    },
    experiment::{Experiment, Setting},
    rollout::{Workers, median},
    training::{
        composition::{Composition, Parts},
        plan::{learning_threads, threads},
        run::RunPlan,
        trainer::Trainer,
    },
};

const EXAMPLES: &str = "Examples:
  palaestra bench train classic/CartPole-v1 core/PPO-v0
  palaestra bench train SimpleSpread MAPPO --num-envs 64 --steps 200000 --json

Nothing is written and nothing evaluated. The first repeat is not counted; each part is the median of the others.";

/// Where the time of training goes: environment, inference, learning, and all the rest.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Environment.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Algorithm.
    #[arg(value_name = "ALGO")]
    algorithm: String,
    /// Coordination mechanism (repeatable).
    #[arg(long, value_name = "NAME")]
    coordination: Vec<String>,
    /// A setting of the experiment, such as algorithm.num_steps=256 (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = crate::experiment::parse)]
    settings: Vec<Setting>,
    /// Env steps of a repeat, over all instances.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Repeats that count.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeats: u16,
    /// Instances.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    num_envs: Option<u32>,
    /// Threads.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// The JSON document; parts are shares of the wall time.
#[derive(Debug, Serialize)]
struct Document {
    environment: String,
    algorithm: String,
    num_envs: usize,
    threads: usize,
    /// Threads that learning may use.
    learning_threads: usize,
    steps: u64,
    env_steps_per_second: f64,
    share_environment: f64,
    share_inference: f64,
    share_learning: f64,
    /// Everything else: rows, keys, copies, statistics.
    share_other: f64,
}

/// One repeat: env steps per second, then the share of every part.
type Repeat = (f64, [f64; 4]);

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting, or a plugin at fault.
pub(crate) fn run(args: &TrainArgs, common: &Common) -> Result<ExitCode> {
    let mut experiment =
        Experiment::of_names(&args.environment, &args.algorithm, &args.coordination);
    if let Some(num_envs) = args.num_envs {
        experiment.training.num_envs = num_envs as usize;
    }
    experiment.apply(&args.settings)?;
    let asked = args.threads.map(usize::from);
    let resolved = experiment.resolve(&common.learning_session(asked)?)?;
    resolved.notes.iter().for_each(|note| remark("note", note));
    let parts = Parts::of(&resolved);
    let plan = RunPlan::of(&resolved.experiment).training;
    let composition = Composition::check(&parts, Role::Learner, plan.num_envs)?;
    let workers = Workers::new(threads(asked, plan.num_envs))?;
    let mut trainer = Trainer::new(&parts, &composition, &plan, &workers)?;
    let mut repeats = Vec::with_capacity(usize::from(args.repeats));
    for repeat in 0..=args.repeats {
        let measured = measure(&mut trainer, args.steps)?;
        if repeat > 0 {
            repeats.push(measured);
        }
    }
    let of =
        |number: &dyn Fn(&Repeat) -> f64| median(&repeats.iter().map(number).collect::<Vec<_>>());
    let part = |i: usize| of(&|(_, parts)| parts[i]);
    let document = Document {
        environment: parts.environment.id().to_owned(),
        algorithm: parts.policies[0].algorithm.id().to_owned(),
        num_envs: plan.num_envs,
        threads: workers.threads(),
        learning_threads: learning_threads(asked),
        steps: args.steps,
        env_steps_per_second: of(&|(speed, _)| *speed),
        share_environment: part(0),
        share_inference: part(1),
        share_learning: part(2),
        share_other: part(3),
    };
    match common.json {
        true => print_json(&document)?,
        false => print(&text(&document))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Env steps per second, and the share of every part.
fn measure(trainer: &mut Trainer, steps: u64) -> Result<Repeat> {
    trainer.take_split();
    let (begun, first) = (Instant::now(), trainer.counters().steps);
    while trainer.counters().steps < first + steps {
        trainer.advance()?;
    }
    let (wall, split) = (begun.elapsed(), trainer.take_split());
    let share = |part: Duration| part.as_secs_f64() / wall.as_secs_f64();
    let parts = [split.environment, split.inference, split.learning].map(share);
    let other = 1.0 - parts.iter().sum::<f64>();
    let made = (trainer.counters().steps - first) as f64;
    let [environment, inference, learning] = parts;
    let parts = [environment, inference, learning, other];
    Ok((made / wall.as_secs_f64(), parts))
}

fn text(document: &Document) -> String {
    let paint = Paint::stdout();
    let mut table = Table::new(&["", "share of the time"]);
    for (name, share) in [
        ("environment", document.share_environment),
        ("inference", document.share_inference),
        ("learning", document.share_learning),
        ("everything else", document.share_other),
    ] {
        let share = format!("{:.1} %", 100.0 * share);
        table.row([(Ink::Bold, name.to_owned()), (Ink::Plain, share)]);
    }
    let title = format!(
        "{} with {}: {:.0} env steps/s, {} instances, threads: {} to step, {} to learn\n",
        paint.paint(Ink::Bold, &document.environment),
        document.algorithm,
        document.env_steps_per_second,
        document.num_envs,
        document.threads,
        document.learning_threads
    );
    title + &table.render(paint, "  ")
}
