//! `palaestra bench environment`: how fast an environment is through the host's own rollout.

use std::{process::ExitCode, time::Duration};

use palaestra_plugin_api::{Error, Result, client::MakeEnvironment};
use serde::Serialize;

use crate::{
    cli::{
        Common,
        output::{Ink, Paint, Table, print, print_json, remark},
        set::ConfigArgs,
    },
    rollout::{Rollout, RolloutOptions, Runner, Workers, median},
    wrappers::WrapperSpec,
};

const EXAMPLES: &str = "Examples:
  palaestra bench environment classic/CartPole-v1
  palaestra bench environment mpe/SimpleSpread-v3 --threads 1,2 --json
  palaestra bench environment SimpleSpread --set num_agents=10 --num-envs 1024

Random actions, slabs, resets, checks and statistics are included. Thread counts take turns, and the
median over the repeats is given.";

/// Steps per second of an environment.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EnvironmentArgs {
    /// Id, such as classic/CartPole-v1; version and namespace may be left out.
    #[arg(value_name = "ID")]
    id: String,
    /// Instances.
    #[arg(long, value_name = "N", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(1..))]
    num_envs: u32,
    /// Threads; several numbers are compared.
    #[arg(long, value_name = "N,…", default_value = "1", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    threads: Vec<u16>,
    /// Time of a measurement.
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,
    /// Parts that each time is split into; the median counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeats: u16,
    /// Shards; chosen so that each fits a core's cache when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shards: Option<u32>,
    /// Steps that a shard makes on its own; chosen when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Seed of the run.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A world wrapper, such as TimeLimit.max_episode_steps=50 (repeatable, from the inside out).
    #[arg(long = "wrapper", value_name = "NAME[.KEY=VALUE,…]")]
    wrappers: Vec<WrapperSpec>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// One thread count.
#[derive(Debug, Clone, Serialize)]
struct Measured {
    environment: String,
    num_envs: usize,
    threads: usize,
    shards: usize,
    fragment_steps: usize,
    env_steps_per_second: f64,
    agent_steps_per_second: f64,
    /// Env steps per second of each repeat.
    repeats: Vec<f64>,
    /// Median ratio to the first thread count, repeat by repeat.
    ratio: f64,
}

/// Several thread counts: the first one's fields, and all.
#[derive(Debug, Serialize)]
struct Comparison {
    #[serde(flatten)]
    first: Measured,
    runs: Vec<Measured>,
}

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting, or a plugin at fault.
pub(crate) fn run(args: &EnvironmentArgs, common: &Common) -> Result<ExitCode> {
    let runs = measure(args, common)?;
    if common.json {
        match runs.as_slice() {
            [only] => print_json(only)?,
            _ => print_json(&Comparison {
                first: runs[0].clone(),
                runs,
            })?,
        }
    } else {
        print(&text(&runs, Paint::stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &EnvironmentArgs, common: &Common) -> Result<Vec<Measured>> {
    if !(args.seconds > 0.0 && args.seconds <= 86_400.0) {
        return Err(Error::config(format!(
            "--seconds: expected 0 < x ≤ 86400, found {}",
            args.seconds
        )));
    }
    let session = common.session()?;
    let maker = session.environment(&args.id, &args.config.config()?)?;
    maker.notes().iter().for_each(|note| remark("note", note));
    let environment = MakeEnvironment {
        run_seed: args.seed,
        instances: args.num_envs as usize,
        ..maker.request()
    };
    let options = RolloutOptions {
        shards: args.shards.map(|n| n as usize),
        steps: args.steps.map(|n| n as usize),
        wrappers: args.wrappers.clone(),
        ..RolloutOptions::new(environment, maker.plugin())
    };
    let mut runners = Vec::with_capacity(args.threads.len());
    for &threads in &args.threads {
        let workers = Workers::new(usize::from(threads))?;
        runners.push(Runner::new(Rollout::new(
            &options,
            &workers,
            &|what: &MakeEnvironment| maker.make(what),
        )?)?);
    }
    let slice = Duration::from_secs_f64(args.seconds / f64::from(args.repeats));
    runners
        .iter_mut()
        .try_for_each(|runner| runner.run(slice / 4).map(|_| ()))?;
    let mut rates = vec![Vec::new(); runners.len()];
    for _ in 0..args.repeats {
        for (runner, rates) in runners.iter_mut().zip(&mut rates) {
            rates.push(runner.run(slice)?.rate());
        }
    }
    let measured = |(runner, repeats): (&Runner, &Vec<f64>)| {
        let (plan, rate) = (runner.rollout().plan(), median(repeats));
        let ratios: Vec<f64> = repeats
            .iter()
            .zip(&rates[0])
            .map(|(rate, first)| rate / first)
            .collect();
        Measured {
            environment: maker.id().to_owned(),
            num_envs: plan.instances,
            threads: plan.threads,
            shards: plan.shards,
            fragment_steps: plan.steps,
            env_steps_per_second: rate,
            agent_steps_per_second: rate * runner.rollout().spec().agents() as f64,
            repeats: repeats.clone(),
            ratio: median(&ratios),
        }
    };
    Ok(runners.iter().zip(&rates).map(measured).collect())
}

fn text(runs: &[Measured], paint: Paint) -> String {
    let first = &runs[0];
    let title = format!(
        "{}, {} instances, random actions\n",
        paint.paint(Ink::Bold, &first.environment),
        first.num_envs
    );
    let mut table = Table::new(&["threads", "shards", "env steps/s", "agent steps/s", "ratio"]);
    for run in runs {
        let plain = |text: String| (Ink::Plain, text);
        table.row([
            plain(run.threads.to_string()),
            plain(run.shards.to_string()),
            (Ink::Bold, millions(run.env_steps_per_second)),
            plain(millions(run.agent_steps_per_second)),
            plain(format!("{:.2}", run.ratio)),
        ]);
    }
    title + &table.render(paint, "  ")
}

/// A rate with three digits.
fn millions(rate: f64) -> String {
    match rate {
        rate if rate >= 1e8 => format!("{:.0} M", rate / 1e6),
        rate if rate >= 1e7 => format!("{:.1} M", rate / 1e6),
        rate if rate >= 1e6 => format!("{:.2} M", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k", rate / 1e3),
        rate => format!("{rate:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        environment: EnvironmentArgs,
    }

    #[test]
    fn the_command_line_is_understood_and_checked() {
        let parse = |line: &str| Line::try_parse_from(line.split(' ')).map(|l| l.environment);
        let args =
            parse("environment CartPole --threads 1,2 --num-envs 64 --wrapper TimeLimit").unwrap();
        assert_eq!(
            (args.threads, args.num_envs, args.wrappers.len()),
            (vec![1, 2], 64, 1)
        );
        for wrong in [
            "--threads 0",
            "--num-envs 0",
            "--seconds x",
            "--wrapper TimeLimit.5",
        ] {
            assert!(
                parse(&format!("environment CartPole {wrong}")).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn one_run_has_the_fields_on_top_and_several_have_them_too() {
        let one = Measured {
            environment: "a/B-v0".into(),
            num_envs: 8,
            threads: 1,
            shards: 1,
            fragment_steps: 16,
            env_steps_per_second: 1.5e7,
            agent_steps_per_second: 4.5e7,
            repeats: vec![1.5e7],
            ratio: 1.0,
        };
        let json = serde_json::to_value(Comparison {
            first: one.clone(),
            runs: vec![one.clone(), one.clone()],
        })
        .unwrap();
        for field in [
            "environment",
            "num_envs",
            "threads",
            "env_steps_per_second",
            "agent_steps_per_second",
        ] {
            assert!(
                json.get(field).is_some() && json["runs"][1].get(field).is_some(),
                "{field}"
            );
        }
        assert_eq!(
            text(&[one], Paint::off()),
            "a/B-v0, 8 instances, random actions\n  threads  shards  env steps/s  agent steps/s  ratio\n  1        1       15.0 M       45.0 M         1.00\n"
        );
    }
}
