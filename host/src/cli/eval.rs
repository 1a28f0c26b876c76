//! `palaestra eval`: how good a trained policy is, alone or against and with others.

mod policies;

use std::process::ExitCode;

use palaestra_plugin_api::{Error, Result, algorithm::Role, one_line};
use serde::Serialize;

use super::{
    Common,
    output::{Ink, Paint, print, print_json, remark},
    report_text::{number, report_table},
};
use crate::{
    experiment::Setting,
    rollout::{EpisodeReport, Workers},
    training::{
        composition::Composition,
        evaluation::{EvaluationPlan, evaluate, random_baseline},
        plan::threads,
    },
};
use policies::{Chosen, Seat};
pub(crate) use policies::{Which, of_run};

const EXAMPLES: &str = "Examples:
  palaestra eval runs/classic-CartPole-v1_core-PPO-v0_s0_20260101T120000
  palaestra eval RUN --checkpoint latest --episodes 1000 --threads 2
  palaestra eval mpe/SimpleSpread-v3 core/Random-v0
  palaestra eval --seat agent=RUN1 --seat adversary=RUN2

Episodes are played on seeds that training never sees, the same ones whenever it is asked again, and beside \
random actions in the same episodes. With --seat every agent group is played by the policy of a run, or by \
an algorithm that needs no training, such as core/Random-v0.";

/// Evaluate the policy of a run, an untrained algorithm, or policies of several runs together.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EvalArgs {
    /// Folder of a run, or an environment.
    #[arg(
        value_name = "RUN|ENV",
        required_unless_present = "seats",
        conflicts_with = "seats"
    )]
    what: Option<String>,
    /// Algorithm, after an environment.
    #[arg(value_name = "ALGO")]
    algorithm: Option<String>,
    /// Who plays a group: GROUP=RUN, or GROUP=ALGORITHM (repeatable).
    #[arg(long = "seat", value_name = "GROUP=RUN")]
    seats: Vec<Seat>,
    /// A setting of the experiment, such as environment.num_agents=5 (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = crate::experiment::parse)]
    settings: Vec<Setting>,
    /// Checkpoint of a run: best, latest, or the env steps of one.
    #[arg(long, value_name = "WHICH", default_value = "best")]
    checkpoint: Which,
    /// Episodes.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    episodes: u32,
    /// Instances; as many as episodes, but at most 64, when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    num_envs: Option<u32>,
    /// Threads; they change no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Seed of the episodes and of exploration.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Explore as in training instead of choosing the best action.
    #[arg(long)]
    stochastic: bool,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    environment: &'a str,
    /// What plays, by group.
    policies: &'a [String],
    seed: u64,
    num_envs: usize,
    greedy: bool,
    random_return_mean: f64,
    #[serde(flatten)]
    report: &'a EpisodeReport,
}

/// Runs the command.
///
/// # Errors
/// Something that is no run, no checkpoint that can be read, policies that do not fit each other.
pub(crate) fn run(args: &EvalArgs, common: &Common) -> Result<ExitCode> {
    refuse_idle(&args.settings)?;
    let session = common.session()?;
    let chosen = policies::choose(args, &session)?;
    let Chosen {
        parts,
        states,
        names,
        notes,
    } = &chosen;
    notes.iter().for_each(|note| remark("note", note));
    let episodes = args.episodes as usize;
    let plan = EvaluationPlan {
        run_seed: args.seed,
        episodes,
        num_envs: args.num_envs.map_or(64, |n| n as usize).min(episodes),
        greedy: !args.stochastic,
    };
    let checked = Composition::check(parts, Role::Evaluator, plan.num_envs);
    let composition = checked.map_err(|e| match args.seats.is_empty() {
        true => e,
        false => e.within("--seat"),
    })?;
    let workers = Workers::new(threads(args.threads.map(usize::from), plan.num_envs))?;
    let report = evaluate(parts, &composition, states.as_deref(), &plan, &workers)?;
    let random = random_baseline(parts, &plan, &workers)?;
    let document = Document {
        environment: parts.environment.id(),
        policies: names,
        seed: args.seed,
        num_envs: plan.num_envs,
        greedy: plan.greedy,
        random_return_mean: random.total.mean_return,
        report: &report,
    };
    match common.json {
        true => print_json(&document)?,
        false => print(&text(&document))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses settings that decide nothing here, rather than leave them aside.
fn refuse_idle(settings: &[Setting]) -> Result<()> {
    let idle = ["evaluation", "training", "seed"];
    match settings.iter().find(|s| idle.contains(&s.part())) {
        None => Ok(()),
        Some(setting) => Err(Error::config(format!(
            "--set {}: expected a setting of who plays in which world; how it is evaluated is said by --episodes, \
             --num-envs, --seed and --stochastic",
            setting.part()
        ))),
    }
}

fn text(document: &Document<'_>) -> String {
    let paint = Paint::stdout();
    let mut text = format!(
        "{}: {} episodes, {}, seed {}\n",
        paint.paint(Ink::Bold, document.environment),
        document.report.total.episodes,
        if document.greedy {
            "greedy"
        } else {
            "exploring"
        },
        document.seed
    );
    for name in document.policies {
        text.push_str(&format!("  {}\n", one_line(name.clone())));
    }
    text.push_str(&report_table(document.report).render(paint, "  "));
    let random = number(document.random_return_mean);
    text.push_str(&format!(
        "  random actions in the same episodes: return {random}\n"
    ));
    text
}
