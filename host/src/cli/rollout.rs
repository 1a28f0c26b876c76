//! `palaestra rollout`: what episodes of an environment are like under a simple policy.

use std::{io::IsTerminal, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use palaestra_plugin_api::{Result, client::MakeEnvironment};
use serde::Serialize;

use super::{
    Common,
    output::{Ink, Paint, print, print_json, remark},
    report_text::report_table,
    set::ConfigArgs,
};
use crate::{
    rollout::{EpisodeReport, EpisodeSet, Rollout, RolloutOptions, Workers, run_episodes},
    wrappers::WrapperSpec,
};

/// Instances when nobody asks for a number.
const INSTANCES: usize = 1024;

const EXAMPLES: &str = "Examples:
  palaestra rollout mpe/SimpleSpread-v3 --episodes 4000
  palaestra rollout CartPole --policy no-op --seed 3
  palaestra rollout mpe/SimpleTag-v3 --policy scripted
  palaestra rollout CartPole --wrapper TimeLimit.max_episode_steps=50 --wrapper StickyAction.probability=0.25
  palaestra rollout cards/KuhnPoker-v0 --json

The episodes are chosen by number before any runs, the first ones of each instance, so that short ones do
not count too often. The same seed, number of episodes and number of instances give the same result with
any number of threads.";

/// Run episodes under a simple policy: returns, lengths and metrics.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RolloutArgs {
    /// Id, such as classic/CartPole-v1; version and namespace may be left out.
    #[arg(value_name = "ENV")]
    id: String,
    /// Episodes.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    episodes: u32,
    /// Instances; as many as episodes, but at most 1024, when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    num_envs: Option<u32>,
    /// Threads.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Seed of the run.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How the agents act.
    #[arg(long, value_enum, default_value_t = PolicyKind::Random)]
    policy: PolicyKind,
    /// A world wrapper, such as TimeLimit.max_episode_steps=50 (repeatable, from the inside out).
    #[arg(long = "wrapper", value_name = "NAME[.KEY=VALUE,…]")]
    wrappers: Vec<WrapperSpec>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum PolicyKind {
    /// Uniform over what is allowed.
    Random,
    /// Nobody does anything.
    NoOp,
    /// What the environment's own scripted baseline does.
    Scripted,
}

impl PolicyKind {
    /// What it is called in the title.
    fn words(self) -> &'static str {
        match self {
            Self::Random => "random actions",
            Self::NoOp => "no-op actions",
            Self::Scripted => "scripted actions",
        }
    }
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    environment: &'a str,
    config: &'a serde_json::Value,
    wrappers: &'a [WrapperSpec],
    policy: PolicyKind,
    seed: u64,
    num_envs: usize,
    #[serde(flatten)]
    report: &'a EpisodeReport,
}

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting, or a plugin at fault.
pub(crate) fn run(args: &RolloutArgs, common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let maker = session.environment(&args.id, &args.config.config()?)?;
    maker.notes().iter().for_each(|note| remark("note", note));
    let episodes = args.episodes as usize;
    // An instance without an episode would only cost time.
    let instances = args
        .num_envs
        .map_or(INSTANCES, |n| n as usize)
        .min(episodes);
    let environment = MakeEnvironment {
        run_seed: args.seed,
        instances,
        ..maker.request()
    };
    let options = RolloutOptions {
        wrappers: args.wrappers.clone(),
        ..RolloutOptions::new(environment, maker.plugin())
    };
    let workers = Workers::new(usize::from(args.threads))?;
    let mut rollout = Rollout::new(&options, &workers, &|what: &MakeEnvironment| {
        maker.make(what)
    })?;
    let (set, bar) = (
        EpisodeSet::new(episodes, instances),
        progress(episodes, common.json),
    );
    let advance = |ended| bar.set_position(ended as u64);
    let report = match args.policy {
        PolicyKind::Random => {
            let mut policies = rollout.random();
            run_episodes(&mut rollout, &mut policies, &set, advance)
        }
        PolicyKind::NoOp => {
            let mut policies = rollout.no_op();
            run_episodes(&mut rollout, &mut policies, &set, advance)
        }
        PolicyKind::Scripted => {
            let mut policies = rollout.scripted().map_err(|e| e.within(maker.id()))?;
            run_episodes(&mut rollout, &mut policies, &set, advance)
        }
    };
    bar.finish_and_clear();
    let document = Document {
        environment: maker.id(),
        config: maker.config(),
        wrappers: &args.wrappers,
        policy: args.policy,
        seed: args.seed,
        num_envs: instances,
        report: &report?,
    };
    if common.json {
        print_json(&document)?
    } else {
        print(&text(&document, Paint::stdout()))?
    }
    Ok(ExitCode::SUCCESS)
}

/// A bar on standard error, if somebody is looking.
fn progress(episodes: usize, json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} episodes, {eta} left");
    ProgressBar::new(episodes as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(document: &Document<'_>, paint: Paint) -> String {
    let title = format!(
        "{}: {} episodes, {}, seed {}\n",
        paint.paint(Ink::Bold, document.environment),
        document.report.total.episodes,
        document.policy.words(),
        document.seed
    );
    title + &report_table(document.report).render(paint, "  ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use palaestra_plugin_api::spec::{EnvironmentSpec, Metric, Space};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rollout: RolloutArgs,
    }

    #[test]
    fn the_command_line_is_understood_and_wrappers_keep_their_order() {
        let parse = |line: &str| Line::try_parse_from(line.split(' ')).map(|line| line.rollout);
        let args = parse(
            "rollout X --policy no-op --wrapper TeamReward --wrapper TimeLimit.max_episode_steps=5",
        )
        .unwrap();
        assert_eq!((args.policy, args.episodes), (PolicyKind::NoOp, 100));
        assert_eq!(
            args.wrappers
                .iter()
                .map(|w| w.name.as_str())
                .collect::<Vec<_>>(),
            ["TeamReward", "TimeLimit"]
        );
        for wrong in [
            "--episodes 0",
            "--policy best",
            "--threads 0",
            "--wrapper A.b",
        ] {
            assert!(parse(&format!("rollout X {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_text_names_groups_agents_and_metrics() {
        let mut spec = EnvironmentSpec::new("east", 2, Space::real(1), Space::discrete(2));
        spec.metrics = vec![Metric::sum("fouls")];
        let rows: [&[f64]; 2] = [&[1.0, 2.0, 3.0, 10.0, 0.0], &[3.0, 4.0, 7.0, 20.0, 1.0]];
        let report = EpisodeReport::new(&spec, rows.into_iter());
        let document = Document {
            environment: "a/B-v0",
            config: &serde_json::Value::Null,
            wrappers: &[],
            policy: PolicyKind::Random,
            seed: 4,
            num_envs: 2,
            report: &report,
        };
        let expected = "\
a/B-v0: 2 episodes, random actions, seed 4
          mean   standard error  std    least  most
  return  5.000  2.000           2.828  3.000  7.000
    east  5.000  2.000           2.828  3.000  7.000
      0   2.000  1.000           1.414
      1   3.000  1.000           1.414
  length  15.00  5.000
  fouls   0.500  0.500           0.707
";
        assert_eq!(text(&document, Paint::off()), expected);
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(
            (json["policy"].as_str(), json["mean_return"].as_f64()),
            (Some("random"), Some(5.0))
        );
    }
}
