//! Chores of this workspace, run as `cargo xtask CHORE`.

mod baselines;
mod bench;
mod cargo;
mod cuda;
mod kills;
mod learning;
mod page;
mod program;
mod schemas;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One line about what went wrong.
type Result<T, E = String> = std::result::Result<T, E>;

/// Chores of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

const EXAMPLES: &str = "Examples:
  cargo xtask test
  cargo xtask test trace -- --nocapture
  cargo xtask schemas --check
  cargo xtask cuda
  cargo xtask cuda build --release -p policy-gradient --features cuda
  cargo xtask bench --out docs/benchmarks.md
  cargo xtask baselines --out docs/baselines.md
  cargo xtask kills --count 50
  cargo xtask learning --only cartpole-ppo --only pendulum-ppo";

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build every plugin library, then run all tests: some of them load the libraries.
    Test {
        /// Passed on to `cargo test --workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write schemas/ from the built plugins' manifests.
    Schemas {
        /// Write nothing; fail when a file is not as it would be written.
        #[arg(long)]
        check: bool,
    },
    /// Fetch the CUDA compiler, build the plugins that learn on CUDA, and check that they load without a GPU; says so
    /// and is content where the compiler cannot be had.
    Cuda {
        /// Run cargo with the compiler instead, such as `build --release -p policy-gradient --features cuda`.
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "CARGO"
        )]
        arguments: Vec<String>,
    },
    /// Measure every environment in one go, release build.
    Bench {
        /// Write the table into this file instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Passed on to `palaestra bench environment`, such as `--threads 1,2`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What every environment pays random, idle and scripted agents, and how that compares with the
    /// reference.
    Baselines {
        /// Write the tables into this file instead of printing them.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Episodes of each policy in each environment; the comparison takes four times as many.
        #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..))]
        episodes: u32,
    },
    /// Train every experiment of experiments/ with several seeds, release build, write docs/learning.md, and fail where
    /// less is learned than expected.
    Learning {
        /// Only this experiment (repeatable); the page keeps the lines of the others.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// Seeds of each experiment, from 0.
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        seeds: u32,
    },
    /// Kill training at random moments, resume it, and compare the bytes with those of a run that was left alone.
    Kills {
        /// Kills.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().chore {
        Chore::Test { arguments } => test(&arguments),
        Chore::Schemas { check } => schemas::run(check),
        Chore::Cuda { arguments } => cuda::run(&arguments),
        Chore::Bench { out, arguments } => bench::run(out.as_deref(), &arguments),
        Chore::Baselines { out, episodes } => baselines::run(out.as_deref(), episodes),
        Chore::Learning { only, seeds } => learning::run(&only, seeds),
        Chore::Kills { count } => kills::run(count),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test(arguments: &[String]) -> Result<()> {
    cargo::run(&["build", "--workspace"])?;
    let test = ["test", "--workspace"].into_iter();
    let all: Vec<&str> = test.chain(arguments.iter().map(String::as_str)).collect();
    cargo::run(&all)
}
